//! The callable object: a `gi.FunctionInfo` or `gi.VFuncInfo` with a vectorcall slot of its own.
//!
//! `info` is how PyGObject's own infos lie and are called, `object` makes the types and lays out the
//! instances, `bind` is the descriptor protocol, `entry`
//! holds what the slot points to before machine code does, `base` is the road back to PyGObject's
//! own invocation.
//!
//! Invariants: an instance is a complete `PyGICallableInfo` followed by a [`object::Tail`], so every
//! function of PyGObject that takes its base takes it. All fields of the tail are written
//! with the interpreter lock held, except the slot, which the compile thread publishes through
//! [`gijit::dispatch::Callable`].
//!
//! What a call means is not here: that is the plan.

pub mod base;
pub mod bind;
pub mod entry;
pub mod info;
pub mod object;
