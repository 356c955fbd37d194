//! Trace lines and statistics, as a user reads them.
#![cfg(not(loom))]

mod common;

use std::path::PathBuf;
use std::time::Duration;

use common::{callable, config, count_down, fixture};
use gijit::dispatch::Tier;
use gijit::stats::{self, Handed, Row, Stats, Turn};
use gijit::trace::{self, Sample, Timings, TraceLayer};
use serde_json::Value;
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
    trace::loaded(Tier::Two, Duration::from_micros(4000), 24_000);
    trace::queued("GLib.foo", Tier::One, 50, 3);
    trace::begun("GLib.foo", Tier::One, 2);
    let mut sample = Sample {
        tier: Some(Tier::One),
        total: Duration::from_nanos(90),
        native: Some(Duration::from_nanos(40)),
        before_native: Some(Duration::from_nanos(20)),
        stands_for: 64,
    };
    trace::sampled("GLib.foo", &sample);
    (sample.tier, sample.native, sample.before_native) = (None, None, None);
    sample.stands_for = 1;
    trace::sampled("GLib.foo", &sample);
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
            "gijit compile: tier 2 loaded in 4000 us, grew by 24000 KiB",
            "gijit queue: GLib.foo tier 1 after 50 calls, 3 waiting",
            "gijit queue: GLib.foo tier 1, 2 waiting, is compiled now",
            "gijit sample: GLib.foo tier 1 took 90 ns, 40 ns of it native, for 64 calls",
            "gijit sample: GLib.foo in PyGObject took 90 ns, for 1 call",
        ]
    );
}

/// What `every_event` leaves in a file of `format`.
fn written(test: &str, format: &str, before: &str) -> String {
    let (name, path) = file(test);
    if !before.is_empty() {
        std::fs::write(&path, before).unwrap();
    }
    let config = config(&[
        ("GIJIT_TRACE", "all"),
        ("GIJIT_TRACE_FILE", &name),
        ("GIJIT_TRACE_FORMAT", format),
    ]);
    let layer = TraceLayer::new(&config);
    if let Ok(layer) = layer {
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, every_event);
    }
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    text
}

