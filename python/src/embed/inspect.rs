//! What the package shows of callables and of the process: tiers, listings, counters.

use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use gijit::compile::backend::Listing;
use gijit::compile::{Asked, Survey};
use gijit::dispatch::{Callable, Tier, policy, seen};
use gijit::error::CompileError;
use gijit::ir;
use gijit::plan::build::build;
use gijit::plan::reject::Reason;
use gijit::plan::words::words;
use gijit::signature::{Bindings, CallableKind, Signature};
use gijit::stats::{Stats, totals};
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyType};

use super::engine::{State, engine, resolve};
use super::host;
use crate::callable::entry;
use crate::callable::info::fields;
use crate::callable::object::{is_ours, is_stock, tail, types};

/// How deep wrappers are followed to the callable inside.
const WRAPPERS: usize = 8;

/// What a Python object stands for.
enum Target<'py> {
    /// One of ours, unbound.
    Ours(Bound<'py, PyAny>),
    /// PyGObject's own.
    Stock,
}

/// Follows binding, `classmethod` and `functools.wraps` to a callable of a GObject library.
fn find<'py>(object: &Bound<'py, PyAny>) -> PyResult<Target<'py>> {
    let mut inner = object.clone();
    for _ in 0..WRAPPERS {
        // SAFETY: a valid object, and the interpreter lock is held; `fields` only sees a
        // FunctionInfo, whose bound fields it keeps alive.
        unsafe {
            if is_ours(types(), inner.as_ptr()) {
                return Ok(Target::Ours(match types().kind.bound(inner.as_ptr()) {
                    None => inner,
                    Some(fields) => Bound::from_borrowed_ptr(object.py(), fields.unbound),
                }));
            }
            if is_stock(types(), inner.as_ptr()) {
                return Ok(match types().kind.bound(inner.as_ptr()) {
                    Some(fields) if is_ours(types(), fields.unbound) => {
                        Target::Ours(Bound::from_borrowed_ptr(object.py(), fields.unbound))
                    }
                    _ => Target::Stock,
                });
            }
        }
        let next = ["__func__", "__wrapped__"]
            .iter()
            .find_map(|name| inner.getattr(*name).ok());
        match next {
            Some(next) => inner = next,
            None => break,
        }
    }
    // Virtual functions and the like.
    if inner.hasattr("get_container")? {
        return Ok(Target::Stock);
    }
    Err(no_callable(object))
}

/// A TypeError that says what `object` is instead of a callable of a GObject library.
fn no_callable(object: &Bound<'_, PyAny>) -> PyErr {
    let text = |name| {
        object
            .getattr(name)
            .and_then(|text| text.extract::<String>())
    };
    let kind = object.get_type();
    let kind = kind
        .name()
        .map_or_else(|_| "object".to_owned(), |name| name.to_string());
    let what = match text("__qualname__").or_else(|_| text("__name__")) {
        Ok(name) if object.is_instance_of::<PyType>() => format!("{name}, a class,"),
        Ok(name) => format!("{name}, a {kind},"),
        Err(_) => format!("a {kind}"),
    };
    let hint = match text("__module__") {
        _ if object.is_instance_of::<PyType>() => "; name one of its methods",
        Ok(module) if module.starts_with("gi.overrides") => {
            ": it is Python code of PyGObject's, and gijit compiles what that calls"
        }
        _ => "",
    };
    PyTypeError::new_err(format!("{what} is no callable of a GObject library{hint}"))
}

/// The resolved state of one of ours; `None` when it is rejected.
fn state<'a>(callable: &'a Bound<'_, PyAny>) -> Option<&'a State> {
    // SAFETY: unbound and ours (`find`), kept alive by `callable`; the interpreter lock is held.
    // An import that raised is tried again, as the next call would.
    unsafe { resolve(callable.as_ptr()).or_else(|_| resolve(callable.as_ptr())) }
        .ok()
        .flatten()
}

