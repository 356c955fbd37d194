//! Types, signatures and attributes in LLVM's terms.

use gijit::ir::{AbiType, CallSignature, Type};
use inkwell::AddressSpace;
use inkwell::attributes::Attribute;
use inkwell::context::Context;
use inkwell::types::{BasicMetadataTypeEnum, BasicType, BasicTypeEnum, FunctionType, PointerType};
use inkwell::values::PointerValue;

pub(super) fn address(context: &Context, bits: u64) -> PointerValue<'_> {
    let bits = context.i64_type().const_int(bits, false);
    bits.const_to_pointer(pointer(context))
}

pub(super) fn pointer(context: &Context) -> PointerType<'_> {
    context.ptr_type(AddressSpace::default())
}

pub(super) fn basic_type(context: &Context, of: Type) -> BasicTypeEnum<'_> {
    match of {
        Type::I8 => context.i8_type().into(),
        Type::I16 => context.i16_type().into(),
        Type::I32 => context.i32_type().into(),
        Type::I64 => context.i64_type().into(),
        Type::F32 => context.f32_type().into(),
        Type::F64 => context.f64_type().into(),
        Type::Ptr => pointer(context).into(),
    }
}

pub(super) fn function_type<'ctx>(
    context: &'ctx Context,
    signature: &CallSignature,
) -> FunctionType<'ctx> {
    let params: Vec<BasicMetadataTypeEnum> = signature
        .params
        .iter()
        .map(|param| basic_type(context, param.ty()).into())
        .collect();
    match signature.result {
        Some(result) => basic_type(context, result.ty()).fn_type(&params, false),
        None => context.void_type().fn_type(&params, false),
    }
}

/// How a narrow integer is passed.
pub(super) fn extension(context: &Context, of: AbiType) -> Option<Attribute> {
    let narrow = matches!(of.ty(), Type::I8 | Type::I16 | Type::I32);
    let name = if of.signed() { "signext" } else { "zeroext" };
    narrow.then(|| context.create_enum_attribute(Attribute::get_named_enum_kind_id(name), 0))
}

pub(super) fn function_attributes(context: &Context) -> [Attribute; 5] {
    let named =
        |name, value| context.create_enum_attribute(Attribute::get_named_enum_kind_id(name), value);
    [
        named("nounwind", 0),
        // Tables that are right at every instruction: profilers stop anywhere.
        named("uwtable", 2),
        // NULL is an address: a text without addresses still compiles to what it says.
        named("null_pointer_is_valid", 0),
        // Tables of jumps or values, and calls of the C library, would need relocations.
        context.create_string_attribute("no-jump-tables", "true"),
        context.create_string_attribute("no-builtins", ""),
    ]
}
