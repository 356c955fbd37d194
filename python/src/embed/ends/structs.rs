//! The end of wrappers of structs: `struct_dealloc` of `pygi-struct.c`.

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::super::names::_PyType_Lookup;
use super::Replacement;
use crate::callable::{info, object};
use crate::glib::glib;
use crate::layout::{FREE_ON_DEALLOC, WRAPPED, layout};

pub(super) static DEALLOC: Replacement<ffi::destructor> = Replacement::new(dealloc);
/// `gi._gi.StructInfo`.
static STRUCT_INFO: AtomicUsize = AtomicUsize::new(0);

/// Gives `structs`, which is `gi._gi.Struct`, the fast end. `info` is `gi._gi.StructInfo`.
#[pyfunction]
pub fn quicken_structs(structs: &Bound<'_, PyType>, info: &Bound<'_, PyType>) {
    if layout(structs.py()).boxed_readable {
        STRUCT_INFO.store(info.as_ptr() as usize, Ordering::Relaxed);
        // SAFETY: a type object, and the interpreter lock is held, so no wrapper ends meanwhile.
        unsafe { DEALLOC.put(&mut (*structs.as_type_ptr()).tp_dealloc) }
    }
}

/// `tp_dealloc` of `gi.Struct`.
unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    // SAFETY: CPython passes an instance of gi.Struct that nobody has any more and holds the
    // interpreter lock; the instance has gi.Struct's fields (`quicken_structs`).
    unsafe {
        let ty = ffi::Py_TYPE(object);
        match ((*ty).tp_free, glib()) {
            (Some(free), Ok(glib)) if is_native(ty) => {
                let fields = object.cast::<u8>();
                if fields.add(FREE_ON_DEALLOC).cast::<i32>().read() != 0 {
                    (glib.g_free)(fields.add(WRAPPED as usize).cast::<*mut c_void>().read());
                }
                free(object.cast());
            }
            _ => DEALLOC.stock()(object),
        }
    }
}

/// Whether the structs of `ty` have an `__info__` of PyGObject's, which says that they are not
/// foreign.
///
/// # Safety
/// `ty` is a class of `gi.Struct`, the interpreter lock is held.
unsafe fn is_native(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: the caller's; a StructInfo has an info.
    unsafe {
        let name = pyo3::intern!(Python::assume_attached(), "__info__").as_ptr();
        let info = _PyType_Lookup(ty, name);
        !info.is_null()
            && ffi::Py_TYPE(info) as usize == STRUCT_INFO.load(Ordering::Relaxed)
            && _PyType_Lookup(ffi::Py_TYPE(ty.cast()), name).is_null()
            && object::types_if_created()
                .is_some_and(|types| !types.repository.is_foreign(info::fields(info).info))
    }
}
