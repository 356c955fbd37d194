//! Conversions that PyGObject makes differently when C calls Python.
//!
//! What C passes: floating objects stay floating, boxed values are not copied before the callable has
//! returned. What Python returns: an object that only the result holds gets a reference of its own.

use std::ffi::c_void;
use std::sync::atomic::Ordering;

use pyo3::ffi;

use super::super::desc::type_desc;
use super::super::outward::wrap;
use super::super::scalar::BAIL;
use super::super::table::helpers;
use super::super::wrapped;
use super::super::wrapper::wrapper_of;
use crate::layout::{FREE_ON_DEALLOC, GObject, GObjectWrapper, WRAPPED, WRAPPED_GTYPE};

type Object = *mut c_void;
type Desc = *const c_void;

const FAILED: Object = std::ptr::null_mut();

helpers! {
    "out object called" out_object_called(cell: *const u64, desc: Desc) -> Object, FAILED => object;
    "out boxed lent" out_boxed_lent(cell: *const u64, desc: Desc) -> Object, FAILED => lent;
    "in object returned" in_object_returned(value: Object, cell: *mut u64, desc: Desc) -> i32, BAIL => returned;
}

unsafe fn object(cell: *const u64, desc: Desc) -> Object {
    // SAFETY: NULL or a GObject in the cell, owned when the step says so; GIL held.
    unsafe {
        let gobject = *cell as *mut c_void;
        let glib = super::super::glib();
        if gobject.is_null() {
            return ffi::Py_NewRef(ffi::Py_None()).cast();
        }
        let full = type_desc(desc).full;
        if full || (glib.g_object_is_floating)(gobject) == 0 {
            return wrapper_of(gobject, full).cast();
        }
        if !super::super::shared().keeps_floating {
            (glib.g_object_ref_sink)(gobject);
            return wrapper_of(gobject, full).cast();
        }
        (glib.g_object_ref)(gobject);
        let object = wrapper_of(gobject, true);
        (glib.g_object_force_floating)(gobject);
        object.cast()
    }
}

unsafe fn lent(cell: *const u64, desc: Desc) -> Object {
    // SAFETY: NULL or a boxed value in the cell, which C keeps; GIL held.
    unsafe {
        match *cell as *mut c_void {
            pointer if pointer.is_null() => ffi::Py_NewRef(ffi::Py_None()).cast(),
            pointer => wrap(type_desc(desc), pointer, false),
        }
    }
}

/// Gives the wrapper that `lent` has made a copy of what it points to.
///
/// # Safety
/// `object` is of [`out_boxed_lent`]; the interpreter lock is held.
pub unsafe fn copy_lent(object: *mut ffi::PyObject) {
    // SAFETY: a wrapper of gi.Boxed's layout (`wrap`), or None.
    unsafe {
        if object == ffi::Py_None() {
            return;
        }
        let fields = object.cast::<u8>();
        let pointer = fields.add(WRAPPED as usize).cast::<*mut c_void>();
        let free_on_dealloc = fields.add(FREE_ON_DEALLOC).cast::<i32>();
        if *free_on_dealloc != 0 {
            return;
        }
        if !(*pointer).is_null() {
            let gtype = *fields.add(WRAPPED_GTYPE).cast::<usize>();
            *pointer = (super::super::glib().g_boxed_copy)(gtype, *pointer);
        }
        *free_on_dealloc = 1;
    }
}

unsafe fn returned(value: Object, cell: *mut u64, desc: Desc) -> i32 {
    // SAFETY: a valid object and a frame's cell, GIL held; `in_object` accepts only GObject wrappers,
    // whose layout was probed, and None.
    unsafe {
        let status = wrapped::in_object::run(value, cell, desc);
        let gobject = *cell as *mut c_void;
        let value = value.cast::<ffi::PyObject>();
        if status == BAIL || value == ffi::Py_None() {
            return status;
        }
        let count = &(*gobject.cast::<GObject>()).references;
        if ffi::Py_REFCNT(value) != 1 || count.load(Ordering::Relaxed) != 1 {
            return status;
        }
        // Nobody else would keep it alive until C has it.
        (super::super::glib().g_object_ref)(gobject);
        if (*value.cast::<GObjectWrapper>()).was_floating() {
            (super::super::glib().g_object_force_floating)(gobject);
            return status;
        }
        match warn(value) {
            true => status,
            false => BAIL,
        }
    }
}

/// PyGObject's warning about an object that is returned to C as borrowed; false when the warning
/// is an exception.
unsafe fn warn(value: *mut ffi::PyObject) -> bool {
    // SAFETY: a valid object, GIL held.
    unsafe {
        let format = match super::super::shared().keeps_floating {
            true => {
                c"Expecting to marshal a borrowed reference for %R, but nothing in Python is holding a reference to this object. See: https://bugzilla.gnome.org/show_bug.cgi?id=687522"
            }
            false => {
                c"Adding extra reference for %R, for nothing is holding a reference to this object. This could potentially lead to a memory leak. See: https://bugzilla.gnome.org/show_bug.cgi?id=687522"
            }
        };
        ffi::PyErr_WarnFormat(ffi::PyExc_RuntimeWarning, 2, format.as_ptr(), value) == 0
    }
}
