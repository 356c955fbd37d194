//! Trace events: what gijit does and why, one line each.
//!
//! Every event is a function here, so that its target and its fields stand in one place. The fields
//! are structured (`tracing`); `line` makes the text. While no tracing is asked for, no subscriber
//! is installed, and an event costs one load of a static; none is on the path of a call.
//!
//! | target | event |
//! |---|---|
//! | `gijit::tier` | a callable runs at a higher tier |
//! | `gijit::deopt` | a guard failed; tier 2 was withdrawn |
//! | `gijit::reject` | no tier can run a callable |
//! | `gijit::compile` | a compilation, or why there was none |
//! | `gijit::gil` | whether the interpreter lock is held during a call, and why |
//!
//! [`warn`] is for what the user must know without having asked.

use std::time::Duration;

use crate::dispatch::Tier;

mod line;
mod sink;

pub use sink::{TraceLayer, install};

/// One line on standard error, traced or not.
pub fn warn(message: &str) {
    use std::io::Write as _;
    // One write, so that lines of several threads do not mix. Standard error may be closed.
    let _ = std::io::stderr().write_all(format!("gijit: {message}\n").as_bytes());
}

/// How long the steps of one compilation took, and what came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Timings {
    /// Plan and profile to verified thunk IR.
    pub lower: Duration,
    /// Thunk IR to machine code.
    pub compile: Duration,
    /// Machine code to its place.
    pub place: Duration,
    pub bytes: usize,
}

impl Timings {
    /// All steps together, in microseconds.
    pub fn micros(&self) -> u64 {
        micros(self.lower + self.compile + self.place)
    }
}

fn micros(time: Duration) -> u64 {
    time.as_micros() as u64
}

/// A callable has climbed.
pub fn promoted(callable: &str, from: Tier, to: Tier, calls: u64, timings: &Timings) {
    tracing::info!(
        target: "gijit::tier",
        callable,
        from = from as u64,
        to = to as u64,
        calls,
        compiled_us = timings.micros(),
        bytes = timings.bytes as u64,
    );
}

/// A guard failed, for the `failures`th time out of `limit`.
pub fn guard_failed(callable: &str, failures: u32, limit: u32) {
    tracing::info!(
        target: "gijit::deopt",
        callable,
        from = Tier::Two as u64,
        to = Tier::One as u64,
        reason = format_args!("guard failed, {failures} of {limit}"),
    );
}

/// Tier 2 was withdrawn for the `round`th time; `again`: it is compiled once more.
pub fn withdrawn(callable: &str, to: Tier, failures: u32, round: u32, again: bool) {
    let next = match again {
        true => "is specialised again",
        false => "stays there",
    };
    tracing::info!(
        target: "gijit::deopt",
        callable,
        from = Tier::Two as u64,
        to = to as u64,
        round = u64::from(round),
        reason = format_args!("{failures} guards failed, {next}"),
    );
}

/// No tier can run a callable.
pub fn rejected(callable: &str, reason: &str, detail: &str) {
    let colon = if detail.is_empty() { "" } else { ": " };
    tracing::info!(
        target: "gijit::reject",
        callable,
        reason = format_args!("{reason}{colon}{detail}"),
    );
}

/// A compilation has succeeded.
pub fn compiled(callable: &str, tier: Tier, timings: &Timings) {
    tracing::info!(
        target: "gijit::compile",
        callable,
        tier = tier as u64,
        lower_us = micros(timings.lower),
        compile_us = micros(timings.compile),
        place_us = micros(timings.place),
        bytes = timings.bytes as u64,
    );
}

/// It is decided whether the interpreter lock is held while the native function runs.
pub fn lock_decided(callable: &str, hold: bool, reason: &str) {
    tracing::info!(
        target: "gijit::gil",
        callable,
        lock = if hold { "held" } else { "released" },
        reason,
    );
}

/// A compilation has failed; the callable stays where it is.
pub fn not_compiled(callable: &str, tier: Tier, reason: &dyn std::fmt::Display) {
    tracing::info!(
        target: "gijit::compile",
        callable,
        tier = tier as u64,
        reason = format_args!("{reason}"),
    );
}
