//! What a callable returned, as C values; and the exception when it is something else.
//!
//! An *in* step that bails leaves the value to PyGObject in a call. Here it cannot: conversions that
//! run user code are made here (`__int__`, `__float__`, `__bool__`), and for the rest the exception
//! is PyGObject's, by type and text.

use std::ffi::{CStr, c_void};

use gijit::ir::AbiType;
use gijit::plan::Conv;
use gijit::plan::link::{InFn, Step};
use pyo3::ffi;

use super::super::scalar::CONVERTED;

/// The result at `index`: an item of a tuple, or the value itself. NULL where there is none.
///
/// # Safety
/// A valid object; the interpreter lock is held.
pub unsafe fn item(value: *mut ffi::PyObject, index: usize) -> *mut ffi::PyObject {
    // SAFETY: by this function's contract; PyTuple_GetItem checks the index and raises.
    unsafe {
        if ffi::PyTuple_Check(value) != 0 {
            return ffi::PyTuple_GetItem(value, index as isize);
        }
        match index {
            0 => value,
            _ => std::ptr::null_mut(),
        }
    }
}

/// Converts `value`, which an exception calls `place`; false with an exception set.
///
/// # Safety
/// A valid object; `step` is the *in* step of `conv` and `cell` the first of its value; the
/// interpreter lock is held.
pub unsafe fn convert(
    conv: &Conv,
    place: &str,
    step: &Step,
    value: *mut ffi::PyObject,
    cell: *mut u64,
) -> bool {
    // SAFETY: by this function's contract.
    unsafe {
        if run(step, value, cell) || !ffi::PyErr_Occurred().is_null() {
            return ffi::PyErr_Occurred().is_null();
        }
        if *conv == Conv::GType {
            return gtype(value, cell);
        }
        let plain = plain_number(conv, value, cell);
        if !plain.is_null() {
            let converted = run(step, plain, cell);
            if !converted {
                out_of_range(conv, place, plain);
            }
            ffi::Py_DECREF(plain);
            return converted;
        }
        if ffi::PyErr_Occurred().is_null() {
            match conv {
                Conv::Boolean => return true,
                _ => refuse(conv, place, value),
            }
        }
        false
    }
}

unsafe fn run(step: &Step, value: *mut ffi::PyObject, cell: *mut u64) -> bool {
    // SAFETY: the caller's.
    unsafe {
        let helper = std::mem::transmute::<usize, InFn>(step.address);
        helper(value.cast(), cell, step.desc as *const c_void) == CONVERTED
    }
}

/// Converts what PyGObject takes for a `GType`, at the cost of running code; false with its exception set.
unsafe fn gtype(value: *mut ffi::PyObject, cell: *mut u64) -> bool {
    // SAFETY: the caller's.
    unsafe {
        let gtype = (super::super::api().type_from_object)(value);
        if gtype != 0 {
            cell.write(gtype as u64);
        } else if ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_SetString(ffi::PyExc_ValueError, c"Invalid GType".as_ptr());
        } else {
            type_error("Must be GObject.GType, not", value);
        }
        gtype != 0
    }
}

/// The int or float that `value` gives for a number, a new reference; NULL for other conversions, or
/// with an exception set. A truth value goes to the cell at once.
unsafe fn plain_number(
    conv: &Conv,
    value: *mut ffi::PyObject,
    cell: *mut u64,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's.
    unsafe {
        match conv {
            Conv::Boolean => {
                let truth = ffi::PyObject_IsTrue(value);
                if truth >= 0 {
                    cell.write(truth as u64);
                }
            }
            Conv::Integer(abi) => {
                let byte = matches!(abi, AbiType::I8 | AbiType::U8);
                if byte && ffi::PyBytes_Check(value) != 0 {
                    let text = c"Must be a single character";
                    ffi::PyErr_SetString(ffi::PyExc_TypeError, text.as_ptr());
                } else if is_number(value) {
                    let number = ffi::PyNumber_Long(value);
                    if number.is_null() {
                        let text = c"expected int argument";
                        ffi::PyErr_SetString(ffi::PyExc_TypeError, text.as_ptr());
                    }
                    return number;
                }
            }
            Conv::Float | Conv::Double if is_number(value) => return ffi::PyNumber_Float(value),
            Conv::Enum { .. } | Conv::Flags { .. } => {
                let number = match ffi::PyLong_Check(value) {
                    0 => ffi::PyNumber_Long(value),
                    _ => std::ptr::null_mut(),
                };
                if number.is_null() {
                    ffi::PyErr_Clear();
                }
                return number;
            }
            _ => {}
        }
        std::ptr::null_mut()
    }
}

unsafe fn is_number(value: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's.
    unsafe {
        let number = ffi::PyNumber_Check(value) != 0;
        if !number {
            type_error("Must be number, not", value);
        }
        number
    }
}

