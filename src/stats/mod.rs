//! What gijit has done in this process: counters, and their table and JSON.
//!
//! Everything is counted per callable (`tally`); the totals are sums. The call counters are plain
//! memory that emitted code and the tiers increment; they move only when the configuration counts
//! calls, and are exact then because the interpreter lock is held. All others always move.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use crate::config::{Config, Pattern, StatsOutput};
use crate::trace;

mod tally;
mod text;

pub use tally::{Handed, Row, Tally, Turn, tally, totals};

/// A callable that no tier can run, with its reason out of the one table; also a trace event.
pub fn count_rejection(name: &str, reason: &'static str, detail: &str) {
    tally(name).reject(reason);
    trace::rejected(name, reason, detail);
}

/// All counters at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// One per callable of which something was counted, by name; of all that were called where the
    /// configuration wants that (`Config::lists_callables`).
    pub callables: Vec<Row>,
    /// Bytes of live machine code.
    pub code_bytes: u64,
}

impl Stats {
    /// Reads the counters. `code_bytes` is what the owner of the code memory says.
    pub fn now(code_bytes: usize) -> Stats {
        Stats {
            callables: tally::all().into_iter().map(Tally::row).collect(),
            code_bytes: code_bytes as u64,
        }
    }

    /// Native calls per tier; they stand still unless calls are counted.
    pub fn calls(&self) -> [u64; 3] {
        [0, 1, 2].map(|tier: usize| self.sum(|row| row.calls[tier]))
    }

    /// Calls that went to the host's own invocation.
    pub fn host(&self) -> u64 {
        self.sum(|row| row.host)
    }

    /// Those that have come back, by reason.
    pub fn handed(&self, why: Handed) -> u64 {
        self.sum(|row| row.handed[why as usize])
    }

    /// Published compilations of `tier`.
    pub fn compiled(&self, tier: usize) -> u64 {
        self.sum(|row| row.compiled[tier])
    }

    /// Guards that failed.
    pub fn deopts(&self) -> u64 {
        self.sum(|row| row.deopts)
    }

    /// Rejected callables per reason.
    pub fn rejections(&self) -> BTreeMap<&'static str, u64> {
        let mut reasons = BTreeMap::new();
        for reason in self.callables.iter().filter_map(|row| row.rejected) {
            *reasons.entry(reason).or_default() += 1;
        }
        reasons
    }

    /// The names of all callables.
    pub fn names(&self) -> BTreeSet<String> {
        self.callables.iter().map(|row| row.name.clone()).collect()
    }

    /// For each callable of which calls were timed, an event with the calls that no turn stands for.
    /// Called once, when the program ends.
    pub fn trace_untimed() {
        for tally in tally::all() {
            match tally.untimed() {
                0 => {}
                calls => trace::untimed(tally.name(), calls),
            }
        }
    }

    fn sum(&self, of: impl Fn(&Row) -> u64) -> u64 {
        self.callables.iter().map(of).sum()
    }

    /// Writes what the configuration asks for; called once, when the program ends.
    pub fn report(&self, config: &Config) {
        for (variable, pattern) in config.idle_patterns(&self.names()) {
            let lower = Pattern(pattern.0.to_lowercase());
            let mut names = self.callables.iter().map(|row| &row.name);
            let hint = match names.find(|name| lower.matches(&name.to_lowercase())) {
                Some(name) => format!("; capital letters matter, as in {name}"),
                None => String::new(),
            };
            trace::warn(&format!(
                "{variable}: {} fits none of the {} callables that were called{hint}",
                pattern.0,
                self.callables.len(),
            ));
        }
        match &config.stats {
            StatsOutput::Off => {}
            StatsOutput::Table => {
                // Standard error may be closed, or full.
                let _ = std::io::stderr().write_all(self.table().as_bytes());
            }
            StatsOutput::File(name) => {
                let path = name.path(std::process::id());
                if let Err(error) = std::fs::write(&path, self.json()) {
                    trace::warn(&format!(
                        "GIJIT_STATS={}: cannot be written: {error}",
                        name.0
                    ));
                }
            }
        }
    }
}
