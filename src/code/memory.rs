//! Maps executable memory, places machine code in it and takes it back.
//!
//! Write xor execute: each segment is memory mapped twice, once for writing and once for executing,
//! so no page is ever both and code that runs is never unmapped to add to it.
//!
//! Invariants:
//! * A byte range belongs to at most one live [`CodeHandle`].
//! * The views are shared, so a child process sees the parent's segments. Before a fork
//!   [`CodeMemory::seal`] closes them: neither side places code in them again.
//! * A process that has asked the kernel for no new executable memory (`PR_SET_MDWE`) is obeyed.
//!
//! Absent: knowing whether a thread still executes retired code. Who retires knows that
//! (`dispatch/`).

use std::fmt;
use std::ptr::NonNull;
use std::sync::Mutex;

use super::announce::{Announced, Announcer, CodeLabel};
use super::segment::Segment;
use crate::compile::backend::MachineCode;
use crate::trace;

/// Size of one segment in bytes; larger than any thunk.
const SEGMENT: usize = 256 * 1024;
/// Code starts on cache lines.
const ALIGN: usize = 64;

unsafe extern "C" {
    /// Of libgcc's unwinder: takes a zero-terminated `.eh_frame` section.
    fn __register_frame(begin: *const u8);
    fn __deregister_frame(begin: *const u8);
}

/// Why code could not be placed.
#[derive(Debug)]
pub enum CodeError {
    /// The process may not have executable memory.
    NotAllowed(String),
    /// `GIJIT_CODE_LIMIT` is used up.
    Limit { limit: usize },
    /// One thunk is larger than a segment.
    TooLarge { size: usize },
}

impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CodeError::NotAllowed(why) => write!(f, "no executable memory: {why}"),
            CodeError::Limit { limit } => {
                write!(
                    f,
                    "the limit of {limit} bytes of machine code (GIJIT_CODE_LIMIT) is reached"
                )
            }
            CodeError::TooLarge { size } => write!(f, "a thunk of {size} bytes is too large"),
        }
    }
}

impl std::error::Error for CodeError {}

/// A piece of placed code.
#[derive(Debug)]
pub struct CodeHandle {
    /// Where it is entered.
    pub entry: usize,
    /// Bytes occupied, unwind information included.
    pub size: usize,
    segment: usize,
    offset: usize,
    /// Address of the registered `.eh_frame`, 0 when there is none.
    frame: usize,
}

/// All executable memory of the process.
pub struct CodeMemory {
    limit: usize,
    /// Who tells profilers and debuggers, where that is wanted.
    announcer: Option<Announcer>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    segments: Vec<Segment>,
    /// Retired ranges of segments that are not sealed: segment, offset, size.
    free: Vec<(usize, usize, usize)>,
    live_bytes: usize,
    /// Something did not fit into the limit, and nothing was retired since.
    full: bool,
    /// The user has been told that the limit is reached.
    told: bool,
}

impl CodeMemory {
    /// Memory of at most `limit` bytes. Maps nothing yet.
    pub fn new(limit: usize) -> Self {
        CodeMemory::announced(limit, None)
    }

    /// As [`CodeMemory::new`]; what is placed is announced.
    pub fn announced(limit: usize, announcer: Option<Announcer>) -> Self {
        CodeMemory {
            limit,
            announcer,
            state: Mutex::new(State::default()),
        }
    }

    /// Whether this process may have executable memory.
    ///
    /// # Errors
    /// [`CodeError::NotAllowed`] with the reason.
    pub fn probe() -> Result<(), CodeError> {
        let segment = Segment::map(ALIGN)?;
        segment.unmap(ALIGN);
        Ok(())
    }

