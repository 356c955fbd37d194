//! A piece of memory that is mapped twice: once for writing, once for executing.
//!
//! It is shared anonymous memory: profilers look the code of anonymous mappings up in
//! `/tmp/perf-PID.map`, and that of files in the files. Where such memory cannot be mapped a second
//! time, as under valgrind, it is a `memfd`.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::NonNull;

use super::memory::CodeError;

const EXECUTE: libc::c_int = libc::PROT_READ | libc::PROT_EXEC;
const WRITE: libc::c_int = libc::PROT_READ | libc::PROT_WRITE;

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
        // SAFETY: PR_GET_MDWE takes no memory; older kernels answer -1.
        if unsafe { libc::prctl(PR_GET_MDWE, 0, 0, 0, 0) } > 0 {
            return Err(CodeError::NotAllowed(
                "the process has asked the kernel to refuse it (PR_SET_MDWE)".to_owned(),
            ));
        }
        let anonymous = mapped(size, EXECUTE, libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1)?;
        // An old size of 0 makes a second mapping of shared memory: mremap(2).
        // SAFETY: the mapping is shared and of this size; the call leaves it as it is.
        let second =
            unsafe { libc::mremap(anonymous.as_ptr().cast(), 0, size, libc::MREMAP_MAYMOVE) };
        if second == libc::MAP_FAILED {
            let invalid = io::Error::last_os_error().raw_os_error() == Some(libc::EINVAL);
            let refused = denied("mremap");
            // SAFETY: mapped above with this size, and nothing points into it.
            unsafe { libc::munmap(anonymous.as_ptr().cast(), size) };
            return if invalid {
                Self::map_file(size)
            } else {
                Err(refused)
            };
        }
        let segment = Self::new(anonymous, not_null(second));
        // SAFETY: the second mapping is this segment's own, of this size.
        if unsafe { libc::mprotect(second, size, WRITE) } != 0 {
            let error = denied("mprotect");
            segment.unmap(size);
            return Err(error);
        }
        Ok(segment)
    }

    fn map_file(size: usize) -> Result<Self, CodeError> {
        // SAFETY: the name is a C string; the descriptor that is made is owned here.
        let file = match unsafe { libc::memfd_create(c"gijit".as_ptr(), libc::MFD_CLOEXEC) } {
            -1 => return Err(denied("memfd_create")),
            // SAFETY: as above.
            number => unsafe { OwnedFd::from_raw_fd(number) },
        };
        let file = File::from(file);
        file.set_len(size as u64).map_err(|_| denied("ftruncate"))?;
        let execute = mapped(size, EXECUTE, libc::MAP_SHARED, file.as_raw_fd())?;
        match mapped(size, WRITE, libc::MAP_SHARED, file.as_raw_fd()) {
            Ok(write) => Ok(Self::new(execute, write)),
            Err(error) => {
                // SAFETY: mapped above with this size, and nothing points into it.
                unsafe { libc::munmap(execute.as_ptr().cast(), size) };
                Err(error)
            }
        }
    }

    fn new(execute: NonNull<u8>, write: NonNull<u8>) -> Self {
        Segment {
            write,
            execute,
            used: 0,
            sealed: false,
        }
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

/// What the system call has refused, which has just failed.
fn denied(call: &str) -> CodeError {
    CodeError::NotAllowed(format!("{call}: {}", io::Error::last_os_error()))
}

fn not_null(address: *mut libc::c_void) -> NonNull<u8> {
    NonNull::new(address.cast()).expect("without MAP_FIXED the kernel gives no NULL")
}

fn mapped(
    size: usize,
    protection: libc::c_int,
    flags: libc::c_int,
    file: RawFd,
) -> Result<NonNull<u8>, CodeError> {
    // SAFETY: a fresh mapping at an address that the kernel chooses touches no existing memory.
    let address = unsafe { libc::mmap(std::ptr::null_mut(), size, protection, flags, file, 0) };
    if address == libc::MAP_FAILED {
        return Err(denied("mmap"));
    }
    Ok(not_null(address))
}
