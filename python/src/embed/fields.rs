//! The attributes of structs and unions, such as `rectangle.width`.
//!
//! PyGObject makes a property for each field, around `get_value` and `set_value` of the field's info,
//! which read the typelib at every access. Ours is a property of the same two functions that knows
//! after its first use where the field is and how it is converted, if `marshal::field` can do that.
//!
//! Invariants: a property of ours has PyGObject's functions, and calls them for every access but one
//! that gives what they would; every error is theirs. Its class is a `property` to Python, by name
//! and by inheritance, and its first access is PyGObject's, which checks the instance.
//!
//! Not here: fields of objects.

use std::ptr::null_mut;
use std::sync::OnceLock;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyAnyMethods, PyType};

use crate::callable::info;
use crate::callable::object::{self, Types};
use crate::layout::{PROPERTY_GET, PROPERTY_SET, layout};
use crate::marshal;
use crate::marshal::field::{FieldAccess, access};

/// Our part of a property, behind CPython's.
#[derive(Clone, Copy)]
#[repr(C)]
struct Tail {
    /// NULL before the first access.
    state: *const State,
}

/// What is known of a field, for good.
enum State {
    /// Every access is PyGObject's.
    Stock,
    /// Of instances of `owner`.
    Known {
        owner: *mut ffi::PyTypeObject,
        access: FieldAccess,
    },
}

// SAFETY: types and steps are only used with the interpreter lock held.
unsafe impl Send for State {}
// SAFETY: as above.
unsafe impl Sync for State {}

/// The class of our properties, and where their tail is.
struct Class {
    ty: *mut ffi::PyTypeObject,
    tail: usize,
}

// SAFETY: types are only used with the interpreter lock held.
unsafe impl Send for Class {}
// SAFETY: as above.
unsafe impl Sync for Class {}

static STOCK: State = State::Stock;

/// `None` where properties are not as they should be.
static CLASS: OnceLock<Option<Class>> = OnceLock::new();

fn class() -> Option<&'static Class> {
    // SAFETY: the callers hold the interpreter lock.
    CLASS.get_or_init(|| unsafe { make_class() }).as_ref()
}

/// # Safety
/// The interpreter lock is held.
unsafe fn make_class() -> Option<Class> {
    let base = &raw mut ffi::PyProperty_Type;
    // SAFETY: CPython's own class; all zeroes is how C initialises the fields of a static type that it
    // does not name. A static type, for what `callable::object` says.
    unsafe {
        let tail = usize::try_from((*base).tp_basicsize).ok()?;
        let layout = layout(Python::assume_attached());
        if !layout.boxed_readable || !layout.property_readable {
            return None;
        }
        let made: &'static mut ffi::PyTypeObject = Box::leak(Box::new(std::mem::zeroed()));
        made.ob_base.ob_base = ffi::PyObject_HEAD_INIT;
        made.tp_name = (*base).tp_name;
        made.tp_basicsize = (tail + size_of::<Tail>()) as ffi::Py_ssize_t;
        made.tp_base = base;
        made.tp_flags = ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_BASETYPE;
        made.tp_doc = (*base).tp_doc;
        made.tp_descr_get = Some(get);
        made.tp_descr_set = Some(set);
        if ffi::PyType_Ready(made) < 0 {
            ffi::PyErr_Clear();
            return None;
        }
        // It would hide the property's own.
        if ffi::PyDict_DelItemString(made.tp_dict, c"__doc__".as_ptr()) < 0 {
            ffi::PyErr_Clear();
        }
        ffi::PyType_Modified(made);
        Some(Class { ty: made, tail })
    }
}

/// The place of one of a property's functions.
///
/// # Safety
/// A property.
unsafe fn function(property: *mut ffi::PyObject, place: usize) -> *mut *mut ffi::PyObject {
    // SAFETY: by this function's contract.
    unsafe { property.cast::<u8>().add(place).cast() }
}

