//! The core of gijit: from a typelib's signature to machine code, for any host language.
//!
//! `signature/` reads a callable once; `plan/` states what a call of it means; `lower/` turns that
//! into `ir/`, which the tiers under `tiers/` translate; `code/` places the result, `dispatch/`
//! decides when and publishes it, `compile/` does it. `config`, `trace/` and `stats` are what users
//! tune and see. Nothing here knows Python: `python/` is the first host.

pub mod code;
pub mod compile;
pub mod config;
pub mod dispatch;
pub mod ended;
pub mod error;
pub mod gil;
pub mod ir;
pub mod lower;
pub mod plan;
pub mod signature;
pub mod stats;
pub mod sync;
pub mod trace;
