//! Thunk IR to LLVM IR, one op to one or two instructions.

use gijit::ir::{
    AbiType, BinaryOp, CallSignature, Callee, Condition, ConvertOp, Function, Inst, SigRef, Target,
    Terminator, Type, Value,
};
use inkwell::attributes::{Attribute, AttributeLoc};
use inkwell::basic_block::BasicBlock;
use inkwell::builder::{Builder, BuilderError};
use inkwell::context::Context;
use inkwell::module::Module;
use inkwell::types::{BasicMetadataTypeEnum, BasicTypeEnum, FunctionType};
use inkwell::values::{
    BasicMetadataValueEnum, BasicValue, BasicValueEnum, FunctionValue, IntValue, PhiValue,
    PointerValue,
};
use inkwell::{AddressSpace, FloatPredicate, IntPredicate};

/// The thunk's name in LLVM's module.
pub(crate) const ENTRY: &str = "thunk";

/// Writes `function` into `module`.
pub(crate) fn translate<'ctx>(
    function: &Function,
    context: &'ctx Context,
    module: &Module<'ctx>,
) -> Result<(), String> {
    let llvm = module.add_function(ENTRY, signature(&function.signature, context), None);
    // `uwtable` with 2 asks for unwind information at every instruction.
    for (name, value) in [("nounwind", 0), ("uwtable", 2)] {
        let kind = Attribute::get_named_enum_kind_id(name);
        llvm.add_attribute(
            AttributeLoc::Function,
            context.create_enum_attribute(kind, value),
        );
    }
    let blocks: Vec<BasicBlock<'ctx>> = (0..function.blocks.len())
        .map(|index| context.append_basic_block(llvm, &format!("block{index}")))
        .collect();
    let mut translator = Translator {
        function,
        context,
        llvm,
        b: context.create_builder(),
        values: vec![None; function.values.len()],
        phis: vec![Vec::new(); blocks.len()],
        blocks,
        slots: Vec::new(),
    };
    translator.all().map_err(|error| error.to_string())?;
    // Blocks that nothing reaches were not translated; LLVM wants every block to end.
    let reached = function.reverse_postorder();
    for (index, block) in translator.blocks.iter().enumerate() {
        if !reached.iter().any(|reached| reached.index() == index) {
            // SAFETY: nothing refers to the block: it is no successor and defines no value.
            unsafe { block.delete() }.map_err(|()| "an unreached block is in use".to_owned())?;
        }
    }
    Ok(())
}

struct Translator<'a, 'ctx> {
    function: &'a Function,
    context: &'ctx Context,
    llvm: FunctionValue<'ctx>,
    b: Builder<'ctx>,
    blocks: Vec<BasicBlock<'ctx>>,
    values: Vec<Option<BasicValueEnum<'ctx>>>,
    /// The phis of each block, in the order of its parameters.
    phis: Vec<Vec<PhiValue<'ctx>>>,
    slots: Vec<PointerValue<'ctx>>,
}

