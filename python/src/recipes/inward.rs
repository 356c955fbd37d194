//! Recipes for phase *in*: one per conversion that can be read straight from memory.

use gijit::ir::builder::Builder;
use gijit::ir::{AbiType, BinaryOp, Block, Condition, ConvertOp, Type, Value};
use gijit::plan::link::Step;
use gijit::plan::{Conv, In};
use gijit::signature::Transfer;

use super::PythonRecipes;
use crate::layout::values::{
    Ascii, FLOAT_VALUE, IntHead, LONG_DIGITS, LONG_HEAD, UNICODE_LENGTH, UNICODE_STATE,
};
use crate::marshal::{self, desc};

/// See [`gijit::lower::Recipes::convert_in`].
pub(super) fn convert(
    r: &PythonRecipes,
    b: &mut Builder,
    op: &In,
    step: &Step,
    object: Value,
    known: Option<usize>,
    slow: Block,
) -> Option<Value> {
    let layout = r.layout;
    if op.transfer == Transfer::Full {
        return None;
    }
    match &op.conv {
        Conv::Boolean => Some(boolean(r, b, object, known, slow)),
        Conv::Integer(abi) if let Some(head) = layout.int_head => {
            r.expect_type(b, object, layout.long_type, "int", known, slow)?;
            let value = small_int(r, b, head, object, slow);
            Some(in_range(r, b, value, *abi, slow))
        }
        Conv::Pointer if let Some(head) = layout.int_head => {
            r.expect_type(b, object, layout.long_type, "int", known, slow)?;
            let value = small_int(r, b, head, object, slow);
            let address = in_range(r, b, value, AbiType::U64, slow);
            Some(b.convert(ConvertOp::Bitcast, Type::Ptr, address))
        }
        Conv::Enum { storage, .. } | Conv::Flags { storage, .. }
            if let Some(head) = layout.int_head =>
        {
            let ty = desc::exact_type(step);
            if ty == 0 {
                return None;
            }
            r.expect_type(b, object, ty, "enum type", known, slow)?;
            let value = small_int(r, b, head, object, slow);
            Some(in_range(r, b, value, *storage, slow))
        }
        Conv::Double if layout.float_readable => {
            r.expect_type(b, object, layout.float_type, "float", known, slow)?;
            Some(b.load(Type::F64, object, FLOAT_VALUE))
        }
        Conv::Float if layout.float_readable => {
            r.expect_type(b, object, layout.float_type, "float", known, slow)?;
            Some(float(r, b, object, slow))
        }
        Conv::Utf8 if let Some(form) = layout.ascii => {
            r.expect_type(b, object, layout.unicode_type, "str", known, slow)?;
            Some(ascii(r, b, form, object, slow))
        }
        Conv::Filename
            if let Some(form) = layout.ascii
                && marshal::filenames_are_utf8() =>
        {
            r.expect_type(b, object, layout.unicode_type, "str", known, slow)?;
            let text = ascii(r, b, form, object, slow);
            let length = b.load(Type::I64, object, UNICODE_LENGTH);
            expect_no_zero(r, b, text, length, slow);
            Some(text)
        }
        Conv::Unichar if let Some(form) = layout.ascii => {
            r.expect_type(b, object, layout.unicode_type, "str", known, slow)?;
            let text = ascii(r, b, form, object, slow);
            let length = b.load(Type::I64, object, UNICODE_LENGTH);
            let one = b.iconst(Type::I64, 1);
            r.expect(b, Condition::Eq, length, one, slow);
            let character = b.load(Type::I8, text, 0);
            Some(b.convert(ConvertOp::Zext, Type::I32, character))
        }
        Conv::Object { .. } if layout.gobject_readable => {
            expect_accepted(r, b, step, object, known, slow);
            Some(pointer(r, b, object, layout.gobject_pointer, slow))
        }
        Conv::Variant { .. } if layout.boxed_readable => {
            expect_accepted(r, b, step, object, known, slow);
            Some(pointer(r, b, object, layout.boxed_pointer, slow))
        }
        Conv::Boxed { .. } | Conv::Struct { .. } if layout.boxed_readable => {
            expect_accepted(r, b, step, object, known, slow);
            Some(b.load(Type::Ptr, object, layout.boxed_pointer))
        }
        _ => None,
    }
}

