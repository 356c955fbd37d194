//! What it means that C enters Python through a callback: a plan in the other direction.
//!
//! The vocabulary is that of [`super::Plan`], with the phases the other way round. C arguments are
//! stored in cells, *out* steps make the Python arguments, the callable is called, *in* steps turn
//! what it returned into cells, and these go to the C result and to where C wants results. An *in*
//! step that bails has nothing to hand down to: the host makes the exception of it. After any
//! exception C gets zeros, and a `GError` where the callback can throw.
//!
//! The rules are PyGObject's (`pygi-closure.c`): a tuple is a tuple of results even for one result,
//! None is NULL everywhere, strings that C only borrows are copied and never freed, and what C lends
//! is freed by nobody here.

use std::fmt::Write as _;
use std::sync::Arc;

use super::convert::{accept_items, by_address, conversion, outward, owned, settled};
use super::reject::{Reason, Reject};
use super::{Cell, Conv, Free, In, MAX_CELLS, MAX_PARAMS, Out, Release, When};
use crate::ir::AbiType;
use crate::signature::{CallableKind, Direction, Param, Signature, StructKind, Transfer, Type};

/// One C argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Incoming {
    /// A value, into its cell.
    Value { cell: Cell, abi: AbiType },
    /// The address of a value that C wants back from the cell. With `read` C has put one there.
    Address {
        cell: Cell,
        abi: AbiType,
        read: bool,
    },
    /// The address of a struct that C wants a copy in of the one that the cell points to. Where
    /// Python gets one, too, PyGObject takes what stands there for its address.
    Place { cell: Cell, given: Option<Cell> },
    /// The native closure's user data. What Python gets for it is the closure's own.
    UserData,
    /// A type that PyGObject does not read: it warns, naming the type, and goes on with zero.
    Unread { abi: AbiType, name: &'static str },
    /// The address of a `GError*`.
    Error,
}

/// One Python argument.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Argument {
    Value(Out),
    /// All values of the user data, or None where the call took none.
    UserData,
}

/// One call from C into Python.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reverse {
    /// The callback's type.
    pub name: Arc<str>,
    pub incoming: Vec<Incoming>,
    pub arguments: Vec<Argument>,
    /// One per result of the callable: the C result first, then those that C wants at an address.
    /// `param` is the position among them.
    pub results: Vec<In>,
    /// What an exception calls each of `results`: the argument's name, or "self".
    pub names: Vec<String>,
    /// What the C function returns.
    pub result: Option<(Cell, AbiType)>,
    /// What C gave away with its arguments and Python has copied.
    pub release: Vec<Release>,
    pub cells: u16,
}

/// Makes the plan of a callback's type.
///
/// # Errors
/// Why C cannot enter Python by such a function.
pub fn build(signature: &Signature) -> Result<Reverse, Reject> {
    debug_assert_eq!(signature.kind, CallableKind::Callback);
    let mut builder = Builder {
        user_data: user_data(signature),
        ..Builder::default()
    };
    builder.lengths(signature)?;
    builder.result(signature)?;
    for (index, param) in signature.params.iter().enumerate() {
        let place = || format!("{} of {}", param.name, signature.name);
        builder.param(index, param).map_err(|reason| Reject {
            reason,
            place: place(),
        })?;
    }
    if signature.throws {
        builder.incoming.push(Incoming::Error);
    }
    let sizes = [builder.incoming.len(), builder.cells];
    if sizes.into_iter().any(|size| size > MAX_CELLS) || builder.results.len() > MAX_PARAMS {
        return Err(Reject {
            reason: Reason::TooLarge,
            place: signature.name.to_string(),
        });
    }
    Ok(Reverse {
        name: signature.name.clone(),
        incoming: builder.incoming,
        arguments: builder.arguments,
        results: builder.results,
        names: builder.names,
        result: builder.native_result,
        release: builder.release,
        cells: builder.cells as u16,
    })
}

/// The argument for the user data: the one that the typelib says, else the first pointer.
fn user_data(signature: &Signature) -> Option<usize> {
    let mut params = signature.params.iter().enumerate();
    let said = params
        .clone()
        .rfind(|(index, param)| param.closure == Some(*index));
    let pointer = |param: &Param| param.direction == Direction::In && param.ty == Type::Pointer;
    let found = said.or_else(|| params.find(|(_, param)| pointer(param)));
    found.map(|(index, _)| index)
}

