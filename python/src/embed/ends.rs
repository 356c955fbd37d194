//! The end of wrappers of structs and of `GLib.Variant`.
//!
//! PyGObject asks the class of each struct that goes for its `__info__`, by a new string, to see
//! whether a foreign module frees it; and `GLib.Variant.__del__` is a function in Python around
//! `self.unref()`. [`quicken_ends`] gives `gi.Struct` a `tp_dealloc` that knows the same without that,
//! [`quicken_del`] a class like Variant a `tp_finalize` that calls the same `unref`. Together they
//! are a third of the life of a small variant.
//!
//! Invariants: no attribute of a class or an object changes, so there is nothing to see. What is not
//! as PyGObject makes it goes to the functions that were there. When a program sets `__del__` of a
//! class, CPython writes that class's `tp_finalize` anew and ours is gone; a class derived in Python
//! gets CPython's.
//!
//! Not here: GObjects and boxed values, which PyGObject ends without a detour.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyFunction, PyType};

use super::names::_PyType_Lookup;
use crate::callable::object;
use crate::glib::glib;
use crate::layout::{FREE_ON_DEALLOC, WRAPPED, layout};
use crate::marshal::lock;

/// What ours hand down to; each written once, before ours is in any slot.
static STOCK_DEALLOC: AtomicUsize = AtomicUsize::new(0);
static STOCK_FINALIZE: AtomicUsize = AtomicUsize::new(0);
/// `gi._gi.StructInfo`.
static STRUCT_INFO: AtomicUsize = AtomicUsize::new(0);
/// The code of the `__del__` that [`finalize`] stands for; kept for good.
static DEL_CODE: AtomicUsize = AtomicUsize::new(0);

/// Gives `structs`, which is `gi._gi.Struct`, the fast end. `info` is `gi._gi.StructInfo`.
#[pyfunction]
pub fn quicken_ends(structs: &Bound<'_, PyType>, info: &Bound<'_, PyType>) {
    if !layout(structs.py()).boxed_readable {
        return;
    }
    // SAFETY: a type object, and the interpreter lock is held, so no wrapper ends meanwhile.
    unsafe {
        let ty = structs.as_type_ptr();
        let Some(before) = (*ty).tp_dealloc else {
            return;
        };
        if before as usize != dealloc as *const () as usize {
            STRUCT_INFO.store(info.as_ptr() as usize, Ordering::Relaxed);
            STOCK_DEALLOC.store(before as usize, Ordering::Relaxed);
            (*ty).tp_dealloc = Some(dealloc);
        }
    }
}

/// Takes back [`quicken_ends`].
#[pyfunction]
pub fn unquicken_ends(structs: &Bound<'_, PyType>) {
    // SAFETY: as in `quicken_ends`.
    unsafe {
        let ty = structs.as_type_ptr();
        if (*ty).tp_dealloc.map(|slot| slot as usize) == Some(dealloc as *const () as usize) {
            (*ty).tp_dealloc = Some(stock_dealloc());
        }
    }
}

/// Gives `class` the fast `__del__`: it has `function` for one, which does nothing but call
/// `self.unref()` and forget about an `ImportError`.
#[pyfunction]
pub fn quicken_del(class: &Bound<'_, PyType>, function: &Bound<'_, PyFunction>) {
    // SAFETY: a type object and a function; the interpreter lock is held. Slots of heap types may be
    // written: CPython itself does so at every assignment to a special method.
    unsafe {
        let ty = class.as_type_ptr();
        let code = ffi::PyFunction_GetCode(function.as_ptr());
        let known = DEL_CODE.load(Ordering::Relaxed);
        let Some(before) = (*ty).tp_finalize else {
            return;
        };
        if known == 0 {
            DEL_CODE.store(ffi::Py_NewRef(code) as usize, Ordering::Relaxed);
            STOCK_FINALIZE.store(before as usize, Ordering::Relaxed);
        } else if known != code as usize
            || STOCK_FINALIZE.load(Ordering::Relaxed) != before as usize
        {
            return;
        }
        (*ty).tp_finalize = Some(finalize);
    }
}

