//! gijit inside PyGObject: what install needs of the extension module, and the engine behind the
//! callables.
//!
//! What is patched, and when, is in the package (`gijit/_embed.py`).

pub mod engine;
pub mod infos;
pub mod install;
