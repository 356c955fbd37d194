//! From a signature to the plan of its call, or the reason why there is none.
//!
//! The rules are PyGObject's: what its argument caches (`pygi-cache.c`, `pygi-basictype.c`,
//! `pygi-object.c`, `pygi-struct-marshal.c`) make of the same typelib entry, in 3.42 and 3.50.

use super::reject::{Reason, Reject};
use super::{
    Call, CallArg, Cell, Conv, Free, In, MAX_CELLS, MAX_PARAMS, Out, Plan, PyParam, Release,
    ResultShape, When,
};
use crate::ir::AbiType;
use crate::signature::{
    Bindings, CallableKind, Direction, Param, Signature, StructKind, Transfer, Type,
};

/// Functions that write into a string argument, or into what stands before it, though their
/// typelib says `(transfer none)`. PyGObject gives them a copy; a plan borrows, and the string that
/// Python holds must not change. A typelib does not tell `char *` from `const char *`, so this is a
/// list: the functions of GLib's GIR with a non-const string argument. In the 31 other GIRs of a
/// Debian 12 with GTK there are seven more, which by their documentation only read it; libraries
/// beyond those have not been looked at.
const WRITES_STRINGS: &[&str] = &[
    "g_ascii_dtostr",
    "g_ascii_formatd",
    "g_date_strftime",
    "g_io_channel_read",
    "g_ref_string_acquire",
    "g_ref_string_length",
    "g_ref_string_release",
    "g_stpcpy",
    "g_strcanon",
    "g_strchomp",
    "g_strchug",
    "g_strdelimit",
    "g_strdown",
    "g_strlcat",
    "g_strlcpy",
    "g_strreverse",
    "g_strup",
    "g_utf8_strncpy",
];

/// Makes the plan of `signature`.
///
/// # Errors
/// The first reason, in argument order, why it cannot be called natively.
pub fn build(signature: &Signature) -> Result<Plan, Reject> {
    if signature.kind == CallableKind::VFunc {
        return Err(Reject {
            reason: Reason::VirtualFunction,
            place: String::new(),
        });
    }
    if WRITES_STRINGS.contains(&signature.symbol.as_str()) {
        return Err(Reject {
            reason: Reason::WrittenString,
            place: String::new(),
        });
    }
    let mut builder = Builder::default();
    builder.instance(signature)?;
    for param in &signature.params {
        builder.param(param)?;
    }
    builder.result(signature)?;
    let error = signature.throws.then(|| {
        let cell = builder.cell();
        builder.args.push(CallArg::Address { cell });
        cell
    });
    builder.finish(signature, error)
}

/// The plan of `signature` in a process where it is bound as `bindings` say.
///
/// # Errors
/// As [`build`]; also when there is no native function to call.
pub fn build_bound(signature: &Signature, bindings: &Bindings) -> Result<Plan, Reject> {
    let plan = build(signature)?;
    if bindings.native == 0 {
        return Err(Reject {
            reason: Reason::NoSymbol,
            place: signature.symbol.clone(),
        });
    }
    Ok(plan)
}

#[derive(Default)]
struct Builder {
    params: Vec<PyParam>,
    ins: Vec<In>,
    args: Vec<CallArg>,
    /// The out arguments with their names.
    outs: Vec<(Out, String)>,
    returned: Option<Out>,
    native_result: Option<(Cell, AbiType)>,
    release: Vec<Release>,
    cells: usize,
}

impl Builder {
    fn cell(&mut self) -> Cell {
        self.cells += 1;
        Cell(self.cells as u16 - 1)
    }

    fn instance(&mut self, signature: &Signature) -> Result<(), Reject> {
        let Some(instance) = &signature.instance else {
            return Ok(());
        };
        let conv = conversion(&instance.ty, true, "self")?;
        self.params.push(PyParam {
            name: None,
            optional: false,
        });
        let cell = self.push_in(conv, false, instance.transfer, "self")?;
        let abi = self.ins[0].conv.abi();
        self.args.push(CallArg::Value { cell, abi });
        Ok(())
    }

