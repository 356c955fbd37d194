//! What the proof makes of functions that block, call back, lock, loop, or do none of that.
//!
//! The functions are written as instructions, so that each has exactly the feature that it is named
//! after; the compiler would be free to take it out.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use gijit::config::Config;
use gijit::gil::audit::{AUDITED, GET_TYPES};
use gijit::gil::{Proof, decide, prove};

std::arch::global_asm!(
    ".macro function name",
    ".globl \\name",
    ".type \\name, @function",
    "\\name:",
    ".cfi_startproc",
    ".endm",
    ".macro finish name",
    ".cfi_endproc",
    ".size \\name, . - \\name",
    ".endm",
    "function gil_getter",
    "mov eax, [rdi + 16]",
    "ret",
    "finish gil_getter",
    "function gil_branches",
    "test rdi, rdi",
    "je 2f",
    "call gil_getter",
    "ret",
    "2: xor eax, eax",
    "ret",
    "finish gil_branches",
    "function gil_calls_back",
    "call rsi",
    "ret",
    "finish gil_calls_back",
    "function gil_jumps_back",
    "jmp [rdi]",
    "finish gil_jumps_back",
    "function gil_loops",
    "2: dec rdi",
    "jne 2b",
    "ret",
    "finish gil_loops",
    "function gil_recurses",
    "test rdi, rdi",
    "je 2f",
    "call gil_recurses",
    "2: ret",
    "finish gil_recurses",
    "function gil_system_call",
    "syscall",
    "ret",
    "finish gil_system_call",
    "function gil_copies",
    "rep movsb",
    "ret",
    "finish gil_copies",
    "function gil_locks",
    "jmp pthread_mutex_lock@PLT",
    "finish gil_locks",
    "function gil_sleeps",
    "push rax",
    "call sleep@PLT",
    "pop rdx",
    "ret",
    "finish gil_sleeps",
    "function gil_measures",
    "push rax",
    "call strlen@PLT",
    "pop rdx",
    "ret",
    "finish gil_measures",
    "function gil_never_returns",
    "call abort@PLT",
    "finish gil_never_returns",
    "function gil_runs_out",
    "nop",
    "finish gil_runs_out",
);

unsafe extern "C" {
    fn gil_getter();
    fn gil_branches();
    fn gil_calls_back();
    fn gil_jumps_back();
    fn gil_loops();
    fn gil_recurses();
    fn gil_system_call();
    fn gil_copies();
    fn gil_locks();
    fn gil_sleeps();
    fn gil_measures();
    fn gil_never_returns();
    fn gil_runs_out();
}

fn proof(function: unsafe extern "C" fn()) -> Proof {
    prove(function as *const () as usize)
}

fn broken(function: unsafe extern "C" fn()) -> String {
    match proof(function) {
        Proof::Broken(reason) => reason,
        holds => panic!("it is no proof: {holds:?}"),
    }
}

#[test]
fn short_functions_are_proved() {
    let holds = |functions, instructions, audited: &[&str]| Proof::Holds {
        functions,
        instructions,
        audited: audited.iter().map(|&name| name.to_owned()).collect(),
    };
    assert_eq!(proof(gil_getter), holds(1, 2, &[]));
    assert_eq!(proof(gil_branches), holds(2, 8, &[]));
    assert!(matches!(proof(gil_measures), Proof::Holds { audited, .. } if audited == ["strlen"]));
    assert!(
        matches!(proof(gil_never_returns), Proof::Holds { audited, .. } if audited == ["abort"])
    );
}

#[test]
fn audited_functions_are_fine_by_themselves_unless_they_end() {
    unsafe extern "C" {
        fn malloc();
        fn abort();
    }
    let audited = vec!["malloc".to_owned()];
    let trusted = Proof::Holds {
        functions: 0,
        instructions: 0,
        audited,
    };
    assert_eq!(proof(malloc), trusted);
    broken(abort);
}

#[test]
fn what_calls_back_is_not() {
    assert!(broken(gil_calls_back).starts_with("an indirect call at"));
    assert!(broken(gil_jumps_back).starts_with("an indirect jump at"));
}

#[test]
fn what_blocks_is_not() {
    assert!(broken(gil_system_call).starts_with("a system call at"));
    // How far the C library is read before it is clear differs between its versions.
    broken(gil_locks);
    broken(gil_sleeps);
}

#[test]
fn what_may_take_long_is_not() {
    assert!(broken(gil_loops).starts_with("a loop at"));
    assert!(broken(gil_recurses).ends_with("calls itself"));
    assert!(broken(gil_copies).starts_with("a repeated string instruction at"));
}

#[test]
fn what_cannot_be_read_is_not() {
    assert!(broken(gil_runs_out).starts_with("the code runs out at"));
    assert!(matches!(prove(0), Proof::Broken(_)));
    // The middle of data.
    static DATA: [u64; 4] = [0; 4];
    assert!(matches!(prove(DATA.as_ptr() as usize), Proof::Broken(_)));
}

#[test]
fn the_user_has_the_last_word() {
    let config = |value: &str| {
        let (config, warnings) = Config::from_vars([("GIJIT_GIL".to_owned(), value.to_owned())]);
        assert!(warnings.is_empty());
        config
    };
    let getter = gil_getter as *const () as usize;
    let loops = gil_loops as *const () as usize;
    assert!(decide(&config("proven"), "A.get", getter).hold);
    assert!(!decide(&config("release"), "A.get", getter).hold);
    assert!(decide(&config("hold:A.*"), "A.run", loops).hold);
    assert!(!decide(&config("hold:B.*"), "A.run", loops).hold);
    assert!(decide(&config("hold:B.*"), "A.get", getter).hold);
}

/// The documentation shows what is taken on trust.
#[test]
fn the_documentation_has_the_audited_functions() {
    let docs = include_str!("../docs/gil.md");
    for entry in AUDITED.iter().chain([&GET_TYPES]) {
        let names: Vec<String> = entry.names.iter().map(|name| format!("`{name}`")).collect();
        let row = format!("| {} | {} |\n", names.join(", "), entry.argument);
        assert!(docs.contains(&row), "docs/gil.md lacks this row:\n{row}");
    }
}
