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
//! | `Header::budget` | whoever holds the interpreter lock | the same; the publisher, roughly | relaxed |
//! | `Header::entries` | `slot`, under its mutex | thunks that bail | release / acquire |
//! | `Header::guard_failures` | whoever holds the interpreter lock | policy | relaxed |
//! | `Callable::instance_type` | whoever holds the interpreter lock | compile thread | relaxed |
//! | `ArgProfile` | whoever holds the interpreter lock | compile thread, as a snapshot | relaxed |
//! | `Callable::history` | policy | policy | its mutex |
//!
//! `slot` is the protocol, `policy` decides when to climb and when to give up, `placed` ties code to
//! its owner. Absent: compiling (`compile/`) and everything about the host's object.

use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use crate::plan::link::Linked;
use crate::stats::{self, Tally};
use crate::sync::{AtomicUsize, Mutex};

mod placed;
pub mod policy;
mod saved;
mod slot;

pub use placed::{CodeSpace, PlacedCode};
pub use saved::Saved;
pub use slot::{Ticket, Unpublished};

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

impl std::fmt::Display for Tier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", *self as u8)
    }
}

/// What emitted code reaches by address. `repr(C)`: the lowering uses the offsets below.
#[repr(C)]
#[derive(Debug)]
pub struct Header {
    /// Calls until policy is asked again. Counted down by tiers 0 and 1. Starts at 0: the first
    /// call asks.
    pub budget: AtomicI32,
    /// Guards of the present tier-2 code that failed.
    pub guard_failures: AtomicU32,
    /// Not 0 once a call has been seen that did not give all arguments by position.
    pub general: AtomicU32,
    /// Entry address per tier; where a tier has no code, that of the next lower one that has. A
    /// thunk that bails enters the next lower one, so none is ever 0.
    pub entries: [AtomicUsize; 3],
}

impl Header {
    /// Offset of `budget` in bytes.
    pub const BUDGET: i32 = std::mem::offset_of!(Header, budget) as i32;
    /// Offset of `guard_failures` in bytes.
    pub const GUARD_FAILURES: i32 = std::mem::offset_of!(Header, guard_failures) as i32;
    /// Offset of `general` in bytes.
    pub const GENERAL: i32 = std::mem::offset_of!(Header, general) as i32;
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
    pub types: [std::sync::atomic::AtomicUsize; 2],
    /// A union of [`seen`] bits.
    pub seen: AtomicU32,
    pub reserved: u32,
}

impl ArgProfile {
    /// Offset in bytes of the type seen first.
    pub const FIRST_TYPE: i32 = std::mem::offset_of!(ArgProfile, types) as i32;

    fn snapshot(&self) -> ArgSnapshot {
        ArgSnapshot {
            types: [0, 1].map(|index: usize| self.types[index].load(Ordering::Relaxed)),
            seen: self.seen.load(Ordering::Relaxed),
        }
    }
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
    /// A guarded value that the inline conversion gave up on.
    pub const UNUSUAL: u32 = 16;

    /// What each bit is called where people see it.
    pub const WORDS: [(u32, &str); 5] = [
        (ABSENT, "left-out"),
        (BIG_INT, "big-int"),
        (NON_ASCII, "non-ascii"),
        (POLYMORPHIC, "other-types"),
        (UNUSUAL, "unusual"),
    ];
}

/// [`ArgProfile`] at one moment. The fields are read one by one: together they may be a state that
/// never was, which costs a guard at worst.
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
    /// The `GType` of the first GObject seen of [`Linked::instance`]; 0 is none yet.
    instance_type: AtomicUsize,
    /// What is counted of it, once there is something: see [`Callable::tally`].
    tally: OnceLock<&'static Tally>,
    slot: slot::Slot,
    history: Mutex<policy::History>,
}