impl<'ctx> Translator<'_, 'ctx> {
    fn all(&mut self) -> Result<(), BuilderError> {
        let order = self.function.reverse_postorder();
        for block in &order[1..] {
            self.b.position_at_end(self.blocks[block.index()]);
            for &param in &self.function.blocks[block.index()].params {
                let phi = self.b.build_phi(self.ty(self.function.ty(param)), "")?;
                self.values[param.index()] = Some(phi.as_basic_value());
                self.phis[block.index()].push(phi);
            }
        }
        for (param, value) in self.function.blocks[0]
            .params
            .iter()
            .zip(self.llvm.get_param_iter())
        {
            self.values[param.index()] = Some(value);
        }
        self.b.position_at_end(self.blocks[0]);
        for &size in &self.function.slots {
            let words = self.context.i64_type().array_type(size.div_ceil(8));
            self.slots.push(self.b.build_alloca(words, "")?);
        }
        for block in order {
            self.b.position_at_end(self.blocks[block.index()]);
            let data = &self.function.blocks[block.index()];
            for inst in &data.insts {
                self.inst(inst)?;
            }
            let terminator = data.terminator.as_ref().expect("verified: a block ends");
            self.terminator(block.index(), terminator)?;
        }
        Ok(())
    }

    fn inst(&mut self, inst: &Inst) -> Result<(), BuilderError> {
        let (dst, value) = match inst {
            Inst::Note { .. } => return Ok(()),
            Inst::Store {
                value,
                base,
                offset,
            } => {
                let address = self.address(*base, *offset)?;
                self.b.build_store(address, self.get(*value))?;
                return Ok(());
            }
            Inst::Call {
                dst,
                callee,
                sig,
                args,
            } => {
                let result = self.call(*callee, *sig, args, false)?;
                match dst {
                    Some(dst) => (*dst, result.expect("verified: the signature has a result")),
                    None => return Ok(()),
                }
            }
            Inst::Const { dst, bits } => (*dst, self.constant(self.function.ty(*dst), *bits)),
            Inst::SymbolAddr { dst, symbol } => {
                let address = self.function.symbols[symbol.index()].address;
                (*dst, self.pointer(address).into())
            }
            Inst::SlotAddr { dst, slot } => (*dst, self.slots[slot.index()].into()),
            Inst::Load { dst, base, offset } => {
                let address = self.address(*base, *offset)?;
                (
                    *dst,
                    self.b
                        .build_load(self.ty(self.function.ty(*dst)), address, "")?,
                )
            }
            Inst::Binary { dst, op, lhs, rhs } => (*dst, self.binary(*op, *lhs, *rhs)?),
            Inst::Compare {
                dst,
                cond,
                lhs,
                rhs,
            } => {
                let bit = self.compare(*cond, *lhs, *rhs)?;
                let byte = self.b.build_int_z_extend(bit, self.context.i8_type(), "")?;
                (*dst, byte.into())
            }
            Inst::Convert { dst, op, value } => (*dst, self.convert(*op, *value, *dst)?),
            Inst::Select {
                dst,
                cond,
                on_true,
                on_false,
            } => {
                let bit = self.condition(*cond)?;
                (
                    *dst,
                    self.b
                        .build_select(bit, self.get(*on_true), self.get(*on_false), "")?,
                )
            }
        };
        self.values[dst.index()] = Some(value);
        Ok(())
    }

    fn constant(&self, of: Type, bits: u64) -> BasicValueEnum<'ctx> {
        match self.ty(of) {
            BasicTypeEnum::IntType(ty) => ty.const_int(bits, false).into(),
            BasicTypeEnum::FloatType(ty) if of == Type::F32 => ty
                .const_float(f64::from(f32::from_bits(bits as u32)))
                .into(),
            BasicTypeEnum::FloatType(ty) => ty.const_float(f64::from_bits(bits)).into(),
            _ => self.pointer(bits).into(),
        }
    }

    fn pointer(&self, address: u64) -> PointerValue<'ctx> {
        let ptr = self.context.ptr_type(AddressSpace::default());
        self.context
            .i64_type()
            .const_int(address, false)
            .const_to_pointer(ptr)
    }

    fn address(&self, base: Value, offset: i32) -> Result<PointerValue<'ctx>, BuilderError> {
        let base = self.get(base).into_pointer_value();
        let offset = self
            .context
            .i64_type()
            .const_int(i64::from(offset) as u64, true);
        self.offset(base, offset)
    }

    fn offset(
        &self,
        base: PointerValue<'ctx>,
        bytes: IntValue<'ctx>,
    ) -> Result<PointerValue<'ctx>, BuilderError> {
        // SAFETY: a byte offset without `inbounds`: LLVM takes no conclusion from it.
        unsafe { self.b.build_gep(self.context.i8_type(), base, &[bytes], "") }
    }

    fn binary(
        &self,
        op: BinaryOp,
        lhs: Value,
        rhs: Value,
    ) -> Result<BasicValueEnum<'ctx>, BuilderError> {
        let b = &self.b;
        match (self.get(lhs), self.get(rhs)) {
            (BasicValueEnum::IntValue(lhs), BasicValueEnum::IntValue(rhs)) => Ok(match op {
                BinaryOp::Add => b.build_int_add(lhs, rhs, ""),
                BinaryOp::Sub => b.build_int_sub(lhs, rhs, ""),
                BinaryOp::Mul => b.build_int_mul(lhs, rhs, ""),
                BinaryOp::And => b.build_and(lhs, rhs, ""),
                BinaryOp::Or => b.build_or(lhs, rhs, ""),
                BinaryOp::Xor => b.build_xor(lhs, rhs, ""),
                BinaryOp::Shl => b.build_left_shift(lhs, rhs, ""),
                BinaryOp::Shr => b.build_right_shift(lhs, rhs, false, ""),
                BinaryOp::Sar => b.build_right_shift(lhs, rhs, true, ""),
            }?
            .into()),
            (BasicValueEnum::FloatValue(lhs), BasicValueEnum::FloatValue(rhs)) => Ok(match op {
                BinaryOp::Add => b.build_float_add(lhs, rhs, ""),
                BinaryOp::Sub => b.build_float_sub(lhs, rhs, ""),
                _ => b.build_float_mul(lhs, rhs, ""),
            }?
            .into()),
            (lhs, rhs) => {
                let i64_type = self.context.i64_type();
                let bytes = b.build_ptr_to_int(rhs.into_pointer_value(), i64_type, "")?;
                let bytes = match op {
                    BinaryOp::Sub => b.build_int_neg(bytes, "")?,
                    _ => bytes,
                };
                Ok(self.offset(lhs.into_pointer_value(), bytes)?.into())
            }
        }
    }

    fn compare(
        &self,
        cond: Condition,
        lhs: Value,
        rhs: Value,
    ) -> Result<IntValue<'ctx>, BuilderError> {
        let (lhs, rhs) = (self.get(lhs), self.get(rhs));
        let int = match cond {
            Condition::Eq => IntPredicate::EQ,
            Condition::Ne => IntPredicate::NE,
            Condition::Slt => IntPredicate::SLT,
            Condition::Sle => IntPredicate::SLE,
            Condition::Sgt => IntPredicate::SGT,
            Condition::Sge => IntPredicate::SGE,
            Condition::Ult => IntPredicate::ULT,
            Condition::Ule => IntPredicate::ULE,
            Condition::Ugt => IntPredicate::UGT,
            Condition::Uge => IntPredicate::UGE,
            Condition::Feq | Condition::Flt | Condition::Fle => {
                let float = match cond {
                    Condition::Feq => FloatPredicate::OEQ,
                    Condition::Flt => FloatPredicate::OLT,
                    _ => FloatPredicate::OLE,
                };
                let (lhs, rhs) = (lhs.into_float_value(), rhs.into_float_value());
                return self.b.build_float_compare(float, lhs, rhs, "");
            }
        };
        match (lhs, rhs) {
            (BasicValueEnum::PointerValue(lhs), BasicValueEnum::PointerValue(rhs)) => {
                self.b.build_int_compare(int, lhs, rhs, "")
            }
            _ => self
                .b
                .build_int_compare(int, lhs.into_int_value(), rhs.into_int_value(), ""),
        }
    }

    fn convert(
        &self,
        op: ConvertOp,
        value: Value,
        dst: Value,
    ) -> Result<BasicValueEnum<'ctx>, BuilderError> {
        let b = &self.b;
        let value = self.get(value);
        Ok(match (op, value, self.ty(self.function.ty(dst))) {
            (ConvertOp::Zext, BasicValueEnum::IntValue(v), BasicTypeEnum::IntType(to)) => {
                b.build_int_z_extend(v, to, "")?.into()
            }
            (ConvertOp::Sext, BasicValueEnum::IntValue(v), BasicTypeEnum::IntType(to)) => {
                b.build_int_s_extend(v, to, "")?.into()
            }
            (ConvertOp::Trunc, BasicValueEnum::IntValue(v), BasicTypeEnum::IntType(to)) => {
                b.build_int_truncate(v, to, "")?.into()
            }
            (ConvertOp::SintToFloat, BasicValueEnum::IntValue(v), BasicTypeEnum::FloatType(to)) => {
                b.build_signed_int_to_float(v, to, "")?.into()
            }
            (ConvertOp::Fdemote, BasicValueEnum::FloatValue(v), BasicTypeEnum::FloatType(to)) => {
                b.build_float_trunc(v, to, "")?.into()
            }
            (ConvertOp::Fpromote, BasicValueEnum::FloatValue(v), BasicTypeEnum::FloatType(to)) => {
                b.build_float_ext(v, to, "")?.into()
            }
            (_, BasicValueEnum::PointerValue(v), BasicTypeEnum::IntType(to)) => {
                b.build_ptr_to_int(v, to, "")?.into()
            }
            (_, BasicValueEnum::IntValue(v), BasicTypeEnum::PointerType(to)) => {
                b.build_int_to_ptr(v, to, "")?.into()
            }
            (_, v, to) => b.build_bit_cast(v, to, "")?,
        })
    }

    fn call(
        &self,
        callee: Callee,
        sig: SigRef,
        args: &[Value],
        tail: bool,
    ) -> Result<Option<BasicValueEnum<'ctx>>, BuilderError> {
        let of = &self.function.signatures[sig.index()];
        let callee = match callee {
            Callee::Symbol(symbol) => self.pointer(self.function.symbols[symbol.index()].address),
            Callee::Value(value) => self.get(value).into_pointer_value(),
        };
        let args: Vec<BasicMetadataValueEnum<'ctx>> =
            args.iter().map(|&arg| self.get(arg).into()).collect();
        let call = self
            .b
            .build_indirect_call(signature(of, self.context), callee, &args, "")?;
        call.set_tail_call(tail);
        for (index, param) in of.params.iter().enumerate() {
            if let Some(attribute) = extension(*param, self.context) {
                call.add_attribute(AttributeLoc::Param(index as u32), attribute);
            }
        }
        Ok(call.try_as_basic_value().basic())
    }

    fn terminator(&mut self, from: usize, terminator: &Terminator) -> Result<(), BuilderError> {
        match terminator {
            Terminator::Jump(target) => {
                self.add_incoming(from, target);
                self.b
                    .build_unconditional_branch(self.blocks[target.block.index()])?;
            }
            Terminator::Branch {
                cond,
                then,
                otherwise,
            } => {
                let bit = self.condition(*cond)?;
                self.add_incoming(from, then);
                self.add_incoming(from, otherwise);
                let (to_then, to_otherwise) = (
                    self.blocks[then.block.index()],
                    self.blocks[otherwise.block.index()],
                );
                let branch = self
                    .b
                    .build_conditional_branch(bit, to_then, to_otherwise)?;
                let cold = |t: &Target| self.function.blocks[t.block.index()].cold;
                if cold(then) != cold(otherwise) {
                    let weight = |cold| {
                        self.context
                            .i32_type()
                            .const_int(if cold { 1 } else { 2000 }, false)
                    };
                    let name = self.context.metadata_string("branch_weights");
                    let node = self.context.metadata_node(&[
                        name.into(),
                        weight(cold(then)).into(),
                        weight(cold(otherwise)).into(),
                    ]);
                    branch
                        .set_metadata(node, self.context.get_kind_id("prof"))
                        .expect("a branch takes branch weights");
                }
            }
            Terminator::Return(value) => {
                self.b
                    .build_return(Some(&self.get(*value) as &dyn BasicValue<'ctx>))?;
            }
            Terminator::TailCall { callee, sig, args } => {
                let result = self.call(*callee, *sig, args, true)?;
                let result = result.as_ref().map(|value| value as &dyn BasicValue<'ctx>);
                self.b.build_return(result)?;
            }
        }
        Ok(())
    }

    fn add_incoming(&self, from: usize, target: &Target) {
        for (phi, &arg) in self.phis[target.block.index()].iter().zip(&target.args) {
            phi.add_incoming(&[(&self.get(arg), self.blocks[from])]);
        }
    }

    /// An `I8` as LLVM's bit.
    fn condition(&self, value: Value) -> Result<IntValue<'ctx>, BuilderError> {
        let zero = self.context.i8_type().const_zero();
        self.b
            .build_int_compare(IntPredicate::NE, self.get(value).into_int_value(), zero, "")
    }

    fn get(&self, value: Value) -> BasicValueEnum<'ctx> {
        self.values[value.index()].expect("verified: defined before its use")
    }

    fn ty(&self, of: Type) -> BasicTypeEnum<'ctx> {
        ty(of, self.context)
    }
}