    fn param(&mut self, param: &Param) -> Result<(), Reject> {
        let reject = |reason| Reject {
            reason,
            place: param.name.clone(),
        };
        // PyGObject allocates for interfaces and arrays only, and passes the address of one cell for
        // anything else, into which a callee such as `g_unichar_to_utf8` may write more than fits.
        if param.direction != Direction::In && param.caller_allocates {
            return Err(reject(Reason::CallerAllocated));
        }
        let conv = conversion(&param.ty, param.is_pointer, &param.name)?;
        let abi = conv.abi();
        let cell = if param.direction == Direction::Out {
            self.cell()
        } else {
            self.params.push(PyParam {
                name: Some(param.name.clone()),
                optional: param.nullable,
            });
            let nullable = param.nullable && abi == AbiType::Ptr;
            self.push_in(conv.clone(), nullable, param.transfer, &param.name)?
        };
        if param.direction == Direction::In {
            self.args.push(CallArg::Value { cell, abi });
            return Ok(());
        }
        self.args.push(CallArg::Address { cell });
        self.own_result(cell, &conv, param.transfer, true)
            .map_err(reject)?;
        let out = Out {
            cell,
            conv,
            transfer: param.transfer,
        };
        self.outs.push((out, param.name.clone()));
        Ok(())
    }

    fn push_in(
        &mut self,
        conv: Conv,
        nullable: bool,
        transfer: Transfer,
        place: &str,
    ) -> Result<Cell, Reject> {
        let reject = |reason| Reject {
            reason,
            place: place.to_owned(),
        };
        let undo = match (transfer, owned(&conv)) {
            (Transfer::Container, _) => return Err(reject(Reason::ContainerTransfer)),
            (Transfer::Full, _) if matches!(conv, Conv::Struct { .. }) => {
                return Err(reject(Reason::StructGivenAway));
            }
            (Transfer::Full, free) => free,
            (Transfer::None, _) => None,
        };
        // A value without ownership has no transfer.
        let transfer = if undo.is_some() {
            Transfer::Full
        } else {
            Transfer::None
        };
        let param = self.params.len() as u16 - 1;
        let cell = self.cell();
        self.ins.push(In {
            param,
            cell,
            conv,
            nullable,
            transfer,
            undo,
        });
        Ok(cell)
    }

    /// The release step of something that the callee returns in `cell`. `shown` results have an
    /// *out* step.
    fn own_result(
        &mut self,
        cell: Cell,
        conv: &Conv,
        transfer: Transfer,
        shown: bool,
    ) -> Result<(), Reason> {
        if transfer == Transfer::Container {
            return Err(Reason::ContainerTransfer);
        }
        if transfer == Transfer::Full
            && let Some(free) = owned(conv)
        {
            // Python copies strings, and nothing takes over what is not shown; of everything else
            // the wrapper becomes the owner.
            let when = match conv {
                Conv::Utf8 | Conv::Filename => When::Always,
                _ if !shown => When::Always,
                _ => When::Unconverted,
            };
            self.release.push(Release { cell, free, when });
        }
        Ok(())
    }

    fn result(&mut self, signature: &Signature) -> Result<(), Reject> {
        let result = &signature.result;
        let place = "return value";
        if result.ty == Type::Void {
            return Ok(());
        }
        let conv = conversion(&result.ty, result.is_pointer, place)?;
        let cell = self.cell();
        self.native_result = Some((cell, conv.abi()));
        self.own_result(cell, &conv, result.transfer, !result.skip)
            .map_err(|reason| Reject {
                reason,
                place: place.to_owned(),
            })?;
        if !result.skip {
            self.returned = Some(Out {
                cell,
                conv,
                transfer: result.transfer,
            });
        }
        Ok(())
    }

