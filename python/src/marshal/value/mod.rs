//! `GValue`: from any Python object, and to what it holds.
//!
//! The rules are those of `pygi-struct-marshal.c` (arguments) and `pygi-value.c` (contents). A
//! `GObject.Value` is passed itself; of anything else the type is guessed as PyGObject does, and a value
//! is made that lives until after the call: in the cells behind the pointer, where no allocation is
//! needed. Numbers, truth values and strings go in and out without a call of GObject's; a string is
//! borrowed, and GObject copies it when the value is copied.
//!
//! A `GValue` that a function gives away is not freed, as in PyGObject: `g_value_reset`, whose
//! annotation says that it gives one, returns its argument.

mod inward;
mod outward;

use std::ffi::c_void;

use super::scalar::BAIL;
use super::table::helpers;

type Object = *mut c_void;
type Cell = *mut u64;
type Desc = *const c_void;

helpers! {
    "in value" in_value(value: Object, cells: Cell, desc: Desc) -> i32, BAIL => inward::value;
    "drop value" drop_value(cells: Cell, desc: Desc) => inward::drop;
    "out value" out_value(cells: *const u64, desc: Desc) -> Object, std::ptr::null_mut() => outward::value;
    "unset value" unset_value(cell: Cell, desc: Desc) => unset;
}

/// `struct _GValue` (gvalue.h).
#[repr(C)]
#[derive(Clone, Copy)]
struct GValue {
    gtype: usize,
    data: [u64; 2],
}

/// Bytes of a value in an array of values.
pub const SIZE: usize = size_of::<GValue>();

/// The cell of the pointer, and the first of the value that is made here.
const POINTER: usize = 0;
const OWN: usize = 1;

/// Fundamental types, from gtype.h.
mod fundamental {
    const fn number(index: usize) -> usize {
        index << 2
    }
    pub const INTERFACE: usize = number(2);
    pub const BOOLEAN: usize = number(5);
    pub const INT: usize = number(6);
    pub const UINT: usize = number(7);
    pub const LONG: usize = number(8);
    pub const ULONG: usize = number(9);
    pub const INT64: usize = number(10);
    pub const UINT64: usize = number(11);
    pub const ENUM: usize = number(12);
    pub const FLAGS: usize = number(13);
    pub const FLOAT: usize = number(14);
    pub const DOUBLE: usize = number(15);
    pub const STRING: usize = number(16);
    pub const POINTER: usize = number(17);
    pub const BOXED: usize = number(18);
    pub const PARAM: usize = number(19);
    pub const OBJECT: usize = number(20);
    pub const VARIANT: usize = number(21);
}

/// What the steps of a value read.
pub struct ValueDesc {
    /// None is NULL.
    pub nullable: bool,
    /// The callee becomes the owner of what the value holds.
    pub given: bool,
    /// The value stands in memory of its own: for a callee that frees it, and for a container of
    /// pointers.
    pub apart: bool,
    /// What comes out does not outlive the value, so that a boxed one has to be copied.
    pub passing: bool,
    /// An empty one is PyGObject's to complain about: it copies values into arrays.
    pub typed: bool,
}

/// # Safety
/// `desc` is a value step's.
unsafe fn value_desc<'a>(desc: Desc) -> &'a ValueDesc {
    // SAFETY: by this function's contract; descriptors are never freed.
    unsafe { &*desc.cast::<ValueDesc>() }
}

/// Empties the value that the cell points to.
unsafe fn unset(cell: Cell, _: Desc) {
    // SAFETY: the cell points to a GValue that is ours.
    unsafe { unset_at(*cell as *mut GValue) }
}

/// # Safety
/// `value` is NULL or a GValue, set or zero, whose contents are ours.
unsafe fn unset_at(value: *mut GValue) {
    use fundamental::{BOOLEAN, DOUBLE, INT};
    // SAFETY: by this function's contract. Types that hold nothing have nothing to free.
    unsafe {
        if !value.is_null() && ![0, INT, BOOLEAN, DOUBLE].contains(&(*value).gtype) {
            (super::glib().g_value_unset)(value.cast());
        }
    }
}
