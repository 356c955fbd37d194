//! What is counted of one callable.
//!
//! A tally bears a callable's name and lives as long as the process: emitted code holds the address
//! of its counters, and the statistics at exit name callables that are long gone. Callables of one
//! name share one, so there are only so many.
//!
//! | field | written by | ordering |
//! |---|---|---|
//! | `calls`, `host`, `handed`, `deopts`, `countdown`, `taken`, `warm` | whoever holds the interpreter lock | plain, as relaxed |
//! | `tier`, `rejected` | whoever publishes, withdraws or rejects | relaxed |
//! | `compiled`, `compile_ns`, `code_bytes` | who compiles | relaxed |
//! | `samples` | whoever holds the interpreter lock | its mutex |

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use crate::dispatch::Tier;
use crate::sync::lock_std as lock;
use crate::trace::{Sample, Timings};

/// Why a call went to the host's own invocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handed {
    /// It raised. Errors are the host's, to the letter.
    Raised,
    /// The first call of a deprecated callable: the warning is the host's too.
    Deprecated,
    /// The callable is rejected.
    Rejected,
    /// To time the host beside the tiers.
    Timed,
    /// The tiers do not convert such values, and the host did.
    Unusual,
}

impl Handed {
    /// All of them, in the order of the counters, with their keys in the statistics.
    pub const ALL: [(Handed, &'static str); 5] = [
        (Handed::Raised, "raised"),
        (Handed::Deprecated, "deprecated"),
        (Handed::Rejected, "rejected"),
        (Handed::Timed, "timed"),
        (Handed::Unusual, "unusual"),
    ];
}

/// The counters of one callable.
#[derive(Default)]
pub struct Tally {
    name: Arc<str>,
    calls: [AtomicU64; 3],
    host: AtomicU64,
    handed: [AtomicU64; Handed::ALL.len()],
    deopts: AtomicU64,
    tier: AtomicU8,
    /// Python parameters.
    parameters: AtomicU32,
    compiled: [AtomicU64; 3],
    compile_ns: AtomicU64,
    code_bytes: AtomicU64,
    rejected: OnceLock<&'static str>,
    /// Calls until the next that is timed.
    countdown: AtomicI32,
    /// Turns that have been taken, and the calls that the present one has had.
    taken: AtomicU32,
    warm: AtomicU8,
    samples: Mutex<Option<Box<Samples>>>,
}

/// How many times are kept for each way of calling.
const KEPT: usize = 15;
/// The index of the host's own invocation behind those of the tiers.
const HOST: usize = 3;
/// Calls at the beginning of a turn that do not count.
const WARM_CALLS: u8 = 2;
/// The longest stretch between two calls of one callable that are timed.
const LONGEST_STRIDE: i32 = 1024;

/// The last times per tier and for the host, in nanoseconds: beside the native function for a tier,
/// whole for the host; and those of the native function.
#[derive(Default)]
struct Samples {
    times: [Vec<u64>; 4],
    native: Vec<u64>,
}

impl Samples {
    /// What a call by the host takes beside its native function. `None` when the native function
    /// takes so much of it, or takes so differently long, that this cannot be told.
    fn host_binding(&self) -> Option<u64> {
        let total = median(&self.times[HOST])?;
        let native = median(&self.native)?;
        let mut sorted = self.native.clone();
        sorted.sort_unstable();
        let spread = sorted[sorted.len() * 3 / 4] - sorted[sorted.len() / 4];
        let binding = total.checked_sub(native)?;
        let told = self.times[HOST].len() >= 2 && binding * 3 >= native && binding >= 2 * spread;
        told.then_some(binding)
    }
}

/// How the next call is to be timed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// At the tier that the callable has. The call stands for itself and those since the last turn.
    Own(u64),
    /// By the host's own invocation, to compare.
    Host,
    /// As `Own`, but the time is of no use.
    OwnWarm,
    /// As `Host`, but the time is of no use.
    HostWarm,
}

static TALLIES: LazyLock<Mutex<HashMap<Arc<str>, &'static Tally>>> = LazyLock::new(Mutex::default);

/// The tally of the callable called `name`.
pub fn tally(name: impl Into<Arc<str>>) -> &'static Tally {
    let mut tallies = lock(&TALLIES);
    match tallies.entry(name.into()) {
        Entry::Occupied(entry) => entry.get(),
        Entry::Vacant(entry) => {
            let tally: &'static Tally = Box::leak(Box::new(Tally {
                name: Arc::clone(entry.key()),
                ..Tally::default()
            }));
            entry.insert(tally)
        }
    }
}

