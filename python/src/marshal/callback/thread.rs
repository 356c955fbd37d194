//! The interpreter lock for whatever thread calls Python.
//!
//! A thread that Python has not started has no thread state. `PyGILState_Ensure` makes one and
//! `PyGILState_Release` frees it again, at each call of a callback: memory is mapped and unmapped, which
//! is most of a short callback. Here the state that the first callback of a thread gets stays until the
//! thread ends. What a callback leaves in it for itself (`threading.local`) goes when the callback has
//! returned, as if the state had gone.
//!
//! A thread that ends does not wait for the interpreter lock, because whoever has it may be waiting for
//! the thread. It leaves its state behind, and takes it out of the place where CPython looks for the
//! state of a thread: a key of pthreads, found by its value. The next thread that gets a lasting state
//! frees what was left behind.
//!
//! On CPython 3.12 and later, where a state can be freed by its own thread only, all is as before.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use gijit::ended::guarded;
use pyo3::ffi;
use pyo3::prelude::*;

use super::super::lock;
use super::super::table::report_panic;

/// Keys of pthreads are numbers below this (`PTHREAD_KEYS_MAX` of glibc and musl's 128 are not more).
const KEYS: libc::pthread_key_t = 1024;

/// Whether this CPython lets another thread free a thread state.
static SUPPORTED: AtomicBool = AtomicBool::new(false);

/// States of threads that have ended, and the process in which they did: a child has none of them.
static LEFT: Mutex<Vec<(u32, usize)>> = Mutex::new(Vec::new());

/// The state that a thread keeps.
struct Lasting {
    state: *mut ffi::PyThreadState,
    key: libc::pthread_key_t,
}

thread_local! {
    static LASTING: RefCell<Option<Lasting>> = const { RefCell::new(None) };
}

/// To be called before any callback is made.
pub fn prepare(py: Python<'_>) {
    SUPPORTED.store(py.version_info() < (3, 12), Ordering::Relaxed);
}

/// Runs `body` with the interpreter lock, unless there is no interpreter any more.
pub fn with_python(body: impl FnOnce()) {
    // SAFETY: may be asked at any time.
    if unsafe { ffi::Py_IsInitialized() } == 0 {
        return;
    }
    let lasting = keep_state();
    // SAFETY: the interpreter is there; released below, in the same thread.
    let state = unsafe { lock::ensure() };
    // SAFETY: the lock is held. Without a frame no callback is under way on this thread.
    let outermost = lasting && unsafe { ffi::PyEval_GetFrame() }.is_null();
    if guarded(body).is_err() {
        report_panic("callback");
    }
    // SAFETY: as above; the dict of the thread's state is borrowed, and NULL without memory.
    unsafe {
        if outermost {
            let dict = ffi::PyThreadState_GetDict();
            if !dict.is_null() {
                ffi::PyDict_Clear(dict);
            }
        }
        ffi::PyGILState_Release(state);
    }
}

/// Gives a thread that has no state one that lasts; whether it has one by now.
fn keep_state() -> bool {
    // While the thread ends, after its own state has gone, there is none to be kept.
    let kept = LASTING.try_with(|lasting| {
        let mut lasting = lasting.borrow_mut();
        // SAFETY: the interpreter is there (`with_python`).
        if lasting.is_none() && unsafe { ffi::PyGILState_GetThisThreadState() }.is_null() {
            *lasting = Lasting::new();
        }
        lasting.is_some()
    });
    kept.unwrap_or(false)
}

impl Lasting {
    fn new() -> Option<Self> {
        if !SUPPORTED.load(Ordering::Relaxed) {
            return None;
        }
        // SAFETY: the interpreter is there, and this thread has no state. The lock is given back, and
        // where the key is known, this one taking of it is never undone, so that the state stays.
        unsafe {
            let taken = lock::ensure();
            let state = ffi::PyThreadState_Get();
            match key_of(state) {
                Some(key) => {
                    free_those_left();
                    ffi::PyEval_SaveThread();
                    Some(Lasting { state, key })
                }
                None => {
                    ffi::PyGILState_Release(taken);
                    None
                }
            }
        }
    }
}

impl Drop for Lasting {
    /// The thread ends. The lock is not held.
    fn drop(&mut self) {
        // SAFETY: keys are numbers, of which any may be asked for. CPython has put the state there, and
        // nobody has put something else there since.
        unsafe {
            if libc::pthread_getspecific(self.key).cast() != self.state {
                return;
            }
            libc::pthread_setspecific(self.key, std::ptr::null());
        }
        let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
        left.push((std::process::id(), self.state as usize));
    }
}

/// The key under which CPython has the state of this thread, if it is the only one with that value.
fn key_of(state: *mut ffi::PyThreadState) -> Option<libc::pthread_key_t> {
    // SAFETY: a key that does not exist has no value.
    let mut keys =
        (0..KEYS).filter(|&key| unsafe { libc::pthread_getspecific(key) }.cast() == state);
    let key = keys.next()?;
    keys.next().is_none().then_some(key)
}

/// Frees the states of threads that have ended.
///
/// # Safety
/// The interpreter lock is held.
unsafe fn free_those_left() {
    let left = std::mem::take(&mut *LEFT.lock().unwrap_or_else(PoisonError::into_inner));
    for (process, state) in left {
        // In a child CPython has freed the states of all threads but one.
        if process == std::process::id() {
            let state = state as *mut ffi::PyThreadState;
            // SAFETY: the state of a thread that has ended, which is in no other list.
            unsafe {
                ffi::PyThreadState_Clear(state);
                ffi::PyThreadState_Delete(state);
            }
        }
    }
}
