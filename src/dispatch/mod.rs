//! Which code runs for a callable: the slot, the counters and the profile.
//!
//! A [`Callable`] is the core's half of a callable object; the host's half holds the *slot*, the
//! function pointer that the interpreter jumps through. Publishing a tier is one release store into
//! the slot. The slot belongs to the host's object: it is reached only through
//! [`Callable::publish`], under a lock that [`Callable::detach`] takes when the object dies, so the
//! compile thread cannot write into freed memory.
//!
//! Emitted code holds the addresses of [`Header`] and of the [`ArgProfile`]s; both live in the
//! `Callable`, which outlives its code.
//!
//! | field | written by | read by | ordering |
//! |---|---|---|---|
//! | `Header::budget` | whoever holds the interpreter lock | the same | relaxed |
//! | `Header::entries` | the publisher | thunks that bail | release / acquire |
//! | `Header::guard_failures` | whoever holds the interpreter lock | policy | relaxed |
//! | `ArgProfile` | whoever holds the interpreter lock | compile thread, as a snapshot | relaxed |

use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering};

use crate::code::CodeHandle;
use crate::plan::link::Linked;

/// A way to execute a call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[repr(u8)]
pub enum Tier {
    /// The libffi interpreter.
    Zero = 0,
    /// A Cranelift thunk.
    One = 1,
    /// An LLVM thunk specialised to the profile.
    Two = 2,
}

/// What emitted code reaches by address. `repr(C)`: the lowering uses the offsets below.
#[repr(C)]
#[derive(Debug)]
pub struct Header {
    /// Calls until policy is asked again. Counted down by tiers 0 and 1.
    pub budget: AtomicI32,
    /// Guards of the present tier-2 code that failed.
    pub guard_failures: AtomicU32,
    /// Entry address per tier, 0 where there is none. A thunk that bails enters the next lower one.
    pub entries: [AtomicUsize; 3],
}

impl Header {
    /// Offset of `budget` in bytes.
    pub const BUDGET: i32 = std::mem::offset_of!(Header, budget) as i32;
    /// Offset of `guard_failures` in bytes.
    pub const GUARD_FAILURES: i32 = std::mem::offset_of!(Header, guard_failures) as i32;
    /// Offset in bytes of the entry of `tier`.
    pub const fn entry(tier: Tier) -> i32 {
        (std::mem::offset_of!(Header, entries) + 8 * tier as usize) as i32
    }
}

/// What one Python argument was in the calls seen so far. `repr(C)` for the lowering.
#[repr(C)]
#[derive(Debug, Default)]
pub struct ArgProfile {
    /// The first two exact types seen, as addresses of the host's type objects; 0 is none yet.
    pub types: [AtomicUsize; 2],
    /// A union of [`seen`] bits.
    pub seen: AtomicU32,
    pub reserved: u32,
}

/// Bits of [`ArgProfile::seen`].
pub mod seen {
    /// The argument was left out.
    pub const ABSENT: u32 = 1;
    /// An int that does not fit one CPython digit (30 bits).
    pub const BIG_INT: u32 = 2;
    /// A str with a non-ASCII character.
    pub const NON_ASCII: u32 = 4;
    /// A third exact type.
    pub const POLYMORPHIC: u32 = 8;
}

/// [`ArgProfile`] at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ArgSnapshot {
    pub types: [usize; 2],
    pub seen: u32,
}

/// The core's half of one callable.
pub struct Callable {
    pub header: Header,
    /// One per Python parameter.
    pub profile: Box<[ArgProfile]>,
    pub linked: Linked,
    slot: Mutex<Slot>,
}

struct Slot {
    /// The host's function pointer; `None` once the host's object is gone.
    target: Option<*const AtomicUsize>,
    tier: Tier,
    code: Vec<CodeHandle>,
}

// SAFETY: `Slot::target` is only dereferenced under the mutex and only while it is `Some`; the host
// calls `detach` before the memory behind it goes (contract of `Callable::new`).
unsafe impl Send for Slot {}
