//! Leaving Python for a native function, and coming back.
//!
//! The function may call Python again, and that may call it again. CPython bounds such a recursion
//! where it calls objects without a vectorcall; callables with one do it themselves, or the C stack
//! overflows. A native function that runs with the interpreter lock held is proved not to call back,
//! so this counts where the lock is released.

use std::ffi::{CStr, c_void};
use std::ptr::null_mut;

use pyo3::ffi;

/// CPython's own words in that place.
pub const WHERE: &CStr = c" while calling a Python object";

/// Enters one more level of recursion and releases the interpreter lock. NULL, with nothing done,
/// when that is too deep.
pub unsafe extern "C" fn save_thread() -> *mut c_void {
    // SAFETY: the tiers call this with the interpreter lock held; the text is static.
    unsafe {
        if ffi::Py_EnterRecursiveCall(WHERE.as_ptr()) != 0 {
            // PyGObject's invocation, which the call comes to now, raises it again.
            ffi::PyErr_Clear();
            return null_mut();
        }
        ffi::PyEval_SaveThread().cast()
    }
}

/// Takes back what [`save_thread`] did.
pub unsafe extern "C" fn restore_thread(thread: *mut c_void) {
    // SAFETY: what `save_thread` gave, which was not NULL, on the same thread.
    unsafe {
        ffi::PyEval_RestoreThread(thread.cast());
        ffi::Py_LeaveRecursiveCall();
    }
}
