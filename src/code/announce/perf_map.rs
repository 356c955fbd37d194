//! `/tmp/perf-PID.map`: one line per piece of code, address, size and name.
//!
//! CPython from 3.12 on writes such a file too, through a function that others may call; two writers
//! would be no harm, since both append whole lines, but one lock is better than none.

use std::ffi::{CString, c_char, c_int, c_uint, c_void};
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use super::{Announced, Listener};

/// `PyUnstable_WritePerfMapEntry`: address, size and name; 0 when it was written.
pub type WriteEntry = unsafe extern "C" fn(*const c_void, c_uint, *const c_char) -> c_int;

pub(super) struct PerfMap {
    write_entry: Option<WriteEntry>,
    file: Option<File>,
}

impl PerfMap {
    pub fn new(write_entry: Option<WriteEntry>) -> Self {
        PerfMap {
            write_entry,
            file: None,
        }
    }

    fn append(&mut self, line: &str) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                // Where perf looks for it; it takes a file of the same user only.
                let path = format!("/tmp/perf-{}.map", std::process::id());
                let file = File::options()
                    .append(true)
                    .create(true)
                    .mode(0o600)
                    .custom_flags(libc::O_NOFOLLOW)
                    .open(path)?;
                self.file.insert(file)
            }
        };
        file.write_all(line.as_bytes())
    }
}

impl Listener for PerfMap {
    unsafe fn placed(&mut self, code: &Announced) -> Result<(), String> {
        if let Some(write_entry) = self.write_entry {
            let name = CString::new(code.name.as_str()).map_err(|error| error.to_string())?;
            // SAFETY: a function of this type (contract of `Announcer::new`), with a C string.
            let status = unsafe {
                write_entry(
                    code.start as *const c_void,
                    code.size as c_uint,
                    name.as_ptr(),
                )
            };
            return match status {
                0 => Ok(()),
                _ => Err("GIJIT_PERF=map: Python cannot write the perf map".to_owned()),
            };
        }
        self.append(&format!("{:x} {:x} {}\n", code.start, code.size, code.name))
            .map_err(|error| {
                let pid = std::process::id();
                format!("GIJIT_PERF=map: /tmp/perf-{pid}.map: {error}")
            })
    }

    fn forked(&mut self) -> Result<(), String> {
        // The host's function goes on writing into the parent's file.
        self.write_entry = None;
        self.file = None;
        Ok(())
    }
}
