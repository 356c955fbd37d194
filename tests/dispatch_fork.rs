//! A fork while the compile thread works. Its own test binary with one test: a forked child has
//! only the thread that forked, so no other test may be running.
#![cfg(not(loom))]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{callable, fixture};
use gijit::dispatch::Tier;

/// Whether the system counts a compile thread of this process.
fn compile_thread_exists() -> bool {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")));
    // A thread that has ended meanwhile has no name.
    names.flatten().any(|name| name == "gijit-compile\n")
}

#[test]
fn parent_and_child_go_on_compiling() {
    let fixture = fixture(&[]);
    let compiler = fixture.compiler;
    compiler.handle_forks();
    // A second call of the handlers, by a host that has hooks of its own, does no harm.
    compiler.handle_forks();

    fixture.script.hold();
    let (flying, _) = callable("flying");
    let (waiting, _) = callable("waiting");
    let (later, _) = callable("later");
    compiler.request(&flying, Tier::One);
    fixture.script.wait_begun(1);
    compiler.request(&waiting, Tier::One);
    let script = Arc::clone(&fixture.script);
    let helper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        script.release();
    });

    // SAFETY: the child only compiles, and leaves by `_exit`.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid == 0 {
        // SAFETY: alarm takes a number; a child that hangs is killed and so seen by the parent.
        unsafe { libc::alarm(20) };
        let quiescent = flying.tier() == Tier::One;
        compiler.flush();
        let inherited = waiting.tier() == Tier::One;
        compiler.request(&later, Tier::Two);
        compiler.flush();
        let own = later.tier() == Tier::Two;
        let joined = compiler.shutdown();
        let failed = [quiescent, inherited, own, joined]
            .iter()
            .position(|&good| !good);
        // SAFETY: ends the child without running the test harness.
        unsafe { libc::_exit(failed.map_or(0, |index| index as i32 + 1)) };
    }

    assert!(!compile_thread_exists(), "it is started by a request");
    helper.join().unwrap();
    let mut status = 0;
    // SAFETY: `pid` is our child, `status` is ours.
    unsafe { libc::waitpid(pid, &mut status, 0) };
    assert!(libc::WIFEXITED(status), "the child died: {status:#x}");
    assert_eq!(
        libc::WEXITSTATUS(status),
        0,
        "the child's n-th check failed"
    );

    compiler.flush();
    assert_eq!(waiting.tier(), Tier::One);
    assert_eq!(later.tier(), Tier::Zero, "the child's, not ours");
    compiler.request(&later, Tier::Two);
    compiler.flush();
    assert_eq!(later.tier(), Tier::Two);
    assert!(compile_thread_exists());
    assert!(compiler.shutdown());
}
