//! The slot protocol: publish, withdraw, detach.
//!
//! What is shared is two kinds of address: the host's function pointer (the *target*), through
//! which calls enter, and [`Header::entries`], through which a thunk that bails enters the tier
//! below. Both are written only here, under one mutex.
//!
//! * **Publish** writes `entries[tier]` first and the target last, both with release: whoever
//!   enters a thunk through the target sees its code and every entry below it.
//! * **Withdraw** puts the target back to tier 1 (or 0) and begins a new *round*: code that is
//!   still being compiled on an older profile is turned away when it arrives.
//! * **Detach** forgets the target. The host calls it before the memory of the function pointer
//!   goes; a publisher that comes later finds no target and gives its code back.
//!
//! A host reads its function pointer as a plain load. What follows depends on the loaded address,
//! so release is enough on every processor that we run on; `code/` sees to instruction caches.
//!
//! Code that has been published stays with the slot until *detach*, also when it was withdrawn: a
//! thread that released the interpreter lock inside a native function may still return into it. On
//! *detach* nobody can: a call holds a reference to the object that is being called, and the object
//! dies only with the last one. The number of rounds bounds how much is kept.
//!
//! `tests/loom_slot.rs` checks all of this under every interleaving.

use std::sync::atomic::Ordering;

use super::{Header, PlacedCode, Tier};
use crate::sync::{AtomicUsize, Mutex, lock};

/// The right to publish one compilation: which tier, in which round it began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticket {
    tier: Tier,
    round: u32,
}

impl Ticket {
    /// The tier that is to be compiled.
    pub fn tier(self) -> Tier {
        self.tier
    }
}

/// Why code was not published. It has been given back to its owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unpublished {
    /// The host's object is gone.
    Detached,
    /// The tier has code already, or the profile has changed since the compilation began.
    Superseded,
}

/// Which code a callable runs.
pub(super) struct Slot {
    state: Mutex<State>,
}

struct State {
    /// The host's function pointer; `None` once the host's object is gone.
    target: Option<*const AtomicUsize>,
    /// What the target points to.
    tier: Tier,
    /// Whether tier 1 and tier 2 have code in the present round.
    present: [bool; 3],
    /// How often tier 2 has been withdrawn.
    round: u32,
    /// All code ever published and not yet given back.
    code: Vec<PlacedCode>,
}

// SAFETY: `target` is only dereferenced under the mutex and only while it is `Some`; the host calls
// `detach`, which takes the same mutex, before the memory behind it goes (contract of
// `Callable::new`). The rest is Send.
unsafe impl Send for State {}

impl Slot {
    /// `target` must be valid until [`Slot::detach`] (contract of `Callable::new`).
    pub(super) fn new(target: *const AtomicUsize) -> Self {
        Slot {
            state: Mutex::new(State {
                target: Some(target),
                tier: Tier::Zero,
                present: [true, false, false],
                round: 0,
                code: Vec::new(),
            }),
        }
    }

    pub(super) fn tier(&self) -> Tier {
        lock(&self.state).tier
    }

    pub(super) fn round(&self) -> u32 {
        lock(&self.state).round
    }

    pub(super) fn has(&self, tier: Tier) -> bool {
        lock(&self.state).present[tier as usize]
    }

    pub(super) fn code_bytes(&self) -> usize {
        lock(&self.state).code.iter().map(PlacedCode::size).sum()
    }

    /// Leave to compile `tier`; `None` when it has code or the object is gone.
    pub(super) fn begin(&self, tier: Tier) -> Option<Ticket> {
        let state = lock(&self.state);
        let wanted = state.target.is_some() && !state.present[tier as usize];
        wanted.then_some(Ticket {
            tier,
            round: state.round,
        })
    }

    /// Publishes `code` and gives the tier that ran before.
    pub(super) fn publish(
        &self,
        header: &Header,
        ticket: Ticket,
        code: PlacedCode,
    ) -> Result<Tier, Unpublished> {
        let Ticket { tier, round } = ticket;
        let refused = {
            let mut state = lock(&self.state);
            match state.target {
                None => Unpublished::Detached,
                // Tier 1 does not depend on the profile, so an older round is as good.
                Some(_) if tier == Tier::Two && round != state.round => Unpublished::Superseded,
                Some(_) if state.present[tier as usize] => Unpublished::Superseded,
                Some(target) => {
                    let entry = code.entry();
                    header.entries[tier as usize].store(entry, Ordering::Release);
                    if tier == Tier::One && !state.present[Tier::Two as usize] {
                        header.entries[Tier::Two as usize].store(entry, Ordering::Release);
                    }
                    let before = state.tier;
                    if tier > before {
                        // SAFETY: `Some`, under the mutex: the host's object is alive (see `State`).
                        unsafe { &*target }.store(entry, Ordering::Release);
                        state.tier = tier;
                    }
                    state.present[tier as usize] = true;
                    state.code.push(code);
                    return Ok(before);
                }
            }
        };
        // After the mutex is released: the code's owner has a lock of its own.
        drop(code);
        Err(refused)
    }

    /// Ends tier 2's present round; false when tier 2 is not what runs.
    pub(super) fn withdraw(&self, header: &Header) -> bool {
        let mut state = lock(&self.state);
        let (Some(target), Tier::Two) = (state.target, state.tier) else {
            return false;
        };
        let below = if state.present[Tier::One as usize] {
            Tier::One
        } else {
            Tier::Zero
        };
        let entry = header.entries[below as usize].load(Ordering::Relaxed);
        // SAFETY: `Some`, under the mutex: the host's object is alive (see `State`).
        unsafe { &*target }.store(entry, Ordering::Release);
        header.entries[Tier::Two as usize].store(entry, Ordering::Release);
        state.tier = below;
        state.present[Tier::Two as usize] = false;
        state.round += 1;
        true
    }

    /// Forgets the target and gives back all code.
    pub(super) fn detach(&self) {
        let code = {
            let mut state = lock(&self.state);
            state.target = None;
            std::mem::take(&mut state.code)
        };
        // After the mutex is released: the code's owner has a lock of its own.
        drop(code);
    }
}
