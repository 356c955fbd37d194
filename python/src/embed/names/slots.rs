//! The slots of a proxy, which PyGObject from 3.52 on has: the module behind it, and the deprecated
//! names, which it warns of at each look-up.
//!
//! Where they are is found by their values in the memory of a proxy. Only read here; both keep what
//! they hold alive for as long as nobody sets them.

use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyModule;

/// What the slots of one proxy hold, borrowed.
pub struct Slots {
    pub module: *mut ffi::PyObject,
    /// A dict.
    pub deprecations: *mut ffi::PyObject,
}

/// Offsets of both in a proxy; 0 where proxies have none.
static MODULE: AtomicUsize = AtomicUsize::new(0);
static DEPRECATIONS: AtomicUsize = AtomicUsize::new(0);

/// Finds the slots of `proxy`, which all proxies then have.
pub fn find(proxy: &Bound<'_, PyModule>) -> PyResult<()> {
    let class = proxy.get_type();
    let place = |name: &str| -> PyResult<usize> {
        if class.getattr(name)?.get_type().name()? != "member_descriptor" {
            return Ok(0);
        }
        let value = proxy.getattr(name)?;
        // SAFETY: a proxy has as many bytes as its class says; they are read as words.
        let found = unsafe {
            let words = proxy.as_ptr().cast::<*mut ffi::PyObject>();
            let size = (*class.as_type_ptr()).tp_basicsize as usize / size_of::<usize>();
            (0..size).find(|&word| *words.add(word) == value.as_ptr())
        };
        Ok(found.map_or(0, |word| word * size_of::<usize>()))
    };
    let (module, deprecations) = (place("_introspection_module")?, place("_deprecations")?);
    if module != 0 && deprecations != 0 {
        MODULE.store(module, Ordering::Relaxed);
        DEPRECATIONS.store(deprecations, Ordering::Relaxed);
    }
    Ok(())
}

/// The slots of `proxy`; `None` where it has none, or not both in use.
///
/// # Safety
/// A proxy; the interpreter lock is held.
pub unsafe fn of(proxy: *mut ffi::PyObject) -> Option<Slots> {
    let (module, deprecations) = (
        MODULE.load(Ordering::Relaxed),
        DEPRECATIONS.load(Ordering::Relaxed),
    );
    if module == 0 {
        return None;
    }
    // SAFETY: the caller's; `find` has found such places in proxies. An empty slot is NULL.
    unsafe {
        let read = |place| *proxy.byte_add(place).cast::<*mut ffi::PyObject>();
        let slots = Slots {
            module: read(module),
            deprecations: read(deprecations),
        };
        let whole = !slots.module.is_null()
            && !slots.deprecations.is_null()
            && ffi::PyDict_CheckExact(slots.deprecations) != 0;
        whole.then_some(slots)
    }
}
