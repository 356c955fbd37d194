//! The LLVM tier's library: its C ABI, and the [`Backend`] that loads and calls it.
//!
//! Both sides use the types here. A [`Reply`] owns buffers of the library's allocator and goes back
//! to it to be freed.

use std::ffi::{CStr, c_char, c_void};
use std::path::Path;

use libloading::Library;

use super::backend::{Backend, BackendError, Listing, MachineCode, Unwind};
use crate::ir::{Function, text};

/// Changes with every change of what is below.
pub const ABI_VERSION: u32 = 1;

/// What the library shall do with a thunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Request {
    /// Machine code and unwind information.
    Code = 0,
    /// The LLVM IR after its passes, as text.
    LlvmIr = 1,
}

/// Bytes owned by the library.
#[repr(C)]
#[derive(Debug)]
pub struct Buffer {
    data: *mut u8,
    len: usize,
}

impl Buffer {
    fn new(bytes: Vec<u8>) -> Self {
        let bytes = Box::leak(bytes.into_boxed_slice());
        Buffer {
            data: bytes.as_mut_ptr(),
            len: bytes.len(),
        }
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: `new` is the only constructor: `data` and `len` are those of a leaked slice, which
        // lives until `Reply::free`.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }
}

/// An answer of the library.
#[repr(C)]
#[derive(Debug)]
pub struct Reply {
    /// 0: `body` is what was asked for; 1: it is an error message in UTF-8.
    failed: u32,
    align: u32,
    entry: usize,
    /// Where the function's address stands in `unwind`.
    pc_begin: usize,
    /// 0: there is no unwind information.
    pc_width: usize,
    body: Buffer,
    unwind: Buffer,
}

impl Reply {
    /// An error.
    pub fn error(message: String) -> Self {
        Reply {
            failed: 1,
            ..Reply::text(message)
        }
    }

    /// A text.
    pub fn text(text: String) -> Self {
        Reply {
            failed: 0,
            align: 1,
            entry: 0,
            pc_begin: 0,
            pc_width: 0,
            body: Buffer::new(text.into_bytes()),
            unwind: Buffer::new(Vec::new()),
        }
    }

    /// Machine code.
    pub fn code(code: MachineCode) -> Self {
        let (unwind, pc_begin, pc_width) = match code.unwind {
            Some(Unwind::EhFrame {
                bytes,
                pc_begin,
                width,
            }) => (bytes, pc_begin, width),
            None => (Vec::new(), 0, 0),
        };
        Reply {
            failed: 0,
            align: code.align as u32,
            entry: code.entry,
            pc_begin,
            pc_width,
            body: Buffer::new(code.bytes),
            unwind: Buffer::new(unwind),
        }
    }

    /// Frees the buffers: only in the library that made them.
    ///
    /// # Safety
    /// The reply was made by this copy of the code and is not used afterwards.
    pub unsafe fn free(&mut self) {
        for buffer in [&self.body, &self.unwind] {
            // SAFETY: `Buffer::new` leaked exactly this boxed slice, and the caller frees once.
            drop(unsafe {
                Box::from_raw(std::ptr::slice_from_raw_parts_mut(buffer.data, buffer.len))
            });
        }
    }

