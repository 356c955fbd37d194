//! The end of wrappers of variants: `GLib.Variant.__del__` of PyGObject's overrides.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyFunction, PyType};

use super::super::names::_PyType_Lookup;
use super::Replacement;
use crate::errors;
use crate::marshal::lock;

pub(super) static FINALIZE: Replacement<ffi::destructor> = Replacement::new(finalize);
/// The code of the `__del__` that [`finalize`] stands for; kept for good.
static DEL_CODE: AtomicUsize = AtomicUsize::new(0);

/// Gives `class` the fast `__del__`: it has `function` for one, which does nothing but call
/// `self.unref()` and forget about an `ImportError`.
#[pyfunction]
pub fn quicken_del(class: &Bound<'_, PyType>, function: &Bound<'_, PyFunction>) {
    // SAFETY: a type object and a function; the interpreter lock is held. Slots of heap types may be
    // written: CPython itself does so at every assignment to a special method.
    unsafe {
        let code = ffi::PyFunction_GetCode(function.as_ptr());
        let known = DEL_CODE.load(Ordering::Relaxed);
        if known == 0 {
            DEL_CODE.store(ffi::Py_NewRef(code) as usize, Ordering::Relaxed);
        }
        if known == 0 || known == code as usize {
            FINALIZE.put(&mut (*class.as_type_ptr()).tp_finalize);
        }
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
            return FINALIZE.stock()(object);
        }
        errors::kept(|| {
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
        });
    }
}
