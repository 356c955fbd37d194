//! The compile thread: started at the first job, joined at exit, absent while the process forks.
//!
//! `state` is the one lock that the thread, those who ask and those who wait share; nobody compiles
//! with it held. A fork ends the thread, after the job in flight, and takes the lock, and the bench,
//! for as long as the fork lasts; in the parent as in the child the next request starts a thread.
//! From CPython 3.12 on `os.fork` warns of threads, and a program that has none itself is not to be
//! warned of this one. CPython counts when the fork is over, so it is not started again there.
//!
//! The thread never touches a host object and never takes the interpreter lock, so waiting for it
//! with that lock held cannot deadlock.

use std::cell::RefCell;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Compiler;
use super::bench::Bench;
use super::queue::{Job, JobQueue, Pushed};
use crate::sync::lock_std as lock;
use crate::trace;

/// LLVM recurses; the default of some systems' secondary threads is too small for it.
pub(super) const STACK: usize = 8 << 20;

/// How long a thread that has been joined may be counted among the threads of the process. It takes
/// the system microseconds; a fork is not held up for longer, whatever the reason.
const LINGERING: Duration = Duration::from_millis(100);

pub(super) struct Worker {
    state: Mutex<State>,
    /// There is a job, or the thread shall end.
    wake: Condvar,
    /// A job is done, or the thread has ended.
    settled: Condvar,
}

#[derive(Default)]
struct State {
    queue: JobQueue,
    /// It returns what the system knows it by.
    thread: Option<JoinHandle<libc::pid_t>>,
    /// A job is off the queue and not yet done.
    running: bool,
    /// A fork is near: the thread ends, and none is started.
    paused: bool,
    /// No job is taken or begun any more.
    closed: bool,
    /// The thread has left its loop.
    ended: bool,
}

/// What a forking thread holds until the fork is over.
struct Held {
    state: MutexGuard<'static, State>,
    _bench: MutexGuard<'static, Bench>,
}

