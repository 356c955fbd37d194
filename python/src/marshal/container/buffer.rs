//! Arrays of numbers from Python buffers, in one piece.
//!
//! `bytes`, and every other contiguous one-dimensional buffer whose items are exactly the array's. For
//! a C array that the callee only borrows the buffer itself is passed (PyGObject does that with
//! bytes); its exporter cannot resize or free it until the release step. Otherwise it is copied.

use std::ffi::{CStr, c_char};

use gijit::ir::AbiType;
use gijit::plan::Conv;
use pyo3::ffi;

/// The formats (PEP 3118) of buffers with such items.
#[derive(Clone, Copy)]
pub struct BufferFormat {
    codes: &'static [u8],
    size: usize,
}

impl BufferFormat {
    /// `None` for items that no buffer holds.
    pub fn of(conv: &Conv) -> Option<Self> {
        let codes: &[u8] = match conv {
            Conv::Integer(abi) => match abi {
                AbiType::I8 => b"b",
                AbiType::U8 => b"B",
                AbiType::I16 => b"h",
                AbiType::U16 => b"H",
                AbiType::I32 => b"il",
                AbiType::U32 => b"IL",
                AbiType::I64 => b"qln",
                _ => b"QLN",
            },
            Conv::Float => b"f",
            Conv::Double => b"d",
            _ => return None,
        };
        Some(BufferFormat {
            codes,
            size: conv.abi().size() as usize,
        })
    }

    /// The buffer that `object` exports, if its items are these. The caller releases it.
    ///
    /// # Safety
    /// A valid object, GIL held.
    pub unsafe fn open(self, object: *mut ffi::PyObject) -> Option<Box<ffi::Py_buffer>> {
        // SAFETY: by this function's contract; a buffer is released exactly if it was taken.
        unsafe {
            if !exports(object) {
                return None;
            }
            let mut view = Box::new(ffi::Py_buffer::new());
            let flags = ffi::PyBUF_C_CONTIGUOUS | ffi::PyBUF_FORMAT;
            if ffi::PyObject_GetBuffer(object, &raw mut *view, flags) != 0 {
                ffi::PyErr_Clear();
                return None;
            }
            let fits =
                view.ndim == 1 && view.itemsize as usize == self.size && self.names(view.format);
            if !fits {
                ffi::PyBuffer_Release(&raw mut *view);
                return None;
            }
            Some(view)
        }
    }

    /// Where the items of `object` are, and how many bytes, if it is bytes and its items are these.
    ///
    /// # Safety
    /// A valid object, GIL held.
    pub unsafe fn of_bytes(self, object: *mut ffi::PyObject) -> Option<(*mut u8, usize)> {
        // SAFETY: by this function's contract, and after the type's check.
        unsafe {
            let fits = self.codes == b"B" && ffi::PyBytes_CheckExact(object) != 0;
            fits.then(|| {
                let data = ffi::PyBytes_AsString(object).cast();
                (data, ffi::Py_SIZE(object) as usize)
            })
        }
    }

    /// Whether `format` is one native code of these; none at all means bytes.
    unsafe fn names(self, format: *const c_char) -> bool {
        if format.is_null() {
            return self.codes == b"B";
        }
        // SAFETY: a format is zero-terminated.
        let format = unsafe { CStr::from_ptr(format) }.to_bytes();
        let code = match format {
            [code] | [b'@' | b'=', code] => *code,
            _ => return false,
        };
        self.codes.contains(&code)
    }
}

/// Whether `object` exports a buffer without running user code: from CPython 3.12 on a class in
/// Python can do that by a method, so only types that Python cannot change are asked.
///
/// # Safety
/// A valid object, GIL held.
pub unsafe fn exports(object: *mut ffi::PyObject) -> bool {
    // SAFETY: by this function's contract.
    unsafe {
        let ty = ffi::Py_TYPE(object);
        let has = |flag| ffi::PyType_HasFeature(ty, flag) != 0;
        let built_in = !has(ffi::Py_TPFLAGS_HEAPTYPE) || has(ffi::Py_TPFLAGS_IMMUTABLETYPE);
        built_in && ffi::PyObject_CheckBuffer(object) != 0
    }
}
