//! Thunk IR to CLIF, one op to one or two instructions.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{
    AbiParam, Block as ClifBlock, BlockArg, Function as ClifFunction, InstBuilder, MemFlagsData,
    SigRef as ClifSigRef, Signature, SourceLoc, StackSlot as ClifSlot, StackSlotData,
    StackSlotKind, Type as ClifType, UserFuncName, Value as ClifValue, types,
};
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use gijit::ir::steps::{Steps, Walk};
use gijit::ir::{
    AbiType, BinaryOp, CallSignature, Callee, Condition, ConvertOp, Function, Inst, SigRef, Target,
    Terminator, Type, Value,
};

/// Writes `function` into the empty `clif`.
pub(super) fn translate(
    function: &Function,
    clif: &mut ClifFunction,
    context: &mut FunctionBuilderContext,
    isa: &dyn TargetIsa,
) {
    clif.name = UserFuncName::testcase(function.name.as_bytes());
    clif.signature = signature(&function.signature, isa);
    let mut b = FunctionBuilder::new(clif, context);
    let signatures = function
        .signatures
        .iter()
        .map(|s| b.import_signature(signature(s, isa)))
        .collect();
    let slots = function
        .slots
        .iter()
        .map(|&size| {
            b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, size, 3))
        })
        .collect();
    let blocks: Vec<ClifBlock> = function.blocks.iter().map(|_| b.create_block()).collect();
    let mut translator = Translator {
        function,
        b,
        blocks,
        signatures,
        slots,
        values: vec![None; function.values.len()],
    };
    let steps = Steps::of(function);
    for block in function.reverse_postorder() {
        translator.block(block, steps.walk(block));
    }
    translator.b.seal_all_blocks();
    translator.b.finalize(isa.frontend_config());
}

struct Translator<'a> {
    function: &'a Function,
    b: FunctionBuilder<'a>,
    blocks: Vec<ClifBlock>,
    signatures: Vec<ClifSigRef>,
    slots: Vec<ClifSlot>,
    values: Vec<Option<ClifValue>>,
}

