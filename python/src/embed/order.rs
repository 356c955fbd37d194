//! The order in which the attributes of a class that PyGObject is making are looked up.
//!
//! `gi.types.mro` computes it in Python for each class: C3, but for interfaces, which may come before
//! what another base puts in front of them. That was 3 ms of the 100 in which every name of GTK is touched.
//! This computes the same; where it does not see how, and where there is no order, nothing is computed
//! and PyGObject's function is called, which raises its own error.

use std::slice;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple, PyType};

/// The order of `class`, whose bases are known; `interface` is `gi._gi.GInterface`. `None` where
/// PyGObject's own function is to be asked.
#[pyfunction]
pub fn mro<'py>(
    class: &Bound<'py, PyType>,
    interface: &Bound<'py, PyType>,
) -> PyResult<Option<Bound<'py, PyList>>> {
    let bases = class.bases();
    let mut orders: Vec<Bound<'py, PyTuple>> = Vec::with_capacity(bases.len() + 1);
    for base in bases.iter_borrowed() {
        match base.cast::<PyType>() {
            Ok(base) => orders.push(base.mro()),
            Err(_) => return Ok(None),
        }
    }
    orders.push(bases);
    let mut lists = vec![slice::from_ref(class.as_any())];
    lists.extend(orders.iter().map(|order| order.as_slice()));
    lists.retain(|list| !list.is_empty());
    if !lists.iter().copied().flatten().all(is_plain) {
        return Ok(None);
    }
    let mut order = Vec::new();
    while !lists.is_empty() {
        let next = lists.iter().map(|list| &list[0]).find(|candidate| {
            let is_later = |list: &&[Bound<'py, PyAny>]| list[1..].iter().any(|o| o.is(*candidate));
            !lists.iter().any(is_later) || is_interface(candidate, interface)
        });
        let Some(next) = next else {
            return Ok(None);
        };
        order.push(next);
        for list in &mut lists {
            if list[0].is(next) {
                *list = &list[1..];
            }
        }
        lists.retain(|list| !list.is_empty());
    }
    PyList::new(class.py(), order).map(Some)
}

/// Whether an object is a class that equals nothing but itself.
fn is_plain(object: &Bound<'_, PyAny>) -> bool {
    let metaclass = object.get_type();
    // SAFETY: type objects, `type` among them; the interpreter lock is held.
    let compare = unsafe {
        let slot = |ty: *mut ffi::PyTypeObject| (*ty).tp_richcompare.map(|slot| slot as usize);
        slot(metaclass.as_type_ptr()) == slot(&raw mut ffi::PyType_Type)
    };
    compare && object.is_instance_of::<PyType>()
}

/// Whether a class is an interface: such a one has `interface` for a base.
fn is_interface(class: &Bound<'_, PyAny>, interface: &Bound<'_, PyType>) -> bool {
    let class = class.cast::<PyType>();
    class.is_ok_and(|class| class.bases().iter().any(|base| base.is(interface)))
}

/// Registers the function of this module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(mro, module)?)
}
