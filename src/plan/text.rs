//! The text form of a plan: it reads like the documentation of the call, and round-trips.
//!
//! ```text
//! plan Gtk.Label.set_text = gtk_label_set_text
//!   cells 2
//!   param (self)
//!   param str
//!   in c0 <- 0 object Gtk.Label
//!   in c1 <- 1 utf8
//!   call ptr c0, ptr c1
//!   result none
//! ```

use std::fmt::Write as _;

use super::{Call, CallArg, Cell, Conv, Free, Plan, ResultShape, Shared, UserData, When};
use crate::ir::text::{ABI_TYPES, name_of};
use crate::signature::{ArrayKind, ListKind, Scope, Transfer};

mod parser;

pub use parser::{ParseError, parse};

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.constructor { "constructor " } else { "" };
        writeln!(f, "plan {kind}{} = {}", self.name, self.symbol)?;
        writeln!(f, "  cells {}", self.cells)?;
        for (index, param) in self.params.iter().enumerate() {
            let unnamed = match self.call.target {
                Some(_) if index == 0 => "(class)",
                _ => "(self)",
            };
            let name = param.name.as_deref().unwrap_or(unnamed);
            writeln!(
                f,
                "  param {name}{}",
                if param.optional { " optional" } else { "" }
            )?;
        }
        if let Some(rest) = &self.rest {
            writeln!(f, "  rest {rest}")?;
        }
        for op in &self.ins {
            write!(f, "  in {} <- ", op.cell)?;
            match op.param {
                Some(param) => write!(f, "{param} {}", op.conv)?,
                None => write!(f, "new {}", op.conv)?,
            }
            f.write_str(if op.nullable { " nullable" } else { "" })?;
            write_word(f, name_of(GIVEN, op.transfer))?;
            match &op.undo {
                Some(undo) => writeln!(f, " undo {undo}")?,
                None => writeln!(f)?,
            }
        }
        writeln!(f, "  call{}", call_text(&self.call))?;
        for out in &self.outs {
            write!(f, "  out {} {}", out.cell, out.conv)?;
            write_word(f, name_of(OWNED, out.transfer))?;
            writeln!(f)?;
        }
        for step in &self.release {
            let when = match step.when {
                When::Always => "",
                When::Unconverted => " unconverted",
                When::Called => " called",
                When::Failed => " failed",
            };
            writeln!(f, "  release {} {}{when}", step.cell, step.free)?;
        }
        match &self.result {
            ResultShape::None => writeln!(f, "  result none"),
            ResultShape::Single => writeln!(f, "  result single"),
            ResultShape::Tuple { names } => {
                let names: Vec<&str> = names
                    .iter()
                    .map(|name| name.as_deref().unwrap_or("(return)"))
                    .collect();
                writeln!(f, "  result tuple {}", names.join(", "))
            }
        }
    }
}

/// The words for a transfer, of what goes in and of what comes out.
const GIVEN: &[(Transfer, &str)] = &[
    (Transfer::None, ""),
    (Transfer::Container, "given-container"),
    (Transfer::Full, "given"),
];
const OWNED: &[(Transfer, &str)] = &[
    (Transfer::None, ""),
    (Transfer::Container, "owned-container"),
    (Transfer::Full, "owned"),
];
const ARRAYS: &[(ArrayKind, &str)] = &[
    (ArrayKind::C, "c"),
    (ArrayKind::GArray, "garray"),
    (ArrayKind::GPtrArray, "gptrarray"),
    (ArrayKind::GByteArray, "gbytearray"),
];
const SCOPES: &[(Scope, &str)] = &[
    (Scope::Call, "call"),
    (Scope::Async, "async"),
    (Scope::Notified, "notified"),
    (Scope::Forever, "forever"),
];
const LISTS: &[(ListKind, &str)] = &[(ListKind::GList, "glist"), (ListKind::GSList, "gslist")];

fn write_word(f: &mut std::fmt::Formatter<'_>, word: &str) -> std::fmt::Result {
    match word {
        "" => Ok(()),
        word => write!(f, " {word}"),
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "c{}", self.0)
    }
}

