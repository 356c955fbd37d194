//! What can be done with a field.

use gijit::ir::AbiType;
use gijit::plan::Conv;
use gijit::plan::field::{Get, access};
use gijit::signature::{ArrayKind, Field, Item, Name, StructKind, Type, TypeRef};

fn field(ty: Type, is_pointer: bool) -> Field {
    Field {
        ty,
        is_pointer,
        offset: 24,
        readable: true,
        writable: true,
        is_bits: false,
    }
}

fn of_struct(kind: StructKind) -> Type {
    let ty = TypeRef::new(Name::from("Name"), Name::from("Struct"));
    Type::Struct { ty, kind }
}

#[test]
fn numbers_are_got_and_set() {
    let number = field(Type::Integer(AbiType::I16), false);
    let found = access(&number);
    let conv = Conv::Integer(AbiType::I16);
    assert_eq!(found.offset, 24);
    assert_eq!(
        (found.get, found.set),
        (Some(Get::Value(conv.clone())), Some(conv))
    );

    let hidden = Field {
        readable: false,
        ..number.clone()
    };
    assert_eq!(access(&hidden).get, None);
    let fixed = Field {
        writable: false,
        ..number.clone()
    };
    assert_eq!(access(&fixed).set, None);
    let bits = Field {
        is_bits: true,
        ..number
    };
    assert_eq!((access(&bits).get, access(&bits).set), (None, None));
}

/// What is set in another way than a number leaks or dangles in PyGObject.
#[test]
fn text_is_got_alone() {
    let found = access(&field(Type::Utf8, true));
    assert_eq!((found.get, found.set), (Some(Get::Value(Conv::Utf8)), None));
}

#[test]
fn structs_are_shown_where_they_are() {
    let ty = of_struct(StructKind::Plain);
    for (is_pointer, address) in [(false, true), (true, false)] {
        let found = access(&field(ty.clone(), is_pointer));
        let is_address = matches!(found.get, Some(Get::Address(Conv::Struct { .. })));
        let is_value = matches!(found.get, Some(Get::Value(Conv::Struct { .. })));
        assert_eq!((is_address, is_value), (address, !address));
        assert_eq!(found.set, None);
    }
}

#[test]
fn the_rest_is_pygobjects() {
    let item = Box::new(Item {
        ty: Type::Integer(AbiType::I32),
        is_pointer: false,
    });
    let array = Type::Array {
        kind: ArrayKind::C,
        item,
        zero_terminated: true,
        fixed: None,
    };
    let fields = [
        field(array, true),
        field(Type::Pointer, true),
        field(Type::Integer(AbiType::I32), true),
        field(of_struct(StructKind::Value), false),
        field(of_struct(StructKind::Variant), true),
        field(of_struct(StructKind::Foreign), true),
        field(of_struct(StructKind::ClassStruct), false),
        field(Type::Error, true),
    ];
    for field in fields {
        let found = access(&field);
        assert_eq!((found.get, found.set), (None, None), "{field:?}");
    }
}
