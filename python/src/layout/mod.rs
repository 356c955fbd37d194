//! What gijit relies on of CPython's and PyGObject's memory layouts, in one place, probed.
//!
//! Offsets are those of CPython 3.11 to 3.14 on 64-bit machines and of PyGObject 3.42 to 3.58
//! (`pystate.h`, `pygobject.h`, `pygi-struct.h`; see [`values`] and [`wrapper`]). Each is compared
//! with the public API once, at install, on real objects; a fact that does not hold turns off the
//! fast path that needs it and says so in `doctor`. Then the helpers do the work through the C API,
//! and nothing else changes.

pub mod values;
mod wrapper;

use std::sync::OnceLock;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyAnyMethods, PyDict};

use crate::glib;
use values::{Ascii, IntHead};
pub use wrapper::{Fundamental, GObject, GObjectWrapper};

/// `PyGObject.obj`, `PyGBoxed.boxed`, `PyGPointer.pointer`: the first field.
pub const WRAPPED: i32 = 16;
/// `PyGBoxed.gtype`, `PyGPointer.gtype`.
pub const WRAPPED_GTYPE: usize = 24;
/// `PyGBoxed.free_on_dealloc`, `PyGIStruct.free_on_dealloc`.
pub const FREE_ON_DEALLOC: usize = 32;
/// `PyGIBoxed.slice_allocated` and `PyGIBoxed.size`.
pub const SLICE_ALLOCATED: usize = 40;
pub const SLICE_SIZE: usize = 48;
/// `sizeof` of `PyGIBoxed` and `PyGIStruct`.
const BOXED_SIZE: isize = 56;
const STRUCT_SIZE: isize = 40;

/// `propertyobject.prop_get` and `.prop_set`.
pub const PROPERTY_GET: usize = 16;
pub const PROPERTY_SET: usize = 24;

/// `PyThreadState.recursion_remaining` of CPython 3.11, `.c_recursion_remaining` of 3.12 and of 3.13.
const LEVELS_LEFT: [usize; 3] = [32, 36, 52];

/// `PyDictObject.ma_version_tag`: a number that every change replaces by one never used before.
pub const DICT_VERSION: usize = 24;

/// One fact and whether it holds.
#[derive(Clone, Debug)]
pub struct Probe {
    pub name: &'static str,
    pub holds: bool,
    /// Whether it is to hold here: some facts are none of newer versions.
    pub expected: bool,
    /// What the fast path that needs it does without it.
    pub without: &'static str,
}

