//! What libgirepository says about arrays, lists and hash tables.

use std::ffi::c_int;

use super::{Girepository, Info, Version};

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
        self.index(
            ty,
            "g_type_info_get_array_length",
            "gi_type_info_get_array_length_index",
        )
    }

    /// `GIArrayType`, whether a zero item ends the array, and its fixed number of items.
    pub unsafe fn array_facts(&self, ty: Info) -> (c_int, bool, Option<usize>) {
        let fixed = self.array_fixed_size(ty);
        // SAFETY: contract of this block.
        unsafe {
            (
                (self.functions.type_array_type)(ty),
                (self.functions.type_zero_terminated)(ty) != 0,
                fixed,
            )
        }
    }

    /// The type that a container is of, by position.
    pub unsafe fn type_parameter(&self, container: Info, index: usize) -> Option<Info> {
        // SAFETY: contract of this block.
        let info = unsafe { (self.functions.type_parameter)(container, index as c_int) };
        (!info.is_null()).then_some(info)
    }

    fn array_fixed_size(&self, ty: Info) -> Option<usize> {
        match self.version {
            Version::One => self.index(ty, "g_type_info_get_array_fixed_size", ""),
            Version::Two => {
                let address = (self.find)("gi_type_info_get_array_fixed_size")?;
                // SAFETY: the C function has this signature in 2.0.
                let get: unsafe extern "C" fn(Info, *mut usize) -> c_int =
                    unsafe { std::mem::transmute(address) };
                let mut size = 0;
                // SAFETY: contract of this block.
                (unsafe { get(ty, &mut size) } != 0).then_some(size)
            }
        }
    }
}