fn compile_error(py: Python<'_>, message: &str) -> PyErr {
    let class = py
        .import("gijit")
        .and_then(|package| package.getattr("CompileError"));
    match class {
        Ok(class) => match class.call1((message,)) {
            Ok(error) => PyErr::from_value(error),
            Err(error) => error,
        },
        Err(error) => error,
    }
}

/// Why `callable`, one of ours, is rejected.
fn rejection(callable: &Bound<'_, PyAny>) -> String {
    // SAFETY: ours, so a FunctionInfo; the interpreter lock is held.
    match unsafe { host::link(fields(callable.as_ptr()).info) } {
        Err(rejection) => rejection.to_string(),
        Ok(_) => "libffi cannot describe the call".to_owned(),
    }
}

/// The core's half of `object`, or a CompileError that says why there is none.
fn core<'py>(object: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Arc<Callable>)> {
    let py = object.py();
    match find(object)? {
        Target::Stock => Err(compile_error(
            py,
            "it is PyGObject's own: gijit is not installed, or it was taken from PyGObject before that",
        )),
        Target::Ours(callable) => match state(&callable).map(|state| Arc::clone(&state.core)) {
            Some(core) => Ok((callable, core)),
            None => Err(compile_error(py, &rejection(&callable))),
        },
    }
}

/// See `gijit.tier`.
#[pyfunction]
fn tier(callable: &Bound<'_, PyAny>) -> PyResult<i32> {
    Ok(match find(callable)? {
        Target::Stock => -1,
        Target::Ours(callable) => match state(&callable) {
            Some(state) => state.core.tier() as i32,
            None => -1,
        },
    })
}

/// See `gijit.promote`.
#[pyfunction]
fn promote(callable: &Bound<'_, PyAny>, tier: &Bound<'_, PyAny>) -> PyResult<()> {
    let wanted = match tier.extract::<i64>() {
        Ok(0) => Tier::Zero,
        Ok(1) => Tier::One,
        Ok(2) => Tier::Two,
        Err(error) if !error.is_instance_of::<PyOverflowError>(tier.py()) => return Err(error),
        Ok(_) | Err(_) => return Err(PyValueError::new_err("tier must be 0, 1 or 2")),
    };
    let (ours, core) = core(callable)?;
    if wanted == Tier::Zero {
        return Ok(());
    }
    // SAFETY: ours, kept alive by `ours`; the interpreter lock is held.
    let slot = unsafe { &tail(ours.as_ptr()).slot };
    let before = slot.load(Ordering::Acquire);
    let compiled = engine().compiler.compile_now(&core, wanted);
    if before == entry::deprecated_call as *const () as usize {
        // The warning is still due. The call that gives it then puts in what was published.
        slot.store(before, Ordering::Release);
    }
    compiled.map_err(|error| compile_error(callable.py(), &error.to_string()))
}

/// See `gijit.stats`.
#[pyfunction]
fn stats<'py>(py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
    let text = Stats::now(engine().code_bytes()).json();
    Ok(py
        .import("json")?
        .call_method1("loads", (text,))?
        .cast_into()?)
}

/// Native calls at tiers 0, 1 and 2, and PyGObject's, so far: `stats()["calls"]` in a microsecond,
/// for tests that ask after each call.
#[pyfunction]
fn calls() -> [u64; 4] {
    totals()
}

/// See `gijit.rejections`.
#[pyfunction]
fn rejections<'py>(py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (reason, names) in engine().rejections() {
        dict.set_item(reason.id(), names)?;
    }
    Ok(dict)
}

/// See `gijit.flush`.
#[pyfunction]
fn flush(py: Python<'_>) {
    py.detach(|| engine().compiler.flush());
}

/// Ends compilation and writes what the configuration asks for. Called when the program ends.
#[pyfunction]
fn shutdown(py: Python<'_>) {
    let engine = engine();
    py.detach(|| engine.compiler.shutdown());
    if let Some(profile) = &engine.profile {
        profile.save();
    }
    py.detach(|| {
        if engine.config.trace.has("sample") {
            Stats::trace_untimed();
        }
        Stats::now(engine.code_bytes()).report(&engine.config);
    });
}

