//! Recipes for phase *out*: results that one C API call or none can make.

use gijit::ir::builder::Builder;
use gijit::ir::{AbiType, BinaryOp, Block, Condition, ConvertOp, Type, Value};
use gijit::plan::{Conv, Out};

use super::PythonRecipes;
use crate::layout::values::{SMALL_INT_MAX, SMALL_INT_MIN, SMALL_INT_SIZE};

/// See [`gijit::lower::Recipes::convert_out`].
pub(super) fn convert(r: &PythonRecipes, b: &mut Builder, op: &Out, value: Value) -> Option<Value> {
    match &op.conv {
        Conv::Boolean => {
            let zero = b.iconst(Type::I32, 0);
            let is_true = b.compare(Condition::Ne, value, zero);
            let yes = b.symbol_addr("True", r.layout.true_ as u64);
            let no = b.symbol_addr("False", r.layout.false_ as u64);
            let object = b.select(is_true, yes, no);
            new_reference(r, b, object);
            Some(object)
        }
        Conv::Integer(abi) => Some(integer(r, b, value, *abi)),
        Conv::Pointer => {
            let address = b.convert(ConvertOp::Bitcast, Type::I64, value);
            Some(integer(r, b, address, AbiType::U64))
        }
        Conv::Utf8 => Some(utf8(r, b, value)),
        Conv::Double => Some(float(r, b, value)),
        Conv::Float => {
            let wide = b.convert(ConvertOp::Fpromote, Type::F64, value);
            Some(float(r, b, wide))
        }
        _ => None,
    }
}

/// Takes a reference to one of CPython's own constants. On 3.11 that is one add; from 3.12 on they are
/// immortal and not counted.
pub(super) fn new_reference(r: &PythonRecipes, b: &mut Builder, constant: Value) {
    if r.layout.immortal_objects {
        return;
    }
    let count = b.load(Type::I64, constant, 0);
    let one = b.iconst(Type::I64, 1);
    let more = b.binary(BinaryOp::Add, count, one);
    b.store(more, constant, 0);
}

/// A str, or None for NULL.
fn utf8(r: &PythonRecipes, b: &mut Builder, value: Value) -> Value {
    use gijit::lower::Recipes as _;
    let join = b.block();
    let found = b.block_param(join, Type::Ptr);
    let (absent, given) = (b.block(), b.block());
    let null = b.iconst(Type::Ptr, 0);
    let is_null = b.compare(Condition::Eq, value, null);
    b.branch(is_null, absent, given);
    b.switch_to(absent);
    let none = r.new_none(b);
    b.jump(join, &[none]);
    b.switch_to(given);
    let function = r.layout.unicode_from_utf8 as u64;
    let text = b
        .call(
            "PyUnicode_FromString",
            function,
            &[AbiType::Ptr],
            Some(AbiType::Ptr),
            &[value],
        )
        .expect("it has a result");
    b.jump(join, &[text]);
    b.switch_to(join);
    found
}

fn integer(r: &PythonRecipes, b: &mut Builder, value: Value, abi: AbiType) -> Value {
    let (name, function, arg) = if abi == AbiType::U64 {
        (
            "PyLong_FromUnsignedLongLong",
            r.layout.long_from_u64,
            AbiType::U64,
        )
    } else {
        ("PyLong_FromLongLong", r.layout.long_from_i64, AbiType::I64)
    };
    let op = if abi.signed() {
        ConvertOp::Sext
    } else {
        ConvertOp::Zext
    };
    let wide = match abi.ty() {
        Type::I64 => value,
        _ => b.convert(op, Type::I64, value),
    };
    let small = (r.layout.small_ints != 0).then(|| small_int(r, b, wide, abi));
    let object = b
        .call(name, function as u64, &[arg], Some(AbiType::Ptr), &[wide])
        .expect("it has a result");
    match small {
        Some((join, found)) => {
            b.jump(join, &[object]);
            b.switch_to(join);
            found
        }
        None => object,
    }
}

/// Goes to the block that it returns with CPython's own object for a small int, and on where the int
/// is not small.
fn small_int(r: &PythonRecipes, b: &mut Builder, wide: Value, abi: AbiType) -> (Block, Value) {
    let join = b.block();
    let found = b.block_param(join, Type::Ptr);
    let (small, other) = (b.block(), b.block());
    let min = match abi.signed() {
        true => SMALL_INT_MIN,
        false => 0,
    };
    let least = b.iconst(Type::I64, min);
    let above = b.binary(BinaryOp::Sub, wide, least);
    let span = b.iconst(Type::I64, SMALL_INT_MAX - min);
    let is_small = b.compare(Condition::Ule, above, span);
    b.branch(is_small, small, other);
    b.switch_to(small);
    let shift = b.iconst(Type::I64, i64::from(SMALL_INT_SIZE.trailing_zeros()));
    let bytes = b.binary(BinaryOp::Shl, wide, shift);
    let bytes = b.convert(ConvertOp::Bitcast, Type::Ptr, bytes);
    let zero = b.symbol_addr("int 0", r.layout.small_ints as u64);
    let object = b.binary(BinaryOp::Add, zero, bytes);
    new_reference(r, b, object);
    b.jump(join, &[object]);
    b.switch_to(other);
    (join, found)
}

fn float(r: &PythonRecipes, b: &mut Builder, value: Value) -> Value {
    let function = r.layout.float_from_f64 as u64;
    b.call(
        "PyFloat_FromDouble",
        function,
        &[AbiType::F64],
        Some(AbiType::Ptr),
        &[value],
    )
    .expect("it has a result")
}
