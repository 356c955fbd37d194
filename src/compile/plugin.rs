//! Tier 2 from outside: LLVM lives in a shared library of its own, loaded on first use.
//!
//! The two sides share no Rust type. Thunk IR crosses as text ([`crate::ir::text`], with
//! addresses), code comes back as bytes, through the six C functions of [`abi`]. So the library may
//! be built by another compiler, and a process that never gets hot never maps 50 MB of LLVM.
//!
//! Once loaded the library stays: LLVM registers destructors that must not be unmapped.

use std::ffi::CStr;
use std::mem;
use std::path::Path;
use std::ptr::NonNull;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use super::backend::{Backend, BackendError, Listing, MachineCode, Unwind};
use crate::code::disasm;
use crate::ir::{Function, text};

/// The C interface between the core and the library, used by both.
pub mod abi {
    use std::ffi::c_char;

    use crate::compile::backend::StepAt;

    /// Changes whenever anything in this module, or the text form of thunk IR, does.
    pub const VERSION: u32 = 2;

    /// What is asked of [`CompileFn`].
    pub const REQUEST_CODE: u32 = 0;
    /// LLVM IR as it is handed to LLVM, with symbols by name.
    pub const REQUEST_IR: u32 = 1;

    /// [`Reply::status`]: `data` is what was asked for.
    pub const STATUS_OK: u32 = 0;
    /// `data` says why LLVM cannot work in this process.
    pub const STATUS_UNAVAILABLE: u32 = 1;
    /// `data` says what is wrong in gijit.
    pub const STATUS_BUG: u32 = 2;

    /// An answer. Its buffers belong to the library until [`FreeFn`].
    #[repr(C)]
    pub struct Reply {
        pub status: u32,
        /// Machine code and constants, or UTF-8 text; NULL when empty.
        pub data: *mut u8,
        pub data_len: usize,
        pub align: usize,
        pub entry: usize,
        /// An `.eh_frame` section; NULL when there is none.
        pub unwind: *mut u8,
        pub unwind_len: usize,
        pub pc_begin: usize,
        /// One for each run of instructions of one step; NULL when there is none.
        pub steps: *mut StepAt,
        pub steps_len: usize,
    }

    impl Reply {
        /// An answer that owns nothing.
        pub fn empty() -> Self {
            Reply {
                status: STATUS_OK,
                data: std::ptr::null_mut(),
                data_len: 0,
                align: 1,
                entry: 0,
                unwind: std::ptr::null_mut(),
                unwind_len: 0,
                pc_begin: 0,
                steps: std::ptr::null_mut(),
                steps_len: 0,
            }
        }
    }

    /// The library's compiler, opaque to the core.
    #[repr(C)]
    pub struct Compiler {
        _opaque: [u8; 0],
    }

    /// `gijit_llvm_abi`: [`VERSION`] of the library. The only one that must never change.
    pub type AbiFn = unsafe extern "C" fn() -> u32;
    /// `gijit_llvm_version`: LLVM's version, a static string.
    pub type VersionFn = unsafe extern "C" fn() -> *const c_char;
    /// `gijit_llvm_create`: NULL when LLVM cannot work; the reply then says why.
    pub type CreateFn = unsafe extern "C" fn(reply: *mut Reply) -> *mut Compiler;
    /// `gijit_llvm_compile`: compiler, text and its length, a `REQUEST_*`; always fills `reply`.
    pub type CompileFn =
        unsafe extern "C" fn(*mut Compiler, *const u8, usize, u32, reply: *mut Reply);
    /// `gijit_llvm_free`: frees what a filled reply holds and empties it.
    pub type FreeFn = unsafe extern "C" fn(reply: *mut Reply);
    /// `gijit_llvm_destroy`.
    pub type DestroyFn = unsafe extern "C" fn(*mut Compiler);
}

/// The LLVM tier.
pub struct LlvmPlugin {
    compiler: NonNull<abi::Compiler>,
    compile: abi::CompileFn,
    free: abi::FreeFn,
    destroy: abi::DestroyFn,
    version: String,
}

// SAFETY: the compiler behind the pointer has no tie to a thread (LLVM contexts have none), and
// `&mut self` on every use keeps it to one thread at a time.
unsafe impl Send for LlvmPlugin {}

