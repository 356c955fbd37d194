//! What a class says of itself, found without running any of its code.

use pyo3::ffi;

use super::shared;

unsafe extern "C" {
    /// A borrowed attribute of a type or its bases, or NULL without an exception. CPython exports it
    /// but keeps it out of its documented API; every version from 3.9 to 3.14 has it.
    fn _PyType_Lookup(ty: *mut ffi::PyTypeObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject;
}

/// The attribute `name` of `ty` or its bases, borrowed; NULL when there is none.
///
/// # Safety
/// A type and a str, GIL held.
pub unsafe fn lookup(ty: *mut ffi::PyTypeObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: by this function's contract.
    unsafe { _PyType_Lookup(ty, name) }
}

/// The `GType` that PyGObject takes the instances of `ty` for; that of a Python object when it knows
/// none. `None` where asking the class would run its code.
///
/// # Safety
/// A type, GIL held.
pub unsafe fn class_gtype(ty: *mut ffi::PyTypeObject) -> Option<usize> {
    let shared = shared();
    // SAFETY: by this function's contract; a GType wrapper is not asked for anything.
    unsafe {
        let meta = ffi::Py_TYPE(ty.cast());
        let getattro = |ty: *mut ffi::PyTypeObject| (*ty).tp_getattro.map_or(0, |f| f as usize);
        let own_getattro = getattro(meta) != getattro(&raw mut ffi::PyType_Type);
        if own_getattro || !lookup(meta, shared.gtype_name).is_null() {
            return None;
        }
        let found = lookup(ty, shared.gtype_name);
        if found.is_null() {
            return Some(shared.python_object);
        }
        let wrapper = ffi::Py_TYPE(found) == shared.gtype_type;
        wrapper.then(|| (shared.api.type_from_object)(found))
    }
}

/// Whether the attributes of instances of `ty` are found in the common way.
///
/// # Safety
/// A type, GIL held.
pub unsafe fn has_plain_attributes(ty: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: by this function's contract; the slot of a ready type.
    let getattro = unsafe { (*ty).tp_getattro }.map_or(0, |f| f as usize);
    getattro == ffi::PyObject_GenericGetAttr as *const () as usize
}

/// Whether `object` says its `GType` by what stands in its class.
///
/// # Safety
/// A valid object, GIL held.
pub unsafe fn is_of_known_gtype(object: *mut ffi::PyObject) -> bool {
    let shared = shared();
    // SAFETY: by this function's contract; classes hold their attributes.
    unsafe {
        let ty = ffi::Py_TYPE(object);
        let plain = ffi::PyType_Check(object) == 0 && has_plain_attributes(ty);
        let found = match plain {
            true => lookup(ty, shared.gtype_name),
            false => std::ptr::null_mut(),
        };
        !found.is_null() && ffi::Py_TYPE(found) == shared.gtype_type
    }
}

/// An attribute that stands in the instance and nowhere in its class, borrowed.
///
/// # Safety
/// A valid object whose type has plain attributes, a str, GIL held.
pub unsafe fn plain_attribute(
    object: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
) -> Option<*mut ffi::PyObject> {
    // SAFETY: by this function's contract; the dict keeps what is found, and the object the dict.
    unsafe {
        if !lookup(ffi::Py_TYPE(object), name).is_null() {
            return None;
        }
        let dict = ffi::PyObject_GenericGetDict(object, std::ptr::null_mut());
        let mut found = std::ptr::null_mut();
        if !dict.is_null() {
            found = ffi::PyDict_GetItemWithError(dict, name);
            ffi::Py_DECREF(dict);
        }
        if found.is_null() {
            ffi::PyErr_Clear();
        }
        (!found.is_null()).then_some(found)
    }
}
