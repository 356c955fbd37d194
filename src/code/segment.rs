//! A piece of memory that is mapped twice: once for writing, once for executing.
//!
//! It is shared anonymous memory, not a `memfd`: profilers look the code of anonymous mappings up in
//! `/tmp/perf-PID.map`, and that of files in the files.

use std::io;
use std::ptr::NonNull;

use super::memory::CodeError;

/// `PR_GET_MDWE` of Linux 6.3, not in the libc crate for all targets.
const PR_GET_MDWE: libc::c_int = 66;

pub(super) struct Segment {
    pub write: NonNull<u8>,
    pub execute: NonNull<u8>,
    pub used: usize,
    pub sealed: bool,
}

// SAFETY: the views are plain memory that outlives the process's use of it (segments are never
// unmapped once used); all access goes through the mutex of the code memory.
unsafe impl Send for Segment {}

impl Segment {
    pub fn map(size: usize) -> Result<Self, CodeError> {
        let denied = |what: &str| {
            let error = io::Error::last_os_error();
            CodeError::NotAllowed(format!("{what}: {error}"))
        };
        // SAFETY: PR_GET_MDWE takes no memory; older kernels answer -1.
        if unsafe { libc::prctl(PR_GET_MDWE, 0, 0, 0, 0) } > 0 {
            return Err(CodeError::NotAllowed(
                "the process has asked the kernel to refuse it (PR_SET_MDWE)".to_owned(),
            ));
        }
        // SAFETY: a fresh mapping at an address that the kernel chooses touches no existing memory.
        let execute = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                size,
                libc::PROT_READ | libc::PROT_EXEC,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if execute == libc::MAP_FAILED {
            return Err(denied("mmap"));
        }
        // An old size of 0 makes a second mapping of shared memory: mremap(2).
        // SAFETY: `execute` is a shared mapping, which this leaves as it is.
        let write = unsafe { libc::mremap(execute, 0, size, libc::MREMAP_MAYMOVE) };
        if write == libc::MAP_FAILED {
            let error = denied("mremap");
            // SAFETY: mapped above with this size, and nothing points into it.
            unsafe { libc::munmap(execute, size) };
            return Err(error);
        }
        let segment = Segment {
            write: NonNull::new(write.cast()).expect("mremap gives no NULL without MREMAP_FIXED"),
            execute: NonNull::new(execute.cast()).expect("mmap gives no NULL without MAP_FIXED"),
            used: 0,
            sealed: false,
        };
        // SAFETY: the second mapping is this segment's own, of this size.
        if unsafe { libc::mprotect(write, size, libc::PROT_READ | libc::PROT_WRITE) } != 0 {
            let error = denied("mprotect");
            segment.unmap(size);
            return Err(error);
        }
        Ok(segment)
    }

    /// Gives back a segment in which nothing was placed.
    pub fn unmap(self, size: usize) {
        // SAFETY: both views were mapped with this size and nothing points into them.
        unsafe {
            libc::munmap(self.write.as_ptr().cast(), size);
            libc::munmap(self.execute.as_ptr().cast(), size);
        }
    }
}