/// Whether C has room for a struct itself where `param` points to. Unions PyGObject gives a pointer to.
fn stands_at_address(param: &Param) -> bool {
    use StructKind::{Boxed, Plain, Value};
    let fits = |kind: &StructKind| matches!(kind, Value | Boxed | Plain);
    matches!(&param.ty, Type::Struct { kind, .. } if fits(kind))
        && param.direction != Direction::In
        && !param.is_pointer
}

#[derive(Default)]
struct Builder {
    user_data: Option<usize>,
    incoming: Vec<Incoming>,
    arguments: Vec<Argument>,
    results: Vec<In>,
    names: Vec<String>,
    native_result: Option<(Cell, AbiType)>,
    release: Vec<Release>,
    cells: usize,
    /// The length argument of each array that has one: its index, the array's (`None` for the
    /// result), the first cell.
    lengths: Vec<(usize, Option<usize>, Cell, AbiType)>,
}

impl Builder {
    fn cell(&mut self, width: u16) -> Cell {
        self.cells += usize::from(width);
        Cell((self.cells - usize::from(width)) as u16)
    }

    fn lengths(&mut self, signature: &Signature) -> Result<(), Reject> {
        let params = signature.params.iter().enumerate();
        let params = params.map(|(index, param)| (Some(index), param.length, &*param.name));
        let result = (None, signature.result.length, "return value");
        for (index, length, name) in params.chain(std::iter::once(result)) {
            let Some(length) = length else {
                continue;
            };
            let abi = match signature.params.get(length).map(|found| &found.ty) {
                Some(Type::Integer(abi)) => *abi,
                _ => {
                    return Err(Reject {
                        reason: Reason::ArrayLength,
                        place: format!("{name} of {}", signature.name),
                    });
                }
            };
            let first = self.cell(super::convert::ARRAY_WIDTH);
            self.lengths.push((length, index, first, abi));
        }
        Ok(())
    }

    fn result(&mut self, signature: &Signature) -> Result<(), Reject> {
        let result = &signature.result;
        if result.ty == Type::Void {
            return Ok(());
        }
        let reject = |reason| Reject {
            reason,
            place: format!("return value of {}", signature.name),
        };
        let (conv, cell) = self
            .value(&result.ty, result.is_pointer, None)
            .map_err(reject)?;
        accept_items(&conv, result.transfer).map_err(reject)?;
        self.native_result = Some((cell, conv.abi()));
        self.wanted(cell, conv, result.transfer, "self");
        Ok(())
    }

    fn param(&mut self, index: usize, param: &Param) -> Result<(), Reason> {
        if self.user_data == Some(index) {
            self.incoming.push(Incoming::UserData);
            self.arguments.push(Argument::UserData);
            return Ok(());
        }
        let length = self.lengths.iter().find(|(length, ..)| *length == index);
        if let Some(&(_, _, first, abi)) = length {
            // Python sees the length, too.
            self.passed(param, Cell(first.0 + 1), Conv::Integer(abi));
            return Ok(());
        }
        if param.ty == Type::Error && param.direction == Direction::Out {
            let (cell, abi) = (self.cell(1), AbiType::Ptr);
            let read = false;
            self.incoming.push(Incoming::Address { cell, abi, read });
            return Ok(());
        }
        if stands_at_address(param) {
            let of = Box::new(conversion(&param.ty, true, None)?);
            let given = match param.direction {
                Direction::InOut => {
                    let given = self.cell(of.width());
                    self.given(given, &of, param.transfer);
                    Some(given)
                }
                _ => None,
            };
            let conv = Conv::Inline { of };
            let cell = self.cell(conv.width());
            self.incoming.push(Incoming::Place { cell, given });
            self.wanted(cell, conv, param.transfer, &param.name);
            return Ok(());
        }
        let (conv, cell) = self.value(&param.ty, by_address(param), Some(index))?;
        if param.direction != Direction::In {
            accept_items(&conv, param.transfer)?;
        }
        self.passed(param, cell, conv);
        Ok(())
    }

    /// The conversion of an argument, or of the result, and its first cell.
    fn value(
        &mut self,
        ty: &Type,
        is_pointer: bool,
        place: Option<usize>,
    ) -> Result<(Conv, Cell), Reason> {
        let array = self.lengths.iter().find(|(_, array, ..)| *array == place);
        let array = array.map(|&(_, _, first, abi)| (first, abi));
        let conv = conversion(ty, is_pointer, array.map(|(_, abi)| abi))?;
        let one_way = conv.is_inward() && !matches!(conv, Conv::Class { .. });
        if one_way {
            return Err(Reason::Callback);
        }
        let cell = match array {
            Some((first, _)) => first,
            None => self.cell(conv.width()),
        };
        Ok((conv, cell))
    }

