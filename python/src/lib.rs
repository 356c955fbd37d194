//! The extension module `gijit._gijit`: gijit's core inside PyGObject.
//!
//! `callable` is the object that Python calls, `embed` is how it gets there and what stands behind
//! it; `marshal` converts values, over the object layouts in `layout`; `recipes` are the same
//! conversions inline in compiled code. The package around it (`python/gijit/`) holds what is easier
//! said in Python: patches, the public functions with their documentation, the command line.

mod callable;
mod embed;
mod errors;
mod glib;
mod layout;
mod marshal;
mod recipes;

use pyo3::prelude::*;

/// What the package needs of the native side; private to it.
#[pymodule]
fn _gijit(module: &Bound<'_, PyModule>) -> PyResult<()> {
    embed::install::register(module)?;
    embed::members::register(module)?;
    embed::order::register(module)?;
    embed::inspect::register(module)?;
    embed::names::register(module)?;
    embed::ends::register(module)?;
    embed::fields::register(module)?;
    embed::docstring::register(module)?;
    embed::doctor::register(module)
}
