//! What the core asks of Python: the back ends' set-up, and plans with Python's helpers attached.

use std::path::PathBuf;
use std::sync::Arc;

use gijit::code::CodeMemory;
use gijit::compile::backend::{Backend, BackendError};
use gijit::compile::plugin::LlvmPlugin;
use gijit::compile::{BackendFactory, Setup};
use gijit::config::{Config, Stage};
use gijit::plan::build::build;
use gijit::plan::link::{Linked, Runtime};
use gijit::plan::reject::{Reason, Reject};
use gijit::plan::words::words;
use gijit::signature::girepository::Info;
use gijit::signature::read::{TypeSystem, read};
use gijit::signature::{Bindings, Signature};
use gijit::trace;
use gijit_cranelift::CraneliftBackend;
use pyo3::prelude::*;

use super::engine::engine;
use super::inspect;
use super::rejection::Rejection;
use crate::callable::entry;
use crate::callable::object::types;
use crate::glib::glib;
use crate::layout::layout;
use crate::marshal::{self, Unlinked};
use crate::recipes::PythonRecipes;

/// What reading a typelib needs of GObject.
///
/// # Errors
/// The function that is missing.
pub fn type_system() -> Result<TypeSystem, String> {
    glib().map(|glib| TypeSystem {
        fundamental: glib.g_type_fundamental,
    })
}

/// What the compiler of this process is made of. `plugin` is the LLVM tier's library.
pub fn setup(
    py: Python<'_>,
    config: Arc<Config>,
    runtime: Runtime,
    code: Arc<CodeMemory>,
    plugin: PathBuf,
) -> Setup {
    let tier1: BackendFactory = Arc::new(|| {
        executable_memory()?;
        Ok(Box::new(CraneliftBackend::new()?) as Box<dyn Backend>)
    });
    let tier2: BackendFactory = Arc::new(move || {
        executable_memory()?;
        llvm(&plugin)
    });
    Setup {
        config,
        recipes: Arc::new(PythonRecipes::new(layout(py))),
        runtime,
        promote: entry::promote as *const () as usize,
        deopt: entry::deopt as *const () as usize,
        profile_text: inspect::profile,
        code: Box::new(code),
        tier1,
        tier2,
    }
}

/// A process without executable memory needs no back end.
fn executable_memory() -> Result<(), BackendError> {
    CodeMemory::probe().map_err(|error| BackendError::Unavailable(error.to_string()))
}

fn llvm(plugin: &std::path::Path) -> Result<Box<dyn Backend>, BackendError> {
    Ok(Box::new(LlvmPlugin::load(plugin)?))
}

/// What the typelib says about `info`.
///
/// # Safety
/// `info` is a function info of the loaded libgirepository; the interpreter lock is held.
pub unsafe fn signature(info: Info) -> (Signature, Bindings) {
    // SAFETY: the caller's; the interpreter lock is held, as when PyGObject reads.
    unsafe { read(&types().repository, &engine().type_system, info) }
}

/// The plan of `info` with everything that a call needs, and whether it is deprecated.
///
/// # Errors
/// Why PyGObject has to call it.
///
/// # Safety
/// As [`signature`].
pub unsafe fn link(info: Info) -> Result<(Linked, bool), Rejection> {
    // SAFETY: the caller's.
    let (signature, bindings) = unsafe { signature(info) };
    let rejected = |reason, detail| Rejection {
        name: signature.name.to_string(),
        reason,
        detail,
        raised: None,
    };
    if let Some(why) = engine().config.excludes(&signature.name) {
        return Err(rejected(Reason::NotSelected, why.to_owned()));
    }
    let because = |Reject { reason, place }| rejected(reason, place);
    let dump = |stage, text: &dyn Fn() -> String| {
        trace::dump(&engine().config, &signature.name, stage, "", text);
    };
    dump(Stage::Signature, &|| {
        inspect::signature_text(&signature, &bindings)
    });
    let plan = build(&signature).map_err(because)?;
    dump(Stage::Words, &|| words(&plan));
    dump(Stage::Plan, &|| plan.to_string());
    let repository = &types().repository;
    let linked = Python::attach(|py| marshal::link(py, repository, plan, &bindings));
    match linked {
        Ok(linked) => Ok((linked, signature.deprecated)),
        Err(Unlinked::Reject(reject)) => Err(because(reject)),
        Err(Unlinked::Raised(raised)) => Err(Rejection {
            raised: Some(Box::new(raised)),
            ..rejected(Reason::Unresolved, String::new())
        }),
    }
}
