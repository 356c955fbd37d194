//! The steps of the plan as source lines, so that LLVM carries them through to its line table.

use gijit::ir::Function;
use gijit::ir::steps::Steps;
use inkwell::builder::Builder;
use inkwell::context::Context;
use inkwell::debug_info::{
    AsDIScope, DIFlags, DIFlagsConstants, DISubprogram, DWARFEmissionKind, DWARFSourceLanguage,
    DebugInfoBuilder,
};
use inkwell::module::{FlagBehavior, Module};
use inkwell::values::FunctionValue;

/// The debug information of one function: one file in which a line is a step.
pub(super) struct Lines<'ctx> {
    context: &'ctx Context,
    builder: DebugInfoBuilder<'ctx>,
    function: DISubprogram<'ctx>,
}

impl<'ctx> Lines<'ctx> {
    /// `None` when `function` has no notes; LLVM then emits no debug information.
    pub fn new(
        function: &Function,
        context: &'ctx Context,
        module: &Module<'ctx>,
        llvm: FunctionValue<'ctx>,
    ) -> Option<Self> {
        if Steps::of(function).is_empty() {
            return None;
        }
        // Version 4 of DWARF keeps the line table in one section with one relocation.
        for (name, value) in [("Debug Info Version", 3), ("Dwarf Version", 4)] {
            let value = context.i32_type().const_int(value, false);
            module.add_basic_value_flag(name, FlagBehavior::Warning, value);
        }
        let (builder, unit) = module.create_debug_info_builder(
            true,
            DWARFSourceLanguage::C,
            "plan",
            "",
            "gijit",
            true,
            "",
            0,
            "",
            DWARFEmissionKind::LineTablesOnly,
            0,
            false,
            false,
            "",
            "",
        );
        let file = unit.get_file();
        let ty = builder.create_subroutine_type(file, None, &[], DIFlags::PUBLIC);
        let subprogram = builder.create_function(
            unit.as_debug_info_scope(),
            &function.name,
            None,
            file,
            0,
            ty,
            true,
            true,
            0,
            DIFlags::PUBLIC,
            true,
        );
        llvm.set_subprogram(subprogram);
        Some(Lines {
            context,
            builder,
            function: subprogram,
        })
    }

    /// What `builder` makes from now on is of this step.
    pub fn set(&self, builder: &Builder<'ctx>, step: u32) {
        let scope = self.function.as_debug_info_scope();
        let location = self
            .builder
            .create_debug_location(self.context, step, 0, scope, None);
        builder.set_current_debug_location(location);
    }

    /// All ops are translated.
    pub fn finish(self) {
        self.builder.finalize();
    }
}
