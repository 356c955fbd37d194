//! Making callables for what PyGObject is about to hand out, and stock infos for the way back.

use std::path::PathBuf;

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::engine;
use crate::callable::{bind, object};

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

/// The callable that stands for `info`, a stock `gi.FunctionInfo` or `gi.VFuncInfo`, bound or not;
/// anything else is given back as it is.
///
/// `known` is the dict of one pass over many objects: with it a stock object that is met again, also
/// inside of a bound one, gets the same callable again.
#[pyfunction]
#[pyo3(signature = (info, known=None))]
pub fn adopt<'py>(
    info: &Bound<'py, PyAny>,
    known: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let types = object::types();
    // SAFETY: `info` is a valid object and the interpreter lock is held.
    if !unsafe { object::is_stock(types, info.as_ptr()) } {
        return Ok(info.clone());
    }
    once(info, known, || {
        // SAFETY: `info` is stock. What a bound one was bound from is stock or, when a program called
        // `__get__` itself, ours: `adopt` gives one of ours for both.
        unsafe {
            let fields = object::fields(info.as_ptr());
            if fields.bound_arg.is_null() {
                return Ok(object::new_unbound(types, info.as_ptr()));
            }
            let unbound = adopt(&Bound::from_borrowed_ptr(info.py(), fields.unbound), known)?;
            Ok(bind::rebind(unbound.as_ptr(), fields.bound_arg))
        }
    })
}

/// A stock info for a callable of ours, bound or not; anything else is given back as it is. `known`
/// as for [`adopt`].
#[pyfunction]
#[pyo3(signature = (callable, known=None))]
pub fn release<'py>(
    callable: &Bound<'py, PyAny>,
    known: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let Some(types) = object::types_if_created() else {
        return Ok(callable.clone());
    };
    // SAFETY: `callable` is a valid object and the interpreter lock is held.
    if !unsafe { object::is_ours(types, callable.as_ptr()) } {
        return Ok(callable.clone());
    }
    once(callable, known, || {
        // SAFETY: `callable` is ours, and so is what a bound one was bound from.
        unsafe {
            let fields = object::fields(callable.as_ptr());
            if fields.bound_arg.is_null() {
                return Ok(object::new_stock(types, callable.as_ptr()));
            }
            let unbound = release(
                &Bound::from_borrowed_ptr(callable.py(), fields.unbound),
                known,
            )?;
            let made = object::new_stock(types, callable.as_ptr());
            object::set_bound(made, unbound.as_ptr(), fields.bound_arg);
            Ok(made)
        }
    })
}

/// What `make` gives for `object`, a new reference, or what it gave before as `known` says.
fn once<'py>(
    object: &Bound<'py, PyAny>,
    known: Option<&Bound<'py, PyDict>>,
    make: impl FnOnce() -> PyResult<*mut ffi::PyObject>,
) -> PyResult<Bound<'py, PyAny>> {
    // Infos have no hash.
    let key = object.as_ptr() as usize;
    if let Some(found) = known
        .map(|known| known.get_item(key))
        .transpose()?
        .flatten()
    {
        return found.get_item(1);
    }
    // SAFETY: a new reference, or NULL with an exception set; the interpreter lock is held.
    let made = unsafe { Bound::from_owned_ptr_or_err(object.py(), make()?)? };
    if let Some(known) = known {
        // The object stays alive with its address.
        known.set_item(key, (object, &made))?;
    }
    Ok(made)
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
        let callable = adopt(&info, None)?;
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