fn ty(of: Type, context: &Context) -> BasicTypeEnum<'_> {
    match of {
        Type::I8 => context.i8_type().into(),
        Type::I16 => context.i16_type().into(),
        Type::I32 => context.i32_type().into(),
        Type::I64 => context.i64_type().into(),
        Type::F32 => context.f32_type().into(),
        Type::F64 => context.f64_type().into(),
        Type::Ptr => context.ptr_type(AddressSpace::default()).into(),
    }
}

fn signature<'ctx>(of: &CallSignature, context: &'ctx Context) -> FunctionType<'ctx> {
    use inkwell::types::BasicType;

    let params: Vec<BasicMetadataTypeEnum<'ctx>> = of
        .params
        .iter()
        .map(|param| ty(param.ty(), context).into())
        .collect();
    match of.result {
        Some(result) => ty(result.ty(), context).fn_type(&params, false),
        None => context.void_type().fn_type(&params, false),
    }
}

/// How the caller extends a narrow argument.
fn extension(of: AbiType, context: &Context) -> Option<Attribute> {
    let name = match of {
        AbiType::I8 | AbiType::I16 => "signext",
        AbiType::U8 | AbiType::U16 => "zeroext",
        _ => return None,
    };
    Some(context.create_enum_attribute(Attribute::get_named_enum_kind_id(name), 0))
}
