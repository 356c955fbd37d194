//! Reads the text form of a plan.

use super::{ARRAYS, GIVEN, LISTS, OWNED, SCOPES};
use crate::ir::AbiType;
use crate::ir::text::{ABI_TYPES, value_of};
use crate::plan::{
    Array, Call, CallArg, Cell, Conv, Free, In, Out, Plan, PyParam, Release, ResultShape, Shared,
    UserData, When,
};
use crate::signature::{Name, Transfer, TypeRef};

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

/// The lines that a plan has once each.
const SINGLE: &[&str] = &["plan", "cells", "call", "result"];

/// Reads what `Display` writes. It does not verify: [`crate::plan::verify`] does.
///
/// # Errors
/// The first line that is not of the form, and why.
pub fn parse(text: &str) -> Result<Plan, ParseError> {
    let mut plan = Plan {
        name: "".into(),
        symbol: Name::default(),
        constructor: false,
        params: Vec::new(),
        rest: None,
        ins: Vec::new(),
        call: Call {
            target: None,
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

    fn number<T: std::str::FromStr>(&mut self) -> Result<T, String> {
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
        Ok(TypeRef::new(namespace.to_owned(), name.to_owned()))
    }

    fn conv(&mut self) -> Result<Conv, String> {
        Ok(match self.next()? {
            "boolean" => Conv::Boolean,
            "integer" => Conv::Integer(self.abi()?),
            "float" => Conv::Float,
            "double" => Conv::Double,
            "unichar" => Conv::Unichar,
            "gtype" => Conv::GType,
            "pointer" => Conv::Pointer,
            "as-pointer" => Conv::AsPointer {
                of: Box::new(self.conv()?),
            },
            "first" => Conv::First {
                of: Box::new(self.conv()?),
            },
            "utf8" => Conv::Utf8,
            "written" => {
                self.expect("utf8")?;
                Conv::Written
            }
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
            "fundamental" => Conv::Fundamental {
                ty: self.type_ref()?,
            },
            "foreign" => Conv::Foreign {
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
            "class" => Conv::Class {
                ty: self.type_ref()?,
            },
            "vfunc" => Conv::VFunc,
            "inline" => Conv::Inline {
                of: Box::new(self.conv()?),
            },
            "value" => Conv::Value,
            "gerror" => Conv::Error,
            "array" => Conv::Array(Box::new(self.array()?)),
            "closure" => Conv::Closure {
                ty: self.type_ref()?,
            },
            "callback" => self.callback()?,
            "ghashtable" => {
                self.expect("from")?;
                let key = Box::new(self.conv()?);
                self.expect("to")?;
                let value = Box::new(self.conv()?);
                Conv::Hash { key, value }
            }
            word => match value_of(LISTS, word) {
                Some(kind) => {
                    self.expect("of")?;
                    let item = Box::new(self.conv()?);
                    Conv::List { kind, item }
                }
                None => return Err(format!("{word:?} is no conversion")),
            },
        })
    }

    fn callback(&mut self) -> Result<Conv, String> {
        let ty = self.type_ref()?;
        let scope = self.next()?;
        let scope = value_of(SCOPES, scope).ok_or_else(|| format!("{scope:?} is no scope"))?;
        let data = match self.eat("data") {
            false if self.eat("ignores") => UserData::Ignored(self.number()?),
            false => UserData::None,
            true if self.eat("rest") => UserData::Rest,
            true if self.eat("tuple") => UserData::Tuple(self.number()?),
            true => UserData::Param(self.number()?),
        };
        let destroy = self.eat("destroy");
        let shared = match self.eat("shared") {
            true => Shared {
                data: self.number()?,
                destroy: self.number()?,
            },
            false => Shared::default(),
        };
        Ok(Conv::Callback {
            ty,
            scope,
            data,
            destroy,
            shared,
        })
    }

    fn array(&mut self) -> Result<Array, String> {
        let word = self.next()?;
        let kind = value_of(ARRAYS, word).ok_or_else(|| format!("{word:?} is no array"))?;
        let zero_terminated = self.eat("zero");
        let fixed = match self.eat("fixed") {
            true => Some(self.number()?),
            false => None,
        };
        let length = match self.eat("length") {
            true => Some(self.abi()?),
            false => None,
        };
        self.expect("of")?;
        Ok(Array {
            kind,
            item: self.conv()?,
            zero_terminated,
            fixed,
            length,
        })
    }

    fn free(&mut self) -> Result<Free, String> {
        Ok(match self.next()? {
            "memory" => Free::Memory,
            "object" => Free::Object,
            "fundamental" => Free::Fundamental {
                ty: self.type_ref()?,
            },
            "foreign" => Free::Foreign {
                ty: self.type_ref()?,
            },
            "boxed" => Free::Boxed {
                ty: self.type_ref()?,
            },
            "variant" => Free::Variant,
            "value" => Free::Value,
            "gerror" => Free::Error,
            "container" => Free::Container {
                transfer: self.transfer(OWNED),
                conv: Box::new(self.conv()?),
            },
            "made" => Free::Made,
            "kept" => Free::Kept,
            word => return Err(format!("{word:?} is no way to free")),
        })
    }

    /// One of `words`, or nothing for no transfer.
    fn transfer(&mut self, words: &'static [(Transfer, &'static str)]) -> Transfer {
        let found = self.rest.first().and_then(|word| value_of(words, word));
        match found {
            Some(transfer) => {
                self.rest.remove(0);
                transfer
            }
            None => Transfer::None,
        }
    }
}

fn read_line(plan: &mut Plan, words: &mut Words<'_>) -> Result<(), String> {
    match words.next()? {
        "plan" => {
            plan.constructor = words.eat("constructor");
            plan.name = words.next()?.into();
            words.expect("=")?;
            plan.symbol = words.next()?.to_owned().into();
        }
        "cells" => plan.cells = words.number()?,
        "param" => {
            let name = words.next()?;
            let name = (!matches!(name, "(class)" | "(self)")).then(|| name.to_owned().into());
            plan.params.push(PyParam {
                name,
                optional: words.eat("optional"),
            });
        }
        "rest" => plan.rest = Some(words.next()?.to_owned().into()),
        "in" => {
            let cell = words.cell()?;
            words.expect("<-")?;
            let param = match words.eat("new") {
                true => None,
                false => Some(words.number()?),
            };
            let conv = words.conv()?;
            let nullable = words.eat("nullable");
            let transfer = words.transfer(GIVEN);
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
                transfer: words.transfer(OWNED),
            });
        }
        "release" => {
            let cell = words.cell()?;
            let free = words.free()?;
            let when = match () {
                () if words.eat("unconverted") => When::Unconverted,
                () if words.eat("called") => When::Called,
                () if words.eat("failed") => When::Failed,
                () => When::Always,
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
                        .map(|name| (name != "(return)").then(|| name.to_owned().into()))
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
    if words.eat("via") {
        call.target = Some(words.cell()?);
    }
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