    /// Copies `code` into executable memory and registers its unwind information. `label` says what
    /// it is to who asks.
    ///
    /// # Errors
    /// See [`CodeError`]; nothing is placed then.
    pub fn place(
        &self,
        code: &MachineCode,
        label: &CodeLabel<'_>,
    ) -> Result<CodeHandle, CodeError> {
        let frame_at = code.bytes.len().next_multiple_of(8);
        // A section ends with a zero length.
        let frame_size = code
            .unwind
            .as_ref()
            .map_or(0, |unwind| unwind.eh_frame.len() + 4);
        let room = self.announcer.as_ref().map_or(0, Announcer::room);
        let size = (frame_at + frame_size + room).next_multiple_of(ALIGN);
        debug_assert!(code.align <= ALIGN, "a back end keeps to the limit");
        if size > SEGMENT {
            return Err(CodeError::TooLarge { size });
        }
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let error = CodeError::Limit { limit: self.limit };
        if state.live_bytes + size > self.limit {
            state.full = true;
            if !std::mem::replace(&mut state.told, true) {
                trace::warn(&format!("{error}; what has no code yet goes on as it is"));
            }
            return Err(error);
        }
        let (index, offset) = state.allocate(size)?;
        let segment = &state.segments[index];
        // SAFETY: `allocate` gave a range of `size` bytes inside the segment that no live handle
        // has; both views cover the whole segment.
        let (write, execute) = unsafe { (segment.write.add(offset), segment.execute.add(offset)) };
        // SAFETY: as above; the source is a slice of that length and does not overlap the segment.
        unsafe {
            write
                .as_ptr()
                .copy_from_nonoverlapping(code.bytes.as_ptr(), code.bytes.len());
        }
        let entry = execute.as_ptr() as usize + code.entry;
        let mut frame = 0;
        if let Some(unwind) = &code.unwind {
            frame = execute.as_ptr() as usize + frame_at;
            let mut section = unwind.eh_frame.clone();
            section.extend_from_slice(&[0; 4]);
            let pc_begin = unwind.pc_begin;
            let distance = (entry as u32).wrapping_sub((frame + pc_begin) as u32);
            section[pc_begin..pc_begin + 4].copy_from_slice(&distance.to_le_bytes());
            // SAFETY: `frame_at + section.len()` is at most `size`.
            unsafe {
                write
                    .add(frame_at)
                    .copy_from_nonoverlapping(NonNull::from(&section[0]), section.len());
                __register_frame(frame as *const u8);
            }
        }
        clear_instruction_cache(execute, size);
        state.live_bytes += size;
        if let Some(announcer) = &self.announcer {
            announcer.placed(Announced {
                name: label.to_string(),
                start: execute.as_ptr() as usize,
                size: code.bytes.len(),
                entry: code.entry,
                eh_frame: frame_size,
                lines: code.steps.clone(),
                steps: label.steps.to_vec(),
            });
        }
        Ok(CodeHandle {
            entry,
            size,
            segment: index,
            offset,
            frame,
        })
    }

    /// Whether there is any room: none once something did not fit, until code is retired. So a full
    /// memory costs no compilations.
    ///
    /// # Errors
    /// [`CodeError::Limit`].
    pub fn has_room(&self) -> Result<(), CodeError> {
        let state = self
            .state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        match state.full {
            true => Err(CodeError::Limit { limit: self.limit }),
            false => Ok(()),
        }
    }

    /// Takes code back. The caller knows that no thread executes it or will enter it.
    pub fn retire(&self, handle: CodeHandle) {
        if handle.frame != 0 {
            // SAFETY: `place` registered this section, and a handle is retired once (by value).
            unsafe { __deregister_frame(handle.frame as *const u8) };
        }
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        state.live_bytes -= handle.size;
        state.full = false;
        if let Some(announcer) = &self.announcer {
            announcer
                .retired(state.segments[handle.segment].execute.as_ptr() as usize + handle.offset);
        }
        let reused = self.announcer.as_ref().is_none_or(Announcer::forgets);
        if reused && !state.segments[handle.segment].sealed {
            state
                .free
                .push((handle.segment, handle.offset, handle.size));
        }
    }

    /// Closes all segments: called before a fork, since both processes share their pages.
    pub fn seal(&self) {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        state.free.clear();
        for segment in &mut state.segments {
            segment.sealed = true;
        }
    }

    /// Whether it is of use to know which step each instruction is of.
    pub fn wants_steps(&self) -> bool {
        self.announcer.as_ref().is_some_and(Announcer::wants_steps)
    }

    /// In the child, after a fork: the child's code is announced as the child's.
    pub fn after_fork_child(&self) {
        if let Some(announcer) = &self.announcer {
            announcer.forked();
        }
    }

    /// Bytes of live code.
    pub fn live_bytes(&self) -> usize {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .live_bytes
    }
}

impl State {
    /// A range of `size` bytes: a retired one of that size, the rest of the last segment, or a new
    /// segment.
    fn allocate(&mut self, size: usize) -> Result<(usize, usize), CodeError> {
        if let Some(at) = self.free.iter().position(|&(_, _, free)| free == size) {
            let (segment, offset, _) = self.free.swap_remove(at);
            return Ok((segment, offset));
        }
        let fits = |segment: &Segment| !segment.sealed && segment.used + size <= SEGMENT;
        if !self.segments.last().is_some_and(fits) {
            self.segments.push(Segment::map(SEGMENT)?);
        }
        let index = self.segments.len() - 1;
        let segment = &mut self.segments[index];
        let offset = segment.used;
        segment.used += size;
        Ok((index, offset))
    }
}

/// Makes instructions that were written through the other view visible to this one.
fn clear_instruction_cache(execute: NonNull<u8>, size: usize) {
    // On x86-64 the caches are coherent.
    #[cfg(target_arch = "aarch64")]
    {
        unsafe extern "C" {
            /// Of libgcc.
            fn __clear_cache(begin: *const u8, end: *const u8);
        }
        let begin = execute.as_ptr().cast_const();
        // SAFETY: the range is mapped; the call reads nothing.
        unsafe { __clear_cache(begin, begin.wrapping_add(size)) };
    }
    let _ = (execute, size);
}
