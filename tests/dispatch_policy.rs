//! When callables climb and fall, without threads: sync mode over fakes.
#![cfg(not(loom))]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{TIER0, callable, config, count_down, fixture, fixture_with};
use gijit::code::CodeMemory;
use gijit::compile::Compiler;
use gijit::compile::backend::BackendError;
use gijit::dispatch::policy::{self, GUARD_LIMIT, ROUND_LIMIT};
use gijit::dispatch::{Callable, PlacedCode, Tier, Unpublished};
use gijit::error::CompileError;

/// `count` calls at tiers 0 and 1; tier 2 does not count.
fn call(compiler: &'static Compiler, callable: &Arc<Callable>, count: u32) {
    for _ in 0..count {
        if callable.tier() != Tier::Two && count_down(callable) {
            compiler.on_budget(callable);
        }
    }
}

const SYNC: (&str, &str) = ("GIJIT_COMPILE", "sync");

#[test]
fn exactly_the_threshold() {
    let fixture = fixture(&[
        SYNC,
        ("GIJIT_TIER1_CALLS", "50"),
        ("GIJIT_TIER2_CALLS", "70"),
    ]);
    let (callable, slot) = callable("A.b");
    call(fixture.compiler, &callable, 49);
    assert_eq!(callable.tier(), Tier::Zero);
    assert_eq!(slot.load(Ordering::Acquire), TIER0);
    call(fixture.compiler, &callable, 1);
    assert_eq!(callable.tier(), Tier::One);
    assert_eq!(slot.load(Ordering::Acquire), callable.entry());
    call(fixture.compiler, &callable, 69);
    assert_eq!(callable.tier(), Tier::One);
    call(fixture.compiler, &callable, 1);
    assert_eq!(callable.tier(), Tier::Two);
    assert_eq!(policy::calls(&callable), 120);
    assert_eq!(callable.code_bytes(), 20);
}

#[test]
fn zero_is_the_first_call() {
    let first = |vars: &[(&str, &str)]| {
        let fixture = fixture(vars);
        let (callable, _) = callable("A.b");
        call(fixture.compiler, &callable, 1);
        (callable.tier(), callable.has(Tier::One))
    };
    let zero = ("GIJIT_TIER1_CALLS", "0");
    assert_eq!(first(&[SYNC, zero]), (Tier::One, true));
    // Straight to tier 2, with tier 1 for it to bail to.
    assert_eq!(
        first(&[SYNC, zero, ("GIJIT_TIER2_CALLS", "0")]),
        (Tier::Two, true)
    );
    assert_eq!(
        first(&[
            SYNC,
            zero,
            ("GIJIT_TIER2_CALLS", "0"),
            ("GIJIT_MAX_TIER", "1")
        ]),
        (Tier::One, true)
    );
}

#[test]
fn limits() {
    let tier_after = |vars: &[(&str, &str)]| {
        let mut all = vec![SYNC, ("GIJIT_TIER1_CALLS", "5"), ("GIJIT_TIER2_CALLS", "5")];
        all.extend(vars);
        let fixture = fixture(&all);
        let (callable, _) = callable("Gtk.Label.set_text");
        call(fixture.compiler, &callable, 1000);
        callable.tier()
    };
    assert_eq!(tier_after(&[]), Tier::Two);
    assert_eq!(tier_after(&[("GIJIT_MAX_TIER", "1")]), Tier::One);
    assert_eq!(tier_after(&[("GIJIT_MAX_TIER", "0")]), Tier::Zero);
    assert_eq!(tier_after(&[("GIJIT_SKIP", "Gtk.*")]), Tier::Zero);
    assert_eq!(tier_after(&[("GIJIT_ONLY", "Gdk.*")]), Tier::Zero);
    assert_eq!(tier_after(&[("GIJIT_ONLY", "Gtk.Label.*")]), Tier::Two);
}

