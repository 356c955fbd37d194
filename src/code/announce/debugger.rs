//! The JIT interface of gdb, which lldb knows too: a list of object files in memory.
//!
//! The debugger sets a breakpoint at `__jit_debug_register_code` and reads `__jit_debug_descriptor`
//! whenever that is reached, or when it attaches (gdb's manual, "JIT Compilation Interface"). The host
//! defines these two ([`DebuggerInterface`]): the core is in the LLVM tier's library too, where LLVM
//! has them.

use std::collections::BTreeMap;
use std::ptr;
use std::sync::Mutex;

use super::folder::Folder;
use super::object_file::object_file;
use super::{Announced, Listener};
use crate::sync::lock_std as lock;

/// `jit_code_entry`.
#[repr(C)]
struct Entry {
    next: *mut Entry,
    previous: *mut Entry,
    file: *const u8,
    file_size: u64,
}

/// `jit_descriptor`. Written under [`LIST`]; read by the debugger only.
#[repr(C)]
pub struct Descriptor {
    version: u32,
    /// 0 nothing, 1 an entry was added, 2 an entry is about to go.
    action: u32,
    relevant: *mut Entry,
    first: *mut Entry,
}

impl Descriptor {
    /// An empty list.
    pub const EMPTY: Descriptor = Descriptor {
        version: 1,
        action: 0,
        relevant: ptr::null_mut(),
        first: ptr::null_mut(),
    };
}

/// What the host defines under the names that debuggers look for.
#[derive(Clone, Copy)]
pub struct DebuggerInterface {
    /// `__jit_debug_descriptor`, used by nothing else.
    pub descriptor: *mut Descriptor,
    /// `__jit_debug_register_code`.
    pub register_code: extern "C" fn(),
}

// SAFETY: the descriptor is a static of the host's library, used under `LIST`.
unsafe impl Send for DebuggerInterface {}

/// Held while a list changes.
static LIST: Mutex<()> = Mutex::new(());

/// An entry with its file.
struct Registered {
    entry: *mut Entry,
    file: *mut [u8],
}

// SAFETY: both were boxed, and are used by whoever holds `LIST`.
unsafe impl Send for Registered {}

pub(super) struct Debugger {
    interface: DebuggerInterface,
    /// Where the steps are written to; `None` when that cannot be, which costs the lines only.
    folder: Option<Folder>,
    registered: BTreeMap<usize, Registered>,
}

impl Debugger {
    pub fn new(interface: DebuggerInterface) -> Self {
        Debugger {
            interface,
            folder: Folder::create().ok(),
            registered: BTreeMap::new(),
        }
    }
}

impl Listener for Debugger {
    unsafe fn placed(&mut self, code: &Announced) -> Result<(), String> {
        let steps = self.folder.as_mut().map(|folder| folder.steps(code));
        let source = steps.and_then(|written| written.ok().flatten());
        // SAFETY: the caller's.
        let (bytes, frame) = unsafe { (code.code(), code.frame_section()) };
        let file = object_file(code, bytes, frame, source.as_deref())
            .map_err(|error| format!("GIJIT_PERF=gdb: {error}"))?;
        let file = Box::into_raw(file.into_boxed_slice());
        let _list = lock(&LIST);
        // SAFETY: the list's entries are boxes that `retired` alone frees, after it has taken them
        // out; the lock is held.
        let entry = unsafe {
            let first = (*self.interface.descriptor).first;
            let entry = Box::into_raw(Box::new(Entry {
                next: first,
                previous: ptr::null_mut(),
                file: file.cast(),
                file_size: file.len() as u64,
            }));
            if !first.is_null() {
                (*first).previous = entry;
            }
            (*self.interface.descriptor).first = entry;
            report(self.interface, 1, entry);
            entry
        };
        let registered = Registered { entry, file };
        self.registered.insert(code.start, registered);
        Ok(())
    }

    fn retired(&mut self, start: usize) {
        let Some(Registered { entry, file }) = self.registered.remove(&start) else {
            return;
        };
        let _list = lock(&LIST);
        // SAFETY: as in `placed`; the entry is in the list, and nobody frees it but this.
        unsafe {
            let Entry { next, previous, .. } = *entry;
            match previous.is_null() {
                true => (*self.interface.descriptor).first = next,
                false => (*previous).next = next,
            }
            if !next.is_null() {
                (*next).previous = previous;
            }
            report(self.interface, 2, entry);
            drop(Box::from_raw(entry));
            drop(Box::from_raw(file));
        }
    }

    fn forked(&mut self) -> Result<(), String> {
        // The list is in the child's memory already; it is made anew with the rest.
        let starts: Vec<usize> = self.registered.keys().copied().collect();
        for start in starts {
            self.retired(start);
        }
        self.folder = Folder::create().ok();
        Ok(())
    }
}

/// # Safety
/// `LIST` is held, and `entry` is valid.
unsafe fn report(interface: DebuggerInterface, action: u32, entry: *mut Entry) {
    // SAFETY: the caller's; `DebuggerInterface` says whose the descriptor is.
    unsafe {
        (*interface.descriptor).action = action;
        (*interface.descriptor).relevant = entry;
    }
    (interface.register_code)();
    // SAFETY: as above.
    unsafe {
        (*interface.descriptor).action = 0;
        (*interface.descriptor).relevant = ptr::null_mut();
    }
}
