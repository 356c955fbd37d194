//! Making callables for what PyGObject is about to hand out, and stock infos for the way back.

use std::path::PathBuf;

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::engine;
use crate::callable::object;

/// Makes the callable types and starts the engine. `function` is `gi._gi.FunctionInfo`, `vfunc` is
/// `gi._gi.VFuncInfo`, `plugin` the path of the LLVM tier's library, which is loaded when it is
/// needed.
///
/// Raises RuntimeError, with the reason, when this PyGObject cannot be served.
#[pyfunction]
pub fn prepare(
    function: &Bound<'_, PyAny>,
    vfunc: &Bound<'_, PyAny>,
    plugin: PathBuf,
) -> PyResult<()> {
    let py = function.py();
    let started = object::create(function, vfunc).and_then(|_| engine::start(py, plugin));
    started.map(|_| ()).map_err(PyRuntimeError::new_err)
}

/// The callable that stands for a stock, unbound `gi.FunctionInfo` or `gi.VFuncInfo`; anything else
/// is given back as it is.
#[pyfunction]
pub fn adopt<'py>(info: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let types = object::types();
    // SAFETY: `info` is a valid object and the interpreter lock is held; `fields` and `new_unbound`
    // only see such an info.
    unsafe {
        if !object::is_stock(types, info.as_ptr())
            || !object::fields(info.as_ptr()).bound_arg.is_null()
        {
            return Ok(info.clone());
        }
        Bound::from_owned_ptr_or_err(info.py(), object::new_unbound(types, info.as_ptr()))
    }
}

/// A stock info for an unbound callable of ours; anything else is given back as it is.
#[pyfunction]
pub fn release<'py>(callable: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let Some(types) = object::types_if_created() else {
        return Ok(callable.clone());
    };
    // SAFETY: `callable` is a valid object and the interpreter lock is held; `fields` and
    // `new_stock` only see one of ours.
    unsafe {
        if !object::is_ours(types, callable.as_ptr())
            || !object::fields(callable.as_ptr()).bound_arg.is_null()
        {
            return Ok(callable.clone());
        }
        Bound::from_owned_ptr_or_err(callable.py(), object::new_stock(types, callable.as_ptr()))
    }
}

/// Whether `object` is a callable of ours, bound or not.
#[pyfunction]
pub fn is_ours(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: a valid object, and the interpreter lock is held.
    object::types_if_created()
        .is_some_and(|types| unsafe { object::is_ours(types, object.as_ptr()) })
}

/// What `MetaClassHelper._setup_methods` does, with callables of ours: sets each method of the
/// class's info as an attribute of the class.
#[pyfunction]
pub fn setup_methods(class: &Bound<'_, PyAny>) -> PyResult<()> {
    setup(class, "get_methods", "")
}

/// What `MetaClassHelper._setup_native_vfuncs` does for the classes that have virtual functions:
/// sets each of the class's info as an attribute of the class.
#[pyfunction]
pub fn setup_vfuncs(class: &Bound<'_, PyAny>) -> PyResult<()> {
    setup(class, "get_vfuncs", "do_")
}

/// Sets a callable of ours for each info that the method `getter` of the class's info gives, as an
/// attribute of the class under its own name behind `prefix`.
fn setup(class: &Bound<'_, PyAny>, getter: &str, prefix: &str) -> PyResult<()> {
    let py = class.py();
    let infos = class
        .getattr(pyo3::intern!(py, "__info__"))?
        .call_method0(getter)?;
    let infos = infos
        .cast::<PyTuple>()
        .map_err(|_| PyTypeError::new_err(format!("{getter}() gave no tuple")))?;
    for info in infos.iter_borrowed() {
        let name = info.getattr(pyo3::intern!(py, "__name__"))?;
        let callable = adopt(&info)?;
        match prefix {
            "" => class.setattr(name.cast::<PyString>()?, callable)?,
            prefix => class.setattr(format!("{prefix}{}", name.cast::<PyString>()?), callable)?,
        }
    }
    Ok(())
}

/// Registers the functions of this module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(prepare, module)?)?;
    module.add_function(wrap_pyfunction!(adopt, module)?)?;
    module.add_function(wrap_pyfunction!(release, module)?)?;
    module.add_function(wrap_pyfunction!(is_ours, module)?)?;
    module.add_function(wrap_pyfunction!(setup_methods, module)?)?;
    module.add_function(wrap_pyfunction!(setup_vfuncs, module)?)
}