/// All tallies, by name.
pub(super) fn all() -> Vec<&'static Tally> {
    let mut all: Vec<&'static Tally> = lock(&TALLIES).values().copied().collect();
    all.sort_unstable_by_key(|tally| &tally.name);
    all
}

/// Native calls per tier and those of the host's own invocation so far, over all callables: cheap
/// enough to be asked after each call.
pub fn totals() -> [u64; 4] {
    let mut totals = [0; 4];
    for tally in lock(&TALLIES).values() {
        let counters = tally.calls.iter().chain([&tally.host]);
        for (total, counter) in totals.iter_mut().zip(counters) {
            *total += counter.load(Ordering::Relaxed);
        }
    }
    totals
}

impl Tally {
    /// The callable's name, as in `Gtk.Label.set_text`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A native call at `tier`, under the interpreter lock.
    pub fn count_call(&self, tier: Tier) {
        bump(&self.calls[tier as usize]);
    }

    /// A call that went to the host's own invocation, under the interpreter lock.
    pub fn count_host(&self) {
        bump(&self.host);
    }

    /// Such a call has come back: why it went there.
    pub fn count_handed(&self, why: Handed) {
        bump(&self.handed[why as usize]);
    }

    /// The address of the counter of native calls at `tier`, for emitted code.
    pub fn calls_address(&self, tier: Tier) -> usize {
        self.calls[tier as usize].as_ptr() as usize
    }

    /// The callable can be called: it has so many Python parameters.
    pub(crate) fn planned(&self, parameters: usize) {
        self.parameters.store(parameters as u32, Ordering::Relaxed);
    }

    /// The callable runs at `tier` now.
    pub(crate) fn runs_at(&self, tier: Tier) {
        self.tier.store(tier as u8, Ordering::Relaxed);
    }

    /// A guard failed.
    pub(crate) fn count_deopt(&self) {
        bump(&self.deopts);
    }

