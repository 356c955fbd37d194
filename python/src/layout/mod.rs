//! What gijit relies on of CPython's and PyGObject's memory layouts, in one place, probed.
//!
//! Offsets are those of CPython 3.11 on 64-bit machines and of PyGObject 3.42 to 3.50
//! (`longintrepr.h`, `floatobject.h`, `unicodeobject.h`; `pygobject.h`, `pygi-struct.h`). Each is
//! compared with the public API once, at install, on real objects; a fact that does not hold turns
//! off the fast path that needs it and says so in `doctor`. On another version the probe fails, the
//! helpers do the work through the C API, and nothing else changes.

mod wrapper;

use std::sync::OnceLock;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyAnyMethods, PyDict};

use crate::glib;
pub use wrapper::{GObject, GObjectWrapper};

/// `PyLongObject`: signed digit count, then 30-bit digits.
const LONG_SIZE: i32 = 16;
const LONG_DIGITS: i32 = 24;
/// The ints that CPython keeps for good (`_PY_NSMALLNEGINTS`, `_PY_NSMALLPOSINTS`), and the bytes of one.
pub const SMALL_INT_MIN: i64 = -5;
pub const SMALL_INT_MAX: i64 = 256;
pub const SMALL_INT_SIZE: i64 = 32;
const FLOAT_VALUE: i32 = 16;
/// `PyASCIIObject`: length, state bits, then the characters of a compact ASCII string.
const UNICODE_LENGTH: i32 = 16;
const UNICODE_STATE: i32 = 32;
const UNICODE_COMPACT_ASCII: u32 = 0x60;
const UNICODE_ASCII_DATA: i32 = 48;
/// `PyGObject.obj`, `PyGBoxed.boxed`, `PyGPointer.pointer`: the first field.
pub const WRAPPED: i32 = 16;
/// `PyGBoxed.gtype`, `PyGPointer.gtype`.
pub const WRAPPED_GTYPE: usize = 24;
/// `PyGBoxed.free_on_dealloc`, `PyGIStruct.free_on_dealloc`.
pub const FREE_ON_DEALLOC: usize = 32;
/// `PyGIBoxed.slice_allocated` and `PyGIBoxed.size`.
pub const SLICE_ALLOCATED: usize = 40;
pub const SLICE_SIZE: usize = 48;
/// `PyGIFundamental.instance`, `.gtype`, `.ref_func` and `.unref_func`.
pub const FUNDAMENTAL_INSTANCE: usize = 24;
pub const FUNDAMENTAL_GTYPE: usize = 32;
pub const FUNDAMENTAL_REF: usize = 40;
pub const FUNDAMENTAL_UNREF: usize = 48;
/// `sizeof` of `PyGIFundamental`, and the place of its weak references.
const FUNDAMENTAL_SIZE: isize = 56;
const FUNDAMENTAL_WEAK: isize = 16;
/// `sizeof` of `PyGIBoxed` and `PyGIStruct`.
const BOXED_SIZE: isize = 56;
const STRUCT_SIZE: isize = 40;

/// `propertyobject.prop_get` and `.prop_set`.
pub const PROPERTY_GET: usize = 16;
pub const PROPERTY_SET: usize = 24;

/// `PyThreadState.recursion_remaining`.
pub const LEVELS_LEFT: usize = 32;

/// `PyDictObject.ma_version_tag`: a number that every change replaces by one never used before.
pub const DICT_VERSION: usize = 24;

/// One fact and whether it holds.
#[derive(Clone, Debug)]
pub struct Probe {
    pub name: &'static str,
    pub holds: bool,
    /// What the fast path that needs it does without it.
    pub without: &'static str,
}

