//! Machine code with its owner: given back when it is dropped.

use std::sync::Arc;

use crate::code::CodeHandle;
use crate::compile::backend::MachineCode;

/// Where executable memory comes from: [`crate::code`], or a fake in tests.
pub trait CodeSpace: Send + Sync {
    /// Copies `code` to where it can run.
    ///
    /// # Errors
    /// One line that says why there is no room.
    fn place(&self, code: &MachineCode) -> Result<CodeHandle, String>;

    /// Frees what `place` gave. No thread executes it, and none will.
    fn retire(&self, handle: CodeHandle);

    /// The process is about to fork: parent and child share what is placed by now.
    fn seal(&self) {}
}

/// Placed code. Whoever holds it decides how long it lives: dropping it frees the code.
pub struct PlacedCode {
    handle: Option<CodeHandle>,
    space: Arc<dyn CodeSpace>,
}

impl PlacedCode {
    /// Places `code` in `space`.
    ///
    /// # Errors
    /// Those of [`CodeSpace::place`].
    pub fn new(space: &Arc<dyn CodeSpace>, code: &MachineCode) -> Result<Self, String> {
        Ok(PlacedCode {
            handle: Some(space.place(code)?),
            space: Arc::clone(space),
        })
    }

    /// Where it is entered.
    pub fn entry(&self) -> usize {
        self.handle.as_ref().map_or(0, |handle| handle.entry)
    }

    /// Bytes occupied.
    pub fn size(&self) -> usize {
        self.handle.as_ref().map_or(0, |handle| handle.size)
    }
}

impl Drop for PlacedCode {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            self.space.retire(handle);
        }
    }
}
