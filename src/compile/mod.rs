//! From a hot callable to published code: the queue, the compile thread and what a back end is.
//!
//! A job is: profile snapshot, lowering, verification, back end, placing, publishing. Whatever goes
//! wrong in it, a panic included, leaves the callable at the tier that it has.
//!
//! There is one [`Compiler`] per process. It is never freed: emitted code, the compile thread and
//! fork handlers refer to it until the process ends.
//!
//! Absent: when a callable is due (`dispatch::policy`) and where code lies (`code/`).

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use crate::config::{CompileMode, Config};
use crate::dispatch::{Callable, Tier, policy};
use crate::error::CompileError;
use crate::gil;
use crate::ir::Function;
use crate::sync::lock_std as lock;

pub mod backend;
mod bench;
pub mod plugin;
pub mod queue;
mod survey;
mod worker;

pub use bench::{BackendFactory, Setup};
pub use survey::{Answers, Asked, Survey};

use backend::Listing;
use bench::{Bench, Parts};
use queue::{Job, Pushed};
use worker::Worker;

/// How long [`Compiler::shutdown`] waits for a job in flight: far longer than any takes, short
/// enough not to look like a hang.
const PATIENCE: Duration = Duration::from_secs(2);

/// The compiler of the process.
pub struct Compiler {
    parts: Parts,
    bench: Mutex<Bench>,
    worker: Worker,
}

/// The compiler whose work a fork must find at rest.
static FORK: OnceLock<&'static Compiler> = OnceLock::new();

impl Compiler {
    /// A compiler that has loaded and started nothing yet. It lives as long as the process.
    pub fn new(setup: Setup) -> &'static Compiler {
        let (parts, bench) = setup.split();
        Box::leak(Box::new(Compiler {
            parts,
            bench: Mutex::new(bench),
            worker: Worker::new(),
        }))
    }

    pub fn config(&self) -> &Config {
        &self.parts.config
    }

    /// The budget of `callable` is used up: asks policy and starts what is due. The interpreter
    /// lock is held.
    pub fn on_budget(&'static self, callable: &Arc<Callable>) {
        if let Some(tier) = policy::on_budget(callable, self.config()) {
            self.request(callable, tier);
        }
    }

    /// A guard of `callable` failed: as [`Compiler::on_budget`].
    pub fn on_guard_failure(&'static self, callable: &Arc<Callable>) {
        if let Some(tier) = policy::on_guard_failure(callable, self.config()) {
            self.request(callable, tier);
        }
    }

    /// Compiles `callable` for `tier`: soon, or before this returns when the configuration says
    /// `sync`. The interpreter lock is held. A request that finds the queue full is forgotten;
    /// policy repeats it.
    pub fn request(&'static self, callable: &Arc<Callable>, tier: Tier) {
        self.parts.dump_profile(callable, tier);
        match self.config().compile {
            CompileMode::Sync => {
                // A failure has been traced; the callable stays where it is.
                let _ = self.compile(callable, tier);
                policy::rearm(callable, self.config());
            }
            CompileMode::Background => {
                let job = Job {
                    callable: Arc::clone(callable),
                    tier,
                    heat: policy::calls(callable),
                };
                if let Some(Pushed::Full) = self.worker.push(self, job) {
                    let full = "the queue is full, asking again later";
                    crate::trace::not_compiled(callable.name(), tier, &full);
                }
            }
        }
    }

    /// Compiles `callable` for `tier` on this thread. Code that is there already is fine.
    ///
    /// # Errors
    /// Why the callable does not run at `tier` or above.
    pub fn compile_now(
        &'static self,
        callable: &Arc<Callable>,
        tier: Tier,
    ) -> Result<(), CompileError> {
        self.admit(callable, tier)?;
        self.parts.dump_profile(callable, tier);
        let config = self.config();
        let done = self.compile(callable, tier);
        policy::rearm(callable, config);
        match done {
            // Somebody else has published it in the meantime.
            Err(CompileError::Stale) if callable.tier() >= tier => Ok(()),
            done => done,
        }
    }

    /// Whether the configuration lets `callable` go to `tier`.
    fn admit(&self, callable: &Callable, tier: Tier) -> Result<(), CompileError> {
        let config = self.config();
        if tier > config.max_tier {
            let reason = format!("GIJIT_MAX_TIER is {}", config.max_tier);
            return Err(CompileError::Refused(reason));
        }
        match config.excludes(callable.name()) {
            Some(reason) => Err(CompileError::Refused(reason.to_owned())),
            None => Ok(()),
        }
    }

    fn compile(&self, callable: &Callable, tier: Tier) -> Result<(), CompileError> {
        lock(&self.bench).compile(&self.parts, callable, tier)
    }

    /// Whether the interpreter lock is held while the native function of `callable` runs.
    pub fn interpreter_lock(&self, callable: &Callable) -> gil::Decision {
        self.parts.lock(callable)
    }

    /// The thunk IR of `callable` as `tier` would be compiled now.
    ///
    /// # Errors
    /// [`CompileError::Bug`].
    pub fn lowered(&self, callable: &Callable, tier: Tier) -> Result<Function, CompileError> {
        self.parts.lower(callable, tier)
    }

    /// What the back end of `tier` makes of that.
    ///
    /// # Errors
    /// Those of the lowering and of the back end.
    pub fn list(
        &self,
        callable: &Callable,
        tier: Tier,
        what: Listing,
    ) -> Result<String, CompileError> {
        let function = self.lowered(callable, tier)?;
        lock(&self.bench).list(&function, tier, what)
    }

    /// Why `tier` is off; `None` while it works or has not been tried.
    pub fn off(&self, tier: Tier) -> Option<String> {
        lock(&self.bench).off(tier).map(str::to_owned)
    }

    /// Waits until nothing is queued or being compiled. The interpreter lock should not be held:
    /// others can then go on meanwhile.
    pub fn flush(&'static self) {
        self.worker.flush(self);
    }

    /// Ends the compile thread; later requests are ignored. A job in flight may finish, for two
    /// seconds at most; false when it was left to itself.
    pub fn shutdown(&self) -> bool {
        self.worker.shutdown(PATIENCE)
    }

    /// Before a fork, on the thread that forks: waits for the job in flight, ends the compile thread,
    /// and keeps still until [`Compiler::after_fork_parent`] or [`Compiler::after_fork_child`].
    pub fn before_fork(&'static self) {
        self.worker.before_fork(self);
    }

    /// After a fork, on the same thread, in the parent: the next request starts a thread.
    pub fn after_fork_parent(&self) {
        self.worker.after_fork_parent();
    }

    /// After a fork, in the child: the next request starts a thread there.
    pub fn after_fork_child(&self) {
        self.worker.after_fork_child(self);
    }

    /// Has every fork of the process call the three above, whoever forks. For the first compiler
    /// only: handlers cannot be taken back.
    pub fn handle_forks(&'static self) {
        if FORK.set(self).is_ok() {
            // SAFETY: the three handlers are functions of this library, which is never unloaded.
            unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
        }
    }
}

extern "C" fn prepare() {
    if let Some(compiler) = FORK.get() {
        compiler.before_fork();
    }
}

extern "C" fn parent() {
    if let Some(compiler) = FORK.get() {
        compiler.after_fork_parent();
    }
}

extern "C" fn child() {
    if let Some(compiler) = FORK.get() {
        compiler.after_fork_child();
    }
}
