//! Unwinding passes through a thunk, which is what backtraces and profilers need.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use gijit::code::CodeMemory;
use gijit::compile::backend::Backend;
use gijit::ir::text;

use super::place;

extern "C-unwind" fn leave(a: u64) -> u64 {
    // Not `panic!`: the hook would print.
    resume_unwind(Box::new(a));
}

unsafe extern "C" {
    /// Of glibc's `execinfo.h`.
    fn backtrace(buffer: *mut usize, size: i32) -> i32;
}

/// Fills what `place` points to with return addresses; gives their number.
extern "C" fn look(place: *mut [usize; 32]) -> u64 {
    // SAFETY: `backtraces` passes a place for that many.
    unsafe { backtrace(place.cast(), 32) as u64 }
}

/// glibc's own backtraces pass through a thunk to its callers.
pub fn backtraces(backend: &mut dyn Backend, memory: &CodeMemory) {
    let source = format!(
        r#"thunk "backtrace" (i64, i64, i64, i64) -> i64
  symbol @0 "look" = {:#x}
  signature $0 (i64) -> i64
  slot s0 40
block0(v0: i64, v1: i64, v2: i64, v3: i64):
  v4: ptr = addr s0
  store v1, v4+0
  v5: i64 = call @0 $0 (v0)
  v6: i64 = load v4+0
  v7: i64 = add v5, v6
  return v7
"#,
        look as *const () as usize
    );
    let handle = place(backend, memory, &text::parse(&source).unwrap());
    // SAFETY: the thunk has this signature, and the code is placed.
    let run: extern "C" fn(*mut [usize; 32], u64, u64, u64) -> u64 =
        unsafe { std::mem::transmute(handle.entry) };
    let mut direct = [0; 32];
    let below = look(&mut direct);
    let mut frames = [0; 32];
    let count = run(&mut frames, 0, 0, 0);
    let inside = |address: &usize| (handle.entry..handle.entry + handle.size).contains(address);
    assert!(frames.iter().any(inside), "{frames:x?}");
    assert_eq!(count, below + 1, "{frames:x?} {direct:x?}");
    memory.retire(handle);
}

pub fn run(backend: &mut dyn Backend, memory: &CodeMemory) {
    // A frame with a slot, saved registers and arguments on the stack.
    let source = format!(
        r#"thunk "unwind" (i64, i64, i64, i64) -> i64
  symbol @0 "leave" = {:#x}
  signature $0 (i64, i64, i64, i64, i64, i64, i64, i64) -> i64
  slot s0 40
block0(v0: i64, v1: i64, v2: i64, v3: i64):
  v4: ptr = addr s0
  store v0, v4+0
  v5: i64 = bitcast v4
  v6: i64 = call @0 $0 (v0, v1, v2, v3, v5, v1, v2, v3)
  v7: i64 = load v4+0
  v8: i64 = add v6, v7
  v9: i64 = add v8, v1
  v10: i64 = add v9, v2
  return v10
"#,
        leave as *const () as usize
    );
    let function = text::parse(&source).unwrap();
    for _ in 0..2 {
        let handle = place(backend, memory, &function);
        // SAFETY: the thunk has this signature, and the code is placed.
        let run: extern "C-unwind" fn(u64, u64, u64, u64) -> u64 =
            unsafe { std::mem::transmute(handle.entry) };
        let thrown = catch_unwind(AssertUnwindSafe(|| run(42, 1, 2, 3))).unwrap_err();
        assert_eq!(*thrown.downcast::<u64>().unwrap(), 42);
        // The second round runs where the first was.
        memory.retire(handle);
    }
}