/// Offsets, addresses and what may be read inline.
#[derive(Clone, Debug)]
pub struct Layout {
    pub ob_type: i32,
    pub long_readable: bool,
    pub long_size: i32,
    pub long_digits: i32,
    /// Where the int 0 lies when the small ints of CPython lie in one row; 0 otherwise.
    pub small_ints: usize,
    pub float_readable: bool,
    pub float_value: i32,
    pub ascii_readable: bool,
    pub unicode_length: i32,
    pub unicode_state: i32,
    pub unicode_compact_ascii: u32,
    pub unicode_ascii_data: i32,
    pub gobject_readable: bool,
    pub gobject_pointer: i32,
    pub boxed_readable: bool,
    pub dict_versioned: bool,
    pub levels_counted: bool,
    pub property_readable: bool,
    /// The quark under which a GObject has its wrapper; 0 where wrappers are not as they should be.
    pub wrapper_quark: u32,
    pub boxed_pointer: i32,
    pub fundamental_readable: bool,
    pub immortal_objects: bool,
    pub long_type: usize,
    pub float_type: usize,
    pub unicode_type: usize,
    pub none_type: usize,
    pub bool_type: usize,
    pub none: usize,
    pub true_: usize,
    pub false_: usize,
    pub incref: usize,
    pub long_from_i64: usize,
    pub long_from_u64: usize,
    pub float_from_f64: usize,
    pub unicode_from_utf8: usize,
    pub g_free: usize,
    pub probes: Vec<Probe>,
}

static LAYOUT: OnceLock<Layout> = OnceLock::new();