impl std::fmt::Display for Conv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Conv::Boolean => f.write_str("boolean"),
            Conv::Integer(abi) => write!(f, "integer {}", name_of(ABI_TYPES, *abi)),
            Conv::Float => f.write_str("float"),
            Conv::Double => f.write_str("double"),
            Conv::Unichar => f.write_str("unichar"),
            Conv::GType => f.write_str("gtype"),
            Conv::Pointer => f.write_str("pointer"),
            Conv::AsPointer { of } => write!(f, "as-pointer {of}"),
            Conv::First { of } => write!(f, "first {of}"),
            Conv::Utf8 => f.write_str("utf8"),
            Conv::Written => f.write_str("written utf8"),
            Conv::Filename => f.write_str("filename"),
            Conv::Enum { ty, storage } => write!(f, "enum {ty} {}", name_of(ABI_TYPES, *storage)),
            Conv::Flags { ty, storage } => {
                write!(f, "flags {ty} {}", name_of(ABI_TYPES, *storage))
            }
            Conv::Object { ty } => write!(f, "object {ty}"),
            Conv::Fundamental { ty } => write!(f, "fundamental {ty}"),
            Conv::Foreign { ty } => write!(f, "foreign {ty}"),
            Conv::Boxed { ty } => write!(f, "boxed {ty}"),
            Conv::Struct { ty } => write!(f, "struct {ty}"),
            Conv::Variant { ty } => write!(f, "variant {ty}"),
            Conv::Class { ty } => write!(f, "class {ty}"),
            Conv::VFunc => f.write_str("vfunc"),
            Conv::Inline { of } => write!(f, "inline {of}"),
            Conv::Value => f.write_str("value"),
            Conv::Error => f.write_str("gerror"),
            Conv::Array(array) => {
                write!(f, "array {}", name_of(ARRAYS, array.kind))?;
                f.write_str(if array.zero_terminated { " zero" } else { "" })?;
                if let Some(fixed) = array.fixed {
                    write!(f, " fixed {fixed}")?;
                }
                if let Some(length) = array.length {
                    write!(f, " length {}", name_of(ABI_TYPES, length))?;
                }
                write!(f, " of {}", array.item)
            }
            Conv::List { kind, item } => write!(f, "{} of {item}", name_of(LISTS, *kind)),
            Conv::Hash { key, value } => write!(f, "ghashtable from {key} to {value}"),
            Conv::Closure { ty } => write!(f, "closure {ty}"),
            Conv::Callback {
                ty,
                scope,
                data,
                destroy,
                shared,
            } => {
                write!(f, "callback {ty} {}", name_of(SCOPES, *scope))?;
                match data {
                    UserData::None => {}
                    UserData::Param(param) => write!(f, " data {param}")?,
                    UserData::Tuple(param) => write!(f, " data tuple {param}")?,
                    UserData::Rest => f.write_str(" data rest")?,
                    UserData::Ignored(param) => write!(f, " ignores {param}")?,
                }
                f.write_str(if *destroy { " destroy" } else { "" })?;
                match *shared {
                    Shared {
                        data: 0,
                        destroy: 0,
                    } => Ok(()),
                    Shared { data, destroy } => write!(f, " shared {data} {destroy}"),
                }
            }
        }
    }
}

impl std::fmt::Display for Free {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Free::Memory => f.write_str("memory"),
            Free::Object => f.write_str("object"),
            Free::Fundamental { ty } => write!(f, "fundamental {ty}"),
            Free::Foreign { ty } => write!(f, "foreign {ty}"),
            Free::Boxed { ty } => write!(f, "boxed {ty}"),
            Free::Variant => f.write_str("variant"),
            Free::Value => f.write_str("value"),
            Free::Error => f.write_str("gerror"),
            Free::Container { conv, transfer } => {
                f.write_str("container")?;
                write_word(f, name_of(OWNED, *transfer))?;
                write!(f, " {conv}")
            }
            Free::Made => f.write_str("made"),
            Free::Kept => f.write_str("kept"),
        }
    }
}

fn call_text(call: &Call) -> String {
    let mut out = String::new();
    if let Some(target) = call.target {
        write!(out, " via {target}").expect("writing to a String");
    }
    for (index, arg) in call.args.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let text = match arg {
            CallArg::Address { cell } if call.error == Some(*cell) => format!("error {cell}"),
            CallArg::Address { cell } => format!("address {cell}"),
            CallArg::Value { cell, abi } => format!("{} {cell}", name_of(ABI_TYPES, *abi)),
        };
        write!(out, "{comma} {text}").expect("writing to a String");
    }
    if let Some((cell, abi)) = call.result {
        write!(out, " -> {} {cell}", name_of(ABI_TYPES, abi)).expect("writing to a String");
    }
    out
}
