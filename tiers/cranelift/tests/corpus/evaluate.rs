//! The meaning of thunk IR, spelled out: an interpreter to hold compiled code against.

use std::collections::HashMap;

use gijit::ir::{
    BinaryOp, Callee, Condition, ConvertOp, Function, Inst, Target, Terminator, Type, Value,
};

/// How the evaluator calls a C function: with the bits of its arguments, giving those of its result.
pub type Model = fn(&[u64]) -> u64;

/// Runs `function` on the bits of its arguments; calls go to the model of their address.
///
/// # Safety
/// The function loads and stores only where it may, and its slots.
pub unsafe fn evaluate(function: &Function, args: &[u64], models: &HashMap<u64, Model>) -> u64 {
    let mut slots: Vec<Vec<u64>> = function
        .slots
        .iter()
        .map(|&size| vec![0; size.div_ceil(8) as usize])
        .collect();
    let mut values = vec![0; function.values.len()];
    let mut block = &function.blocks[0];
    let mut incoming = args.to_vec();
    loop {
        for (param, bits) in block.params.iter().zip(&incoming) {
            values[param.index()] = *bits;
        }
        for inst in &block.insts {
            // SAFETY: the caller's promise.
            unsafe { step(function, inst, &mut values, &mut slots, models) };
        }
        let jump = |target: &Target| {
            let args = target.args.iter().map(|arg| values[arg.index()]).collect();
            (target.block, args)
        };
        let (next, args) = match block.terminator.as_ref().expect("verified") {
            Terminator::Jump(target) => jump(target),
            Terminator::Branch {
                cond,
                then,
                otherwise,
            } => jump(match values[cond.index()] {
                0 => otherwise,
                _ => then,
            }),
            Terminator::Return(value) => return values[value.index()],
            Terminator::TailCall { callee, args, .. } => {
                return call(function, *callee, args, &values, models);
            }
        };
        block = &function.blocks[next.index()];
        incoming = args;
    }
}

unsafe fn step(
    function: &Function,
    inst: &Inst,
    values: &mut [u64],
    slots: &mut [Vec<u64>],
    models: &HashMap<u64, Model>,
) {
    let get = |value: &Value| values[value.index()];
    let ty = |value: &Value| function.ty(*value);
    let (dst, bits) = match inst {
        Inst::Note { .. } => return,
        Inst::Const { dst, bits } => (*dst, *bits),
        Inst::SymbolAddr { dst, symbol } => (*dst, function.symbols[symbol.index()].address),
        Inst::SlotAddr { dst, slot } => (*dst, slots[slot.index()].as_mut_ptr() as u64),
        Inst::Load { dst, base, offset } => {
            let address = get(base).wrapping_add(*offset as u64) as *const u8;
            let mut bytes = [0; 8];
            let size = (width(ty(dst)) / 8) as usize;
            // SAFETY: the caller's promise.
            unsafe { address.copy_to(bytes.as_mut_ptr(), size) };
            (*dst, u64::from_le_bytes(bytes))
        }
        Inst::Store {
            value,
            base,
            offset,
        } => {
            let address = get(base).wrapping_add(*offset as u64) as *mut u8;
            let bytes = get(value).to_le_bytes();
            // SAFETY: the caller's promise.
            unsafe { address.copy_from(bytes.as_ptr(), (width(ty(value)) / 8) as usize) };
            return;
        }
        Inst::Binary { dst, op, lhs, rhs } => (*dst, binary(*op, ty(dst), get(lhs), get(rhs))),
        Inst::Compare {
            dst,
            cond,
            lhs,
            rhs,
        } => (*dst, u64::from(compare(*cond, ty(lhs), get(lhs), get(rhs)))),
        Inst::Convert { dst, op, value } => (*dst, convert(*op, ty(value), ty(dst), get(value))),
        Inst::Select {
            dst,
            cond,
            on_true,
            on_false,
        } => (*dst, get(if get(cond) != 0 { on_true } else { on_false })),
        Inst::Call {
            dst, callee, args, ..
        } => {
            let bits = call(function, *callee, args, values, models);
            match dst {
                Some(dst) => (*dst, bits),
                None => return,
            }
        }
    };
    values[dst.index()] = bits & mask(function.ty(dst));
}

