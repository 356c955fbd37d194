//! PyGObject's own invocation of a callable: what every bail-out and every rejection ends in.
//!
//! It goes through `tp_call` of the callable's base (`gi.FunctionInfo`, `gi.VFuncInfo`), or through the
//! vectorcall function of its instances, with the callable itself as `self`: the argument errors, the
//! invocation cache and the deprecation warning are then PyGObject's, on every version.

use std::ptr::null_mut;

use gijit::ended::withstand;
use pyo3::exceptions::PySystemError;
use pyo3::ffi;
use pyo3::prelude::*;

use super::info::Call;
use super::object::types;
use crate::marshal::lock;

/// `ternaryfunc`, out of which the thread may be ended.
type TernaryFunction = unsafe extern "C-unwind" fn(
    *mut ffi::PyObject,
    *mut ffi::PyObject,
    *mut ffi::PyObject,
) -> *mut ffi::PyObject;

/// Calls `callable` the way PyGObject does. A new reference, NULL with an exception set.
///
/// # Safety
/// `callable` is one of our callables; the rest is a vectorcall's arguments; the interpreter lock
/// is held.
pub unsafe fn invoke(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's.
    let result = unsafe {
        match types().base(callable).call {
            Call::Tuple(call) => invoke_with_tuple(call, callable, args, nargsf, kwnames),
            Call::Vector(call) => {
                let call: lock::Vectorcall = std::mem::transmute(call);
                withstand(|| call(callable, args, nargsf, kwnames))
            }
        }
    };
    // SAFETY: the caller's.
    unsafe { checked(callable, result) }
}

/// # Safety
/// As [`invoke`]; `call` is the `tp_call` of the callable's base.
unsafe fn invoke_with_tuple(
    call: ffi::ternaryfunc,
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: by the vectorcall protocol `args` holds the positional arguments and then one value
    // for each name in the tuple `kwnames`; PyTuple_SET_ITEM takes the reference taken before it.
    unsafe {
        let positional = ffi::PyVectorcall_NARGS(nargsf);
        let tuple = ffi::PyTuple_New(positional);
        if tuple.is_null() {
            return null_mut();
        }
        for i in 0..positional {
            let value = *args.offset(i);
            ffi::Py_INCREF(value);
            ffi::PyTuple_SET_ITEM(tuple, i, value);
        }
        let mut keywords = null_mut();
        if !kwnames.is_null() && ffi::PyTuple_GET_SIZE(kwnames) > 0 {
            keywords = keyword_dict(args.offset(positional), kwnames);
            if keywords.is_null() {
                ffi::Py_DECREF(tuple);
                return null_mut();
            }
        }
        // What CPython does around `tp_call`.
        let result = match ffi::Py_EnterRecursiveCall(lock::WHERE.as_ptr()) {
            0 => {
                let call: TernaryFunction = std::mem::transmute(call);
                let result = withstand(|| call(callable, tuple, keywords));
                ffi::Py_LeaveRecursiveCall();
                result
            }
            _ => null_mut(),
        };
        ffi::Py_XDECREF(keywords);
        ffi::Py_DECREF(tuple);
        result
    }
}

/// `result`, unless there is an exception beside it: PyGObject forgets that a warning may raise. Not
/// everything in CPython that makes a vectorcall looks.
///
/// # Safety
/// `result` is what a call of `callable` gave; the interpreter lock is held.
unsafe fn checked(callable: *mut ffi::PyObject, result: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the caller's; a result is a reference that is ours to drop.
    unsafe {
        if result.is_null() || ffi::PyErr_Occurred().is_null() {
            return result;
        }
        let py = Python::assume_attached();
        let cause = PyErr::fetch(py);
        ffi::Py_DECREF(result);
        let shown = Bound::from_borrowed_ptr(py, callable).repr();
        let raised = shown.map(|shown| {
            let text = format!("{shown} returned a result with an exception set");
            let error = PySystemError::new_err(text);
            let context = cause.value(py).clone().into_ptr();
            ffi::PyException_SetContext(error.value(py).as_ptr(), context);
            error.set_cause(py, Some(cause));
            error
        });
        raised.unwrap_or_else(|error| error).restore(py);
        null_mut()
    }
}

/// # Safety
/// `values` holds one object for each name in the tuple `names`; the interpreter lock is held.
unsafe fn keyword_dict(
    values: *const *mut ffi::PyObject,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's.
    unsafe {
        let dict = ffi::PyDict_New();
        if dict.is_null() {
            return null_mut();
        }
        for i in 0..ffi::PyTuple_GET_SIZE(names) {
            if ffi::PyDict_SetItem(dict, ffi::PyTuple_GET_ITEM(names, i), *values.offset(i)) < 0 {
                ffi::Py_DECREF(dict);
                return null_mut();
            }
        }
        dict
    }
}