#[test]
fn failed_guards() {
    let fixture = fixture(&[SYNC, ("GIJIT_TIER1_CALLS", "5"), ("GIJIT_TIER2_CALLS", "5")]);
    let (callable, slot) = callable("A.b");
    call(fixture.compiler, &callable, 10);
    for round in 1..=ROUND_LIMIT {
        assert_eq!(callable.tier(), Tier::Two, "round {round}");
        for _ in 1..GUARD_LIMIT {
            fixture.compiler.on_guard_failure(&callable);
        }
        assert_eq!(callable.rounds(), round - 1);
        fixture.compiler.on_guard_failure(&callable);
        assert_eq!(callable.rounds(), round);
    }
    assert_eq!(callable.tier(), Tier::One);
    assert_eq!(slot.load(Ordering::Acquire), callable.entry());
    call(fixture.compiler, &callable, 100_000);
    assert_eq!(callable.tier(), Tier::One, "it is left there");
    // One of tier 1, three of tier 2, kept until the object dies.
    assert_eq!(callable.code_bytes(), 40);
    callable.detach();
    assert_eq!(callable.code_bytes(), 0);
    assert_eq!(fixture.ledger.retired.load(Ordering::Relaxed), 4);
}

#[test]
fn code_on_an_old_profile_is_turned_away() {
    let (callable, _) = callable("A.b");
    let code = || PlacedCode::new(0x9000, 1, || {});
    let config = config(&[]);
    let first = callable.begin(Tier::Two).unwrap();
    let second = callable.begin(Tier::Two).unwrap();
    assert_eq!(callable.publish(first, code()), Ok(Tier::Zero));
    for _ in 0..GUARD_LIMIT {
        policy::on_guard_failure(&callable, &config);
    }
    assert_eq!(callable.tier(), Tier::Zero);
    assert_eq!(
        callable.publish(second, code()),
        Err(Unpublished::Superseded)
    );
    let third = callable.begin(Tier::Two).unwrap();
    assert_eq!(callable.publish(third, code()), Ok(Tier::Zero));
    assert_eq!(callable.begin(Tier::Two), None);
}

#[test]
fn a_lower_tier_does_not_take_the_slot() {
    let (callable, slot) = callable("A.b");
    let one = callable.begin(Tier::One).unwrap();
    let two = callable.begin(Tier::Two).unwrap();
    let placed = |entry| PlacedCode::new(entry, 1, || {});
    assert_eq!(callable.publish(two, placed(0x22)), Ok(Tier::Zero));
    assert_eq!(callable.publish(one, placed(0x11)), Ok(Tier::Two));
    assert_eq!(slot.load(Ordering::Acquire), 0x22);
    assert_eq!(callable.header.entries[1].load(Ordering::Acquire), 0x11);
}

#[test]
fn a_bug_is_tried_twice() {
    let fixture = fixture(&[SYNC, ("GIJIT_TIER1_CALLS", "5")]);
    fixture.script.panic_on("A.b");
    let (callable, _) = callable("A.b");
    call(fixture.compiler, &callable, 5_000);
    assert_eq!(fixture.script.begun().len(), 1, "backs off");
    call(fixture.compiler, &callable, 100_000);
    assert_eq!(fixture.script.begun().len(), 2, "gives up");
    assert_eq!(callable.tier(), Tier::Zero);
    let error = fixture.compiler.compile_now(&callable, Tier::One);
    assert_eq!(error, Err(CompileError::Bug("the script says so".into())));
    // The back end is made anew for others.
    let (other, _) = common::callable("A.c");
    assert_eq!(fixture.compiler.compile_now(&other, Tier::One), Ok(()));
}

