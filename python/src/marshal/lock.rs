//! Leaving Python for a native function, and coming back.
//!
//! The function may call Python again, and that may call it again. CPython bounds such a recursion
//! where it calls objects without a vectorcall; callables with one do it themselves, or the C stack
//! overflows. A native function that runs with the interpreter lock held is proved not to call back,
//! so this counts where the lock is released.

use std::ffi::{CStr, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::ffi;

use crate::layout::{LEVELS_LEFT, Layout};

/// CPython's own words in that place.
pub const WHERE: &CStr = c" while calling a Python object";

/// Where in a `PyThreadState` the levels of recursion are counted that are left to its thread; 0 where
/// CPython has to be asked.
static LEFT: AtomicUsize = AtomicUsize::new(0);

/// To be called before any tier runs.
pub fn prepare(layout: &Layout) {
    if layout.levels_counted {
        LEFT.store(LEVELS_LEFT, Ordering::Relaxed);
    }
}

/// The levels that are left to the thread of `state`, where they can be counted here.
///
/// # Safety
/// `state` is the calling thread's; the result is not used for longer than that exists.
unsafe fn left<'a>(state: *mut ffi::PyThreadState) -> Option<&'a mut i32> {
    match LEFT.load(Ordering::Relaxed) {
        0 => None,
        // SAFETY: the layout has been probed; only its own thread uses the count.
        offset => Some(unsafe { &mut *state.cast::<u8>().add(offset).cast::<i32>() }),
    }
}

/// Enters one more level of recursion and releases the interpreter lock. NULL, with nothing done,
/// when that is too deep.
pub unsafe extern "C" fn save_thread() -> *mut c_void {
    // SAFETY: the tiers call this with the interpreter lock held; the text is static.
    unsafe {
        if LEFT.load(Ordering::Relaxed) != 0 {
            let state = ffi::PyEval_SaveThread();
            if let Some(left) = left(state)
                && *left > 0
            {
                *left -= 1;
                return state.cast();
            }
            ffi::PyEval_RestoreThread(state);
        }
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
        match left(thread.cast()) {
            Some(left) => *left += 1,
            None => ffi::Py_LeaveRecursiveCall(),
        }
    }
}
