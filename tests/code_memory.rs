//! Executable memory: placing, limits, taking back, and processes that may not have any.
//!
//! The processes are forks that leave with a status; they allocate little and take no lock that
//! another thread of the test may hold.
#![cfg(target_arch = "x86_64")]

use std::sync::Arc;
use std::thread;

use gijit::code::{CodeError, CodeLabel, CodeMemory};
use gijit::compile::backend::MachineCode;

/// `mov eax, <result>; ret` after `entry` bytes that nobody executes, `size` bytes in all.
fn code(result: u8, entry: usize, size: usize) -> MachineCode {
    let mut bytes = vec![0xcc; entry];
    bytes.extend([0xb8, result, 0, 0, 0, 0xc3]);
    bytes.resize(size.max(bytes.len()), 0xcc);
    MachineCode {
        bytes,
        align: 16,
        entry,
        ..MachineCode::default()
    }
}

const LABEL: CodeLabel<'static> = CodeLabel {
    callable: "GLib.number",
    tier: 1,
    steps: &[],
};

fn run(entry: usize) -> i32 {
    // SAFETY: `code` wrote a function of this type there, and its test keeps the handle.
    let function: extern "C" fn() -> i32 = unsafe { std::mem::transmute(entry) };
    function()
}

#[test]
fn place_and_retire() {
    let memory = CodeMemory::new(1 << 20);
    let first = memory.place(&code(1, 0, 0), &LABEL).unwrap();
    let second = memory.place(&code(2, 5, 100), &LABEL).unwrap();
    assert_eq!((run(first.entry), run(second.entry)), (1, 2));
    assert_eq!(memory.live_bytes(), first.size + second.size);
    let (place, size) = (first.entry, first.size);
    memory.retire(first);
    assert_eq!(memory.live_bytes(), second.size);
    let third = memory.place(&code(3, 0, 0), &LABEL).unwrap();
    assert_eq!(
        (third.entry, third.size),
        (place, size),
        "the place is reused"
    );
    assert_eq!((run(third.entry), run(second.entry)), (3, 2));
}

#[test]
fn nothing_at_all() {
    let memory = CodeMemory::new(1 << 20);
    let empty = memory.place(&MachineCode::default(), &LABEL).unwrap();
    memory.retire(empty);
    assert_eq!(memory.live_bytes(), 0);
}

#[test]
fn limits() {
    let memory = CodeMemory::new(200);
    let one = memory.place(&code(1, 0, 100), &LABEL).unwrap();
    let error = memory.place(&code(2, 0, 100), &LABEL).unwrap_err();
    assert!(matches!(error, CodeError::Limit { limit: 200 }), "{error}");
    assert_eq!(run(one.entry), 1);
    assert!(memory.has_room().is_err(), "something did not fit");
    memory.retire(one);
    assert!(memory.has_room().is_ok());
    let two = memory.place(&code(2, 0, 100), &LABEL).unwrap();
    assert_eq!(run(two.entry), 2);
    let roomy = CodeMemory::new(1 << 30);
    let error = roomy.place(&code(1, 0, 1 << 20), &LABEL).unwrap_err();
    assert!(matches!(error, CodeError::TooLarge { .. }), "{error}");
}

#[test]
fn many_segments() {
    let memory = CodeMemory::new(8 << 20);
    let handles: Vec<_> = (0..100)
        .map(|n| memory.place(&code(n, 0, 10_000), &LABEL).unwrap())
        .collect();
    for (n, handle) in handles.iter().enumerate() {
        assert_eq!(run(handle.entry), n as i32);
    }
    for handle in handles {
        memory.retire(handle);
    }
    assert_eq!(memory.live_bytes(), 0);
}

#[test]
fn sealed_places_are_not_used_again() {
    let memory = CodeMemory::new(1 << 20);
    let before = memory.place(&code(1, 0, 0), &LABEL).unwrap();
    let place = before.entry;
    memory.seal();
    memory.retire(before);
    let after = memory.place(&code(2, 0, 0), &LABEL).unwrap();
    assert_ne!(after.entry, place);
    assert_eq!((run(place), run(after.entry)), (1, 2));
}