/// See `gijit.explain`.
#[pyfunction]
fn explain(callable: &Bound<'_, PyAny>, stage: &str) -> PyResult<String> {
    let py = callable.py();
    if !STAGES.contains(&stage) {
        return Err(PyValueError::new_err(format!(
            "stage must be one of {}",
            STAGES.join(", ")
        )));
    }
    let target = find(callable)?;
    if let (Target::Ours(ours), "signature" | "plan" | "words") = (&target, stage) {
        return signature_or_plan(ours, stage);
    }
    if let (Target::Ours(ours), "summary") = (&target, stage) {
        return summary(ours);
    }
    let (_keep, core) = core(callable)?;
    let compiler = engine().compiler;
    let compiled = core.tier().max(Tier::One);
    let listing = |tier, what| {
        py.detach(|| compiler.list(&core, tier, what))
            .map_err(|error: CompileError| compile_error(py, &error.to_string()))
    };
    match stage {
        "ir" => compiler
            .lowered(&core, compiled)
            .map(|function| ir::text::print(&function, false))
            .map_err(|error| compile_error(py, &error.to_string())),
        "clif" => listing(Tier::One, Listing::Ir),
        "llvm" => listing(Tier::Two, Listing::Ir),
        "asm" => listing(compiled, Listing::Asm),
        "profile" => Ok(profile(&core)),
        "tier" => Ok(standing(&core)),
        _ => Ok(py.detach(|| compiler.interpreter_lock(&core)).to_string()),
    }
}

const STAGES: [&str; 11] = [
    "summary",
    "words",
    "tier",
    "signature",
    "plan",
    "ir",
    "clif",
    "llvm",
    "asm",
    "profile",
    "gil",
];

/// These exist for rejected callables too. The typelib is read again: neither is kept.
fn signature_or_plan(callable: &Bound<'_, PyAny>, stage: &str) -> PyResult<String> {
    // SAFETY: ours, so a FunctionInfo; the interpreter lock is held.
    let (signature, bindings) = unsafe { host::signature(fields(callable.as_ptr()).info) };
    if stage == "signature" {
        return Ok(signature_text(&signature, &bindings));
    }
    match build(&signature) {
        Ok(plan) if stage == "words" => Ok(words(&plan)),
        Ok(plan) => Ok(plan.to_string()),
        Err(reject) => Err(compile_error(
            callable.py(),
            &format!("{reject}: {}", reject.reason.text()),
        )),
    }
}

fn standing(core: &Callable) -> String {
    let compiler = engine().compiler;
    policy::standing(core, compiler.config(), |tier| compiler.off(tier))
}

/// What a user wants to know first, under headings.
fn summary(callable: &Bound<'_, PyAny>) -> PyResult<String> {
    let mut text = format!(
        "# Signature\n\n{}",
        signature_or_plan(callable, "signature")?
    );
    let Some(state) = state(callable) else {
        let why = rejection(callable);
        return Ok(text + "\n# Called by PyGObject itself\n\n" + &why + "\n");
    };
    let core = &state.core;
    let lock = callable
        .py()
        .detach(|| engine().compiler.interpreter_lock(core).to_string());
    let arguments = match policy::calls(core) {
        0 => "it has not been called at tiers 0 and 1".to_owned(),
        _ => profile(core),
    };
    for (heading, body) in [
        ("What a call does", words(&core.linked.plan)),
        ("Tier", standing(core)),
        ("Interpreter lock", lock),
        ("Arguments so far", arguments),
    ] {
        text += &format!("\n# {heading}\n\n{}\n", body.trim_end());
    }
    Ok(text)
}

/// What the typelib says, and where the native function is.
pub fn signature_text(signature: &Signature, bindings: &Bindings) -> String {
    format!("{signature}{}\n", reached(signature, bindings))
}