/// Takes back [`quicken_del`], if `class` has it.
#[pyfunction]
pub fn unquicken_del(class: &Bound<'_, PyType>) {
    // SAFETY: as in `quicken_del`.
    unsafe {
        let ty = class.as_type_ptr();
        if (*ty).tp_finalize.map(|slot| slot as usize) == Some(finalize as *const () as usize) {
            (*ty).tp_finalize = Some(stock_finalize());
        }
    }
}

/// # Safety
/// Ours is in a slot.
unsafe fn stock_dealloc() -> ffi::destructor {
    // SAFETY: the caller's; `quicken_ends` has stored a function of this type.
    unsafe { std::mem::transmute(STOCK_DEALLOC.load(Ordering::Relaxed)) }
}

/// # Safety
/// Ours is in a slot.
unsafe fn stock_finalize() -> ffi::destructor {
    // SAFETY: the caller's; `quicken_del` has stored a function of this type.
    unsafe { std::mem::transmute(STOCK_FINALIZE.load(Ordering::Relaxed)) }
}

/// `tp_dealloc` of `gi.Struct`.
unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    // SAFETY: CPython passes an instance of gi.Struct that nobody has any more and holds the
    // interpreter lock; the instance has gi.Struct's fields (`quicken_ends`).
    unsafe {
        let ty = ffi::Py_TYPE(object);
        match (*ty).tp_free {
            Some(free) if is_native(ty) => {
                let fields = object.cast::<u8>();
                if fields.add(FREE_ON_DEALLOC).cast::<i32>().read() != 0
                    && let Ok(glib) = glib()
                {
                    (glib.g_free)(fields.add(WRAPPED as usize).cast::<*mut c_void>().read());
                }
                free(object.cast());
            }
            _ => stock_dealloc()(object),
        }
    }
}

/// Whether the structs of `ty` have an `__info__` of PyGObject's, which says that they are not
/// foreign.
///
/// # Safety
/// `ty` is a class of `gi.Struct`, the interpreter lock is held.
unsafe fn is_native(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: the caller's; a StructInfo has an info.
    unsafe {
        let name = pyo3::intern!(Python::assume_attached(), "__info__").as_ptr();
        let info = _PyType_Lookup(ty, name);
        !info.is_null()
            && ffi::Py_TYPE(info) as usize == STRUCT_INFO.load(Ordering::Relaxed)
            && _PyType_Lookup(ffi::Py_TYPE(ty.cast()), name).is_null()
            && object::types_if_created()
                .is_some_and(|types| !types.repository.is_foreign(object::fields(info).info))
    }
}

/// `tp_finalize` of `GLib.Variant`.
unsafe extern "C" fn finalize(object: *mut ffi::PyObject) {
    // SAFETY: CPython passes a valid object and holds the interpreter lock; a class keeps its `__del__`.
    unsafe {
        let py = Python::assume_attached();
        let del = _PyType_Lookup(ffi::Py_TYPE(object), pyo3::intern!(py, "__del__").as_ptr());
        if del.is_null()
            || ffi::PyFunction_Check(del) == 0
            || ffi::PyFunction_GetCode(del) as usize != DEL_CODE.load(Ordering::Relaxed)
        {
            return stock_finalize()(object);
        }
        let (mut kind, mut value, mut traceback) = (null_mut(), null_mut(), null_mut());
        ffi::PyErr_Fetch(&mut kind, &mut value, &mut traceback);
        // The level of recursion that the function in Python is.
        if ffi::Py_EnterRecursiveCall(lock::WHERE.as_ptr()) == 0 {
            let name = pyo3::intern!(py, "unref").as_ptr();
            let done = ffi::PyObject_VectorcallMethod(name, &object, 1, null_mut());
            ffi::Py_XDECREF(done);
            ffi::Py_LeaveRecursiveCall();
        }
        if !ffi::PyErr_Occurred().is_null() {
            match ffi::PyErr_ExceptionMatches(ffi::PyExc_ImportError) {
                0 => ffi::PyErr_WriteUnraisable(del),
                _ => ffi::PyErr_Clear(),
            }
        }
        ffi::PyErr_Restore(kind, value, traceback);
    }
}

/// Registers the functions of this module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(quicken_ends, module)?)?;
    module.add_function(wrap_pyfunction!(unquicken_ends, module)?)?;
    module.add_function(wrap_pyfunction!(quicken_del, module)?)?;
    module.add_function(wrap_pyfunction!(unquicken_del, module)?)
}