/// What a wrapper points to, which must not be NULL.
fn pointer(r: &PythonRecipes, b: &mut Builder, object: Value, offset: i32, slow: Block) -> Value {
    let pointer = b.load(Type::Ptr, object, offset);
    let null = b.iconst(Type::Ptr, 0);
    r.expect(b, Condition::Ne, pointer, null, slow);
    pointer
}

/// True and False themselves.
fn boolean(
    r: &PythonRecipes,
    b: &mut Builder,
    object: Value,
    known: Option<usize>,
    slow: Block,
) -> Value {
    let yes = b.symbol_addr("True", r.layout.true_ as u64);
    let is_true = b.compare(Condition::Eq, object, yes);
    if known == Some(r.layout.bool_type) {
        return b.convert(ConvertOp::Zext, Type::I32, is_true);
    }
    let no = b.symbol_addr("False", r.layout.false_ as u64);
    let is_false = b.compare(Condition::Eq, object, no);
    let either = b.binary(BinaryOp::Or, is_true, is_false);
    let go_on = b.block();
    b.branch(either, go_on, slow);
    b.switch_to(go_on);
    b.convert(ConvertOp::Zext, Type::I32, is_true)
}

/// An int of at most one digit, as an I64. `object` is known to have the layout of an int.
fn small_int(
    r: &PythonRecipes,
    b: &mut Builder,
    head: IntHead,
    object: Value,
    slow: Block,
) -> Value {
    let found = b.load(Type::I64, object, LONG_HEAD);
    let one = b.iconst(Type::I64, 1);
    let sign = match head {
        IntHead::Size => {
            let biased = b.binary(BinaryOp::Add, found, one);
            let two = b.iconst(Type::I64, 2);
            r.expect(b, Condition::Ule, biased, two, slow);
            found
        }
        IntHead::Tag => {
            let two_digits = b.iconst(Type::I64, 2 << 3);
            r.expect(b, Condition::Ult, found, two_digits, slow);
            let three = b.iconst(Type::I64, 3);
            let kind = b.binary(BinaryOp::And, found, three);
            b.binary(BinaryOp::Sub, one, kind)
        }
    };
    let digit = b.load(Type::I32, object, LONG_DIGITS);
    let digit = b.convert(ConvertOp::Zext, Type::I64, digit);
    b.binary(BinaryOp::Mul, digit, sign)
}

/// Checks that an I64 of at most 30 bits and a sign fits `abi`, and narrows it.
fn in_range(r: &PythonRecipes, b: &mut Builder, value: Value, abi: AbiType, slow: Block) -> Value {
    let bounds = match abi {
        AbiType::I8 => Some((-0x80, 0x7f)),
        AbiType::U8 => Some((0, 0xff)),
        AbiType::I16 => Some((-0x8000, 0x7fff)),
        AbiType::U16 => Some((0, 0xffff)),
        AbiType::U32 | AbiType::U64 => Some((0, i64::MAX)),
        _ => None,
    };
    if let Some((low, high)) = bounds {
        // One unsigned comparison checks both ends.
        let low_value = b.iconst(Type::I64, low);
        let above = b.binary(BinaryOp::Sub, value, low_value);
        let span = b.iconst(Type::I64, high - low);
        r.expect(b, Condition::Ule, above, span, slow);
    }
    match abi.ty() {
        Type::I64 => value,
        narrow => b.convert(ConvertOp::Trunc, narrow, value),
    }
}

/// A finite float in the range of a C float.
fn float(r: &PythonRecipes, b: &mut Builder, object: Value, slow: Block) -> Value {
    let value = b.load(Type::F64, object, FLOAT_VALUE);
    let max = b.iconst(Type::F64, f64::from(f32::MAX).to_bits() as i64);
    let min = b.iconst(Type::F64, f64::from(f32::MIN).to_bits() as i64);
    r.expect(b, Condition::Fle, value, max, slow);
    r.expect(b, Condition::Fle, min, value, slow);
    b.convert(ConvertOp::Fdemote, Type::F32, value)
}