impl Translator<'_> {
    fn block(&mut self, block: gijit::ir::Block, mut walk: Walk) {
        let data = &self.function.blocks[block.index()];
        let clif = self.blocks[block.index()];
        self.b.switch_to_block(clif);
        if data.cold {
            self.b.set_cold_block(clif);
        }
        for &param in &data.params {
            let value = self.b.append_block_param(clif, ty(self.function.ty(param)));
            self.values[param.index()] = Some(value);
        }
        self.at_step(walk.step());
        for inst in &data.insts {
            match inst {
                Inst::Note { .. } => self.at_step(walk.note()),
                inst => self.inst(inst),
            }
        }
        self.terminator(data.terminator.as_ref().expect("verified: a block ends"));
    }

    /// What follows belongs to this step: as its source location.
    fn at_step(&mut self, step: u32) {
        self.b.set_srcloc(match step {
            0 => SourceLoc::default(),
            step => SourceLoc::new(step),
        });
    }

    fn inst(&mut self, inst: &Inst) {
        let flags = MemFlagsData::new().with_notrap();
        let (dst, value) = match inst {
            Inst::Note { .. } => return,
            Inst::Store {
                value,
                base,
                offset,
            } => {
                let (value, base) = (self.get(*value), self.get(*base));
                self.b.ins().store(flags, value, base, *offset);
                return;
            }
            Inst::Call {
                dst,
                callee,
                sig,
                args,
            } => {
                let results = self.call(*callee, *sig, args);
                match dst {
                    Some(dst) => (*dst, results.expect("verified: the signature has a result")),
                    None => return,
                }
            }
            Inst::Const { dst, bits } => (*dst, self.constant(self.function.ty(*dst), *bits)),
            Inst::SymbolAddr { dst, symbol } => {
                let address = self.function.symbols[symbol.index()].address;
                (*dst, self.b.ins().iconst(types::I64, address as i64))
            }
            Inst::SlotAddr { dst, slot } => (
                *dst,
                self.b
                    .ins()
                    .stack_addr(types::I64, self.slots[slot.index()], 0),
            ),
            Inst::Load { dst, base, offset } => {
                let base = self.get(*base);
                (
                    *dst,
                    self.b
                        .ins()
                        .load(ty(self.function.ty(*dst)), flags, base, *offset),
                )
            }
            Inst::Binary { dst, op, lhs, rhs } => (*dst, self.binary(*op, *lhs, *rhs)),
            Inst::Compare {
                dst,
                cond,
                lhs,
                rhs,
            } => (*dst, self.compare(*cond, *lhs, *rhs)),
            Inst::Convert { dst, op, value } => (*dst, self.convert(*op, *value, *dst)),
            Inst::Select {
                dst,
                cond,
                on_true,
                on_false,
            } => {
                let (c, t, f) = (self.get(*cond), self.get(*on_true), self.get(*on_false));
                (*dst, self.b.ins().select(c, t, f))
            }
        };
        self.values[dst.index()] = Some(value);
    }

    fn constant(&mut self, of: Type, bits: u64) -> ClifValue {
        match of {
            Type::F32 => {
                let bits = self.b.ins().iconst(types::I32, i64::from(bits as u32));
                self.b.ins().bitcast(types::F32, MemFlagsData::new(), bits)
            }
            Type::F64 => self.b.ins().f64const(f64::from_bits(bits)),
            Type::I8 => self.b.ins().iconst(types::I8, (bits & 0xff) as i64),
            Type::I16 => self.b.ins().iconst(types::I16, (bits & 0xffff) as i64),
            Type::I32 => self.b.ins().iconst(types::I32, (bits & 0xffff_ffff) as i64),
            Type::I64 | Type::Ptr => self.b.ins().iconst(types::I64, bits as i64),
        }
    }

    fn binary(&mut self, op: BinaryOp, lhs: Value, rhs: Value) -> ClifValue {
        let float = matches!(self.function.ty(lhs), Type::F32 | Type::F64);
        let (lhs, rhs) = (self.get(lhs), self.get(rhs));
        let ins = self.b.ins();
        match (op, float) {
            (BinaryOp::Add, false) => ins.iadd(lhs, rhs),
            (BinaryOp::Sub, false) => ins.isub(lhs, rhs),
            (BinaryOp::Mul, false) => ins.imul(lhs, rhs),
            (BinaryOp::Add, true) => ins.fadd(lhs, rhs),
            (BinaryOp::Sub, true) => ins.fsub(lhs, rhs),
            (BinaryOp::Mul, true) => ins.fmul(lhs, rhs),
            (BinaryOp::And, _) => ins.band(lhs, rhs),
            (BinaryOp::Or, _) => ins.bor(lhs, rhs),
            (BinaryOp::Xor, _) => ins.bxor(lhs, rhs),
            (BinaryOp::Shl, _) => ins.ishl(lhs, rhs),
            (BinaryOp::Shr, _) => ins.ushr(lhs, rhs),
            (BinaryOp::Sar, _) => ins.sshr(lhs, rhs),
        }
    }

    fn compare(&mut self, cond: Condition, lhs: Value, rhs: Value) -> ClifValue {
        let (lhs, rhs) = (self.get(lhs), self.get(rhs));
        let int = match cond {
            Condition::Eq => IntCC::Equal,
            Condition::Ne => IntCC::NotEqual,
            Condition::Slt => IntCC::SignedLessThan,
            Condition::Sle => IntCC::SignedLessThanOrEqual,
            Condition::Sgt => IntCC::SignedGreaterThan,
            Condition::Sge => IntCC::SignedGreaterThanOrEqual,
            Condition::Ult => IntCC::UnsignedLessThan,
            Condition::Ule => IntCC::UnsignedLessThanOrEqual,
            Condition::Ugt => IntCC::UnsignedGreaterThan,
            Condition::Uge => IntCC::UnsignedGreaterThanOrEqual,
            Condition::Feq => return self.b.ins().fcmp(FloatCC::Equal, lhs, rhs),
            Condition::Flt => return self.b.ins().fcmp(FloatCC::LessThan, lhs, rhs),
            Condition::Fle => return self.b.ins().fcmp(FloatCC::LessThanOrEqual, lhs, rhs),
        };
        self.b.ins().icmp(int, lhs, rhs)
    }

    fn convert(&mut self, op: ConvertOp, value: Value, dst: Value) -> ClifValue {
        let to = ty(self.function.ty(dst));
        let from = ty(self.function.ty(value));
        let value = self.get(value);
        let ins = self.b.ins();
        match op {
            ConvertOp::Zext => ins.uextend(to, value),
            ConvertOp::Sext => ins.sextend(to, value),
            ConvertOp::Trunc => ins.ireduce(to, value),
            // An address is an integer to CLIF.
            ConvertOp::Bitcast if from == to => value,
            ConvertOp::Bitcast => ins.bitcast(to, MemFlagsData::new(), value),
            ConvertOp::SintToFloat => ins.fcvt_from_sint(to, value),
            ConvertOp::Fdemote => ins.fdemote(to, value),
            ConvertOp::Fpromote => ins.fpromote(to, value),
        }
    }

    fn call(&mut self, callee: Callee, sig: SigRef, args: &[Value]) -> Option<ClifValue> {
        let callee = match callee {
            Callee::Value(value) => self.get(value),
            Callee::Symbol(symbol) => {
                let address = self.function.symbols[symbol.index()].address;
                self.b.ins().iconst(types::I64, address as i64)
            }
        };
        let args: Vec<ClifValue> = args.iter().map(|&arg| self.get(arg)).collect();
        let call = self
            .b
            .ins()
            .call_indirect(self.signatures[sig.index()], callee, &args);
        self.b.inst_results(call).first().copied()
    }

    fn terminator(&mut self, terminator: &Terminator) {
        match terminator {
            Terminator::Jump(target) => {
                let (block, args) = self.target(target);
                self.b.ins().jump(block, &args);
            }
            Terminator::Branch {
                cond,
                then,
                otherwise,
            } => {
                let cond = self.get(*cond);
                let (then, then_args) = self.target(then);
                let (otherwise, otherwise_args) = self.target(otherwise);
                self.b
                    .ins()
                    .brif(cond, then, &then_args, otherwise, &otherwise_args);
            }
            Terminator::Return(value) => {
                let value = self.get(*value);
                self.b.ins().return_(&[value]);
            }
            // Cranelift's own tail call needs its "tail" calling convention, which a function that
            // CPython calls does not have.
            Terminator::TailCall { callee, sig, args } => {
                let result = self.call(*callee, *sig, args);
                self.b.ins().return_(result.as_slice());
            }
        }
    }

    fn target(&self, target: &Target) -> (ClifBlock, Vec<BlockArg>) {
        let args = target
            .args
            .iter()
            .map(|&arg| BlockArg::from(self.get(arg)))
            .collect();
        (self.blocks[target.block.index()], args)
    }

    fn get(&self, value: Value) -> ClifValue {
        self.values[value.index()].expect("verified: defined before its use")
    }
}

fn signature(of: &CallSignature, isa: &dyn TargetIsa) -> Signature {
    let mut signature = Signature::new(isa.default_call_conv());
    signature
        .params
        .extend(of.params.iter().map(|&param| abi_param(param)));
    signature.returns.extend(of.result.map(abi_param));
    signature
}

/// Narrow integers are extended, as [`AbiType`] says.
fn abi_param(of: AbiType) -> AbiParam {
    let param = AbiParam::new(ty(of.ty()));
    match of {
        AbiType::I8 | AbiType::I16 | AbiType::I32 => param.sext(),
        AbiType::U8 | AbiType::U16 | AbiType::U32 => param.uext(),
        _ => param,
    }
}

fn ty(of: Type) -> ClifType {
    match of {
        Type::I8 => types::I8,
        Type::I16 => types::I16,
        Type::I32 => types::I32,
        Type::I64 | Type::Ptr => types::I64,
        Type::F32 => types::F32,
        Type::F64 => types::F64,
    }
}
