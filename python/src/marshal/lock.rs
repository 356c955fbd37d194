//! Leaving Python for a native function, and coming back.
//!
//! The function may call Python again, and that may call it again. CPython bounds such a recursion
//! where it calls objects without a vectorcall; callables with one do it themselves, or the C stack
//! overflows. A native function that runs with the interpreter lock held is proved not to call back,
//! so this counts where the lock is released.
//!
//! Whoever takes the lock does it through here: CPython may end the thread in that.

use std::ffi::{CStr, c_void};
use std::mem::transmute;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

use gijit::ended::{unseen, withstand};
use pyo3::ffi;

use crate::layout::Layout;

type RestoreThread = unsafe extern "C-unwind" fn(*mut ffi::PyThreadState);
type Ensure = unsafe extern "C-unwind" fn() -> ffi::PyGILState_STATE;
type Print = unsafe extern "C-unwind" fn();
/// `vectorcallfunc`, and `PyObject_Vectorcall`.
pub type Vectorcall = unsafe extern "C-unwind" fn(
    *mut ffi::PyObject,
    *const *mut ffi::PyObject,
    usize,
    *mut ffi::PyObject,
) -> *mut ffi::PyObject;

/// Takes the lock again that this thread has released.
///
/// # Safety
/// `state` is what releasing it gave.
pub unsafe fn retake(state: *mut ffi::PyThreadState) {
    // SAFETY: by this function's contract; a function of this type, but for how it may end.
    unsafe {
        let restore_thread: RestoreThread = transmute(unseen(ffi::PyEval_RestoreThread as _));
        withstand(|| restore_thread(state));
    }
}

/// Takes the lock, on whatever thread.
///
/// # Safety
/// There is an interpreter. What this gives is passed to `PyGILState_Release` in the same thread.
pub unsafe fn ensure() -> ffi::PyGILState_STATE {
    // SAFETY: as in `retake`.
    unsafe {
        let ensure: Ensure = transmute(unseen(ffi::PyGILState_Ensure as _));
        withstand(|| ensure())
    }
}

/// Calls a Python object.
///
/// # Safety
/// As `PyObject_Vectorcall`; the lock is held.
pub unsafe fn call(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
) -> *mut ffi::PyObject {
    // SAFETY: as in `retake`.
    unsafe {
        let vectorcall: Vectorcall = transmute(unseen(ffi::PyObject_Vectorcall as _));
        withstand(|| vectorcall(callable, args, nargsf, null_mut()))
    }
}

/// Prints the exception that is set.
///
/// # Safety
/// There is one; the lock is held.
pub unsafe fn print_exception() {
    // SAFETY: as in `retake`.
    unsafe {
        let print: Print = transmute(unseen(ffi::PyErr_Print as _));
        withstand(|| print());
    }
}

/// CPython's own words in that place.
pub const WHERE: &CStr = c" while calling a Python object";

/// Where in a `PyThreadState` the levels of recursion are counted that are left to its thread; 0 where
/// CPython has to be asked.
static LEFT: AtomicUsize = AtomicUsize::new(0);

/// To be called before any tier runs.
pub fn prepare(layout: &Layout) {
    LEFT.store(layout.levels_left, Ordering::Relaxed);
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
            retake(state);
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
        retake(thread.cast());
        match left(thread.cast()) {
            Some(left) => *left += 1,
            None => ffi::Py_LeaveRecursiveCall(),
        }
    }
}