/// A property of `get` and `set`, which are PyGObject's functions of a field.
///
/// # Errors
/// What making it raises.
pub fn property<'py>(
    get: &Bound<'py, PyAny>,
    set: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = get.py();
    // SAFETY: the class of properties or ours; a new object whose fields are zero.
    unsafe {
        let Some(class) = class() else {
            let stock = (&raw mut ffi::PyProperty_Type).cast();
            return Bound::from_borrowed_ptr(py, stock).call1((get, set));
        };
        let alloc = (*class.ty).tp_alloc.unwrap_or(ffi::PyType_GenericAlloc);
        let made = Bound::from_owned_ptr_or_err(py, alloc(class.ty, 0))?;
        function(made.as_ptr(), PROPERTY_GET).write(get.clone().into_ptr());
        function(made.as_ptr(), PROPERTY_SET).write(set.clone().into_ptr());
        Ok(made)
    }
}

/// Our property for one of PyGObject's, `None` for anything else.
pub fn adopt<'py>(value: &Bound<'py, PyAny>) -> Option<PyResult<Bound<'py, PyAny>>> {
    let stock = &raw mut ffi::PyProperty_Type;
    // SAFETY: a property has these functions; the interpreter lock is held.
    unsafe {
        if ffi::Py_TYPE(value.as_ptr()) != stock || class().is_none() {
            return None;
        }
        info_of(value.as_ptr())?;
    }
    Some(
        value
            .getattr("fget")
            .and_then(|get| property(&get, &value.getattr("fset")?)),
    )
}

/// PyGObject's property for one of ours, `None` for anything else.
pub fn release<'py>(value: &Bound<'py, PyAny>) -> Option<PyResult<Bound<'py, PyAny>>> {
    let class = CLASS.get().and_then(Option::as_ref)?;
    // SAFETY: a valid object.
    if unsafe { ffi::Py_TYPE(value.as_ptr()) } != class.ty {
        return None;
    }
    // SAFETY: CPython's own class.
    let stock =
        unsafe { Bound::from_borrowed_ptr(value.py(), (&raw mut ffi::PyProperty_Type).cast()) };
    let functions = value
        .getattr("fget")
        .and_then(|get| Ok((get, value.getattr("fset")?)));
    Some(functions.and_then(|functions| stock.call1(functions)))
}

/// The object of the field's info, borrowed, when the property gets with one's `get_value`.
///
/// # Safety
/// A property; the interpreter lock is held.
unsafe fn info_of(property: *mut ffi::PyObject) -> Option<*mut ffi::PyObject> {
    // SAFETY: by this function's contract. A built-in method has its instance.
    unsafe {
        let get = *function(property, PROPERTY_GET);
        if get.is_null() || ffi::PyCFunction_CheckExact(get) == 0 {
            return None;
        }
        let info = ffi::PyCFunction_GetSelf(get);
        let types = object::types_if_created()?;
        let is_field = !info.is_null()
            && object::is_info(types, info)
            && types.repository.is_field(info::fields(info).info);
        is_field.then_some(info)
    }
}

/// The state of a property.
///
/// # Safety
/// A property of ours.
unsafe fn tail<'a>(class: &Class, property: *mut ffi::PyObject) -> &'a mut Tail {
    // SAFETY: by this function's contract.
    unsafe { &mut *property.cast::<u8>().add(class.tail).cast() }
}

/// `tp_descr_get`.
unsafe extern "C" fn get(
    property: *mut ffi::PyObject,
    instance: *mut ffi::PyObject,
    owner: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython passes a property of ours, an instance or NULL, and holds the interpreter lock.
    unsafe {
        if let Some(found) = known(property, instance).and_then(|access| access.get(instance)) {
            return found;
        }
        let Some(stock) = ffi::PyProperty_Type.tp_descr_get else {
            return null_mut();
        };
        let found = stock(property, instance, owner);
        if !found.is_null() {
            learn(property, instance);
        }
        found
    }
}

