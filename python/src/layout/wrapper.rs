//! PyGObject's wrappers of GObjects (`PyGObject` of `pygobject.h`) and the head of a GObject
//! (`GObject` of `gobject.h`).

use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyAnyMethods, PyType};

use crate::glib;

/// Where a `PyGObject` has its dict and its weak references, and its size.
const DICT: isize = 24;
const WEAKREFS: isize = 32;
const SIZE: isize = 48;
/// `PYGOBJECT_USING_TOGGLE_REF`.
const TOGGLE: u32 = 1;

/// `PyGObject`.
#[repr(C)]
pub struct GObjectWrapper {
    head: [usize; 2],
    /// NULL when the wrapper has lost it.
    pub object: *mut GObject,
    pub dict: *mut ffi::PyObject,
    pub weakrefs: *mut ffi::PyObject,
    flags: u32,
}

/// `GObject`.
#[repr(C)]
pub struct GObject {
    class: *mut c_void,
    pub references: AtomicU32,
}

impl GObjectWrapper {
    /// Whether the object keeps the wrapper alive, too.
    pub fn is_toggle(&self) -> bool {
        self.flags & TOGGLE != 0
    }
}

/// The quark under which a GObject has its wrapper; 0 where one of these facts does not hold.
pub(super) fn quark(py: Python<'_>) -> u32 {
    find(py).ok().flatten().unwrap_or(0)
}

fn find(py: Python<'_>) -> PyResult<Option<u32>> {
    let Ok(glib) = glib::glib() else {
        return Ok(None);
    };
    let class = py
        .import("gi._gi")?
        .getattr("GObject")?
        .cast_into::<PyType>()?;
    let object = class.call0()?;
    // SAFETY: a type object, and an instance of the size that is compared first; the attribute makes
    // PyGObject change the instance.
    unsafe {
        let ty = &*class.as_type_ptr();
        if (ty.tp_basicsize, ty.tp_dictoffset, ty.tp_weaklistoffset) != (SIZE, DICT, WEAKREFS) {
            return Ok(None);
        }
        let wrapper = object.as_ptr().cast::<GObjectWrapper>();
        let quark = (glib.g_quark_from_string)(c"PyGObject::wrapper".as_ptr());
        let gobject = (*wrapper).object;
        let known = (glib.g_object_get_qdata)(gobject.cast(), quark) == object.as_ptr().cast();
        let plain = !(*wrapper).is_toggle() && (*wrapper).dict.is_null();
        let single = (*gobject).references.load(Ordering::Relaxed) == 1;
        object.setattr("probe", 1)?;
        let kept = (*wrapper).is_toggle() && !(*wrapper).dict.is_null();
        Ok((known && plain && single && kept).then_some(quark))
    }
}
