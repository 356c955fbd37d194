//! Trace events: what gijit does and why.
//!
//! Every event is a function here, so that its name, its target and its fields stand in one place. The
//! fields are structured (`tracing`); `line` makes the text, `record` JSON and Chrome's trace events,
//! `output` writes them. While no tracing is asked for, no subscriber
//! is installed, and an event costs one load of a static; none is on the path of a call.
//!
//! | target | event |
//! |---|---|
//! | `gijit::tier` | a callable runs at a higher tier |
//! | `gijit::deopt` | a guard failed; tier 2 was withdrawn |
//! | `gijit::reject` | no tier can run a callable |
//! | `gijit::compile` | a compilation, or why there was none |
//! | `gijit::gil` | whether the interpreter lock is held during a call, and why |
//! | `gijit::queue` | a job waits for the compile thread, or has left the queue |
//! | `gijit::sample` | how long one call took, and how long of that the native function |
//!
//! [`warn`] is for what the user must know without having asked.

use std::time::Duration;

use crate::dispatch::Tier;
use crate::gil::Lock;

mod dump;
mod line;
mod output;
mod record;
mod sink;
mod stamp;

pub use dump::dump;
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
    /// All steps together.
    pub fn total(&self) -> Duration {
        self.lower + self.compile + self.place
    }

    /// All steps together, in microseconds.
    pub fn micros(&self) -> u64 {
        micros(self.total())
    }
}

fn micros(time: Duration) -> u64 {
    time.as_micros() as u64
}

/// A callable has climbed.
pub fn promoted(callable: &str, from: Tier, to: Tier, calls: u64, timings: &Timings) {
    tracing::info!(
        name: "promoted",
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
        name: "guard failed",
        target: "gijit::deopt",
        callable,
        from = Tier::Two as u64,
        to = Tier::One as u64,
        failures = u64::from(failures),
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
        name: "withdrawn",
        target: "gijit::deopt",
        callable,
        from = Tier::Two as u64,
        to = to as u64,
        round = u64::from(round),
        failures = u64::from(failures),
        again,
        reason = format_args!("{failures} guards failed, {next}"),
    );
}

/// No tier can run a callable.
pub fn rejected(callable: &str, reason: &str, detail: &str) {
    tracing::info!(
        name: "rejected",
        target: "gijit::reject",
        callable,
        reason,
        detail,
    );
}

/// A compilation has succeeded.
pub fn compiled(callable: &str, tier: Tier, timings: &Timings) {
    tracing::info!(
        name: "compiled",
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
pub fn lock_decided(callable: &str, lock: &Lock, reason: &str) {
    tracing::info!(
        name: "lock decided",
        target: "gijit::gil",
        callable,
        lock = %lock,
        reason,
    );
}

/// A compilation has failed; the callable stays where it is.
pub fn not_compiled(callable: &str, tier: Tier, reason: &dyn std::fmt::Display) {
    tracing::info!(
        name: "not compiled",
        target: "gijit::compile",
        callable,
        tier = tier as u64,
        reason = format_args!("{reason}"),
    );
}

/// The back end of `tier` was loaded: what that took, and by how much it made the process grow.
pub fn loaded(tier: Tier, took: Duration, resident_kib: u64) {
    tracing::info!(
        name: "loaded",
        target: "gijit::compile",
        tier = tier as u64,
        loaded_us = micros(took),
        resident_kib,
    );
}

/// Kibibytes of memory that the process has in use; 0 when nobody asks for [`loaded`].
pub fn resident_kib() -> u64 {
    if !tracing::enabled!(target: "gijit::compile", tracing::Level::INFO) {
        return 0;
    }
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident = pages.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    // Pages of x86-64 and aarch64 Linux as distributions build it.
    resident.unwrap_or(0) * 4
}

/// A job has joined the queue, which is `length` jobs long now.
pub fn queued(callable: &str, tier: Tier, calls: u64, length: usize) {
    tracing::info!(
        name: "queued",
        target: "gijit::queue",
        callable,
        tier = tier as u64,
        calls,
        length = length as u64,
    );
}

/// The compile thread has taken a job, and so many are left.
pub fn begun(callable: &str, tier: Tier, length: usize) {
    tracing::info!(
        name: "begun",
        target: "gijit::queue",
        callable,
        tier = tier as u64,
        length = length as u64,
    );
}

/// One call that was timed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    /// `None`: in the host's own invocation.
    pub tier: Option<Tier>,
    pub total: Duration,
    /// In the native function, and in what that called. `None`: not known.
    pub native: Option<Duration>,
    /// From the beginning of the call to that of the native function, where `native` is known.
    pub before_native: Option<Duration>,
    /// Calls of the callable that this one stands for.
    pub stands_for: u64,
}

/// A call was timed.
pub fn sampled(callable: &str, sample: &Sample) {
    let nanos = |time: Duration| time.as_nanos() as u64;
    tracing::info!(
        name: "sampled",
        target: "gijit::sample",
        callable,
        tier = sample.tier.map(|tier| tier as u64),
        host = sample.tier.is_none(),
        total_ns = nanos(sample.total),
        native_ns = sample.native.map(nanos),
        before_native_ns = sample.before_native.map(nanos),
        binding_ns = sample.native.map(|native| nanos(sample.total.saturating_sub(native))),
        stands_for = sample.stands_for,
    );
}

/// The program ends, and so many calls were made since one was timed.
pub fn untimed(callable: &str, calls: u64) {
    tracing::info!(
        name: "untimed",
        target: "gijit::sample",
        callable,
        calls,
        reason = "the program ends",
    );
}