/// Where the native function is in this process.
fn reached(signature: &Signature, bindings: &Bindings) -> String {
    match (signature.kind, bindings.vfunc, bindings.native) {
        (CallableKind::VFunc, Some(place), _) => format!(
            "  found {} bytes into the {} that the first argument names",
            place.offset,
            match place.is_interface {
                true => "interface struct of the class",
                false => "class struct",
            }
        ),
        (CallableKind::VFunc, None, _) => "  not found: there is no such field".to_owned(),
        (_, _, 0) => "  not found: the library does not export it".to_owned(),
        (_, _, address) => format!("  found at {address:#x}"),
    }
}

/// What the arguments of `core` have been, one line each.
pub fn profile(core: &Callable) -> String {
    let mut text = format!(
        "calls {} (at tiers 0 and 1)\ntier {}\nrounds {}\n",
        policy::calls(core),
        core.tier(),
        core.rounds()
    );
    let params = &core.linked.plan.params;
    for (index, (snapshot, param)) in core.snapshot().iter().zip(params).enumerate() {
        let name = param.name.as_deref().unwrap_or("self");
        text += &format!("argument {index} {name}:");
        for ty in snapshot.types.iter().filter(|&&ty| ty != 0) {
            text += &format!(" {}", type_name(*ty));
        }
        for (bit, word) in seen::WORDS {
            if snapshot.seen & bit != 0 {
                text += &format!(" {word}");
            }
        }
        text.push('\n');
    }
    text
}

/// The name of a type that a profile has seen. The interpreter lock is held.
pub fn type_name(ty: usize) -> String {
    // SAFETY: the profile holds type objects that were seen; a type that has died since is not told
    // from a new one, which only makes this text wrong, as static types and the classes of GObject
    // libraries do not die.
    let name = unsafe { CStr::from_ptr((*(ty as *mut ffi::PyTypeObject)).tp_name) };
    name.to_string_lossy().into_owned()
}

/// Why a callable is rejected or None, and whether tiers 0, 1 and 2 can run it.
type Covered = (Option<&'static str>, bool, bool, bool);

/// How many callables `coverage` does between two reports of its progress.
const COVERAGE_STEP: usize = 32;

/// Finds out for each of `callables`, which are ours, what each tier makes of it. Calls
/// `progress(done)` now and then.
#[pyfunction]
fn coverage(callables: &Bound<'_, PyList>, progress: &Bound<'_, PyAny>) -> PyResult<Vec<Covered>> {
    let py = callables.py();
    let mut survey = Survey::new(engine().compiler)?;
    let mut asked = Vec::with_capacity(callables.len());
    for callable in callables.iter() {
        asked.push(match state(&callable) {
            Some(state) => Ok(py.detach(|| {
                let mut ask = |tier| survey.ask(&state.core, tier).ok();
                (ask(Tier::One), ask(Tier::Two))
            })),
            None => {
                // SAFETY: ours (contract with the package), so a FunctionInfo; the lock is held.
                let linked = unsafe { host::link(fields(callable.as_ptr()).info) };
                Err(linked.map_or_else(|rejection| rejection.reason, |_| Reason::Defect))
            }
        });
        if asked.len() % COVERAGE_STEP == 0 {
            progress.call1((asked.len(),))?;
        }
    }
    let answers = py.detach(|| survey.finish());
    let compiles = |asked: Option<Asked>| asked.is_some_and(|asked| answers.of(asked).is_ok());
    Ok(asked
        .into_iter()
        .map(|asked| match asked {
            Ok((one, two)) => (None, true, compiles(one), compiles(two)),
            Err(reason) => (Some(reason.id()), false, false, false),
        })
        .collect())
}

/// Registers the functions of this module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(tier, module)?)?;
    module.add_function(wrap_pyfunction!(promote, module)?)?;
    module.add_function(wrap_pyfunction!(stats, module)?)?;
    module.add_function(wrap_pyfunction!(calls, module)?)?;
    module.add_function(wrap_pyfunction!(rejections, module)?)?;
    module.add_function(wrap_pyfunction!(flush, module)?)?;
    module.add_function(wrap_pyfunction!(shutdown, module)?)?;
    module.add_function(wrap_pyfunction!(explain, module)?)?;
    module.add_function(wrap_pyfunction!(coverage, module)?)
}
