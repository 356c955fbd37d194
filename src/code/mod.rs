//! The one owner of executable memory, for all compiling tiers.
//!
//! [`memory`] maps, places, registers unwind information and retires; [`disasm`] shows what was
//! placed. Nothing else in gijit maps executable pages.

pub mod disasm;
pub mod memory;

pub use memory::{CodeError, CodeHandle, CodeMemory};