/// A number that the C type cannot hold.
unsafe fn out_of_range(conv: &Conv, place: &str, number: *mut ffi::PyObject) {
    let (least, most): (i64, u64) = match conv {
        Conv::Integer(abi) => match abi {
            AbiType::I8 => (i8::MIN.into(), i8::MAX as u64),
            AbiType::U8 => (0, u8::MAX.into()),
            AbiType::I16 => (i16::MIN.into(), i16::MAX as u64),
            AbiType::U16 => (0, u16::MAX.into()),
            AbiType::I32 => (i32::MIN.into(), i32::MAX as u64),
            AbiType::U32 => (0, u32::MAX.into()),
            AbiType::I64 => (i64::MIN, i64::MAX as u64),
            _ => (0, u64::MAX),
        },
        // SAFETY: the caller's.
        Conv::Float => unsafe {
            let bounds = [-f64::from(f32::MAX), f64::from(f32::MAX)];
            let [least, most] = bounds.map(|bound| ffi::PyFloat_FromDouble(bound));
            let format = c"%S not in range %S to %S";
            ffi::PyErr_Format(
                ffi::PyExc_OverflowError,
                format.as_ptr(),
                number,
                least,
                most,
            );
            ffi::Py_XDECREF(least);
            ffi::Py_XDECREF(most);
            return;
        },
        // SAFETY: the caller's.
        _ => unsafe { return refuse(conv, place, number) },
    };
    let format = c"%S not in range %lld to %llu";
    // SAFETY: the caller's; the arguments are those of the format.
    unsafe {
        ffi::PyErr_Format(
            ffi::PyExc_OverflowError,
            format.as_ptr(),
            number,
            least,
            most,
        );
    }
}

/// `TypeError`: the words and the name of the value's type.
unsafe fn type_error(words: &str, value: *mut ffi::PyObject) {
    // SAFETY: the caller's; the name lives as long as the type.
    unsafe {
        let name = CStr::from_ptr((*ffi::Py_TYPE(value)).tp_name);
        let text = format!("{words} {}\0", name.to_string_lossy());
        ffi::PyErr_SetString(ffi::PyExc_TypeError, text.as_ptr().cast());
    }
}

/// Raises what PyGObject raises for a value of another type.
unsafe fn refuse(conv: &Conv, place: &str, value: *mut ffi::PyObject) {
    // SAFETY: the caller's.
    unsafe {
        match conv {
            Conv::Utf8 | Conv::Unichar | Conv::Filename if ffi::PyUnicode_Check(value) != 0 => {
                refuse_text(conv, value);
            }
            Conv::Utf8 | Conv::Unichar => type_error("Must be string, not", value),
            Conv::Filename => type_error("Must be bytes, not", value),
            Conv::Enum { ty, .. } | Conv::Flags { ty, .. } => {
                type_error(&format!("Expected a {ty}, but got"), value);
            }
            Conv::Array(_) | Conv::List { .. } => type_error("Must be sequence, not", value),
            Conv::Hash { .. } => type_error("Must be mapping, not", value),
            _ => {
                let ty = conv.type_ref().map(ToString::to_string);
                let ty = ty.unwrap_or_default();
                let module = ffi::PyObject_GetAttrString(value, c"__module__".as_ptr());
                let mut module_name = String::new();
                if !module.is_null() && ffi::PyUnicode_Check(module) != 0 {
                    let text = ffi::PyUnicode_AsUTF8(module);
                    if !text.is_null() {
                        module_name = format!("{}.", CStr::from_ptr(text).to_string_lossy());
                    }
                }
                ffi::Py_XDECREF(module);
                ffi::PyErr_Clear();
                let name = CStr::from_ptr((*ffi::Py_TYPE(value)).tp_name);
                let name = name.to_string_lossy();
                let text =
                    format!("argument {place}: Expected {ty}, but got {module_name}{name}\0");
                ffi::PyErr_SetString(ffi::PyExc_TypeError, text.as_ptr().cast());
            }
        }
    }
}

/// A str that is no such text: what encoding it raises, or that it is too long.
unsafe fn refuse_text(conv: &Conv, value: *mut ffi::PyObject) {
    // SAFETY: a str, the interpreter lock is held.
    unsafe {
        let bytes = match conv {
            Conv::Filename => ffi::PyUnicode_EncodeFSDefault(value),
            _ => ffi::PyUnicode_AsUTF8String(value),
        };
        if bytes.is_null() {
            return;
        }
        ffi::Py_DECREF(bytes);
        match conv {
            Conv::Unichar => {
                let length = ffi::PyUnicode_GetLength(value);
                let text = format!("Must be a one character string, not {length} characters\0");
                ffi::PyErr_SetString(ffi::PyExc_TypeError, text.as_ptr().cast());
            }
            _ => {
                let text = c"embedded null byte";
                ffi::PyErr_SetString(ffi::PyExc_ValueError, text.as_ptr());
            }
        }
    }
}
