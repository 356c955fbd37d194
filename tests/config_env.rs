//! The table of environment variables.
#![cfg(not(loom))]

use std::collections::BTreeSet;

use gijit::config::{
    CompileMode, Config, FileName, Pattern, StatsOutput, TOPICS, TraceFormat, VARIABLES, document,
};
use gijit::dispatch::Tier;

fn read(vars: &[(&str, &str)]) -> (Config, Vec<String>) {
    let vars = vars
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()));
    let (config, warnings) = Config::from_vars(vars);
    (config, warnings.iter().map(ToString::to_string).collect())
}

/// One line, and the default holds.
#[track_caller]
fn check_bad(name: &str, value: &str, expected: &str) {
    let (config, warnings) = read(&[(name, value)]);
    assert_eq!(config, Config::default());
    assert_eq!(warnings, [expected]);
}

#[test]
fn every_default_is_allowed() {
    for variable in VARIABLES.iter().filter(|row| !row.default.is_empty()) {
        let (config, warnings) = read(&[(variable.name, variable.default)]);
        assert_eq!(warnings, [""; 0], "{}", variable.name);
        assert_eq!(config, Config::default(), "{}", variable.name);
    }
}

#[test]
fn good_values() {
    let (config, warnings) = read(&[
        ("PATH", "/bin"),
        ("GIJIT", "1"),
        ("GIJIT_TIER1_CALLS", "0"),
        ("GIJIT_TIER2_CALLS", "7"),
        ("GIJIT_MAX_TIER", "1"),
        ("GIJIT_COMPILE", "sync"),
        ("GIJIT_ONLY", "Gtk.*, GLib.random_double_range"),
        ("GIJIT_SKIP", "Gtk.Label.*"),
        ("GIJIT_TRACE", "tier,deopt"),
        ("GIJIT_TRACE_FILE", "/tmp/trace.%p"),
        ("GIJIT_TRACE_FORMAT", "chrome"),
        ("GIJIT_STATS", "stats.%p.json"),
        ("GIJIT_PROFILE", "hot.json"),
        ("GIJIT_CODE_LIMIT", "12k"),
    ]);
    assert_eq!(warnings, [""; 0]);
    assert!(config.enabled);
    assert_eq!((config.tier1_calls, config.tier2_calls), (0, 7));
    assert_eq!(config.max_tier, Tier::One);
    assert_eq!(config.compile, CompileMode::Sync);
    assert!(config.trace.has("tier") && config.trace.has("deopt") && !config.trace.has("reject"));
    assert_eq!(config.trace_format, TraceFormat::Chrome);
    assert_eq!(config.profile, Some(FileName("hot.json".into())));
    assert_eq!(config.trace_file, Some(FileName("/tmp/trace.%p".into())));
    assert_eq!(
        config.trace_file.unwrap().path(42).to_str(),
        Some("/tmp/trace.42")
    );
    assert_eq!(
        config.stats,
        StatsOutput::File(FileName("stats.%p.json".into()))
    );
    assert_eq!(config.code_limit, 12 << 10);
}

#[test]
fn an_empty_value_is_unset() {
    assert_eq!(
        read(&[("GIJIT_TRACE", ""), ("GIJIT_TIER1_CALLS", "")]),
        (Config::default(), vec![])
    );
}

#[test]
fn a_bad_value_is_one_line() {
    check_bad(
        "GIJIT_TIER1_CALLS",
        "many",
        "GIJIT_TIER1_CALLS=many is not allowed: expected a number of calls from 0 to 1000000000; \
         using 50",
    );
    check_bad(
        "GIJIT_TIER2_CALLS",
        "-1",
        "GIJIT_TIER2_CALLS=-1 is not allowed: expected a number of calls from 0 to 1000000000; \
         using 100000",
    );
    check_bad(
        "GIJIT_MAX_TIER",
        "3\n",
        "GIJIT_MAX_TIER=3\\n is not allowed: expected 0, 1 or 2; using 2",
    );
    check_bad(
        "GIJIT_COMPILE",
        "later",
        "GIJIT_COMPILE=later is not allowed: expected background or sync; using background",
    );
    check_bad(
        "GIJIT_TRACE",
        "tier,deopts",
        "GIJIT_TRACE=tier,deopts is not allowed: expected comma-separated names out of tier, \
         deopt, reject, compile, gil, queue, sample, all; leaving it unset",
    );
    check_bad(
        "GIJIT_ONLY",
        "Gtk.*,,",
        "GIJIT_ONLY=Gtk.*,, is not allowed: expected comma-separated patterns such as \
         Gtk.Label.*; leaving it unset",
    );
    check_bad(
        "GIJIT_CODE_LIMIT",
        "99999999999999G",
        "GIJIT_CODE_LIMIT=99999999999999G is not allowed: expected a number of bytes, with K, M \
         or G behind it if wanted; using 64M",
    );
    for no_file in ["yes", "2", "true"] {
        check_bad(
            "GIJIT_STATS",
            no_file,
            &format!(
                "GIJIT_STATS={no_file} is not allowed: expected 0, 1 (a table on standard error at \
                 exit) or a file name (JSON); %p is the process id; using 0"
            ),
        );
    }
    check_bad(
        "GIJIT",
        "yes",
        "GIJIT=yes is not allowed: expected 0 or 1; using 0",
    );
}

