//! Reading Python sequences without running user code.

use pyo3::ffi;

/// A list or a tuple. Items are borrowed, and only valid while the GIL is held.
#[derive(Clone, Copy)]
pub enum Sequence {
    List(*mut ffi::PyObject),
    Tuple(*mut ffi::PyObject),
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
            if ffi::PyList_Check(object) != 0 && reads_as(ty, &raw mut ffi::PyList_Type) {
                return Some(Sequence::List(object));
            }
            if ffi::PyTuple_Check(object) != 0 && reads_as(ty, &raw mut ffi::PyTuple_Type) {
                return Some(Sequence::Tuple(object));
            }
        }
        None
    }

    pub fn len(self) -> usize {
        // SAFETY: made by `of`, whose object is valid; GIL held.
        unsafe {
            match self {
                Sequence::List(list) => ffi::PyList_GET_SIZE(list) as usize,
                Sequence::Tuple(tuple) => ffi::PyTuple_GET_SIZE(tuple) as usize,
            }
        }
    }

    /// A borrowed item.
    ///
    /// # Safety
    /// `index` is below `len()`, the GIL is held.
    pub unsafe fn get(self, index: usize) -> *mut ffi::PyObject {
        // SAFETY: by this function's contract.
        unsafe {
            match self {
                Sequence::List(list) => ffi::PyList_GET_ITEM(list, index as isize),
                Sequence::Tuple(tuple) => ffi::PyTuple_GET_ITEM(tuple, index as isize),
            }
        }
    }

    /// Whether the items can go while the sequence stays.
    pub fn is_mutable(self) -> bool {
        matches!(self, Sequence::List(_))
    }
}
