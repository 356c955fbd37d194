//! What gijit has done in this process: counters, and their table and JSON.
//!
//! The call counters are plain memory that emitted code and the tiers increment; they move only
//! when the configuration counts calls, and are exact then because the interpreter lock is held.
//! All others always move.
//!
//! | counter | written by | ordering |
//! |---|---|---|
//! | `CALLS`, `PYGOBJECT` | whoever holds the interpreter lock | plain, as relaxed |
//! | `COMPILED` | the compile thread, or the caller of a synchronous compilation | relaxed |
//! | `DEOPTS` | whoever holds the interpreter lock | relaxed |
//! | `REJECTIONS` | the host | its mutex |

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::config::{Config, StatsOutput};
use crate::dispatch::Tier;
use crate::sync::lock_std as lock;
use crate::trace;

static CALLS: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];
static PYGOBJECT: AtomicU64 = AtomicU64::new(0);
static COMPILED: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];
static DEOPTS: AtomicU64 = AtomicU64::new(0);
static REJECTIONS: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

/// The address of the counter of native calls at `tier`, for emitted code.
pub fn calls_address(tier: Tier) -> usize {
    CALLS[tier as usize].as_ptr() as usize
}

/// A native call at `tier`, under the interpreter lock.
pub fn count_call(tier: Tier) {
    bump(&CALLS[tier as usize]);
}

/// A call that went to the host's own invocation, under the interpreter lock.
pub fn count_pygobject() {
    bump(&PYGOBJECT);
}

/// One writer at a time, so no locked instruction is needed.
fn bump(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// A guard failed.
pub(crate) fn count_deopt() {
    DEOPTS.fetch_add(1, Ordering::Relaxed);
}

/// Code of `tier` has been published.
pub(crate) fn count_compiled(tier: Tier) {
    COMPILED[tier as usize].fetch_add(1, Ordering::Relaxed);
}

/// A callable that no tier can run, with its reason out of the one table; also a trace event.
pub fn count_rejection(name: &str, reason: &'static str, detail: &str) {
    *lock(&REJECTIONS).entry(reason).or_default() += 1;
    trace::rejected(name, reason, detail);
}

/// All counters at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Native calls per tier; they stand still unless calls are counted.
    pub calls: [u64; 3],
    /// Calls that went to the host's own invocation.
    pub pygobject: u64,
    /// Published compilations per tier; tier 0 compiles nothing.
    pub compiled: [u64; 3],
    /// Guards that failed.
    pub deopts: u64,
    /// Rejected callables per reason.
    pub rejections: BTreeMap<&'static str, u64>,
    /// Bytes of live machine code.
    pub code_bytes: u64,
}

impl Stats {
    /// Reads the counters. `code_bytes` is what the owner of the code memory says.
    pub fn now(code_bytes: usize) -> Stats {
        let read = |counters: &[AtomicU64; 3]| {
            [0, 1, 2].map(|tier: usize| counters[tier].load(Ordering::Relaxed))
        };
        Stats {
            calls: read(&CALLS),
            pygobject: PYGOBJECT.load(Ordering::Relaxed),
            compiled: read(&COMPILED),
            deopts: DEOPTS.load(Ordering::Relaxed),
            rejections: lock(&REJECTIONS).clone(),
            code_bytes: code_bytes as u64,
        }
    }

    /// For people, one line per counter.
    pub fn table(&self) -> String {
        let mut text = String::from("gijit statistics\n");
        let mut row = |name: &str, value: u64| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {name:<40} {value:>12}");
        };
        for (tier, &calls) in self.calls.iter().enumerate() {
            row(&format!("calls at tier {tier}"), calls);
        }
        row("calls through PyGObject", self.pygobject);
        row("compiled for tier 1", self.compiled[1]);
        row("compiled for tier 2", self.compiled[2]);
        row("failed guards", self.deopts);
        row("bytes of code", self.code_bytes);
        for (reason, &count) in &self.rejections {
            row(&format!("rejected: {reason}"), count);
        }
        text
    }

    /// One JSON object, with the keys of `gijit.stats()`.
    pub fn json(&self) -> String {
        let [tier0, tier1, tier2] = self.calls;
        let rejections: Vec<String> = self
            .rejections
            .iter()
            .map(|(reason, count)| format!("{}: {count}", json_string(reason)))
            .collect();
        format!(
            "{{\"calls\": {{\"tier0\": {tier0}, \"tier1\": {tier1}, \"tier2\": {tier2}, \
             \"pygobject\": {}}}, \"compiled\": {{\"tier1\": {}, \"tier2\": {}}}, \
             \"deopts\": {}, \"rejections\": {{{}}}, \"code_bytes\": {}}}\n",
            self.pygobject,
            self.compiled[1],
            self.compiled[2],
            self.deopts,
            rejections.join(", "),
            self.code_bytes,
        )
    }

    /// Writes what the configuration asks for; called once, when the program ends.
    pub fn report(&self, config: &Config) {
        match &config.stats {
            StatsOutput::Off => {}
            StatsOutput::Table => eprint!("{}", self.table()),
            StatsOutput::File(name) => {
                let path = name.path(std::process::id());
                if let Err(error) = std::fs::write(&path, self.json()) {
                    trace::warn(&format!("cannot write {}: {error}", path.display()));
                }
            }
        }
    }
}

/// `text` as a JSON string.
fn json_string(text: &str) -> String {
    let mut json = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c < ' ' => {
                let _ = write!(json, "\\u{:04x}", c as u32);
            }
            c => json.push(c),
        }
    }
    json.push('"');
    json
}