    /// An argument that travels as `param` says.
    fn passed(&mut self, param: &Param, cell: Cell, conv: Conv) {
        let abi = conv.abi();
        let unread = match conv {
            Conv::GType => Some("GType"),
            Conv::Filename => Some("filename"),
            _ => None,
        };
        self.incoming.push(match param.direction {
            Direction::In => match unread {
                Some(name) => Incoming::Unread { abi, name },
                None => Incoming::Value { cell, abi },
            },
            Direction::Out | Direction::InOut => Incoming::Address {
                cell,
                abi,
                read: param.direction == Direction::InOut,
            },
        });
        if param.direction != Direction::Out {
            self.given(cell, &conv, param.transfer);
        }
        if param.direction != Direction::In {
            self.wanted(cell, conv, param.transfer, &param.name);
        }
    }

    /// A value that C gives.
    fn given(&mut self, cell: Cell, conv: &Conv, transfer: Transfer) {
        let conv = &outward(conv.clone());
        let transfer = settled(conv, transfer, false);
        let free = owned(conv, transfer);
        let transfer = match free {
            Some(_) => transfer,
            None => Transfer::None,
        };
        if let Some(free) = free {
            let when = match conv.is_copied() {
                true => When::Always,
                false => When::Unconverted,
            };
            self.release.push(Release { cell, free, when });
        }
        self.arguments.push(Argument::Value(Out {
            cell,
            conv: conv.clone(),
            transfer,
        }));
    }

    /// A value that C wants.
    fn wanted(&mut self, cell: Cell, conv: Conv, transfer: Transfer, name: &str) {
        self.names.push(name.to_owned());
        let transfer = match &conv {
            // What C gets is a copy, of a value with all that it holds.
            Conv::Inline { of } if of.is_value() => Transfer::Full,
            Conv::Inline { .. } => Transfer::None,
            // C cannot hold what only Python keeps alive.
            Conv::Utf8 | Conv::Filename => Transfer::Full,
            _ if conv.is_container() && transfer == Transfer::None => Transfer::Container,
            _ => settled(&conv, transfer, true),
        };
        let undo = match transfer {
            _ if conv.keeps() => Some(Free::Made),
            _ => owned(&conv, transfer),
        };
        let transfer = match undo {
            Some(_) => transfer,
            None => Transfer::None,
        };
        self.results.push(In {
            param: Some(self.results.len() as u16),
            cell,
            nullable: conv.abi() == AbiType::Ptr,
            conv,
            transfer,
            undo,
        });
    }
}

impl std::fmt::Display for Reverse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use crate::ir::text::{ABI_TYPES, name_of};
        let mut incoming = String::new();
        for (index, arg) in self.incoming.iter().enumerate() {
            incoming.push_str(if index == 0 { " " } else { ", " });
            match arg {
                Incoming::Value { cell, abi } => {
                    write!(incoming, "{} {cell}", name_of(ABI_TYPES, *abi))?;
                }
                Incoming::Address { cell, abi, read } => {
                    let word = if *read { "inout" } else { "address" };
                    write!(incoming, "{word} {} {cell}", name_of(ABI_TYPES, *abi))?;
                }
                Incoming::Place { cell, given } => {
                    write!(incoming, "place {cell}")?;
                    given.map_or(Ok(()), |given| write!(incoming, " given {given}"))?;
                }
                Incoming::UserData => incoming.push_str("data"),
                Incoming::Unread { name, .. } => write!(incoming, "unread {name}")?,
                Incoming::Error => incoming.push_str("error"),
            }
        }
        writeln!(f, "reverse {}", self.name)?;
        writeln!(f, "  cells {}", self.cells)?;
        writeln!(f, "  entered{incoming}")?;
        for argument in &self.arguments {
            match argument {
                Argument::Value(out) => {
                    let owned = if out.transfer == Transfer::None {
                        ""
                    } else {
                        " owned"
                    };
                    writeln!(f, "  out {} {}{owned}", out.cell, out.conv)?;
                }
                Argument::UserData => writeln!(f, "  out data")?,
            }
        }
        for op in &self.results {
            let given = if op.transfer == Transfer::None {
                ""
            } else {
                " given"
            };
            writeln!(
                f,
                "  in {} <- {} {}{given}",
                op.cell,
                op.param.unwrap_or(0),
                op.conv
            )?;
        }
        for step in &self.release {
            writeln!(f, "  release {} {}", step.cell, step.free)?;
        }
        match self.result {
            Some((cell, abi)) => writeln!(f, "  returns {} {cell}", name_of(ABI_TYPES, abi)),
            None => writeln!(f, "  returns nothing"),
        }
    }
}
