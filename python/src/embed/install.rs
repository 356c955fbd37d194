//! Making callables for what PyGObject is about to hand out, and stock infos for the way back.

use std::path::PathBuf;

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::engine;
use crate::callable::object;

/// Makes the callable types and starts the engine. `base` is `gi._gi.FunctionInfo`, `plugin` the
/// path of the LLVM tier's library, which is loaded when it is needed.
///
/// Raises RuntimeError, with the reason, when this PyGObject cannot be served.
#[pyfunction]
pub fn prepare(base: &Bound<'_, PyAny>, plugin: PathBuf) -> PyResult<()> {
    let started = object::create(base).and_then(|_| engine::start(base.py(), plugin).map(|_| ()));
    started.map_err(PyRuntimeError::new_err)
}

/// The callable that stands for a stock, unbound `gi.FunctionInfo`; anything else is given back as
/// it is.
#[pyfunction]
pub fn adopt<'py>(info: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let types = object::types();
    // SAFETY: `info` is a valid object and the interpreter lock is held; `fields` and `new_unbound`
    // only see a stock FunctionInfo.
    unsafe {
        if !object::is_stock(types, info.as_ptr())
            || !object::fields(info.as_ptr()).bound_arg.is_null()
        {
            return Ok(info.clone());
        }
        Bound::from_owned_ptr_or_err(info.py(), object::new_unbound(types, info.as_ptr()))
    }
}

/// A stock `gi.FunctionInfo` for an unbound callable of ours; anything else is given back as it is.
#[pyfunction]
pub fn release<'py>(callable: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let Some(types) = object::types_if_created() else {
        return Ok(callable.clone());
    };
    // SAFETY: `callable` is a valid object and the interpreter lock is held; `fields` and
    // `new_stock` only see a FunctionInfo.
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
    let py = class.py();
    let methods = class
        .getattr(pyo3::intern!(py, "__info__"))?
        .call_method0(pyo3::intern!(py, "get_methods"))?;
    let methods = methods
        .cast::<PyTuple>()
        .map_err(|_| PyTypeError::new_err("get_methods() gave no tuple"))?;
    for info in methods.iter_borrowed() {
        let name = info.getattr(pyo3::intern!(py, "__name__"))?;
        let callable = adopt(&info)?;
        class.setattr(name.cast::<PyString>()?, callable)?;
    }
    Ok(())
}

/// Registers the functions of this module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(prepare, module)?)?;
    module.add_function(wrap_pyfunction!(adopt, module)?)?;
    module.add_function(wrap_pyfunction!(release, module)?)?;
    module.add_function(wrap_pyfunction!(is_ours, module)?)?;
    module.add_function(wrap_pyfunction!(setup_methods, module)?)
}
