//! Thunk IR to LLVM IR, one op to one or a few instructions.
//!
//! Where LLVM would leave more undefined than thunk IR does, the translation says what is meant:
//! shift amounts are taken modulo the width, loads and stores assume no alignment, NULL is an
//! address like any other, and nothing is assumed of the upper bits of a narrow result (a C
//! compiler need not extend what it returns).

mod arithmetic;
mod lines;
mod types;

use gijit::ir::steps::{Steps, Walk};
use gijit::ir::{self, Callee, Function, Inst, SigRef, Terminator, Type, Value};
use inkwell::IntPredicate;
use inkwell::attributes::AttributeLoc;
use inkwell::basic_block::BasicBlock;
use inkwell::builder::{Builder, BuilderError};
use inkwell::context::Context;
use inkwell::module::Module;
use inkwell::types::{BasicTypeEnum, FunctionType};
use inkwell::values::{
    BasicMetadataValueEnum, BasicValue, BasicValueEnum, CallSiteValue, FloatValue, FunctionValue,
    InstructionValue, IntValue, LLVMTailCallKind, PhiValue, PointerValue,
};

use lines::Lines;
use types::{address, basic_type, extension, function_attributes, function_type};

/// How an address outside of the function is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Symbols {
    /// As a constant: for machine code.
    Addresses,
    /// As a declaration: for people, and the same in every process.
    Names,
}

type Built<T> = Result<T, BuilderError>;

/// Weights of a branch of which one side is cold.
const LIKELY: u64 = 2000;
const UNLIKELY: u64 = 1;

/// Writes the verified `function` into `module`.
pub(crate) fn translate<'ctx>(
    function: &Function,
    context: &'ctx Context,
    module: &Module<'ctx>,
    symbols: Symbols,
) -> Built<()> {
    let llvm = module.add_function(
        // The prefix keeps a callable's name from being taken for one of LLVM's own.
        &format!("thunk {}", function.name),
        function_type(context, &function.signature),
        None,
    );
    for attribute in function_attributes(context) {
        llvm.add_attribute(AttributeLoc::Function, attribute);
    }
    if let Some(attribute) = function
        .signature
        .result
        .and_then(|r| extension(context, r))
    {
        llvm.add_attribute(AttributeLoc::Return, attribute);
    }
    let builder = context.create_builder();
    let blocks: Vec<_> = (0..function.blocks.len())
        .map(|index| context.append_basic_block(llvm, &format!("block{index}")))
        .collect();
    builder.position_at_end(blocks[0]);
    let mut slots = Vec::new();
    for (index, &size) in function.slots.iter().enumerate() {
        let words = context.i64_type().array_type(size.div_ceil(8));
        slots.push(builder.build_alloca(words, &format!("s{index}"))?);
    }
    let addresses = function
        .symbols
        .iter()
        .map(|symbol| match symbols {
            Symbols::Addresses => address(context, symbol.address),
            Symbols::Names => module
                .add_global(context.i8_type(), None, &symbol.name)
                .as_pointer_value(),
        })
        .collect();
    let mut translator = Translator {
        function,
        context,
        llvm,
        builder,
        blocks,
        slots,
        symbols: addresses,
        signatures: function
            .signatures
            .iter()
            .map(|signature| function_type(context, signature))
            .collect(),
        values: vec![None; function.values.len()],
        phis: vec![Vec::new(); function.blocks.len()],
        edges: vec![None; function.blocks.len()],
        named: symbols == Symbols::Names,
        lines: Lines::new(function, context, module, llvm),
    };
    translator.body()?;
    if let Some(lines) = translator.lines {
        lines.finish();
    }
    Ok(())
}

struct Translator<'a, 'ctx> {
    function: &'a Function,
    context: &'ctx Context,
    llvm: FunctionValue<'ctx>,
    builder: Builder<'ctx>,
    blocks: Vec<BasicBlock<'ctx>>,
    slots: Vec<PointerValue<'ctx>>,
    symbols: Vec<PointerValue<'ctx>>,
    signatures: Vec<FunctionType<'ctx>>,
    values: Vec<Option<BasicValueEnum<'ctx>>>,
    /// Per block, one for each of its parameters.
    phis: Vec<Vec<PhiValue<'ctx>>>,
    /// Of a block that branches to one block both ways: the block on its second edge, since a phi
    /// has one value for each predecessor.
    edges: Vec<Option<BasicBlock<'ctx>>>,
    /// Whether values keep their names.
    named: bool,
    /// Where the function has notes.
    lines: Option<Lines<'ctx>>,
}

