//! One lowering from a linked plan to thunk IR, for tiers 1 and 2.
//!
//! The thunk has the phases of the plan: bind, *in*, *call*, *out*, *release*. A step is the host's
//! inline recipe where it has one, with a call of the step's helper as the slow side; the helper is
//! the one that tier 0 calls. With a profile the thunk starts with guards on the exact types that
//! the arguments have had, and the recipes behind them take these for granted. All guards stand
//! before anything is acquired, so a failed guard only enters the tier below.
//!
//! Absent: the host's object layouts (they are in its [`Recipes`]) and every choice of when to
//! compile (`dispatch/`).

mod inward;
mod native;
mod pieces;
mod thunk;

use crate::dispatch::{ArgSnapshot, Tier};
use crate::gil::Lock;
use crate::ir::builder::Builder;
use crate::ir::{Block, Function, Value};
use crate::plan::link::{Linked, Runtime, Step};
use crate::plan::{In, Out};

/// What the lowering needs to know of the callable beyond its plan. All addresses live as long as
/// the code.
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
    /// A vectorcall: entered when a guard failed. It learns from the arguments and enters the tier
    /// below.
    pub deopt: usize,
    /// Calls have been seen that did not give all arguments by position.
    pub general: bool,
    /// A `u64` that counts the native calls of this tier; 0: no counting.
    pub calls: usize,
    pub runtime: &'a Runtime,
    /// Whether the interpreter lock is held while the native function runs.
    pub lock: Lock,
}

/// The host's inline fast paths. Every method emits into the builder's current block and leaves the
/// builder in the block where the fast path goes on.
pub trait Recipes: Send + Sync {
    /// The exact type that tier 2 shall guard `op`'s argument on, given what was seen; `None` when
    /// a guard would not help.
    fn speculate(&self, op: &In, step: &Step, seen: &ArgSnapshot) -> Option<usize>;

    /// The address of the exact type of `object`.
    fn type_of(&self, builder: &mut Builder, object: Value) -> Value;

    /// Converts `object` for `op`, or branches to `slow`. `known` is the exact type of `object`
    /// where a guard has established it. The value has the type of `op.conv.abi()`. `None`, with
    /// nothing emitted, where there is no inline path.
    fn convert_in(
        &self,
        builder: &mut Builder,
        op: &In,
        step: &Step,
        object: Value,
        known: Option<usize>,
        slow: Block,
    ) -> Option<Value>;

    /// A new reference to the Python value of `value`, or NULL with an exception set. `None`, with
    /// nothing emitted, where there is no inline path.
    fn convert_out(&self, builder: &mut Builder, op: &Out, value: Value) -> Option<Value>;

    /// Frees memory of `g_malloc`, or NULL. False, with nothing emitted, where the helper shall do it.
    fn free_memory(&self, builder: &mut Builder, value: Value) -> bool;

    /// A new reference to `None`.
    fn new_none(&self, builder: &mut Builder) -> Value;
}

/// Lowers a linked plan.
pub fn lower(linked: &Linked, ctx: &Context<'_>, recipes: &dyn Recipes) -> Function {
    thunk::Thunk::new(linked, ctx, recipes).build()
}
