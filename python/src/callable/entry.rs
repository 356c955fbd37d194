//! What a slot points to where there is no machine code: the first call, tier 0, and PyGObject.
//!
//! Each is a vectorcall function. [`shim`] is the one place where a panic is turned into a Python
//! exception; nothing here lets one pass into C.

use std::any::Any;
use std::ptr::null_mut;

use gijit::ended::{guarded, withstand};
use gijit::stats::Handed;
use pyo3::ffi;

use super::object::tail;
use crate::embed::{engine, sample};
use crate::marshal::lock;

/// Runs the body of a function that C calls. A panic becomes a `SystemError`.
pub fn shim(body: impl FnOnce() -> *mut ffi::PyObject) -> *mut ffi::PyObject {
    guarded(body).unwrap_or_else(|panic| {
        let message = format!("gijit: internal error: {}\0", panic_text(panic.as_ref()));
        // SAFETY: C calls these bodies with the interpreter lock held; the message ends in a NUL.
        unsafe { ffi::PyErr_SetString(ffi::PyExc_SystemError, message.as_ptr().cast()) };
        null_mut()
    })
}

/// The message of a panic.
pub fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("panic without a message")
}

/// The slot of a new callable: finds out how it can be called and does it.
pub unsafe extern "C" fn first_call(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython's vectorcall contract; only our unbound callables have this slot.
    shim(|| unsafe { engine::first_call(callable, args, nargsf, kwnames) })
}

/// The slot of a deprecated callable that has been resolved and not called.
pub unsafe extern "C" fn deprecated_call(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython's vectorcall contract; only resolved callables have this slot.
    shim(|| unsafe { engine::first_deprecated_call(callable, args, nargsf, kwnames) })
}

/// The slot of a callable at tier 0, and what the thunks of the higher tiers bail to.
pub unsafe extern "C" fn tier0_call(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython's vectorcall contract; only resolved callables have this slot.
    shim(|| unsafe { engine::call_tier0(callable, args, nargsf, kwnames) })
}

/// The slot of a rejected callable.
pub unsafe extern "C" fn pygobject_call(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython's vectorcall contract; only our callables have this slot.
    shim(|| unsafe { engine::call_pygobject(callable, args, nargsf, kwnames, Handed::Rejected) })
}

/// The slot of a resolved callable while calls are timed.
pub unsafe extern "C" fn sampled_call(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython's vectorcall contract; only resolved callables have this slot.
    shim(|| unsafe { sample::call(callable, args, nargsf, kwnames) })
}

/// The slot of a rejected callable while calls are timed.
pub unsafe extern "C" fn sampled_pygobject_call(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython's vectorcall contract; only our callables have this slot.
    shim(|| unsafe { sample::call_rejected(callable, args, nargsf, kwnames) })
}

/// What emitted code calls when its budget is used up.
pub unsafe extern "C" fn promote(callable: *mut ffi::PyObject) {
    // SAFETY: thunks pass the callable that they were entered for, with the interpreter lock held.
    shim_void(|| unsafe { engine::promote(callable) });
}

/// What emitted code enters when a guard has failed.
pub unsafe extern "C" fn deopt(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: thunks pass on what they were entered with, with the interpreter lock held.
    shim(|| unsafe { engine::deopt(callable, args, nargsf, kwnames) })
}

/// As [`shim`] for a body that cannot raise: a panic is reported and the call goes on.
fn shim_void(body: impl FnOnce()) {
    if let Err(panic) = guarded(body) {
        gijit::trace::warn(&format!("internal error: {}", panic_text(panic.as_ref())));
    }
}

/// Enters what the slot points to now.
///
/// # Safety
/// `callable` is one of ours; the rest is a vectorcall's arguments; the interpreter lock is held.
pub unsafe fn enter(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's; the slot holds a vectorcall function (`Tail`).
    unsafe {
        let slot = tail(callable)
            .slot
            .load(std::sync::atomic::Ordering::Acquire);
        enter_at(slot, callable, args, nargsf, kwnames)
    }
}

/// Enters the code at `entry`.
///
/// # Safety
/// As [`enter`]; `entry` is a vectorcall function of the callable's.
pub unsafe fn enter_at(
    entry: usize,
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's.
    unsafe {
        let entry: lock::Vectorcall = std::mem::transmute(entry);
        withstand(|| entry(callable, args, nargsf, kwnames))
    }
}
