//! The methods, virtual functions and fields of a class that PyGObject is making, and what it implements.
//!
//! PyGObject makes an object of each and sets it as an attribute of the class. This does the same,
//! with callables of ours that come straight from the typelib, and tells CPython once that the class
//! has changed: a program that touches many classes must not start later with gijit than without.

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple, PyType};

use super::fields;
use crate::callable::info::{self, Kind};
use crate::callable::object::{self, types};
use crate::marshal;
use gijit::signature::girepository::{IS_CONSTRUCTOR, IS_METHOD, Info, Member};

unsafe extern "C" {
    fn PyClassMethod_New(callable: *mut ffi::PyObject) -> *mut ffi::PyObject;
    fn PyStaticMethod_New(callable: *mut ffi::PyObject) -> *mut ffi::PyObject;
}

/// Names that are longer are no keywords of Python; PyGObject appends a `_` to those that are.
pub const LONGEST_KEYWORD: usize = "continue".len();

/// What `MetaClassHelper._setup_methods` does: sets each method of the class's info as an attribute
/// of the class, which nobody has used yet.
#[pyfunction]
pub fn setup_methods(class: &Bound<'_, PyType>) -> PyResult<()> {
    setup(class, Member::Method)
}

/// What `MetaClassHelper._setup_native_vfuncs` does for the classes that have virtual functions:
/// sets each of the class's info as an attribute of the class, which nobody has used yet.
#[pyfunction]
pub fn setup_vfuncs(class: &Bound<'_, PyType>) -> PyResult<()> {
    setup(class, Member::VFunc)
}

/// What `MetaClassHelper._setup_fields` does: sets a property for each field of the class's info as
/// an attribute of the class, which nobody has used yet.
#[pyfunction]
pub fn setup_fields(class: &Bound<'_, PyType>) -> PyResult<()> {
    let py = class.py();
    let attributes = Attributes::of(class);
    let infos = info(class)?.call_method0(pyo3::intern!(py, "get_fields"))?;
    for field in infos.cast::<PyTuple>()?.iter_borrowed() {
        let name = field.call_method0(pyo3::intern!(py, "get_name"))?;
        let mut name = name.cast_into::<PyString>()?;
        if name.to_cow()?.contains('-') {
            name = PyString::new(py, &name.to_cow()?.replace('-', "_"));
        }
        let get = field.getattr(pyo3::intern!(py, "get_value"))?;
        let set = field.getattr(pyo3::intern!(py, "set_value"))?;
        attributes.set(name, &fields::property(&get, &set)?)?;
    }
    Ok(())
}

/// What `gi._gi.hook_up_vfunc_implementation` does: makes `function` the implementation of the virtual
/// function `info` in the class of `gtype`. False, with nothing done, where PyGObject has to do it.
#[pyfunction]
pub fn implement(
    info: &Bound<'_, PyAny>,
    gtype: &Bound<'_, PyAny>,
    function: &Bound<'_, PyAny>,
) -> bool {
    // SAFETY: valid objects, and the interpreter lock is held; an info has these fields.
    unsafe {
        let Some(gtype) = marshal::read_gtype(gtype.as_ptr()) else {
            return false;
        };
        if !object::is_vfunc(types(), info.as_ptr()) {
            return false;
        }
        let vfunc = info::fields(info.as_ptr()).info;
        marshal::implement(
            info.py(),
            &types().repository,
            vfunc,
            gtype,
            function.as_ptr(),
        )
    }
}

fn info<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
    class.getattr(pyo3::intern!(class.py(), "__info__"))
}

fn setup(class: &Bound<'_, PyType>, member: Member) -> PyResult<()> {
    let info = info(class)?;
    let repository = &types().repository;
    // SAFETY: `is_info` says that the object has these fields; it is alive to the end.
    let mut members = unsafe {
        if !object::is_info(types(), info.as_ptr()) {
            return Err(PyTypeError::new_err("__info__ is not a gi.BaseInfo"));
        }
        repository.members(info::fields(info.as_ptr()).info, member)
    };
    let attributes = Attributes::of(class);
    // SAFETY: each is a new reference to such a member.
    members.try_for_each(|info| unsafe { set_member(&attributes, info, member) })
}

