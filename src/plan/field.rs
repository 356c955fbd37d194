//! What it means to get and to set a field of a struct or union.
//!
//! A field is converted as an argument of its type is (`convert`). The rules are those of
//! `_wrap_g_field_info_get_value` and `_wrap_g_field_info_set_value` of PyGObject's `pygi-info.c`:
//! nothing changes hands. A plain struct that stands in the field itself is shown where it is, of a
//! boxed one Python gets a copy.
//!
//! Absent, so left to PyGObject: bits, arrays, lists and hash tables, callbacks, GValues, pointers to
//! numbers; setting anything but numbers, because PyGObject leaks or dangles what it sets.

use super::Conv;
use super::convert::conversion;
use crate::signature::{Field, Type};

/// What is done with one field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Access {
    /// Bytes from the start of the struct.
    pub offset: usize,
    pub get: Option<Get>,
    /// Numbers alone.
    pub set: Option<Conv>,
}

/// What the cell of a field holds that is got.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Get {
    /// What stands in the field.
    Value(Conv),
    /// The field's address.
    Address(Conv),
}

/// What can be done with `field`.
pub fn access(field: &Field) -> Access {
    let none = Access {
        offset: field.offset,
        get: None,
        set: None,
    };
    if field.is_bits {
        return none;
    }
    let is_struct = matches!(field.ty, Type::Struct { .. });
    let embedded = is_struct && !field.is_pointer;
    let Ok(conv) = conversion(&field.ty, field.is_pointer || is_struct, None) else {
        return none;
    };
    let is_number = matches!(
        conv,
        Conv::Boolean | Conv::Integer(_) | Conv::Float | Conv::Double | Conv::Unichar | Conv::GType
    );
    let shown = match conv {
        _ if is_number => true,
        Conv::Enum { .. } | Conv::Flags { .. } => true,
        Conv::Boxed { .. } | Conv::Struct { .. } => true,
        Conv::Utf8 | Conv::Object { .. } => field.is_pointer,
        _ => false,
    };
    Access {
        get: (shown && field.readable).then(|| match embedded {
            true => Get::Address(conv.clone()),
            false => Get::Value(conv.clone()),
        }),
        set: (is_number && field.writable).then_some(conv),
        ..none
    }
}
