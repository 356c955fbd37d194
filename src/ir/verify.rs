//! Checks the invariants of [`super::Function`] before a back end sees it.
//!
//! A back end may then take them for granted. The check is linear in the function's size but for
//! dominance, which is computed over blocks by the classic iteration to a fixed point.

use super::*;

/// A broken invariant, named by block and op.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifyError {
    /// The block; ops are counted from 0, the terminator is the last.
    pub block: u32,
    pub op: usize,
    pub message: String,
}

impl std::fmt::Display for VerifyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "block{} op {}: {}", self.block, self.op, self.message)
    }
}

impl std::error::Error for VerifyError {}

/// Checks all invariants.
///
/// # Errors
/// The first that does not hold.
pub fn verify(function: &Function) -> Result<(), VerifyError> {
    let mut verifier = Verifier {
        function,
        at: (0, 0),
        defined_in: Vec::new(),
    };
    verifier.check()
}

struct Verifier<'a> {
    function: &'a Function,
    at: (u32, usize),
    /// Block and op that define each value; parameters stand before op 0.
    defined_in: Vec<Option<(u32, isize)>>,
}

const BITS: usize = usize::BITS as usize;

/// Which blocks dominate which.
struct Dominators {
    /// Of each set.
    words: usize,
    /// A set per block, a bit per dominator.
    bits: Vec<usize>,
}

impl Dominators {
    fn of(&self, block: usize) -> &[usize] {
        &self.bits[block * self.words..][..self.words]
    }

    fn has(&self, block: usize, dominator: usize) -> bool {
        self.of(block)[dominator / BITS] & (1 << (dominator % BITS)) != 0
    }
}

