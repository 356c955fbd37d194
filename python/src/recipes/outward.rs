//! Recipes for phase *out*: results that one C API call or none can make.

use gijit::ir::builder::Builder;
use gijit::ir::{AbiType, BinaryOp, Condition, ConvertOp, Type, Value};
use gijit::plan::{Conv, Out};

use super::PythonRecipes;

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
        Conv::Double => Some(float(r, b, value)),
        Conv::Float => {
            let wide = b.convert(ConvertOp::Fpromote, Type::F64, value);
            Some(float(r, b, wide))
        }
        _ => None,
    }
}

/// Takes a reference. On CPython 3.11 that is one add; from 3.12 on immortal objects are left alone
/// by the C API function, which is called instead.
pub(super) fn new_reference(r: &PythonRecipes, b: &mut Builder, object: Value) {
    if r.layout.immortal_objects {
        b.call(
            "Py_IncRef",
            r.layout.incref as u64,
            &[AbiType::Ptr],
            None,
            &[object],
        );
        return;
    }
    let count = b.load(Type::I64, object, 0);
    let one = b.iconst(Type::I64, 1);
    let more = b.binary(BinaryOp::Add, count, one);
    b.store(more, object, 0);
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
    b.call(name, function as u64, &[arg], Some(AbiType::Ptr), &[wide])
        .expect("it has a result")
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
