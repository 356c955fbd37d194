//! Phase *in* for what PyGObject wraps: objects, boxed, structs, variants; and giving things back.
//!
//! The rules are those of `pygi-object.c` and `pygi-struct-marshal.c`. A class check that could run
//! user code (`__instancecheck__`) is made by the method resolution order alone; what that does not
//! settle is PyGObject's to decide.

use std::ffi::c_void;

use pyo3::ffi;

use super::desc::{TypeDesc, type_desc};
use super::scalar::{BAIL, done};
use super::table::helpers;
use crate::layout::{WRAPPED, WRAPPED_GTYPE};

type Object = *mut c_void;
type Cell = *mut u64;
type Desc = *const c_void;

helpers! {
    "in object" in_object(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => object;
    "in boxed" in_boxed(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => boxed;
    "in struct" in_struct(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => plain;
    "in variant" in_variant(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => variant;
    "free memory" free_memory(cell: Cell, desc: Desc) => memory;
    "unref object" unref_object(cell: Cell, desc: Desc) => unref;
    "free boxed" free_boxed(cell: Cell, desc: Desc) => boxed_free;
    "unref variant" unref_variant(cell: Cell, desc: Desc) => variant_unref;
}

/// What a wrapper points to.
///
/// # Safety
/// `value` is a wrapper whose layout was probed.
pub(super) unsafe fn wrapped(value: *mut ffi::PyObject) -> *mut c_void {
    // SAFETY: by this function's contract.
    unsafe {
        value
            .cast::<u8>()
            .add(WRAPPED as usize)
            .cast::<*mut c_void>()
            .read()
    }
}

/// The `GType` that a boxed or struct wrapper carries.
///
/// # Safety
/// `value` is an instance of PyGObject's boxed or pointer type.
pub(super) unsafe fn wrapped_gtype(value: *mut ffi::PyObject) -> usize {
    // SAFETY: by this function's contract.
    unsafe { value.cast::<u8>().add(WRAPPED_GTYPE).cast::<usize>().read() }
}

/// The type of the GObject that `value` wraps, if it does.
///
/// # Safety
/// A valid object, GIL held.
pub unsafe fn instance_type(value: *mut ffi::PyObject) -> Option<usize> {
    // SAFETY: by this function's contract; see `object`.
    unsafe {
        if ffi::PyType_IsSubtype(ffi::Py_TYPE(value), super::api().object_type) == 0 {
            return None;
        }
        let gobject = wrapped(value).cast::<*const usize>();
        (!gobject.is_null()).then(|| **gobject)
    }
}

unsafe fn object(value: Object, cell: Cell, desc: Desc) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: a valid object, GIL held; objects have a TypeDesc. A GObject starts with its class,
    // which starts with its GType.
    unsafe {
        let desc = type_desc(desc);
        if value == ffi::Py_None() {
            return if desc.nullable { done(cell, 0) } else { BAIL };
        }
        let ty = ffi::Py_TYPE(value);
        if ffi::PyType_IsSubtype(ty, super::api().object_type) == 0 {
            return BAIL;
        }
        let gobject = wrapped(value);
        if gobject.is_null() {
            return BAIL;
        }
        if ffi::PyType_IsSubtype(ty, desc.py_type) != 0 {
            desc.accept(ty);
        } else {
            let gtype = **gobject.cast::<*const usize>();
            if (super::glib().g_type_is_a)(gtype, desc.gtype) == 0 {
                return BAIL;
            }
        }
        if desc.full {
            (super::glib().g_object_ref)(gobject);
        }
        done(cell, gobject as u64)
    }
}

/// The pointer of a wrapper of `desc`'s own class whose base is `base`.
pub(super) unsafe fn own_pointer(
    value: *mut ffi::PyObject,
    desc: &TypeDesc,
    base: *mut ffi::PyTypeObject,
) -> Option<*mut c_void> {
    // SAFETY: a valid object, GIL held; an instance of `base` has its layout.
    unsafe {
        let ty = ffi::Py_TYPE(value);
        let own =
            ffi::PyType_IsSubtype(ty, desc.py_type) != 0 && ffi::PyType_IsSubtype(ty, base) != 0;
        own.then(|| wrapped(value))
    }
}

unsafe fn boxed(value: Object, cell: Cell, desc: Desc) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: as in `object`.
    unsafe {
        let desc = type_desc(desc);
        if value == ffi::Py_None() {
            return if desc.nullable { done(cell, 0) } else { BAIL };
        }
        let Some(pointer) = own_pointer(value, desc, super::api().boxed_type) else {
            return BAIL;
        };
        if wrapped_gtype(value) != desc.gtype {
            return BAIL;
        }
        if !desc.full {
            desc.accept(ffi::Py_TYPE(value));
            return done(cell, pointer as u64);
        }
        if pointer.is_null() {
            return BAIL;
        }
        done(
            cell,
            (super::glib().g_boxed_copy)(desc.gtype, pointer) as u64,
        )
    }
}

unsafe fn plain(value: Object, cell: Cell, desc: Desc) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: as in `object`.
    unsafe {
        let desc = type_desc(desc);
        if value == ffi::Py_None() {
            return if desc.nullable { done(cell, 0) } else { BAIL };
        }
        match own_pointer(value, desc, super::api().pointer_type) {
            Some(pointer) => {
                desc.accept(ffi::Py_TYPE(value));
                done(cell, pointer as u64)
            }
            None => BAIL,
        }
    }
}

unsafe fn variant(value: Object, cell: Cell, desc: Desc) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: as in `object`.
    unsafe {
        let desc = type_desc(desc);
        if value == ffi::Py_None() {
            return if desc.nullable { done(cell, 0) } else { BAIL };
        }
        let Some(pointer) = own_pointer(value, desc, super::api().pointer_type) else {
            return BAIL;
        };
        if pointer.is_null() || wrapped_gtype(value) != desc.gtype {
            return BAIL;
        }
        match desc.full {
            true => {
                (super::glib().g_variant_ref)(pointer);
            }
            false => desc.accept(ffi::Py_TYPE(value)),
        }
        done(cell, pointer as u64)
    }
}

unsafe fn memory(cell: Cell, _: Desc) {
    // SAFETY: the cell owns memory of g_malloc or is NULL, which g_free takes.
    unsafe { (super::glib().g_free)(*cell as *mut c_void) }
}

unsafe fn unref(cell: Cell, _: Desc) {
    // SAFETY: the cell owns a reference to a GObject or is NULL.
    unsafe {
        if *cell != 0 {
            (super::glib().g_object_unref)(*cell as *mut c_void);
        }
    }
}

unsafe fn boxed_free(cell: Cell, desc: Desc) {
    // SAFETY: the cell owns a boxed value of the descriptor's type or is NULL.
    unsafe {
        if *cell != 0 {
            (super::glib().g_boxed_free)(type_desc(desc).gtype, *cell as *mut c_void);
        }
    }
}

unsafe fn variant_unref(cell: Cell, _: Desc) {
    // SAFETY: the cell owns a reference to a GVariant or is NULL.
    unsafe {
        if *cell != 0 {
            (super::glib().g_variant_unref)(*cell as *mut c_void);
        }
    }
}
