//! Reading Python sequences without running user code.

use pyo3::ffi;

use super::buffer::exports;

/// A list, a tuple, or a tuple of the items of something else. Items are borrowed, and only valid
/// while the GIL is held.
pub struct Sequence {
    items: *mut ffi::PyObject,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Tuple,
    /// A tuple that is ours.
    Made,
}

/// Whether `ty` reads items and length as `base` does.
///
/// # Safety
/// Both are ready types, `base` a sequence.
unsafe fn reads_as(ty: *mut ffi::PyTypeObject, base: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: by this function's contract.
    unsafe {
        if ty == base {
            return true;
        }
        let (own, base) = ((*ty).tp_as_sequence, (*base).tp_as_sequence);
        let slots = |methods: *mut ffi::PySequenceMethods| {
            let item = (*methods).sq_item.map_or(0, |slot| slot as usize);
            let length = (*methods).sq_length.map_or(0, |slot| slot as usize);
            (item, length)
        };
        !own.is_null() && slots(own) == slots(base)
    }
}

impl Sequence {
    /// The sequence that `object` is; `None` for all that could run user code.
    ///
    /// # Safety
    /// A valid object, GIL held.
    pub unsafe fn of(object: *mut ffi::PyObject) -> Option<Self> {
        // SAFETY: by this function's contract.
        unsafe {
            let ty = ffi::Py_TYPE(object);
            let found = |items, kind| Some(Sequence { items, kind });
            if ffi::PyList_Check(object) != 0 && reads_as(ty, &raw mut ffi::PyList_Type) {
                return found(object, Kind::List);
            }
            if ffi::PyTuple_Check(object) != 0 && reads_as(ty, &raw mut ffi::PyTuple_Type) {
                return found(object, Kind::Tuple);
            }
            let text = ffi::PyUnicode_CheckExact(object) != 0;
            let built_in = text || ffi::PyRange_Check(object) != 0 || exports(object);
            if !built_in || ffi::PySequence_Check(object) == 0 {
                return None;
            }
            let tuple = ffi::PySequence_Tuple(object);
            if tuple.is_null() {
                // A memoryview of more than one dimension, for one.
                ffi::PyErr_Clear();
                return None;
            }
            found(tuple, Kind::Made)
        }
    }

    pub fn len(&self) -> usize {
        // SAFETY: made by `of`, whose object is valid; GIL held.
        unsafe {
            match self.kind {
                Kind::List => ffi::PyList_GET_SIZE(self.items) as usize,
                Kind::Tuple | Kind::Made => ffi::PyTuple_GET_SIZE(self.items) as usize,
            }
        }
    }

    /// A borrowed item.
    ///
    /// # Safety
    /// `index` is below `len()`, the GIL is held.
    pub unsafe fn get(&self, index: usize) -> *mut ffi::PyObject {
        // SAFETY: by this function's contract.
        unsafe {
            match self.kind {
                Kind::List => ffi::PyList_GET_ITEM(self.items, index as isize),
                Kind::Tuple | Kind::Made => ffi::PyTuple_GET_ITEM(self.items, index as isize),
            }
        }
    }

    /// The same items, in a tuple of our own when the sequence is one whose items can go while the
    /// object stays that it was made of; `None` when there is no memory.
    ///
    /// # Safety
    /// The GIL is held.
    pub unsafe fn pinned(self) -> Option<Self> {
        if self.kind != Kind::List {
            return Some(self);
        }
        // SAFETY: a list; GIL held.
        let tuple = unsafe { ffi::PyList_AsTuple(self.items) };
        if tuple.is_null() {
            // SAFETY: the GIL is held.
            unsafe { ffi::PyErr_Clear() };
            return None;
        }
        Some(Sequence {
            items: tuple,
            kind: Kind::Made,
        })
    }

    /// How many references keep its items, where something `borrows` from them: the items of a list,
    /// which may change, or the tuple that is ours.
    pub fn held(&self, borrows: bool) -> usize {
        match self.kind {
            Kind::List if borrows => self.len(),
            Kind::Made => 1,
            Kind::List | Kind::Tuple => 0,
        }
    }

    /// Writes these references, which are new or were its own.
    ///
    /// # Safety
    /// `places` has room for [`Self::held`] references, which are not 0; the GIL is held.
    pub unsafe fn hold(self, places: *mut *mut ffi::PyObject) {
        // SAFETY: by this function's contract.
        unsafe {
            if self.kind == Kind::List {
                for index in 0..self.len() {
                    places.add(index).write(ffi::Py_NewRef(self.get(index)));
                }
            } else if let Some(tuple) = self.into_made() {
                places.write(tuple);
            }
        }
    }

    /// The tuple of ours, if it is one, with its reference.
    pub fn into_made(self) -> Option<*mut ffi::PyObject> {
        let sequence = std::mem::ManuallyDrop::new(self);
        (sequence.kind == Kind::Made).then_some(sequence.items)
    }
}

impl Drop for Sequence {
    fn drop(&mut self) {
        if self.kind == Kind::Made {
            // SAFETY: `of` made it; sequences are dropped in the step that made them, GIL held.
            unsafe { ffi::Py_DECREF(self.items) };
        }
    }
}
