//! Tier 2: thunk IR to machine code through LLVM, as a library that is loaded on first use.
//!
//! LLVM is large, so it lives in a shared library of its own with LLVM linked in statically. The
//! library's surface is the C ABI below and nothing else: thunk IR crosses as text, machine code
//! comes back as bytes, so the two sides share no memory layout and may be built apart.
//!
//! Invariants: no panic crosses the ABI, a reply is freed by the side that made it, and a compiler
//! is used by one thread at a time.
//!
//! Absent: executable memory and publication, which are the core's; there is no execution engine.

mod compiler;
mod object_file;
mod translate;

use std::ffi::{CStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use gijit::compile::plugin::{ABI_VERSION, Reply, Request};

pub use compiler::Compiler;

/// The version of this ABI; the core refuses a library with another.
#[unsafe(no_mangle)]
pub extern "C" fn gijit_llvm_abi() -> u32 {
    ABI_VERSION
}

/// The version of LLVM inside, for `doctor`.
#[unsafe(no_mangle)]
pub extern "C" fn gijit_llvm_version() -> *const c_char {
    let text: &CStr = if cfg!(feature = "llvm22") {
        c"22"
    } else {
        c"19"
    };
    text.as_ptr()
}

/// A compiler for this machine, or NULL with the reason in `reply`.
///
/// # Safety
/// `reply` points to a [`Reply`] to fill.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gijit_llvm_create(reply: *mut Reply) -> *mut Compiler {
    let made = guarded(Compiler::new);
    let (compiler, message) = match made {
        Ok(compiler) => (
            Box::into_raw(Box::new(compiler)),
            Reply::error(String::new()),
        ),
        Err(message) => (std::ptr::null_mut(), Reply::error(message)),
    };
    // SAFETY: the caller gives a valid place (this function's contract).
    unsafe { reply.write(message) };
    compiler
}

/// Does what `request` names with the thunk whose text stands at `text`.
///
/// # Safety
/// `compiler` comes from [`gijit_llvm_create`] and is used by one thread at a time; `text` points to
/// `len` bytes; `reply` to a [`Reply`] to fill.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gijit_llvm_compile(
    compiler: *mut Compiler,
    text: *const u8,
    len: usize,
    request: Request,
    reply: *mut Reply,
) {
    // SAFETY: both are valid by this function's contract.
    let (compiler, text) = unsafe { (&mut *compiler, std::slice::from_raw_parts(text, len)) };
    let answer = guarded(|| {
        let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
        compiler.answer(text, request)
    });
    // SAFETY: the caller gives a valid place.
    unsafe { reply.write(answer.unwrap_or_else(Reply::error)) };
}

/// Frees what a reply holds.
///
/// # Safety
/// `reply` was filled by this library and is not freed twice.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gijit_llvm_free(reply: *mut Reply) {
    // SAFETY: by this function's contract.
    unsafe { (*reply).free() };
}

/// Runs `body`; a panic becomes its message.
fn guarded<T>(body: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("panic: {}", text.unwrap_or("without a message")))
    })
}
