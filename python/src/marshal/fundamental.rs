//! Instances of fundamental types that are no GObjects: parameter specifications, render nodes,
//! events and the like.
//!
//! The rules are those of `pygi-object.c`. From 3.47 on PyGObject has wrappers for them
//! (`pygi-fundamental.c`), which are made by hand here; a `GParamSpec` is one of them from 3.49 on.
//! Before 3.47 it can show a `GParamSpec` only, and takes none of them as an argument: what is not
//! None bails, and PyGObject raises.

use std::ffi::{CStr, c_void};

use gijit::signature::fundamental::Counting;
use pyo3::ffi;

use super::scalar::{BAIL, done};
use super::table::helpers;
use super::{api, glib, shared};
use crate::layout::Fundamental;

type Object = *mut c_void;
type Cell = *mut u64;
type Desc = *const c_void;

const FAILED: Object = std::ptr::null_mut();

/// The fundamental type of parameter specifications (gtype.h).
const G_TYPE_PARAM: usize = 19 << 2;

helpers! {
    "in fundamental" in_fundamental(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => inward;
    "out fundamental" out_fundamental(cell: *const u64, desc: Desc) -> Object, FAILED => outward;
    "unref fundamental" unref_fundamental(cell: Cell, desc: Desc) => unref;
}

/// What the steps of a fundamental read.
pub struct FundamentalDesc {
    pub counting: Counting,
    /// Where a wrapper has its fields.
    pub place: usize,
    /// The class that Python code sees for the type.
    pub py_type: *mut ffi::PyTypeObject,
    pub nullable: bool,
    /// `Transfer::Full`.
    pub full: bool,
}

impl FundamentalDesc {
    /// The fields of `wrapper`.
    fn fields(&self, wrapper: *mut ffi::PyObject) -> *mut Fundamental {
        wrapper.wrapping_byte_add(self.place).cast()
    }
}

/// # Safety
/// `desc` is the step's of a fundamental.
unsafe fn fundamental_desc<'a>(desc: Desc) -> &'a FundamentalDesc {
    // SAFETY: by this function's contract; descriptors are never freed.
    unsafe { &*desc.cast::<FundamentalDesc>() }
}

unsafe fn inward(value: Object, cell: Cell, desc: Desc) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: a valid object, GIL held; fundamentals have a FundamentalDesc. Instances of PyGObject's
    // base of their wrappers have its layout, which was probed when the step was linked.
    unsafe {
        let desc = fundamental_desc(desc);
        if value == ffi::Py_None() {
            return if desc.nullable { done(cell, 0) } else { BAIL };
        }
        let ty = ffi::Py_TYPE(value);
        let own = shared().fundamental.is_some_and(|base| {
            ffi::PyType_IsSubtype(ty, desc.py_type) != 0 && ffi::PyType_IsSubtype(ty, base) != 0
        });
        if !own {
            return BAIL;
        }
        let instance = (*desc.fields(value)).instance;
        if instance.is_null() {
            return BAIL;
        }
        if let Some(reference) = desc.counting.reference.filter(|_| desc.full) {
            reference(instance);
        }
        done(cell, instance as u64)
    }
}

unsafe fn outward(cell: *const u64, desc: Desc) -> Object {
    // SAFETY: NULL or an instance in the cell, owned when the step says so; GIL held. An instance
    // starts with its class, which starts with its GType.
    unsafe {
        let desc = fundamental_desc(desc);
        let instance = *cell as *mut c_void;
        if instance.is_null() {
            return ffi::Py_NewRef(ffi::Py_None()).cast();
        }
        let gtype = **instance.cast::<*const usize>();
        let param = (glib().g_type_fundamental)(gtype) == G_TYPE_PARAM;
        if param && shared().wraps_param_specs {
            let object = (api().paramspec_new)(instance);
            if desc.full {
                (glib().g_param_spec_unref)(instance);
            }
            return object.cast();
        }
        let object = match shared().fundamental {
            Some(base) => wrap(desc, instance, param, base),
            None => {
                let format = c"No means to translate argument or return value for '%s'";
                let name = (glib().g_type_name)(gtype);
                ffi::PyErr_Format(ffi::PyExc_TypeError, format.as_ptr(), name);
                std::ptr::null_mut()
            }
        };
        if object.is_null() && desc.full {
            drop_reference(desc, instance);
        }
        object.cast()
    }
}

/// A wrapper, with a reference of its own or the one that came with the instance.
///
/// # Safety
/// `instance` is a fundamental of the descriptor's type, a `GParamSpec` if `param`; `base` is
/// PyGObject's base of such wrappers; GIL held.
unsafe fn wrap(
    desc: &FundamentalDesc,
    instance: *mut c_void,
    param: bool,
    base: *mut ffi::PyTypeObject,
) -> *mut ffi::PyObject {
    // SAFETY: by this function's contract; the layout of a subclass of `base` was probed, and
    // `tp_alloc` gives zeroed memory or NULL with an exception.
    unsafe {
        let class = (api().lookup_class)(**instance.cast::<*const usize>());
        if class.is_null() || ffi::PyType_IsSubtype(class, base) == 0 {
            let text: &CStr = c"must be a subtype of gi.Fundamental";
            ffi::PyErr_SetString(ffi::PyExc_TypeError, text.as_ptr());
            return std::ptr::null_mut();
        }
        let gtype = (api().type_from_object)(class.cast());
        let alloc = (*class).tp_alloc.unwrap_or(ffi::PyType_GenericAlloc);
        let object = alloc(class, 0);
        if object.is_null() {
            return object;
        }
        let Counting {
            reference,
            unreference,
        } = desc.counting;
        *desc.fields(object) = Fundamental {
            instance,
            gtype,
            reference: reference.map_or(0, |function| function as usize),
            unreference: unreference.map_or(0, |function| function as usize),
        };
        match reference {
            // A new specification is floating, which its reference is not any more.
            _ if param => drop((glib().g_param_spec_ref_sink)(instance)),
            Some(reference) if !desc.full => drop(reference(instance)),
            _ => {}
        }
        object
    }
}

/// # Safety
/// A reference on `instance` is ours.
unsafe fn drop_reference(desc: &FundamentalDesc, instance: *mut c_void) {
    if let Some(unreference) = desc.counting.unreference {
        // SAFETY: by this function's contract; it is the type's own function.
        unsafe { unreference(instance) }
    }
}

unsafe fn unref(cell: Cell, desc: Desc) {
    // SAFETY: the cell owns a reference to a fundamental of the descriptor's type or is NULL.
    unsafe {
        if *cell != 0 {
            drop_reference(fundamental_desc(desc), *cell as *mut c_void);
        }
    }
}
