//! From a callable object to a plan that runs, and the process-wide state behind that.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::ffi;

use crate::callable::object::{fields, tail, types};
use crate::callable::{base, entry};

/// The resolved half of a callable object.
pub struct State {
    deprecated: bool,
}

impl State {
    /// The typelib says that the callable is deprecated.
    pub fn deprecated(&self) -> bool {
        self.deprecated
    }
}

/// Rejected callables by reason.
static REJECTIONS: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());

/// Calls that went to PyGObject's own invocation.
static PYGOBJECT_CALLS: AtomicU64 = AtomicU64::new(0);

/// Finds out how `callable` can be called, once, and sets its slot. `None` when it is rejected.
///
/// # Safety
/// `callable` is one of ours, unbound; the interpreter lock is held.
pub unsafe fn resolve<'a>(callable: *mut ffi::PyObject) -> Option<&'a State> {
    // SAFETY: the caller's.
    unsafe {
        let tail = tail(callable);
        let name = (types().infos.info_name)(fields(callable).info);
        let name = CStr::from_ptr(name).to_string_lossy().into_owned();
        REJECTIONS
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .entry("no reader".to_owned())
            .or_default()
            .push(name);
        tail.slot.store(
            entry::pygobject_call as *const () as usize,
            Ordering::Release,
        );
        tail.state.load(Ordering::Relaxed).as_ref()
    }
}

/// Calls `callable` through PyGObject and counts it.
///
/// # Safety
/// As [`base::invoke`].
pub unsafe fn call_pygobject(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    PYGOBJECT_CALLS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the caller's.
    unsafe { base::invoke(callable, args, nargsf, kwnames) }
}
