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

use super::{Call, CallArg, Cell, Conv, Free, In, Out, Plan, PyParam, Release, ResultShape, When};
use crate::ir::AbiType;
use crate::ir::text::{ABI_TYPES, name_of, value_of};
use crate::signature::{Transfer, TypeRef};

/// What is wrong with a text, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// Counted from 1.
    pub line: usize,
    pub message: String,
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ParseError {}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.constructor { "constructor " } else { "" };
        writeln!(f, "plan {kind}{} = {}", self.name, self.symbol)?;
        writeln!(f, "  cells {}", self.cells)?;
        for param in &self.params {
            let name = param.name.as_deref().unwrap_or("(self)");
            writeln!(
                f,
                "  param {name}{}",
                if param.optional { " optional" } else { "" }
            )?;
        }
        for op in &self.ins {
            write!(f, "  in {} <- {} {}", op.cell, op.param, op.conv)?;
            f.write_str(if op.nullable { " nullable" } else { "" })?;
            f.write_str(if op.transfer == Transfer::Full {
                " given"
            } else {
                ""
            })?;
            match &op.undo {
                Some(undo) => writeln!(f, " undo {undo}")?,
                None => writeln!(f)?,
            }
        }
        writeln!(f, "  call{}", call_text(&self.call))?;
        for out in &self.outs {
            let owned = if out.transfer == Transfer::Full {
                " owned"
            } else {
                ""
            };
            writeln!(f, "  out {} {}{owned}", out.cell, out.conv)?;
        }
        for step in &self.release {
            let when = match step.when {
                When::Always => "",
                When::Unconverted => " unconverted",
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
            Conv::Utf8 => f.write_str("utf8"),
            Conv::Filename => f.write_str("filename"),
            Conv::Enum { ty, storage } => write!(f, "enum {ty} {}", name_of(ABI_TYPES, *storage)),
            Conv::Flags { ty, storage } => {
                write!(f, "flags {ty} {}", name_of(ABI_TYPES, *storage))
            }
            Conv::Object { ty } => write!(f, "object {ty}"),
            Conv::Boxed { ty } => write!(f, "boxed {ty}"),
            Conv::Struct { ty } => write!(f, "struct {ty}"),
            Conv::Variant { ty } => write!(f, "variant {ty}"),
        }
    }
}

impl std::fmt::Display for Free {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Free::Memory => f.write_str("memory"),
            Free::Object => f.write_str("object"),
            Free::Boxed { ty } => write!(f, "boxed {ty}"),
            Free::Variant => f.write_str("variant"),
        }
    }
}

