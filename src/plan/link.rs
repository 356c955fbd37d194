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

use super::{CallArg, Conv, Plan};

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
    /// The native function; 0 where the plan has a target.
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

    /// The Python parameter whose GObject the native function has as its first argument: what a
    /// virtual function is looked up in. Never NULL.
    pub fn instance(&self) -> Option<usize> {
        let call = &self.plan.call;
        let CallArg::Value { cell, .. } = call.args.first()? else {
            return None;
        };
        let op = self.plan.ins.iter().find(|op| op.cell == *cell)?;
        let object = matches!(op.conv, Conv::Object { .. }) && !op.nullable;
        let param = usize::from(op.param.filter(|_| object)?);
        (!self.plan.params[param].optional).then_some(param)
    }

    /// Leading arguments that are no parameters.
    pub fn skip(&self) -> usize {
        usize::from(self.plan.constructor)
    }
}

/// The C functions of the host that every call uses, whatever its plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Runtime {
    /// `void *(*)(void)`: enters one more level of recursion and releases the interpreter lock. NULL,
    /// with nothing done and no exception set, when the program is too deep in: the call bails.
    pub save_thread: usize,
    /// `void (*)(void *)`: takes both back.
    pub restore_thread: usize,
    /// `void (*)(void)`: called around a native function that runs with the lock held; 0: nothing is.
    pub native_begins: usize,
    pub native_ends: usize,
    /// `void (*)(uint64 *error_cell)`: raises a GError.
    pub raise: usize,
    /// `int32 (*)(const void *bind_desc, Object *const *args, size_t nargsf, Object *kwnames,
    /// Object **slots)`: binds keywords and defaults, 0 bound, 1 bail. A slot left NULL is an
    /// argument left out. `args` starts with the class for a constructor, `slots` does not. Where the
    /// plan takes further arguments, `slots` has one more place, for a single one.
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

/// A host object, opaque here.
pub type Object = std::ffi::c_void;
/// The helper of an *in* step.
pub type InFn = unsafe extern "C" fn(*mut Object, *mut u64, *const std::ffi::c_void) -> i32;
/// The helper of an *out* step.
pub type OutFn = unsafe extern "C" fn(*const u64, *const std::ffi::c_void) -> *mut Object;
/// The helper of an undo or a release step.
pub type FreeFn = unsafe extern "C" fn(*mut u64, *const std::ffi::c_void);
/// The helper that makes the result.
pub type ResultFn = unsafe extern "C" fn(*mut *mut Object, *const std::ffi::c_void) -> *mut Object;
/// [`Runtime::save_thread`].
pub type SaveThreadFn = unsafe extern "C" fn() -> *mut std::ffi::c_void;
/// [`Runtime::restore_thread`].
pub type RestoreThreadFn = unsafe extern "C" fn(*mut std::ffi::c_void);
/// [`Runtime::raise`].
pub type RaiseFn = unsafe extern "C" fn(*mut u64);
/// [`Runtime::bind`].
pub type BindFn = unsafe extern "C" fn(
    *const std::ffi::c_void,
    *const *mut Object,
    usize,
    *mut Object,
    *mut *mut Object,
) -> i32;
/// [`Runtime::decref`] and the helpers that are called with a callable.
pub type ObjectFn = unsafe extern "C" fn(*mut Object);
/// [`Runtime::new_none`].
pub type NewNoneFn = unsafe extern "C" fn() -> *mut Object;
/// [`Runtime::note`].
pub type NoteFn = unsafe extern "C" fn(*mut Object, *const crate::dispatch::ArgProfile);
/// What a slot points to: the host's vectorcall.
pub type EntryFn =
    unsafe extern "C" fn(*mut Object, *const *mut Object, usize, *mut Object) -> *mut Object;
