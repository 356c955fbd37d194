//! Whether a native function may be called with the interpreter lock held.
//!
//! Releasing and retaking the lock is more than half of a minimal call. Holding it is right only
//! where the function is short, never blocks and never calls back. That is not guessed: [`prove`]
//! reads the function's machine code, and of everything that it can reach, and gives up at the first
//! instruction that it cannot vouch for: an indirect call or jump, a system call, a loop, a call of
//! something that is neither proved the same way nor on the short list of `audit`.
//!
//! What goes through the table of a class is proved for one class, that of the first instance that
//! was seen ([`Lock::HeldFor`]): `flow` finds which entry of which table an indirect call enters.
//!
//! x86-64 with ELF only; elsewhere nothing is proved. Proofs run on the compile thread and look at
//! code and at the tables of classes, never at data that the program changes.

pub mod audit;
mod class;
mod flow;
mod image;
mod prove;

pub use class::Class;
pub use prove::{Proof, prove};

use crate::config::{Config, GilMode};

/// What becomes of the interpreter lock while a native function runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Lock {
    Released,
    Held,
    /// Held when the first argument is an instance of this very class, else released.
    HeldFor(Class),
}

impl std::fmt::Display for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Lock::Released => f.write_str("released"),
            Lock::Held => f.write_str("held"),
            Lock::HeldFor(class) => write!(f, "held for {}", class.name),
        }
    }
}

/// What becomes of the lock, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    pub lock: Lock,
    pub reason: String,
    /// What a proof took on trust.
    pub audited: Vec<String>,
}

impl std::fmt::Display for Decision {
    /// For `explain`: the reason, and the argument of each function that was taken on trust.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "lock {}: {}", self.lock, self.reason)?;
        let class = match &self.lock {
            Lock::HeldFor(class) => Some(class.name.as_str()),
            Lock::Released | Lock::Held => None,
        };
        for name in &self.audited {
            let argument = audit::audited(name, class).map_or("", |entry| entry.argument);
            writeln!(f, "  {name}: {argument}")?;
        }
        Ok(())
    }
}

/// What a function has as its first argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum First {
    /// No GObject.
    Other,
    /// A GObject of which none was seen yet.
    Unseen,
    /// A GObject; one of this type was seen.
    Instance(usize),
}

/// Decides for the callable `name`, whose native function is at `address`. An `address` of 0 is one
/// that differs from call to call.
pub fn decide(config: &Config, name: &str, address: usize, first: First) -> Decision {
    let decision = |lock, reason: &str| Decision {
        lock,
        reason: reason.to_owned(),
        audited: Vec::new(),
    };
    match &config.gil {
        GilMode::Release => return decision(Lock::Released, "GIJIT_GIL=release"),
        GilMode::Hold(patterns) if patterns.iter().any(|pattern| pattern.matches(name)) => {
            return decision(Lock::Held, "named by GIJIT_GIL=hold");
        }
        GilMode::Proven | GilMode::Hold(_) => {}
    }
    let broken = match prove(address, None) {
        Proof::Broken(reason) => reason,
        proof => return proof.decision(Lock::Held),
    };
    let class = match first {
        First::Other => None,
        First::Unseen => {
            let later = format!("{broken} (decided again for the class of its first instance)");
            return decision(Lock::Released, &later);
        }
        First::Instance(gtype) => Class::of(gtype),
    };
    match class.as_ref().map(|class| prove(address, Some(class))) {
        None => decision(Lock::Released, &broken),
        Some(Proof::Broken(reason)) => decision(Lock::Released, &reason),
        Some(proof) => proof.decision(class.map_or(Lock::Released, Lock::HeldFor)),
    }
}