impl Verifier<'_> {
    fn check(&mut self) -> Result<(), VerifyError> {
        let function = self.function;
        let Some(entry) = function.blocks.first() else {
            return self.fail("there is no entry block");
        };
        let wanted: Vec<Type> = function.signature.params.iter().map(|p| p.ty()).collect();
        if entry
            .params
            .iter()
            .map(|&v| function.values.get(v.index()).copied())
            .collect::<Vec<_>>()
            != wanted.into_iter().map(Some).collect::<Vec<_>>()
        {
            return self.fail("the entry block's parameters are not the function's");
        }
        self.collect_definitions()?;
        self.at = (0, 0);
        if let Some(value) = self.defined_in.iter().position(Option::is_none) {
            return self.fail(format!("v{value} has a type but no definition"));
        }
        let dominators = self.dominators()?;
        for (index, block) in function.blocks.iter().enumerate() {
            for (op, inst) in block.insts.iter().enumerate() {
                self.at = (index as u32, op);
                for value in operands(inst) {
                    self.check_use(value, &dominators)?;
                }
                self.check_inst(inst)?;
            }
            self.at = (index as u32, block.insts.len());
            let Some(terminator) = &block.terminator else {
                return self.fail("the block has no terminator");
            };
            for value in terminator_operands(terminator) {
                self.check_use(value, &dominators)?;
            }
            self.check_terminator(terminator)?;
        }
        Ok(())
    }

    fn collect_definitions(&mut self) -> Result<(), VerifyError> {
        self.defined_in = vec![None; self.function.values.len()];
        for (index, block) in self.function.blocks.iter().enumerate() {
            self.at = (index as u32, 0);
            for &param in &block.params {
                self.define(param, -1)?;
            }
            for (op, inst) in block.insts.iter().enumerate() {
                self.at = (index as u32, op);
                if let Some(dst) = definition(inst) {
                    self.define(dst, op as isize)?;
                }
            }
        }
        Ok(())
    }

    fn define(&mut self, value: Value, op: isize) -> Result<(), VerifyError> {
        match self.defined_in.get_mut(value.index()) {
            None => self.fail(format!("v{} has no type", value.0)),
            Some(Some(_)) => self.fail(format!("v{} is defined twice", value.0)),
            Some(place) => {
                *place = Some((self.at.0, op));
                Ok(())
            }
        }
    }

    /// The blocks that dominate each block, as one set of bits per block. Blocks that nothing
    /// reaches are dominated by all.
    fn dominators(&mut self) -> Result<Dominators, VerifyError> {
        let count = self.function.blocks.len();
        let mut predecessors = vec![Vec::new(); count];
        for (index, block) in self.function.blocks.iter().enumerate() {
            self.at = (index as u32, block.insts.len());
            for target in block.terminator.iter().flat_map(Terminator::targets) {
                match predecessors.get_mut(target.block.index()) {
                    None => return self.fail(format!("block{} does not exist", target.block.0)),
                    Some(_) if target.block.0 == 0 => {
                        return self.fail("a jump to the entry block");
                    }
                    Some(list) => list.push(index),
                }
            }
        }
        let words = count.div_ceil(BITS);
        let mut dominators = Dominators {
            words,
            bits: vec![usize::MAX; count * words],
        };
        dominators.bits[..words].fill(0);
        dominators.bits[0] = 1;
        let mut set = vec![0; words];
        let mut changed = true;
        while changed {
            changed = false;
            for (block, predecessors) in predecessors.iter().enumerate().skip(1) {
                if predecessors.is_empty() {
                    continue;
                }
                set.fill(usize::MAX);
                for &predecessor in predecessors {
                    for (word, other) in set.iter_mut().zip(dominators.of(predecessor)) {
                        *word &= other;
                    }
                }
                set[block / BITS] |= 1 << (block % BITS);
                if set != dominators.of(block) {
                    dominators.bits[block * words..][..words].copy_from_slice(&set);
                    changed = true;
                }
            }
        }
        Ok(dominators)
    }

    fn check_use(&self, value: Value, dominators: &Dominators) -> Result<(), VerifyError> {
        let Some(Some((block, op))) = self.defined_in.get(value.index()).copied() else {
            return self.fail(format!("v{} is not defined", value.0));
        };
        let before = block == self.at.0 && op < self.at.1 as isize;
        let above = block != self.at.0 && dominators.has(self.at.0 as usize, block as usize);
        if before || above {
            return Ok(());
        }
        self.fail(format!(
            "v{} is used where its definition does not reach",
            value.0
        ))
    }

    fn check_inst(&self, inst: &Inst) -> Result<(), VerifyError> {
        let ty = |value: &Value| self.function.ty(*value);
        match inst {
            Inst::Const { .. } => Ok(()),
            Inst::Note { text } => self.expect(
                text.trim() == text && !text.contains(char::is_control),
                "a note is one line without spaces around it",
            ),
            Inst::SymbolAddr { dst, symbol } => {
                self.expect(ty(dst) == Type::Ptr, "a symbol's address is a ptr")?;
                self.check_symbol(*symbol)
            }
            Inst::SlotAddr { dst, slot } => {
                self.expect(ty(dst) == Type::Ptr, "a slot's address is a ptr")?;
                self.expect(
                    slot.index() < self.function.slots.len(),
                    "no such stack slot",
                )
            }
            Inst::Load { base, .. } | Inst::Store { base, .. } => self.expect(
                ty(base) == Type::Ptr,
                "the base of a load or store is a ptr",
            ),
            Inst::Binary { dst, op, lhs, rhs } => {
                let same = ty(dst) == ty(lhs) && ty(lhs) == ty(rhs);
                self.expect(same, "operands and result of arithmetic have one type")?;
                let pointer = ty(dst) == Type::Ptr;
                let addition = matches!(op, BinaryOp::Add | BinaryOp::Sub);
                self.expect(
                    !pointer || addition,
                    "addresses can only be added and subtracted",
                )?;
                let float = matches!(ty(dst), Type::F32 | Type::F64);
                self.expect(
                    !float || addition || *op == BinaryOp::Mul,
                    "floats can only be added, subtracted and multiplied",
                )
            }
            Inst::Compare {
                dst,
                cond,
                lhs,
                rhs,
            } => {
                self.expect(ty(dst) == Type::I8, "a comparison gives an i8")?;
                self.expect(ty(lhs) == ty(rhs), "what is compared has one type")?;
                let float = matches!(ty(lhs), Type::F32 | Type::F64);
                let float_cond = matches!(cond, Condition::Feq | Condition::Flt | Condition::Fle);
                self.expect(
                    float == float_cond,
                    "the condition is for another kind of type",
                )
            }
            Inst::Convert { dst, op, value } => {
                self.expect(converts(*op, ty(value), ty(dst)), "no such conversion")
            }
            Inst::Select {
                dst,
                cond,
                on_true,
                on_false,
            } => {
                self.expect(ty(cond) == Type::I8, "a condition is an i8")?;
                let same = ty(dst) == ty(on_true) && ty(on_true) == ty(on_false);
                self.expect(same, "both sides of a select have its type")
            }
            Inst::Call {
                dst,
                callee,
                sig,
                args,
            } => {
                let result = self.check_call(*callee, *sig, args)?;
                let fits = dst.map(|dst| self.function.ty(dst)) == result.map(AbiType::ty);
                self.expect(fits, "the call's result is not its signature's")
            }
        }
    }

    fn check_terminator(&self, terminator: &Terminator) -> Result<(), VerifyError> {
        for target in terminator.targets() {
            let params = &self.function.blocks[target.block.index()].params;
            let fits = params.len() == target.args.len()
                && params
                    .iter()
                    .zip(&target.args)
                    .all(|(p, a)| self.function.ty(*p) == self.function.ty(*a));
            self.expect(
                fits,
                &format!("arguments do not fit block{}", target.block.0),
            )?;
        }
        let own = &self.function.signature;
        match terminator {
            Terminator::Jump(_) => Ok(()),
            Terminator::Branch { cond, .. } => {
                self.expect(self.function.ty(*cond) == Type::I8, "a condition is an i8")
            }
            Terminator::Return(value) => {
                let fits = own.result.map(AbiType::ty) == Some(self.function.ty(*value));
                self.expect(
                    fits,
                    "the returned value is not of the function's result type",
                )
            }
            Terminator::TailCall { callee, sig, args } => {
                self.check_call(*callee, *sig, args)?;
                let same = self.function.signatures[sig.index()] == *own;
                self.expect(same, "a tail call has the function's own signature")
            }
        }
    }

    fn check_call(
        &self,
        callee: Callee,
        sig: SigRef,
        args: &[Value],
    ) -> Result<Option<AbiType>, VerifyError> {
        match callee {
            Callee::Symbol(symbol) => self.check_symbol(symbol)?,
            Callee::Value(value) => {
                self.expect(self.function.ty(value) == Type::Ptr, "a callee is a ptr")?;
            }
        }
        let Some(signature) = self.function.signatures.get(sig.index()) else {
            return Err(self.error(format!("signature ${} does not exist", sig.0)));
        };
        let fits = signature.params.len() == args.len()
            && signature
                .params
                .iter()
                .zip(args)
                .all(|(p, a)| p.ty() == self.function.ty(*a));
        self.expect(fits, "arguments do not fit the call's signature")?;
        Ok(signature.result)
    }

    fn check_symbol(&self, symbol: Symbol) -> Result<(), VerifyError> {
        self.expect(
            symbol.index() < self.function.symbols.len(),
            "no such symbol",
        )
    }

    fn expect(&self, holds: bool, message: &str) -> Result<(), VerifyError> {
        if holds { Ok(()) } else { self.fail(message) }
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T, VerifyError> {
        Err(self.error(message))
    }

    fn error(&self, message: impl Into<String>) -> VerifyError {
        VerifyError {
            block: self.at.0,
            op: self.at.1,
            message: message.into(),
        }
    }
}

