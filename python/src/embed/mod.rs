//! gijit inside PyGObject: what stands behind the callables, and what the package needs of the
//! extension module.
//!
//! `engine` is the process-wide state and turns a callable object into one that runs; `host` is
//! what the core asks of Python; `rejection` says why one is left to PyGObject; `sample` times calls;
//! `profile` remembers hot ones; `names` looks up namespaces; `ends` ends wrappers;
//! `fields` are the attributes of structs; `docstring` describes callables; `debugger` is what debuggers look for;
//! `install`, `members`, `order`, `inspect` and `doctor` are the functions that the package calls.
//! What is patched, and when, is in the package (`gijit/_embed.py`).

mod debugger;
pub mod docstring;
pub mod doctor;
pub mod ends;
pub mod engine;
pub mod fields;
pub mod host;
pub mod inspect;
pub mod install;
pub mod members;
pub mod names;
pub mod order;
pub mod profile;
pub mod rejection;
pub mod sample;
