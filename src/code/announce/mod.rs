//! Tells profilers and debuggers what machine code there is: `GIJIT_PERF`.
//!
//! | name | reader | where |
//! |---|---|---|
//! | `map` | perf and others: names only | `/tmp/perf-PID.map` |
//! | `jitdump` | `perf inject --jit`: names, instructions, steps, unwinding | `gijit-PID/jit-PID.dump` |
//! | `gdb` | gdb and lldb: names, steps, unwinding | a list of object files in memory |
//!
//! Nothing of this exists unless it is asked for. A reader that cannot be served is given up with
//! one line; the program goes on. After a fork the child tells of the code that it has inherited as
//! its own.
//!
//! Absent: the registration with the unwinder of the process itself, which is always done (`memory`).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard};

use crate::compile::backend::StepAt;
use crate::config::PerfSet;
use crate::sync::lock_std as lock;
use crate::trace;

mod debugger;
mod folder;
mod jitdump;
mod object_file;
mod perf_map;

pub use debugger::{DebuggerInterface, Descriptor};
pub use perf_map::WriteEntry;

/// What a piece of code is.
#[derive(Clone, Copy, Debug)]
pub struct CodeLabel<'a> {
    /// As in `Gtk.Label.set_text`.
    pub callable: &'a str,
    pub tier: u8,
    /// The texts of the steps that `MachineCode::steps` numbers, or none.
    pub steps: &'a [String],
}

impl fmt::Display for CodeLabel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gijit:{} [tier {}]", self.callable, self.tier)
    }
}

/// Code that has been placed.
#[derive(Clone, Debug)]
pub struct Announced {
    /// A [`CodeLabel`] as text.
    pub name: String,
    /// The address of its first byte.
    pub start: usize,
    /// Bytes of instructions and constants.
    pub size: usize,
    /// Where in it the function begins.
    pub entry: usize,
    /// Bytes of the `.eh_frame` section that follows at the next multiple of 8, 0 for none.
    pub eh_frame: usize,
    pub lines: Vec<StepAt>,
    pub steps: Vec<String>,
}

impl Announced {
    /// The address of the `.eh_frame` section.
    fn frame(&self) -> usize {
        self.start + self.size.next_multiple_of(8)
    }

    /// # Safety
    /// The code has not been retired.
    unsafe fn code(&self) -> &[u8] {
        // SAFETY: `CodeMemory::place` wrote that many bytes there.
        unsafe { std::slice::from_raw_parts(self.start as *const u8, self.size) }
    }

    /// # Safety
    /// The code has not been retired.
    unsafe fn frame_section(&self) -> &[u8] {
        // SAFETY: as in `code`.
        unsafe { std::slice::from_raw_parts(self.frame() as *const u8, self.eh_frame) }
    }
}

/// Somebody who is told.
trait Listener: Send {
    /// # Safety
    /// The code is in its place until `retired`.
    unsafe fn placed(&mut self, code: &Announced) -> Result<(), String>;

    /// The code that starts there is about to go.
    fn retired(&mut self, _start: usize) {}

    /// This is the child of a fork: all code that is there is announced again.
    fn forked(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// What the host has for the readers.
#[derive(Clone, Copy)]
pub struct Interfaces {
    /// The host's own way to write a perf map.
    pub write_entry: Option<WriteEntry>,
    pub debugger: DebuggerInterface,
}

/// Tells all listeners.
pub struct Announcer {
    state: Mutex<State>,
    forgets: bool,
    wants_steps: bool,
}

struct State {
    listeners: Vec<Box<dyn Listener>>,
    /// By address.
    live: BTreeMap<usize, Announced>,
}

impl Announcer {
    /// The one that `wanted` asks for; `None` for none.
    pub fn new(wanted: PerfSet, host: Interfaces) -> Option<Announcer> {
        let mut listeners: Vec<Box<dyn Listener>> = Vec::new();
        if wanted.map {
            listeners.push(Box::new(perf_map::PerfMap::new(host.write_entry)));
        }
        if wanted.jitdump {
            match jitdump::JitDump::create() {
                Ok(dump) => listeners.push(Box::new(dump)),
                Err(error) => trace::warn(&error),
            }
        }
        if wanted.gdb {
            listeners.push(Box::new(debugger::Debugger::new(host.debugger)));
        }
        (!listeners.is_empty()).then(|| Announcer {
            state: Mutex::new(State {
                listeners,
                live: BTreeMap::new(),
            }),
            forgets: !wanted.map,
            wants_steps: wanted.jitdump || wanted.gdb,
        })
    }

    /// Whether all readers learn that code has gone. A perf map has no line for that, so with one no
    /// place may be used twice.
    pub fn forgets(&self) -> bool {
        self.forgets
    }

    /// Whether steps are of use.
    pub fn wants_steps(&self) -> bool {
        self.wants_steps
    }

    /// Bytes behind the `.eh_frame` section that no other code may begin in.
    pub(super) fn room(&self) -> usize {
        jitdump::FRAME_HEADER
    }

    /// `code` has been placed.
    pub(super) fn placed(&self, code: Announced) {
        let mut state = lock(&self.state);
        tell(&mut state, &code);
        state.live.insert(code.start, code);
    }

    /// The code at `start` is about to go.
    pub(super) fn retired(&self, start: usize) {
        let mut state = lock(&self.state);
        state.live.remove(&start);
        for listener in &mut state.listeners {
            listener.retired(start);
        }
    }

    /// This is the child of a fork.
    pub(super) fn forked(&self) {
        let mut state: MutexGuard<'_, State> = lock(&self.state);
        state
            .listeners
            .retain_mut(|listener| match listener.forked() {
                Ok(()) => true,
                Err(error) => {
                    trace::warn(&error);
                    false
                }
            });
        let live = std::mem::take(&mut state.live);
        for code in live.values() {
            tell(&mut state, code);
        }
        state.live = live;
    }
}

fn tell(state: &mut State, code: &Announced) {
    state.listeners.retain_mut(|listener| {
        // SAFETY: `CodeMemory` announces code while it is there, and says before it goes.
        match unsafe { listener.placed(code) } {
            Ok(()) => true,
            Err(error) => {
                trace::warn(&error);
                false
            }
        }
    });
}
