//! Attribute look-ups on namespaces, such as `GLib.random_int`.
//!
//! PyGObject has two kinds of namespace objects. An `IntrospectionModule` keeps what it has resolved
//! in its own dict. A namespace with overrides is an `OverridesProxyModule` in front of one: what its
//! dict does not have goes through an `AttributeError` and a `__getattr__` in Python. From PyGObject 3.52
//! on it has the module in a slot, and deprecated names in another ([`Slots`]). [`quicken`]
//! gives the classes of both a `tp_getattro` that looks into the same dicts, in the same order,
//! without that detour; for a name that is in none it calls the `__getattr__` that resolves names,
//! without the errors on the way to it. Everything else goes to the one that was there. `memory`
//! remembers what a look-up through both dicts has found, for as long as neither changes.
//!
//! Invariants: but for what PyGObject changes when it resolves a name, no dict, no attribute of a
//! class and no object changes, so there is nothing to see. When a program sets or deletes
//! `__getattr__` or `__getattribute__` of a class, CPython writes that class's `tp_getattro` anew and
//! ours is gone, as it should be.
//!
//! Not here: resolving a name for the first time, which is PyGObject's; deprecated names (descriptors
//! of the proxy's class) and errors, which are the stock function's.

mod memory;
mod slots;

use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyModule, PyType};

use self::slots::Slots;
use crate::layout::layout;
use crate::marshal::lock;

