//! When and where an event happened.

/// A moment in a thread of a process.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Stamp {
    /// Microseconds on the system's monotonic clock, which all processes share.
    pub micros: f64,
    pub pid: u32,
    pub tid: u32,
}

impl Stamp {
    /// Here and now.
    pub fn now() -> Stamp {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: `time` is ours to be written; CLOCK_MONOTONIC exists on every Linux; gettid takes
        // nothing.
        let tid = unsafe {
            libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time);
            libc::gettid()
        };
        Stamp {
            micros: time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3,
            pid: std::process::id(),
            tid: tid as u32,
        }
    }
}
