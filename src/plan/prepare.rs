//! Memory that the caller allocates for the callee to fill: for which arguments a plan has an *in* step
//! that prepares it.
//!
//! The rules are those of `_caller_alloc` in `pygi-invoke.c`, except that nothing is written past the
//! memory that is there.

use super::Conv;
use super::reject::Reason;
use crate::ir::AbiType;
use crate::signature::{ArrayKind, Transfer, Type};

/// Whether PyGObject allocates an argument of this type when the typelib says that the caller does.
pub(super) fn allocatable(ty: &Type) -> bool {
    !matches!(
        ty,
        Type::Void
            | Type::Pointer
            | Type::Boolean
            | Type::Integer(_)
            | Type::Float
            | Type::Double
            | Type::GType
            | Type::Utf8
            | Type::Filename
            | Type::Unichar
            | Type::List { .. }
            | Type::Hash { .. }
            | Type::Error
    )
}

/// An out argument for which the caller shall allocate memory, of a type that PyGObject gives the
/// address of one value to. A callee may write several numbers there. What it writes instead of a
/// pointer to a string is not one.
pub(super) fn several(conv: Conv) -> Result<Conv, Reason> {
    match conv {
        Conv::Utf8 | Conv::Filename => Err(Reason::CallerAllocated),
        conv if conv.abi() == AbiType::Ptr => Ok(conv),
        conv => Ok(Conv::First { of: Box::new(conv) }),
    }
}

/// Whether the caller can allocate such a value: its size is known, and what Python makes of it
/// outlives it.
pub(super) fn prepares(conv: &Conv, transfer: Transfer) -> bool {
    let array = match conv {
        Conv::Boxed { .. } | Conv::Struct { .. } | Conv::Foreign { .. } | Conv::Value => {
            return true;
        }
        Conv::Array(array) => array,
        _ => return false,
    };
    let pointed_to = match &array.item {
        Conv::Inline { of } => matches!(**of, Conv::Struct { .. }),
        _ => false,
    };
    (array.kind != ArrayKind::C || array.fixed.is_some())
        && (transfer != Transfer::None || !pointed_to)
}
