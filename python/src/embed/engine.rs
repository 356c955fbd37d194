//! From a callable object to one that runs, and the process-wide state behind that.
//!
//! A callable is resolved at its first call: signature, plan, linked plan, tier 0. What cannot be
//! planned is *rejected*: its slot goes to PyGObject, and the reason is kept for the user.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gijit::code::CodeMemory;
use gijit::code::announce::Announcer;
use gijit::compile::Compiler;
use gijit::config::Config;
use gijit::dispatch::{Callable, Tier, seen};
use gijit::plan::link::{Linked, Runtime};
use gijit::plan::reject::Reason;
use gijit::signature::girepository::Info;
use gijit::signature::read::TypeSystem;
use gijit::stats::{Handed, Tally};
use gijit::{stats, trace};
use gijit_interp::{Arguments, Interpreter, Outcome};
use pyo3::ffi;
use pyo3::prelude::*;

use super::profile::Profile;
use super::rejection::Rejection;
use super::{debugger, host, sample};
use crate::callable::info::fields;
use crate::callable::object::{Tail, lacks_instance, tail, types};
use crate::callable::{base, entry};
use crate::marshal;

/// The resolved half of a callable object.
pub struct State {
    pub core: Arc<Callable>,
    /// Where tiers are published while calls are timed: the object's own slot holds
    /// `sampled_call` then.
    _shadow: Option<Box<AtomicUsize>>,
    /// The tier that an earlier run came to: it is compiled after the first call. 0: none, or done.
    warm: AtomicU8,
    interpreter: Interpreter,
}

impl Drop for State {
    fn drop(&mut self) {
        self.core.detach();
    }
}

/// The process-wide state.
pub struct Engine {
    pub config: Arc<Config>,
    pub compiler: &'static Compiler,
    pub type_system: TypeSystem,
    runtime: Runtime,
    code: Arc<CodeMemory>,
    /// Whether calls are counted.
    counting: bool,
    /// Whether some calls are timed.
    sampling: bool,
    /// Whether it has to be known which callables were called.
    listing: bool,
    pub profile: Option<Profile>,
    /// While calls are counted or timed: the tallies of the rejected callables, by address.
    rejected: Mutex<HashMap<usize, &'static Tally>>,
    /// Rejected callables by reason.
    rejections: Mutex<BTreeMap<Reason, Vec<String>>>,
}

static ENGINE: OnceLock<Engine> = OnceLock::new();

/// The engine; exists before any callable does.
pub fn engine() -> &'static Engine {
    ENGINE
        .get()
        .expect("the engine is started before callables are made")
}

/// Reads the configuration and starts the engine, once per process. `plugin` is where the LLVM
/// tier's library is to be found when it is needed.
///
/// # Errors
/// One line, when this process cannot be served.
pub fn start(py: Python<'_>, plugin: PathBuf) -> Result<&'static Engine, String> {
    if let Some(engine) = ENGINE.get() {
        return Ok(engine);
    }
    let (config, warnings) = Config::from_env();
    for warning in warnings {
        trace::warn(&warning.to_string());
    }
    if let Err(error) = trace::install(&config) {
        trace::warn(&error);
    }
    let config = Arc::new(config);
    let type_system = host::type_system()?;
    marshal::prepare(py)?;
    let sampling = config.trace.has("sample");
    let runtime = match sampling {
        true => sample::runtime(),
        false => marshal::runtime(),
    };
    let announcer = Announcer::new(config.perf, debugger::interfaces());
    let code = Arc::new(CodeMemory::announced(config.code_limit, announcer));
    let setup = host::setup(py, Arc::clone(&config), runtime, Arc::clone(&code), plugin);
    let compiler = Compiler::new(setup);
    compiler.handle_forks();
    Ok(ENGINE.get_or_init(|| Engine {
        counting: config.counts_calls(),
        listing: config.lists_callables(),
        sampling,
        rejected: Mutex::default(),
        profile: config.profile.as_ref().map(Profile::load),
        config,
        compiler,
        type_system,
        runtime,
        code,
        rejections: Mutex::default(),
    }))
}

impl Engine {
    /// The callables rejected so far, by reason.
    pub fn rejections(&self) -> BTreeMap<Reason, Vec<String>> {
        self.lock_rejections().clone()
    }

    /// Bytes of machine code that exist.
    pub fn code_bytes(&self) -> usize {
        self.code.live_bytes()
    }

    fn lock_rejections(&self) -> std::sync::MutexGuard<'_, BTreeMap<Reason, Vec<String>>> {
        self.rejections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The tally of a rejected callable.
    pub fn rejected_tally(&self, callable: *mut ffi::PyObject) -> Option<&'static Tally> {
        let rejected = self.rejected.lock();
        let rejected = rejected.unwrap_or_else(PoisonError::into_inner);
        rejected.get(&(callable as usize)).copied()
    }

    fn reject(&self, callable: *mut ffi::PyObject, rejection: &Rejection) {
        if self.counting || self.sampling {
            let rejected = self.rejected.lock();
            let mut rejected = rejected.unwrap_or_else(PoisonError::into_inner);
            // An address that was another callable's before is this one's now.
            rejected.insert(callable as usize, stats::tally(&*rejection.name));
        }
        stats::count_rejection(&rejection.name, rejection.reason.id(), &rejection.detail);
        let mut rejections = self.lock_rejections();
        let names = rejections.entry(rejection.reason).or_default();
        names.push(rejection.name.clone());
    }
}

