//! One lowering from a linked plan to thunk IR, for tiers 1 and 2.
//!
//! Without a profile every step is the host's inline fast path with a call of its helper as the
//! slow side. With a profile the thunk starts with guards on what the arguments have been, and the
//! steps behind them take that for granted. All guards stand before anything is acquired.

use crate::dispatch::{ArgSnapshot, Tier};
use crate::ir::Function;
use crate::plan::link::{Linked, Runtime};

/// What the lowering needs to know of the callable beyond its plan. All fields are addresses that
/// live as long as the code.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    pub tier: Tier,
    /// Of [`crate::dispatch::Header`].
    pub header: usize,
    /// Of the first [`crate::dispatch::ArgProfile`]; tier 1 writes there.
    pub profile: usize,
    /// What tier 2 speculates on; empty for tier 1.
    pub snapshot: &'a [ArgSnapshot],
    /// `void (*)(Object *callable)`: called when the budget is used up. 0: no counting.
    pub promote: usize,
    /// `void (*)(Object *callable)`: called when a guard failed.
    pub deopt: usize,
    /// A `u64` that counts the native calls of this tier; 0: no counting.
    pub calls: usize,
    pub runtime: &'a Runtime,
}

/// The host's inline fast paths.
pub trait Recipes: Send + Sync {}

/// Lowers a linked plan.
pub fn lower(_linked: &Linked, _ctx: &Context<'_>, _recipes: &dyn Recipes) -> Function {
    unimplemented!()
}