fn call_text(call: &Call) -> String {
    let mut out = String::new();
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

/// The lines that a plan has once each.
const SINGLE: &[&str] = &["plan", "cells", "call", "result"];

/// Reads what `Display` writes. It does not verify: [`super::verify`] does.
///
/// # Errors
/// The first line that is not of the form, and why.
pub fn parse(text: &str) -> Result<Plan, ParseError> {
    let mut plan = Plan {
        name: String::new(),
        symbol: String::new(),
        constructor: false,
        params: Vec::new(),
        ins: Vec::new(),
        call: Call {
            args: Vec::new(),
            result: None,
            error: None,
        },
        outs: Vec::new(),
        release: Vec::new(),
        result: ResultShape::None,
        cells: 0,
    };
    let mut missing = SINGLE.to_vec();
    for (index, line) in text.lines().enumerate() {
        let mut words = Words {
            rest: line.split_whitespace().collect(),
        };
        once(&mut missing, words.rest.first().copied())
            .and_then(|()| read_line(&mut plan, &mut words))
            .and_then(|()| match words.rest.first() {
                None => Ok(()),
                Some(word) => Err(format!("{word:?} is left over")),
            })
            .map_err(|message| ParseError {
                line: index + 1,
                message,
            })?;
    }
    match missing.first() {
        None => Ok(plan),
        Some(word) => Err(ParseError {
            line: text.lines().count() + 1,
            message: format!("the {word:?} line is missing"),
        }),
    }
}

/// A plan begins with its `plan` line, and has each of [`SINGLE`] once; `missing` are those
/// that have not been read.
fn once(missing: &mut Vec<&str>, word: Option<&str>) -> Result<(), String> {
    let word = word.unwrap_or_default();
    if missing.contains(&"plan") && word != "plan" {
        return Err("expected \"plan\"".to_owned());
    }
    if SINGLE.contains(&word) && !missing.contains(&word) {
        return Err(format!("a second {word:?} line"));
    }
    missing.retain(|wanted| *wanted != word);
    Ok(())
}

struct Words<'a> {
    rest: Vec<&'a str>,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Result<&'a str, String> {
        if self.rest.is_empty() {
            return Err("the line ends too early".to_owned());
        }
        Ok(self.rest.remove(0))
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.rest.first() == Some(&word);
        if found {
            self.rest.remove(0);
        }
        found
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        if self.eat(word) {
            Ok(())
        } else {
            Err(format!("expected {word:?}"))
        }
    }

    fn number(&mut self) -> Result<u16, String> {
        let word = self.next()?;
        word.parse().map_err(|_| format!("{word:?} is no number"))
    }

    fn cell(&mut self) -> Result<Cell, String> {
        let word = self.next()?.trim_end_matches(',');
        let number = word
            .strip_prefix('c')
            .and_then(|number| number.parse().ok());
        number
            .map(Cell)
            .ok_or_else(|| format!("{word:?} is no cell"))
    }

    fn abi(&mut self) -> Result<AbiType, String> {
        let word = self.next()?;
        value_of(ABI_TYPES, word).ok_or_else(|| format!("{word:?} is no type"))
    }

    fn type_ref(&mut self) -> Result<TypeRef, String> {
        let word = self.next()?;
        let (namespace, name) = word
            .split_once('.')
            .ok_or_else(|| format!("{word:?} is no type name"))?;
        Ok(TypeRef {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }

    fn conv(&mut self) -> Result<Conv, String> {
        Ok(match self.next()? {
            "boolean" => Conv::Boolean,
            "integer" => Conv::Integer(self.abi()?),
            "float" => Conv::Float,
            "double" => Conv::Double,
            "unichar" => Conv::Unichar,
            "gtype" => Conv::GType,
            "utf8" => Conv::Utf8,
            "filename" => Conv::Filename,
            "enum" => Conv::Enum {
                ty: self.type_ref()?,
                storage: self.abi()?,
            },
            "flags" => Conv::Flags {
                ty: self.type_ref()?,
                storage: self.abi()?,
            },
            "object" => Conv::Object {
                ty: self.type_ref()?,
            },
            "boxed" => Conv::Boxed {
                ty: self.type_ref()?,
            },
            "struct" => Conv::Struct {
                ty: self.type_ref()?,
            },
            "variant" => Conv::Variant {
                ty: self.type_ref()?,
            },
            word => return Err(format!("{word:?} is no conversion")),
        })
    }

    fn free(&mut self) -> Result<Free, String> {
        Ok(match self.next()? {
            "memory" => Free::Memory,
            "object" => Free::Object,
            "boxed" => Free::Boxed {
                ty: self.type_ref()?,
            },
            "variant" => Free::Variant,
            word => return Err(format!("{word:?} is no way to free")),
        })
    }

    fn transfer(&mut self, word: &str) -> Transfer {
        if self.eat(word) {
            Transfer::Full
        } else {
            Transfer::None
        }
    }
}

fn read_line(plan: &mut Plan, words: &mut Words<'_>) -> Result<(), String> {
    match words.next()? {
        "plan" => {
            plan.constructor = words.eat("constructor");
            plan.name = words.next()?.to_owned();
            words.expect("=")?;
            plan.symbol = words.next()?.to_owned();
        }
        "cells" => plan.cells = words.number()?,
        "param" => {
            let name = words.next()?;
            let name = (name != "(self)").then(|| name.to_owned());
            plan.params.push(PyParam {
                name,
                optional: words.eat("optional"),
            });
        }
        "in" => {
            let cell = words.cell()?;
            words.expect("<-")?;
            let param = words.number()?;
            let conv = words.conv()?;
            let nullable = words.eat("nullable");
            let transfer = words.transfer("given");
            let undo = if words.eat("undo") {
                Some(words.free()?)
            } else {
                None
            };
            plan.ins.push(In {
                param,
                cell,
                conv,
                nullable,
                transfer,
                undo,
            });
        }
        "call" => read_call(&mut plan.call, words)?,
        "out" => {
            let cell = words.cell()?;
            let conv = words.conv()?;
            plan.outs.push(Out {
                cell,
                conv,
                transfer: words.transfer("owned"),
            });
        }
        "release" => {
            let cell = words.cell()?;
            let free = words.free()?;
            let when = if words.eat("unconverted") {
                When::Unconverted
            } else {
                When::Always
            };
            plan.release.push(Release { cell, free, when });
        }
        "result" => {
            plan.result = match words.next()? {
                "none" => ResultShape::None,
                "single" => ResultShape::Single,
                "tuple" => ResultShape::Tuple {
                    names: std::mem::take(&mut words.rest)
                        .into_iter()
                        .map(|name| name.trim_end_matches(','))
                        .map(|name| (name != "(return)").then(|| name.to_owned()))
                        .collect(),
                },
                word => return Err(format!("{word:?} is no result")),
            }
        }
        word => return Err(format!("{word:?} begins no line of a plan")),
    }
    Ok(())
}

fn read_call(call: &mut Call, words: &mut Words<'_>) -> Result<(), String> {
    while !words.rest.is_empty() {
        if words.eat("->") {
            let abi = words.abi()?;
            call.result = Some((words.cell()?, abi));
        } else if words.eat("error") {
            let cell = words.cell()?;
            call.args.push(CallArg::Address { cell });
            call.error = Some(cell);
        } else if words.eat("address") {
            call.args.push(CallArg::Address {
                cell: words.cell()?,
            });
        } else {
            let abi = words.abi()?;
            call.args.push(CallArg::Value {
                cell: words.cell()?,
                abi,
            });
        }
    }
    Ok(())
}
