//! perf's jitdump, version 1: what `perf inject --jit` makes object files of.
//!
//! The format is perf's `jitdump-specification.txt`. perf finds the file because the process maps its
//! first page as executable; it puts the records in order by their times, which are of
//! `CLOCK_MONOTONIC` (`perf record -k mono`). So a place may be used again: the later record counts
//! from its time on.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;

use super::folder::Folder;
use super::{Announced, Listener};

const MAGIC: u32 = 0x4a69_5444;
const VERSION: u32 = 1;
const HEADER: u32 = 40;
const CODE_LOAD: u32 = 0;
const DEBUG_INFO: u32 = 2;
const UNWINDING_INFO: u32 = 4;
const PAGE: usize = 4096;

#[cfg(target_arch = "x86_64")]
const MACHINE: u32 = 62;
#[cfg(target_arch = "aarch64")]
const MACHINE: u32 = 183;

pub(super) struct JitDump {
    folder: Folder,
    file: File,
    /// Pieces of code so far.
    index: u64,
}

impl JitDump {
    /// Begins the dump of this process.
    ///
    /// # Errors
    /// One line.
    pub fn create() -> Result<Self, String> {
        let failed = |error: io::Error| {
            let parent = Folder::parent();
            let parent = parent.display();
            format!("GIJIT_PERF=jitdump: cannot write in {parent} (JITDUMPDIR): {error}")
        };
        let folder = Folder::create().map_err(failed)?;
        let file = begin(&folder).map_err(failed)?;
        Ok(JitDump {
            folder,
            file,
            index: 0,
        })
    }

    fn write(&mut self, code: &Announced, bytes: &[u8], frame: &[u8]) -> io::Result<()> {
        let mut records = Vec::new();
        if let Some(source) = self.folder.steps(code)? {
            let mut body = Record::new();
            body.word64(code.start as u64);
            body.word64(code.lines.len() as u64);
            for line in &code.lines {
                body.word64(code.start as u64 + u64::from(line.offset));
                body.word32(line.step);
                body.word32(0);
                body.text(source.as_os_str().as_encoded_bytes());
            }
            records.extend(body.finish(DEBUG_INFO));
        }
        if !frame.is_empty() {
            let header = frame_header(code, frame);
            let size = (frame.len() + header.len()) as u64;
            let mut body = Record::new();
            body.word64(size);
            body.word64(header.len() as u64);
            // All of it lies behind the code, as far as perf is concerned: it reads the addresses in
            // the object file that it makes.
            body.word64(size);
            body.0.extend(frame);
            body.0.extend(header);
            body.pad();
            records.extend(body.finish(UNWINDING_INFO));
        }
        let mut body = Record::new();
        body.word32(std::process::id());
        // SAFETY: asks for a number.
        body.word32(unsafe { libc::gettid() } as u32);
        body.word64(code.start as u64);
        body.word64(code.start as u64);
        body.word64(bytes.len() as u64);
        body.word64(self.index);
        body.text(code.name.as_bytes());
        body.0.extend(bytes);
        records.extend(body.finish(CODE_LOAD));
        self.index += 1;
        self.file.write_all(&records)
    }
}

impl Listener for JitDump {
    unsafe fn placed(&mut self, code: &Announced) -> Result<(), String> {
        // SAFETY: the caller's.
        let (bytes, frame) = unsafe { (code.code(), code.frame_section()) };
        self.write(code, bytes, frame)
            .map_err(|error| format!("GIJIT_PERF=jitdump: {error}"))
    }

    fn forked(&mut self) -> Result<(), String> {
        *self = JitDump::create()?;
        Ok(())
    }
}

/// The file with its header, mapped.
fn begin(folder: &Folder) -> io::Result<File> {
    let pid = std::process::id();
    let mut file = folder.file(&format!("jit-{pid}.dump"))?;
    let mut header = Record(Vec::new());
    for word in [MAGIC, VERSION, HEADER, MACHINE, 0, pid] {
        header.word32(word);
    }
    header.word64(now());
    header.word64(0);
    file.write_all(&header.0)?;
    // SAFETY: a fresh private mapping of an open file. It is never used, and stays: perf may begin
    // to record at any time, and then asks for the mappings that there are.
    let marker = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            PAGE,
            libc::PROT_READ | libc::PROT_EXEC,
            libc::MAP_PRIVATE,
            file.as_raw_fd(),
            0,
        )
    };
    match marker {
        libc::MAP_FAILED => Err(io::Error::last_os_error()),
        _ => Ok(file),
    }
}

fn now() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: writes into `time`; this clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The size of [`frame_header`] in bytes.
pub(super) const FRAME_HEADER: usize = 20;

/// An `.eh_frame_hdr` section for the one function of `frame`, behind which it lies.
fn frame_header(code: &Announced, frame: &[u8]) -> Vec<u8> {
    /// Relative to its own place; relative to the section; a plain number. 4 bytes all.
    const RELATIVE: u8 = 0x1b;
    const FROM_SECTION: u8 = 0x3b;
    const COUNT: u8 = 0x03;
    let at = code.frame() + frame.len();
    let cie = u32::from_le_bytes(*frame.first_chunk().expect("a section begins with a length"));
    let distances = [
        // From the field, which stands 4 bytes into the header, to the section.
        -(frame.len() as i32) - 4,
        1,
        (code.start + code.entry).wrapping_sub(at) as i32,
        4 + cie as i32 - frame.len() as i32,
    ];
    let mut header = vec![1, RELATIVE, COUNT, FROM_SECTION];
    header.extend(distances.iter().flat_map(|word| word.to_le_bytes()));
    header
}

/// A record in the making: its body.
struct Record(Vec<u8>);

impl Record {
    /// Leaves room for what every record begins with.
    fn new() -> Self {
        Record(vec![0; 16])
    }

    fn word32(&mut self, word: u32) {
        self.0.extend(word.to_ne_bytes());
    }

    fn word64(&mut self, word: u64) {
        self.0.extend(word.to_ne_bytes());
    }

    /// With a zero behind it.
    fn text(&mut self, text: &[u8]) {
        self.0.extend(text);
        self.0.push(0);
    }

    fn pad(&mut self) {
        self.0.resize(self.0.len().next_multiple_of(8), 0);
    }

    fn finish(mut self, id: u32) -> Vec<u8> {
        let size = self.0.len() as u32;
        self.0[0..4].copy_from_slice(&id.to_ne_bytes());
        self.0[4..8].copy_from_slice(&size.to_ne_bytes());
        self.0[8..16].copy_from_slice(&now().to_ne_bytes());
        self.0
    }
}
