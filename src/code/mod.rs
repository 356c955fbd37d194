//! The one owner of executable memory, for all compiling tiers.
//!
//! [`memory`] maps, places, registers unwind information and retires; [`announce`] tells profilers and
//! debuggers what was placed; [`disasm`] shows it. Nothing else in gijit maps executable pages.

pub mod announce;
pub mod disasm;
pub mod memory;
mod segment;

pub use announce::CodeLabel;
pub use memory::{CodeError, CodeHandle, CodeMemory};
