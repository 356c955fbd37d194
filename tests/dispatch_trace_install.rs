//! The global subscriber. Its own test binary with one test: it is process-wide.
#![cfg(not(loom))]

mod common;

use common::config;
use gijit::trace;

#[test]
fn installed_only_when_asked_for() {
    assert_eq!(trace::install(&config(&[])), Ok(()));
    assert!(!tracing::dispatcher::has_been_set());

    let path = std::env::temp_dir().join(format!("gijit-install-{}", std::process::id()));
    let vars = [
        ("GIJIT_TRACE", "reject"),
        ("GIJIT_TRACE_FILE", path.to_str().unwrap()),
    ];
    assert_eq!(trace::install(&config(&vars)), Ok(()));
    assert!(tracing::dispatcher::has_been_set());
    trace::rejected("A.b", "callback", "");

    // A forked child writes to the same file.
    // SAFETY: the child writes one line, without a lock, and leaves by `_exit`.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        trace::rejected("A.c", "callback", "");
        // SAFETY: ends the child without running the test harness.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: `pid` is our child, `status` is ours.
    unsafe { libc::waitpid(pid, &mut status, 0) };
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(
        text,
        "gijit reject: A.b: callback\ngijit reject: A.c: callback\n"
    );

    let again = trace::install(&config(&vars)).unwrap_err();
    assert!(again.starts_with("cannot trace: "), "{again}");
    let _ = std::fs::remove_file(&path);
}
