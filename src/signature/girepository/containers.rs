//! What libgirepository says about arrays, lists and hash tables.

use std::ffi::c_int;

use super::{Girepository, Info};

/// What type infos of containers say.
///
/// # Safety
/// Every method's info is a valid type info of a container; returned infos are new references.
#[allow(
    clippy::missing_safety_doc,
    reason = "the impl block's own section holds for all"
)]
impl Girepository {
    /// Index of the argument that holds an array's length.
    pub unsafe fn array_length(&self, ty: Info) -> Option<usize> {
        // SAFETY: contract of this block.
        unsafe { self.differing.length(ty) }
    }

    /// `GIArrayType`, whether a zero item ends the array, and its fixed number of items.
    pub unsafe fn array_facts(&self, ty: Info) -> (c_int, bool, Option<usize>) {
        // SAFETY: contract of this block.
        unsafe {
            (
                (self.functions.type_array_type)(ty),
                (self.functions.type_zero_terminated)(ty) != 0,
                self.differing.fixed_size(ty),
            )
        }
    }

    /// The type that a container is of, by position.
    pub unsafe fn type_parameter(&self, container: Info, index: usize) -> Option<Info> {
        // SAFETY: contract of this block.
        let info = unsafe { (self.functions.type_parameter)(container, index as c_int) };
        (!info.is_null()).then_some(info)
    }
}
