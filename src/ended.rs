//! Threads that the host ends in the middle of a call.
//!
//! CPython up to 3.13 ends a thread that asks for the interpreter lock while the interpreter goes, with
//! `pthread_exit`. That unwinds the stack of the thread, and at a frame of Rust's that catches panics,
//! or knows that nothing is thrown there, it aborts the process. A call out of which the thread may be
//! ended is made through [`withstand`]. The thread then sleeps until the process has ended, which is
//! what CPython does with such threads from 3.14 on.
//!
//! The function that is called has a type of the ABI `C-unwind`, and an address that the compiler does
//! not see through ([`unseen`]): to LLVM a name is one function, and other crates declare these as ones
//! that do not unwind.
//!
//! Absent: which calls these are (the host, and tier 0 for native functions).

use std::any::Any;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// Runs `body`, which C has called, and gives a panic as an error. Never returns where the thread is
/// ended in it.
///
/// # Errors
/// What [`catch_unwind`] gives.
pub fn guarded<T>(body: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(|| withstand(body)))
}

/// The address of `function`, for a function type of the ABI `C-unwind`.
pub fn unseen(function: *const ()) -> *const () {
    black_box(function)
}

/// Runs `call`, and never returns where the thread is ended in it. A panic passes through.
pub fn withstand<T>(call: impl FnOnce() -> T) -> T {
    struct Ended;
    impl Drop for Ended {
        fn drop(&mut self) {
            while !std::thread::panicking() {
                std::thread::sleep(Duration::from_secs(3600));
            }
        }
    }
    let ended = Ended;
    let result = call();
    std::mem::forget(ended);
    result
}