impl Callable {
    /// A callable at tier 0, whose entry the host has already stored in `slot`.
    ///
    /// # Safety
    /// `slot` points to a function pointer that is valid for atomic stores from any thread until
    /// [`Callable::detach`] has returned. The host reads it with at least a dependent load.
    /// `tier0_entry` and every published entry are called with the interpreter lock held, by callers
    /// that keep the host's object alive during the call.
    pub unsafe fn new(
        linked: Linked,
        slot: *const AtomicUsize,
        tier0_entry: usize,
    ) -> Arc<Callable> {
        Arc::new(Callable {
            tally: OnceLock::new(),
            header: Header {
                budget: AtomicI32::new(0),
                guard_failures: AtomicU32::new(0),
                general: AtomicU32::new(0),
                entries: std::array::from_fn(|_| AtomicUsize::new(tier0_entry)),
            },
            profile: linked
                .plan
                .params
                .iter()
                .map(|_| ArgProfile::default())
                .collect(),
            linked,
            instance_type: AtomicUsize::new(0),
            slot: slot::Slot::new(slot),
            history: Mutex::new(policy::History::default()),
        })
    }

    /// As in `Gtk.Label.set_text`.
    pub fn name(&self) -> &str {
        &self.linked.plan.name
    }

    /// What is counted of it. Made when it is first asked for: most callables of a program are
    /// called a few times, and nothing is counted of these unless calls are.
    pub fn tally(&self) -> &'static Tally {
        self.tally.get_or_init(|| {
            let plan = &self.linked.plan;
            let tally = stats::tally(Arc::clone(&plan.name));
            tally.planned(plan.params.len());
            tally
        })
    }

    /// The type of an instance that it has been called on, where it goes through one.
    pub fn instance_type(&self) -> Option<usize> {
        let gtype = self.instance_type.load(Ordering::Relaxed);
        (gtype != 0).then_some(gtype)
    }

    /// The host has seen it called on an instance of `gtype`. Only the first is remembered.
    pub fn note_instance(&self, gtype: usize) {
        if self.instance_type().is_none() {
            self.instance_type.store(gtype, Ordering::Relaxed);
        }
    }

    /// The tier that a call enters now.
    pub fn tier(&self) -> Tier {
        self.slot.tier()
    }

    /// Whether `tier` has code, though a higher one may run.
    pub fn has(&self, tier: Tier) -> bool {
        self.slot.has(tier)
    }

    /// How often tier 2 has been withdrawn.
    pub fn rounds(&self) -> u32 {
        self.slot.round()
    }

    /// Where a call enters now: what the host's slot holds.
    pub fn entry(&self) -> usize {
        self.header.entries[self.tier() as usize].load(Ordering::Acquire)
    }

    /// Bytes of machine code held, withdrawn code included.
    pub fn code_bytes(&self) -> usize {
        self.slot.code_bytes()
    }

    /// What the arguments have been, one per Python parameter.
    pub fn snapshot(&self) -> Vec<ArgSnapshot> {
        self.profile.iter().map(ArgProfile::snapshot).collect()
    }

    /// Leave to compile `tier`; `None` when it has code already or the host's object is gone. To be
    /// taken before [`Callable::snapshot`], so that code is never newer than its profile.
    pub fn begin(&self, tier: Tier) -> Option<Ticket> {
        self.slot.begin(tier)
    }

    /// Publishes code and gives the tier that ran before. Code for a tier below the running one is
    /// only what bails go to.
    ///
    /// # Errors
    /// Why the code is not used; it has been given back.
    pub fn publish(&self, ticket: Ticket, code: PlacedCode) -> Result<Tier, Unpublished> {
        let before = self.slot.publish(&self.header, ticket, code)?;
        policy::published(self, ticket.tier());
        self.tally().runs_at(self.tier());
        Ok(before)
    }

    /// The host's object dies: the slot is not touched again, and all code is given back.
    pub fn detach(&self) {
        self.slot.detach();
    }
}