thread_local! {
    /// Of the thread that forks: `before_fork` and its two ends run on the same thread.
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

impl Worker {
    pub fn new() -> Self {
        Worker {
            state: Mutex::default(),
            wake: Condvar::new(),
            settled: Condvar::new(),
        }
    }

    /// Queues `job`; `None` after the end.
    pub fn push(&self, compiler: &'static Compiler, job: Job) -> Option<Pushed> {
        let mut state = lock(&self.state);
        if state.closed {
            return None;
        }
        let (callable, tier, heat) = (Arc::clone(&job.callable), job.tier, job.heat);
        let pushed = state.queue.push(job);
        let length = state.queue.len();
        self.start(compiler, &mut state);
        self.wake.notify_one();
        drop(state);
        if pushed == Pushed::Queued {
            trace::queued(callable.name(), tier, heat, length);
        }
        Some(pushed)
    }

    /// Waits until nothing is queued or running.
    pub fn flush(&self, compiler: &'static Compiler) {
        let mut state = lock(&self.state);
        while !state.closed && (state.running || !state.queue.is_empty()) {
            // After a fork there may be jobs and no thread yet.
            self.start(compiler, &mut state);
            state = wait(&self.settled, state);
        }
    }

    /// Ends the thread: what waits is dropped, a job in flight has until `patience` to finish.
    /// False when it did not, and the thread was left to itself.
    pub fn shutdown(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let mut state = lock(&self.state);
        state.closed = true;
        state.queue.clear();
        self.wake.notify_all();
        self.settled.notify_all();
        let Some(thread) = state.thread.take() else {
            return true;
        };
        while !state.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self
                .settled
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        drop(state);
        thread.join().is_ok()
    }

    fn start(&self, compiler: &'static Compiler, state: &mut State) {
        if state.thread.is_some() || state.paused || state.queue.is_empty() {
            return;
        }
        let signals = BlockedSignals::new();
        let started = thread::Builder::new()
            .name("gijit-compile".to_owned())
            .stack_size(STACK)
            .spawn(move || compiler.worker.run(compiler));
        drop(signals);
        match started {
            Ok(thread) => {
                state.thread = Some(thread);
                state.ended = false;
            }
            Err(error) => {
                trace::warn(&format!(
                    "nothing is compiled: cannot start the compile thread: {error}"
                ));
                state.closed = true;
                state.queue.clear();
                self.settled.notify_all();
            }
        }
    }

    /// The thread's body.
    fn run(&self, compiler: &'static Compiler) -> libc::pid_t {
        let mut state = lock(&self.state);
        while !state.closed && !state.paused {
            let Some(Job { callable, tier, .. }) = state.queue.pop() else {
                state = wait(&self.wake, state);
                continue;
            };
            state.running = true;
            let left = state.queue.len();
            drop(state);
            trace::begun(callable.name(), tier, left);
            // A failure has been traced; the callable stays where it is.
            let _ = compiler.compile(&callable, tier);
            drop(callable);
            state = lock(&self.state);
            state.running = false;
            self.settled.notify_all();
        }
        state.ended = true;
        self.settled.notify_all();
        // SAFETY: it asks for a number.
        unsafe { libc::gettid() }
    }

    /// Waits for the job in flight, ends the thread and keeps everything still until one of the two
    /// ends.
    pub fn before_fork(&'static self, compiler: &'static Compiler) {
        if HELD.with_borrow(Option::is_some) {
            // The host and the process-wide handlers may both say it.
            return;
        }
        let state = self.without_thread();
        let bench = lock(&compiler.bench);
        compiler.parts.code.seal();
        HELD.with_borrow_mut(|held| {
            *held = Some(Held {
                state,
                _bench: bench,
            })
        });
    }

    /// The state, when no job is in flight and no thread exists that waits for one.
    fn without_thread(&self) -> MutexGuard<'_, State> {
        let mut state = lock(&self.state);
        loop {
            // Each time: the fork of another thread, and a start after it, may come in between.
            state.paused = true;
            if let Some(thread) = state.thread.take() {
                self.wake.notify_all();
                drop(state);
                leave(thread);
                state = lock(&self.state);
            } else if state.running {
                // `shutdown` has the thread, and waits for it.
                state = wait(&self.settled, state);
            } else {
                return state;
            }
        }
    }

    pub fn after_fork_parent(&self) {
        if let Some(mut held) = HELD.take() {
            held.state.paused = false;
            // Who waits for the queue starts a thread.
            self.settled.notify_all();
        }
    }

    pub fn after_fork_child(&self, compiler: &Compiler) {
        if let Some(mut held) = HELD.take() {
            held.state.paused = false;
            compiler.parts.code.after_fork_child();
        }
    }
}

/// Waits for a thread that has been told to end, until the system does not count it any more. That
/// is a moment after it can be joined.
fn leave(thread: JoinHandle<libc::pid_t>) {
    let Ok(id) = thread.join() else {
        return;
    };
    let deadline = Instant::now() + LINGERING;
    // SAFETY: signal 0 is sent to nobody; the call only tells whether this process has such a thread.
    while unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), id, 0) } == 0
        && Instant::now() < deadline
    {
        thread::yield_now();
    }
}

fn wait<'a, T>(condition: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condition
        .wait(guard)
        .unwrap_or_else(PoisonError::into_inner)
}

/// All signals blocked on this thread, and so on threads that it starts, until this is dropped. A
/// signal that the compile thread took would not interrupt the system call in which the program's
/// main thread waits for it.
struct BlockedSignals {
    before: libc::sigset_t,
}

impl BlockedSignals {
    fn new() -> Self {
        // SAFETY: sigset_t is plain data; both sets are initialised by the calls before use.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&mut all);
            // Faults of the thread itself still reach their handlers.
            for fault in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE] {
                libc::sigdelset(&mut all, fault);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &all, &mut before);
            BlockedSignals { before }
        }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        // SAFETY: `before` is the mask that `new` saved, on the same thread.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut()) };
    }
}
