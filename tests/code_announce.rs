//! What profilers and debuggers are told of placed code.
#![cfg(target_arch = "x86_64")]

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use gijit::code::announce::{Announcer, DebuggerInterface, Descriptor, Interfaces};
use gijit::code::{CodeLabel, CodeMemory};
use gijit::compile::backend::MachineCode;
use gijit::config::PerfSet;

static WRITTEN: Mutex<Vec<(usize, u32, String)>> = Mutex::new(Vec::new());
static REPORTS: AtomicU32 = AtomicU32::new(0);
static mut DESCRIPTOR: Descriptor = Descriptor::EMPTY;

unsafe extern "C" fn write_entry(
    address: *const c_void,
    size: c_uint,
    name: *const c_char,
) -> c_int {
    // SAFETY: the announcer gives a C string.
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
    let entry = (address as usize, size, name.into_owned());
    WRITTEN.lock().unwrap().push(entry);
    0
}

extern "C" fn register_code() {
    REPORTS.fetch_add(1, Ordering::Relaxed);
}

fn memory(wanted: PerfSet) -> CodeMemory {
    let interfaces = Interfaces {
        write_entry: Some(write_entry),
        debugger: DebuggerInterface {
            descriptor: &raw mut DESCRIPTOR,
            register_code,
        },
    };
    CodeMemory::announced(1 << 20, Announcer::new(wanted, interfaces))
}

fn code() -> MachineCode {
    MachineCode {
        bytes: vec![0xc3; 10],
        align: 16,
        ..MachineCode::default()
    }
}

const LABEL: CodeLabel<'static> = CodeLabel {
    callable: "Gtk.Label.set_text",
    tier: 2,
    steps: &[],
};

#[test]
fn the_host_writes_the_map_and_no_place_is_used_twice() {
    let memory = memory(PerfSet {
        map: true,
        ..PerfSet::default()
    });
    let first = memory.place(&code(), &LABEL).unwrap();
    let place = first.entry;
    memory.retire(first);
    let second = memory.place(&code(), &LABEL).unwrap();
    assert_ne!(second.entry, place);
    let name = "gijit:Gtk.Label.set_text [tier 2]".to_owned();
    let expected = [(place, 10, name.clone()), (second.entry, 10, name)];
    assert_eq!(*WRITTEN.lock().unwrap(), expected);
    assert!(!memory.wants_steps());
}

#[test]
fn a_debugger_is_told_of_code_that_comes_and_goes() {
    let memory = memory(PerfSet {
        gdb: true,
        ..PerfSet::default()
    });
    assert!(memory.wants_steps());
    let first = memory.place(&code(), &LABEL).unwrap();
    let second = memory.place(&code(), &LABEL).unwrap();
    assert_eq!(REPORTS.load(Ordering::Relaxed), 2);
    let place = first.entry;
    memory.retire(first);
    let third = memory.place(&code(), &LABEL).unwrap();
    assert_eq!(third.entry, place, "the place is used again");
    memory.retire(second);
    memory.retire(third);
    assert_eq!(REPORTS.load(Ordering::Relaxed), 6);
}

#[test]
fn nobody_asks() {
    assert!(
        Announcer::new(
            PerfSet::default(),
            Interfaces {
                write_entry: None,
                debugger: DebuggerInterface {
                    descriptor: &raw mut DESCRIPTOR,
                    register_code,
                },
            }
        )
        .is_none()
    );
}
