//! Native functions by which C enters the host: libffi closures.
//!
//! An [`EntryType`] describes the C signature once; a [`NativeEntry`] is one function of it, with a
//! pointer of the host's. What an entered function does is the host's handler.

use std::ffi::c_void;

use gijit::ir::AbiType;
use libffi::low::{self, ffi_cif, ffi_type};

use super::ffi;

/// What runs when C calls the function: the place of the result, the addresses of the arguments, and
/// the host's pointer. Integers narrower than a word are written as a word.
pub type Handler =
    unsafe extern "C" fn(*mut c_void, *mut c_void, *const *const c_void, *mut c_void);

/// The C signature of functions that enter the host.
pub struct EntryType {
    /// In a box of its own: closures point to it.
    cif: Box<ffi_cif>,
    /// What `cif` points into.
    _types: Box<[*mut ffi_type]>,
    handler: Handler,
}

/// One function. Never freed by itself: [`NativeEntry::free`].
#[derive(Clone, Copy, Debug)]
pub struct NativeEntry {
    closure: *mut low::ffi_closure,
    /// What C calls.
    pub code: usize,
}

impl EntryType {
    /// Describes functions of these C types, which run `handler`.
    ///
    /// # Errors
    /// libffi's words when it cannot describe them on this ABI.
    pub fn new(
        args: &[AbiType],
        result: Option<AbiType>,
        handler: Handler,
    ) -> Result<Self, String> {
        let mut types: Box<[*mut ffi_type]> = args.iter().map(|abi| ffi(*abi)).collect();
        let result = result.map_or(&raw mut low::types::void, ffi);
        let mut cif = Box::new(ffi_cif::default());
        // SAFETY: `types` holds one valid type per argument and lives as long as the cif.
        unsafe {
            low::prep_cif(
                &mut *cif,
                low::ffi_abi_FFI_DEFAULT_ABI,
                types.len(),
                result,
                types.as_mut_ptr(),
            )
        }
        .map_err(|error| format!("libffi cannot describe the callback: {error:?}"))?;
        Ok(EntryType {
            cif,
            _types: types,
            handler,
        })
    }

    /// A new function that passes `data` to the handler; `None` when there is no memory for it.
    ///
    /// # Safety
    /// `data` is what the handler expects, whenever C calls the function.
    pub unsafe fn entry(&'static self, data: *mut c_void) -> Option<NativeEntry> {
        let (closure, code) = low::try_closure_alloc()?;
        // SAFETY: closure and code belong together; the cif lives for ever, and the handler has the
        // signature of a closure's function.
        let status = unsafe {
            libffi::raw::ffi_prep_closure_loc(
                closure,
                (&raw const *self.cif).cast_mut(),
                Some(std::mem::transmute::<Handler, low::RawCallback>(
                    self.handler,
                )),
                data,
                code.as_mut_ptr(),
            )
        };
        let entry = NativeEntry {
            closure,
            code: code.as_ptr() as usize,
        };
        if status != libffi::raw::ffi_status_FFI_OK {
            // SAFETY: just made, known to nobody.
            unsafe { entry.free() };
            return None;
        }
        Some(entry)
    }
}

impl NativeEntry {
    /// Gives the function's memory back. It may be running: libffi looks at a closure before the
    /// handler and not after it.
    ///
    /// # Safety
    /// C does not call the function any more.
    pub unsafe fn free(self) {
        // SAFETY: made by `try_closure_alloc`, freed once.
        unsafe { low::closure_free(self.closure) }
    }
}