    fn finish(mut self, signature: &Signature, error: Option<Cell>) -> Result<Plan, Reject> {
        // Only a tail of arguments may be left out.
        let mut tail = true;
        for param in self.params.iter_mut().rev() {
            tail &= param.optional;
            param.optional = tail;
        }
        let mut names = Vec::new();
        let mut outs = Vec::new();
        if let Some(out) = self.returned {
            names.push(None);
            outs.push(out);
        }
        for (out, name) in self.outs {
            names.push(Some(name));
            outs.push(out);
        }
        for out in &mut outs {
            if owned(&out.conv).is_none() {
                out.transfer = Transfer::None;
            }
        }
        if self.params.len() > MAX_PARAMS || outs.len() > MAX_PARAMS || self.cells > MAX_CELLS {
            return Err(Reject {
                reason: Reason::TooLarge,
                place: String::new(),
            });
        }
        let result = match outs.len() {
            0 => ResultShape::None,
            1 => ResultShape::Single,
            _ => ResultShape::Tuple { names },
        };
        Ok(Plan {
            name: signature.name.clone(),
            symbol: signature.symbol.clone(),
            constructor: signature.kind == CallableKind::Constructor,
            params: self.params,
            ins: self.ins,
            call: Call {
                args: self.args,
                result: self.native_result,
                error,
            },
            outs,
            release: self.release,
            result,
            cells: self.cells as u16,
        })
    }
}

/// How a value of `ty` is converted.
fn conversion(ty: &Type, is_pointer: bool, place: &str) -> Result<Conv, Reject> {
    let reject = |reason| {
        Err(Reject {
            reason,
            place: place.to_owned(),
        })
    };
    let basic = |conv| {
        if is_pointer {
            reject(Reason::Pointer)
        } else {
            Ok(conv)
        }
    };
    match ty {
        Type::Void | Type::Pointer => reject(Reason::Pointer),
        Type::Boolean => basic(Conv::Boolean),
        Type::Integer(abi) => basic(Conv::Integer(*abi)),
        Type::Float => basic(Conv::Float),
        Type::Double => basic(Conv::Double),
        Type::GType => basic(Conv::GType),
        Type::Unichar => basic(Conv::Unichar),
        Type::Enum { ty, storage } => basic(Conv::Enum {
            ty: ty.clone(),
            storage: *storage,
        }),
        Type::Flags { ty, storage } => basic(Conv::Flags {
            ty: ty.clone(),
            storage: *storage,
        }),
        Type::Utf8 => Ok(Conv::Utf8),
        Type::Filename => Ok(Conv::Filename),
        Type::Object { gobject: false, .. } => reject(Reason::Fundamental),
        Type::Object { ty, .. } | Type::Interface { ty } => Ok(Conv::Object { ty: ty.clone() }),
        Type::Struct { ty, kind } | Type::Union { ty, kind } => match kind {
            StructKind::Value => reject(Reason::Value),
            StructKind::Closure => reject(Reason::Closure),
            StructKind::Foreign => reject(Reason::ForeignStruct),
            StructKind::ClassStruct => reject(Reason::ClassStruct),
            StructKind::OtherFundamental => reject(Reason::Fundamental),
            _ if !is_pointer => reject(Reason::StructByValue),
            StructKind::Boxed => Ok(Conv::Boxed { ty: ty.clone() }),
            StructKind::Plain => Ok(Conv::Struct { ty: ty.clone() }),
            StructKind::Variant => Ok(Conv::Variant { ty: ty.clone() }),
        },
        Type::Callback { .. } => reject(Reason::Callback),
        Type::Array { .. } => reject(Reason::Array),
        Type::List { .. } => reject(Reason::List),
        Type::Hash { .. } => reject(Reason::HashTable),
        Type::Error => reject(Reason::Error),
        Type::Unresolved { .. } => reject(Reason::Unresolved),
    }
}

/// How a value is given back by whoever owns it; `None` for values that are not owned.
pub fn owned(conv: &Conv) -> Option<Free> {
    match conv {
        Conv::Utf8 | Conv::Filename | Conv::Struct { .. } => Some(Free::Memory),
        Conv::Object { .. } => Some(Free::Object),
        Conv::Boxed { ty } => Some(Free::Boxed { ty: ty.clone() }),
        Conv::Variant { .. } => Some(Free::Variant),
        _ => None,
    }
}
