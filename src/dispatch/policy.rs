//! When a callable climbs, when it is sent back, and when it is left alone.
//!
//! A call at tier 0 or 1 counts the header's budget down and asks [`on_budget`] when it is used up.
//! The answer is a tier to compile, or nothing; either way a new budget is granted:
//!
//! ```text
//!            tier1_calls                 tier2_calls
//!  tier 0 ───────────────► ask One, tier 1 ───────────► ask Two, tier 2
//!     ▲ └─ not yet compiled: ask again      ▲ └─ the same  │
//!     │    after 64, 256, 1024, ... calls   │              │ GUARD_LIMIT guards failed
//!     │                                     └──────────────┘ at most ROUND_LIMIT times
//!  failed FAILURE_LIMIT times, excluded, or above the highest tier: never asked again
//! ```
//!
//! A guard that fails has already widened the profile, so the next round speculates on less. All
//! functions here run under the interpreter lock, but for [`published`] and [`failed`], which the
//! compile thread calls too; these never write the budget.
//!
//! Absent: who compiles (`compile/`).

use std::sync::atomic::Ordering;

use super::{Callable, Tier};
use crate::config::Config;
use crate::error::CompileError;
use crate::sync::lock;
use crate::trace;

/// Failed guards that end a round. Unmeasured.
pub const GUARD_LIMIT: u32 = 16;
/// Rounds of tier 2 before a callable is left at tier 1. Unmeasured.
pub const ROUND_LIMIT: u32 = 3;
/// Failed compilations of one tier before it is not tried again. Unmeasured.
pub const FAILURE_LIMIT: u32 = 2;
/// Calls before a failed compilation is tried again. Unmeasured.
const FAILURE_WAIT: u64 = 10_000;
/// Calls before the first repetition of a request; each further one waits four times as long.
const FIRST_WAIT: u32 = 64;
const LONGEST_WAIT: u32 = 1 << 20;

/// What policy remembers of a callable.
#[derive(Debug)]
pub(super) struct History {
    /// Calls up to the end of the present budget, so that `granted - budget` is the calls so far.
    granted: i64,
    /// Calls when tier 1 was published.
    tier1_since: i64,
    /// No request before this many calls.
    not_before: i64,
    /// The budget granted with the next request.
    wait: u32,
    /// Per tier.
    failures: [u32; 3],
    /// Why the last compilation failed, if one did.
    failure: Option<String>,
}

impl Default for History {
    fn default() -> Self {
        History {
            granted: 0,
            tier1_since: 0,
            not_before: 0,
            wait: FIRST_WAIT,
            failures: [0; 3],
            failure: None,
        }
    }
}

/// What is due for a callable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Due {
    Compile(Tier),
    /// Nothing for so many calls.
    Wait(i64),
    Nothing,
}

impl History {
    fn due(&self, tier: Tier, round: u32, calls: i64, config: &Config) -> Due {
        let allowed =
            |tier: Tier| tier <= config.max_tier && self.failures[tier as usize] < FAILURE_LIMIT;
        let (next, left) = match tier {
            Tier::Zero => (Tier::One, i64::from(config.tier1_calls) - calls),
            Tier::One if round < ROUND_LIMIT => (
                Tier::Two,
                i64::from(config.tier2_calls) - (calls - self.tier1_since),
            ),
            Tier::One | Tier::Two => return Due::Nothing,
        };
        // With tier 2 due at once, tier 1 is only compiled for tier 2 to bail to, by the same job.
        let next = if config.tier2_calls == 0 && round < ROUND_LIMIT && allowed(Tier::Two) {
            Tier::Two
        } else {
            next
        };
        if !allowed(next) {
            return Due::Nothing;
        }
        match left.max(self.not_before - calls) {
            left if left > 0 => Due::Wait(left),
            _ => Due::Compile(next),
        }
    }

    /// Gives `callable` so many calls until it asks again.
    fn grant(&mut self, callable: &Callable, calls: i64, more: i64) {
        let more = more.min(i64::from(i32::MAX));
        self.granted = calls + more;
        callable.header.budget.store(more as i32, Ordering::Relaxed);
    }

    /// The next wait of the back-off.
    fn back_off(&mut self) -> i64 {
        let wait = self.wait;
        self.wait = wait.saturating_mul(4).min(LONGEST_WAIT);
        i64::from(wait)
    }

    fn calls(&self, callable: &Callable) -> i64 {
        self.granted - i64::from(callable.header.budget.load(Ordering::Relaxed))
    }
}

/// Calls counted so far at tiers 0 and 1, the present one included.
pub fn calls(callable: &Callable) -> u64 {
    let calls = lock(&callable.history).calls(callable);
    u64::try_from(calls).unwrap_or(0)
}

