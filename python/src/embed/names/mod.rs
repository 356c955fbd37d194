//! Attribute look-ups on namespaces, such as `GLib.random_int`.
//!
//! PyGObject has two kinds of namespace objects. An `IntrospectionModule` keeps what it has resolved
//! in its own dict. A namespace with overrides is an `OverridesProxyModule` in front of one: what its
//! dict does not have goes through an `AttributeError` and a `__getattr__` in Python. [`quicken`]
//! gives the classes of both a `tp_getattro` that looks into the same dicts, in the same order,
//! without that detour, and hands everything else to the one that was there. `memory` remembers what
//! a look-up through both dicts has found, for as long as neither changes.
//!
//! Invariants: no dict, no attribute of a class and no object changes, so there is nothing to see.
//! When a program sets or deletes `__getattr__` or `__getattribute__` of a class, CPython writes that
//! class's `tp_getattro` anew and ours is gone, as it should be.
//!
//! Not here: resolving a name for the first time, deprecated names (descriptors of the proxy's
//! class), errors. These are the stock function's.

mod memory;

use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyModule, PyType};

use crate::layout::layout;

unsafe extern "C" {
    /// The attribute `name` of a class, by its order of resolution: borrowed, NULL without an
    /// exception. Not in the documented API, but exported, and other extension modules rely on it.
    fn _PyType_Lookup(ty: *mut ffi::PyTypeObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject;
}

/// CPython's `tp_getattro` of every class with a `__getattr__` in Python: what both of ours hand
/// down to. Written once, before ours is in any slot.
static STOCK: AtomicUsize = AtomicUsize::new(0);

/// Gives `class` the fast look-up: `IntrospectionModule`, or a class of proxies whose `__getattr__`
/// gets the attribute from `self._introspection_module`. A class with a `__getattribute__` of its
/// own stays as it is.
#[pyfunction]
pub fn quicken(class: &Bound<'_, PyType>) -> PyResult<()> {
    let py = class.py();
    memory::prepare(layout(py));
    let (ours, base) = match class.is_subclass_of::<PyModule>()? {
        true => (proxy_get as ffi::getattrofunc, py.get_type::<PyModule>()),
        false => (introspected_get as _, py.get_type::<PyAny>()),
    };
    let name = pyo3::intern!(py, "__getattribute__");
    if !class.getattr(name)?.is(&base.getattr(name)?) {
        return Ok(());
    }
    // SAFETY: a type object, and the interpreter lock is held. Slots of heap types may be written:
    // CPython itself does so at every assignment to a special method.
    unsafe {
        let ty = class.as_type_ptr();
        let Some(before) = (*ty).tp_getattro.map(|slot| slot as usize) else {
            return Ok(());
        };
        let stock = match STOCK.load(Ordering::Relaxed) {
            0 => before,
            known => known,
        };
        if before == stock && ffi::PyType_HasFeature(ty, ffi::Py_TPFLAGS_HEAPTYPE) != 0 {
            STOCK.store(stock, Ordering::Relaxed);
            (*ty).tp_getattro = Some(ours);
            ffi::PyType_Modified(ty);
        }
    }
    Ok(())
}

/// Takes back [`quicken`].
#[pyfunction]
pub fn unquicken(class: &Bound<'_, PyType>) {
    // SAFETY: as in `quicken`, which has written `STOCK` if one of ours is in the slot.
    unsafe {
        let ty = class.as_type_ptr();
        if is(ty, proxy_get) || is(ty, introspected_get) {
            (*ty).tp_getattro = Some(stock());
            ffi::PyType_Modified(ty);
        }
    }
}

/// Whether `slot` is the `tp_getattro` of `ty`.
///
/// # Safety
/// `ty` is a type object and the interpreter lock is held.
unsafe fn is(ty: *mut ffi::PyTypeObject, slot: ffi::getattrofunc) -> bool {
    // SAFETY: the caller's.
    unsafe { (*ty).tp_getattro }.is_some_and(|found| found as usize == slot as usize)
}

/// # Safety
/// [`STOCK`] has been written.
unsafe fn stock() -> ffi::getattrofunc {
    // SAFETY: the caller's; it holds a function of this type.
    unsafe { std::mem::transmute(STOCK.load(Ordering::Relaxed)) }
}

/// `tp_getattro` of `IntrospectionModule`.
unsafe extern "C" fn introspected_get(
    module: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython passes a valid object and a str and holds the interpreter lock; ours is in a
    // slot, so `STOCK` has been written.
    unsafe {
        let found = resolved(module, name);
        match found.is_null() {
            true => stock()(module, name),
            false => ffi::Py_NewRef(found),
        }
    }
}

/// `tp_getattro` of the classes of proxies.
unsafe extern "C" fn proxy_get(
    proxy: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as in `introspected_get`; instances of these classes are modules (`quicken`).
    unsafe {
        let ty = ffi::Py_TYPE(proxy);
        let dict = ffi::PyModule_GetDict(proxy);
        if let Some(found) = memory::recall(ty, dict, name) {
            return ffi::Py_NewRef(found);
        }
        if !_PyType_Lookup(ty, name).is_null() {
            return stock()(proxy, name);
        }
        let found = item(dict, name);
        if !found.is_null() {
            return ffi::Py_NewRef(found);
        }
        let introspected = introspected(ty, dict);
        if !introspected.is_null() {
            let found = resolved(introspected, name);
            if !found.is_null() {
                memory::keep(ty, dict, introspected, name, found);
                return ffi::Py_NewRef(found);
            }
        }
        stock()(proxy, name)
    }
}

/// The module that the proxy's `__getattr__` would ask, borrowed; NULL when another `__getattr__`
/// comes first, the module's own in its `dict`, or when it is no `IntrospectionModule`.
///
/// # Safety
/// `ty` is the class of the proxy, `dict` its dict, the interpreter lock is held.
unsafe fn introspected(ty: *mut ffi::PyTypeObject, dict: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the caller's.
    unsafe {
        let py = Python::assume_attached();
        let name = pyo3::intern!(py, "_introspection_module").as_ptr();
        if !_PyType_Lookup(ty, name).is_null()
            || !item(dict, pyo3::intern!(py, "__getattr__").as_ptr()).is_null()
        {
            return null_mut();
        }
        let found = item(dict, name);
        match !found.is_null() && is(ffi::Py_TYPE(found), introspected_get) {
            true => found,
            false => null_mut(),
        }
    }
}

/// What `module`, an `IntrospectionModule`, has in its own dict under `name`, borrowed; NULL when its
/// class comes first or there is no such item.
///
/// # Safety
/// `module` has a dict and no `__getattribute__` of its own, `name` is a str, the interpreter lock is
/// held.
unsafe fn resolved(module: *mut ffi::PyObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the caller's. The module keeps its dict, and the dict its item.
    unsafe {
        if !_PyType_Lookup(ffi::Py_TYPE(module), name).is_null() {
            return null_mut();
        }
        let dict = ffi::PyObject_GenericGetDict(module, null_mut());
        if dict.is_null() {
            ffi::PyErr_Clear();
            return null_mut();
        }
        let found = item(dict, name);
        ffi::Py_DECREF(dict);
        found
    }
}

/// The value of `key` in `dict`, borrowed; NULL when there is none, or when looking raised: the stock
/// function then looks again and raises.
///
/// # Safety
/// `dict` is a dict, `key` a str, the interpreter lock is held.
unsafe fn item(dict: *mut ffi::PyObject, key: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the caller's.
    unsafe {
        let found = ffi::PyDict_GetItemWithError(dict, key);
        if found.is_null() && !ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_Clear();
        }
        found
    }
}

/// Registers the functions of this module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(quicken, module)?)?;
    module.add_function(wrap_pyfunction!(unquicken, module)?)
}
