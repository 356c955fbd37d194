//! What the proof makes of functions that block, call back, lock, loop, or do none of that.
//!
//! The functions are written as instructions, so that each has exactly the feature that it is named
//! after; the compiler would be free to take it out.
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

use std::ffi::{CStr, c_char, c_void};

use gijit::config::Config;
use gijit::gil::audit::{FOR_CLASSES, GET_TYPES, groups};
use gijit::gil::{Class, First, Lock, Proof, decide, prove};

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
    // The offsets are those of GObjectClass: `constructed`, which does nothing in GObject itself, and
    // `dispose`, which emits a signal.
    "function gil_constructs",
    "push rbx",
    "mov rbx, rdi",
    "call gil_getter",
    "mov rax, [rbx]",
    "mov rdi, rbx",
    "pop rbx",
    "jmp [rax + 0x48]",
    "finish gil_constructs",
    "function gil_constructs_either_way",
    "mov rax, [rdi]",
    "test esi, esi",
    "je 2f",
    "mov rcx, rax",
    "jmp 3f",
    "2: mov rcx, [rdi]",
    "3: call [rcx + 0x48]",
    "ret",
    "finish gil_constructs_either_way",
    "function gil_constructs_in_turn",
    "push rax",
    "call gil_constructs",
    "pop rdx",
    "ret",
    "finish gil_constructs_in_turn",
    "function gil_constructs_other",
    "mov rdi, rsi",
    "mov rax, [rdi]",
    "jmp [rax + 0x48]",
    "finish gil_constructs_other",
    "function gil_constructs_one_of_two",
    "test esi, esi",
    "je 2f",
    "mov rdi, rdx",
    "2: mov rax, [rdi]",
    "jmp [rax + 0x48]",
    "finish gil_constructs_one_of_two",
    "function gil_forgets",
    "push rax",
    "mov rdx, [rdi]",
    "call gil_getter",
    "call [rdx + 0x48]",
    "pop rdx",
    "ret",
    "finish gil_forgets",
    "function gil_disposes",
    "mov rax, [rdi]",
    "jmp [rax + 0x28]",
    "finish gil_disposes",
    "function gil_beyond",
    "mov rax, [rdi]",
    "jmp [rax + 0x4000]",
    "finish gil_beyond",
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
    fn gil_constructs();
    fn gil_constructs_either_way();
    fn gil_constructs_in_turn();
    fn gil_constructs_other();
    fn gil_constructs_one_of_two();
    fn gil_forgets();
    fn gil_disposes();
    fn gil_beyond();
}

fn proof(function: unsafe extern "C" fn()) -> Proof {
    prove(function as *const () as usize, None)
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

/// The class of GObject, of which an instance has been made.
fn gobject() -> Class {
    type New = unsafe extern "C" fn(usize, *const c_char) -> *mut c_void;
    // SAFETY: GObject's functions, with the types that its documentation gives; the library is never
    // closed.
    unsafe {
        let flags = libc::RTLD_NOW | libc::RTLD_GLOBAL;
        let library = libc::dlopen(c"libgobject-2.0.so.0".as_ptr(), flags);
        let find = |name: &CStr| libc::dlsym(library, name.as_ptr());
        let get_type: unsafe extern "C" fn() -> usize =
            std::mem::transmute(find(c"g_object_get_type"));
        let new: New = std::mem::transmute(find(c"g_object_new"));
        assert!(!new(get_type(), std::ptr::null()).is_null());
        Class::of(get_type()).expect("it has an instance")
    }
}

#[test]
fn virtual_functions_are_proved_for_a_class() {
    let class = gobject();
    assert_eq!(class.name, "GObject");
    let proof =
        |function: unsafe extern "C" fn()| prove(function as *const () as usize, Some(&class));
    let holds = [
        gil_constructs,
        gil_constructs_either_way,
        gil_constructs_in_turn,
    ];
    for function in holds {
        broken(function);
        let Proof::Holds { functions, .. } = proof(function) else {
            panic!("{:?}", proof(function));
        };
        assert!(functions >= 2);
        let address = function as *const () as usize;
        let gtype = |class: &Class| {
            // SAFETY: a class struct starts with its type.
            unsafe { (class.address as *const usize).read() }
        };
        let decision = decide(
            &Config::default(),
            "A.b",
            address,
            First::Instance(gtype(&class)),
        );
        assert_eq!(decision.lock, Lock::HeldFor(class.clone()));
        assert!(decision.to_string().starts_with("lock held for GObject: "));
        let before = decide(&Config::default(), "A.b", address, First::Unseen);
        assert_eq!(before.lock, Lock::Released);
        assert!(
            before
                .reason
                .ends_with("(decided again for the class of its first instance)")
        );
    }
    // Another object's class; one that may be another's; one in a register that a call changes; a
    // function that calls back; what is no entry of the class.
    let breaks = [
        gil_constructs_other,
        gil_constructs_one_of_two,
        gil_forgets,
        gil_disposes,
        gil_beyond,
    ];
    for function in breaks {
        assert!(matches!(proof(function), Proof::Broken(_)));
    }
}

#[test]
fn what_cannot_be_read_is_not() {
    assert!(broken(gil_runs_out).starts_with("the code runs out at"));
    assert!(matches!(prove(0, None), Proof::Broken(_)));
    // The middle of data.
    static DATA: [u64; 4] = [0; 4];
    assert!(matches!(
        prove(DATA.as_ptr() as usize, None),
        Proof::Broken(_)
    ));
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
    let lock = |value, name, function| decide(&config(value), name, function, First::Other).lock;
    assert_eq!(lock("proven", "A.get", getter), Lock::Held);
    assert_eq!(lock("release", "A.get", getter), Lock::Released);
    assert_eq!(lock("hold:A.*", "A.run", loops), Lock::Held);
    assert_eq!(lock("hold:B.*", "A.run", loops), Lock::Released);
    assert_eq!(lock("hold:B.*", "A.get", getter), Lock::Held);
}

/// The documentation shows what is taken on trust.
#[test]
fn the_documentation_has_the_audited_functions() {
    let docs = include_str!("../docs/gil.md");
    let everywhere = groups().chain([&GET_TYPES]);
    let everywhere = everywhere.map(|entry| (&[] as &[&str], entry));
    let of_classes = FOR_CLASSES.iter().map(|(classes, entry)| (*classes, entry));
    for (classes, entry) in everywhere.chain(of_classes) {
        let list = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            names.join(", ")
        };
        let of = match classes.is_empty() {
            true => String::new(),
            false => format!(" of {}", list(classes)),
        };
        let row = format!("| {}{of} | {} |\n", list(entry.names), entry.argument);
        assert!(docs.contains(&row), "docs/gil.md lacks this row:\n{row}");
    }
}