#[test]
fn json_lines() {
    let text = written("json", "json", "");
    let lines: Vec<Value> = text.lines().map(|line| line.parse().unwrap()).collect();
    let events: Vec<&str> = lines
        .iter()
        .map(|line| line["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        events,
        [
            "start",
            "compiled",
            "promoted",
            "guard failed",
            "withdrawn",
            "withdrawn",
            "rejected",
            "rejected",
            "not compiled",
            "loaded",
            "queued",
            "begun",
            "sampled",
            "sampled",
        ]
    );
    for line in &lines {
        assert_eq!(line["pid"], std::process::id());
        assert!(line["ts_us"].as_f64().unwrap() > 0.0 && line["tid"].is_u64());
    }
    assert_eq!(lines[1]["compile_us"], 175);
    assert_eq!(lines[7]["reason"], "array");
    assert_eq!(lines[7]["detail"], "of unions");
    assert_eq!(lines[8]["reason"], "refused:\nno");
    assert_eq!(lines[12]["binding_ns"], 50);
}

#[test]
fn a_chrome_trace_is_an_array_at_every_moment() {
    let text = written("chrome", "chrome", "");
    let again = written("chrome-again", "chrome", &text);
    let events = |text: &str| text.parse::<Value>().unwrap().as_array().unwrap().clone();
    // The thread is named once.
    assert_eq!(events(&again).len(), 2 * events(&text).len() - 1);
    assert!(again.starts_with(text.trim_end_matches("\n]\n")));
    let count = |phase: &str| {
        let is_one = |event: &&Value| event["ph"] == phase;
        events(&text).iter().filter(is_one).count()
    };
    // The compilation and its three steps, and two calls, of one of which the library's part is known.
    assert_eq!((count("X"), count("C"), count("M")), (7, 2, 3));
    let named = |name: &str| {
        let mut all = events(&text).into_iter();
        let event = all
            .find(|event| event["name"] == name)
            .expect("it is there");
        let (start, lasts) = (
            event["ts"].as_f64().unwrap(),
            event["dur"].as_f64().unwrap(),
        );
        (start, start + lasts)
    };
    let (call, native) = (named("call GLib.foo"), named("in the library"));
    // Times are microseconds since the start of the machine, as floating point numbers.
    assert!((native.0 - call.0 - 0.02).abs() < 0.005 && (call.1 - native.1 - 0.03).abs() < 0.005);
    let whole = events(&text)
        .into_iter()
        .find(|event| event["ph"] == "X")
        .unwrap();
    assert_eq!(
        (whole["dur"].as_f64(), whole["cat"].as_str()),
        (Some(210.0), Some("compile"))
    );
}

#[test]
fn a_file_of_another_kind_is_left_alone() {
    assert_eq!(written("foreign", "chrome", "a letter\n"), "a letter\n");
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
    let called = stats::tally("GLib.called");
    called.count_call(Tier::Zero);
    called.count_host();
    called.count_handed(Handed::Deprecated);
    stats::count_rejection("GLib.rejected", "array \"of\" unions", "");
    let now = Stats::now(77);
    assert_eq!(
        (now.calls(), now.host(), now.code_bytes),
        ([1, 0, 0], 1, 77)
    );
    assert_eq!(
        (now.handed(Handed::Deprecated), now.handed(Handed::Raised)),
        (1, 0)
    );
    let row = Row {
        name: "GLib.fixed".to_owned(),
        calls: [1, 2, 3],
        host: 4,
        handed: [3, 0, 0, 0, 1],
        deopts: 7,
        tier: 2,
        compiled: [0, 5, 6],
        binding: [Some(50), Some(30), Some(10)],
        host_binding: Some(100),
        ..Row::default()
    };
    assert_eq!(
        (row.saved_ns(), row.is_measured()),
        (50 + 2 * 70 + 3 * 90, true)
    );
    let rejected = Row {
        name: "GLib.rejected".to_owned(),
        rejected: Some("array \"of\" unions"),
        ..Row::default()
    };
    let fixed = Stats {
        callables: vec![row, rejected],
        code_bytes: 8,
    };
    assert!(
        fixed.json().starts_with(
            "{\"calls\":{\"tier0\":1,\"tier1\":2,\"tier2\":3,\"pygobject\":4},\
             \"compiled\":{\"tier1\":5,\"tier2\":6},\"deopts\":7,\
             \"rejections\":{\"array \\\"of\\\" unions\":1},\"code_bytes\":8,\
             \"handed_over\":{\"raised\":3,\"unusual\":1},\"saved_ns\":460,"
        ),
        "{}",
        fixed.json()
    );
    let table = fixed.table();
    for part in [
        "calls at tier 2",
        "rejected: array \"of\" unions",
        "most called:",
        "most time saved:",
        "GLib.fixed",
    ] {
        assert!(table.contains(part), "{table}");
    }
}

/// Ever fewer; every fourth turn is the host's, unless there is no other way.
#[test]
fn turns_of_timed_calls() {
    let turns = |name: &str| -> Vec<(i32, Turn)> {
        let tally = stats::tally(name);
        (1..60)
            .filter_map(|call| Some((call, tally.turn()?)))
            .collect()
    };
    let is_warm = |turn: &Turn| matches!(turn, Turn::OwnWarm | Turn::HostWarm);
    let served = turns("GLib.served");
    assert_eq!(
        served[..3],
        [(2, Turn::OwnWarm), (3, Turn::OwnWarm), (4, Turn::Own(4))]
    );
    let counted: Vec<_> = served.iter().filter(|(_, turn)| !is_warm(turn)).collect();
    assert_eq!(
        counted,
        [
            &(4, Turn::Own(4)),
            &(8, Turn::Own(4)),
            &(14, Turn::Host),
            &(24, Turn::Own(16)),
            &(42, Turn::Own(18)),
        ]
    );
    assert_eq!(served[6..8], [(12, Turn::HostWarm), (13, Turn::HostWarm)]);
    stats::count_rejection("GLib.refused", "array", "");
    let is_own = |turn: &Turn| matches!(turn, Turn::Own(_) | Turn::OwnWarm);
    assert!(turns("GLib.refused").iter().all(|(_, turn)| is_own(turn)));
}

#[test]
fn statistics_in_a_file() {
    let (name, path) = file("stats");
    Stats::default().report(&config(&[("GIJIT_STATS", &name)]));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(text, Stats::default().json());
}
