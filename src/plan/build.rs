//! From a signature to the plan of its call, or the reason why there is none.
//!
//! The rules are PyGObject's: what its argument caches (`pygi-cache.c`, `pygi-basictype.c`,
//! `pygi-object.c`, `pygi-struct-marshal.c`) make of the same typelib entry, in 3.42 and 3.50.

use std::collections::BTreeMap;

use super::convert::{self, ARRAY_WIDTH, by_address, conversion, outward, owned, settled};
use super::prepare::{allocatable, prepares, several};
use super::reject::{Reason, Reject};
use super::{
    CALLBACK_WIDTH, Call, CallArg, Cell, Conv, Free, In, MAX_CELLS, MAX_PARAMS, Out, Plan, PyParam,
    Release, ResultShape, Shared, UserData, When,
};
use crate::ir::AbiType;
use crate::signature::{
    Bindings, CallableKind, Direction, Name, Param, Scope, Signature, Transfer, Type,
};

mod callbacks;

/// Functions that write into a string argument, or into what stands before it, though their
/// typelib says `(transfer none)`. PyGObject gives every callee a copy; a plan borrows, except for
/// these, as the string that Python holds must not change. A typelib does not tell `char *` from `const char *`, so this is a
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
    if signature.kind == CallableKind::Callback {
        return Err(Reject {
            reason: Reason::Callback,
            place: String::new(),
        });
    }
    let writes_strings = WRITES_STRINGS.contains(&&*signature.symbol);
    let result = &signature.result;
    if writes_strings && result.ty == Type::Utf8 && result.transfer == Transfer::Full {
        return Err(Reject {
            reason: Reason::WrittenString,
            place: "return value".to_owned(),
        });
    }
    let mut builder = Builder {
        writes_strings,
        ..Builder::default()
    };
    if signature.kind == CallableKind::VFunc {
        builder.implementor();
    }
    builder.instance(signature)?;
    builder.lengths(signature)?;
    builder.callbacks(signature)?;
    for (index, param) in signature.params.iter().enumerate() {
        builder.param(index, param)?;
    }
    builder.result(signature)?;
    let error = signature.throws.then(|| {
        let cell = builder.cell(1);
        builder.args.push(CallArg::Address { cell });
        cell
    });
    builder.finish(signature, error)
}

/// The plan of `signature` in a process where it is bound as `bindings` say.
///
/// # Errors
/// As [`build`] and [`callable`].
pub fn build_bound(signature: &Signature, bindings: &Bindings) -> Result<Plan, Reject> {
    let plan = build(signature)?;
    callable(&plan, bindings)?;
    Ok(plan)
}

/// Whether this process has what `plan` calls.
///
/// # Errors
/// What is missing: the function, or the size of a struct to allocate.
pub fn callable(plan: &Plan, bindings: &Bindings) -> Result<(), Reject> {
    let place = plan.symbol.to_string();
    let reject = |reason, place| Err(Reject { reason, place });
    match plan.call.target {
        Some(_) if bindings.vfunc.is_none() => return reject(Reason::VirtualFunction, place),
        None if bindings.native == 0 => return reject(Reason::NoSymbol, place),
        _ => {}
    }
    let size = |ty| bindings.types.get(ty).map_or(0, |binding| binding.size);
    // What is foreign is the host's to know.
    let own = |op: &&In| op.allocates() && !matches!(op.conv, Conv::Foreign { .. });
    let allocated = plan.ins.iter().filter(own);
    match allocated
        .filter_map(|op| op.conv.type_ref())
        .find(|ty| size(ty) == 0)
    {
        Some(ty) => reject(Reason::CallerAllocated, ty.to_string()),
        None => Ok(()),
    }
}

#[derive(Default)]
struct Builder {
    /// The function writes into its strings.
    writes_strings: bool,
    params: Vec<PyParam>,
    rest: Option<Name>,
    ins: Vec<In>,
    target: Option<Cell>,
    args: Vec<CallArg>,
    /// The out arguments with their names.
    outs: Vec<(Out, Name)>,
    returned: Option<Out>,
    native_result: Option<(Cell, AbiType)>,
    release: Vec<Release>,
    cells: usize,
    /// The first cell of each array that has a length argument, by the array's place.
    arrays: BTreeMap<Place, (Cell, AbiType)>,
    /// What each argument passes that Python does not see: lengths and destroy notifies.
    hidden: BTreeMap<usize, CallArg>,
    /// The callbacks by their index: the conversion and its first cell.
    callbacks: BTreeMap<usize, (Conv, Cell)>,
    /// The first cell of the first callback that each user data argument belongs to, and whether the
    /// argument stands before it.
    user_data: BTreeMap<usize, (Cell, bool)>,
    /// The first cell of the first callback that each destroy notify belongs to.
    destroys: BTreeMap<usize, Cell>,
}

/// An argument by its index, or the result.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Param(usize),
    Result,
}

