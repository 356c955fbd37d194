//! What was hot, from one run to the next.
#![cfg(not(loom))]

mod common;

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use common::{callable, callable_with_parameter, fixture};
use gijit::dispatch::{Saved, Tier, seen};

fn path(test: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("gijit-saved-{test}-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

#[test]
fn from_one_run_to_the_next() {
    let path = path("round");
    assert_eq!(Saved::read(&path), (Saved::default(), None));
    let fixture = fixture(&[]);
    let hot = callable_with_parameter("Gtk.Label.set_text");
    let (cold, _) = callable("Gtk.Label.get_text");
    fixture.compiler.compile_now(&hot, Tier::Two).unwrap();
    hot.header.general.store(1, Ordering::Relaxed);
    let last = hot.profile.last().expect("it has a parameter");
    last.types[0].store(0x10, Ordering::Relaxed);
    last.types[1].store(0x20, Ordering::Relaxed);
    last.seen.store(seen::NON_ASCII, Ordering::Relaxed);
    let mut saved = Saved::default();
    for callable in [&hot, &cold] {
        saved.note(callable, |ty| format!("type {ty}"));
    }
    saved.write(&path).unwrap();

    let (read, ignored) = Saved::read(&path);
    assert_eq!((&read, ignored), (&saved, None));
    let again = callable_with_parameter("Gtk.Label.set_text");
    assert_eq!(read.apply(&again), Some(Tier::Two));
    assert_eq!(again.header.general.load(Ordering::Relaxed), 1);
    let last = again.snapshot().pop().unwrap();
    assert_eq!(
        (last.types, last.seen),
        ([0, 0], seen::NON_ASCII | seen::POLYMORPHIC)
    );
    assert_eq!(read.apply(&cold), None);
    // The library has another version.
    let (changed, _) = callable("Gtk.Label.set_text");
    assert_eq!(read.apply(&changed), None);
    std::fs::remove_file(&path).unwrap();
}

#[track_caller]
fn ignored(test: &str, text: &str, why: &str, replaced: bool) {
    let path = path(test);
    std::fs::write(&path, text).unwrap();
    let (mut read, reason) = Saved::read(&path);
    let reason = reason.expect("a reason");
    assert!(reason.contains(why) && !reason.contains('\n'), "{reason}");
    let (hot, _) = callable("Gtk.Label.set_text");
    assert_eq!(read.apply(&hot), None);
    fixture(&[]).compiler.compile_now(&hot, Tier::One).unwrap();
    read.note(&hot, |_| String::new());
    read.write(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap() != text, replaced);
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn files_that_are_ignored() {
    let version = env!("CARGO_PKG_VERSION");
    let whole = |callables: &str| {
        format!("{{\"gijit_profile\":1,\"gijit\":\"{version}\",\"callables\":{callables}}}")
    };
    ignored("foreign", "a letter", "is no profile", false);
    ignored("json", "{\"a\": 1}", "is no profile", false);
    let other = "{\"gijit_profile\":1,\"gijit\":\"0.0.9\",\"callables\":{}}";
    ignored("version", other, "was made by gijit 0.0.9", true);
    let future = whole("{}").replace(":1,", ":2,");
    ignored("future", &future, "is made anew", true);
    ignored("cut", &whole("{}")[..40], "is broken", true);
    ignored("list", &whole("[]"), "is broken", true);
    ignored("tier", &whole("{\"A.b\":{\"tier\":7}}"), "is broken", true);
}