impl<'ctx> Translator<'_, 'ctx> {
    fn body(&mut self) -> Built<()> {
        let order = self.function.reverse_postorder();
        let steps = Steps::of(self.function);
        for &block in &order {
            self.block(block, steps.walk(block))?;
        }
        self.builder.unset_current_debug_location();
        for &block in &order {
            self.join(block);
        }
        for (index, block) in self.blocks.iter().enumerate() {
            if !order.contains(&ir::Block(index as u32)) {
                // Nothing jumps there, and a block without an end is not valid.
                self.builder.position_at_end(*block);
                self.builder.build_unreachable()?;
            }
        }
        Ok(())
    }

    fn block(&mut self, block: ir::Block, mut walk: Walk) -> Built<()> {
        let data = &self.function.blocks[block.index()];
        self.builder.position_at_end(self.blocks[block.index()]);
        for (index, &param) in data.params.iter().enumerate() {
            let value = if block.0 == 0 {
                let value = self.llvm.get_nth_param(index as u32);
                let value = value.expect("verified: the entry's parameters are the function's");
                value.set_name(&self.name(param));
                value
            } else {
                let ty = self.ty(self.function.ty(param));
                let phi = self.builder.build_phi(ty, &self.name(param))?;
                self.phis[block.index()].push(phi);
                phi.as_basic_value()
            };
            self.values[param.index()] = Some(value);
        }
        self.at_step(walk.step());
        for inst in &data.insts {
            match inst {
                Inst::Note { .. } => self.at_step(walk.note()),
                inst => self.inst(inst)?,
            }
        }
        let terminator = data.terminator.as_ref().expect("verified: a block ends");
        self.terminator(block, terminator)
    }

    /// What follows belongs to this step.
    fn at_step(&self, step: u32) {
        if let Some(lines) = &self.lines {
            lines.set(&self.builder, step);
        }
    }

    /// Gives the phis of the blocks that `block` jumps to their values on this edge.
    fn join(&mut self, block: ir::Block) {
        let terminator = self.function.blocks[block.index()].terminator.as_ref();
        let targets = terminator.into_iter().flat_map(Terminator::targets);
        for (side, target) in targets.enumerate() {
            let from = match self.edges[block.index()] {
                Some(edge) if side == 1 => edge,
                _ => self.blocks[block.index()],
            };
            for (phi, &arg) in self.phis[target.block.index()].iter().zip(&target.args) {
                phi.add_incoming(&[(&self.get(arg), from)]);
            }
        }
    }

    fn inst(&mut self, inst: &Inst) -> Built<()> {
        let (dst, value) = match inst {
            Inst::Note { .. } => return Ok(()),
            Inst::Store {
                value,
                base,
                offset,
            } => {
                let place = self.place(*base, *offset)?;
                let store = self.builder.build_store(place, self.get(*value))?;
                unaligned(store);
                return Ok(());
            }
            Inst::Call {
                dst,
                callee,
                sig,
                args,
            } => {
                let call = self.call(*callee, *sig, args, dst.map(|dst| self.name(dst)))?;
                match (dst, call.try_as_basic_value().basic()) {
                    (Some(dst), Some(value)) => (*dst, value),
                    _ => return Ok(()),
                }
            }
            Inst::Const { dst, bits } => (*dst, self.constant(self.function.ty(*dst), *bits)?),
            Inst::SymbolAddr { dst, symbol } => (*dst, self.symbols[symbol.index()].into()),
            Inst::SlotAddr { dst, slot } => (*dst, self.slots[slot.index()].into()),
            Inst::Load { dst, base, offset } => {
                let place = self.place(*base, *offset)?;
                let ty = self.ty(self.function.ty(*dst));
                let value = self.builder.build_load(ty, place, &self.name(*dst))?;
                unaligned(value.as_instruction_value().expect("a load is one"));
                (*dst, value)
            }
            Inst::Binary { dst, op, lhs, rhs } => (*dst, self.binary(*dst, *op, *lhs, *rhs)?),
            Inst::Compare {
                dst,
                cond,
                lhs,
                rhs,
            } => (*dst, self.compare(*dst, *cond, *lhs, *rhs)?),
            Inst::Convert { dst, op, value } => (*dst, self.convert(*dst, *op, *value)?),
            Inst::Select {
                dst,
                cond,
                on_true,
                on_false,
            } => {
                let (yes, no) = (self.get(*on_true), self.get(*on_false));
                let cond = self.condition(*cond)?;
                let value = self.builder.build_select(cond, yes, no, &self.name(*dst))?;
                (*dst, value)
            }
        };
        self.values[dst.index()] = Some(value);
        Ok(())
    }

    fn call(
        &self,
        callee: Callee,
        sig: SigRef,
        args: &[Value],
        name: Option<String>,
    ) -> Built<CallSiteValue<'ctx>> {
        let callee = match callee {
            Callee::Symbol(symbol) => self.symbols[symbol.index()],
            Callee::Value(value) => self.get(value).into_pointer_value(),
        };
        let args: Vec<BasicMetadataValueEnum> = args.iter().map(|&v| self.get(v).into()).collect();
        let call = self.builder.build_indirect_call(
            self.signatures[sig.index()],
            callee,
            &args,
            &name.unwrap_or_default(),
        )?;
        let params = &self.function.signatures[sig.index()].params;
        for (index, &param) in params.iter().enumerate() {
            if let Some(attribute) = extension(self.context, param) {
                call.add_attribute(AttributeLoc::Param(index as u32), attribute);
            }
        }
        Ok(call)
    }

    fn terminator(&mut self, block: ir::Block, terminator: &Terminator) -> Built<()> {
        match terminator {
            Terminator::Jump(target) => {
                self.builder
                    .build_unconditional_branch(self.blocks[target.block.index()])?;
            }
            Terminator::Branch {
                cond,
                then,
                otherwise,
            } => {
                let cond = self.condition(*cond)?;
                let yes = self.blocks[then.block.index()];
                let mut no = self.blocks[otherwise.block.index()];
                if yes == no {
                    no = self.context.append_basic_block(self.llvm, "edge");
                    self.edges[block.index()] = Some(no);
                }
                let branch = self.builder.build_conditional_branch(cond, yes, no)?;
                if self.edges[block.index()].is_some() {
                    self.builder.position_at_end(no);
                    self.builder.build_unconditional_branch(yes)?;
                }
                let cold = |block: ir::Block| self.function.blocks[block.index()].cold;
                match (cold(then.block), cold(otherwise.block)) {
                    (true, false) => self.weigh(branch, UNLIKELY, LIKELY),
                    (false, true) => self.weigh(branch, LIKELY, UNLIKELY),
                    _ => {}
                }
            }
            Terminator::Return(value) => {
                self.builder.build_return(Some(&self.get(*value)))?;
            }
            Terminator::TailCall { callee, sig, args } => {
                let call = self.call(*callee, *sig, args, None)?;
                // Not `musttail`: a code generator that cannot obey it ends the process.
                call.set_tail_call_kind(LLVMTailCallKind::LLVMTailCallKindTail);
                let result = call.try_as_basic_value().basic();
                self.builder
                    .build_return(result.as_ref().map(|value| value as &dyn BasicValue))?;
            }
        }
        Ok(())
    }

    fn weigh(&self, branch: InstructionValue<'ctx>, then: u64, otherwise: u64) {
        let weight = |value| self.context.i32_type().const_int(value, false).into();
        let node = self.context.metadata_node(&[
            self.context.metadata_string("branch_weights").into(),
            weight(then),
            weight(otherwise),
        ]);
        branch
            .set_metadata(node, self.context.get_kind_id("prof"))
            .expect("the metadata is a node");
    }

    /// An `I8` as what LLVM branches on.
    fn condition(&self, value: Value) -> Built<IntValue<'ctx>> {
        let value = self.get(value).into_int_value();
        let zero = value.get_type().const_zero();
        self.builder
            .build_int_compare(IntPredicate::NE, value, zero, "")
    }

    fn place(&self, base: Value, offset: i32) -> Built<PointerValue<'ctx>> {
        let base = self.get(base).into_pointer_value();
        if offset == 0 {
            return Ok(base);
        }
        let offset = self.context.i64_type().const_int(offset as u64, false);
        // SAFETY: without `inbounds` this is plain address arithmetic, right for any operands.
        unsafe {
            self.builder
                .build_gep(self.context.i8_type(), base, &[offset], "")
        }
    }

    fn get(&self, value: Value) -> BasicValueEnum<'ctx> {
        self.values[value.index()].expect("verified: defined before its use")
    }

    /// An integer, or an address as one.
    fn int(&self, value: Value) -> Built<IntValue<'ctx>> {
        match self.get(value) {
            BasicValueEnum::PointerValue(address) => {
                self.builder
                    .build_ptr_to_int(address, self.context.i64_type(), "")
            }
            value => Ok(value.into_int_value()),
        }
    }

    fn float(&self, value: Value) -> FloatValue<'ctx> {
        self.get(value).into_float_value()
    }

    fn ty(&self, of: Type) -> BasicTypeEnum<'ctx> {
        basic_type(self.context, of)
    }

    fn name(&self, value: Value) -> String {
        match self.named {
            true => format!("v{}", value.0),
            false => String::new(),
        }
    }
}

/// No alignment is assumed of addresses that come from C.
fn unaligned(access: InstructionValue<'_>) {
    access
        .set_alignment(1)
        .expect("a load or store has an alignment");
}
