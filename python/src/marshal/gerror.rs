//! `GError` arguments and results; the one that a call raises is `bind`'s.
//!
//! The rules are those of `pygi-error.c`. An error is made of the attributes that PyGObject's own
//! `__init__` sets, read from the instance where nothing can stand before them.

use std::ffi::{c_char, c_void};
use std::ptr::null_mut;

use pyo3::ffi;

use super::scalar::{BAIL, CONVERTED, read_long, utf8_of};
use super::table::helpers;
use super::types::{has_plain_attributes, plain_attribute};
use super::{glib, shared};

type Object = *mut c_void;
type Cell = *mut u64;
type Desc = *const c_void;

helpers! {
    "in error" in_error(value: Object, cells: Cell, desc: Desc) -> i32, BAIL => error;
    /// Frees an error that is not given after all.
    "undo error" undo_error(cells: Cell, desc: Desc) => free;
    "drop error" drop_error(cells: Cell, desc: Desc) => drop;
    "out error" out_error(cells: *const u64, desc: Desc) -> Object, null_mut() => object;
    "free error" free_error(cells: Cell, desc: Desc) => free;
}

/// `struct _GError` (gerror.h).
#[repr(C)]
struct GError {
    domain: u32,
    code: i32,
    message: *const c_char,
}

/// The cell of the pointer, and of the same pointer when the error stays ours.
const POINTER: usize = 0;
const KEPT: usize = 1;

/// What the *in* step of an error reads.
pub struct ErrorDesc {
    /// None is NULL.
    pub nullable: bool,
    /// The callee becomes the owner.
    pub given: bool,
}

unsafe fn error(value: Object, cells: Cell, desc: Desc) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: a valid object, GIL held; the step has an ErrorDesc and two cells.
    unsafe {
        let desc = &*desc.cast::<ErrorDesc>();
        cells.add(POINTER).write(0);
        cells.add(KEPT).write(0);
        if value == ffi::Py_None() {
            return if desc.nullable { CONVERTED } else { BAIL };
        }
        let Some(error) = read_error(value) else {
            return BAIL;
        };
        cells.add(POINTER).write(error as u64);
        if !desc.given {
            cells.add(KEPT).write(error as u64);
        }
        CONVERTED
    }
}

/// A new `GError` with what a `GLib.Error` says.
///
/// # Safety
/// A valid object, GIL held.
pub unsafe fn read_error(value: *mut ffi::PyObject) -> Option<*mut c_void> {
    let shared = shared();
    // SAFETY: by this function's contract; attributes are borrowed from `value`, which stays.
    unsafe {
        let class = shared.error_class?;
        let ty = ffi::Py_TYPE(value);
        if ffi::PyType_IsSubtype(ty, class) == 0 || !has_plain_attributes(ty) {
            return None;
        }
        let [message, domain, code] = shared.error_fields;
        let text = |name| {
            let text = plain_attribute(value, name)?;
            let text = (ffi::PyUnicode_Check(text) != 0).then(|| utf8_of(text, &mut 0))?;
            (!text.is_null()).then_some(text)
        };
        let (message, domain) = (text(message)?, text(domain)?);
        let code = plain_attribute(value, code)?;
        if ffi::PyLong_Check(code) == 0 {
            return None;
        }
        let code = i32::try_from(read_long(code)?).ok()?;
        let domain = (glib().g_quark_from_string)(domain);
        Some((glib().g_error_new_literal)(domain, code, message))
    }
}

unsafe fn free(cells: Cell, _: Desc) {
    // SAFETY: the cell owns an error or is NULL.
    unsafe {
        let error = *cells.add(POINTER) as *mut c_void;
        if !error.is_null() {
            (glib().g_error_free)(error);
        }
    }
}

unsafe fn drop(cells: Cell, desc: Desc) {
    // SAFETY: the cells are as `error` left them, but for what the callee may write.
    unsafe { free(cells.add(KEPT), desc) }
}

unsafe fn object(cells: *const u64, _: Desc) -> Object {
    let glib = glib();
    // SAFETY: NULL or a GError in the cell, GIL held.
    unsafe {
        let error = *cells as *const GError;
        let (Some(error), Some(class)) = (error.as_ref(), shared().error_class) else {
            return ffi::Py_NewRef(ffi::Py_None()).cast();
        };
        let text = |text: *const c_char| match text.is_null() {
            true => ffi::Py_NewRef(ffi::Py_None()),
            false => ffi::PyUnicode_FromString(text),
        };
        let domain = match error.domain {
            0 => null_mut(),
            quark => (glib.g_quark_to_string)(quark).cast_mut(),
        };
        let args = [
            text(error.message),
            text(domain),
            ffi::PyLong_FromLong(i64::from(error.code)),
        ];
        let mut made = null_mut();
        if args.iter().all(|arg| !arg.is_null()) {
            made = ffi::PyObject_Vectorcall(class.cast(), args.as_ptr(), args.len(), null_mut());
        }
        for arg in args {
            ffi::Py_XDECREF(arg);
        }
        made.cast()
    }
}
