//! Signatures made by hand, for tests of what `build` makes of them.
// Each test binary uses a part of it.
#![allow(dead_code)]

use gijit::ir::AbiType;
use gijit::plan::Plan;
use gijit::plan::build::build;
use gijit::plan::verify::verify;
use gijit::signature::{
    ArrayKind, CallableKind, Direction, Instance, Item, Param, Return, Scope, Signature,
    StructKind, Transfer, Type, TypeRef,
};

pub fn named(name: &str) -> TypeRef {
    TypeRef::new("Test", name.to_owned())
}

pub fn object() -> Type {
    Type::Object {
        ty: named("Object"),
        gobject: true,
    }
}

pub fn structure(kind: StructKind) -> Type {
    Type::Struct {
        ty: named("Struct"),
        kind,
    }
}

pub fn int() -> Type {
    Type::Integer(AbiType::I32)
}

/// An in argument, a pointer where values of its type are.
pub fn param(name: &str, ty: Type) -> Param {
    let value = matches!(ty, Type::Integer(_) | Type::Boolean | Type::Double);
    Param {
        name: name.to_owned().into(),
        is_pointer: !value,
        ty,
        direction: Direction::In,
        transfer: Transfer::None,
        nullable: false,
        optional: false,
        caller_allocates: false,
        scope: Scope::Call,
        closure: None,
        destroy: None,
        length: None,
    }
}

pub fn nullable(param: Param) -> Param {
    Param {
        nullable: true,
        ..param
    }
}

pub fn given(param: Param) -> Param {
    Param {
        transfer: Transfer::Full,
        ..param
    }
}

pub fn towards(direction: Direction, param: Param) -> Param {
    Param { direction, ..param }
}

/// `void test_function(params)`.
pub fn function(params: Vec<Param>) -> Signature {
    Signature {
        name: "Test.function".into(),
        symbol: "test_function".into(),
        kind: CallableKind::Function,
        instance: None,
        params,
        result: Return {
            ty: Type::Void,
            is_pointer: false,
            transfer: Transfer::None,
            nullable: false,
            skip: false,
            length: None,
        },
        throws: false,
        deprecated: false,
    }
}

pub fn returning(ty: Type, transfer: Transfer) -> Signature {
    let mut signature = function(Vec::new());
    signature.result.is_pointer = param("", ty.clone()).is_pointer;
    signature.result.ty = ty;
    signature.result.transfer = transfer;
    signature
}

pub fn planned(signature: &Signature) -> Plan {
    let plan = build(signature).unwrap_or_else(|reject| panic!("{reject}"));
    verify(&plan).unwrap_or_else(|error| panic!("{error}\n{plan}"));
    plan
}

pub fn virtual_function() -> Signature {
    let mut signature = function(vec![param("a", int())]);
    signature.kind = CallableKind::VFunc;
    signature.instance = Some(Instance {
        ty: object(),
        transfer: Transfer::None,
    });
    signature
}

pub fn strings() -> Type {
    Type::Array {
        kind: ArrayKind::C,
        item: Box::new(Item {
            ty: Type::Utf8,
            is_pointer: true,
        }),
        zero_terminated: false,
        fixed: None,
    }
}
