//! The text form of a signature, which reads like documentation of the call.
//!
//! ```text
//! method Gio.File.load_contents, calls g_file_load_contents, throws
//!   self: interface Gio.File
//!   in cancellable: object Gio.Cancellable, nullable
//!   out contents: C array of guint8, length in argument "length", transfer full
//!   out length: guint64
//!   out etag_out: utf8, transfer full, optional
//!   returns gboolean
//! ```

use std::fmt::{Display, Formatter, Result};

use super::{
    ArrayKind, CallableKind, Direction, Item, ListKind, Param, Scope, Signature, StructKind,
    Transfer, Type,
};
use crate::ir::AbiType;

impl Display for Signature {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let kind = match self.kind {
            CallableKind::Function => "function",
            CallableKind::Method => "method",
            CallableKind::Constructor => "constructor",
            CallableKind::VFunc => "virtual function",
            CallableKind::Callback => "callback",
        };
        write!(f, "{kind} {}", self.name)?;
        match self.kind {
            CallableKind::VFunc => write!(f, ", calls the field {}", self.symbol)?,
            CallableKind::Callback => {}
            _ => write!(f, ", calls {}", self.symbol)?,
        }
        word(f, self.throws, "throws")?;
        word(f, self.deprecated, "deprecated")?;
        writeln!(f)?;
        if let Some(instance) = &self.instance {
            write!(f, "  self: {}", instance.ty)?;
            transfer(f, instance.transfer)?;
            writeln!(f)?;
        }
        for param in &self.params {
            self.param(f, param)?;
        }
        let result = &self.result;
        if result.ty == Type::Void && !result.is_pointer {
            return writeln!(f, "  returns nothing");
        }
        write!(f, "  returns ")?;
        passed(f, &result.ty, result.is_pointer)?;
        self.argument(f, result.length, "length in")?;
        transfer(f, result.transfer)?;
        word(f, result.nullable, "nullable")?;
        word(f, result.skip, "skipped")?;
        writeln!(f)
    }
}

impl Signature {
    fn param(&self, f: &mut Formatter<'_>, param: &Param) -> Result {
        let direction = match param.direction {
            Direction::In => "in",
            Direction::Out => "out",
            Direction::InOut => "inout",
        };
        write!(f, "  {direction} {}: ", param.name)?;
        passed(f, &param.ty, param.is_pointer)?;
        self.argument(f, param.length, "length in")?;
        if matches!(param.ty, Type::Callback { .. }) {
            let scope = match param.scope {
                Scope::Call => "call",
                Scope::Async => "async",
                Scope::Notified => "notified",
                Scope::Forever => "forever",
            };
            write!(f, ", scope {scope}")?;
            self.argument(f, param.closure, "user data in")?;
            self.argument(f, param.destroy, "destroy notify in")?;
        }
        transfer(f, param.transfer)?;
        word(f, param.nullable, "nullable")?;
        word(f, param.optional, "optional")?;
        word(f, param.caller_allocates, "allocated by the caller")?;
        writeln!(f)
    }

    /// Names the argument `index`, if there is one.
    fn argument(&self, f: &mut Formatter<'_>, index: Option<usize>, what: &str) -> Result {
        match index.and_then(|index| self.params.get(index)) {
            Some(param) => write!(f, ", {what} argument {:?}", param.name),
            None => Ok(()),
        }
    }
}

fn word(f: &mut Formatter<'_>, holds: bool, word: &str) -> Result {
    match holds {
        true => write!(f, ", {word}"),
        false => Ok(()),
    }
}

fn transfer(f: &mut Formatter<'_>, transfer: Transfer) -> Result {
    match transfer {
        Transfer::None => Ok(()),
        Transfer::Container => f.write_str(", transfer container"),
        Transfer::Full => f.write_str(", transfer full"),
    }
}

/// A type and, where that is not the rule for it, whether it is passed by its address.
fn passed(f: &mut Formatter<'_>, ty: &Type, is_pointer: bool) -> Result {
    write!(f, "{ty}")?;
    match ty {
        Type::Struct { .. } | Type::Union { .. } => word(f, !is_pointer, "by value"),
        Type::Boolean
        | Type::Integer(_)
        | Type::Float
        | Type::Double
        | Type::GType
        | Type::Unichar
        | Type::Enum { .. }
        | Type::Flags { .. } => word(f, is_pointer, "by address"),
        _ => Ok(()),
    }
}

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Type::Void => f.write_str("void"),
            Type::Pointer => f.write_str("gpointer"),
            Type::Boolean => f.write_str("gboolean"),
            Type::Integer(abi) => f.write_str(integer(*abi)),
            Type::Float => f.write_str("gfloat"),
            Type::Double => f.write_str("gdouble"),
            Type::GType => f.write_str("GType"),
            Type::Utf8 => f.write_str("utf8"),
            Type::Filename => f.write_str("filename"),
            Type::Unichar => f.write_str("gunichar"),
            Type::Enum { ty, storage } => write!(f, "enum {ty} in {}", integer(*storage)),
            Type::Flags { ty, storage } => write!(f, "flags {ty} in {}", integer(*storage)),
            Type::Object { ty, gobject: true } => write!(f, "object {ty}"),
            Type::Object { ty, gobject: false } => write!(f, "fundamental {ty}"),
            Type::Interface { ty } => write!(f, "interface {ty}"),
            Type::Struct { ty, kind } => write!(f, "{} {ty}", structure(*kind, "struct")),
            Type::Union { ty, kind } => write!(f, "{} {ty}", structure(*kind, "union")),
            Type::Callback { ty } => write!(f, "callback {ty}"),
            Type::Array {
                kind,
                item,
                zero_terminated,
                fixed,
            } => {
                let kind = match kind {
                    ArrayKind::C => "C array",
                    ArrayKind::GArray => "GArray",
                    ArrayKind::GPtrArray => "GPtrArray",
                    ArrayKind::GByteArray => "GByteArray",
                };
                write!(f, "{kind} of {item}")?;
                word(f, *zero_terminated, "zero-terminated")?;
                match fixed {
                    Some(fixed) => write!(f, ", {fixed} items"),
                    None => Ok(()),
                }
            }
            Type::List { kind, item } => {
                let kind = match kind {
                    ListKind::GList => "GList",
                    ListKind::GSList => "GSList",
                };
                write!(f, "{kind} of {item}")
            }
            Type::Hash { key, value } => write!(f, "GHashTable from {key} to {value}"),
            Type::Error => f.write_str("GError"),
            Type::Unresolved { name } => write!(f, "unknown {name}"),
        }
    }
}

impl Display for Item {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        passed(f, &self.ty, self.is_pointer)
    }
}

fn integer(abi: AbiType) -> &'static str {
    match abi {
        AbiType::I8 => "gint8",
        AbiType::U8 => "guint8",
        AbiType::I16 => "gint16",
        AbiType::U16 => "guint16",
        AbiType::I32 => "gint32",
        AbiType::U32 => "guint32",
        AbiType::I64 => "gint64",
        AbiType::U64 => "guint64",
        AbiType::F32 | AbiType::F64 | AbiType::Ptr => unreachable!("read as an integer"),
    }
}

/// What kind of struct or union it is; `plain` for one that GObject does not know.
fn structure(kind: StructKind, plain: &'static str) -> &'static str {
    match kind {
        StructKind::Boxed => "boxed",
        StructKind::Plain => plain,
        StructKind::Variant => "variant",
        StructKind::Value => "value",
        StructKind::Closure => "closure",
        StructKind::Foreign => "foreign",
        StructKind::ClassStruct => "class struct",
        StructKind::OtherFundamental => "fundamental",
    }
}
