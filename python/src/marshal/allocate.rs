//! Structs that the caller allocates for the callee to fill.
//!
//! As in `pygi-invoke.c` and `pygi-struct-marshal.c`: zeroed memory, of GLib's slices for a boxed type
//! and of `malloc` for a plain struct. Python gets a copy of a boxed value that is not given away (then
//! the memory goes at once), and otherwise the memory itself.
//!
//! The *in* step allocates, its undo and the release of a failed call free; the *out* step hands over.

use std::ffi::c_void;

use super::desc::type_desc;
use super::outward::{wrap, wrap_slice};
use super::scalar::{BAIL, done};
use super::table::helpers;

type Object = *mut c_void;
type Cell = *mut u64;
type Desc = *const c_void;

const FAILED: Object = std::ptr::null_mut();

helpers! {
    "allocate boxed" new_boxed(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => allocate_slice;
    "allocate struct" new_struct(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => allocate_memory;
    "out allocated boxed" out_new_boxed(cell: *const u64, desc: Desc) -> Object, FAILED => boxed;
    "out allocated struct" out_new_struct(cell: *const u64, desc: Desc) -> Object, FAILED => plain;
    "free slice" free_slice(cell: Cell, desc: Desc) => slice;
}

unsafe fn allocate_slice(_: Object, cell: Cell, desc: Desc) -> i32 {
    // SAFETY: structs have a TypeDesc, and the size is known (`build::check_bound`).
    unsafe {
        done(
            cell,
            (super::glib().g_slice_alloc0)(type_desc(desc).size) as u64,
        )
    }
}

unsafe fn allocate_memory(_: Object, cell: Cell, desc: Desc) -> i32 {
    // SAFETY: as in `allocate_slice`.
    unsafe { done(cell, (super::glib().g_malloc0)(type_desc(desc).size) as u64) }
}

unsafe fn slice(cell: Cell, desc: Desc) {
    // SAFETY: the cell holds what `allocate_slice` made with the same descriptor's size.
    unsafe { (super::glib().g_slice_free1)(type_desc(desc).size, *cell as *mut c_void) }
}

unsafe fn boxed(cell: *const u64, desc: Desc) -> Object {
    let glib = super::glib();
    // SAFETY: the cell holds what `allocate_slice` made and the callee has filled; GIL held.
    unsafe {
        let desc = type_desc(desc);
        let pointer = *cell as *mut c_void;
        if desc.full {
            return wrap_slice(desc, pointer);
        }
        let copy = (glib.g_boxed_copy)(desc.gtype, pointer);
        (glib.g_slice_free1)(desc.size, pointer);
        let object = wrap(desc, copy, true);
        if object.is_null() {
            (glib.g_boxed_free)(desc.gtype, copy);
        }
        object
    }
}

unsafe fn plain(cell: *const u64, desc: Desc) -> Object {
    // SAFETY: the cell holds what `allocate_memory` made; GIL held.
    unsafe {
        let pointer = *cell as *mut c_void;
        let object = wrap(type_desc(desc), pointer, true);
        if object.is_null() {
            (super::glib().g_free)(pointer);
        }
        object
    }
}
