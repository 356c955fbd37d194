//! The synchronisation types of the slot protocol: the standard ones, or loom's under `cfg(loom)`,
//! where `tests/loom_slot.rs` tries every interleaving.
//!
//! Only what takes part in publishing, entering, withdrawing and detaching a thunk uses these;
//! counters and the compile queue use `std` directly.

#[cfg(loom)]
pub use loom::sync::{Mutex, MutexGuard, atomic::AtomicUsize};
#[cfg(not(loom))]
pub use std::sync::{Mutex, MutexGuard, atomic::AtomicUsize};

/// Locks, whether or not a thread has panicked with the lock held: the data behind every mutex of
/// this crate is consistent between statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// [`lock`] for a mutex that is the standard one under loom too.
pub(crate) fn lock_std<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
