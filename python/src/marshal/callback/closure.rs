//! A native function with the Python callable behind it, and how long it lives.
//!
//! Closures of one kind are used again: a free one keeps its native function, so that making one is a
//! matter of filling fields. All fields are read and written with the interpreter lock held, and a
//! closure that is released while it runs goes when it has returned.

use std::ffi::c_void;
use std::ptr::null_mut;

use gijit::signature::Scope;
use gijit_interp::NativeEntry;
use pyo3::ffi;

use super::kind::Kind;
use super::thread::with_python;
use crate::errors;

/// The free closures that a kind keeps at most.
const KEPT: usize = 64;

/// A Python callable that C can call.
pub struct Closure {
    pub kind: &'static Kind,
    pub scope: Scope,
    /// A reference, or NULL when the closure is free.
    pub function: *mut ffi::PyObject,
    /// A tuple, or NULL where the call took no user data.
    pub user_data: *mut ffi::PyObject,
    native: Option<NativeEntry>,
    /// Invocations in progress.
    running: u32,
    /// Released while it ran.
    released: bool,
}

impl Closure {
    /// A closure of `function`; takes over the reference to `user_data`. `None` when there is no
    /// memory for a native function.
    ///
    /// # Safety
    /// Valid objects, `user_data` a tuple or NULL; the interpreter lock is held.
    pub unsafe fn make(
        kind: &'static Kind,
        scope: Scope,
        function: *mut ffi::PyObject,
        user_data: *mut ffi::PyObject,
    ) -> Option<*mut Closure> {
        // SAFETY: by this function's contract; a free closure is known to nobody else.
        unsafe {
            let closure = match kind.take() {
                Some(closure) => closure,
                None => Self::new(kind)?,
            };
            (*closure).scope = scope;
            (*closure).function = ffi::Py_NewRef(function);
            (*closure).user_data = user_data;
            Some(closure)
        }
    }

    fn new(kind: &'static Kind) -> Option<*mut Closure> {
        let closure = Box::into_raw(Box::new(Closure {
            kind,
            scope: Scope::Call,
            function: null_mut(),
            user_data: null_mut(),
            native: None,
            running: 0,
            released: false,
        }));
        // SAFETY: just made, known to nobody else; the handler expects a closure.
        unsafe {
            let native = kind.entry_type().entry(closure.cast());
            if native.is_none() {
                drop(Box::from_raw(closure));
                return None;
            }
            (*closure).native = native;
        }
        Some(closure)
    }

    /// What C calls.
    pub fn code(&self) -> usize {
        self.native.map_or(0, |native| native.code)
    }

    /// An invocation begins.
    ///
    /// # Safety
    /// The interpreter lock is held.
    pub unsafe fn begin(closure: *mut Closure) {
        // SAFETY: by this function's contract.
        unsafe { (*closure).running += 1 }
    }

    /// An invocation has ended.
    ///
    /// # Safety
    /// As for [`Self::begin`], once for each.
    pub unsafe fn end(closure: *mut Closure) {
        // SAFETY: by this function's contract.
        unsafe {
            (*closure).running -= 1;
            if (*closure).running == 0 && (*closure).released {
                Self::recycle(closure);
            }
        }
    }

    /// C will not call it again.
    ///
    /// # Safety
    /// The interpreter lock is held; whoever owns the closure does this once.
    pub unsafe fn release(closure: *mut Closure) {
        // SAFETY: by this function's contract.
        unsafe {
            match (*closure).running {
                // C has called an asynchronous callback again.
                _ if (*closure).function.is_null() => {}
                0 => Self::recycle(closure),
                _ => (*closure).released = true,
            }
        }
    }

    /// # Safety
    /// As for [`Self::release`], and no invocation is in progress.
    unsafe fn recycle(closure: *mut Closure) {
        // SAFETY: by this function's contract. Dropping the references may run Python, which may take
        // the closure into use again: the fields have been emptied before. An exception that is set
        // stays set.
        unsafe {
            let function = std::mem::replace(&mut (*closure).function, null_mut());
            let user_data = std::mem::replace(&mut (*closure).user_data, null_mut());
            (*closure).released = false;
            if !(*closure).kind.put(closure, KEPT) {
                if let Some(native) = (*closure).native {
                    native.free();
                }
                drop(Box::from_raw(closure));
            }
            errors::kept(|| {
                ffi::Py_XDECREF(function);
                ffi::Py_XDECREF(user_data);
            });
        }
    }
}

/// The destroy notify of a callback without user data.
pub extern "C" fn leave(_: *mut c_void) {}

/// The destroy notify that C gets: `data` is the closure.
pub unsafe extern "C" fn destroy(data: *mut c_void) {
    with_python(|| {
        // SAFETY: C calls it once, when it has done with the closure that it got with it.
        unsafe { Closure::release(data.cast()) }
    });
}