#[test]
fn many_threads() {
    let memory = Arc::new(CodeMemory::new(16 << 20));
    let threads: Vec<_> = (0..4)
        .map(|n: u8| {
            let memory = Arc::clone(&memory);
            thread::spawn(move || {
                for round in 0..200 {
                    let handle = memory
                        .place(&code(n, 0, usize::from(n) * 50 + round), &LABEL)
                        .unwrap();
                    assert_eq!(run(handle.entry), i32::from(n));
                    memory.retire(handle);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(memory.live_bytes(), 0);
}

/// Exit statuses of the children.
const AS_EXPECTED: i32 = 0;
const OTHERWISE: i32 = 1;
const NOT_HERE: i32 = 2;

/// Runs `child` in a fork and gives its status.
fn fork(child: fn() -> i32) -> i32 {
    // SAFETY: the child only makes system calls and allocates, which glibc allows after a fork.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let status = child();
        // SAFETY: leaves without running what other threads registered.
        unsafe { libc::_exit(status) };
    }
    let mut status = 0;
    // SAFETY: `pid` is our child, and `status` is a place for its status.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    assert!(libc::WIFEXITED(status), "the child was killed: {status}");
    libc::WEXITSTATUS(status)
}

/// Whether executable memory is refused, cleanly and by `place` as by `probe`.
fn refused() -> i32 {
    let probed = matches!(CodeMemory::probe(), Err(CodeError::NotAllowed(_)));
    let memory = CodeMemory::new(1 << 20);
    let placed = matches!(
        memory.place(&code(1, 0, 0), &LABEL),
        Err(CodeError::NotAllowed(_))
    );
    match probed && placed && memory.live_bytes() == 0 {
        true => AS_EXPECTED,
        false => OTHERWISE,
    }
}

#[test]
fn allowed() {
    CodeMemory::probe().unwrap();
}

#[test]
fn memory_deny_write_execute() {
    let status = fork(|| {
        const PR_SET_MDWE: libc::c_int = 65;
        const PR_MDWE_REFUSE_EXEC_GAIN: libc::c_ulong = 1;
        // SAFETY: takes no memory.
        match unsafe { libc::prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) } {
            0 => refused(),
            _ => NOT_HERE,
        }
    });
    match status {
        NOT_HERE => eprintln!("not tested: this kernel has no PR_SET_MDWE (Linux 6.3)"),
        status => assert_eq!(status, AS_EXPECTED),
    }
}

/// As a sandbox may have it: no executable mappings at all.
#[test]
fn no_executable_mappings() {
    let status = fork(|| {
        let rule = |code: u32, jt, jf, k| libc::sock_filter {
            code: code as u16,
            jt,
            jf,
            k,
        };
        let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
        let mut rules = [
            // The call's number, then its third argument.
            rule(load, 0, 0, 0),
            rule(
                libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
                0,
                3,
                libc::SYS_mmap as u32,
            ),
            rule(load, 0, 0, 32),
            rule(
                libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K,
                0,
                1,
                libc::PROT_EXEC as u32,
            ),
            rule(
                libc::BPF_RET,
                0,
                0,
                libc::SECCOMP_RET_ERRNO | libc::EACCES as u32,
            ),
            rule(libc::BPF_RET, 0, 0, libc::SECCOMP_RET_ALLOW),
        ];
        let program = libc::sock_fprog {
            len: rules.len() as u16,
            filter: rules.as_mut_ptr(),
        };
        // SAFETY: `program` is a filter of that length, which the kernel checks and copies.
        let filtered = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) == 0
        };
        match filtered {
            true => refused(),
            false => NOT_HERE,
        }
    });
    match status {
        NOT_HERE => eprintln!("not tested: no seccomp filters here"),
        status => assert_eq!(status, AS_EXPECTED),
    }
}
