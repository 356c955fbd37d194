//! What was hot the last time: applied to callables as they are resolved, saved when the program
//! ends.
//!
//! Absent: the file (`gijit::dispatch::Saved`).

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use gijit::config::FileName;
use gijit::dispatch::{Callable, Saved, Tier};
use gijit::trace;

use super::inspect::type_name;

/// The profile of a process with `GIJIT_PROFILE`.
pub struct Profile {
    /// As the user gave it, for messages.
    name: String,
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    saved: Saved,
    /// All callables that have been resolved.
    callables: Vec<Weak<Callable>>,
}

impl Profile {
    /// Reads the file that is called `name`; one line on standard error when it is of no use.
    pub fn load(name: &FileName) -> Profile {
        let path = name.path(std::process::id());
        // The program may change its directory.
        let path = std::path::absolute(&path).unwrap_or(path);
        let (saved, ignored) = Saved::read(&path);
        if let Some(why) = ignored {
            trace::warn(&format!("GIJIT_PROFILE={}: {why}", name.0));
        }
        let callables = Vec::new();
        Profile {
            name: name.0.clone(),
            path,
            state: Mutex::new(State { saved, callables }),
        }
    }

    /// A callable has been resolved: the tier that it is to be compiled for after its first call.
    pub fn resolved(&self, callable: &Arc<Callable>) -> Option<Tier> {
        let mut state = self.lock();
        state.callables.push(Arc::downgrade(callable));
        state.saved.apply(callable)
    }

    /// Writes the file, with what this run knows beside what others have left there. The interpreter
    /// lock is held.
    pub fn save(&self) {
        let mut state = self.lock();
        let callables = std::mem::take(&mut state.callables);
        for callable in callables.iter().filter_map(Weak::upgrade) {
            state.saved.note(&callable, type_name);
        }
        if let Err(error) = state.saved.write(&self.path) {
            trace::warn(&format!(
                "GIJIT_PROFILE={}: cannot be written: {error}",
                self.name
            ));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
