//! Phase *out* for enums and flags.
//!
//! As `pyg_enum_from_gtype` and `pyg_flags_from_gtype` do it: the member is the one that the class
//! has in its table of values, and a value without a member is a new instance. PyGObject finds the
//! class by the type, and the table by a new string; both are known here.

use std::ffi::c_void;
use std::sync::atomic::Ordering;

use pyo3::ffi;

use super::desc::{TypeDesc, type_desc};
use super::outward::signed;
use super::table::helpers;
use super::{api, shared};

type Object = *mut c_void;
type Cell = *const u64;
type Desc = *const c_void;

const FAILED: Object = std::ptr::null_mut();

helpers! {
    "out enum" out_enum(cell: Cell, desc: Desc) -> Object, FAILED => enumeration;
    "out flags" out_flags(cell: Cell, desc: Desc) -> Object, FAILED => flags;
}

unsafe fn enumeration(cell: Cell, desc: Desc) -> Object {
    let narrow = |value| i64::from(value as i32);
    // SAFETY: as in `shown`; a registered enum.
    let stock = |gtype, value| unsafe { (api().enum_from_gtype)(gtype, value as i32) };
    // SAFETY: enums have a TypeDesc; the cell holds its storage, GIL held.
    unsafe {
        let value = signed(cell, type_desc(desc).storage);
        if !shared().enums_are_wide && i32::try_from(value).is_err() {
            let format = c"Value %lld is not in integer range";
            ffi::PyErr_Format(ffi::PyExc_OverflowError, format.as_ptr(), value);
            return FAILED;
        }
        shown(cell, desc, shared().enum_values, narrow, stock)
    }
}

unsafe fn flags(cell: Cell, desc: Desc) -> Object {
    let narrow = |value| i64::from(value as u32);
    // SAFETY: as in `shown`; registered flags.
    let stock = |gtype, value| unsafe { (api().flags_from_gtype)(gtype, value as u32) };
    // SAFETY: as in `enumeration`.
    unsafe { shown(cell, desc, shared().flags_values, narrow, stock) }
}

/// The class of an unregistered enum, called with the value.
unsafe fn unregistered(desc: &TypeDesc, value: i64) -> Object {
    // SAFETY: a class, GIL held.
    unsafe {
        let arg = ffi::PyLong_FromLongLong(value);
        if arg.is_null() {
            return FAILED;
        }
        let object = ffi::PyObject_CallOneArg(desc.py_type.cast(), arg);
        ffi::Py_DECREF(arg);
        object.cast()
    }
}

/// What stands in the table called `table` of the class for the value in the cell, as `narrow` makes it,
/// or what `stock` makes of the `GType` and that.
///
/// # Safety
/// The descriptor of an enum or flags, whose storage is in the cell; GIL held.
unsafe fn shown(
    cell: Cell,
    desc: Desc,
    table: *mut ffi::PyObject,
    narrow: impl FnOnce(i64) -> i64,
    stock: impl FnOnce(usize, i64) -> *mut ffi::PyObject,
) -> Object {
    // SAFETY: by this function's contract; a class holds its dict, and that what is found in it.
    unsafe {
        let desc = type_desc(desc);
        let value = signed(cell, desc.storage);
        if desc.gtype == super::G_TYPE_NONE {
            return unregistered(desc, value);
        }
        let value = narrow(value);
        if desc.is_shown.load(Ordering::Relaxed) {
            let found = look_up(desc.py_type, table, value);
            if !found.is_null() {
                return ffi::Py_NewRef(found).cast();
            }
        }
        let made = stock(desc.gtype, value);
        // PyGObject has attached this class to the type, for good.
        if !made.is_null() && ffi::Py_TYPE(made) == desc.py_type {
            desc.is_shown.store(true, Ordering::Relaxed);
        }
        made.cast()
    }
}

/// Borrowed; NULL, without an exception, where there is none.
///
/// # Safety
/// A class and a str, GIL held.
unsafe fn look_up(
    class: *mut ffi::PyTypeObject,
    table: *mut ffi::PyObject,
    value: i64,
) -> *mut ffi::PyObject {
    // SAFETY: by this function's contract.
    unsafe {
        let values = ffi::PyDict_GetItemWithError((*class).tp_dict, table);
        let mut found = std::ptr::null_mut();
        if !values.is_null() && ffi::PyDict_Check(values) != 0 {
            let key = ffi::PyLong_FromLongLong(value);
            if !key.is_null() {
                found = ffi::PyDict_GetItemWithError(values, key);
                ffi::Py_DECREF(key);
            }
        }
        if found.is_null() {
            ffi::PyErr_Clear();
        }
        found
    }
}
