//! PyGObject's own invocation of a callable: what every bail-out and every rejection ends in.
//!
//! It goes through `tp_call` of the callable's base (`gi.FunctionInfo`, `gi.VFuncInfo`), with the
//! callable itself as `self`: the argument errors, the invocation cache and the deprecation warning
//! are then PyGObject's, on every version.

use std::ptr::null_mut;

use pyo3::ffi;

use super::object::types;

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
        let result = (types().base(callable).call)(callable, tuple, keywords);
        ffi::Py_XDECREF(keywords);
        ffi::Py_DECREF(tuple);
        result
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
