//! Timing some calls: how long each took, and how long of that the native function ran.
//!
//! Only while `GIJIT_TRACE` has the topic `sample`. Then the slot of a callable holds [`call`] for
//! good, and the tiers are published into a second slot that it enters; the functions around a
//! native call are the ones here, which read the clock while a timed call is under way on the
//! thread. Without the topic nothing of this is on the path of a call.
//!
//! Of the timed calls of a callable every fourth runs in PyGObject, to compare: the same way that a
//! call goes which bails out. A call inside a timed call (from a callback) is not timed.
//!
//! Absent: how often, and what is kept (`gijit::stats::Tally`).

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use gijit::dispatch::Tier;
use gijit::plan::link::Runtime;
use gijit::stats::{Handed, Tally, Turn};
use gijit::trace::{self, Sample};
use pyo3::ffi;

use super::engine::{self, engine};
use crate::callable::entry;
use crate::callable::object::tail;
use crate::marshal::{self, lock};

/// The timed call of a thread.
#[derive(Clone, Copy)]
struct Timing {
    /// Whether one is under way.
    active: bool,
    /// Native functions of gijit's that are running inside of each other.
    depth: u32,
    /// When the first of these began, and the present one.
    first: Option<Instant>,
    entered: Option<Instant>,
    native: Duration,
}

const IDLE: Timing = Timing {
    active: false,
    depth: 0,
    first: None,
    entered: None,
    native: Duration::ZERO,
};

thread_local! {
    static TIMING: Cell<Timing> = const { Cell::new(IDLE) };
}

/// What is called right before the native function when the lock is held meanwhile.
extern "C" fn native_begins() {
    let mut timing = TIMING.get();
    if timing.active {
        timing.depth += 1;
        if timing.depth == 1 {
            timing.entered = Some(Instant::now());
            timing.first = timing.first.or(timing.entered);
        }
        TIMING.set(timing);
    }
}

/// What is called right after it.
extern "C" fn native_ends() {
    let mut timing = TIMING.get();
    if timing.active && timing.depth > 0 {
        timing.depth -= 1;
        if let (0, Some(entered)) = (timing.depth, timing.entered) {
            timing.native += entered.elapsed();
        }
        TIMING.set(timing);
    }
}

/// Stands for `lock::save_thread`.
unsafe extern "C" fn save_thread() -> *mut c_void {
    // SAFETY: as for that, which the tiers call with the interpreter lock held.
    let thread = unsafe { lock::save_thread() };
    if !thread.is_null() {
        native_begins();
    }
    thread
}

/// Stands for `lock::restore_thread`.
unsafe extern "C" fn restore_thread(thread: *mut c_void) {
    native_ends();
    // SAFETY: what `save_thread` gave on the same thread.
    unsafe { lock::restore_thread(thread) };
}

/// The functions that every call uses, with those that read the clock.
pub fn runtime() -> Runtime {
    Runtime {
        save_thread: save_thread as *const () as usize,
        restore_thread: restore_thread as *const () as usize,
        native_begins: native_begins as *const () as usize,
        native_ends: native_ends as *const () as usize,
        ..marshal::runtime()
    }
}

/// One call of a callable that has been resolved and not rejected.
///
/// # Safety
/// As `callable::base::invoke`.
pub unsafe fn call(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's; resolved callables have a state, which lives as long as they.
    unsafe {
        let state = &*tail(callable).state.load(Ordering::Relaxed);
        let core = &state.core;
        let enter = || entry::enter_at(core.entry(), callable, args, nargsf, kwnames);
        match turn(core.tally()) {
            None => enter(),
            Some(turn @ (Turn::Own(_) | Turn::OwnWarm)) => {
                timed(core.tally(), Some(core.tier()), turn, enter)
            }
            Some(turn @ (Turn::Host | Turn::HostWarm)) => timed(core.tally(), None, turn, || {
                engine::call_pygobject(callable, args, nargsf, kwnames, Handed::Timed)
            }),
        }
    }
}

/// One call of a rejected callable.
///
/// # Safety
/// As `callable::base::invoke`.
pub unsafe fn call_rejected(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's.
    let invoke =
        || unsafe { engine::call_pygobject(callable, args, nargsf, kwnames, Handed::Rejected) };
    let Some(tally) = engine().rejected_tally(callable) else {
        return invoke();
    };
    match turn(tally) {
        Some(turn) => timed(tally, None, turn, invoke),
        None => invoke(),
    }
}

fn turn(tally: &Tally) -> Option<Turn> {
    match TIMING.get().active {
        true => None,
        false => tally.turn(),
    }
}

/// How long it takes to read the clock.
fn clock() -> Duration {
    static CLOCK: OnceLock<Duration> = OnceLock::new();
    *CLOCK.get_or_init(|| {
        let readings = (0..64).map(|_| Instant::now().elapsed());
        readings.min().unwrap_or_default()
    })
}

/// Runs `call` and says how long it took. A call that raised counts too; one that left its tier
/// counts for the tier that it began at.
fn timed(
    tally: &Tally,
    tier: Option<Tier>,
    turn: Turn,
    call: impl FnOnce() -> *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let active = Timing {
        active: true,
        ..IDLE
    };
    // Once for nothing: what reads the clock has been out of the caches since the last timed call.
    TIMING.set(active);
    native_begins();
    native_ends();
    TIMING.set(active);
    let start = Instant::now();
    let result = call();
    // Each span of time has one reading of the clock in it that is not the call's.
    let total = start.elapsed().saturating_sub(clock());
    let timing = TIMING.replace(IDLE);
    // A call that bailed to PyGObject has not passed through the functions here.
    let native = timing
        .entered
        .map(|_| timing.native.saturating_sub(clock()));
    let total = match native {
        // And the two readings around the native function, one of which is in its own span.
        Some(_) => total.saturating_sub(clock()),
        None => total,
    };
    let stands_for = match turn {
        Turn::Own(calls) => calls,
        Turn::Host => 1,
        Turn::OwnWarm | Turn::HostWarm => return result,
    };
    let native = native.filter(|_| tier.is_some());
    let before_native = native.zip(timing.first).map(|(native, first)| {
        let before = first.saturating_duration_since(start);
        before.min(total.saturating_sub(native))
    });
    let sample = Sample {
        tier: tier.filter(|_| native.is_some()),
        total,
        native,
        before_native,
        stands_for,
    };
    tally.sampled(&sample);
    trace::sampled(tally.name(), &sample);
    result
}
