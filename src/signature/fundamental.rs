//! The functions by which a fundamental type that is no GObject counts references.

use std::ffi::c_void;

use super::girepository::library::functions;
use super::girepository::{Girepository, Info};

/// `GIObjectInfoRefFunction` and `GIObjectInfoUnrefFunction`.
type Reference = Option<unsafe extern "C" fn(*mut c_void) -> *mut c_void>;
type Unreference = Option<unsafe extern "C" fn(*mut c_void)>;

functions! {
    /// The functions that find them, in the type's own info or that of a parent.
    Pointers {
        reference: "g_object_info_get_ref_function_pointer" / "gi_object_info_get_ref_function_pointer" fn(Info) -> Reference;
        unreference: "g_object_info_get_unref_function_pointer" / "gi_object_info_get_unref_function_pointer" fn(Info) -> Unreference;
    }
}

/// How references on the instances of one type are counted; `None` where the type says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Counting {
    pub reference: Reference,
    pub unreference: Unreference,
}

impl Counting {
    /// How the object type `info` counts.
    ///
    /// # Errors
    /// The function that libgirepository lacks.
    ///
    /// # Safety
    /// `info` is a valid object info of `repository`.
    pub unsafe fn of(repository: &Girepository, info: Info) -> Result<Self, String> {
        let pointers = Pointers::resolve(&repository.library)?;
        // SAFETY: by this function's contract.
        unsafe {
            Ok(Counting {
                reference: (pointers.reference)(info),
                unreference: (pointers.unreference)(info),
            })
        }
    }
}
