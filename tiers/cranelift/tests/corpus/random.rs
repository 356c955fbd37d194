//! Random thunks against the evaluator. The seed is fixed, so a failure repeats.

use gijit::code::CodeMemory;
use gijit::compile::backend::Backend;
use gijit::ir::builder::Builder;
use gijit::ir::{AbiType, BinaryOp, CallSignature, Condition, ConvertOp, Function, Type, Value};

use super::{INTERESTING, check, functions};

const THUNKS: u64 = 150;

pub fn run(backend: &mut dyn Backend, memory: &CodeMemory) {
    for seed in 0..THUNKS {
        let mut random = Random(seed);
        let function = thunk(&mut random);
        let args: Vec<[u64; 4]> = (0..16)
            .map(|_| std::array::from_fn(|_| random.argument()))
            .collect();
        check(backend, memory, &function, &args);
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn argument(&mut self) -> u64 {
        match self.below(2) {
            0 => self.pick(&INTERESTING),
            _ => self.next() >> self.below(64),
        }
    }
}

const INTEGERS: [Type; 4] = [Type::I8, Type::I16, Type::I32, Type::I64];

struct Generator<'a> {
    random: &'a mut Random,
    b: Builder,
    /// The values that the current block may use.
    known: Vec<Value>,
}

fn thunk(random: &mut Random) -> Function {
    let four = CallSignature {
        params: vec![AbiType::I64; 4],
        result: Some(AbiType::I64),
    };
    let b = Builder::new("random", four);
    let known = b.params().to_vec();
    let mut g = Generator { random, b, known };
    let slot = g.b.slot(64);
    let frame = g.b.slot_addr(slot);
    for at in 0..8 {
        let value = g.of(Type::I64);
        g.b.store(value, frame, at * 8);
    }
    for _ in 0..3 + g.random.below(5) {
        for _ in 0..g.random.below(8) {
            g.op(frame);
        }
        g.diamond(frame);
    }
    let mut sum = g.of(Type::I64);
    for _ in 0..4 {
        let other = g.of(Type::I64);
        sum = g.b.binary(BinaryOp::Xor, sum, other);
    }
    g.b.ret(sum);
    g.b.finish()
}