/// The budget is used up: the tier to compile now, if any.
pub fn on_budget(callable: &Callable, config: &Config) -> Option<Tier> {
    let (tier, round) = (callable.tier(), callable.rounds());
    let excluded = config.excludes(callable.name()).is_some();
    let mut history = lock(&callable.history);
    let calls = history.calls(callable);
    let due = match excluded {
        true => Due::Nothing,
        false => history.due(tier, round, calls, config),
    };
    match due {
        Due::Compile(next) => {
            let mut wait = history.back_off();
            if next == Tier::One {
                // When it is compiled soon, this budget is the one that tier 1 begins with.
                wait = wait.min(i64::from(config.tier2_calls.max(1)));
            }
            history.grant(callable, calls, wait);
            Some(next)
        }
        Due::Wait(left) => {
            history.grant(callable, calls, left);
            None
        }
        Due::Nothing => {
            history.grant(callable, calls, i64::from(i32::MAX));
            None
        }
    }
}

/// After a compilation on the calling thread: grants the budget that the new tier begins with.
pub fn rearm(callable: &Callable, config: &Config) {
    let (tier, round) = (callable.tier(), callable.rounds());
    let mut history = lock(&callable.history);
    let calls = history.calls(callable);
    if let Due::Wait(left) = history.due(tier, round, calls, config) {
        history.grant(callable, calls, left);
    }
}

/// A guard of the running tier-2 code failed, and the argument is in the profile: the tier to
/// compile now, if any. Past [`GUARD_LIMIT`] the callable is back at tier 1 when this returns.
pub fn on_guard_failure(callable: &Callable, config: &Config) -> Option<Tier> {
    callable.tally().count_deopt();
    let failures = callable.header.guard_failures.load(Ordering::Relaxed) + 1;
    let name = callable.name();
    if failures < GUARD_LIMIT {
        callable
            .header
            .guard_failures
            .store(failures, Ordering::Relaxed);
        trace::guard_failed(name, failures, GUARD_LIMIT);
        return None;
    }
    callable.header.guard_failures.store(0, Ordering::Relaxed);
    if !callable.slot.withdraw(&callable.header) {
        // Another thread's failing guards have done it.
        return None;
    }
    let (tier, round) = (callable.tier(), callable.rounds());
    callable.tally().runs_at(tier);
    let again = round < ROUND_LIMIT;
    trace::withdrawn(name, tier, failures, round, again);
    let mut history = lock(&callable.history);
    history.wait = FIRST_WAIT;
    let calls = history.calls(callable);
    let wait = history.back_off();
    history.grant(callable, calls, wait);
    (again && config.max_tier == Tier::Two).then_some(Tier::Two)
}

/// Code for `tier` has been published.
pub(super) fn published(callable: &Callable, tier: Tier) {
    let mut history = lock(&callable.history);
    history.wait = FIRST_WAIT;
    history.failure = None;
    if tier == Tier::One {
        history.tier1_since = history.calls(callable);
    }
}

/// Compiling `tier` has failed for the reason `why`; it may be tried again later.
pub fn failed(callable: &Callable, tier: Tier, why: &CompileError) {
    let mut history = lock(&callable.history);
    history.failures[tier as usize] += 1;
    history.failure = Some(why.to_string());
    let calls = history.calls(callable);
    history.not_before = calls + FAILURE_WAIT as i64;
}

/// `tier` shall not be asked for again.
pub fn give_up(callable: &Callable, tier: Tier) {
    lock(&callable.history).failures[tier as usize] = FAILURE_LIMIT;
}

/// Where `callable` stands and why, for people: one line per fact. `off` says why a tier is off in
/// this process.
pub fn standing(
    callable: &Callable,
    config: &Config,
    off: impl Fn(Tier) -> Option<String>,
) -> String {
    let (tier, round) = (callable.tier(), callable.rounds());
    let history = lock(&callable.history);
    let calls = history.calls(callable);
    let mut text = format!(
        "tier {tier} after {} calls at tiers 0 and 1\n",
        calls.max(0)
    );
    if round > 0 {
        text += &format!("tier 2 was withdrawn {round} times, because its guards failed\n");
    }
    let next = match tier {
        Tier::Zero => Tier::One,
        Tier::One => Tier::Two,
        Tier::Two => return text + "it is at the highest tier\n",
    };
    if let Some(why) = &history.failure {
        text += &format!("the last compilation has failed: {why}\n");
    }
    let why = if next > config.max_tier {
        format!("GIJIT_MAX_TIER is {}", config.max_tier)
    } else if let Some(reason) = off(next) {
        format!("tier {next} is off: {reason}")
    } else if next == Tier::Two && round >= ROUND_LIMIT {
        "it stays at tier 1: its arguments are too varied to specialise on".to_owned()
    } else if history.failures[next as usize] >= FAILURE_LIMIT {
        format!("tier {next} is not tried again")
    } else {
        match history.due(tier, round, calls, config) {
            Due::Wait(left) => format!("tier {next} is asked for after {left} more calls"),
            Due::Compile(next) => format!("tier {next} is due at one of the next calls"),
            Due::Nothing => format!("tier {next} is not asked for"),
        }
    };
    text + &why + "\n"
}
