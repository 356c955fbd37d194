//! What every compiling tier must get right: one corpus, run by each tier's own test.
//!
//! A case is thunk IR; its meaning is what the evaluator says. A thunk here takes four 64-bit
//! integers and returns one.

mod cases;
mod evaluate;
mod functions;
mod listing;
mod random;
mod unwind;

use gijit::code::{CodeHandle, CodeLabel, CodeMemory};
use gijit::compile::backend::Backend;
use gijit::ir::verify::verify;
use gijit::ir::{Function, text};

/// Arguments that reach the edges of every width.
const INTERESTING: [u64; 12] = [
    0,
    1,
    7,
    0x7f,
    0x80,
    0xffff,
    0x8000,
    0x7fff_ffff,
    0x8000_0000,
    u64::MAX,
    0x8000_0000_0000_0000,
    0x0123_4567_89ab_cdef,
];

/// Runs everything through `backend`.
pub fn run(backend: &mut dyn Backend) {
    let memory = CodeMemory::new(16 << 20);
    cases::run(backend, &memory);
    random::run(backend, &memory);
    unwind::run(backend, &memory);
    unwind::backtraces(backend, &memory);
    listing::run(backend);
    assert_eq!(memory.live_bytes(), 0, "all code was retired");
}

/// Compiles and places `function`.
fn place(backend: &mut dyn Backend, memory: &CodeMemory, function: &Function) -> CodeHandle {
    if let Err(error) = verify(function) {
        panic!("{error}\n{}", text::print(function, true));
    }
    let code = backend
        .compile(function)
        .unwrap_or_else(|error| panic!("{error}\n{}", text::print(function, true)));
    let label = CodeLabel {
        callable: &function.name,
        tier: 1,
        steps: &[],
    };
    memory.place(&code, &label).unwrap()
}

/// Holds the compiled `function` against the evaluator.
fn check(backend: &mut dyn Backend, memory: &CodeMemory, function: &Function, args: &[[u64; 4]]) {
    let handle = place(backend, memory, function);
    // SAFETY: the corpus's functions have this signature, and the code is placed.
    let run: extern "C" fn(u64, u64, u64, u64) -> u64 =
        unsafe { std::mem::transmute(handle.entry) };
    let models = functions::models();
    for args in args {
        // SAFETY: the corpus's functions touch only their own slots.
        let expected = unsafe { evaluate::evaluate(function, args, &models) };
        let [a, b, c, d] = *args;
        let got = run(a, b, c, d);
        assert!(
            got == expected,
            "{got:#x} instead of {expected:#x} for {args:x?}\n{}",
            text::print(function, true)
        );
    }
    memory.retire(handle);
}
