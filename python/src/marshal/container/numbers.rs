//! Lists of the numbers in an array: a loop for each type of number, because a look at the descriptor
//! for each item takes longer than the item.

use gijit::ir::AbiType;
use gijit::plan::Conv;
use pyo3::ffi;

use super::outward::Items;
use super::{FAILED, Object};
use crate::marshal::outward::{double, float, int};

/// What numbers the items of this conversion are, if they are any.
pub fn of(conv: &Conv) -> Option<AbiType> {
    match conv {
        Conv::Integer(_) | Conv::Float | Conv::Double => Some(conv.abi()),
        _ => None,
    }
}

/// A list of `items`, which are of type `abi`; NULL with an exception set.
///
/// # Safety
/// Such items are there; the GIL is held.
pub(super) unsafe fn list(items: &Items, abi: AbiType) -> Object {
    use AbiType::{F32, F64, I8, I16, I32, I64, Ptr, U8, U16, U32, U64};
    let none = std::ptr::null();
    // SAFETY: by this function's contract, of one item.
    unsafe {
        match abi {
            I8 => filled(items, |place| int(place, I8)),
            U8 => filled(items, |place| int(place, U8)),
            I16 => filled(items, |place| int(place, I16)),
            U16 => filled(items, |place| int(place, U16)),
            I32 => filled(items, |place| int(place, I32)),
            U32 => filled(items, |place| int(place, U32)),
            I64 => filled(items, |place| int(place, I64)),
            U64 | Ptr => filled(items, |place| int(place, U64)),
            F32 => filled(items, |place| float(place, none)),
            F64 => filled(items, |place| double(place, none)),
        }
    }
}

/// A list of what `object` makes of each item.
///
/// # Safety
/// As for [`list`].
#[inline]
unsafe fn filled(items: &Items, object: impl Fn(*const u64) -> Object) -> Object {
    // SAFETY: by this function's contract; the list's places are set once each.
    unsafe {
        let list = ffi::PyList_New(items.len as isize);
        if list.is_null() {
            return FAILED;
        }
        for index in 0..items.len {
            let item = object(items.data.add(index * items.stride).cast());
            if item.is_null() {
                ffi::Py_DECREF(list);
                return FAILED;
            }
            ffi::PyList_SET_ITEM(list, index as isize, item.cast());
        }
        list.cast()
    }
}
