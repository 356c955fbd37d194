//! Phase *out* of values.

use std::ffi::c_char;

use pyo3::ffi;

use super::{Desc, GValue, OWN, Object, POINTER, fundamental, value_desc};
use crate::marshal::api;

pub(super) unsafe fn value(cells: *const u64, desc: Desc) -> Object {
    // SAFETY: value steps have a ValueDesc; the first cell is NULL or points to a GValue, GIL held.
    unsafe {
        let value = *cells.add(POINTER) as *const GValue;
        let Some(&GValue { gtype, data }) = value.as_ref() else {
            return ffi::Py_NewRef(ffi::Py_None()).cast();
        };
        let first = data[0];
        let object = match gtype {
            fundamental::BOOLEAN => ffi::PyBool_FromLong(i64::from(first as i32)),
            fundamental::INT => ffi::PyLong_FromLong(i64::from(first as i32)),
            fundamental::UINT => ffi::PyLong_FromLong(i64::from(first as u32)),
            fundamental::LONG | fundamental::INT64 => ffi::PyLong_FromLongLong(first as i64),
            fundamental::ULONG | fundamental::UINT64 => ffi::PyLong_FromUnsignedLongLong(first),
            fundamental::FLOAT => ffi::PyFloat_FromDouble(f64::from(f32::from_bits(first as u32))),
            fundamental::DOUBLE => ffi::PyFloat_FromDouble(f64::from_bits(first)),
            fundamental::STRING if first == 0 => ffi::Py_NewRef(ffi::Py_None()),
            fundamental::STRING => ffi::PyUnicode_FromString(first as *const c_char),
            _ => {
                let own = std::ptr::eq(value, cells.add(OWN).cast());
                let copy = own || value_desc(desc).passing;
                (api().value_as_pyobject)(value.cast(), i32::from(copy))
            }
        };
        object.cast()
    }
}