#[test]
fn an_unknown_name_is_one_line() {
    check_bad(
        "GIJIT_TIER_CALLS",
        "5",
        "GIJIT_TIER_CALLS is not a variable of gijit; did you mean GIJIT_TIER1_CALLS?",
    );
    check_bad(
        "GIJIT_STAT",
        "1",
        "GIJIT_STAT is not a variable of gijit; did you mean GIJIT_STATS?",
    );
    for (name, near) in [
        ("GIJIT_MAX_TEIR", "GIJIT_MAX_TIER"),
        ("GIJIT_TRACEFILE", "GIJIT_TRACE_FILE"),
        ("GIJIT_FORMAT", "GIJIT_TRACE_FORMAT"),
        ("GIJIT_LIMIT", "GIJIT_CODE_LIMIT"),
        ("GIJIT_TIER2", "GIJIT_TIER2_CALLS"),
        ("GIJIT_PROFILER", "GIJIT_PROFILE"),
    ] {
        let (_, warnings) = read(&[(name, "1")]);
        let wanted = format!("{name} is not a variable of gijit; did you mean {near}?");
        assert_eq!(warnings, [wanted]);
    }
    for name in ["GIJIT_FOO", "GIJIT_", "GIJIT_VERBOSE", "GIJIT_ER"] {
        let (_, warnings) = read(&[(name, "1")]);
        let wanted =
            format!("{name} is not a variable of gijit; python -m gijit doctor lists them");
        assert_eq!(warnings, [wanted]);
    }
    assert_eq!(read(&[("GIJITTER", "1")]), (Config::default(), vec![]));
}

#[test]
fn a_bad_value_leaves_the_others() {
    let (config, warnings) = read(&[("GIJIT_MAX_TIER", "x"), ("GIJIT_TIER1_CALLS", "3")]);
    assert_eq!((config.tier1_calls, warnings.len()), (3, 1));
}

#[test]
fn patterns() {
    let check = |pattern: &str, name: &str, expected: bool| {
        assert_eq!(
            Pattern(pattern.into()).matches(name),
            expected,
            "{pattern} {name}"
        );
    };
    check("Gtk.Label.*", "Gtk.Label.set_text", true);
    check("Gtk.Label.*", "Gtk.LabelX.set_text", false);
    check("Gtk.Label.set_text", "Gtk.Label.set_text", true);
    check(
        "Gtk.Label.set_text",
        "Gtk.Label.set_text_with_mnemonic",
        false,
    );
    check("*", "anything", true);
    check("*.get_*_name", "Gtk.Widget.get_css_name", true);
    check("*.get_*_name", "Gtk.Widget.get_name", false);
    check("a*a", "a", false);
    check("a*b*c", "a-b-b-c", true);
}

#[test]
fn only_and_skip() {
    let (config, _) = read(&[("GIJIT_ONLY", "Gtk.*"), ("GIJIT_SKIP", "Gtk.Label.*")]);
    assert_eq!(config.excludes("Gtk.Button.new"), None);
    assert!(config.excludes("Gtk.Label.new").unwrap().contains("SKIP"));
    assert!(config.excludes("GLib.free").unwrap().contains("ONLY"));
}

#[test]
fn every_topic_is_allowed_and_documented() {
    let (all, _) = read(&[("GIJIT_TRACE", "all")]);
    let row = VARIABLES.iter().find(|row| row.name == "GIJIT_TRACE");
    let allowed = format!("comma-separated names out of {}, all", TOPICS.join(", "));
    assert_eq!(row.unwrap().allowed, allowed);
    for topic in TOPICS {
        let (one, warnings) = read(&[("GIJIT_TRACE", topic)]);
        assert_eq!(warnings, [""; 0]);
        assert!(one.trace.has(topic) && all.trace.has(topic));
    }
}

#[test]
fn patterns_that_fit_nothing() {
    let (config, _) = read(&[
        ("GIJIT_ONLY", "Gtk.*,Gtkk.*"),
        ("GIJIT_SKIP", "Gtk.Labl.*"),
        ("GIJIT_GIL", "hold:GLib.free,Gtk.Label.*"),
    ]);
    let idle = |names: &[&str]| {
        let names: BTreeSet<String> = names.iter().map(|&name| name.to_owned()).collect();
        let idle = config.idle_patterns(&names);
        idle.into_iter()
            .map(|(variable, pattern)| format!("{variable} {}", pattern.0))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        idle(&["Gtk.Label.set_text"]),
        [
            "GIJIT_ONLY Gtkk.*",
            "GIJIT_SKIP Gtk.Labl.*",
            "GIJIT_GIL GLib.free"
        ]
    );
    assert_eq!(idle(&[]), [""; 0]);
}

/// `GIJIT_BLESS=1` writes the page anew.
#[test]
fn the_page_is_what_the_table_makes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/environment.md");
    if std::env::var_os("GIJIT_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(path, document()).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        document(),
        "GIJIT_BLESS=1 renews {path}"
    );
}
