//! The compile queue and its thread.
#![cfg(not(loom))]

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use common::{callable, fixture};
use gijit::compile::queue::{CAPACITY, Job, JobQueue, Pushed};
use gijit::dispatch::{Callable, Tier};

fn job(callable: &Arc<Callable>, tier: Tier, heat: u64) -> Job {
    Job {
        callable: Arc::clone(callable),
        tier,
        heat,
    }
}

#[test]
fn tier_1_first_then_the_hottest() {
    let mut queue = JobQueue::default();
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| callable(name).0);
    queue.push(job(&a, Tier::Two, 9000));
    queue.push(job(&b, Tier::One, 50));
    queue.push(job(&c, Tier::One, 70));
    queue.push(job(&d, Tier::One, 50));
    let order: Vec<String> = std::iter::from_fn(|| queue.pop())
        .map(|job| job.callable.name().to_owned())
        .collect();
    assert_eq!(order, ["c", "b", "d", "a"]);
}

#[test]
fn duplicates_are_one() {
    let mut queue = JobQueue::default();
    let (a, _) = callable("a");
    assert_eq!(queue.push(job(&a, Tier::One, 50)), Pushed::Queued);
    assert_eq!(queue.push(job(&a, Tier::Two, 90)), Pushed::Coalesced);
    assert_eq!(queue.push(job(&a, Tier::One, 95)), Pushed::Coalesced);
    assert_eq!(queue.len(), 1);
    let job = queue.pop().unwrap();
    assert_eq!((job.tier, job.heat), (Tier::Two, 95));
}

#[test]
fn bounded() {
    let mut queue = JobQueue::default();
    let all: Vec<_> = (0..=CAPACITY).map(|_| callable("x").0).collect();
    for callable in &all[..CAPACITY] {
        assert_eq!(queue.push(job(callable, Tier::One, 1)), Pushed::Queued);
    }
    let last = &all[CAPACITY];
    assert_eq!(queue.push(job(last, Tier::One, 99)), Pushed::Full);
    assert_eq!(
        queue.push(job(&all[0], Tier::One, 2)),
        Pushed::Coalesced,
        "one that waits is no addition"
    );
    queue.pop();
    assert_eq!(queue.push(job(last, Tier::One, 99)), Pushed::Queued);
}

#[test]
fn flush_waits_for_everything() {
    let fixture = fixture(&[]);
    let all: Vec<_> = (0..100).map(|i| callable(&format!("A.f{i}")).0).collect();
    for callable in &all {
        fixture.compiler.request(callable, Tier::One);
    }
    fixture.compiler.flush();
    assert!(all.iter().all(|callable| callable.tier() == Tier::One));
    fixture.compiler.flush();
    assert!(fixture.compiler.shutdown());
}

#[test]
fn hot_jobs_overtake() {
    let fixture = fixture(&[]);
    fixture.script.hold();
    let (first, _) = callable("first");
    fixture.compiler.request(&first, Tier::One);
    fixture.script.wait_begun(1);
    let (cold, _) = callable("cold");
    let (hot, _) = callable("hot");
    hot.header.budget.store(-500, Ordering::Relaxed);
    fixture.compiler.request(&cold, Tier::One);
    fixture.compiler.request(&hot, Tier::One);
    fixture.script.release();
    fixture.compiler.flush();
    assert_eq!(fixture.script.begun(), ["first", "hot", "cold"]);
}

#[test]
fn an_object_that_dies_while_it_is_compiled() {
    let fixture = fixture(&[]);
    fixture.script.hold();
    let (callable, slot) = callable("A.b");
    fixture.compiler.request(&callable, Tier::One);
    fixture.script.wait_begun(1);
    callable.detach();
    slot.store(0, Ordering::Relaxed);
    fixture.script.release();
    fixture.compiler.flush();
    assert_eq!(slot.load(Ordering::Relaxed), 0, "untouched");
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    assert_eq!(
        (
            count(&fixture.ledger.placed),
            count(&fixture.ledger.retired)
        ),
        (1, 1)
    );
}

#[test]
fn shutdown_lets_the_job_in_flight_finish() {
    let fixture = fixture(&[]);
    fixture.script.hold();
    let (flying, _) = callable("flying");
    let (waiting, _) = callable("waiting");
    fixture.compiler.request(&flying, Tier::One);
    fixture.script.wait_begun(1);
    fixture.compiler.request(&waiting, Tier::One);
    let script = Arc::clone(&fixture.script);
    let helper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        script.release();
    });
    assert!(fixture.compiler.shutdown());
    helper.join().unwrap();
    assert_eq!(flying.tier(), Tier::One);
    assert_eq!(waiting.tier(), Tier::Zero);
    // Afterwards nothing happens, and nothing hangs.
    fixture.compiler.request(&waiting, Tier::One);
    fixture.compiler.flush();
    assert_eq!(waiting.tier(), Tier::Zero);
}

#[test]
fn shutdown_does_not_wait_for_ever() {
    let fixture = fixture(&[]);
    fixture.script.hold();
    let (stuck, _) = callable("stuck");
    fixture.compiler.request(&stuck, Tier::One);
    fixture.script.wait_begun(1);
    let start = Instant::now();
    assert!(!fixture.compiler.shutdown());
    assert!(start.elapsed() < Duration::from_secs(10));
    fixture.script.release();
}

#[test]
fn shutdown_without_a_thread() {
    assert!(fixture(&[]).compiler.shutdown());
}

#[test]
fn a_panic_leaves_the_thread_alive() {
    let fixture = fixture(&[]);
    fixture.script.panic_on("bad");
    let (bad, _) = callable("bad");
    let (good, _) = callable("good");
    fixture.compiler.request(&bad, Tier::One);
    fixture.compiler.request(&good, Tier::One);
    fixture.compiler.flush();
    assert_eq!((bad.tier(), good.tier()), (Tier::Zero, Tier::One));
}

#[test]
fn compile_now_beside_the_thread() {
    let fixture = fixture(&[]);
    let (callable, _) = callable("A.b");
    fixture.compiler.request(&callable, Tier::One);
    assert_eq!(fixture.compiler.compile_now(&callable, Tier::Two), Ok(()));
    fixture.compiler.flush();
    assert_eq!(callable.tier(), Tier::Two);
    assert_eq!(fixture.script.begun().len(), 2);
}