/// A compact ASCII str: its bytes are its UTF-8. Embedded zeros end the C string, as in PyGObject.
fn ascii(r: &PythonRecipes, b: &mut Builder, form: Ascii, object: Value, slow: Block) -> Value {
    let state = b.load(Type::I32, object, UNICODE_STATE);
    let mask = b.iconst(Type::I32, i64::from(form.state));
    let bits = b.binary(BinaryOp::And, state, mask);
    r.expect(b, Condition::Eq, bits, mask, slow);
    let offset = b.iconst(Type::Ptr, i64::from(form.data));
    b.binary(BinaryOp::Add, object, offset)
}

/// No zero among the `length` bytes of a compact ASCII str, which would be PyGObject's `ValueError`.
///
/// Eight bytes at a time, without a call: the arguments need not survive one then. The text is
/// aligned to eight bytes (it follows the object's head), so the last word, in which its terminator
/// stands, is on a page that can be read.
fn expect_no_zero(r: &PythonRecipes, b: &mut Builder, text: Value, length: Value, slow: Block) {
    let head = b.block();
    let place = b.block_param(head, Type::Ptr);
    let left = b.block_param(head, Type::I64);
    b.jump(head, &[text, length]);
    b.switch_to(head);
    let (whole, last) = (b.block(), b.block());
    let eight = b.iconst(Type::I64, 8);
    let many = b.compare(Condition::Uge, left, eight);
    b.branch(many, whole, last);

    b.switch_to(whole);
    let word = b.load(Type::I64, place, 0);
    expect_bytes(r, b, word, slow);
    let step = b.iconst(Type::Ptr, 8);
    let next = b.binary(BinaryOp::Add, place, step);
    let fewer = b.binary(BinaryOp::Sub, left, eight);
    b.jump(head, &[next, fewer]);

    // What is behind the text counts as ones.
    b.switch_to(last);
    let word = b.load(Type::I64, place, 0);
    let three = b.iconst(Type::I64, 3);
    let bits = b.binary(BinaryOp::Shl, left, three);
    let ones = b.iconst(Type::I64, ONES);
    let behind = b.binary(BinaryOp::Shl, ones, bits);
    let all = b.iconst(Type::I64, -1);
    let mask = b.binary(BinaryOp::Shl, all, bits);
    let mask = b.binary(BinaryOp::Xor, mask, all);
    let within = b.binary(BinaryOp::And, word, mask);
    let word = b.binary(BinaryOp::Or, within, behind);
    expect_bytes(r, b, word, slow);
}

/// Every byte is 1.
const ONES: i64 = 0x0101_0101_0101_0101;

/// Eight ASCII characters, none of them zero: taking one from each borrows from no high bit.
fn expect_bytes(r: &PythonRecipes, b: &mut Builder, word: Value, slow: Block) {
    let ones = b.iconst(Type::I64, ONES);
    let less = b.binary(BinaryOp::Sub, word, ones);
    let high = b.iconst(Type::I64, ONES << 7);
    let borrowed = b.binary(BinaryOp::And, less, high);
    let zero = b.iconst(Type::I64, 0);
    r.expect(b, Condition::Eq, borrowed, zero, slow);
}

/// The type is one that the helper has accepted for this argument before. The descriptor holds a
/// reference to it, so the address cannot be another type's.
fn expect_accepted(
    r: &PythonRecipes,
    b: &mut Builder,
    step: &Step,
    object: Value,
    known: Option<usize>,
    slow: Block,
) {
    use gijit::lower::Recipes as _;
    if known.is_some() {
        return;
    }
    let found = r.type_of(b, object);
    let desc = b.symbol_addr("desc", step.desc as u64);
    let accepted = b.load(Type::Ptr, desc, desc::ACCEPTED_OFFSET);
    r.expect(b, Condition::Eq, found, accepted, slow);
}