unsafe extern "C" {
    /// The attribute `name` of a class, by its order of resolution: borrowed, NULL without an
    /// exception. Not in the documented API, but exported, and other extension modules rely on it.
    pub(super) fn _PyType_Lookup(
        ty: *mut ffi::PyTypeObject,
        name: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject;
}

/// CPython's `tp_getattro` of every class with a `__getattr__` in Python: what both of ours hand
/// down to. Written once, before ours is in any slot.
static STOCK: AtomicUsize = AtomicUsize::new(0);

/// Tells where proxies have their slots, of which `proxy` is one; to be called before [`quicken`].
#[pyfunction]
pub fn find_slots(proxy: &Bound<'_, PyModule>) -> PyResult<()> {
    slots::find(proxy)
}

/// Gives `class` the fast look-up: `IntrospectionModule`, or a class of proxies (`proxies`) whose
/// `__getattr__` gets the attribute from `self._introspection_module`. A class with a
/// `__getattribute__` of its own stays as it is.
#[pyfunction]
pub fn quicken(class: &Bound<'_, PyType>, proxies: bool) -> PyResult<()> {
    let py = class.py();
    memory::prepare(layout(py));
    let ours: ffi::getattrofunc = match proxies {
        true => proxy_get,
        false => introspected_get,
    };
    // An `IntrospectionModule` is a module from PyGObject 3.52 on.
    let base = match class.is_subclass_of::<PyModule>()? {
        true => py.get_type::<PyModule>(),
        false => py.get_type::<PyAny>(),
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
        let found = match resolved(module, name) {
            Some(found) if !found.is_null() => Some(ffi::Py_NewRef(found)),
            Some(_) => resolve(module, name),
            None => None,
        };
        found.unwrap_or_else(|| stock()(module, name))
    }
}

/// `tp_getattro` of the classes of proxies.
unsafe extern "C" fn proxy_get(
    proxy: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as in `introspected_get`; instances of these classes are modules (`quicken`).
    unsafe {
        let dict = ffi::PyModule_GetDict(proxy);
        match memory::recall(proxy, dict, name) {
            Some(found) => ffi::Py_NewRef(found),
            None => look(proxy, dict, name).unwrap_or_else(|| stock()(proxy, name)),
        }
    }
}

/// The attribute of a proxy, a new reference, or NULL with an exception; `None` where the stock
/// function has to look.
///
/// # Safety
/// `dict` is the dict of the proxy, `name` a str, the interpreter lock is held.
unsafe fn look(
    proxy: *mut ffi::PyObject,
    dict: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
) -> Option<*mut ffi::PyObject> {
    // SAFETY: the caller's. The proxy keeps its dict, and that the module behind it.
    unsafe {
        let ty = ffi::Py_TYPE(proxy);
        if !_PyType_Lookup(ty, name).is_null() {
            return None;
        }
        let found = item(dict, name)?;
        if !found.is_null() {
            return Some(ffi::Py_NewRef(found));
        }
        let slots = slots::of(proxy);
        if let Some(slots) = &slots
            && !item(slots.deprecations, name)?.is_null()
        {
            return None;
        }
        let module = introspected(ty, dict, slots.as_ref())?;
        let found = resolved(module, name)?;
        if !found.is_null() {
            memory::keep(proxy, dict, module, name, found);
            return Some(ffi::Py_NewRef(found));
        }
        let found = resolve_deeper(module, name)?;
        if found.is_null() && ffi::PyErr_ExceptionMatches(ffi::PyExc_AttributeError) != 0 {
            // There is no such name. The stock function's error has been through the proxy.
            ffi::PyErr_Clear();
            return None;
        }
        Some(found)
    }
}

/// [`resolve`], as many levels of recursion deeper as the proxy's `__getattr__` and the `getattr` in it
/// make; at the limit, it is the error that CPython raises there.
///
/// # Safety
/// As for [`resolve`].
unsafe fn resolve_deeper(
    module: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
) -> Option<*mut ffi::PyObject> {
    const LEVELS: usize = 2;
    // SAFETY: the caller's; each level that is entered is left.
    unsafe {
        let entered = (0..LEVELS)
            .take_while(|_| ffi::Py_EnterRecursiveCall(lock::WHERE.as_ptr()) == 0)
            .count();
        let found = match entered {
            LEVELS => resolve(module, name),
            _ => Some(null_mut()),
        };
        for _ in 0..entered {
            ffi::Py_LeaveRecursiveCall();
        }
        found
    }
}

/// The module that the proxy's `__getattr__` would ask, borrowed; `None` when another `__getattr__`
/// comes first, the module's own in its `dict`, or when it is no `IntrospectionModule`.
///
/// # Safety
/// `ty` is the class of the proxy, `dict` its dict, `slots` its slots, the interpreter lock is held.
unsafe fn introspected(
    ty: *mut ffi::PyTypeObject,
    dict: *mut ffi::PyObject,
    slots: Option<&Slots>,
) -> Option<*mut ffi::PyObject> {
    // SAFETY: the caller's.
    unsafe {
        let py = Python::assume_attached();
        if !item(dict, pyo3::intern!(py, "__getattr__").as_ptr())?.is_null() {
            return None;
        }
        let name = pyo3::intern!(py, "_introspection_module").as_ptr();
        let found = match slots {
            Some(slots) => slots.module,
            None if !_PyType_Lookup(ty, name).is_null() => return None,
            None => item(dict, name)?,
        };
        (!found.is_null() && is(ffi::Py_TYPE(found), introspected_get)).then_some(found)
    }
}

/// What `module`, an `IntrospectionModule`, has in its own dict under `name`, borrowed, or NULL; `None`
/// when its class comes first.
///
/// # Safety
/// `module` has a dict and no `__getattribute__` of its own, `name` is a str, the interpreter lock is
/// held.
unsafe fn resolved(
    module: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
) -> Option<*mut ffi::PyObject> {
    // SAFETY: the caller's.
    unsafe {
        if !_PyType_Lookup(ffi::Py_TYPE(module), name).is_null() {
            return None;
        }
        resolved_item(module, name)
    }
}

/// As [`resolved`], whatever the class has.
///
/// # Safety
/// As for [`resolved`].
unsafe fn resolved_item(
    module: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
) -> Option<*mut ffi::PyObject> {
    // SAFETY: the caller's. The module keeps its dict, and the dict its item.
    unsafe {
        let dict = ffi::PyObject_GenericGetDict(module, null_mut());
        if dict.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        let found = item(dict, name);
        ffi::Py_DECREF(dict);
        found
    }
}

/// What the `__getattr__` of the class of `module` makes of a name that has not been resolved: a new
/// reference, or NULL with an exception; `None` when it is no function in Python, or a `__getattr__` of
/// the module itself comes first.
///
/// # Safety
/// As for [`resolved`].
unsafe fn resolve(
    module: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
) -> Option<*mut ffi::PyObject> {
    // SAFETY: the caller's. The reference keeps the function while it runs.
    unsafe {
        let special = pyo3::intern!(Python::assume_attached(), "__getattr__");
        if !resolved_item(module, special.as_ptr())?.is_null() {
            return None;
        }
        let function = _PyType_Lookup(ffi::Py_TYPE(module), special.as_ptr());
        if function.is_null() || ffi::PyFunction_Check(function) == 0 {
            return None;
        }
        ffi::Py_INCREF(function);
        let args = [module, name];
        let found = ffi::PyObject_Vectorcall(function, args.as_ptr(), args.len(), null_mut());
        ffi::Py_DECREF(function);
        Some(found)
    }
}

/// The value of `key` in `dict`, borrowed, or NULL; `None` when looking raised: the stock function
/// then looks again and raises.
///
/// # Safety
/// `dict` is a dict, `key` a str, the interpreter lock is held.
unsafe fn item(dict: *mut ffi::PyObject, key: *mut ffi::PyObject) -> Option<*mut ffi::PyObject> {
    // SAFETY: the caller's.
    unsafe {
        let found = ffi::PyDict_GetItemWithError(dict, key);
        if found.is_null() && !ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        Some(found)
    }
}

/// Registers the functions of this module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(find_slots, module)?)?;
    module.add_function(wrap_pyfunction!(quicken, module)?)?;
    module.add_function(wrap_pyfunction!(unquicken, module)?)
}