/// The layout, probed on first use.
pub fn layout(py: Python<'_>) -> &'static Layout {
    LAYOUT.get_or_init(|| probe(py))
}

fn probe(py: Python<'_>) -> Layout {
    let wrapper_quark = wrapper::quark(py);
    let facts = [
        (
            "int layout",
            long_holds(),
            "ints are read through the C API",
        ),
        (
            "float layout",
            float_holds(),
            "floats are read through the C API",
        ),
        (
            "ASCII str layout",
            ascii_holds(),
            "strings are read through the C API",
        ),
        (
            "GObject wrapper layout",
            gobject_holds(py),
            "wrappers are read by the helpers' checks",
        ),
        (
            "boxed wrapper layout",
            boxed_holds(py),
            "boxed and struct results run in PyGObject",
        ),
        (
            "fundamental wrapper layout",
            fundamental_holds(py),
            "fundamentals that are no GObjects run in PyGObject",
        ),
        (
            "dict versions",
            dict_versions_hold(py).unwrap_or(false),
            "names of namespaces are looked up each time",
        ),
        (
            "thread state layout",
            levels_hold(),
            "levels of recursion are counted through the C API",
        ),
        (
            "property layout",
            property_holds(),
            "fields of structs are PyGObject's",
        ),
        (
            "GObject wrapper's end",
            wrapper_quark != 0,
            "wrappers of GObjects end in PyGObject",
        ),
    ];
    let probes: Vec<Probe> = facts
        .into_iter()
        .map(|(name, holds, without)| Probe {
            name,
            holds,
            without,
        })
        .collect();
    // SAFETY: addresses of static objects and functions of the running interpreter.
    unsafe {
        Layout {
            ob_type: 8,
            long_readable: probes[0].holds,
            long_size: LONG_SIZE,
            long_digits: LONG_DIGITS,
            small_ints: small_ints().unwrap_or(0),
            float_readable: probes[1].holds,
            float_value: FLOAT_VALUE,
            ascii_readable: probes[2].holds,
            unicode_length: UNICODE_LENGTH,
            unicode_state: UNICODE_STATE,
            unicode_compact_ascii: UNICODE_COMPACT_ASCII,
            unicode_ascii_data: UNICODE_ASCII_DATA,
            gobject_readable: probes[3].holds,
            gobject_pointer: WRAPPED,
            boxed_readable: probes[4].holds,
            dict_versioned: probes[6].holds,
            levels_counted: probes[7].holds,
            property_readable: probes[8].holds,
            wrapper_quark,
            boxed_pointer: WRAPPED,
            fundamental_readable: probes[5].holds,
            immortal_objects: none_is_immortal(),
            long_type: &raw const ffi::PyLong_Type as usize,
            float_type: &raw const ffi::PyFloat_Type as usize,
            unicode_type: &raw const ffi::PyUnicode_Type as usize,
            none_type: ffi::Py_TYPE(ffi::Py_None()) as usize,
            bool_type: &raw const ffi::PyBool_Type as usize,
            none: ffi::Py_None() as usize,
            true_: ffi::Py_True() as usize,
            false_: ffi::Py_False() as usize,
            incref: ffi::Py_IncRef as *const () as usize,
            long_from_i64: ffi::PyLong_FromLongLong as *const () as usize,
            long_from_u64: ffi::PyLong_FromUnsignedLongLong as *const () as usize,
            float_from_f64: ffi::PyFloat_FromDouble as *const () as usize,
            unicode_from_utf8: ffi::PyUnicode_FromString as *const () as usize,
            g_free: glib::glib().map_or(0, |glib| glib.g_free as *const () as usize),
            probes,
        }
    }
}

/// # Safety
/// `object` points to an object of at least `offset + size_of::<T>()` bytes.
unsafe fn peek<T: Copy>(object: *mut ffi::PyObject, offset: i32) -> T {
    // SAFETY: by this function's contract.
    unsafe {
        object
            .cast::<u8>()
            .add(offset as usize)
            .cast::<T>()
            .read_unaligned()
    }
}

fn long_holds() -> bool {
    [
        0_i64,
        1,
        7,
        -5,
        -1,
        300,
        -70_000,
        (1 << 30) - 1,
        1 - (1 << 30),
    ]
    .iter()
    .all(|&value| {
        // SAFETY: the caller of `layout` holds the interpreter lock; an int has at least 28 bytes.
        unsafe {
            let object = ffi::PyLong_FromLongLong(value);
            let size: i64 = peek(object, LONG_SIZE);
            let digit: u32 = peek(object, LONG_DIGITS);
            ffi::Py_DECREF(object);
            size == value.signum() && i64::from(digit) * size == value
        }
    })
}

/// Where the small int 0 lies, from which all others are [`SMALL_INT_SIZE`] bytes apart.
fn small_ints() -> Option<usize> {
    // SAFETY: as in `long_holds`; the reference is given back and the address is only a number.
    let address = |value| unsafe {
        let object = ffi::PyLong_FromLongLong(value);
        ffi::Py_DECREF(object);
        object as i64
    };
    let zero = address(0);
    let in_row = |value| address(value) == zero + value * SMALL_INT_SIZE;
    (SMALL_INT_MIN..=SMALL_INT_MAX)
        .all(in_row)
        .then_some(zero as usize)
}

fn float_holds() -> bool {
    [0.5, -1e300].iter().all(|&value| {
        // SAFETY: as in `long_holds`; a float has 24 bytes.
        unsafe {
            let object = ffi::PyFloat_FromDouble(value);
            let found: f64 = peek(object, FLOAT_VALUE);
            ffi::Py_DECREF(object);
            found == value
        }
    })
}

fn ascii_holds() -> bool {
    let check = |text: &std::ffi::CStr, ascii: bool| {
        // SAFETY: as in `long_holds`; a str has at least 49 bytes.
        unsafe {
            let object = ffi::PyUnicode_FromString(text.as_ptr());
            let length: usize = peek(object, UNICODE_LENGTH);
            let state: u32 = peek(object, UNICODE_STATE);
            let data: u8 = peek(object, UNICODE_ASCII_DATA);
            ffi::Py_DECREF(object);
            let compact = state & UNICODE_COMPACT_ASCII == UNICODE_COMPACT_ASCII;
            let holds = data == text.to_bytes()[0] && length == text.count_bytes();
            compact == ascii && (!ascii || holds)
        }
    };
    check(c"probe", true) && check(c"q", true) && check(c"pr\xc3\xb6be", false)
}

fn gobject_holds(py: Python<'_>) -> bool {
    let compare = || -> PyResult<bool> {
        let object = py.import("gi._gi")?.getattr("GObject")?.call0()?;
        let capsule = object.getattr("__gpointer__")?;
        // SAFETY: PyGObject's capsule without a name holds the GObject; a wrapper has more than 24
        // bytes.
        unsafe {
            let pointer = ffi::PyCapsule_GetPointer(capsule.as_ptr(), std::ptr::null());
            Ok(!pointer.is_null() && peek::<usize>(object.as_ptr(), WRAPPED) == pointer as usize)
        }
    };
    compare().unwrap_or(false)
}

fn boxed_holds(py: Python<'_>) -> bool {
    let size = |name: &str| -> PyResult<isize> {
        py.import("gi._gi")?
            .getattr(name)?
            .getattr("__basicsize__")?
            .extract()
    };
    let sizes =
        || -> PyResult<bool> { Ok(size("Boxed")? == BOXED_SIZE && size("Struct")? == STRUCT_SIZE) };
    sizes().unwrap_or(false) && glib::glib().is_ok()
}

/// Holds where there are no such wrappers, too.
fn fundamental_holds(py: Python<'_>) -> bool {
    let compare = || -> PyResult<bool> {
        let gi = py.import("gi._gi")?;
        let Ok(class) = gi.getattr("Fundamental") else {
            return Ok(true);
        };
        let number = |name: &str| -> PyResult<isize> { class.getattr(name)?.extract() };
        Ok(number("__basicsize__")? == FUNDAMENTAL_SIZE
            && number("__weakrefoffset__")? == FUNDAMENTAL_WEAK)
    };
    compare().unwrap_or(false)
}

/// Whether a dict's version changes with each change of the dict and not without, and no two dicts
/// have the same.
fn dict_versions_hold(py: Python<'_>) -> PyResult<bool> {
    let (dict, other) = (PyDict::new(py), PyDict::new(py));
    let mut seen = Vec::new();
    let mut changed = |dict: &Bound<'_, PyDict>| {
        // SAFETY: a dict has more than 32 bytes.
        let version: u64 = unsafe { peek(dict.as_ptr(), DICT_VERSION as i32) };
        let new = !seen.contains(&version);
        seen.push(version);
        new
    };
    let mut holds = true;
    for value in 0..3 {
        dict.set_item("name", value)?;
        other.set_item("name", value)?;
        holds &= changed(&dict) && changed(&other);
        dict.get_item("name")?;
        holds &= !changed(&dict);
    }
    dict.del_item("name")?;
    holds &= changed(&dict);
    dict.set_item("name", 0)?;
    dict.clear();
    Ok(holds && changed(&dict))
}

