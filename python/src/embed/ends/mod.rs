//! The end of wrappers of structs, of `GLib.Variant` and of GObjects.
//!
//! PyGObject asks the class of each struct that goes for its `__info__`, by a new string, to see
//! whether a foreign module frees it. `GLib.Variant.__del__` is a function in Python around
//! `self.unref()`. A GObject is told the class of its wrapper, in memory of its own, in case it gets
//! another one, and frees that again even when it ends at that moment. `structs` and `objects` give
//! `gi.Struct` and `gi.GObject` a `tp_dealloc` without these detours, `variants` gives a class like
//! Variant a `tp_finalize` that calls the same `unref`. They are a third of the life of a small
//! variant and a fifth of that of a small GObject. A `tp_clear` beside it lets the table of wrappers
//! (`marshal/wrapper.rs`) know when one loses its object.
//!
//! Invariants: no attribute of a class or an object changes, so there is nothing to see. What is not
//! as PyGObject makes it goes to the functions that were there. When a program sets `__del__` of a
//! class, CPython writes that class's `tp_finalize` anew and ours is gone; a class derived in Python
//! gets CPython's.
//!
//! Not here: boxed values, which PyGObject ends without a detour.

mod objects;
mod structs;
mod variants;

use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::prelude::*;
use pyo3::types::PyType;

/// A function of ours, of type `F`, that stands in a slot of types for PyGObject's or CPython's.
struct Replacement<F> {
    ours: F,
    /// What was there; written before ours is in any slot.
    stock: AtomicUsize,
}

impl<F: Copy> Replacement<F> {
    const fn new(ours: F) -> Self {
        Replacement {
            ours,
            stock: AtomicUsize::new(0),
        }
    }

    fn address(function: F) -> usize {
        const { assert!(size_of::<F>() == size_of::<usize>()) };
        // SAFETY: `F` is a type of function pointers.
        unsafe { std::mem::transmute_copy(&function) }
    }

    fn is_in(&self, slot: Option<F>) -> bool {
        slot.is_some_and(|found| Self::address(found) == Self::address(self.ours))
    }

    /// Puts ours into `slot`, unless there stands something else than in the slots before.
    ///
    /// # Safety
    /// A slot of a type that may be written; the interpreter lock is held.
    unsafe fn put(&self, slot: &mut Option<F>) {
        let Some(before) = *slot else {
            return;
        };
        let before = Self::address(before);
        let stock = self.stock.load(Ordering::Relaxed);
        if !self.is_in(*slot) && (stock == 0 || stock == before) {
            self.stock.store(before, Ordering::Relaxed);
            *slot = Some(self.ours);
        }
    }

    /// Takes ours out of `slot`, if it is there.
    ///
    /// # Safety
    /// As for [`Self::put`].
    unsafe fn take_out(&self, slot: &mut Option<F>) {
        if self.is_in(*slot) {
            // SAFETY: ours is in the slot.
            *slot = Some(unsafe { self.stock() });
        }
    }

    /// What ours stands for.
    ///
    /// # Safety
    /// Ours has been in a slot.
    unsafe fn stock(&self) -> F {
        // SAFETY: by this function's contract `put` has stored a function of this type.
        unsafe { std::mem::transmute_copy(&self.stock.load(Ordering::Relaxed)) }
    }
}

/// Takes what is ours out of the slots of `class`.
#[pyfunction]
fn unquicken_end(class: &Bound<'_, PyType>) {
    // SAFETY: a type object whose slots may be written where ours is in them; the interpreter lock is
    // held.
    unsafe {
        let ty = &mut *class.as_type_ptr();
        structs::DEALLOC.take_out(&mut ty.tp_dealloc);
        objects::take_out(ty);
        variants::FINALIZE.take_out(&mut ty.tp_finalize);
    }
}

/// Registers the functions of this module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(structs::quicken_structs, module)?)?;
    module.add_function(wrap_pyfunction!(objects::quicken_objects, module)?)?;
    module.add_function(wrap_pyfunction!(variants::quicken_del, module)?)?;
    module.add_function(wrap_pyfunction!(unquicken_end, module)?)
}