/// The value that an op defines.
fn definition(inst: &Inst) -> Option<Value> {
    match inst {
        Inst::Const { dst, .. }
        | Inst::SymbolAddr { dst, .. }
        | Inst::SlotAddr { dst, .. }
        | Inst::Load { dst, .. }
        | Inst::Binary { dst, .. }
        | Inst::Compare { dst, .. }
        | Inst::Convert { dst, .. }
        | Inst::Select { dst, .. } => Some(*dst),
        Inst::Call { dst, .. } => *dst,
        Inst::Store { .. } | Inst::Note { .. } => None,
    }
}

/// The values that an op uses.
fn operands(inst: &Inst) -> Vec<Value> {
    match inst {
        Inst::Const { .. }
        | Inst::SymbolAddr { .. }
        | Inst::SlotAddr { .. }
        | Inst::Note { .. } => Vec::new(),
        Inst::Load { base, .. } => vec![*base],
        Inst::Store { value, base, .. } => vec![*value, *base],
        Inst::Binary { lhs, rhs, .. } | Inst::Compare { lhs, rhs, .. } => vec![*lhs, *rhs],
        Inst::Convert { value, .. } => vec![*value],
        Inst::Select {
            cond,
            on_true,
            on_false,
            ..
        } => vec![*cond, *on_true, *on_false],
        Inst::Call { callee, args, .. } => call_operands(*callee, args),
    }
}

fn terminator_operands(terminator: &Terminator) -> Vec<Value> {
    let mut values: Vec<Value> = terminator.targets().flat_map(|t| t.args.clone()).collect();
    match terminator {
        Terminator::Jump(_) => {}
        Terminator::Branch { cond, .. } => values.push(*cond),
        Terminator::Return(value) => values.push(*value),
        Terminator::TailCall { callee, args, .. } => values.extend(call_operands(*callee, args)),
    }
    values
}

fn call_operands(callee: Callee, args: &[Value]) -> Vec<Value> {
    let mut values = args.to_vec();
    if let Callee::Value(value) = callee {
        values.push(value);
    }
    values
}

fn converts(op: ConvertOp, from: Type, to: Type) -> bool {
    let width = |ty| match ty {
        Type::I8 => Some(8),
        Type::I16 => Some(16),
        Type::I32 => Some(32),
        Type::I64 => Some(64),
        Type::F32 | Type::F64 | Type::Ptr => None,
    };
    match op {
        ConvertOp::Zext | ConvertOp::Sext => {
            matches!((width(from), width(to)), (Some(from), Some(to)) if from < to)
        }
        ConvertOp::Trunc => {
            matches!((width(from), width(to)), (Some(from), Some(to)) if from > to)
        }
        ConvertOp::Bitcast => matches!(
            (from, to),
            (Type::I64, Type::F64 | Type::Ptr)
                | (Type::F64 | Type::Ptr, Type::I64)
                | (Type::I32, Type::F32)
                | (Type::F32, Type::I32)
        ),
        ConvertOp::SintToFloat => width(from).is_some() && matches!(to, Type::F32 | Type::F64),
        ConvertOp::Fdemote => (from, to) == (Type::F64, Type::F32),
        ConvertOp::Fpromote => (from, to) == (Type::F32, Type::F64),
    }
}
