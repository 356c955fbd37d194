//! Making callables for what PyGObject is about to hand out, and stock infos for the way back.

use std::path::PathBuf;

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use super::{engine, fields};
use crate::callable::{bind, object};

/// Makes the callable types and starts the engine. `function` is `gi._gi.FunctionInfo`, `vfunc` is
/// `gi._gi.VFuncInfo`, `samples` an unbound instance of each, which PyGObject from 3.52 on needs,
/// `plugin` the path of the LLVM tier's library, which is loaded when it is needed.
///
/// Raises RuntimeError, with the reason, when this PyGObject cannot be served.
#[pyfunction]
pub fn prepare(
    function: &Bound<'_, PyType>,
    vfunc: &Bound<'_, PyType>,
    samples: Option<[Bound<'_, PyAny>; 2]>,
    plugin: PathBuf,
) -> PyResult<()> {
    let py = function.py();
    let made = object::create([function, vfunc], samples);
    let started = made.and_then(|_| engine::start(py, plugin));
    started.map(|_| ()).map_err(PyRuntimeError::new_err)
}

/// The callable that stands for `info`, a stock `gi.FunctionInfo` or `gi.VFuncInfo`, bound or not, or
/// the property that stands for one of a field; anything else is given back as it is.
///
/// `known` is the dict of one pass over many objects: with it a stock object that is met again, also
/// inside of a bound one, gets the same callable again.
#[pyfunction]
#[pyo3(signature = (info, known=None))]
pub fn adopt<'py>(
    info: &Bound<'py, PyAny>,
    known: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    if let Some(property) = fields::adopt(info) {
        return property;
    }
    let types = object::types();
    // SAFETY: `info` is a valid object and the interpreter lock is held.
    if !unsafe { object::is_stock(types, info.as_ptr()) } {
        return Ok(info.clone());
    }
    once(info, known, || {
        // SAFETY: `info` is stock. What a bound one was bound from is stock or, when a program called
        // `__get__` itself, ours: `adopt` gives one of ours for both.
        unsafe {
            let Some(bound) = types.kind.bound(info.as_ptr()) else {
                return Ok(object::new_unbound(types, info.as_ptr()));
            };
            let unbound = adopt(&Bound::from_borrowed_ptr(info.py(), bound.unbound), known)?;
            Ok(bind::rebind(unbound.as_ptr(), bound.argument))
        }
    })
}

/// A stock info for a callable of ours, bound or not, or a property for one of ours; anything else is
/// given back as it is. `known` as for [`adopt`].
#[pyfunction]
#[pyo3(signature = (callable, known=None))]
pub fn release<'py>(
    callable: &Bound<'py, PyAny>,
    known: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    if let Some(property) = fields::release(callable) {
        return property;
    }
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
            let Some(bound) = types.kind.bound(callable.as_ptr()) else {
                return Ok(object::new_stock(types, callable.as_ptr()));
            };
            let unbound = release(
                &Bound::from_borrowed_ptr(callable.py(), bound.unbound),
                known,
            )?;
            let made = object::new_stock(types, callable.as_ptr());
            object::set_bound(made, unbound.as_ptr(), bound.argument);
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

/// Registers the functions of this module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(prepare, module)?)?;
    module.add_function(wrap_pyfunction!(adopt, module)?)?;
    module.add_function(wrap_pyfunction!(release, module)?)?;
    module.add_function(wrap_pyfunction!(is_ours, module)?)
}