fn call(
    function: &Function,
    callee: Callee,
    args: &[Value],
    values: &[u64],
    models: &HashMap<u64, Model>,
) -> u64 {
    let address = match callee {
        Callee::Symbol(symbol) => function.symbols[symbol.index()].address,
        Callee::Value(value) => values[value.index()],
    };
    let args: Vec<u64> = args.iter().map(|arg| values[arg.index()]).collect();
    models[&address](&args)
}

fn binary(op: BinaryOp, ty: Type, a: u64, b: u64) -> u64 {
    if let Type::F32 = ty {
        let (a, b) = (f32::from_bits(a as u32), f32::from_bits(b as u32));
        return u64::from(arithmetic(op, a, b).to_bits());
    }
    if let Type::F64 = ty {
        return arithmetic(op, f64::from_bits(a), f64::from_bits(b)).to_bits();
    }
    let amount = (b % u64::from(width(ty))) as u32;
    match op {
        BinaryOp::Add => a.wrapping_add(b),
        BinaryOp::Sub => a.wrapping_sub(b),
        BinaryOp::Mul => a.wrapping_mul(b),
        BinaryOp::And => a & b,
        BinaryOp::Or => a | b,
        BinaryOp::Xor => a ^ b,
        BinaryOp::Shl => a << amount,
        BinaryOp::Shr => a >> amount,
        BinaryOp::Sar => (signed(ty, a) >> amount) as u64,
    }
}

fn arithmetic<T>(op: BinaryOp, a: T, b: T) -> T
where
    T: std::ops::Add<Output = T> + std::ops::Sub<Output = T> + std::ops::Mul<Output = T>,
{
    match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        _ => unreachable!("verified: not for floats"),
    }
}

fn compare(cond: Condition, ty: Type, a: u64, b: u64) -> bool {
    let (sa, sb) = (signed(ty, a), signed(ty, b));
    let (fa, fb) = match ty {
        Type::F32 => (
            f64::from(f32::from_bits(a as u32)),
            f64::from(f32::from_bits(b as u32)),
        ),
        _ => (f64::from_bits(a), f64::from_bits(b)),
    };
    match cond {
        Condition::Eq => a == b,
        Condition::Ne => a != b,
        Condition::Slt => sa < sb,
        Condition::Sle => sa <= sb,
        Condition::Sgt => sa > sb,
        Condition::Sge => sa >= sb,
        Condition::Ult => a < b,
        Condition::Ule => a <= b,
        Condition::Ugt => a > b,
        Condition::Uge => a >= b,
        Condition::Feq => fa == fb,
        Condition::Flt => fa < fb,
        Condition::Fle => fa <= fb,
    }
}

fn convert(op: ConvertOp, from: Type, to: Type, a: u64) -> u64 {
    match (op, to) {
        (ConvertOp::Zext | ConvertOp::Trunc | ConvertOp::Bitcast, _) => a,
        (ConvertOp::Sext, _) => signed(from, a) as u64,
        (ConvertOp::SintToFloat, Type::F32) => u64::from((signed(from, a) as f32).to_bits()),
        (ConvertOp::SintToFloat, _) => (signed(from, a) as f64).to_bits(),
        (ConvertOp::Fdemote, _) => u64::from((f64::from_bits(a) as f32).to_bits()),
        (ConvertOp::Fpromote, _) => f64::from(f32::from_bits(a as u32)).to_bits(),
    }
}

fn signed(ty: Type, bits: u64) -> i64 {
    let unused = 64 - width(ty);
    ((bits << unused) as i64) >> unused
}

fn mask(ty: Type) -> u64 {
    u64::MAX >> (64 - width(ty))
}

/// In bits.
pub fn width(ty: Type) -> u32 {
    match ty {
        Type::I8 => 8,
        Type::I16 => 16,
        Type::I32 | Type::F32 => 32,
        Type::I64 | Type::F64 | Type::Ptr => 64,
    }
}
