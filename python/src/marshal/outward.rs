//! Phase *out* and the result: Python values of what the native function gave.
//!
//! As PyGObject makes them (`pygi-basictype.c`, `pygi-enum-marshal.c`, `pygi-object.c`,
//! `pygi-struct-marshal.c`, `pygi-boxed.c`, `pygi-struct.c`). A cell holds a narrow value in its low
//! bytes. What a step owns it takes over, also when it fails.

use std::ffi::{c_char, c_void};

use gijit::ir::AbiType;
use pyo3::ffi;

use super::desc::{ResultDesc, TypeDesc, type_desc};
use super::table::helpers;
use super::wrapper::wrapper_of;
use crate::layout::{FREE_ON_DEALLOC, SLICE_ALLOCATED, SLICE_SIZE, WRAPPED, WRAPPED_GTYPE};

type Object = *mut c_void;
type Cell = *const u64;
type Desc = *const c_void;

const FAILED: Object = std::ptr::null_mut();

helpers! {
    "out boolean" out_boolean(cell: Cell, desc: Desc) -> Object, FAILED => boolean;
    "out int8" out_i8(cell: Cell, desc: Desc) -> Object, FAILED => integer::<{ AbiType::I8 as u8 }>;
    "out uint8" out_u8(cell: Cell, desc: Desc) -> Object, FAILED => integer::<{ AbiType::U8 as u8 }>;
    "out int16" out_i16(cell: Cell, desc: Desc) -> Object, FAILED => integer::<{ AbiType::I16 as u8 }>;
    "out uint16" out_u16(cell: Cell, desc: Desc) -> Object, FAILED => integer::<{ AbiType::U16 as u8 }>;
    "out int32" out_i32(cell: Cell, desc: Desc) -> Object, FAILED => integer::<{ AbiType::I32 as u8 }>;
    "out uint32" out_u32(cell: Cell, desc: Desc) -> Object, FAILED => integer::<{ AbiType::U32 as u8 }>;
    "out int64" out_i64(cell: Cell, desc: Desc) -> Object, FAILED => integer::<{ AbiType::I64 as u8 }>;
    "out uint64" out_u64(cell: Cell, desc: Desc) -> Object, FAILED => integer::<{ AbiType::U64 as u8 }>;
    "out float" out_float(cell: Cell, desc: Desc) -> Object, FAILED => float;
    "out double" out_double(cell: Cell, desc: Desc) -> Object, FAILED => double;
    "out unichar" out_unichar(cell: Cell, desc: Desc) -> Object, FAILED => unichar;
    "out gtype" out_gtype(cell: Cell, desc: Desc) -> Object, FAILED => gtype;
    "out utf8" out_utf8(cell: Cell, desc: Desc) -> Object, FAILED => utf8;
    "out filename" out_filename(cell: Cell, desc: Desc) -> Object, FAILED => filename;
    "out object" out_object(cell: Cell, desc: Desc) -> Object, FAILED => object;
    "out boxed" out_boxed(cell: Cell, desc: Desc) -> Object, FAILED => boxed;
    "out struct" out_struct(cell: Cell, desc: Desc) -> Object, FAILED => plain;
    "out variant" out_variant(cell: Cell, desc: Desc) -> Object, FAILED => variant;
    /// The ResultTuple, and PyGObject's check of what constructors return.
    "result" make_result(values: *mut Object, desc: Desc) -> Object, FAILED => result;
}

/// # Safety
/// `cell` is a frame's cell that holds a value of type `T` in its low bytes, or such a value is there.
unsafe fn read<T: Copy>(cell: Cell) -> T {
    // SAFETY: by this function's contract; little-endian machines keep low bytes first.
    unsafe { cell.cast::<T>().read_unaligned() }
}

fn none() -> Object {
    // SAFETY: None always exists; the GIL is held in every helper.
    unsafe { ffi::Py_NewRef(ffi::Py_None()).cast() }
}

unsafe fn boolean(cell: Cell, _: Desc) -> Object {
    // SAFETY: a gboolean in the cell, GIL held.
    unsafe { ffi::PyBool_FromLong(i64::from(read::<i32>(cell))).cast() }
}

