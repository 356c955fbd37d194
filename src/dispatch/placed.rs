//! Machine code with its owner: given back when it is dropped.

use std::sync::Arc;

use crate::code::{CodeLabel, CodeMemory};
use crate::compile::backend::MachineCode;

/// Where executable memory comes from: [`CodeMemory`], or a fake in tests.
pub trait CodeSpace: Send + Sync {
    /// Copies `code` to where it can run.
    ///
    /// # Errors
    /// One line that says why there is no room.
    fn place(&self, code: &MachineCode, label: &CodeLabel<'_>) -> Result<PlacedCode, String>;

    /// Whether there is any room, as far as is known before code is made.
    ///
    /// # Errors
    /// As [`CodeSpace::place`].
    fn has_room(&self) -> Result<(), String> {
        Ok(())
    }

    /// Whether the code's account of its steps is of use to anybody.
    fn wants_steps(&self) -> bool {
        false
    }

    /// The process is about to fork: parent and child share what is placed by now.
    fn seal(&self);

    /// This is the child of a fork.
    fn after_fork_child(&self) {}
}

impl CodeSpace for Arc<CodeMemory> {
    fn place(&self, code: &MachineCode, label: &CodeLabel<'_>) -> Result<PlacedCode, String> {
        let handle = CodeMemory::place(self, code, label).map_err(|error| error.to_string())?;
        let memory = Arc::clone(self);
        let (entry, size) = (handle.entry, handle.size);
        Ok(PlacedCode::new(entry, size, move || memory.retire(handle)))
    }

    fn has_room(&self) -> Result<(), String> {
        CodeMemory::has_room(self).map_err(|error| error.to_string())
    }

    fn wants_steps(&self) -> bool {
        CodeMemory::wants_steps(self)
    }

    fn seal(&self) {
        CodeMemory::seal(self);
    }

    fn after_fork_child(&self) {
        CodeMemory::after_fork_child(self);
    }
}

/// Placed code. Whoever holds it decides how long it lives: dropping it frees the code, which no
/// thread may be executing or enter any more.
pub struct PlacedCode {
    entry: usize,
    size: usize,
    retire: Option<Box<dyn FnOnce() + Send>>,
}

impl PlacedCode {
    /// Code of `size` bytes that is entered at `entry` and freed by `retire`.
    pub fn new(entry: usize, size: usize, retire: impl FnOnce() + Send + 'static) -> Self {
        PlacedCode {
            entry,
            size,
            retire: Some(Box::new(retire)),
        }
    }

    /// Where it is entered.
    pub fn entry(&self) -> usize {
        self.entry
    }

    /// Bytes occupied.
    pub fn size(&self) -> usize {
        self.size
    }
}

impl Drop for PlacedCode {
    fn drop(&mut self) {
        if let Some(retire) = self.retire.take() {
            retire();
        }
    }
}
