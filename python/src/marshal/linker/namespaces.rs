//! The modules that classes are looked up in.
//!
//! PyGObject imports the namespace's module for each type of each callable, and takes an attribute
//! of it. So does this, since a program may have put something else there; but a module that has
//! once been found whole need not be asked again whether it is still being imported.

use std::sync::{Mutex, PoisonError};

use gijit::signature::{Name, TypeRef};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// The module of a namespace as it was found last.
struct Found {
    namespace: Name,
    /// `gi.repository.` and the namespace.
    name: Py<PyString>,
    module: Py<PyAny>,
}

/// One per namespace: few, so they are searched in order. Nothing that can run Python is done with
/// the lock held.
static FOUND: Mutex<Vec<Found>> = Mutex::new(Vec::new());

/// The class as PyGObject finds it: an attribute of the namespace's module.
pub(super) fn class<'py>(py: Python<'py>, ty: TypeRef) -> PyResult<Bound<'py, PyAny>> {
    let module = match known(py, &ty.namespace) {
        Some(module) => module,
        None => import(py, &ty.namespace)?,
    };
    // The look-up remembers interned names only.
    module.getattr(PyString::intern(py, &ty.name))
}

/// What was found last, if it still stands among the imported modules.
fn known<'py>(py: Python<'py>, namespace: &str) -> Option<Bound<'py, PyAny>> {
    let (name, module) = {
        let found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        let found = found.iter().find(|found| found.namespace == namespace)?;
        (found.name.clone_ref(py), found.module.clone_ref(py))
    };
    // SAFETY: the interpreter lock is held; the dict, which is borrowed, and the name are objects.
    let present = unsafe {
        let modules = ffi::PyImport_GetModuleDict();
        ffi::PyDict_GetItem(modules, name.as_ptr())
    };
    (present == module.as_ptr()).then(|| module.into_bound(py))
}

/// Imports the module of `namespace` and remembers it.
fn import<'py>(py: Python<'py>, namespace: &Name) -> PyResult<Bound<'py, PyAny>> {
    let name = PyString::new(py, &format!("gi.repository.{namespace}"));
    let module = module(py, &name)?;
    let new = Found {
        namespace: namespace.clone(),
        name: name.unbind(),
        module: module.clone().unbind(),
    };
    // Dropped behind the block, without the lock: it may hold the last reference to its module.
    let _old = {
        let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        let place = found.iter_mut().find(|found| found.namespace == *namespace);
        match place {
            Some(old) => Some(std::mem::replace(old, new)),
            None => {
                found.push(new);
                None
            }
        }
    };
    Ok(module)
}

/// The module `name`. It is nearly always there, and then an import costs ten times a look-up.
pub(super) fn module<'py>(
    py: Python<'py>,
    name: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: a str; the result is a new reference, or NULL, also when the look-up raised.
    let found = unsafe {
        let found = ffi::PyImport_GetModule(name.as_ptr());
        Bound::from_owned_ptr_or_opt(py, found)
    };
    match (found, PyErr::take(py)) {
        (Some(module), _) => Ok(module),
        (None, Some(error)) => Err(error),
        (None, None) => py.import(name).map(Bound::into_any),
    }
}