impl LlvmPlugin {
    /// Loads the library at `path` and sets LLVM up for this machine.
    ///
    /// # Errors
    /// [`BackendError::Unavailable`], naming the path, when there is no such library, when it is of
    /// another version of gijit, or when LLVM cannot work here.
    pub fn load(path: &Path) -> Result<Self, BackendError> {
        let unavailable = |why: String| {
            BackendError::Unavailable(format!("the LLVM tier {}: {why}", path.display()))
        };
        if !path.exists() {
            return Err(unavailable("there is no such file".to_owned()));
        }
        // SAFETY: loading runs the library's initialisers; this path is of a library that was built
        // and installed with gijit, whose initialisers are LLVM's option tables.
        let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }
            .map_err(|error| unavailable(error.to_string()))?;
        let missing = |error: libloading::Error| {
            unavailable(format!("it is no LLVM tier of gijit ({error})"))
        };
        // SAFETY: the type of `gijit_llvm_abi` is the same in all versions.
        let version = unsafe {
            library
                .get::<abi::AbiFn>(b"gijit_llvm_abi\0")
                .map_err(missing)?()
        };
        if version != abi::VERSION {
            return Err(unavailable(format!(
                "it has interface version {version}, this gijit needs {}: reinstall gijit",
                abi::VERSION
            )));
        }
        // SAFETY: the version says that the functions have the types of `abi`; the library is never
        // unloaded, so the copies of the addresses stay valid.
        let (llvm_version, create, compile, free, destroy) = unsafe {
            (
                *library
                    .get::<abi::VersionFn>(b"gijit_llvm_version\0")
                    .map_err(missing)?,
                *library
                    .get::<abi::CreateFn>(b"gijit_llvm_create\0")
                    .map_err(missing)?,
                *library
                    .get::<abi::CompileFn>(b"gijit_llvm_compile\0")
                    .map_err(missing)?,
                *library
                    .get::<abi::FreeFn>(b"gijit_llvm_free\0")
                    .map_err(missing)?,
                *library
                    .get::<abi::DestroyFn>(b"gijit_llvm_destroy\0")
                    .map_err(missing)?,
            )
        };
        mem::forget(library);
        // SAFETY: `abi::VersionFn` returns a static string.
        let version = unsafe { CStr::from_ptr(llvm_version()) }
            .to_string_lossy()
            .into_owned();
        let mut reply = abi::Reply::empty();
        // SAFETY: `reply` is a valid, empty reply.
        let compiler = NonNull::new(unsafe { create(&mut reply) });
        let Some(compiler) = compiler else {
            // SAFETY: `create` filled `reply`.
            let why = unsafe { text_of(&reply) };
            // SAFETY: as above; nothing refers to its buffers any more.
            unsafe { free(&mut reply) };
            return Err(unavailable(why));
        };
        Ok(LlvmPlugin {
            compiler,
            compile,
            free,
            destroy,
            version,
        })
    }

    /// LLVM's version, such as `22.1.2`.
    pub fn version(&self) -> &str {
        &self.version
    }

    fn request<T>(
        &mut self,
        function: &Function,
        request: u32,
        read: impl FnOnce(&abi::Reply) -> T,
    ) -> Result<T, BackendError> {
        let source = text::print(function, true);
        let mut reply = abi::Reply::empty();
        // SAFETY: the compiler is alive until drop, the text is as long as said, and `reply` is a
        // valid, empty reply.
        unsafe {
            (self.compile)(
                self.compiler.as_ptr(),
                source.as_ptr(),
                source.len(),
                request,
                &mut reply,
            );
        }
        let result = match reply.status {
            abi::STATUS_OK => Ok(read(&reply)),
            // SAFETY: `compile` filled `reply`.
            abi::STATUS_UNAVAILABLE => Err(BackendError::Unavailable(unsafe { text_of(&reply) })),
            // SAFETY: as above.
            _ => Err(BackendError::Bug(unsafe { text_of(&reply) })),
        };
        // SAFETY: `compile` filled `reply`; what was read from it was copied.
        unsafe { (self.free)(&mut reply) };
        result
    }
}

impl Drop for LlvmPlugin {
    fn drop(&mut self) {
        // SAFETY: `create` made it, and nothing uses it after the drop.
        unsafe { (self.destroy)(self.compiler.as_ptr()) };
    }
}

impl Backend for LlvmPlugin {
    fn compile(&mut self, function: &Function) -> Result<MachineCode, BackendError> {
        self.request(function, abi::REQUEST_CODE, |reply| MachineCode {
            // SAFETY: the library filled the reply; its buffers are as long as it says.
            bytes: unsafe { items_of(reply.data, reply.data_len) },
            align: reply.align,
            entry: reply.entry,
            unwind: (!reply.unwind.is_null()).then(|| Unwind {
                // SAFETY: as above.
                eh_frame: unsafe { items_of(reply.unwind, reply.unwind_len) },
                pc_begin: reply.pc_begin,
            }),
            // SAFETY: as above.
            steps: unsafe { items_of(reply.steps, reply.steps_len) },
        })
    }

    fn list(&mut self, function: &Function, what: Listing) -> Result<String, BackendError> {
        match what {
            Listing::Ir => self.request(function, abi::REQUEST_IR, |reply| {
                // SAFETY: the library filled the reply.
                unsafe { text_of(reply) }
            }),
            Listing::Asm => Ok(disasm::disassemble(&self.compile(function)?, function)),
        }
    }
}

/// # Safety
/// `data` is NULL or the start of `len` readable items.
unsafe fn items_of<T: Clone>(data: *const T, len: usize) -> Vec<T> {
    if data.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(data, len) }.to_vec()
}

/// # Safety
/// The library filled `reply` and it was not freed.
unsafe fn text_of(reply: &abi::Reply) -> String {
    // SAFETY: the caller's promise; `data` is as long as the reply says.
    String::from_utf8_lossy(&unsafe { items_of(reply.data, reply.data_len) }).into_owned()
}
