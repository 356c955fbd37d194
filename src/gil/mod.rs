//! Whether a native function may be called with the interpreter lock held.
//!
//! Releasing and retaking the lock is more than half of a minimal call. Holding it is right only
//! where the function is short, never blocks and never calls back. That is not guessed: [`prove`]
//! reads the function's machine code, and of everything that it can reach, and gives up at the first
//! instruction that it cannot vouch for: an indirect call or jump, a system call, a loop, a call of
//! something that is neither proved the same way nor on the short list of `audit`.
//!
//! x86-64 with ELF only; elsewhere nothing is proved. Proofs run on the compile thread and look at
//! code only, never at data that the program changes.

pub mod audit;
mod image;
mod prove;

pub use prove::{Proof, prove};

use crate::config::{Config, GilMode};

/// Whether the lock is held around the call of a function, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    pub hold: bool,
    pub reason: String,
    /// What a proof took on trust.
    pub audited: Vec<String>,
}

impl std::fmt::Display for Decision {
    /// For `explain`: the reason, and the argument of each function that was taken on trust.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lock = if self.hold { "held" } else { "released" };
        writeln!(f, "lock {lock}: {}", self.reason)?;
        for name in &self.audited {
            let argument = audit::audited(name).map_or("", |entry| entry.argument);
            writeln!(f, "  {name}: {argument}")?;
        }
        Ok(())
    }
}

/// Decides for the callable `name`, whose native function is at `address`. An `address` of 0 is one
/// that differs from call to call.
pub fn decide(config: &Config, name: &str, address: usize) -> Decision {
    let decision = |hold, reason: &str| Decision {
        hold,
        reason: reason.to_owned(),
        audited: Vec::new(),
    };
    match &config.gil {
        GilMode::Release => decision(false, "GIJIT_GIL=release"),
        GilMode::Hold(patterns) if patterns.iter().any(|pattern| pattern.matches(name)) => {
            decision(true, "named by GIJIT_GIL=hold")
        }
        GilMode::Proven | GilMode::Hold(_) => match prove(address) {
            Proof::Holds {
                functions,
                instructions,
                audited,
            } => {
                let trusted = audited.join(", ");
                let read = format!("proved: {instructions} instructions in {functions} functions");
                let reason = match (functions, trusted.is_empty()) {
                    (0, _) => format!("on trust: {trusted}"),
                    (_, true) => read,
                    (_, false) => format!("{read}, and {trusted}"),
                };
                Decision {
                    hold: true,
                    reason,
                    audited,
                }
            }
            Proof::Broken(reason) => decision(false, &reason),
        },
    }
}
