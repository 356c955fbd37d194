//! The few functions of libgirepository that the callable objects themselves need.
//!
//! Taken from the copy of the library that PyGObject has loaded. Reading signatures is the core's
//! (`gijit::signature`).

use std::ffi::{c_char, c_int, c_void};

/// `GI_FUNCTION_IS_METHOD`.
pub const IS_METHOD: c_int = 1;
/// `GI_FUNCTION_IS_CONSTRUCTOR`.
pub const IS_CONSTRUCTOR: c_int = 2;

/// Functions on a `GIBaseInfo*`.
pub struct InfoApi {
    /// Takes a reference and returns its argument.
    pub info_ref: unsafe extern "C" fn(*mut c_void) -> *mut c_void,
    /// Borrowed.
    pub info_name: unsafe extern "C" fn(*mut c_void) -> *const c_char,
    /// Borrowed; NULL without one.
    pub info_container: unsafe extern "C" fn(*mut c_void) -> *mut c_void,
    pub function_flags: unsafe extern "C" fn(*mut c_void) -> c_int,
    /// The library that they come from.
    pub library: &'static str,
}

/// Looks the functions up.
pub fn load() -> Result<InfoApi, String> {
    use libloading::os::unix::{Library, RTLD_LAZY};
    const RTLD_NOLOAD: c_int = libc::RTLD_NOLOAD;
    for (library, prefix) in [
        ("libgirepository-1.0.so.1", "g_"),
        ("libgirepository-2.0.so.0", "gi_"),
    ] {
        // SAFETY: with RTLD_NOLOAD no initialiser runs.
        let Ok(found) = (unsafe { Library::open(Some(library), RTLD_LAZY | RTLD_NOLOAD) }) else {
            continue;
        };
        let symbol = |name: &str| -> Result<*mut c_void, String> {
            let name = format!("{prefix}{name}");
            // SAFETY: only the address is taken; its type is given below, from girepository.h.
            unsafe { found.get::<*mut c_void>(name.as_bytes()) }
                .map(|symbol| *symbol)
                .map_err(|error| format!("{library}: {error}"))
        };
        let (info_ref, info_name, info_container, function_flags) = (
            symbol("base_info_ref")?,
            symbol("base_info_get_name")?,
            symbol("base_info_get_container")?,
            symbol("function_info_get_flags")?,
        );
        // The addresses stay valid: PyGObject never unloads the library.
        std::mem::forget(found);
        // SAFETY: these are the C signatures of the four functions in both libraries.
        return Ok(unsafe {
            InfoApi {
                info_ref: std::mem::transmute::<*mut c_void, _>(info_ref),
                info_name: std::mem::transmute::<*mut c_void, _>(info_name),
                info_container: std::mem::transmute::<*mut c_void, _>(info_container),
                function_flags: std::mem::transmute::<*mut c_void, _>(function_flags),
                library,
            }
        });
    }
    Err("PyGObject has loaded neither libgirepository-1.0 nor girepository-2.0".to_owned())
}