/// The integer in `cell` as an int.
pub(super) unsafe fn signed(cell: Cell, abi: AbiType) -> i64 {
    // SAFETY: the cell holds an integer of this type.
    unsafe {
        match abi {
            AbiType::I8 => i64::from(read::<i8>(cell)),
            AbiType::U8 => i64::from(read::<u8>(cell)),
            AbiType::I16 => i64::from(read::<i16>(cell)),
            AbiType::U16 => i64::from(read::<u16>(cell)),
            AbiType::I32 => i64::from(read::<i32>(cell)),
            AbiType::U32 => i64::from(read::<u32>(cell)),
            _ => read::<i64>(cell),
        }
    }
}

/// The int that an integer of type `abi` is.
///
/// # Safety
/// One is at `place`, the GIL is held.
#[inline]
pub(super) unsafe fn int(place: Cell, abi: AbiType) -> Object {
    // SAFETY: by this function's contract.
    unsafe {
        match abi {
            AbiType::U64 => ffi::PyLong_FromUnsignedLongLong(read::<u64>(place)).cast(),
            abi => ffi::PyLong_FromLongLong(signed(place, abi)).cast(),
        }
    }
}

unsafe fn integer<const ABI: u8>(cell: Cell, _: Desc) -> Object {
    const ALL: [AbiType; 7] = [
        AbiType::I8,
        AbiType::U8,
        AbiType::I16,
        AbiType::U16,
        AbiType::I32,
        AbiType::U32,
        AbiType::I64,
    ];
    let abi = ALL.into_iter().find(|abi| *abi as u8 == ABI);
    // SAFETY: the cell holds an integer of the helper's type, GIL held.
    unsafe { int(cell, abi.unwrap_or(AbiType::U64)) }
}

pub(super) unsafe fn float(cell: Cell, _: Desc) -> Object {
    // SAFETY: a float in the cell, GIL held.
    unsafe { ffi::PyFloat_FromDouble(f64::from(read::<f32>(cell))).cast() }
}

pub(super) unsafe fn double(cell: Cell, _: Desc) -> Object {
    // SAFETY: a double in the cell, GIL held.
    unsafe { ffi::PyFloat_FromDouble(read::<f64>(cell)).cast() }
}

unsafe fn unichar(cell: Cell, _: Desc) -> Object {
    // SAFETY: a gunichar in the cell, GIL held.
    unsafe {
        let value = read::<u32>(cell);
        if value == 0 {
            return ffi::PyUnicode_FromStringAndSize(c"".as_ptr(), 0).cast();
        }
        if let Some(character) = char::from_u32(value)
            && (super::glib().g_unichar_validate)(value) != 0
        {
            let mut buffer = [0; 4];
            let text = character.encode_utf8(&mut buffer);
            let (data, len) = (text.as_ptr().cast::<c_char>(), text.len() as isize);
            return ffi::PyUnicode_FromStringAndSize(data, len).cast();
        }
        let message = format!("Invalid unicode codepoint {value}\0");
        ffi::PyErr_SetString(ffi::PyExc_TypeError, message.as_ptr().cast());
        FAILED
    }
}

unsafe fn gtype(cell: Cell, _: Desc) -> Object {
    // SAFETY: a GType in the cell, GIL held.
    unsafe { (super::api().type_wrapper_new)(read::<usize>(cell)).cast() }
}

unsafe fn utf8(cell: Cell, _: Desc) -> Object {
    // SAFETY: NULL or a zero-terminated string in the cell, GIL held.
    unsafe {
        match read::<*const c_char>(cell) {
            text if text.is_null() => none(),
            text => ffi::PyUnicode_FromString(text).cast(),
        }
    }
}

unsafe fn filename(cell: Cell, _: Desc) -> Object {
    // SAFETY: as in `utf8`.
    unsafe {
        match read::<*const c_char>(cell) {
            text if text.is_null() => none(),
            text => ffi::PyUnicode_DecodeFSDefault(text).cast(),
        }
    }
}

unsafe fn object(cell: Cell, desc: Desc) -> Object {
    // SAFETY: NULL or a GObject in the cell, owned when the step says so; GIL held.
    unsafe {
        let gobject = read::<*mut c_void>(cell);
        if gobject.is_null() {
            return none();
        }
        let steal = type_desc(desc).full;
        let object = wrapper_of(gobject, steal);
        if object.is_null() && steal {
            (super::glib().g_object_unref)(gobject);
        }
        object.cast()
    }
}

