//! What waits to be compiled, hottest first.
//!
//! Tier 1 comes before tier 2, however hot: it takes a twentieth of the time and gains more per
//! call. Within a tier the callable with more calls comes first. The queue is bounded: a callable
//! that finds it full is refused and asks again after a while (`dispatch::policy`).
//!
//! Absent: locks and threads (`worker`).

use std::sync::Arc;

use crate::dispatch::{Callable, Tier};

/// Jobs that may wait. Unmeasured: it bounds the search of a push and what `shutdown` drops.
pub const CAPACITY: usize = 1024;

/// One compilation to do.
pub struct Job {
    pub callable: Arc<Callable>,
    pub tier: Tier,
    /// Calls when it was last asked for.
    pub heat: u64,
}

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pushed {
    Queued,
    /// The callable was waiting already; its heat, and its tier if higher, are the new ones.
    Coalesced,
    Full,
}

/// The waiting jobs.
#[derive(Default)]
pub struct JobQueue {
    /// In the order of the first request. Searched from end to end: at most [`CAPACITY`] entries,
    /// and pushed to only when a callable is promoted.
    jobs: Vec<Job>,
}

impl JobQueue {
    /// Adds `job`, or brings the waiting one of the same callable up to date.
    pub fn push(&mut self, job: Job) -> Pushed {
        if let Some(waiting) = self
            .jobs
            .iter_mut()
            .find(|waiting| Arc::ptr_eq(&waiting.callable, &job.callable))
        {
            waiting.heat = job.heat;
            waiting.tier = waiting.tier.max(job.tier);
            return Pushed::Coalesced;
        }
        if self.jobs.len() == CAPACITY {
            return Pushed::Full;
        }
        self.jobs.push(job);
        Pushed::Queued
    }

    /// Takes the job that is to be done first.
    pub fn pop(&mut self) -> Option<Job> {
        let order = |job: &Job| (job.tier, std::cmp::Reverse(job.heat));
        let (first, _) = self
            .jobs
            .iter()
            .enumerate()
            .min_by_key(|(_, job)| order(job))?;
        Some(self.jobs.remove(first))
    }

    pub fn clear(&mut self) {
        self.jobs.clear();
    }

    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }
}
