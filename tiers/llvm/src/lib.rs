//! Tier 2: thunk IR to machine code through LLVM.
//!
//! A shared library with the six C functions of [`gijit::compile::plugin::abi`]; the core loads it
//! when the first callable gets hot enough. Text comes in, position-independent bytes go out, and
//! no panic crosses. Placing the bytes is the core's.
//!
//! LLVM is used for its code generator only: no execution engine, no linker, no state that lives
//! longer than one function but the description of the machine.

mod compiler;
mod engines;
mod object_file;
mod translate;

use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::OnceLock;

use gijit::compile::backend::{BackendError, MachineCode, Unwind};
use gijit::compile::plugin::abi;

use compiler::Compiler;

/// See [`abi::AbiFn`].
#[unsafe(no_mangle)]
pub extern "C" fn gijit_llvm_abi() -> u32 {
    abi::VERSION
}

/// See [`abi::VersionFn`].
#[unsafe(no_mangle)]
pub extern "C" fn gijit_llvm_version() -> *const c_char {
    static VERSION: OnceLock<CString> = OnceLock::new();
    VERSION
        .get_or_init(|| {
            let (major, minor, patch) = inkwell::support::get_llvm_version();
            CString::new(format!("{major}.{minor}.{patch}")).expect("digits and dots")
        })
        .as_ptr()
}

/// See [`abi::CreateFn`].
///
/// # Safety
/// `reply` points to an empty reply.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gijit_llvm_create(reply: *mut abi::Reply) -> *mut abi::Compiler {
    match guarded(Compiler::new) {
        Ok(compiler) => Box::into_raw(Box::new(compiler)).cast(),
        Err(error) => {
            // SAFETY: the caller's promise.
            unsafe { *reply = failure(error) };
            ptr::null_mut()
        }
    }
}

/// See [`abi::CompileFn`].
///
/// # Safety
/// `compiler` is from [`gijit_llvm_create`], not destroyed and used by no other thread now; `text`
/// is `len` bytes; `reply` points to an empty reply.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gijit_llvm_compile(
    compiler: *mut abi::Compiler,
    text: *const u8,
    len: usize,
    request: u32,
    reply: *mut abi::Reply,
) {
    // SAFETY: the caller's promises; `gijit_llvm_create` made the pointer from a `Compiler`.
    let (compiler, text) = unsafe {
        (
            &mut *compiler.cast::<Compiler>(),
            std::slice::from_raw_parts(text, len),
        )
    };
    let answer = guarded(|| match request {
        abi::REQUEST_CODE => compiler.compile(text).map(code_reply),
        abi::REQUEST_IR => compiler.list(text).map(|ir| bytes_reply(ir.into_bytes())),
        _ => Err(BackendError::Bug(format!("no request {request}"))),
    });
    // SAFETY: the caller's promise.
    unsafe { *reply = answer.unwrap_or_else(failure) };
}

/// See [`abi::FreeFn`].
///
/// # Safety
/// `reply` points to an empty reply or one that this library filled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gijit_llvm_free(reply: *mut abi::Reply) {
    // SAFETY: the caller's promise.
    let reply = unsafe { ptr::replace(reply, abi::Reply::empty()) };
    // SAFETY: `leak` made the pointers from boxed slices of these lengths, and the reply was emptied
    // above, so each is freed once.
    unsafe {
        take_back(reply.data, reply.data_len);
        take_back(reply.unwind, reply.unwind_len);
        take_back(reply.steps, reply.steps_len);
    }
}

/// # Safety
/// `data` is NULL or, with `len`, a result of [`leak`] that is not used again.
unsafe fn take_back<T>(data: *mut T, len: usize) {
    if !data.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(data, len)) });
    }
}

/// See [`abi::DestroyFn`].
///
/// # Safety
/// `compiler` is from [`gijit_llvm_create`] and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gijit_llvm_destroy(compiler: *mut abi::Compiler) {
    // SAFETY: the caller's promise; `gijit_llvm_create` boxed a `Compiler`.
    drop(unsafe { Box::from_raw(compiler.cast::<Compiler>()) });
}

/// Runs `body`; a panic in it becomes an error, since it must not cross into the caller.
fn guarded<T>(body: impl FnOnce() -> Result<T, BackendError>) -> Result<T, BackendError> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("of an unknown kind");
        Err(BackendError::Bug(format!(
            "panic in the LLVM tier: {message}"
        )))
    })
}

fn code_reply(code: MachineCode) -> abi::Reply {
    let mut reply = bytes_reply(code.bytes);
    reply.align = code.align;
    reply.entry = code.entry;
    (reply.steps, reply.steps_len) = leak(code.steps);
    if let Some(Unwind { eh_frame, pc_begin }) = code.unwind {
        (reply.unwind, reply.unwind_len) = leak(eh_frame);
        reply.pc_begin = pc_begin;
    }
    reply
}

fn bytes_reply(bytes: Vec<u8>) -> abi::Reply {
    let (data, data_len) = leak(bytes);
    abi::Reply {
        data,
        data_len,
        ..abi::Reply::empty()
    }
}

fn failure(error: BackendError) -> abi::Reply {
    let (status, message) = match error {
        BackendError::Unavailable(message) => (abi::STATUS_UNAVAILABLE, message),
        BackendError::Bug(message) => (abi::STATUS_BUG, message),
    };
    abi::Reply {
        status,
        ..bytes_reply(message.into_bytes())
    }
}

/// Hands items over until [`gijit_llvm_free`]. An empty buffer is NULL.
fn leak<T>(items: Vec<T>) -> (*mut T, usize) {
    let len = items.len();
    match len {
        0 => (ptr::null_mut(), 0),
        _ => (Box::into_raw(items.into_boxed_slice()).cast(), len),
    }
}
