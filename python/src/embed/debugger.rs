//! The two names that gdb and lldb look for in a library that makes code (`gijit::code::announce`).

use gijit::code::announce::{DebuggerInterface, Descriptor, Interfaces, WriteEntry};

/// Where a debugger begins to read.
// The name is the debuggers'.
#[unsafe(no_mangle)]
pub static mut __jit_debug_descriptor: Descriptor = Descriptor::EMPTY;

/// Where a debugger stops.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn __jit_debug_register_code() {
    // An empty function could be merged with others.
    std::hint::black_box(());
}

/// What this process has for profilers and debuggers.
pub fn interfaces() -> Interfaces {
    Interfaces {
        write_entry: write_perf_map_entry(),
        debugger: DebuggerInterface {
            descriptor: &raw mut __jit_debug_descriptor,
            register_code: __jit_debug_register_code,
        },
    }
}

/// CPython's own writer of perf maps, from 3.12 on.
fn write_perf_map_entry() -> Option<WriteEntry> {
    // SAFETY: a name with its zero; the function has had this type since it was added.
    unsafe {
        let found = libc::dlsym(libc::RTLD_DEFAULT, c"PyUnstable_WritePerfMapEntry".as_ptr());
        std::mem::transmute::<*mut libc::c_void, Option<WriteEntry>>(found)
    }
}
