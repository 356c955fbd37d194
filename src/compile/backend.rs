//! What a compiling tier is to the rest: thunk IR in, position-fixed bytes out.
//!
//! A back end knows neither Python nor typelibs, nor where code is placed: `code/` does that. It is
//! used by one thread at a time.

use crate::ir::Function;

/// Machine code that runs at any address: calls and constants are absolute, jumps are internal.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MachineCode {
    /// Instructions, and the constants that they read, in one piece.
    pub bytes: Vec<u8>,
    /// What `bytes` must be aligned to, a power of two, at most 64.
    pub align: usize,
    /// Where in `bytes` the function starts.
    pub entry: usize,
    /// How to unwind through it, where the back end gave it.
    pub unwind: Option<Unwind>,
    /// Which step of the plan the instructions belong to, by offset. Empty when the function has no
    /// notes.
    pub steps: Vec<StepAt>,
}

/// From `offset` in the code up to that of the next one the instructions are of this step
/// (`ir::steps`); 0 is of none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct StepAt {
    pub offset: u32,
    pub step: u32,
}

/// Frame description of one function, registered with the unwinder by `code/`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unwind {
    /// A complete `.eh_frame` section without its terminator.
    pub eh_frame: Vec<u8>,
    /// Where in it the function's address goes: 4 bytes, relative to that place.
    pub pc_begin: usize,
}

/// Why a back end gave no code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BackendError {
    /// Cannot work in this process: the tier is switched off, with this reason.
    Unavailable(String),
    /// A defect in gijit: this function stays at the tier below.
    Bug(String),
}

impl std::fmt::Display for BackendError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BackendError::Unavailable(reason) => write!(f, "not available: {reason}"),
            BackendError::Bug(reason) => write!(f, "compiler bug: {reason}"),
        }
    }
}

impl std::error::Error for BackendError {}

/// A text that a back end can show of a function, for `explain`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Listing {
    /// The back end's own IR (CLIF, LLVM IR) as it is handed over.
    Ir,
    /// Disassembly.
    Asm,
}

/// A compiling tier.
pub trait Backend: Send {
    /// Compiles a verified function. Accounts for the steps that its notes name, if it has any.
    fn compile(&mut self, function: &Function) -> Result<MachineCode, BackendError>;

    /// Shows a verified function.
    fn list(&mut self, function: &Function, what: Listing) -> Result<String, BackendError>;
}