/// A wrapper of the descriptor's class around `pointer`.
///
/// # Safety
/// The descriptor is that of a result whose class has been checked; GIL held.
pub(super) unsafe fn wrap(desc: &TypeDesc, pointer: *mut c_void, free_on_dealloc: bool) -> Object {
    // SAFETY: `link` has checked that the class derives from gi.Boxed or gi.Struct and that their
    // layouts hold; `tp_alloc` gives zeroed memory of the class's size, or NULL with an exception.
    unsafe {
        let alloc = (*desc.py_type).tp_alloc.unwrap_or(ffi::PyType_GenericAlloc);
        let object = alloc(desc.py_type, 0);
        if !object.is_null() {
            let fields = object.cast::<u8>();
            fields
                .add(WRAPPED as usize)
                .cast::<*mut c_void>()
                .write(pointer);
            fields.add(WRAPPED_GTYPE).cast::<usize>().write(desc.gtype);
            fields
                .add(FREE_ON_DEALLOC)
                .cast::<i32>()
                .write(i32::from(free_on_dealloc));
        }
        object.cast()
    }
}

/// As [`wrap`], of memory from GLib's slices of the descriptor's size. It is freed without a call of
/// the type's own function.
///
/// # Safety
/// As [`wrap`]; the type is boxed.
pub(super) unsafe fn wrap_slice(desc: &TypeDesc, pointer: *mut c_void) -> Object {
    // SAFETY: by this function's contract; a boxed wrapper has these fields (`layout`).
    unsafe {
        let object = wrap(desc, pointer, true);
        if object.is_null() {
            (super::glib().g_slice_free1)(desc.size, pointer);
            return FAILED;
        }
        let fields = object.cast::<u8>();
        fields.add(SLICE_ALLOCATED).cast::<i32>().write(1);
        fields.add(SLICE_SIZE).cast::<usize>().write(desc.size);
        object
    }
}

unsafe fn boxed(cell: Cell, desc: Desc) -> Object {
    // SAFETY: NULL or a boxed value in the cell, owned when the step says so; GIL held.
    unsafe {
        let desc = type_desc(desc);
        let pointer = read::<*mut c_void>(cell);
        if pointer.is_null() {
            return none();
        }
        let own = match desc.full {
            true => pointer,
            false => (super::glib().g_boxed_copy)(desc.gtype, pointer),
        };
        let object = wrap(desc, own, true);
        if object.is_null() {
            (super::glib().g_boxed_free)(desc.gtype, own);
        }
        object
    }
}

unsafe fn plain(cell: Cell, desc: Desc) -> Object {
    // SAFETY: NULL or a struct in the cell; GIL held.
    unsafe {
        let desc = type_desc(desc);
        let pointer = read::<*mut c_void>(cell);
        if pointer.is_null() {
            return none();
        }
        let object = wrap(desc, pointer, desc.full);
        if object.is_null() && desc.full {
            (super::glib().g_free)(pointer);
        }
        object
    }
}

unsafe fn variant(cell: Cell, desc: Desc) -> Object {
    // SAFETY: NULL or a GVariant in the cell, owned when the step says so; GIL held. The wrapper's
    // `__del__` gives the reference back (gi.overrides.GLib), so it does not free by itself.
    unsafe {
        let desc = type_desc(desc);
        let pointer = read::<*mut c_void>(cell);
        if pointer.is_null() {
            return none();
        }
        if !desc.full {
            (super::glib().g_variant_ref_sink)(pointer);
        }
        let object = wrap(desc, pointer, false);
        if object.is_null() {
            (super::glib().g_variant_unref)(pointer);
        }
        object
    }
}

unsafe fn result(values: *mut Object, desc: Desc) -> Object {
    // SAFETY: the result step has a ResultDesc, and `values` holds its `len` new references.
    unsafe {
        let desc = &*desc.cast::<ResultDesc>();
        let values = values.cast::<*mut ffi::PyObject>();
        if desc.constructor && *values == ffi::Py_None() {
            for index in 0..desc.len {
                ffi::Py_DECREF(*values.add(index));
            }
            let message = c"constructor returned NULL";
            ffi::PyErr_SetString(ffi::PyExc_TypeError, message.as_ptr());
            return FAILED;
        }
        if desc.tuple_type.is_null() {
            return (*values).cast();
        }
        let alloc = (*desc.tuple_type)
            .tp_alloc
            .unwrap_or(ffi::PyType_GenericAlloc);
        let tuple = alloc(desc.tuple_type, desc.len as isize);
        for index in 0..desc.len {
            match tuple.is_null() {
                false => ffi::PyTuple_SET_ITEM(tuple, index as isize, *values.add(index)),
                true => ffi::Py_DECREF(*values.add(index)),
            }
        }
        tuple.cast()
    }
}
