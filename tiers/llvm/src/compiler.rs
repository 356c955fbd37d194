//! One function from text to bytes: parse, verify, translate, optimise, emit, lay out.
//!
//! Each function gets an LLVM context of its own, which frees with it everything that LLVM interns
//! (types, constants, names). What is kept is the target machine.

use std::sync::Once;

use gijit::compile::backend::{BackendError, MachineCode};
use gijit::ir::{Function, text, verify};
use inkwell::OptimizationLevel;
use inkwell::context::Context;
use inkwell::llvm_sys::support::LLVMParseCommandLineOptions;
use inkwell::module::Module;
use inkwell::passes::PassBuilderOptions;
use inkwell::targets::{
    CodeModel, FileType, InitializationConfig, RelocMode, Target, TargetMachine,
};

use crate::object_file;
use crate::translate::{Symbols, translate};

/// What is worth its time on straight-line code with guards; measured against `default<O2>` in
/// tests/latency.rs: the same code for two to seven arguments in four fifths of the time.
const PASSES: &str = "sroa,early-cse<memssa>,instcombine,simplifycfg,tailcallelim";

/// LLVM for the machine that it runs on.
pub(crate) struct Compiler {
    machine: TargetMachine,
}

impl Compiler {
    pub(crate) fn new() -> Result<Self, BackendError> {
        if cfg!(not(target_arch = "x86_64")) {
            // Constants are reached through page-relative pairs on aarch64, which bytes that run
            // at any address cannot use.
            return Err(BackendError::Unavailable(
                "it knows x86-64 machines only".to_owned(),
            ));
        }
        Target::initialize_x86(&InitializationConfig {
            asm_parser: false,
            asm_printer: true,
            base: true,
            disassembler: false,
            info: true,
            machine_code: true,
        });
        set_options();
        let triple = TargetMachine::get_default_triple();
        let unavailable = |why: String| BackendError::Unavailable(why);
        let target =
            Target::from_triple(&triple).map_err(|error| unavailable(error.to_string()))?;
        let machine = target
            .create_target_machine(
                &triple,
                &TargetMachine::get_host_cpu_name().to_string_lossy(),
                &TargetMachine::get_host_cpu_features().to_string_lossy(),
                OptimizationLevel::Default,
                // All addresses outside are constants; PIC keeps those inside relative.
                RelocMode::PIC,
                CodeModel::Small,
            )
            .ok_or_else(|| unavailable(format!("LLVM has no machine for {triple}")))?;
        Ok(Compiler { machine })
    }

    /// Compiles the function of which `source` is the text form with addresses.
    pub(crate) fn compile(&mut self, source: &[u8]) -> Result<MachineCode, BackendError> {
        let function = read(source)?;
        let context = Context::create();
        let module = self.module(&context, &function, Symbols::Addresses)?;
        module
            .run_passes(PASSES, &self.machine, PassBuilderOptions::create())
            .map_err(|error| BackendError::Bug(format!("LLVM's passes: {error}")))?;
        let object = self
            .machine
            .write_to_memory_buffer(&module, FileType::Object)
            .map_err(|error| BackendError::Bug(format!("LLVM's code generator: {error}")))?;
        object_file::lay_out(object.as_slice())
            .map_err(|error| BackendError::Bug(format!("LLVM's object file: {error}")))
    }

    /// LLVM IR of the function as it is handed to LLVM, but with its symbols by name.
    pub(crate) fn list(&mut self, source: &[u8]) -> Result<String, BackendError> {
        let function = read(source)?.without_notes();
        let context = Context::create();
        let module = self.module(&context, &function, Symbols::Names)?;
        Ok(module.print_to_string().to_string())
    }

    fn module<'ctx>(
        &self,
        context: &'ctx Context,
        function: &Function,
        symbols: Symbols,
    ) -> Result<Module<'ctx>, BackendError> {
        let module = context.create_module(&function.name);
        module.set_triple(&self.machine.get_triple());
        module.set_data_layout(&self.machine.get_target_data().get_data_layout());
        translate(function, context, &module, symbols)
            .map_err(|error| BackendError::Bug(format!("LLVM IR: {error}")))?;
        // LLVM aborts the process on IR that is not well formed, so this is no debug check.
        module
            .verify()
            .map_err(|error| BackendError::Bug(format!("LLVM's verifier: {error}")))?;
        Ok(module)
    }
}

/// Options that LLVM takes in no other way; they are global to this copy of LLVM.
fn set_options() {
    static ONCE: Once = Once::new();
    // Hoisting makes one far address from another, so that the address of a cold call is made, and
    // kept in a register, on the hot path.
    let arguments = [c"gijit".as_ptr(), c"-disable-constant-hoisting".as_ptr()];
    ONCE.call_once(|| {
        // SAFETY: an array of that many zero-terminated strings; no other thread is inside this
        // copy of LLVM before the first compiler was made.
        unsafe {
            LLVMParseCommandLineOptions(arguments.len() as i32, arguments.as_ptr(), c"".as_ptr());
        }
    });
}

fn read(source: &[u8]) -> Result<Function, BackendError> {
    let source = std::str::from_utf8(source)
        .map_err(|error| BackendError::Bug(format!("thunk IR: {error}")))?;
    let function =
        text::parse(source).map_err(|error| BackendError::Bug(format!("thunk IR: {error}")))?;
    verify::verify(&function).map_err(|error| BackendError::Bug(format!("thunk IR: {error}")))?;
    Ok(function)
}