/// Offsets, addresses and what may be read inline.
#[derive(Clone, Debug)]
pub struct Layout {
    pub ob_type: i32,
    pub int_head: Option<IntHead>,
    /// Where the int 0 lies when the small ints of CPython lie in one row; 0 otherwise.
    pub small_ints: usize,
    pub float_readable: bool,
    pub ascii: Option<Ascii>,
    pub gobject_readable: bool,
    pub gobject_pointer: i32,
    pub boxed_readable: bool,
    pub dict_versioned: bool,
    /// Where in a thread state the levels of recursion are counted that are left; 0 where CPython has to
    /// be asked.
    pub levels_left: usize,
    pub property_readable: bool,
    /// The quark under which a GObject has its wrapper; 0 where wrappers are not as they should be.
    pub wrapper_quark: u32,
    pub boxed_pointer: i32,
    /// Where a wrapper has its [`Fundamental`].
    pub fundamental: Option<usize>,
    pub immortal_objects: bool,
    pub long_type: usize,
    pub float_type: usize,
    pub unicode_type: usize,
    pub none_type: usize,
    pub bool_type: usize,
    pub none: usize,
    pub true_: usize,
    pub false_: usize,
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

/// The form of compact ASCII strings, where it is known and has been probed.
pub fn ascii() -> Option<Ascii> {
    LAYOUT.get().and_then(|layout| layout.ascii)
}

fn probe(py: Python<'_>) -> Layout {
    let wrapper_quark = wrapper::quark(py);
    let (int_head, ascii) = (IntHead::find(), Ascii::find());
    let levels_left = levels_left();
    let fundamental = Fundamental::place(py);
    let facts = [
        (
            "int layout",
            int_head.is_some(),
            "ints are read through the C API",
        ),
        (
            "float layout",
            values::float_holds(),
            "floats are read through the C API",
        ),
        (
            "ASCII str layout",
            ascii.is_some(),
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
            fundamental.is_some(),
            "fundamentals that are no GObjects run in PyGObject",
        ),
        (
            "dict versions",
            dict_versions_hold(py).unwrap_or(false),
            "names of namespaces are looked up each time",
        ),
        (
            "thread state layout",
            levels_left != 0,
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
    // CPython 3.14 numbers no dicts and looks at the stack itself; wrappers of PyGObject 3.56 keep all
    // that they have to themselves.
    let newer = py.version_info() >= (3, 14);
    let gone = [
        ("dict versions", newer),
        ("thread state layout", newer),
        ("GObject wrapper's end", pygobject_version(py) >= (3, 55)),
    ];
    let probes = facts.map(|(name, holds, without)| Probe {
        name,
        holds,
        expected: !gone.contains(&(name, true)),
        without,
    });
    // SAFETY: addresses of static objects and functions of the running interpreter.
    unsafe {
        Layout {
            ob_type: 8,
            int_head,
            small_ints: values::small_ints().unwrap_or(0),
            float_readable: probes[1].holds,
            ascii,
            gobject_readable: probes[3].holds,
            gobject_pointer: WRAPPED,
            boxed_readable: probes[4].holds,
            dict_versioned: probes[6].holds,
            levels_left,
            property_readable: probes[8].holds,
            wrapper_quark,
            boxed_pointer: WRAPPED,
            fundamental,
            immortal_objects: none_is_immortal(),
            long_type: &raw const ffi::PyLong_Type as usize,
            float_type: &raw const ffi::PyFloat_Type as usize,
            unicode_type: &raw const ffi::PyUnicode_Type as usize,
            none_type: ffi::Py_TYPE(ffi::Py_None()) as usize,
            bool_type: &raw const ffi::PyBool_Type as usize,
            none: ffi::Py_None() as usize,
            true_: ffi::Py_True() as usize,
            false_: ffi::Py_False() as usize,
            long_from_i64: ffi::PyLong_FromLongLong as *const () as usize,
            long_from_u64: ffi::PyLong_FromUnsignedLongLong as *const () as usize,
            float_from_f64: ffi::PyFloat_FromDouble as *const () as usize,
            unicode_from_utf8: ffi::PyUnicode_FromString as *const () as usize,
            g_free: glib::glib().map_or(0, |glib| glib.g_free as *const () as usize),
            probes: probes.into(),
        }
    }
}

/// The first two numbers of PyGObject's version, in which a development series counts to the stable one
/// after it; 0 where it is not known.
pub fn pygobject_version(py: Python<'_>) -> (u32, u32) {
    let version = py
        .import("gi")
        .and_then(|module| module.getattr("version_info"))
        .and_then(|version| {
            Ok((
                version.get_item(0)?.extract()?,
                version.get_item(1)?.extract()?,
            ))
        });
    version.unwrap_or((0, 0))
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

/// Where a thread state counts the levels of recursion down and up; 0 when it is nowhere known.
fn levels_left() -> usize {
    // SAFETY: the caller of `layout` holds the interpreter lock; a thread state has far more than 56
    // bytes.
    unsafe {
        let state = ffi::PyThreadState_Get().cast();
        let read = || LEVELS_LEFT.map(|place| peek::<i32>(state, place as i32));
        let before = read();
        if ffi::Py_EnterRecursiveCall(c"".as_ptr()) != 0 {
            ffi::PyErr_Clear();
            return 0;
        }
        let inside = read();
        ffi::Py_LeaveRecursiveCall();
        let after = read();
        let counts = |&at: &usize| inside[at] == before[at] - 1 && after[at] == before[at];
        let found = (0..LEVELS_LEFT.len()).find(counts);
        found.map_or(0, |at| LEVELS_LEFT[at])
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