/// Whether a level of recursion is entered and left by counting down and up.
fn levels_hold() -> bool {
    // SAFETY: the caller of `layout` holds the interpreter lock; a thread state has far more than 36
    // bytes.
    unsafe {
        let state = ffi::PyThreadState_Get().cast();
        let before: i32 = peek(state, LEVELS_LEFT as i32);
        if ffi::Py_EnterRecursiveCall(c"".as_ptr()) != 0 {
            ffi::PyErr_Clear();
            return false;
        }
        let inside: i32 = peek(state, LEVELS_LEFT as i32);
        ffi::Py_LeaveRecursiveCall();
        inside == before - 1 && peek::<i32>(state, LEVELS_LEFT as i32) == before
    }
}

fn property_holds() -> bool {
    // SAFETY: the caller of `layout` holds the interpreter lock; a property has more than 32 bytes.
    unsafe {
        // None is no getter.
        let (get, set) = (ffi::Py_None(), ffi::Py_Ellipsis());
        let class = (&raw mut ffi::PyProperty_Type).cast();
        let end = std::ptr::null_mut::<ffi::PyObject>();
        let property = ffi::PyObject_CallFunctionObjArgs(class, get, set, end);
        if property.is_null() {
            ffi::PyErr_Clear();
            return false;
        }
        let holds = peek::<usize>(property, PROPERTY_GET as i32) == 0
            && peek::<usize>(property, PROPERTY_SET as i32) == set as usize;
        ffi::Py_DECREF(property);
        holds
    }
}

fn none_is_immortal() -> bool {
    // SAFETY: None always exists; the reference taken is given back.
    unsafe {
        let before = ffi::Py_REFCNT(ffi::Py_None());
        ffi::Py_IncRef(ffi::Py_None());
        let after = ffi::Py_REFCNT(ffi::Py_None());
        ffi::Py_DecRef(ffi::Py_None());
        before == after
    }
}