impl Builder {
    fn cell(&mut self, width: u16) -> Cell {
        self.cells += usize::from(width);
        Cell((self.cells - usize::from(width)) as u16)
    }

    /// Lays out the arrays whose length is an argument of its own, which may stand before the
    /// array. Python does not see that argument. Of several arrays that share one, PyGObject passes
    /// the length of the last.
    fn lengths(&mut self, signature: &Signature) -> Result<(), Reject> {
        let params = signature.params.iter().enumerate();
        let arrays = params
            .filter_map(|(index, param)| {
                let array = (Place::Param(index), param.direction, param.length?);
                Some((array, &*param.name))
            })
            .chain(signature.result.length.map(|length| {
                let array = (Place::Result, Direction::Out, length);
                (array, "return value")
            }));
        for ((place, direction, length), name) in arrays {
            let abi =
                convert::length_type(signature, length, direction).map_err(|reason| Reject {
                    reason,
                    place: name.to_owned(),
                })?;
            let first = self.cell(ARRAY_WIDTH);
            let cell = Cell(first.0 + 1);
            self.arrays.insert(place, (first, abi));
            let passed = match direction {
                Direction::In => CallArg::Value { cell, abi },
                Direction::Out | Direction::InOut => CallArg::Address { cell },
            };
            self.hidden.insert(length, passed);
        }
        Ok(())
    }

    /// The conversion of the value at `place`.
    fn conversion(&self, ty: &Type, is_pointer: bool, place: Place) -> Result<Conv, Reason> {
        let length = self.arrays.get(&place).map(|(_, abi)| *abi);
        conversion(ty, is_pointer, length)
    }

    /// Its first cell.
    fn first_cell(&mut self, place: Place, conv: &Conv) -> Cell {
        match self.arrays.get(&place) {
            Some((first, _)) => *first,
            None => self.cell(conv.width()),
        }
    }

    /// The class whose implementation is called, which is the first argument.
    fn implementor(&mut self) {
        let cell = self.cell(1);
        self.params.push(PyParam {
            name: None,
            optional: false,
        });
        self.ins.push(In {
            param: Some(0),
            cell,
            conv: Conv::VFunc,
            nullable: false,
            transfer: Transfer::None,
            undo: None,
        });
        self.target = Some(cell);
    }

    fn instance(&mut self, signature: &Signature) -> Result<(), Reject> {
        let Some(instance) = &signature.instance else {
            return Ok(());
        };
        let conv = conversion(&instance.ty, true, None).map_err(|reason| Reject {
            reason,
            place: "self".to_owned(),
        })?;
        self.params.push(PyParam {
            name: None,
            optional: false,
        });
        let (cell, abi) = (self.cell(conv.width()), conv.abi());
        let param = self.params.len() as u16 - 1;
        self.push_in(Some(param), cell, conv, false, instance.transfer);
        self.args.push(CallArg::Value { cell, abi });
        Ok(())
    }

    fn param(&mut self, index: usize, param: &Param) -> Result<(), Reject> {
        if let Some(passed) = self.hidden.get(&index) {
            self.args.push(*passed);
            return Ok(());
        }
        if let Some(callback) = self.user_data.get(&index).copied() {
            self.user_data_param(&param.name, callback.0, callback.1);
            return Ok(());
        }
        let reject = |reason| Reject {
            reason,
            place: param.name.to_string(),
        };
        let place = Place::Param(index);
        let allocated = param.direction != Direction::In && param.caller_allocates;
        // PyGObject looks at this for some types only.
        let prepared = allocated && allocatable(&param.ty);
        let is_pointer = prepared || by_address(param);
        let callback = self.callbacks.get(&index).cloned();
        let conv = match &callback {
            Some((conv, _)) => conv.clone(),
            None => self
                .conversion(&param.ty, is_pointer, place)
                .map_err(reject)?,
        };
        let conv = match param.direction {
            Direction::In if self.writes_strings && lends_string(&conv, param.transfer) => {
                Conv::Written
            }
            Direction::In => conv,
            Direction::Out => outward(conv),
            Direction::InOut if outward(conv.clone()) != conv => {
                return Err(reject(Reason::ClassStruct));
            }
            Direction::InOut => conv,
        };
        let conv = match allocated && !prepared {
            true => several(conv).map_err(reject)?,
            false => conv,
        };
        let cell = match callback {
            Some((_, cell)) => cell,
            None => self.first_cell(place, &conv),
        };
        let abi = conv.abi();
        if prepared {
            if param.direction == Direction::InOut || !prepares(&conv, param.transfer) {
                return Err(reject(Reason::CallerAllocated));
            }
            self.prepare(cell, conv.clone(), param.transfer);
        } else if param.direction != Direction::Out {
            convert::accept_items(&conv, param.transfer).map_err(reject)?;
            self.params.push(PyParam {
                name: Some(param.name.clone()),
                optional: param.nullable,
            });
            let nullable = param.nullable && conv.takes_none();
            let from = Some(self.params.len() as u16 - 1);
            self.push_in(from, cell, conv.clone(), nullable, param.transfer);
        }
        if param.direction == Direction::In {
            self.args.push(CallArg::Value { cell, abi });
            return Ok(());
        }
        self.args.push(match prepared {
            true => CallArg::Value { cell, abi },
            false => CallArg::Address { cell },
        });
        let transfer = settled(&conv, param.transfer, false);
        if !prepared || conv.is_container() {
            self.own_result(cell, &conv, transfer, true);
        }
        let out = Out {
            cell,
            conv,
            transfer,
        };
        self.outs.push((out, param.name.clone()));
        Ok(())
    }

