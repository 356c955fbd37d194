//! The table itself: one row per variable, with how its value is read.
//!
//! Absent: what the values mean to the parts that they tune.

use super::{
    CompileMode, Config, Dump, FileName, GilMode, Pattern, PerfSet, StatsOutput, TraceFormat,
    TraceSet,
};
use crate::dispatch::Tier;

/// A row of the table.
pub struct Variable {
    pub name: &'static str,
    /// The value when it is unset, in the same form; empty is none.
    pub default: &'static str,
    /// What is allowed, in words, for messages and documentation.
    pub allowed: &'static str,
    pub doc: &'static str,
    /// Puts a value into the config; `None` when it is not allowed.
    pub(super) set: fn(&mut Config, &str) -> Option<()>,
}

/// The table.
pub const VARIABLES: &[Variable] = &[
    Variable {
        name: "GIJIT",
        default: "0",
        allowed: "0 or 1",
        doc: "Whether gijit installs itself when the interpreter starts.",
        set: |config, value| {
            config.enabled = switch(value)?;
            Some(())
        },
    },
    Variable {
        name: "GIJIT_TIER1_CALLS",
        // Past what start-up code calls in passing; more made no difference.
        default: "50",
        allowed: "a number of calls from 0 to 1000000000",
        doc: "Calls at tier 0 before tier 1 is compiled; 0 is before the first call.",
        set: |config, value| {
            config.tier1_calls = calls(value)?;
            Some(())
        },
    },
    Variable {
        name: "GIJIT_TIER2_CALLS",
        // See docs/decisions/2026-11-24-when-tier-2.md.
        default: "100000",
        allowed: "a number of calls from 0 to 1000000000",
        doc: "Calls at tier 1 before tier 2 is compiled; 0 goes from tier 0 to tier 2.",
        set: |config, value| {
            config.tier2_calls = calls(value)?;
            Some(())
        },
    },
    Variable {
        name: "GIJIT_MAX_TIER",
        default: "2",
        allowed: "0, 1 or 2",
        doc: "The highest tier that is used.",
        set: |config, value| {
            config.max_tier = match value {
                "0" => Tier::Zero,
                "1" => Tier::One,
                "2" => Tier::Two,
                _ => return None,
            };
            Some(())
        },
    },
    Variable {
        name: "GIJIT_COMPILE",
        default: "background",
        allowed: "background or sync",
        doc: "Whether compilations run on a thread of their own or on the calling thread.",
        set: |config, value| {
            config.compile = match value {
                "background" => CompileMode::Background,
                "sync" => CompileMode::Sync,
                _ => return None,
            };
            Some(())
        },
    },
    Variable {
        name: "GIJIT_GIL",
        default: "proven",
        allowed: "proven, release or hold: with comma-separated patterns such as Gtk.Label.* behind it",
        doc: "Whether the interpreter lock is held during native calls: where the machine code proves that it may be, never, or also for the callables named.",
        set: |config, value| {
            config.gil = match value.strip_prefix("hold:") {
                Some(names) => GilMode::Hold(patterns(names)?),
                None => match value {
                    "proven" => GilMode::Proven,
                    "release" => GilMode::Release,
                    _ => return None,
                },
            };
            Some(())
        },
    },
    Variable {
        name: "GIJIT_ONLY",
        default: "",
        allowed: "comma-separated patterns such as Gtk.Label.*",
        doc: "The only callables that gijit takes over; all others stay with PyGObject.",
        set: |config, value| {
            config.only = patterns(value)?;
            Some(())
        },
    },
    Variable {
        name: "GIJIT_SKIP",
        default: "",
        allowed: "comma-separated patterns such as Gtk.Label.*",
        doc: "Callables that stay with PyGObject.",
        set: |config, value| {
            config.skip = patterns(value)?;
            Some(())
        },
    },
    Variable {
        name: "GIJIT_TRACE",
        default: "",
        allowed: "comma-separated names out of tier, deopt, reject, compile, gil, queue, sample, all",
        doc: "Which events are written. sample times some calls, and makes a few of these in PyGObject to compare.",
        set: |config, value| {
            config.trace = TraceSet::parse(value)?;
            Some(())
        },
    },
    Variable {
        name: "GIJIT_TRACE_FILE",
        default: "",
        allowed: "a file name; %p is the process id",
        doc: "Where events are appended instead of standard error.",
        set: |config, value| {
            config.trace_file = Some(FileName(value.to_owned()));
            Some(())
        },
    },
    Variable {
        name: "GIJIT_TRACE_FORMAT",
        default: "text",
        allowed: "text, json or chrome",
        doc: "How events are written: a line of text each, a line of JSON each, or a trace for ui.perfetto.dev and chrome://tracing.",
        set: |config, value| {
            config.trace_format = match value {
                "text" => TraceFormat::Text,
                "json" => TraceFormat::Json,
                "chrome" => TraceFormat::Chrome,
                _ => return None,
            };
            Some(())
        },
    },
    Variable {
        name: "GIJIT_STATS",
        default: "0",
        allowed: "0, 1 (a table on standard error at exit) or a file name (JSON); %p is the process id",
        doc: "Counts calls and writes the statistics when the program ends.",
        set: |config, value| {
            config.stats = match value {
                "0" => StatsOutput::Off,
                "1" => StatsOutput::Table,
                // Another way to say 1 or 0, and not meant to be a file.
                "on" | "off" | "yes" | "no" | "true" | "false" => return None,
                digits if number(digits).is_some() => return None,
                name => StatsOutput::File(FileName(name.to_owned())),
            };
            Some(())
        },
    },
    Variable {
        name: "GIJIT_PROFILE",
        default: "",
        allowed: "a file name; %p is the process id",
        doc: "Where the program leaves word of what was hot when it ends, to be compiled at the first call the next time.",
        set: |config, value| {
            config.profile = Some(FileName(value.to_owned()));
            Some(())
        },
    },
    Variable {
        name: "GIJIT_PERF",
        default: "",
        allowed: "comma-separated names out of map, jitdump, gdb",
        doc: "Who is told of machine code: perf through a map (names) or a jitdump (instructions too), or a debugger.",
        set: |config, value| {
            config.perf = PerfSet::parse(value)?;
            Some(())
        },
    },
    Variable {
        name: "GIJIT_DUMP",
        default: "",
        allowed: "comma-separated stages out of signature, words, plan, ir, clif, llvm, asm, profile, gil, or all; a colon; comma-separated patterns such as Gtk.Label.*",
        doc: "What `explain` shows of these callables, written while the program runs: on standard error, or in the trace file when traces are text.",
        set: |config, value| {
            config.dump = Some(Dump::parse(value)?);
            Some(())
        },
    },
    Variable {
        name: "GIJIT_CODE_LIMIT",
        // Unmeasured: room for about 200,000 thunks.
        default: "64M",
        allowed: "a number of bytes, with K, M or G behind it if wanted",
        doc: "The most bytes of machine code at one time.",
        set: |config, value| {
            config.code_limit = bytes(value)?;
            Some(())
        },
    },
];

fn switch(value: &str) -> Option<bool> {
    match value {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

fn calls(value: &str) -> Option<u32> {
    number(value).and_then(|calls| u32::try_from(calls).ok().filter(|&n| n <= 1_000_000_000))
}

fn bytes(value: &str) -> Option<usize> {
    let (digits, shift) = match value.as_bytes().last()? {
        b'K' | b'k' => (&value[..value.len() - 1], 10),
        b'M' | b'm' => (&value[..value.len() - 1], 20),
        b'G' | b'g' => (&value[..value.len() - 1], 30),
        _ => (value, 0),
    };
    let bytes = number(digits)?.checked_mul(1 << shift)?;
    usize::try_from(bytes).ok()
}

/// Digits only: `str::parse` would take a sign too.
fn number(value: &str) -> Option<u64> {
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        value.parse().ok()
    } else {
        None
    }
}

pub(super) fn patterns(value: &str) -> Option<Vec<Pattern>> {
    value
        .split(',')
        .map(|text| match text.trim() {
            "" => None,
            text => Some(Pattern(text.to_owned())),
        })
        .collect()
}