/// Finds out how `callable` can be called, once, and sets its slot. `None` when it is rejected.
///
/// # Errors
/// See [`Rejection::raised`].
///
/// # Safety
/// `callable` is one of ours, unbound, and outlives the result; the interpreter lock is held.
pub unsafe fn resolve<'a>(callable: *mut ffi::PyObject) -> Result<Option<&'a State>, PyErr> {
    // SAFETY: the caller's.
    let (tail, info): (&'a Tail, Info) = unsafe { (tail(callable), fields(callable).info) };
    if tail.slot.load(Ordering::Relaxed) == entry::first_call as *const () as usize {
        // SAFETY: as above. Linking may import modules and so run Python, which may call
        // `callable` again: then this resolves it twice, and the second result is dropped below.
        let resolved = catch_unwind(AssertUnwindSafe(|| unsafe { host::link(info) }))
            .unwrap_or_else(|panic| {
                Err(Rejection {
                    // SAFETY: as above.
                    name: unsafe { types().repository.name(info) }.into_owned(),
                    reason: Reason::Defect,
                    detail: entry::panic_text(panic.as_ref()).to_owned(),
                    raised: None,
                })
            })
            .and_then(|(linked, deprecated)| {
                let interpreter = interpreter(&linked)?;
                Ok((linked, deprecated, interpreter))
            });
        if !tail.state.load(Ordering::Relaxed).is_null() {
            // SAFETY: states are freed by the object's deallocation only.
            return Ok(unsafe { tail.state.load(Ordering::Relaxed).as_ref() });
        }
        match resolved {
            Ok((linked, deprecated, interpreter)) => {
                let tier0 = entry::tier0_call as *const () as usize;
                let first = match deprecated {
                    true => entry::deprecated_call as *const () as usize,
                    false => first_entry(tier0),
                };
                tail.slot.store(first, Ordering::Release);
                let shadow = engine().sampling.then(|| Box::new(AtomicUsize::new(tier0)));
                let target: *const AtomicUsize = shadow.as_deref().unwrap_or(&tail.slot);
                // SAFETY: the slot, or its shadow, lives as long as the object, whose deallocation drops the
                // state, which detaches; callers of a slot hold the object and the lock.
                let core = unsafe { Callable::new(linked, target, tier0) };
                if engine().listing {
                    // Listed from now on.
                    core.tally();
                }
                let profile = engine().profile.as_ref();
                let warm = profile.and_then(|profile| profile.resolved(&core));
                let state = State {
                    warm: AtomicU8::new(warm.map_or(0, |tier| tier as u8)),
                    core,
                    _shadow: shadow,
                    interpreter,
                };
                tail.state
                    .store(Box::into_raw(Box::new(state)), Ordering::Relaxed);
            }
            Err(Rejection {
                raised: Some(raised),
                ..
            }) => return Err(*raised),
            Err(rejection) => {
                engine().reject(callable, &rejection);
                let pygobject = match engine().sampling {
                    true => entry::sampled_pygobject_call as *const () as usize,
                    false => entry::pygobject_call as *const () as usize,
                };
                tail.slot.store(pygobject, Ordering::Release);
            }
        }
    }
    // SAFETY: as above.
    Ok(unsafe { tail.state.load(Ordering::Relaxed).as_ref() })
}

/// What the slot of a resolved callable holds whose tier is entered at `entry`.
fn first_entry(entry: usize) -> usize {
    match engine().sampling {
        true => entry::sampled_call as *const () as usize,
        false => entry,
    }
}

fn interpreter(linked: &Linked) -> Result<Interpreter, Rejection> {
    Interpreter::new(linked).map_err(|detail| Rejection {
        name: linked.plan.name.to_string(),
        reason: Reason::Defect,
        detail,
        raised: None,
    })
}

/// The very first call: resolves and enters. One without an instance leaves everything as it is.
///
/// # Safety
/// As [`base::invoke`]; `callable` is unbound.
pub unsafe fn first_call(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's; resolving has put another function into the slot.
    unsafe {
        // What is listed is known by its name, which resolving finds out.
        if !engine().listing && lacks_instance(callable, args, nargsf) {
            return base::invoke(callable, args, nargsf, kwnames);
        }
        match resolve(callable) {
            Ok(_) => entry::enter(callable, args, nargsf, kwnames),
            Err(raised) => Python::attach(|py| {
                raised.restore(py);
                std::ptr::null_mut()
            }),
        }
    }
}

/// The first call of a deprecated callable. PyGObject warns when it builds its own invocation
/// cache, so this call is its. The cache stays: a later bail-out does not warn again.
///
/// # Safety
/// As [`base::invoke`]; `callable` has been resolved.
pub unsafe fn first_deprecated_call(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's; see `call_tier0`.
    unsafe {
        let tail = tail(callable);
        let state = &*tail.state.load(Ordering::Relaxed);
        // A higher tier that was published in the meantime stays.
        let deprecated = entry::deprecated_call as *const () as usize;
        let _ = tail.slot.compare_exchange(
            deprecated,
            first_entry(state.core.entry()),
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
        call_pygobject(callable, args, nargsf, kwnames, Handed::Deprecated)
    }
}

/// One call at tier 0.
///
/// # Safety
/// As [`base::invoke`]; `callable` has been resolved.
pub unsafe fn call_tier0(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's. A resolved callable has a state, which lives as long as it.
    unsafe {
        let engine = engine();
        let state = &*tail(callable).state.load(Ordering::Relaxed);
        let core = &state.core;
        note_shape(core, nargsf, kwnames);
        // One writer at a time: the interpreter lock is held.
        let budget = &core.header.budget;
        let left = budget.load(Ordering::Relaxed).wrapping_sub(1);
        budget.store(left, Ordering::Relaxed);
        if left <= 0 {
            note_instance(core, args, nargsf);
            let before = core.tier();
            engine.compiler.on_budget(core);
            if before == Tier::Zero && core.tier() > Tier::Zero {
                return entry::enter_at(core.entry(), callable, args, nargsf, kwnames);
            }
        }
        let outcome = state.interpreter.invoke(
            &core.linked,
            &engine.runtime,
            &core.profile,
            Arguments {
                args: args.cast(),
                nargsf,
                kwnames: kwnames.cast(),
            },
        );
        match outcome {
            Outcome::Done(result) => {
                if left <= 0 {
                    warm_up(state);
                }
                if engine.counting {
                    core.tally().count_call(Tier::Zero);
                }
                result.cast()
            }
            Outcome::Bail => call_pygobject(callable, args, nargsf, kwnames, Handed::Unusual),
        }
    }
}

/// After a call: asks for what an earlier run has come to, once. The types of the arguments are in
/// the profile now.
fn warm_up(state: &State) {
    let tier = match state.warm.swap(0, Ordering::Relaxed) {
        0 => return,
        1 => Tier::One,
        _ => Tier::Two,
    };
    let engine = engine();
    let tier = tier.min(engine.config.max_tier);
    if tier > state.core.tier() {
        engine.compiler.request(&state.core, tier);
    }
}

/// Calls `callable` through PyGObject and counts it, for `why` if it does not raise.
///
/// # Safety
/// As [`base::invoke`].
pub unsafe fn call_pygobject(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
    why: Handed,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's; see `call_tier0`.
    unsafe {
        let mut tally = None;
        if engine().counting {
            tally = match tail(callable).state.load(Ordering::Relaxed).as_ref() {
                Some(state) => Some(state.core.tally()),
                None => engine().rejected_tally(callable),
            };
        }
        if let Some(tally) = tally {
            tally.count_host();
        }
        let result = base::invoke(callable, args, nargsf, kwnames);
        if let Some(tally) = tally {
            tally.count_handed(match result.is_null() {
                true => Handed::Raised,
                false => why,
            });
        }
        result
    }
}

/// Emitted code has used its budget up.
///
/// # Safety
/// `callable` has been resolved; the interpreter lock is held.
pub unsafe fn promote(callable: *mut ffi::PyObject) {
    // SAFETY: the caller's; see `call_tier0`.
    let state = unsafe { &*tail(callable).state.load(Ordering::Relaxed) };
    engine().compiler.on_budget(&state.core);
}

/// A guard has failed: learns from the arguments and enters the tier below.
///
/// # Safety
/// As [`base::invoke`]; `callable` has been resolved.
pub unsafe fn deopt(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's; see `call_tier0`. The entry is a vectorcall (`Callable::publish`).
    unsafe {
        let state = &*tail(callable).state.load(Ordering::Relaxed);
        let core = &state.core;
        note_shape(core, nargsf, kwnames);
        let before = core.snapshot();
        let given = (ffi::PyVectorcall_NARGS(nargsf) as usize).saturating_sub(core.linked.skip());
        for (index, profile) in core.profile.iter().take(given).enumerate() {
            let value = *args.add(core.linked.skip() + index);
            marshal::note(value.cast(), profile);
        }
        if before == core.snapshot() {
            // The types are known, so a value was unusual; which one is not worth more code.
            for profile in &core.profile {
                profile.seen.fetch_or(seen::UNUSUAL, Ordering::Relaxed);
            }
        }
        engine().compiler.on_guard_failure(core);
        let below = core.header.entries[Tier::One as usize].load(Ordering::Acquire);
        entry::enter_at(below, callable, args, nargsf, kwnames)
    }
}

/// Remembers what a virtual function is called on, before anything is compiled.
///
/// # Safety
/// As [`base::invoke`], for the callable that `core` belongs to.
unsafe fn note_instance(core: &Callable, args: *const *mut ffi::PyObject, nargsf: usize) {
    let Some(param) = core.linked.instance() else {
        return;
    };
    let index = core.linked.skip() + param;
    // SAFETY: the caller's; so many arguments are given by position.
    unsafe {
        if index < ffi::PyVectorcall_NARGS(nargsf) as usize
            && let Some(gtype) = marshal::instance_type(*args.add(index))
        {
            core.note_instance(gtype);
        }
    }
}

/// Remembers when a call does not give all arguments by position.
fn note_shape(core: &Callable, nargsf: usize, kwnames: *mut ffi::PyObject) {
    // SAFETY: it only masks a bit out.
    let given = unsafe { ffi::PyVectorcall_NARGS(nargsf) } as usize;
    let linked = &core.linked;
    let fits = match linked.plan.rest.is_some() {
        true => given >= linked.positional(),
        false => given == linked.positional(),
    };
    if !kwnames.is_null() || !fits {
        core.header.general.store(1, Ordering::Relaxed);
    }
}