impl Generator<'_> {
    /// A known value of type `ty`, converted from another if need be.
    fn of(&mut self, ty: Type) -> Value {
        let fitting: Vec<Value> = self
            .known
            .iter()
            .copied()
            .filter(|&v| self.b.ty(v) == ty)
            .collect();
        if !fitting.is_empty() && self.random.below(4) != 0 {
            return self.random.pick(&fitting);
        }
        let integers: Vec<Value> = self
            .known
            .iter()
            .copied()
            .filter(|&v| INTEGERS.contains(&self.b.ty(v)))
            .collect();
        let value = self.random.pick(&integers);
        let value = match ty {
            Type::F32 | Type::F64 => self.b.convert(ConvertOp::SintToFloat, ty, value),
            _ => self.resize(value, ty),
        };
        self.known.push(value);
        value
    }

    fn resize(&mut self, value: Value, ty: Type) -> Value {
        let size = |ty| INTEGERS.iter().position(|&t| t == ty).expect("an integer");
        let op = match size(self.b.ty(value)).cmp(&size(ty)) {
            std::cmp::Ordering::Equal => return value,
            std::cmp::Ordering::Greater => ConvertOp::Trunc,
            std::cmp::Ordering::Less => self.random.pick(&[ConvertOp::Zext, ConvertOp::Sext]),
        };
        self.b.convert(op, ty, value)
    }

    fn op(&mut self, frame: Value) {
        let ty = self.random.pick(&INTEGERS);
        let value = match self.random.below(9) {
            0 => {
                let bits = self.random.argument();
                self.b.iconst(ty, bits as i64)
            }
            1..=3 => {
                let op = self.random.pick(&[
                    BinaryOp::Add,
                    BinaryOp::Sub,
                    BinaryOp::Mul,
                    BinaryOp::And,
                    BinaryOp::Or,
                    BinaryOp::Xor,
                    BinaryOp::Shl,
                    BinaryOp::Shr,
                    BinaryOp::Sar,
                ]);
                let (lhs, rhs) = (self.of(ty), self.of(ty));
                self.b.binary(op, lhs, rhs)
            }
            4 => {
                let float = self.random.pick(&[Type::F32, Type::F64]);
                let op = self
                    .random
                    .pick(&[BinaryOp::Add, BinaryOp::Sub, BinaryOp::Mul]);
                let (lhs, rhs) = (self.of(float), self.of(float));
                self.b.binary(op, lhs, rhs)
            }
            5 => self.condition(),
            6 => {
                let cond = self.condition();
                let (lhs, rhs) = (self.of(ty), self.of(ty));
                self.b.select(cond, lhs, rhs)
            }
            7 => {
                let at = self.random.below(57) as i32;
                match self.random.below(2) {
                    0 => self.b.load(ty, frame, at),
                    _ => {
                        let value = self.of(ty);
                        self.b.store(value, frame, at);
                        return;
                    }
                }
            }
            _ => self.call(),
        };
        self.known.push(value);
    }

    fn condition(&mut self) -> Value {
        let ty = self.random.pick(&INTEGERS);
        let (cond, ty) = match self.random.below(4) {
            0 => (
                self.random
                    .pick(&[Condition::Feq, Condition::Flt, Condition::Fle]),
                self.random.pick(&[Type::F32, Type::F64]),
            ),
            _ => (
                self.random.pick(&[
                    Condition::Eq,
                    Condition::Ne,
                    Condition::Slt,
                    Condition::Sle,
                    Condition::Sgt,
                    Condition::Sge,
                    Condition::Ult,
                    Condition::Ule,
                    Condition::Ugt,
                    Condition::Uge,
                ]),
                ty,
            ),
        };
        let (lhs, rhs) = (self.of(ty), self.of(ty));
        self.b.compare(cond, lhs, rhs)
    }

    fn call(&mut self) -> Value {
        use AbiType::*;
        // The narrow ones; the name in the corpus's table, then its signature.
        let (name, params, result): (_, &[AbiType], _) = self.random.pick(&[
            ("narrow", &[I8, U8, I16, U16, I32, U32][..], I64),
            ("extended", &[I8, U8, I16, U16][..], I64),
            ("dirty_i8", &[I64][..], I8),
            ("dirty_u16", &[I64][..], U16),
            ("four", &[I64, I64, I64, I64][..], I64),
        ]);
        let (_, address, _, _) = functions::ALL
            .iter()
            .find(|(n, ..)| *n == name)
            .expect("it is in the table");
        let args: Vec<Value> = params.iter().map(|param| self.of(param.ty())).collect();
        self.b
            .call(name, *address, params, Some(result), &args)
            .expect("it has a result")
    }

    /// A branch to two blocks, one maybe cold, that meet in a third with parameters.
    fn diamond(&mut self, frame: Value) {
        let cond = self.condition();
        let then = match self.random.below(2) {
            0 => self.b.block(),
            _ => self.b.cold_block(),
        };
        let (otherwise, end) = (self.b.block(), self.b.block());
        let types: Vec<Type> = (0..self.random.below(4))
            .map(|_| self.random.pick(&INTEGERS))
            .collect();
        self.b.branch(cond, then, otherwise);
        let outside = self.known.clone();
        for side in [then, otherwise] {
            self.known.clone_from(&outside);
            self.b.switch_to(side);
            for _ in 0..self.random.below(4) {
                self.op(frame);
            }
            let args: Vec<Value> = types.iter().map(|&ty| self.of(ty)).collect();
            self.b.jump(end, &args);
        }
        self.known = outside;
        self.b.switch_to(end);
        for ty in types {
            let param = self.b.block_param(end, ty);
            self.known.push(param);
        }
    }
}
