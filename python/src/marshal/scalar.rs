//! Phase *in* for values: numbers, truth values, characters, strings, types and enums.
//!
//! Each helper converts what it can read without running user code and bails for all else, so that
//! PyGObject converts it or raises its own error. The rules are those of `pygi-basictype.c` and
//! `pygi-enum-marshal.c`.

use std::ffi::{c_char, c_void};

use gijit::ir::AbiType;
use pyo3::ffi;

use super::desc::type_desc;
use super::table::helpers;
use super::types::is_of_known_gtype;
use crate::layout;

pub(super) const CONVERTED: i32 = 0;
pub(super) const BAIL: i32 = 1;

type Object = *mut c_void;
type Cell = *mut u64;
type Desc = *const c_void;

helpers! {
    /// Truth value of what has one without running code.
    "in boolean" in_boolean(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => boolean;
    "in int8" in_i8(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => integer::<{ AbiType::I8 as u8 }>;
    "in uint8" in_u8(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => integer::<{ AbiType::U8 as u8 }>;
    "in int16" in_i16(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => integer::<{ AbiType::I16 as u8 }>;
    "in uint16" in_u16(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => integer::<{ AbiType::U16 as u8 }>;
    "in int32" in_i32(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => integer::<{ AbiType::I32 as u8 }>;
    "in uint32" in_u32(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => integer::<{ AbiType::U32 as u8 }>;
    "in int64" in_i64(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => integer::<{ AbiType::I64 as u8 }>;
    "in uint64" in_u64(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => integer::<{ AbiType::U64 as u8 }>;
    "in float" in_float(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => float;
    "in double" in_double(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => double;
    "in unichar" in_unichar(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => unichar;
    "in gtype" in_gtype(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => gtype;
    /// Borrows the UTF-8 of a str.
    "in utf8" in_utf8(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => text::<false, false, false>;
    /// None as NULL, or the borrowed UTF-8 of a str.
    "in utf8 nullable" in_utf8_nullable(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => text::<false, true, false>;
    /// A copy for the callee to own.
    "in utf8 given" in_utf8_given(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => text::<false, false, true>;
    "in utf8 given nullable" in_utf8_given_nullable(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => text::<false, true, true>;
    "in filename" in_filename(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => text::<true, false, false>;
    "in filename nullable" in_filename_nullable(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => text::<true, true, false>;
    "in filename given" in_filename_given(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => text::<true, false, true>;
    "in filename given nullable" in_filename_given_nullable(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => text::<true, true, true>;
    "in enum" in_enum(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => enumeration;
    "in flags" in_flags(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => flags;
}

/// Stores a converted value.
///
/// # Safety
/// `cell` is a frame's cell.
pub(super) unsafe fn done(cell: Cell, value: u64) -> i32 {
    // SAFETY: by this function's contract.
    unsafe { cell.write(value) };
    CONVERTED
}

/// A number slot of a type, as an address.
macro_rules! number_slot {
    ($ty:expr, $slot:ident) => {{
        let methods = (*$ty).tp_as_number;
        if methods.is_null() {
            0
        } else {
            (*methods).$slot.map_or(0, |slot| slot as usize)
        }
    }};
}

/// What `PyNumber_Long` gives for an int, a subclass that leaves `__int__` alone, or a float.
pub(super) unsafe fn read_long(value: *mut ffi::PyObject) -> Option<i128> {
    // SAFETY: `value` is a valid object and the GIL is held; slots are read from ready types.
    unsafe {
        let ty = ffi::Py_TYPE(value);
        if ffi::PyFloat_CheckExact(value) != 0 {
            let float = ffi::PyFloat_AS_DOUBLE(value).trunc();
            return (float.abs() < 1e18).then_some(float as i128);
        }
        if ffi::PyLong_Check(value) == 0
            || number_slot!(ty, nb_int) != number_slot!(&raw mut ffi::PyLong_Type, nb_int)
        {
            return None;
        }
        let mut overflow = 0;
        let long = ffi::PyLong_AsLongLongAndOverflow(value, &mut overflow);
        if overflow == 0 {
            return Some(i128::from(long));
        }
        let long = ffi::PyLong_AsUnsignedLongLong(value);
        if long == u64::MAX && !ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        Some(i128::from(long))
    }
}

unsafe fn boolean(value: Object, cell: Cell, _: Desc) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: a valid object, GIL held. The truth of these exact types runs no user code.
    unsafe {
        if value == ffi::Py_True() {
            return done(cell, 1);
        }
        if value == ffi::Py_False() || value == ffi::Py_None() {
            return done(cell, 0);
        }
        let plain = ffi::PyLong_CheckExact(value) != 0
            || ffi::PyFloat_CheckExact(value) != 0
            || ffi::PyUnicode_CheckExact(value) != 0
            || ffi::PyBytes_CheckExact(value) != 0
            || ffi::PyList_CheckExact(value) != 0
            || ffi::PyTuple_CheckExact(value) != 0
            || ffi::PyDict_CheckExact(value) != 0;
        if !plain {
            return BAIL;
        }
        done(cell, ffi::PyObject_IsTrue(value) as u64)
    }
}

unsafe fn integer<const ABI: u8>(value: Object, cell: Cell, _: Desc) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: a valid object, GIL held.
    let long = unsafe {
        let byte_sized = ABI == AbiType::I8 as u8 || ABI == AbiType::U8 as u8;
        if byte_sized && ffi::PyBytes_Check(value) != 0 {
            if ffi::PyBytes_Size(value) != 1 {
                return BAIL;
            }
            let byte = *ffi::PyBytes_AS_STRING(value).cast::<u8>();
            return done(cell, u64::from(byte));
        }
        read_long(value)
    };
    let Some(long) = long else { return BAIL };
    let fits = match ABI {
        abi if abi == AbiType::I8 as u8 => i8::try_from(long).is_ok(),
        abi if abi == AbiType::U8 as u8 => u8::try_from(long).is_ok(),
        abi if abi == AbiType::I16 as u8 => i16::try_from(long).is_ok(),
        abi if abi == AbiType::U16 as u8 => u16::try_from(long).is_ok(),
        abi if abi == AbiType::I32 as u8 => i32::try_from(long).is_ok(),
        abi if abi == AbiType::U32 as u8 => u32::try_from(long).is_ok(),
        abi if abi == AbiType::I64 as u8 => i64::try_from(long).is_ok(),
        _ => u64::try_from(long).is_ok(),
    };
    if !fits {
        return BAIL;
    }
    // SAFETY: the frame's cell.
    unsafe { done(cell, long as u64) }
}

/// What `PyNumber_Float` gives for a float, an int, or a subclass that leaves `__float__` alone.
pub(super) unsafe fn read_float(value: *mut ffi::PyObject) -> Option<f64> {
    // SAFETY: as in `read_long`.
    unsafe {
        let ty = ffi::Py_TYPE(value);
        let slot = number_slot!(ty, nb_float);
        if ffi::PyFloat_Check(value) != 0 {
            let own = slot == number_slot!(&raw mut ffi::PyFloat_Type, nb_float);
            return own.then(|| ffi::PyFloat_AS_DOUBLE(value));
        }
        if ffi::PyLong_Check(value) == 0
            || slot != number_slot!(&raw mut ffi::PyLong_Type, nb_float)
        {
            return None;
        }
        let float = ffi::PyLong_AsDouble(value);
        if float == -1.0 && !ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        Some(float)
    }
}

unsafe fn double(value: Object, cell: Cell, _: Desc) -> i32 {
    // SAFETY: a valid object, GIL held, the frame's cell.
    unsafe {
        match read_float(value.cast()) {
            Some(float) => done(cell, float.to_bits()),
            None => BAIL,
        }
    }
}

unsafe fn float(value: Object, cell: Cell, _: Desc) -> i32 {
    // SAFETY: as in `double`.
    unsafe {
        match read_float(value.cast()) {
            Some(float) if !float.is_finite() || float.abs() <= f64::from(f32::MAX) => {
                done(cell, u64::from((float as f32).to_bits()))
            }
            _ => BAIL,
        }
    }
}

unsafe fn unichar(value: Object, cell: Cell, _: Desc) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: a valid object, GIL held; index 0 exists in a str of length 1.
    unsafe {
        if ffi::PyUnicode_Check(value) == 0 || ffi::PyUnicode_GetLength(value) != 1 {
            return BAIL;
        }
        let character = ffi::PyUnicode_ReadChar(value, 0);
        match char::from_u32(character) {
            Some(_) => done(cell, u64::from(character)),
            None => BAIL,
        }
    }
}

/// A value of `size` bytes as a cell, whose high bytes are zero.
///
/// # Safety
/// Such a value is at `place`, which need not be aligned.
#[inline]
pub(super) unsafe fn load(place: *const u8, size: usize) -> u64 {
    // SAFETY: by this function's contract.
    unsafe {
        match size {
            1 => u64::from(place.read()),
            2 => u64::from(place.cast::<u16>().read_unaligned()),
            4 => u64::from(place.cast::<u32>().read_unaligned()),
            _ => place.cast::<u64>().read_unaligned(),
        }
    }
}

/// The `GType` of a class or of PyGObject's own wrapper of one.
///
/// # Safety
/// `value` is a valid object and the GIL is held.
pub(crate) unsafe fn read_gtype(value: *mut ffi::PyObject) -> Option<usize> {
    // SAFETY: a valid object, GIL held. Looking `__gtype__` up on a class whose metaclass does not
    // replace attribute access, on an instance in whose class `__gtype__` stands, on a str or on
    // PyGObject's own GType wrapper runs no user code.
    unsafe {
        let ty = ffi::Py_TYPE(value);
        let getattro = |ty: *mut ffi::PyTypeObject| (*ty).tp_getattro.map_or(0, |f| f as usize);
        let class =
            ffi::PyType_Check(value) != 0 && getattro(ty) == getattro(&raw mut ffi::PyType_Type);
        let name = ffi::PyUnicode_CheckExact(value) != 0;
        let is_known = class || name || ty == super::gtype_type();
        if !is_known && !is_of_known_gtype(value) {
            return None;
        }
        let gtype = (super::api().type_from_object)(value);
        if gtype == 0 {
            ffi::PyErr_Clear();
            return None;
        }
        Some(gtype)
    }
}

unsafe fn gtype(value: Object, cell: Cell, _: Desc) -> i32 {
    // SAFETY: a valid object, GIL held, the frame's cell.
    unsafe {
        match read_gtype(value.cast()) {
            Some(gtype) => done(cell, gtype as u64),
            None => BAIL,
        }
    }
}

/// Hands `text` over: borrowed, or as a copy that the callee owns.
unsafe fn hand_over<const GIVEN: bool>(cell: Cell, text: *const c_char) -> i32 {
    // SAFETY: `text` is zero-terminated; the str or bytes that it belongs to is an argument of the
    // running call and so outlives it.
    unsafe {
        if !GIVEN {
            return done(cell, text as u64);
        }
        done(cell, (super::glib().g_strdup)(text) as u64)
    }
}

/// The UTF-8 of a str, cached in it; NULL (no exception) when it has none.
pub(super) unsafe fn utf8_of(value: *mut ffi::PyObject, len: &mut isize) -> *const c_char {
    // SAFETY: a valid str, GIL held; the text of a compact ASCII one is its UTF-8.
    unsafe {
        if let Some((text, length)) = layout::ascii().and_then(|form| form.characters(value)) {
            *len = length;
            return text;
        }
        let text = ffi::PyUnicode_AsUTF8AndSize(value, len);
        if text.is_null() {
            ffi::PyErr_Clear();
        }
        text
    }
}

/// The text that a str holds, for a file name also bytes, borrowed from it; NULL (no exception) for
/// all that PyGObject has to look at.
///
/// # Safety
/// A valid object, GIL held.
pub(super) unsafe fn text_of<const FILENAME: bool>(value: *mut ffi::PyObject) -> *const c_char {
    let mut len = 0;
    // SAFETY: by this function's contract; lengths are those of the texts.
    unsafe {
        let text = if ffi::PyUnicode_Check(value) != 0 && (!FILENAME || super::filenames_are_utf8())
        {
            utf8_of(value, &mut len)
        } else if FILENAME && ffi::PyBytes_Check(value) != 0 {
            len = ffi::PyBytes_Size(value);
            ffi::PyBytes_AS_STRING(value)
        } else {
            std::ptr::null()
        };
        // An embedded zero in a file name is PyGObject's ValueError.
        let bytes = |len| std::slice::from_raw_parts(text.cast::<u8>(), len as usize);
        if FILENAME && !text.is_null() && has_zero(bytes(len)) {
            return std::ptr::null();
        }
        text
    }
}

/// Whether one of `bytes` is zero. Most names are short, so that calling a search costs more than the
/// search; what is left of whole words is looked at as one that overlaps.
fn has_zero(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::MAX / 0xff;
    let in_word = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7) != 0;
    if let Some(last) = bytes.last_chunk() {
        let (words, _) = bytes.as_chunks();
        return words
            .iter()
            .chain([last])
            .any(|word| in_word(u64::from_ne_bytes(*word)));
    }
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            let [first, last] = [first, last].map(|half| u64::from(u32::from_ne_bytes(*half)));
            in_word(first << 32 | last)
        }
        _ => bytes.contains(&0),
    }
}

/// A string that is borrowed, or given as a copy.
unsafe fn text<const FILENAME: bool, const NULLABLE: bool, const GIVEN: bool>(
    value: Object,
    cell: Cell,
    _: Desc,
) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: a valid object, GIL held, the frame's cell.
    unsafe {
        if NULLABLE && value == ffi::Py_None() {
            return done(cell, 0);
        }
        match text_of::<FILENAME>(value) {
            text if text.is_null() => BAIL,
            text => hand_over::<GIVEN>(cell, text),
        }
    }
}

/// Cuts `value` to an enum's storage, as a C assignment does.
fn to_storage(value: i64, storage: AbiType) -> u64 {
    match storage.size() {
        1 => u64::from(value as u8),
        2 => u64::from(value as u16),
        4 => u64::from(value as u32),
        _ => value as u64,
    }
}

unsafe fn enumeration(value: Object, cell: Cell, desc: Desc) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: a valid object, GIL held; enums have a TypeDesc.
    unsafe {
        let desc = type_desc(desc);
        if ffi::PyLong_Check(value) == 0 {
            return BAIL;
        }
        let Some(Ok(long)) = read_long(value).map(i64::try_from) else {
            return BAIL;
        };
        let member = ffi::PyType_IsSubtype(ffi::Py_TYPE(value), desc.py_type) != 0
            || desc.members.contains(&long);
        if member && (super::shared().enums_are_wide || i32::try_from(long).is_ok()) {
            done(cell, to_storage(long, desc.storage))
        } else {
            BAIL
        }
    }
}

unsafe fn flags(value: Object, cell: Cell, desc: Desc) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: as in `enumeration`.
    unsafe {
        let desc = type_desc(desc);
        if ffi::PyLong_Check(value) == 0 {
            return BAIL;
        }
        let Some(Ok(long)) = read_long(value).map(i64::try_from) else {
            return BAIL;
        };
        let own = ffi::PyType_IsSubtype(ffi::Py_TYPE(value), desc.py_type) != 0;
        if own || long == 0 {
            done(cell, to_storage(long, desc.storage))
        } else {
            BAIL
        }
    }
}
