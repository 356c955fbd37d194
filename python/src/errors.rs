//! The exception that is set while other code runs. Raising one is whoever's it is.

use std::ptr::null_mut;

use pyo3::ffi;

/// Runs `body`, which leaves no exception, without the one that is set, which is set again afterwards.
///
/// # Safety
/// The interpreter lock is held.
#[allow(
    deprecated,
    reason = "what replaces these functions is there from CPython 3.12 on"
)]
pub unsafe fn kept(body: impl FnOnce()) {
    let (mut kind, mut value, mut traceback) = (null_mut(), null_mut(), null_mut());
    // SAFETY: the caller's; what was fetched is given back.
    unsafe {
        ffi::PyErr_Fetch(&mut kind, &mut value, &mut traceback);
        body();
        ffi::PyErr_Restore(kind, value, traceback);
    }
}
