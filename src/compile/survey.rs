//! Finding out what each tier can compile, without publishing anything.
//!
//! The back ends translate thunk IR op by op, and addresses and names only pass through them. So of
//! the thunks that have one shape (`ir::text::shape`) the first is compiled and its outcome holds for
//! the others; each is lowered and verified all the same. In Gtk nine hundred shapes stand for
//! thousands of callables. Threads with back ends of their own compile them while the asking thread
//! lowers what is next.
//!
//! Absent: code that can run. Nothing is placed, and no callable changes its tier.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use super::bench::Bench;
use super::{Compiler, worker};
use crate::dispatch::{Callable, Tier};
use crate::error::CompileError;
use crate::ir::{Function, text};
use crate::sync::lock_std as lock;

/// How many shapes wait for each thread at most: enough to keep it busy, few enough that whoever
/// asks is not done long before the answers are.
const WAITING: usize = 8;

type Outcome = Result<(), CompileError>;

/// One shape to compile.
struct Job {
    shape: usize,
    tier: Tier,
    function: Function,
}

/// The shapes so far and those who compile them.
pub struct Survey {
    compiler: &'static Compiler,
    shapes: HashMap<(Tier, String), usize>,
    jobs: SyncSender<Job>,
    done: Receiver<(usize, Outcome)>,
}

/// What a survey answers later: the number of a shape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked(usize);

/// All outcomes.
pub struct Answers(Vec<Outcome>);

impl Survey {
    /// A survey that compiles on as many threads as the machine runs at a time.
    ///
    /// # Errors
    /// The system's, when it gives no thread.
    pub fn new(compiler: &'static Compiler) -> std::io::Result<Self> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let mut bench = lock(&compiler.bench);
        for tier in [Tier::One, Tier::Two] {
            if tier <= compiler.config().max_tier {
                // A tier that is off says so once, here, and each answer says it again.
                let _ = bench.load(tier);
            }
        }
        let (jobs, queue) = sync_channel(threads * WAITING);
        let (answer, done) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads {
            let (bench, queue, answer) = (bench.twin(), Arc::clone(&queue), answer.clone());
            thread::Builder::new()
                .name("gijit-survey".to_owned())
                .stack_size(worker::STACK)
                .spawn(move || compile(bench, &queue, &answer))?;
        }
        Ok(Survey {
            compiler,
            shapes: HashMap::new(),
            jobs,
            done,
        })
    }

    /// Asks whether `callable` can be compiled for `tier` as it is now.
    ///
    /// # Errors
    /// Why not, when that is known without a back end.
    pub fn ask(&mut self, callable: &Callable, tier: Tier) -> Result<Asked, CompileError> {
        self.compiler.admit(callable, tier)?;
        let function = self.compiler.lowered(callable, tier)?.without_notes();
        let next = self.shapes.len();
        let key = (tier, text::shape(&function));
        let shape = *self.shapes.entry(key).or_insert(next);
        if shape == next {
            let job = Job {
                shape,
                tier,
                function,
            };
            let gone = |_| CompileError::Bug("the threads of the survey have ended".to_owned());
            self.jobs.send(job).map_err(gone)?;
        }
        Ok(Asked(shape))
    }

    /// Waits for what is still being compiled.
    pub fn finish(self) -> Answers {
        drop(self.jobs);
        let lost = CompileError::Bug("a thread of the survey ended before its job".to_owned());
        let mut outcomes = vec![Err(lost); self.shapes.len()];
        for (shape, outcome) in self.done {
            outcomes[shape] = outcome;
        }
        Answers(outcomes)
    }
}

impl Answers {
    /// The answer to what was asked of the same survey.
    ///
    /// # Errors
    /// Why the callable cannot be compiled.
    pub fn of(&self, asked: Asked) -> Outcome {
        self.0[asked.0].clone()
    }
}

/// A thread of the survey: compiles until there is nothing left and nobody asks any more.
fn compile(mut bench: Bench, queue: &Mutex<Receiver<Job>>, answer: &Sender<(usize, Outcome)>) {
    loop {
        let next = lock(queue).recv();
        let Ok(job) = next else {
            return;
        };
        let made = bench.assemble(&job.function, job.tier);
        if answer.send((job.shape, made.map(|_code| ()))).is_err() {
            return;
        }
    }
}
