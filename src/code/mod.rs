//! The one owner of executable memory.

/// A piece of placed code.
#[derive(Debug)]
pub struct CodeHandle {
    /// Where it is entered.
    pub entry: usize,
    /// Bytes occupied.
    pub size: usize,
}