/// `tp_descr_set`.
unsafe extern "C" fn set(
    property: *mut ffi::PyObject,
    instance: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) -> i32 {
    // SAFETY: as in `get`; `value` is NULL for a deletion.
    unsafe {
        let access = known(property, instance).filter(|_| !value.is_null());
        if access.is_some_and(|access| access.set(instance, value)) {
            return 0;
        }
        let Some(stock) = ffi::PyProperty_Type.tp_descr_set else {
            return -1;
        };
        let done = stock(property, instance, value);
        if done == 0 {
            learn(property, instance);
        }
        done
    }
}

/// What is known of the field, when `instance` is one of its owner's.
///
/// # Safety
/// A property of ours, an instance or NULL, the interpreter lock is held.
unsafe fn known<'a>(
    property: *mut ffi::PyObject,
    instance: *mut ffi::PyObject,
) -> Option<&'a FieldAccess> {
    // SAFETY: by this function's contract; states are for good.
    unsafe {
        match tail(class()?, property).state.as_ref()? {
            State::Known { owner, access } if !instance.is_null() => {
                (ffi::PyObject_TypeCheck(instance, *owner) != 0).then_some(access)
            }
            _ => None,
        }
    }
}

/// After an access that PyGObject has made: finds out how the next one can be made here.
///
/// # Safety
/// As for [`known`].
unsafe fn learn(property: *mut ffi::PyObject, instance: *mut ffi::PyObject) {
    // SAFETY: by this function's contract; CPython keeps both objects meanwhile.
    unsafe {
        let Some(class) = class() else {
            return;
        };
        let is_none = instance.is_null() || instance == ffi::Py_None();
        if is_none || !tail(class, property).state.is_null() {
            return;
        }
        let state = match find(property, instance) {
            Some((owner, access)) => {
                ffi::Py_INCREF(owner.cast());
                std::ptr::from_ref(Box::leak(Box::new(State::Known { owner, access })))
            }
            None => &raw const STOCK,
        };
        tail(class, property).state = state;
    }
}

/// The class that has the field, and how it is got and set there.
///
/// # Safety
/// As for [`known`], and PyGObject has accepted the instance.
unsafe fn find(
    property: *mut ffi::PyObject,
    instance: *mut ffi::PyObject,
) -> Option<(*mut ffi::PyTypeObject, FieldAccess)> {
    // SAFETY: by this function's contract.
    unsafe {
        let py = Python::assume_attached();
        let types = object::types_if_created()?;
        let info = info::fields(info_of(property)?).info;
        let container = types
            .repository
            .name_address(types.repository.container(info)?);
        let ty = Bound::from_borrowed_ptr(py, ffi::Py_TYPE(instance).cast()).cast_into::<PyType>();
        let mro = ty.ok()?.mro();
        let is_owner = |class: &Bound<'_, PyAny>| named(types, class) == Some(container);
        let owner = mro.iter().find(is_owner)?;
        if !marshal::wraps_struct(owner.as_ptr().cast()) {
            return None;
        }
        let access = access(py, &types.repository, info)?;
        Some((owner.as_ptr().cast(), access))
    }
}

/// The address of the name of the type that `class` has been made for, itself and not a base.
fn named(types: &Types, class: &Bound<'_, PyAny>) -> Option<usize> {
    let dict = class.getattr("__dict__").ok()?;
    let info = dict.get_item("__info__").ok()?;
    // SAFETY: a valid object; an info has these fields.
    unsafe {
        object::is_info(types, info.as_ptr()).then(|| {
            types
                .repository
                .name_address(info::fields(info.as_ptr()).info)
        })
    }
}

/// What an access to the property `value` is: "native", "stock" or, before the first one, "unknown".
/// `None` for what is no property of ours.
#[pyfunction]
pub fn field_state(value: &Bound<'_, PyAny>) -> Option<&'static str> {
    let class = CLASS.get().and_then(Option::as_ref)?;
    // SAFETY: a valid object, and the interpreter lock is held.
    unsafe {
        if ffi::Py_TYPE(value.as_ptr()) != class.ty {
            return None;
        }
        Some(match tail(class, value.as_ptr()).state.as_ref() {
            None => "unknown",
            Some(State::Stock) => "stock",
            Some(State::Known { .. }) => "native",
        })
    }
}

/// Registers the function of this module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(field_state, module)?)
}
