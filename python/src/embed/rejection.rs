//! Why a callable is left to PyGObject.

use gijit::plan::reject::Reason;
use pyo3::prelude::*;

/// The reason, where in the signature it lies, and of which callable.
#[derive(Debug)]
pub struct Rejection {
    pub name: String,
    pub reason: Reason,
    pub detail: String,
    /// The exception with which a class could not be imported. As in PyGObject, a call raises it and
    /// the next call tries again, so nothing is kept of such a rejection.
    pub raised: Option<Box<PyErr>>,
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.reason.text().trim_end_matches('.'))?;
        match self.detail.is_empty() {
            true => Ok(()),
            false => write!(f, " ({})", self.detail),
        }
    }
}
