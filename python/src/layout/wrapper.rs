//! PyGObject's wrappers of GObjects (`PyGObject` of `pygobject.h`) and the head of a GObject
//! (`GObject` of `gobject.h`).

use std::ffi::c_void;
use std::mem::size_of;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

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
/// `PYGOBJECT_IS_FLOATING_REF`.
const FLOATING: u32 = 2;
/// `PYGOBJECT_GOBJECT_WAS_FLOATING`.
const WAS_FLOATING: u32 = 4;
/// The low bits of a `GData *` are flags (`G_DATALIST_FLAGS_MASK` and two more of GLib's own).
const DATA_FLAGS: usize = 7;

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
    pub class: *const usize,
    pub references: AtomicU32,
    /// The list of what has been attached to the object, and flags.
    data: AtomicUsize,
}

/// What `PyGIFundamental` (`pygi-fundamental.h`) has behind its head.
#[repr(C)]
pub struct Fundamental {
    pub instance: *mut c_void,
    pub gtype: usize,
    /// Addresses of functions; 0 for none.
    pub reference: usize,
    pub unreference: usize,
}

impl Fundamental {
    /// Where it stands, if it does as it should; some place where there are no such wrappers.
    pub(super) fn place(py: Python<'_>) -> Option<usize> {
        let head = size_of::<ffi::PyObject>();
        let found = || -> PyResult<Option<usize>> {
            let Ok(class) = py.import("gi._gi")?.getattr("Fundamental") else {
                return Ok(Some(head));
            };
            let size: usize = class.getattr("__basicsize__")?.extract()?;
            let weakrefs: usize = class.getattr("__weakrefoffset__")?.extract()?;
            // PyGObject 3.44 to 3.48 has no weak references there.
            let place = match weakrefs {
                0 => head,
                _ => head + size_of::<*mut ffi::PyObject>(),
            };
            let holds = [0, head].contains(&weakrefs) && size == place + size_of::<Self>();
            Ok(holds.then_some(place))
        };
        found().unwrap_or(None)
    }
}

impl GObject {
    /// Whether something is attached to it; without, it has no wrapper and none of PyGObject's data.
    pub fn has_data(&self) -> bool {
        self.data.load(Ordering::Acquire) & !DATA_FLAGS != 0
    }
}

impl GObjectWrapper {
    /// Makes the fields of a new wrapper of `object`, whose head is made.
    ///
    /// # Safety
    /// `wrapper` has room for them.
    pub unsafe fn fill(wrapper: *mut Self, object: *mut GObject, was_floating: bool) {
        // SAFETY: by this function's contract.
        unsafe {
            (*wrapper).object = object;
            (*wrapper).dict = std::ptr::null_mut();
            (*wrapper).weakrefs = std::ptr::null_mut();
            (*wrapper).flags = if was_floating { WAS_FLOATING } else { 0 };
        }
    }

    /// Whether the object was floating when it was wrapped.
    pub fn was_floating(&self) -> bool {
        self.flags & WAS_FLOATING != 0
    }

    /// Whether the next reference is one that PyGObject has taken already.
    pub fn is_floating(&self) -> bool {
        self.flags & FLOATING != 0
    }

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
        let has_data = (*gobject).has_data();
        let set = |wrapper| {
            (glib.g_object_set_qdata_full)(gobject.cast(), quark, wrapper, std::ptr::null());
        };
        set(std::ptr::null_mut());
        let data = has_data && !(*gobject).has_data();
        set(wrapper.cast());
        object.setattr("probe", 1)?;
        let kept = (*wrapper).is_toggle() && !(*wrapper).dict.is_null();
        Ok((known && plain && single && data && kept).then_some(quark))
    }
}
