//! Bare pointers, and numbers that travel as pointers.
//!
//! The rules are those of `pygi-basictype.c`: an int is an address, a capsule without a name is what
//! it holds, and every pointer comes out as an int.

use std::ffi::c_void;

use gijit::plan::link::{InFn, Step};
use pyo3::ffi;

use super::scalar::{BAIL, CONVERTED, done, read_long};
use super::table::helpers;

type Object = *mut c_void;
type Cell = *mut u64;
type Desc = *const c_void;

helpers! {
    "in pointer" in_pointer(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => pointer::<false>;
    "in pointer nullable" in_pointer_nullable(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => pointer::<true>;
    /// A number in the place of a pointer.
    "in number as pointer" in_number(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => number;
    "out pointer" out_pointer(cell: *const u64, desc: Desc) -> Object, std::ptr::null_mut() => address;
}

/// What the step of a number that travels as a pointer reads.
pub struct NumberDesc {
    /// The number's own step.
    pub step: Step,
    /// Bytes of the number.
    pub size: u32,
}

unsafe fn pointer<const NULLABLE: bool>(value: Object, cell: Cell, _: Desc) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: a valid object, GIL held, the frame's cell. None of the types looked at runs user code.
    unsafe {
        if NULLABLE && value == ffi::Py_None() {
            return done(cell, 0);
        }
        if ffi::PyCapsule_CheckExact(value) != 0 {
            let address = ffi::PyCapsule_GetPointer(value, std::ptr::null());
            if address.is_null() {
                ffi::PyErr_Clear();
                return BAIL;
            }
            return done(cell, address as u64);
        }
        if ffi::PyLong_Check(value) == 0 {
            return BAIL;
        }
        match read_long(value) {
            Some(long) if long < 0 => match i64::try_from(long) {
                Ok(long) => done(cell, long as u64),
                Err(_) => BAIL,
            },
            Some(long) => done(cell, long as u64),
            None => BAIL,
        }
    }
}

unsafe fn number(value: Object, cell: Cell, desc: Desc) -> i32 {
    // SAFETY: the step has a NumberDesc, whose step is that of a number (`Linker::desc`); the rest is
    // this helper's own contract.
    unsafe {
        let desc = &*desc.cast::<NumberDesc>();
        let step = std::mem::transmute::<usize, InFn>(desc.step.address);
        if step(value, cell, desc.step.desc as Desc) != CONVERTED {
            return BAIL;
        }
        // PyGObject writes the number into a zeroed argument.
        let spare = u64::BITS - 8 * desc.size;
        done(cell, *cell << spare >> spare)
    }
}

unsafe fn address(cell: *const u64, _: Desc) -> Object {
    // SAFETY: a pointer in the cell, GIL held.
    unsafe { ffi::PyLong_FromVoidPtr(*cell as *mut c_void).cast() }
}
