//! Finding out what each tier can compile, without publishing anything.
//!
//! The back ends translate thunk IR op by op, and addresses and names only pass through them. So of
//! the thunks that have one shape (`ir::text::shape`) the first is compiled and its outcome holds for
//! the others; each is lowered and verified all the same. In Gtk a few hundred shapes stand for
//! thousands of callables.
//!
//! Absent: code that can run. Nothing is placed, and no callable changes its tier.

use std::collections::HashMap;

use super::Compiler;
use crate::dispatch::{Callable, Tier};
use crate::error::CompileError;
use crate::ir::text;
use crate::sync::lock_std as lock;

/// The outcomes so far, by shape.
pub struct Survey {
    compiler: &'static Compiler,
    outcomes: HashMap<(Tier, String), Result<(), CompileError>>,
}

impl Survey {
    pub fn new(compiler: &'static Compiler) -> Self {
        Survey {
            compiler,
            outcomes: HashMap::new(),
        }
    }

    /// Whether `callable` can be compiled for `tier` as it is now.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&mut self, callable: &Callable, tier: Tier) -> Result<(), CompileError> {
        self.compiler.admit(callable, tier)?;
        let function = self.compiler.lowered(callable, tier)?.without_notes();
        self.outcomes
            .entry((tier, text::shape(&function)))
            .or_insert_with(|| {
                let done = lock(&self.compiler.bench).assemble(&function, tier);
                done.map(|_code| ())
            })
            .clone()
    }
}