    fn to_code(&self) -> MachineCode {
        let unwind = (self.pc_width != 0).then(|| Unwind::EhFrame {
            bytes: self.unwind.bytes().to_vec(),
            pc_begin: self.pc_begin,
            width: self.pc_width,
        });
        MachineCode {
            bytes: self.body.bytes().to_vec(),
            align: self.align as usize,
            entry: self.entry,
            unwind,
        }
    }
}

type CreateFn = unsafe extern "C" fn(*mut Reply) -> *mut c_void;
type CompileFn = unsafe extern "C" fn(*mut c_void, *const u8, usize, Request, *mut Reply);
type FreeFn = unsafe extern "C" fn(*mut Reply);

/// The LLVM tier behind its library.
pub struct LlvmPlugin {
    compile: CompileFn,
    free: FreeFn,
    compiler: *mut c_void,
    version: String,
    /// Never unloaded: LLVM leaves state behind that a second load would not expect.
    _library: std::mem::ManuallyDrop<Library>,
}

// SAFETY: the compiler behind the pointer is tied to no thread, only to one at a time, and
// `Backend`'s methods take `&mut self`.
unsafe impl Send for LlvmPlugin {}

impl LlvmPlugin {
    /// Loads the library at `path` and makes a compiler.
    ///
    /// # Errors
    /// [`BackendError::Unavailable`], naming the path, when the library is missing, is another
    /// version's, or has no compiler for this machine.
    pub fn load(path: &Path) -> Result<Self, BackendError> {
        let unavailable =
            |why: String| BackendError::Unavailable(format!("LLVM tier {}: {why}", path.display()));
        // SAFETY: loading runs LLVM's static constructors, which only register options.
        let library =
            unsafe { Library::new(path) }.map_err(|error| unavailable(error.to_string()))?;
        // SAFETY: these are the types that the library's source gives the functions; the ABI version
        // is checked before any other is called.
        let (abi, version, create, compile, free) = unsafe {
            (
                symbol::<unsafe extern "C" fn() -> u32>(&library, c"gijit_llvm_abi"),
                symbol::<unsafe extern "C" fn() -> *const c_char>(&library, c"gijit_llvm_version"),
                symbol::<CreateFn>(&library, c"gijit_llvm_create"),
                symbol::<CompileFn>(&library, c"gijit_llvm_compile"),
                symbol::<FreeFn>(&library, c"gijit_llvm_free"),
            )
        };
        let (abi, version) = (abi.map_err(unavailable)?, version.map_err(unavailable)?);
        // SAFETY: it takes nothing and returns a number.
        let found = unsafe { abi() };
        if found != ABI_VERSION {
            return Err(unavailable(format!(
                "its ABI is {found}, gijit's is {ABI_VERSION}"
            )));
        }
        let (create, compile, free) = (
            create.map_err(unavailable)?,
            compile.map_err(unavailable)?,
            free.map_err(unavailable)?,
        );
        let mut reply = std::mem::MaybeUninit::uninit();
        // SAFETY: `create` fills the reply in every case.
        let (compiler, mut reply) = unsafe { (create(reply.as_mut_ptr()), reply.assume_init()) };
        let message = String::from_utf8_lossy(reply.body.bytes()).into_owned();
        // SAFETY: the reply is the library's and is not used again.
        unsafe { free(&mut reply) };
        if compiler.is_null() {
            return Err(unavailable(message));
        }
        // SAFETY: a static zero-terminated string of the library.
        let version = unsafe { CStr::from_ptr(version()) }
            .to_string_lossy()
            .into_owned();
        let library = std::mem::ManuallyDrop::new(library);
        Ok(LlvmPlugin {
            compile,
            free,
            compiler,
            version,
            _library: library,
        })
    }

    /// The major version of LLVM inside.
    pub fn version(&self) -> &str {
        &self.version
    }

    fn ask<T>(
        &mut self,
        function: &Function,
        request: Request,
        read: impl FnOnce(&Reply) -> T,
    ) -> Result<T, BackendError> {
        let source = text::print(function, true);
        let mut reply = std::mem::MaybeUninit::uninit();
        // SAFETY: the compiler is this library's, the text outlives the call, and the library fills
        // the reply in every case.
        let mut reply = unsafe {
            (self.compile)(
                self.compiler,
                source.as_ptr(),
                source.len(),
                request,
                reply.as_mut_ptr(),
            );
            reply.assume_init()
        };
        let answer = match reply.failed {
            0 => Ok(read(&reply)),
            _ => Err(BackendError::Bug(
                String::from_utf8_lossy(reply.body.bytes()).into_owned(),
            )),
        };
        // SAFETY: the reply is the library's and is not used again.
        unsafe { (self.free)(&mut reply) };
        answer
    }
}

/// # Safety
/// `T` is the type of the function pointer that the library exports as `name`.
unsafe fn symbol<T: Copy>(library: &Library, name: &CStr) -> Result<T, String> {
    // SAFETY: by this function's contract.
    unsafe { library.get::<T>(name.to_bytes_with_nul()) }
        .map(|symbol| *symbol)
        .map_err(|error| error.to_string())
}

impl Backend for LlvmPlugin {
    fn compile(&mut self, function: &Function) -> Result<MachineCode, BackendError> {
        self.ask(function, Request::Code, Reply::to_code)
    }

    fn list(&mut self, function: &Function, what: Listing) -> Result<String, BackendError> {
        match what {
            Listing::Ir => self.ask(function, Request::LlvmIr, |reply| {
                String::from_utf8_lossy(reply.body.bytes()).into_owned()
            }),
            Listing::Asm => {
                let code = self.compile(function)?;
                Ok(crate::code::disasm::disassemble(&code, function))
            }
        }
    }
}
