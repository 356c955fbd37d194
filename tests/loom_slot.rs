//! The slot protocol under every interleaving that loom knows of.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p gijit --release --test loom_slot`
//!
//! Placed code is modelled as an object that is written before it is published, read by whoever
//! enters it, and marked when it is freed. An entry address is an index into a table of these.
#![cfg(loom)]

#[path = "common/plan.rs"]
mod plan;

use std::mem::ManuallyDrop;
use std::sync::Arc as StdArc;

use gijit::dispatch::policy::{self, GUARD_LIMIT};
use gijit::dispatch::{Callable, PlacedCode, Ticket, Tier};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;
use plan::linked;

const TIER0: usize = 0;
/// The bytes that stand for correct code.
const WRITTEN: u32 = 0xc3;

/// Code by entry address; entry 0 is tier 0's.
struct Machine {
    code: [UnsafeCell<u32>; 4],
    freed: [AtomicBool; 4],
}

// SAFETY: the model checks that the cells are not accessed at the same time as they are written.
unsafe impl Sync for Machine {}
// SAFETY: as above.
unsafe impl Send for Machine {}

impl Machine {
    fn new() -> Arc<Machine> {
        let machine = Machine {
            code: std::array::from_fn(|_| UnsafeCell::new(0)),
            freed: std::array::from_fn(|_| AtomicBool::new(false)),
        };
        // SAFETY: nobody else has it yet.
        machine.code[TIER0].with_mut(|code| unsafe { *code = WRITTEN });
        Arc::new(machine)
    }

    /// Writes code and hands out its ownership.
    fn place(machine: &Arc<Self>, entry: usize) -> PlacedCode {
        // SAFETY: each entry is placed once, before anybody can have its address; loom checks it.
        machine.code[entry].with_mut(|code| unsafe { *code = WRITTEN });
        let machine = Arc::clone(machine);
        PlacedCode::new(entry, 1, move || {
            machine.freed[entry].store(true, Ordering::Relaxed)
        })
    }

    /// Executes the code at `entry`.
    fn enter(&self, entry: usize) {
        // SAFETY: loom reports a read that the write did not happen before.
        let code = self.code[entry].with(|code| unsafe { *code });
        assert_eq!(code, WRITTEN, "entered code that is not there");
        assert!(
            !self.freed[entry].load(Ordering::Relaxed),
            "entered freed code"
        );
    }
}

/// What the slot's memory holds once it is somebody else's.
const DEAD: usize = 99;

/// A host object: its memory ends with the last reference. It is only marked, so that the test can
/// look whether anybody has written to it.
struct Object {
    slot: ManuallyDrop<Box<AtomicUsize>>,
    callable: StdArc<Callable>,
}

impl Object {
    fn new() -> (Arc<Object>, StdArc<Callable>) {
        let slot = ManuallyDrop::new(Box::new(AtomicUsize::new(TIER0)));
        // SAFETY: the box is never freed.
        let callable = unsafe { Callable::new(linked("A.b"), &**slot, TIER0) };
        let object = Object {
            slot,
            callable: StdArc::clone(&callable),
        };
        (Arc::new(object), callable)
    }

    /// A call whose every guard fails: it goes down from entry to entry.
    fn call(&self, machine: &Machine) {
        let entry = self.slot.load(Ordering::Acquire);
        machine.enter(entry);
        for tier in [Tier::One, Tier::Zero] {
            // What a thunk does when it bails.
            let below = self.callable.header.entries[tier as usize].load(Ordering::Acquire);
            machine.enter(below);
        }
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        self.callable.detach();
        // Loom reports an access that is not ordered before or after this one.
        self.slot.with_mut(|slot| *slot = DEAD);
    }
}

fn publish(callable: &Callable, machine: &Arc<Machine>, tier: Tier, entry: usize) {
    if let Some(ticket) = callable.begin(tier) {
        let code = Machine::place(machine, entry);
        let _: Result<Tier, _> = callable.publish(ticket, code);
    }
}

#[test]
fn a_call_while_tiers_are_published() {
    loom::model(|| {
        let machine = Machine::new();
        let (object, callable) = Object::new();
        let compiler = {
            let machine = Arc::clone(&machine);
            thread::spawn(move || {
                publish(&callable, &machine, Tier::One, 1);
                publish(&callable, &machine, Tier::Two, 2);
            })
        };
        object.call(&machine);
        compiler.join().unwrap();
        object.call(&machine);
        assert_eq!(object.slot.load(Ordering::Acquire), 2);
    });
}

#[test]
fn the_object_dies_while_it_is_compiled() {
    loom::model(|| {
        let machine = Machine::new();
        let (object, callable) = Object::new();
        let compiler = {
            let machine = Arc::clone(&machine);
            thread::spawn(move || {
                publish(&callable, &machine, Tier::One, 1);
            })
        };
        object.call(&machine);
        let slot: *const AtomicUsize = &**object.slot;
        drop(object);
        compiler.join().unwrap();
        // SAFETY: `Object` leaks the memory.
        assert_eq!(unsafe { &*slot }.load(Ordering::Relaxed), DEAD);
        // SAFETY: the compile thread has ended.
        if machine.code[1].with(|code| unsafe { *code }) == WRITTEN {
            assert!(machine.freed[1].load(Ordering::Relaxed), "code is lost");
        }
    });
}

#[test]
fn withdrawn_while_an_older_round_arrives() {
    loom::model(|| {
        let machine = Machine::new();
        let (object, callable) = Object::new();
        publish(&callable, &machine, Tier::One, 1);
        let config = gijit::config::Config::default();
        let stale: Ticket = callable.begin(Tier::Two).unwrap();
        publish(&callable, &machine, Tier::Two, 2);
        let compiler = {
            let (machine, callable) = (Arc::clone(&machine), StdArc::clone(&callable));
            thread::spawn(move || {
                let code = Machine::place(&machine, 3);
                assert!(callable.publish(stale, code).is_err());
                assert!(machine.freed[3].load(Ordering::Relaxed));
            })
        };
        for _ in 0..GUARD_LIMIT {
            policy::on_guard_failure(&callable, &config);
        }
        object.call(&machine);
        compiler.join().unwrap();
        assert_eq!(object.slot.load(Ordering::Acquire), 1);
        assert!(
            !machine.freed[2].load(Ordering::Relaxed),
            "a thread may be in it"
        );
    });
}
