//! Trace lines and statistics, as a user reads them.
#![cfg(not(loom))]

mod common;

use std::path::PathBuf;
use std::time::Duration;

use common::{callable, config, count_down, fixture};
use gijit::dispatch::Tier;
use gijit::stats::{self, Stats};
use gijit::trace::{self, Timings, TraceLayer};
use tracing_subscriber::layer::SubscriberExt as _;

/// A file name of this test alone, with `%p`.
fn file(test: &str) -> (String, PathBuf) {
    let stem = std::env::temp_dir().join(format!("gijit-{test}-"));
    let stem = stem.to_str().unwrap();
    let path = PathBuf::from(format!("{stem}{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    (format!("{stem}%p"), path)
}

/// The lines that `work` traces.
fn traced(test: &str, wanted: &str, work: impl FnOnce()) -> Vec<String> {
    let (name, path) = file(test);
    let config = config(&[("GIJIT_TRACE", wanted), ("GIJIT_TRACE_FILE", &name)]);
    let subscriber = tracing_subscriber::registry().with(TraceLayer::new(&config).unwrap());
    tracing::subscriber::with_default(subscriber, work);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn every_event() {
    let timings = Timings {
        lower: Duration::from_micros(30),
        compile: Duration::from_micros(175),
        place: Duration::from_micros(5),
        bytes: 224,
    };
    trace::compiled("Gtk.Label.set_text", Tier::One, &timings);
    trace::promoted("Gtk.Label.set_text", Tier::Zero, Tier::One, 50, &timings);
    trace::guard_failed("Gtk.Label.set_text", 3, 16);
    trace::withdrawn("Gtk.Label.set_text", Tier::One, 16, 1, true);
    trace::withdrawn("Gtk.Label.set_text", Tier::One, 16, 3, false);
    trace::rejected("GLib.idle_add", "callback", "");
    trace::rejected("GLib.foo", "array", "of unions");
    trace::not_compiled("GLib.foo", Tier::Two, &"refused:\nno");
}

#[test]
fn lines() {
    assert_eq!(
        traced("lines", "all", every_event),
        [
            "gijit compile: Gtk.Label.set_text tier 1, lowered in 30 us, compiled in 175 us, \
             placed in 5 us, 224 bytes",
            "gijit tier: Gtk.Label.set_text 0 -> 1 after 50 calls, compiled in 210 us, 224 bytes",
            "gijit deopt: Gtk.Label.set_text 2 -> 1: guard failed, 3 of 16",
            "gijit deopt: Gtk.Label.set_text 2 -> 1, round 1: 16 guards failed, is specialised again",
            "gijit deopt: Gtk.Label.set_text 2 -> 1, round 3: 16 guards failed, stays there",
            "gijit reject: GLib.idle_add: callback",
            "gijit reject: GLib.foo: array: of unions",
            "gijit compile: GLib.foo tier 2: refused: no",
        ]
    );
}

#[test]
fn only_what_is_asked_for() {
    let lines = traced("selected", "reject,tier", every_event);
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| !line.starts_with("gijit deopt")));
}

#[test]
fn a_real_promotion() {
    let fixture = fixture(&[("GIJIT_COMPILE", "sync"), ("GIJIT_TIER1_CALLS", "50")]);
    let (callable, _) = callable("Gtk.Label.set_text");
    let lines = traced("promotion", "tier", || {
        for _ in 0..50 {
            if count_down(&callable) {
                fixture.compiler.on_budget(&callable);
            }
        }
    });
    let [line] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert!(
        line.starts_with("gijit tier: Gtk.Label.set_text 0 -> 1 after 50 calls, compiled in "),
        "{line}"
    );
    assert!(line.ends_with(" us, 10 bytes"), "{line}");
}

#[test]
fn a_file_that_cannot_be_opened() {
    let config = config(&[
        ("GIJIT_TRACE", "all"),
        ("GIJIT_TRACE_FILE", "/nonexistent/trace"),
    ]);
    let error = TraceLayer::new(&config).err().unwrap();
    assert!(
        error.starts_with("GIJIT_TRACE_FILE=/nonexistent/trace: cannot be opened: "),
        "{error}"
    );
}

#[test]
fn statistics() {
    stats::count_call(Tier::Zero);
    stats::count_pygobject();
    stats::count_rejection("GLib.foo", "array \"of\" unions", "");
    let now = Stats::now(77);
    assert_eq!((now.calls[0], now.pygobject, now.code_bytes), (1, 1, 77));
    let fixed = Stats {
        calls: [1, 2, 3],
        pygobject: 4,
        compiled: [0, 5, 6],
        deopts: 7,
        rejections: now.rejections,
        code_bytes: 8,
    };
    assert_eq!(
        fixed.json(),
        "{\"calls\": {\"tier0\": 1, \"tier1\": 2, \"tier2\": 3, \"pygobject\": 4}, \
         \"compiled\": {\"tier1\": 5, \"tier2\": 6}, \"deopts\": 7, \
         \"rejections\": {\"array \\\"of\\\" unions\": 1}, \"code_bytes\": 8}\n"
    );
    let table = fixed.table();
    assert!(table.contains("calls at tier 2"), "{table}");
    assert!(table.contains("rejected: array \"of\" unions"), "{table}");
}

#[test]
fn statistics_in_a_file() {
    let (name, path) = file("stats");
    Stats::default().report(&config(&[("GIJIT_STATS", &name)]));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(text, Stats::default().json());
}
