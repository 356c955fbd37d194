//! How a value of each type is converted, and who gives it back: the one place where types of the
//! typelib become conversions.
//!
//! Containers are conversions of their items, to any depth. Which argument holds an array's length
//! is the builder's business (`build`), as are ownership and None.

use super::reject::Reason;
use super::{Array, Conv, Free};
use crate::ir::AbiType;
use crate::signature::{ArrayKind, Direction, Item, Param, Signature, StructKind, Transfer, Type};

/// [`Conv::width`] of an array.
pub(super) const ARRAY_WIDTH: u16 = 3;

/// How a value of `ty` is converted. `length` is the type of an array's length argument.
pub(super) fn conversion(
    ty: &Type,
    is_pointer: bool,
    length: Option<AbiType>,
) -> Result<Conv, Reason> {
    let basic = |conv| match is_pointer {
        true => Ok(Conv::AsPointer { of: Box::new(conv) }),
        false => Ok(conv),
    };
    match ty {
        Type::Void => Err(Reason::Unresolved),
        Type::Pointer => Ok(Conv::Pointer),
        Type::Boolean => basic(Conv::Boolean),
        Type::Integer(abi) => basic(Conv::Integer(*abi)),
        Type::Float => basic(Conv::Float),
        Type::Double => basic(Conv::Double),
        Type::GType => basic(Conv::GType),
        Type::Unichar => basic(Conv::Unichar),
        Type::Enum { ty, storage } => basic(Conv::Enum {
            ty: *ty,
            storage: *storage,
        }),
        Type::Flags { ty, storage } => basic(Conv::Flags {
            ty: *ty,
            storage: *storage,
        }),
        Type::Utf8 => Ok(Conv::Utf8),
        Type::Filename => Ok(Conv::Filename),
        Type::Object { ty, gobject: false } => Ok(Conv::Fundamental { ty: *ty }),
        Type::Object { ty, .. } | Type::Interface { ty } => Ok(Conv::Object { ty: *ty }),
        Type::Struct { ty, kind } | Type::Union { ty, kind } => match kind {
            StructKind::Closure if is_pointer => Ok(Conv::Closure { ty: *ty }),
            StructKind::Closure => Err(Reason::StructByValue),
            StructKind::ClassStruct => Ok(Conv::Class { ty: *ty }),
            StructKind::OtherFundamental => Err(Reason::Fundamental),
            _ if !is_pointer => Err(Reason::StructByValue),
            StructKind::Foreign => Ok(Conv::Foreign { ty: *ty }),
            StructKind::Value => Ok(Conv::Value),
            StructKind::Boxed => Ok(Conv::Boxed { ty: *ty }),
            StructKind::Plain => Ok(Conv::Struct { ty: *ty }),
            StructKind::Variant => Ok(Conv::Variant { ty: *ty }),
        },
        Type::Callback { .. } => Err(Reason::Callback),
        Type::Array {
            kind,
            item,
            zero_terminated,
            fixed,
        } => Ok(Conv::Array(Box::new(Array {
            kind: *kind,
            item: match kind {
                ArrayKind::C | ArrayKind::GArray => flat_item(item)?,
                ArrayKind::GPtrArray => pointer_item(item)?,
                ArrayKind::GByteArray => Conv::Integer(AbiType::U8),
            },
            zero_terminated: *zero_terminated && *kind != ArrayKind::GPtrArray,
            fixed: *fixed,
            length,
        }))),
        Type::List { kind, item } => Ok(Conv::List {
            kind: *kind,
            item: Box::new(pointer_item(item)?),
        }),
        Type::Hash { key, value } => Ok(Conv::Hash {
            key: Box::new(pointer_item(key)?),
            value: Box::new(pointer_item(value)?),
        }),
        Type::Error => Ok(Conv::Error),
        Type::Unresolved { .. } => Err(Reason::Unresolved),
    }
}

/// Whether an argument is, or counts as, a pointer to what its type says. Of a struct that goes in
/// PyGObject passes the address, also when the typelib says that the struct itself is passed; that is
/// what a function written in Vala takes.
pub(super) fn by_address(param: &Param) -> bool {
    let is_struct = matches!(param.ty, Type::Struct { .. } | Type::Union { .. });
    param.is_pointer || is_struct && param.direction == Direction::In
}

/// An item that stands in an array itself.
fn flat_item(item: &Item) -> Result<Conv, Reason> {
    match &item.ty {
        ty if !item.is_pointer && STANDS_ALONE.iter().any(|kind| is_kind(ty, *kind)) => {
            Err(Reason::StructByValue)
        }
        Type::Struct { .. } | Type::Union { .. } if !item.is_pointer => Ok(Conv::Inline {
            of: Box::new(conversion(&item.ty, true, None)?),
        }),
        ty => conversion(ty, item.is_pointer, None),
    }
}