#[test]
fn a_tier_that_cannot_work_is_off() {
    let fixture = fixture_with(
        &[SYNC, ("GIJIT_TIER1_CALLS", "5"), ("GIJIT_TIER2_CALLS", "5")],
        |setup| {
            let asked = AtomicUsize::new(0);
            setup.tier2 = Arc::new(move || {
                let before = asked.fetch_add(1, Ordering::Relaxed);
                assert_eq!(before, 0, "the factory is asked once");
                Err(BackendError::Unavailable("no LLVM library".into()))
            });
        },
    );
    let (a, _) = callable("A.a");
    let (b, _) = callable("A.b");
    for callable in [&a, &b] {
        call(fixture.compiler, callable, 10_000);
        assert_eq!(callable.tier(), Tier::One);
    }
    assert_eq!(
        fixture.compiler.off(Tier::Two).as_deref(),
        Some("no LLVM library")
    );
    assert_eq!(fixture.compiler.off(Tier::One), None);
    assert!(matches!(
        fixture.compiler.compile_now(&a, Tier::Two),
        Err(CompileError::Unavailable {
            tier: Tier::Two,
            ..
        })
    ));
}

#[test]
fn compile_now_obeys_the_configuration() {
    let fixture = fixture(&[("GIJIT_MAX_TIER", "1"), ("GIJIT_SKIP", "A.skipped")]);
    let (callable, _) = callable("A.b");
    let (skipped, _) = common::callable("A.skipped");
    let refused = fixture.compiler.compile_now(&callable, Tier::Two);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "refused: GIJIT_MAX_TIER is 1"
    );
    let refused = fixture.compiler.compile_now(&skipped, Tier::One);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "refused: excluded by GIJIT_SKIP"
    );
    assert_eq!(fixture.compiler.compile_now(&callable, Tier::One), Ok(()));
    assert_eq!(fixture.compiler.compile_now(&callable, Tier::One), Ok(()));
    assert_eq!(fixture.script.begun().len(), 1);
}

#[test]
fn what_a_thunk_counts() {
    let symbols = |vars: &[(&str, &str)], tier: Tier| {
        let (callable, _) = callable("A.b");
        let function = fixture(vars).compiler.lowered(&callable, tier).unwrap();
        ["promote", "calls"].map(|name| function.symbols.iter().any(|symbol| symbol.name == name))
    };
    let stats = ("GIJIT_STATS", "1");
    assert_eq!(symbols(&[], Tier::One), [true, false]);
    assert_eq!(symbols(&[], Tier::Two), [false, false]);
    assert_eq!(symbols(&[stats], Tier::Two), [false, true]);
    assert_eq!(
        symbols(&[stats, ("GIJIT_MAX_TIER", "1")], Tier::One),
        [false, true]
    );
}

#[test]
fn code_memory_gets_its_bytes_back() {
    let memory = Arc::new(CodeMemory::new(1 << 20));
    let fixture = fixture_with(&[], |setup| setup.code = Box::new(Arc::clone(&memory)));
    let (callable, slot) = callable("A.b");
    assert_eq!(fixture.compiler.compile_now(&callable, Tier::Two), Ok(()));
    assert_ne!(slot.load(Ordering::Acquire), TIER0);
    assert_eq!(memory.live_bytes(), callable.code_bytes());
    assert_ne!(memory.live_bytes(), 0);
    callable.detach();
    assert_eq!(memory.live_bytes(), 0);
}

#[test]
fn no_room_is_no_harm() {
    let fixture = fixture_with(&[], |setup| {
        setup.code = Box::new(Arc::new(CodeMemory::new(0)));
    });
    let (callable, slot) = callable("A.b");
    let error = fixture.compiler.compile_now(&callable, Tier::One);
    assert!(matches!(error, Err(CompileError::NoSpace(_))), "{error:?}");
    let standing = policy::standing(&callable, fixture.compiler.config(), |_| None);
    let why = "the limit of 0 bytes of machine code (GIJIT_CODE_LIMIT) is reached";
    assert!(standing.contains(why), "{standing}");
    // The memory is known to be full now: nothing is compiled in vain.
    assert_eq!(fixture.script.begun().len(), 1);
    fixture
        .compiler
        .compile_now(&callable, Tier::One)
        .unwrap_err();
    assert_eq!(fixture.script.begun().len(), 1);
    assert_eq!(slot.load(Ordering::Acquire), TIER0);
}
