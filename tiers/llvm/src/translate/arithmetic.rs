//! The ops that compute: constants, arithmetic, comparisons, conversions.

use gijit::ir::{BinaryOp, Condition, ConvertOp, Type, Value};
use inkwell::types::{BasicTypeEnum, IntType};
use inkwell::values::{BasicValueEnum, IntValue};
use inkwell::{FloatPredicate, IntPredicate};

use super::types::{address, pointer};
use super::{Built, Translator};

impl<'ctx> Translator<'_, 'ctx> {
    pub(super) fn constant(&self, of: Type, bits: u64) -> Built<BasicValueEnum<'ctx>> {
        let int = |ty: IntType<'ctx>| ty.const_int(bits, false);
        Ok(match of {
            Type::I8 => int(self.context.i8_type()).into(),
            Type::I16 => int(self.context.i16_type()).into(),
            Type::I32 => int(self.context.i32_type()).into(),
            Type::I64 => int(self.context.i64_type()).into(),
            Type::Ptr => address(self.context, bits).into(),
            // The builder folds these; going through a Rust float would change some NaNs.
            Type::F32 => self.builder.build_bit_cast(
                int(self.context.i32_type()),
                self.context.f32_type(),
                "",
            )?,
            Type::F64 => self.builder.build_bit_cast(
                int(self.context.i64_type()),
                self.context.f64_type(),
                "",
            )?,
        })
    }

    pub(super) fn binary(
        &self,
        dst: Value,
        op: BinaryOp,
        lhs: Value,
        rhs: Value,
    ) -> Built<BasicValueEnum<'ctx>> {
        let (b, name) = (&self.builder, &self.name(dst));
        if matches!(self.function.ty(dst), Type::F32 | Type::F64) {
            let (lhs, rhs) = (self.float(lhs), self.float(rhs));
            return Ok(match op {
                BinaryOp::Add => b.build_float_add(lhs, rhs, name)?,
                BinaryOp::Sub => b.build_float_sub(lhs, rhs, name)?,
                _ => b.build_float_mul(lhs, rhs, name)?,
            }
            .into());
        }
        let (lhs, rhs) = (self.int(lhs)?, self.int(rhs)?);
        let value = match op {
            BinaryOp::Add => b.build_int_add(lhs, rhs, name)?,
            BinaryOp::Sub => b.build_int_sub(lhs, rhs, name)?,
            BinaryOp::Mul => b.build_int_mul(lhs, rhs, name)?,
            BinaryOp::And => b.build_and(lhs, rhs, name)?,
            BinaryOp::Or => b.build_or(lhs, rhs, name)?,
            BinaryOp::Xor => b.build_xor(lhs, rhs, name)?,
            BinaryOp::Shl => b.build_left_shift(lhs, self.amount(rhs)?, name)?,
            BinaryOp::Shr => b.build_right_shift(lhs, self.amount(rhs)?, false, name)?,
            BinaryOp::Sar => b.build_right_shift(lhs, self.amount(rhs)?, true, name)?,
        };
        match self.function.ty(dst) {
            Type::Ptr => Ok(b
                .build_int_to_ptr(value, pointer(self.context), name)?
                .into()),
            _ => Ok(value.into()),
        }
    }

    /// A shift amount modulo the width, which is a power of two.
    fn amount(&self, of: IntValue<'ctx>) -> Built<IntValue<'ctx>> {
        let width = u64::from(of.get_type().get_bit_width());
        self.builder
            .build_and(of, of.get_type().const_int(width - 1, false), "")
    }

    pub(super) fn compare(
        &self,
        dst: Value,
        cond: Condition,
        lhs: Value,
        rhs: Value,
    ) -> Built<BasicValueEnum<'ctx>> {
        let int = |predicate| {
            let (lhs, rhs) = (self.get(lhs), self.get(rhs));
            match lhs {
                BasicValueEnum::PointerValue(lhs) => {
                    self.builder
                        .build_int_compare(predicate, lhs, rhs.into_pointer_value(), "")
                }
                lhs => self.builder.build_int_compare(
                    predicate,
                    lhs.into_int_value(),
                    rhs.into_int_value(),
                    "",
                ),
            }
        };
        let float = |predicate| {
            let (lhs, rhs) = (self.float(lhs), self.float(rhs));
            self.builder.build_float_compare(predicate, lhs, rhs, "")
        };
        let bit = match cond {
            Condition::Eq => int(IntPredicate::EQ),
            Condition::Ne => int(IntPredicate::NE),
            Condition::Slt => int(IntPredicate::SLT),
            Condition::Sle => int(IntPredicate::SLE),
            Condition::Sgt => int(IntPredicate::SGT),
            Condition::Sge => int(IntPredicate::SGE),
            Condition::Ult => int(IntPredicate::ULT),
            Condition::Ule => int(IntPredicate::ULE),
            Condition::Ugt => int(IntPredicate::UGT),
            Condition::Uge => int(IntPredicate::UGE),
            Condition::Feq => float(FloatPredicate::OEQ),
            Condition::Flt => float(FloatPredicate::OLT),
            Condition::Fle => float(FloatPredicate::OLE),
        }?;
        let byte = self.context.i8_type();
        let value = self
            .builder
            .build_int_z_extend(bit, byte, &self.name(dst))?;
        Ok(value.into())
    }

    pub(super) fn convert(
        &self,
        dst: Value,
        op: ConvertOp,
        value: Value,
    ) -> Built<BasicValueEnum<'ctx>> {
        let (b, name) = (&self.builder, &self.name(dst));
        let to = self.ty(self.function.ty(dst));
        Ok(match op {
            ConvertOp::Zext => b
                .build_int_z_extend(self.int(value)?, to.into_int_type(), name)?
                .into(),
            ConvertOp::Sext => b
                .build_int_s_extend(self.int(value)?, to.into_int_type(), name)?
                .into(),
            ConvertOp::Trunc => b
                .build_int_truncate(self.int(value)?, to.into_int_type(), name)?
                .into(),
            ConvertOp::Bitcast => match (self.get(value), to) {
                (BasicValueEnum::PointerValue(value), BasicTypeEnum::IntType(to)) => {
                    b.build_ptr_to_int(value, to, name)?.into()
                }
                (BasicValueEnum::IntValue(value), BasicTypeEnum::PointerType(to)) => {
                    b.build_int_to_ptr(value, to, name)?.into()
                }
                (value, to) => b.build_bit_cast(value, to, name)?,
            },
            ConvertOp::SintToFloat => b
                .build_signed_int_to_float(self.int(value)?, to.into_float_type(), name)?
                .into(),
            ConvertOp::Fdemote => b
                .build_float_trunc(self.float(value), to.into_float_type(), name)?
                .into(),
            ConvertOp::Fpromote => b
                .build_float_ext(self.float(value), to.into_float_type(), name)?
                .into(),
        })
    }
}
