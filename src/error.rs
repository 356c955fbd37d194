//! Why a callable was not compiled.
//!
//! None of these reaches the user's program by itself: the callable goes on at the tier that it
//! has. A signature that no tier can run is not an error of this kind but a rejection
//! (`plan::reject`); an exception of the user's call is neither.

use crate::compile::backend::BackendError;
use crate::dispatch::Tier;

/// Why [`crate::compile::Compiler`] published nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CompileError {
    /// The configuration forbids it.
    Refused(String),
    /// The tier does not work in this process.
    Unavailable { tier: Tier, reason: String },
    /// There is no place for the code; the reason is a whole sentence.
    NoSpace(String),
    /// The host's object has died, or newer code has taken the place of this.
    Stale,
    /// A defect in gijit.
    Bug(String),
}

impl CompileError {
    /// What a back end said about `tier`.
    pub(crate) fn from_backend(tier: Tier, error: BackendError) -> Self {
        match error {
            BackendError::Unavailable(reason) => CompileError::Unavailable { tier, reason },
            BackendError::Bug(reason) => CompileError::Bug(reason),
        }
    }
}

impl std::fmt::Display for CompileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CompileError::Refused(reason) => write!(f, "refused: {reason}"),
            CompileError::Unavailable { tier, reason } => {
                write!(f, "tier {tier} is not available: {reason}")
            }
            CompileError::NoSpace(reason) => f.write_str(reason),
            CompileError::Stale => f.write_str("the callable is gone or has newer code"),
            CompileError::Bug(reason) => write!(f, "compiler bug: {reason}"),
        }
    }
}

impl std::error::Error for CompileError {}
