//! The end of wrappers of GObjects: `pygobject_dealloc` of `pygobject-object.c`.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::Ordering;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::Replacement;
use crate::glib::{Glib, glib};
use crate::layout::{GObjectWrapper, layout};
use crate::marshal::lock;
use crate::marshal::wrapper::{self, Ends};

static DEALLOC: Replacement<ffi::destructor> = Replacement::new(dealloc);
static CLEAR: Replacement<ffi::inquiry> = Replacement::new(clear);

/// Gives `objects`, which are `gi._gi.GObject` and the classes derived from it, the fast end where they
/// have PyGObject's: it copies that into the classes of types that no typelib has. `made` is any class
/// that was made in Python.
#[pyfunction]
pub fn quicken_objects(objects: Vec<Bound<'_, PyType>>, made: &Bound<'_, PyType>) {
    let quark = layout(made.py()).wrapper_quark;
    if quark == 0 {
        return;
    }
    // SAFETY: type objects, and the interpreter lock is held, so no wrapper ends meanwhile.
    unsafe {
        for class in &objects {
            let ty = &mut *class.as_type_ptr();
            DEALLOC.put(&mut ty.tp_dealloc);
            CLEAR.put(&mut ty.tp_clear);
        }
        wrapper::watch(Some(Ends {
            dealloc,
            clear,
            of_classes: (*made.as_type_ptr()).tp_dealloc,
            quark,
        }));
    }
}

/// Takes what is ours out of `ty`.
///
/// # Safety
/// A type object whose slots may be written where ours is in them; the interpreter lock is held.
pub(super) unsafe fn take_out(ty: &mut ffi::PyTypeObject) {
    // SAFETY: by this function's contract.
    unsafe {
        if DEALLOC.is_in(ty.tp_dealloc) {
            wrapper::watch(None);
        }
        DEALLOC.take_out(&mut ty.tp_dealloc);
        CLEAR.take_out(&mut ty.tp_clear);
    }
}

/// `tp_clear` of `gi.GObject`.
unsafe extern "C" fn clear(object: *mut ffi::PyObject) -> i32 {
    // SAFETY: CPython passes an instance of gi.GObject and holds the interpreter lock.
    unsafe {
        wrapper::forget(object.cast());
        CLEAR.stock()(object)
    }
}

/// `tp_dealloc` of `gi.GObject`.
unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    // SAFETY: CPython passes an instance of gi.GObject that nobody has any more and holds the
    // interpreter lock; the instance has the fields of a wrapper (`quicken_objects`). Both functions
    // may be called twice, so what is not for us can go on with PyGObject's.
    unsafe {
        ffi::PyObject_GC_UnTrack(object.cast());
        if !(*object.cast::<GObjectWrapper>()).weakrefs.is_null() {
            ffi::PyObject_ClearWeakRefs(object);
        }
        wrapper::forget(object.cast());
        match glib() {
            Ok(glib) if ends_with_wrapper(&*object.cast()) => end(glib, object),
            _ => DEALLOC.stock()(object),
        }
    }
}

/// Whether the wrapper has the only reference to its object. Then the object will have no other
/// wrapper, so it needs not be told the class of this one.
///
/// # Safety
/// A wrapper of a GObject, or of none any more.
unsafe fn ends_with_wrapper(wrapper: &GObjectWrapper) -> bool {
    // SAFETY: by this function's contract; other threads may count references meanwhile.
    unsafe {
        !wrapper.object.is_null()
            && !wrapper.is_toggle()
            && (*wrapper.object).references.load(Ordering::Relaxed) == 1
    }
}

/// Lets go of the GObject and frees the wrapper.
///
/// # Safety
/// As for [`dealloc`], and the wrapper has an object and no toggle reference.
unsafe fn end(glib: &Glib, object: *mut ffi::PyObject) {
    // SAFETY: by this function's contract. The object's end may run Python, and may take long.
    unsafe {
        let wrapper = object.cast::<GObjectWrapper>();
        let gobject = (*wrapper).object.cast::<c_void>();
        let quark = layout(Python::assume_attached()).wrapper_quark;
        (glib.g_object_set_qdata_full)(gobject, quark, null_mut(), null());
        let thread = ffi::PyEval_SaveThread();
        (glib.g_object_unref)(gobject);
        lock::retake(thread);
        (*wrapper).object = null_mut();
        let dict = std::mem::replace(&mut (*wrapper).dict, null_mut());
        ffi::Py_XDECREF(dict);
        ffi::PyObject_GC_Del(object.cast());
    }
}
