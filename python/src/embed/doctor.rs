//! What the native side needs of the machine, tried out, and what the environment says.

use std::path::PathBuf;

use gijit::code::CodeMemory;
use gijit::compile::plugin::LlvmPlugin;
use gijit::config::{Config, VARIABLES};
use gijit::plan::reject::Reason;
use gijit_cranelift::CraneliftBackend;
use pyo3::prelude::*;

use crate::layout::layout;

/// Tries what the tiers need: `(what, works, detail)` each, `works` being None for what is not to be
/// here. `plugin` is the LLVM tier's library.
#[pyfunction]
fn examine(py: Python<'_>, plugin: PathBuf) -> Vec<(&'static str, Option<bool>, String)> {
    let probes = layout(py).probes.iter().map(|probe| {
        let (works, detail) = match (probe.holds, probe.expected) {
            (true, _) => (Some(true), "as expected".to_owned()),
            (false, true) => (Some(false), probe.without.to_owned()),
            (false, false) => (None, format!("not on this version: {}", probe.without)),
        };
        (probe.name, works, detail)
    });
    let mut found = py.detach(|| {
        let (memory, memory_detail) = match CodeMemory::probe() {
            Ok(()) => (true, "can be mapped and entered".to_owned()),
            Err(error) => (false, error.to_string()),
        };
        let (cranelift, cranelift_detail) = match CraneliftBackend::new() {
            Ok(_) => (true, "knows this machine".to_owned()),
            Err(error) => (false, error.to_string()),
        };
        let (llvm, llvm_detail) = match LlvmPlugin::load(&plugin) {
            Ok(llvm) => (
                true,
                format!("LLVM {}, {}", llvm.version(), plugin.display()),
            ),
            Err(error) => (false, error.to_string()),
        };
        vec![
            ("executable memory", Some(memory), memory_detail),
            (
                "tier 1 (Cranelift)",
                Some(cranelift && memory),
                cranelift_detail,
            ),
            ("tier 2 (LLVM)", Some(llvm && memory), llvm_detail),
        ]
    });
    found.extend(probes);
    found
}

/// The variables of the table, `(name, default, allowed, doc)` each, and a line for each of
/// `variables`, `(name, value)`, that cannot be used as it stands.
#[pyfunction]
fn environment(variables: Vec<(String, String)>) -> (Vec<Row>, Vec<String>) {
    let rows = VARIABLES.iter();
    let rows = rows.map(|row| (row.name, row.default, row.allowed, row.doc));
    let (_, warnings) = Config::from_vars(variables);
    (
        rows.collect(),
        warnings.iter().map(ToString::to_string).collect(),
    )
}

/// The version of gijit.
#[pyfunction]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Every reason for which a callable is left to PyGObject, with what it is.
#[pyfunction]
fn reasons() -> Vec<(&'static str, &'static str)> {
    let all = Reason::ALL.iter();
    all.map(|reason| (reason.id(), reason.text())).collect()
}

type Row = (&'static str, &'static str, &'static str, &'static str);

/// Registers the functions of this module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(environment, module)?)?;
    module.add_function(wrap_pyfunction!(reasons, module)?)?;
    module.add_function(wrap_pyfunction!(version, module)?)?;
    module.add_function(wrap_pyfunction!(examine, module)?)
}