    /// Memory for the callee to fill. Python gets a struct; when it comes to nothing, it is freed.
    fn prepare(&mut self, cell: Cell, conv: Conv, transfer: Transfer) {
        if conv.is_container() {
            return self.push_in(None, cell, conv, false, transfer);
        }
        // Python gets what the value holds.
        if conv.is_value() {
            return self.push_in(None, cell, conv, false, Transfer::None);
        }
        self.ins.push(In {
            param: None,
            cell,
            conv,
            nullable: false,
            transfer: Transfer::None,
            undo: Some(Free::Made),
        });
        self.release.push(Release {
            cell,
            free: Free::Made,
            when: When::Failed,
        });
    }

    fn push_in(
        &mut self,
        param: Option<u16>,
        cell: Cell,
        conv: Conv,
        nullable: bool,
        transfer: Transfer,
    ) {
        let transfer = settled(&conv, transfer, true);
        let undo = match conv.keeps() {
            true => Some(Free::Made),
            false => owned(&conv, transfer),
        };
        let kept = match &conv {
            Conv::Callback { scope, .. } => *scope == Scope::Call,
            Conv::Closure { .. } => true,
            _ => conv.keeps() && transfer != Transfer::Full,
        };
        if kept {
            self.release.push(Release {
                cell,
                free: Free::Kept,
                when: When::Called,
            });
        }
        // A value without ownership has no transfer.
        let transfer = match undo {
            Some(_) if !conv.is_inward() => transfer,
            _ => Transfer::None,
        };
        self.ins.push(In {
            param,
            cell,
            conv,
            nullable,
            transfer,
            undo,
        });
    }

    /// The release step of something that the callee returns in `cell`. `shown` results have an
    /// *out* step.
    fn own_result(&mut self, cell: Cell, conv: &Conv, transfer: Transfer, shown: bool) {
        if let Some(free) = owned(conv, transfer) {
            // Python copies strings, and nothing takes over what is not shown; of everything else
            // the wrapper becomes the owner.
            let when = match conv {
                _ if conv.is_copied() => When::Always,
                _ if !shown => When::Always,
                _ => When::Unconverted,
            };
            self.release.push(Release { cell, free, when });
        }
    }

    fn result(&mut self, signature: &Signature) -> Result<(), Reject> {
        let result = &signature.result;
        let place = "return value";
        if result.ty == Type::Void {
            return Ok(());
        }
        let reject = |reason| Reject {
            reason,
            place: place.to_owned(),
        };
        let conv = self
            .conversion(&result.ty, result.is_pointer, Place::Result)
            .map_err(reject)?;
        let conv = outward(conv);
        let cell = self.first_cell(Place::Result, &conv);
        self.native_result = Some((cell, conv.abi()));
        let transfer = settled(&conv, result.transfer, false);
        self.own_result(cell, &conv, transfer, !result.skip);
        if !result.skip {
            self.returned = Some(Out {
                cell,
                conv,
                transfer,
            });
        }
        Ok(())
    }

    fn finish(mut self, signature: &Signature, error: Option<Cell>) -> Result<Plan, Reject> {
        self.take_rest();
        // Plans are kept for good, and there are many.
        self.params.shrink_to_fit();
        self.ins.shrink_to_fit();
        self.args.shrink_to_fit();
        self.release.shrink_to_fit();
        // Only a tail of arguments may be left out.
        let mut tail = true;
        for param in self.params.iter_mut().rev() {
            tail &= param.optional;
            param.optional = tail;
        }
        let shown = self.outs.len() + usize::from(self.returned.is_some());
        let mut names = Vec::with_capacity(shown);
        let mut outs = Vec::with_capacity(shown);
        if let Some(out) = self.returned {
            names.push(None);
            outs.push(out);
        }
        for (out, name) in self.outs {
            names.push(Some(name));
            outs.push(out);
        }
        for out in &mut outs {
            if owned(&out.conv, out.transfer).is_none() {
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
            rest: self.rest,
            ins: self.ins,
            call: Call {
                target: self.target,
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

fn lends_string(conv: &Conv, transfer: Transfer) -> bool {
    *conv == Conv::Utf8 && transfer == Transfer::None
}
