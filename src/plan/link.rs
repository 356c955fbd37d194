//! A plan with the host's addresses attached: what the tiers run.
//!
//! Each step of a plan becomes a [`Step`]: the address of the host's helper for its meaning and of
//! an immutable descriptor that the helper reads. Helpers of one phase share one C signature, so
//! tier 0 calls them from a loop and tiers 1 and 2 emit the same call (or the host's inline recipe
//! for it). The host makes the steps; the core never looks into an object.
//!
//! | step | C signature | result |
//! |---|---|---|
//! | in | `int32 (*)(Object *value, uint64 *cell, const void *desc)` | 0 converted, 1 bail (no exception set, nothing acquired) |
//! | out | `Object *(*)(const uint64 *cell, const void *desc)` | new reference, NULL with an exception set |
//! | free | `void (*)(uint64 *cell, const void *desc)` | |
//! | result | `Object *(*)(Object **values, const void *desc)` | steals `values`; NULL with an exception set |
//! | raise | `void (*)(uint64 *error_cell)` | sets the exception, frees the error |
//!
//! Narrow values stand in the low bytes of their cell, the rest is unspecified; in helpers write
//! all 8 bytes.

use super::Plan;

/// A helper and what it reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// The helper's name in traces, golden files and symbol lists.
    pub name: &'static str,
    pub address: usize,
    /// The descriptor: immutable, lives as long as the process. 0 when the helper reads none.
    pub desc: usize,
}

/// A plan ready to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Linked {
    pub plan: Plan,
    /// The native function.
    pub native: usize,
    /// One per `plan.ins`.
    pub ins: Vec<Step>,
    /// One per `plan.ins`: its undo.
    pub undo: Vec<Option<Step>>,
    /// One per `plan.outs`.
    pub outs: Vec<Step>,
    /// One per `plan.release`.
    pub release: Vec<Step>,
    /// Makes the result from the outs, for `ResultShape::Tuple` and for constructors.
    pub result: Option<Step>,
    /// What `Runtime::bind` reads: names and which may be left out.
    pub bind_desc: usize,
}

impl Linked {
    /// Positional arguments of a call that gives every one: the parameters, and for a constructor
    /// the class before them.
    pub fn positional(&self) -> usize {
        self.plan.params.len() + self.skip()
    }

    /// Leading arguments that are no parameters.
    pub fn skip(&self) -> usize {
        usize::from(self.plan.constructor)
    }
}

/// The C functions of the host that every call uses, whatever its plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Runtime {
    /// `void *(*)(void)`: releases the interpreter lock.
    pub save_thread: usize,
    /// `void (*)(void *)`: takes it back.
    pub restore_thread: usize,
    /// `void (*)(uint64 *error_cell)`: raises a GError.
    pub raise: usize,
    /// `int32 (*)(const void *bind_desc, Object *const *args, size_t nargsf, Object *kwnames,
    /// Object **slots)`: binds keywords and defaults, 0 bound, 1 bail. A slot left NULL is an
    /// argument left out. `args` starts with the class for a constructor, `slots` does not.
    pub bind: usize,
    /// `void (*)(Object *)`: drops a reference.
    pub decref: usize,
    /// The immortal or borrowed `None`; results take a new reference through `new_none`.
    pub none: usize,
    /// `Object *(*)(void)`: a new reference to `None`.
    pub new_none: usize,
    /// `void (*)(Object *value, ArgProfile *profile)`: records what an argument was; a NULL value
    /// is an argument left out.
    pub note: usize,
}