/// Sets the callable of `info`, whose reference it takes over.
///
/// # Safety
/// `info` is such a member, the interpreter lock is held.
unsafe fn set_member(attributes: &Attributes<'_, '_>, info: Info, member: Member) -> PyResult<()> {
    let py = attributes.class.py();
    // SAFETY: the caller's.
    let (name, callable) = unsafe {
        let name = types().repository.name_in_typelib(info);
        let made = object::new_member(types(), info, member);
        (name, Bound::from_owned_ptr_or_err(py, made)?)
    };
    let shown = match name.count_bytes() > LONGEST_KEYWORD {
        // SAFETY: a zero-terminated name; the result is a new reference, or NULL with an exception.
        true => unsafe {
            Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_FromString(name.as_ptr()))?
        },
        false => callable.getattr(pyo3::intern!(py, "__name__"))?,
    };
    let name = match member {
        Member::Method => shown.cast_into::<PyString>()?,
        Member::VFunc => PyString::new(py, &format!("do_{shown}")),
    };
    // SAFETY: the caller's; the result is a new reference, or NULL with an exception.
    let value = unsafe {
        match (member, types().kind) {
            (Member::Method, Kind::Vectorcall) => {
                let flags = types().repository.flags(info);
                let value = if flags & IS_CONSTRUCTOR != 0 {
                    PyClassMethod_New(callable.as_ptr())
                } else if flags & IS_METHOD == 0 {
                    PyStaticMethod_New(callable.as_ptr())
                } else {
                    ffi::Py_NewRef(callable.as_ptr())
                };
                Bound::from_owned_ptr_or_err(py, value)?
            }
            _ => callable,
        }
    };
    attributes.set(name, &value)
}

/// The attributes of a class that is being made. When this is dropped CPython hears of the change.
struct Attributes<'a, 'py> {
    class: &'a Bound<'py, PyType>,
    /// Where `type.__setattr__` puts them, when that is what sets attributes of this class.
    dict: Option<*mut ffi::PyObject>,
}

impl<'a, 'py> Attributes<'a, 'py> {
    fn of(class: &'a Bound<'py, PyType>) -> Self {
        let object = class.as_type_ptr();
        let setter = |ty: *mut ffi::PyTypeObject| {
            // SAFETY: a ready type.
            unsafe { (*ty).tp_setattro.map(|setter| setter as usize) }
        };
        // SAFETY: a class has a metaclass and, as long as it lives, a dict.
        let dict = unsafe {
            let metaclass = ffi::Py_TYPE(object.cast());
            let plain = setter(metaclass) == setter(&raw mut ffi::PyType_Type);
            plain.then_some((*object).tp_dict)
        };
        Attributes { class, dict }
    }

    fn set(&self, name: Bound<'py, PyString>, value: &Bound<'py, PyAny>) -> PyResult<()> {
        // Other names are nothing to CPython, nor to the metaclasses of PyGObject.
        let special = name.to_cow()?.starts_with('_');
        let Some(dict) = self.dict.filter(|_| !special) else {
            return self.class.setattr(name, value);
        };
        let py = value.py();
        let mut name = name.into_ptr();
        // SAFETY: an exact str, of which a reference is exchanged for one to the interned str, with
        // which CPython looks attributes up; the dict of a class that is alive.
        let set = unsafe {
            ffi::PyUnicode_InternInPlace(&mut name);
            let name = Bound::from_owned_ptr(py, name);
            ffi::PyDict_SetItem(dict, name.as_ptr(), value.as_ptr())
        };
        match set {
            0 => Ok(()),
            _ => Err(PyErr::fetch(py)),
        }
    }
}

impl Drop for Attributes<'_, '_> {
    fn drop(&mut self) {
        // SAFETY: a class; the interpreter lock is held.
        unsafe { ffi::PyType_Modified(self.class.as_type_ptr()) };
    }
}

/// Registers the functions of this module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(setup_methods, module)?)?;
    module.add_function(wrap_pyfunction!(setup_vfuncs, module)?)?;
    module.add_function(wrap_pyfunction!(setup_fields, module)?)?;
    module.add_function(wrap_pyfunction!(implement, module)?)
}
