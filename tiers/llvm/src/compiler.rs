//! One LLVM context and target machine, and what is done with each thunk.

use gijit::compile::plugin::{Reply, Request};
use gijit::ir::{text, verify};
use inkwell::OptimizationLevel;
use inkwell::context::Context;
use inkwell::passes::PassBuilderOptions;
use inkwell::targets::{
    CodeModel, FileType, InitializationConfig, RelocMode, Target, TargetMachine,
};

use crate::{object_file, translate};

/// The IR passes: what the translation leaves to be tidied. Code generation does the rest; a full
/// O2 pipeline takes twice the time and finds nothing more in a thunk.
const PASSES: &str = "sroa,early-cse<memssa>,instcombine,simplifycfg";

/// LLVM for the machine that it runs on.
pub struct Compiler {
    context: Context,
    machine: TargetMachine,
}

impl Compiler {
    /// Sets LLVM up for this machine.
    ///
    /// # Errors
    /// LLVM's words when it has no target for it.
    pub fn new() -> Result<Self, String> {
        Target::initialize_x86(&InitializationConfig::default());
        let triple = TargetMachine::get_default_triple();
        let target = Target::from_triple(&triple).map_err(|error| error.to_string())?;
        // Addresses are constants in the code, so no relocation refers to anything outside of it.
        let machine = target
            .create_target_machine(
                &triple,
                TargetMachine::get_host_cpu_name()
                    .to_str()
                    .unwrap_or("generic"),
                TargetMachine::get_host_cpu_features()
                    .to_str()
                    .unwrap_or(""),
                OptimizationLevel::Default,
                RelocMode::Static,
                CodeModel::Small,
            )
            .ok_or_else(|| format!("no target machine for {triple}"))?;
        Ok(Compiler {
            context: Context::create(),
            machine,
        })
    }

    /// Compiles or lists the thunk in `source`.
    ///
    /// # Errors
    /// What is wrong with the text, or what LLVM says.
    pub fn answer(&mut self, source: &str, request: Request) -> Result<Reply, String> {
        let function = text::parse(source).map_err(|error| error.to_string())?;
        verify::verify(&function).map_err(|error| error.to_string())?;
        let module = self.context.create_module(&function.name);
        module.set_triple(&self.machine.get_triple());
        module.set_data_layout(&self.machine.get_target_data().get_data_layout());
        translate::translate(&function, &self.context, &module)?;
        module.verify().map_err(|error| error.to_string())?;
        module
            .run_passes(PASSES, &self.machine, PassBuilderOptions::create())
            .map_err(|error| error.to_string())?;
        if request == Request::LlvmIr {
            return Ok(Reply::text(module.print_to_string().to_string()));
        }
        let object = self
            .machine
            .write_to_memory_buffer(&module, FileType::Object)
            .map_err(|error| error.to_string())?;
        object_file::machine_code(object.as_slice()).map(Reply::code)
    }
}
