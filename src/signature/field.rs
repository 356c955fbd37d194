//! All that a typelib says about one field of a struct or union.

use super::Type;

/// A field as it lies in memory.
#[derive(Clone, Debug)]
pub struct Field {
    pub ty: Type,
    pub is_pointer: bool,
    /// Bytes from the start of the struct.
    pub offset: usize,
    pub readable: bool,
    pub writable: bool,
    /// It shares its bytes with others.
    pub is_bits: bool,
}
