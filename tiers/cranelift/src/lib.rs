//! Tier 1: thunk IR to machine code through Cranelift.
//!
//! A mechanical translation, op by op, then `Context::compile` into bytes that run anywhere: every
//! address is a constant in the code. Placing the bytes is the core's.

mod translate;

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::immediates::Imm64;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::isa::unwind::UnwindInfo;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{Final, MachSrcLoc};
use cranelift_frontend::FunctionBuilderContext;
use gijit::code::disasm;
use gijit::compile::backend::{Backend, BackendError, Listing, MachineCode, StepAt, Unwind};
use gijit::ir::{Function, SymbolDecl};

/// Cranelift for the machine that it runs on.
pub struct CraneliftBackend {
    isa: OwnedTargetIsa,
    context: Context,
    builder: FunctionBuilderContext,
}

impl CraneliftBackend {
    /// Sets Cranelift up for this machine.
    ///
    /// # Errors
    /// [`BackendError::Unavailable`] when Cranelift has no back end for it.
    pub fn new() -> Result<Self, BackendError> {
        let mut flags = settings::builder();
        for (name, value) in [
            // The lowering leaves nothing to optimise: code comes out as fast and as small without,
            // and a fifth sooner.
            ("opt_level", "none"),
            ("is_pic", "false"),
            ("unwind_info", "true"),
            // A probe of the stack would be a call with a relocation; frames are far below a page.
            ("enable_probestack", "false"),
            (
                "enable_verifier",
                if cfg!(debug_assertions) {
                    "true"
                } else {
                    "false"
                },
            ),
        ] {
            flags
                .set(name, value)
                .map_err(|error| BackendError::Bug(format!("Cranelift's {name}: {error}")))?;
        }
        let isa = cranelift_native::builder()
            .map_err(|error| BackendError::Unavailable(error.to_owned()))?
            .finish(settings::Flags::new(flags))
            .map_err(|error| BackendError::Unavailable(error.to_string()))?;
        Ok(CraneliftBackend {
            isa,
            context: Context::new(),
            builder: FunctionBuilderContext::new(),
        })
    }

    fn translate(&mut self, function: &Function) {
        self.context.clear();
        translate::translate(
            function,
            &mut self.context.func,
            &mut self.builder,
            &*self.isa,
        );
    }
}

impl Backend for CraneliftBackend {
    fn compile(&mut self, function: &Function) -> Result<MachineCode, BackendError> {
        self.translate(function);
        let code = self
            .context
            .compile(&*self.isa, &mut ControlPlane::default())
            .map_err(|error| BackendError::Bug(format!("{:?}", error.inner)))?;
        if let Some(relocation) = code.buffer.relocs().first() {
            return Err(BackendError::Bug(format!(
                "unexpected relocation {relocation:?}"
            )));
        }
        let unwind = code
            .create_unwind_info(&*self.isa)
            .map_err(|error| BackendError::Bug(format!("unwind info: {error}")))?;
        let unwind = match unwind {
            Some(UnwindInfo::SystemV(info)) => Some(eh_frame(&*self.isa, &info)?),
            _ => None,
        };
        Ok(MachineCode {
            bytes: code.code_buffer().to_vec(),
            align: 64,
            entry: 0,
            unwind,
            steps: steps(code.buffer.get_srclocs_sorted()),
        })
    }

    fn list(&mut self, function: &Function, what: Listing) -> Result<String, BackendError> {
        match what {
            Listing::Ir => {
                self.translate(&function.without_notes());
                Ok(with_names(
                    &self.context.func.display().to_string(),
                    function,
                ))
            }
            Listing::Asm => Ok(disasm::disassemble(&self.compile(function)?, function)),
        }
    }
}

/// CLIF has no names for addresses: adds them to the lines that make one.
fn with_names(clif: &str, function: &Function) -> String {
    let made = |line: &str, symbol: &SymbolDecl| {
        let address = Imm64::new(symbol.address as i64);
        symbol.address != 0 && line.ends_with(&format!("iconst.i64 {address}"))
    };
    let mut out = String::new();
    for line in clif.lines() {
        out += line;
        if let Some(symbol) = function.symbols.iter().find(|symbol| made(line, symbol)) {
            out += "  ; ";
            out += &symbol.name;
        }
        out.push('\n');
    }
    out
}

/// Source locations are steps. What has none prepares what follows (constants, moves), but for the
/// beginning, which sets the frame up.
fn steps(locations: &[MachSrcLoc<Final>]) -> Vec<StepAt> {
    let mut steps: Vec<StepAt> = Vec::new();
    let mut end = None;
    for location in locations {
        let step = match location.loc.is_default() {
            true => 0,
            false => location.loc.bits(),
        };
        let offset = end.unwrap_or(location.start);
        end = Some(location.end);
        if steps.last().map_or(0, |last| last.step) != step {
            steps.push(StepAt { offset, step });
        }
    }
    steps
}

/// A complete `.eh_frame` section for one function, whose address is filled in when it is placed.
fn eh_frame(
    isa: &dyn cranelift_codegen::isa::TargetIsa,
    info: &cranelift_codegen::isa::unwind::systemv::UnwindInfo,
) -> Result<Unwind, BackendError> {
    use gimli::write::{Address, EhFrame, EndianVec, FrameTable};

    let mut table = FrameTable::default();
    let mut cie = isa
        .create_systemv_cie()
        .ok_or_else(|| BackendError::Bug("Cranelift gives no CIE for this machine".to_owned()))?;
    cie.fde_address_encoding = gimli::DwEhPe(gimli::DW_EH_PE_pcrel.0 | gimli::DW_EH_PE_sdata4.0);
    let cie = table.add_cie(cie);
    table.add_fde(cie, info.to_fde(Address::Constant(0)));
    let mut section = EhFrame(EndianVec::new(gimli::LittleEndian));
    table
        .write_eh_frame(&mut section)
        .map_err(|error| BackendError::Bug(format!(".eh_frame: {error}")))?;
    let eh_frame = section.0.into_vec();
    // The CIE and its length; then the FDE's length, the way back to the CIE, and the address.
    let length = eh_frame
        .first_chunk()
        .ok_or_else(|| BackendError::Bug(".eh_frame is empty".to_owned()))?;
    let pc_begin = 4 + u32::from_le_bytes(*length) as usize + 8;
    Ok(Unwind { eh_frame, pc_begin })
}