    /// Code of `tier` has been published.
    pub(crate) fn count_compiled(&self, tier: Tier, timings: &Timings) {
        self.compiled[tier as usize].fetch_add(1, Ordering::Relaxed);
        self.compile_ns
            .fetch_add(timings.total().as_nanos() as u64, Ordering::Relaxed);
        self.code_bytes
            .fetch_add(timings.bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn reject(&self, reason: &'static str) {
        let _ = self.rejected.set(reason);
    }

    /// Counts a call down; the way to time it when it is its turn. Under the interpreter lock.
    ///
    /// Turns become ever fewer, down to one in 1024 calls. Each is three calls in a row, the last of
    /// which counts: the others bring the code that is timed, and that which times, into the
    /// processor's caches. Every fourth turn is the host's, unless the host is the only way.
    pub fn turn(&self) -> Option<Turn> {
        let left = self.countdown.load(Ordering::Relaxed) - 1;
        self.countdown.store(left, Ordering::Relaxed);
        if left >= 0 {
            return None;
        }
        let taken = self.taken.load(Ordering::Relaxed);
        if taken == 0 {
            // The first call of all.
            self.taken.store(1, Ordering::Relaxed);
            self.countdown.store(0, Ordering::Relaxed);
            return None;
        }
        let warm = self.warm.load(Ordering::Relaxed);
        let is_host = self.rejected.get().is_none() && taken % 4 == 3;
        if warm < WARM_CALLS {
            self.warm.store(warm + 1, Ordering::Relaxed);
            self.countdown.store(0, Ordering::Relaxed);
            return Some(if is_host {
                Turn::HostWarm
            } else {
                Turn::OwnWarm
            });
        }
        self.warm.store(0, Ordering::Relaxed);
        self.taken.store(taken.saturating_add(1), Ordering::Relaxed);
        self.countdown.store(stride(taken) - 1, Ordering::Relaxed);
        Some(match is_host {
            true => Turn::Host,
            false => Turn::Own(self.stretch(taken - 1) + u64::from(WARM_CALLS)),
        })
    }

    /// Calls since the last turn.
    pub(super) fn untimed(&self) -> u64 {
        let taken = self.taken.load(Ordering::Relaxed);
        let left = self.countdown.load(Ordering::Relaxed);
        let warm = i32::from(self.warm.load(Ordering::Relaxed));
        let Some(last) = taken.checked_sub(1) else {
            return 0;
        };
        let to_come = i64::from(left) + 1 - i64::from(warm);
        u64::try_from(self.stretch(last) as i64 - to_come).unwrap_or(0)
    }

    /// Calls after turn `last`. When that was the host's, those before it count with them: it stands
    /// for itself alone. So does the first of all calls, which is never timed.
    fn stretch(&self, last: u32) -> u64 {
        let before = match self.rejected.get().is_none() && last % 4 == 3 {
            true => stride(last - 1) + i32::from(WARM_CALLS),
            false => i32::from(last == 0),
        };
        (stride(last) + before) as u64
    }

    /// Keeps what a timed call took.
    pub fn sampled(&self, sample: &Sample) {
        let mut samples = lock(&self.samples);
        let samples = samples.get_or_insert_default();
        let keep = |times: &mut Vec<u64>, nanos: u128| {
            if times.len() == KEPT {
                times.remove(0);
            }
            times.push(nanos as u64);
        };
        match (sample.tier, sample.native) {
            (Some(tier), Some(native)) => {
                let binding = sample.total.saturating_sub(native);
                keep(&mut samples.times[tier as usize], binding.as_nanos());
                keep(&mut samples.native, native.as_nanos());
            }
            (Some(_), None) => {}
            (None, _) => keep(&mut samples.times[HOST], sample.total.as_nanos()),
        }
    }

    /// What is counted at this moment.
    pub(super) fn row(&self) -> Row {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let samples = lock(&self.samples);
        let measured = |index: usize| median(&samples.as_ref()?.times[index]);
        Row {
            name: self.name.to_string(),
            calls: [0, 1, 2].map(|tier: usize| read(&self.calls[tier])),
            host: read(&self.host),
            handed: std::array::from_fn(|why| read(&self.handed[why])),
            deopts: read(&self.deopts),
            tier: self.tier.load(Ordering::Relaxed),
            parameters: self.parameters.load(Ordering::Relaxed),
            compiled: [0, 1, 2].map(|tier: usize| read(&self.compiled[tier])),
            compile_ns: read(&self.compile_ns),
            code_bytes: read(&self.code_bytes),
            rejected: self.rejected.get().copied(),
            binding: [0, 1, 2].map(measured),
            host_binding: samples.as_ref().and_then(|samples| samples.host_binding()),
        }
    }
}

/// Calls from the end of a turn to the first that may be of the next.
fn stride(turn: u32) -> i32 {
    (1 << turn.min(30)).min(LONGEST_STRIDE)
}

/// One writer at a time, so no locked instruction is needed.
fn bump(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

fn median(times: &[u64]) -> Option<u64> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

/// [`Tally`] at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Row {
    pub name: String,
    /// Native calls per tier.
    pub calls: [u64; 3],
    /// Calls that went to the host's own invocation.
    pub host: u64,
    /// Those of them that have come back, by reason (`Handed`).
    pub handed: [u64; Handed::ALL.len()],
    pub deopts: u64,
    /// The tier that it runs at; of no meaning when it is rejected.
    pub tier: u8,
    pub parameters: u32,
    /// Published compilations per tier.
    pub compiled: [u64; 3],
    pub compile_ns: u64,
    /// Bytes of code made for it, withdrawn code included.
    pub code_bytes: u64,
    pub rejected: Option<&'static str>,
    /// Measured nanoseconds of a call beside its native function, per tier.
    pub binding: [Option<u64>; 3],
    /// The same of a call by the host's own invocation.
    pub host_binding: Option<u64>,
}

/// Nanoseconds that a call takes beside its native function, and those that each parameter adds: for
/// the host, tier 0, tier 1 and tier 2. Rounded from calls with none to three plain arguments on one
/// machine (November 2026, a two-core x86-64 virtual machine, CPython 3.11, PyGObject 3.42). Another
/// machine differs by a factor, which is why the statistics call the result an estimate.
const REFERENCE: [(u64, u64); 4] = [(220, 75), (180, 30), (35, 12), (25, 10)];

impl Row {
    /// All calls.
    pub fn total(&self) -> u64 {
        self.calls.iter().sum::<u64>() + self.host
    }

    /// Whether [`Row::saved_ns`] rests on calls of this very callable that were timed.
    pub fn is_measured(&self) -> bool {
        self.host_binding.is_some()
    }

    /// Estimated nanoseconds that the host's own invocation would have taken longer for the calls
    /// that ran natively.
    pub fn saved_ns(&self) -> i64 {
        let reference = |(base, more): (u64, u64)| base + more * u64::from(self.parameters);
        let measured = self.is_measured();
        let host = self.host_binding.unwrap_or(reference(REFERENCE[0])) as i64;
        (0..3)
            .map(|tier| {
                let own = match self.binding[tier] {
                    Some(own) if measured => own,
                    _ => reference(REFERENCE[1 + tier]),
                };
                self.calls[tier] as i64 * (host - own as i64)
            })
            .sum()
    }
}