/// An item that travels in a pointer: small integers as its value, structs behind it.
fn pointer_item(item: &Item) -> Result<Conv, Reason> {
    match &item.ty {
        Type::Float | Type::Double => Err(Reason::List),
        Type::Struct { .. } | Type::Union { .. } => conversion(&item.ty, true, None),
        ty => conversion(ty, item.is_pointer, None),
    }
}

/// Whether PyGObject can convert what Python gives for `conv`. Of an item of an array it notes one
/// address to clean up; of a C array that stays the caller's there are two, and it raises.
pub(super) fn accept_items(conv: &Conv, transfer: Transfer) -> Result<(), Reason> {
    let items = |items: &[&Conv]| {
        items
            .iter()
            .try_for_each(|item| accept_items(item, transfer))
    };
    match conv {
        _ if transfer == Transfer::Full => Ok(()),
        Conv::Array(array) => match &array.item {
            Conv::Array(inner) if inner.kind == ArrayKind::C => Err(Reason::NestedArray),
            item => items(&[item]),
        },
        Conv::List { item, .. } => items(&[item]),
        Conv::Hash { key, value } => items(&[key, value]),
        _ => Ok(()),
    }
}

/// Structs that no array holds itself.
const STANDS_ALONE: [StructKind; 3] = [
    StructKind::ClassStruct,
    StructKind::Closure,
    StructKind::Foreign,
];

fn is_kind(ty: &Type, kind: StructKind) -> bool {
    matches!(ty, Type::Struct { kind: found, .. } if *found == kind)
}

/// The type of the argument that holds an array's length, which must travel the array's way.
pub(super) fn length_type(
    signature: &Signature,
    length: usize,
    direction: Direction,
) -> Result<AbiType, Reason> {
    match signature.params.get(length) {
        Some(param) if param.direction == direction => match param.ty {
            Type::Integer(abi) if !param.is_pointer => Ok(abi),
            _ => Err(Reason::ArrayLength),
        },
        _ => Err(Reason::ArrayLength),
    }
}

/// The conversion of what comes out, where `conv` is that of what goes in: a class struct is shown as
/// the struct that it is.
pub(super) fn outward(conv: Conv) -> Conv {
    let boxed = |conv: Box<Conv>| Box::new(outward(*conv));
    match conv {
        Conv::Class { ty } => Conv::Struct { ty },
        Conv::Array(array) => Conv::Array(Box::new(Array {
            item: outward(array.item),
            ..*array
        })),
        Conv::List { kind, item } => Conv::List {
            kind,
            item: boxed(item),
        },
        Conv::Hash { key, value } => Conv::Hash {
            key: boxed(key),
            value: boxed(value),
        },
        conv => conv,
    }
}

/// Who owns a value of `conv` that the typelib says `transfer` of. PyGObject copies every string that
/// goes in and keeps back only what is not given at all; otherwise a container's transfer means
/// nothing where there is none. It never copies a plain struct.
pub(super) fn settled(conv: &Conv, transfer: Transfer, inward: bool) -> Transfer {
    match conv {
        Conv::Struct { .. } | Conv::Class { .. } if inward => Transfer::None,
        _ if conv.is_container() || transfer != Transfer::Container => transfer,
        Conv::Utf8 | Conv::Filename | Conv::Error if inward => Transfer::Full,
        Conv::Variant { .. } if !inward => Transfer::Full,
        Conv::Foreign { .. } => Transfer::Full,
        _ => Transfer::None,
    }
}

/// How a value that came with `transfer` is given back by whoever owns it; `None` for values that
/// are not owned.
pub fn owned(conv: &Conv, transfer: Transfer) -> Option<Free> {
    match conv {
        _ if transfer == Transfer::None => None,
        Conv::Utf8 | Conv::Filename | Conv::Struct { .. } => Some(Free::Memory),
        Conv::Object { .. } => Some(Free::Object),
        Conv::Fundamental { ty } => Some(Free::Fundamental { ty: *ty }),
        Conv::Foreign { ty } => Some(Free::Foreign { ty: *ty }),
        Conv::Boxed { ty } | Conv::Closure { ty } => Some(Free::Boxed { ty: *ty }),
        Conv::Variant { .. } => Some(Free::Variant),
        Conv::Error => Some(Free::Error),
        Conv::Inline { of } if **of == Conv::Value => Some(Free::Value),
        _ if conv.is_container() => Some(Free::Container {
            conv: Box::new(conv.clone()),
            transfer,
        }),
        _ => None,
    }
}
