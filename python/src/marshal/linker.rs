//! From a plan to a linked plan: classes imported, descriptors made, a step for each operation.
//!
//! Containers are linked to any depth: the steps of their items are those that arguments of the
//! items' types have.

use std::sync::{Mutex, PoisonError};

use gijit::ir::AbiType;
use gijit::plan::build::callable;
use gijit::plan::convert::owned;
use gijit::plan::link::{Linked, Step};
use gijit::plan::reject::{Reason, Reject};
use gijit::plan::{Conv, Free, Plan, ResultShape};
use gijit::signature::girepository::Girepository;
use gijit::signature::{ArrayKind, Bindings, Name, Scope, Transfer};
use pyo3::ffi;
use pyo3::prelude::*;

use self::namespaces::module;
use super::container::{ArrayDesc, BufferFormat, HashDesc, ItemDesc, ListDesc, Text, number};
use super::desc::{BindDesc, ResultDesc, keep};
use super::gerror::ErrorDesc;
use super::pointer::NumberDesc;
use super::table::step;
use super::value::{self, ValueDesc};
use super::{allocate_step, allocated_step, free_step, in_step, out_step, outward, shared};

mod describe;
mod namespaces;

/// Why a plan could not be linked.
pub enum Unlinked {
    /// For good.
    Reject(Reject),
    /// Importing a class raised. PyGObject raises that from the call and tries again at the next.
    Raised(PyErr),
}

impl From<Reject> for Unlinked {
    fn from(reject: Reject) -> Self {
        Unlinked::Reject(reject)
    }
}

/// Attaches helpers and descriptors to a verified plan.
///
/// # Errors
/// A rejection when the library lacks the symbol, or a class cannot be imported or is not what
/// results need.
pub fn link(
    py: Python<'_>,
    repository: &Girepository,
    plan: Plan,
    bindings: &Bindings,
) -> Result<Linked, Unlinked> {
    callable(&plan, bindings)?;
    let linker = Linker {
        py,
        repository,
        bindings,
        name: &plan.name,
    };
    let mut ins = Vec::with_capacity(plan.ins.len());
    let mut undo = Vec::with_capacity(plan.ins.len());
    for op in &plan.ins {
        let step = match op.allocates() {
            true => {
                let desc = linker.desc(&op.conv, false, false)?;
                linker.check_allocated(&op.conv, desc)?;
                allocate_step(&op.conv, desc)
            }
            false => linker.inward(&op.conv, op.nullable, op.transfer)?,
        };
        undo.push(
            op.undo
                .as_ref()
                .map(|free| free_step(free, &op.conv, step.desc)),
        );
        ins.push(step);
    }
    let mut outs = Vec::with_capacity(plan.outs.len());
    for op in &plan.outs {
        let step = linker.outward(&op.conv, op.transfer)?;
        let mut allocated = plan.ins.iter().filter(|step| step.allocates());
        outs.push(match allocated.any(|step| step.cell == op.cell) {
            true => allocated_step(&op.conv, step.desc),
            false => step,
        });
    }
    let mut release = Vec::with_capacity(plan.release.len());
    for op in &plan.release {
        release.push(match &op.free {
            Free::Made | Free::Kept => {
                let index = plan.ins.iter().position(|step| step.cell == op.cell);
                let index = index.expect("verified: an in step made the cell");
                free_step(&op.free, &plan.ins[index].conv, ins[index].desc)
            }
            free => linker.free(free)?,
        });
    }
    let result = linker.result(&plan)?;
    let bind_desc = bind_desc(BindDesc {
        names: plan
            .params
            .iter()
            .map(|param| (param.name.clone(), param.optional))
            .collect(),
        rest: plan.rest.clone(),
        required: awaitable(py, &plan)?,
        skip: usize::from(plan.constructor),
    });
    Ok(Linked {
        plan,
        native: bindings.native,
        ins,
        undo,
        outs,
        release,
        result,
        bind_desc,
    })
}

/// Keeps a descriptor; those of callables that take no more than their instance share theirs.
fn bind_desc(desc: BindDesc) -> usize {
    static SHARED: Mutex<[Option<usize>; 4]> = Mutex::new([None; 4]);
    let place = match &desc.names[..] {
        [] => desc.skip,
        [(None, false)] => 2 + desc.skip,
        _ => return keep(desc),
    };
    if desc.rest.is_some() || desc.required.is_some() {
        return keep(desc);
    }
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    *shared[place].get_or_insert_with(|| keep(desc))
}

/// The parameter for an asynchronous callback without which PyGObject returns an awaitable, where
/// this PyGObject does so: for a call without results that also takes a cancellable.
fn awaitable(py: Python<'_>, plan: &Plan) -> Result<Option<usize>, Unlinked> {
    let cancellable = |conv: &Conv| matches!(conv, Conv::Object { ty } if ty.namespace == "Gio" && ty.name == "Cancellable");
    if !plan.outs.is_empty() || !plan.ins.iter().any(|op| cancellable(&op.conv)) {
        return Ok(None);
    }
    let found = gi(py).and_then(|module| module.hasattr("Async"));
    if !found.map_err(Unlinked::Raised)? {
        return Ok(None);
    }
    let callback = plan.ins.iter().find(|op| {
        let scope = Scope::Async;
        matches!(op.conv, Conv::Callback { scope: found, .. } if found == scope)
    });
    Ok(callback.and_then(|op| op.param).map(usize::from))
}

/// PyGObject's own module.
fn gi(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    module(py, pyo3::intern!(py, "gi._gi"))
}

pub(super) struct Linker<'a, 'py> {
    pub(super) py: Python<'py>,
    pub(super) repository: &'a Girepository,
    pub(super) bindings: &'a Bindings,
    /// Of the callable, as PyGObject names it.
    pub(super) name: &'a str,
}

impl<'py> Linker<'_, 'py> {
    /// The step that converts a Python value.
    pub(super) fn inward(
        &self,
        conv: &Conv,
        nullable: bool,
        transfer: Transfer,
    ) -> Result<Step, Unlinked> {
        let full = transfer == Transfer::Full;
        let desc = match conv.is_container() {
            true => self.container(conv, nullable, transfer, |conv| {
                // The array itself holds a copy, whoever owns the array.
                let inline = matches!(conv, Conv::Inline { .. });
                let outer = transfer;
                let passed = inline || matches!(conv, Conv::Struct { .. } | Conv::Class { .. });
                let transfer = match transfer {
                    Transfer::Full if !passed => Transfer::Full,
                    _ => Transfer::None,
                };
                let nullable = matches!(conv, Conv::Pointer);
                let step = match conv.is_value() {
                    true => {
                        let desc = keep(ValueDesc {
                            nullable,
                            given: outer == Transfer::Full,
                            apart: !inline,
                            passing: false,
                            typed: inline,
                        });
                        in_step(conv, nullable, false, desc)
                    }
                    false => self.inward(conv, nullable, transfer)?,
                };
                let kept = conv.keeps() && outer != Transfer::Full;
                let kept = kept.then(|| free_step(&Free::Kept, conv, step.desc));
                Ok((step, kept, transfer))
            })?,
            false => match conv {
                // A value that is moved to where it is wanted.
                Conv::Inline { of } if of.is_value() => keep(ValueDesc {
                    nullable,
                    given: full,
                    apart: false,
                    passing: false,
                    typed: true,
                }),
                Conv::AsPointer { of } => keep(NumberDesc {
                    step: self.inward(of, false, transfer)?,
                    size: of.abi().size(),
                }),
                Conv::Value => keep(ValueDesc {
                    nullable,
                    given: full,
                    apart: full,
                    passing: false,
                    typed: false,
                }),
                Conv::Error => keep(ErrorDesc {
                    nullable: nullable && shared().error_takes_none,
                    given: full,
                }),
                _ => self.desc(conv, nullable, full)?,
            },
        };
        Ok(in_step(conv, nullable, full, desc))
    }

    /// The step that makes a Python value.
    pub(super) fn outward(&self, conv: &Conv, transfer: Transfer) -> Result<Step, Unlinked> {
        let desc = match conv.is_container() {
            true => {
                let table = matches!(conv, Conv::Hash { .. });
                self.container(conv, false, transfer, |conv| {
                    if conv.is_value() {
                        let desc = keep(ValueDesc {
                            nullable: false,
                            given: false,
                            apart: false,
                            passing: transfer != Transfer::None,
                            typed: false,
                        });
                        let transfer = match transfer {
                            Transfer::Full if !table => Transfer::Full,
                            _ => Transfer::None,
                        };
                        return Ok((out_step(conv, desc), None, transfer));
                    }
                    let transfer = match (transfer, conv) {
                        // A table frees its items itself: Python gets copies and references.
                        _ if table => Transfer::None,
                        // What is freed with the array cannot be pointed to, so it is moved out.
                        (Transfer::None, _) => Transfer::None,
                        (_, Conv::Inline { of }) => match **of {
                            Conv::Struct { .. } => Transfer::Full,
                            _ => Transfer::None,
                        },
                        (Transfer::Container, _) => Transfer::None,
                        (Transfer::Full, _) => Transfer::Full,
                    };
                    Ok((self.outward(conv, transfer)?, None, transfer))
                })?
            }
            false if conv.is_value() => keep(ValueDesc {
                nullable: false,
                given: false,
                apart: false,
                passing: false,
                typed: false,
            }),
            false => {
                let desc = self.desc(conv, false, transfer == Transfer::Full)?;
                self.check_result_class(conv, desc)?;
                desc
            }
        };
        Ok(out_step(conv, desc))
    }

    /// The step that gives back what came with a conversion that is said in `free` itself.
    pub(super) fn free(&self, free: &Free) -> Result<Step, Unlinked> {
        Ok(match free {
            Free::Boxed { ty } => {
                let conv = Conv::Boxed { ty: *ty };
                free_step(free, &conv, self.desc(&conv, false, false)?)
            }
            Free::Foreign { ty } => {
                let conv = Conv::Foreign { ty: *ty };
                free_step(free, &conv, self.desc(&conv, false, false)?)
            }
            Free::Fundamental { ty } => {
                let conv = Conv::Fundamental { ty: *ty };
                free_step(free, &conv, self.desc(&conv, false, false)?)
            }
            Free::Container { conv, transfer } => {
                free_step(free, conv, self.outward(conv, *transfer)?.desc)
            }
            // The others need no descriptor, whatever the conversion was.
            _ => free_step(free, &Conv::Utf8, 0),
        })
    }

    /// Bytes of the struct that a conversion points to or that stands in an array.
    pub(super) fn size(&self, conv: &Conv) -> Option<usize> {
        let binding = conv.type_ref().and_then(|ty| self.bindings.types.get(ty));
        match binding {
            _ if conv.is_value() => Some(value::SIZE),
            Some(binding) if binding.size > 0 => Some(binding.size),
            _ => None,
        }
    }

    /// The descriptor of a container; `convert` gives the step of one item, the step that drops what
    /// that has kept, and whose the item is.
    fn container(
        &self,
        conv: &Conv,
        nullable: bool,
        transfer: Transfer,
        convert: impl Fn(&Conv) -> Result<(Step, Option<Step>, Transfer), Unlinked>,
    ) -> Result<usize, Unlinked> {
        let item = |conv: &Conv, pointers: bool| -> Result<ItemDesc, Unlinked> {
            let inline = matches!(conv, Conv::Inline { .. });
            let (step, kept, given) = convert(conv)?;
            let size = match self.size(conv) {
                size if inline => size.unwrap_or(0),
                _ if pointers => size_of::<usize>(),
                _ => conv.abi().size() as usize,
            };
            let free = match owned(conv, given) {
                Some(free) => Some(self.free(&free)?),
                None => None,
            };
            Ok(ItemDesc {
                step,
                free,
                kept,
                size,
                width: usize::from(conv.width()),
                inline,
                moved: inline && given == Transfer::Full && !conv.is_value(),
                copied: conv.is_copied() || conv.is_value(),
                bytes: *conv == Conv::Integer(AbiType::U8),
                text: Text::of(conv),
                number: number(conv),
                buffer: BufferFormat::of(conv),
            })
        };
        Ok(match conv {
            Conv::Array(array) => keep(ArrayDesc {
                item: item(&array.item, array.kind == ArrayKind::GPtrArray)?,
                kind: array.kind,
                zero_terminated: array.zero_terminated,
                fixed: array.fixed,
                length: array.length,
                nullable,
                transfer,
            }),
            Conv::List { kind, item: of } => keep(ListDesc {
                item: item(of, true)?,
                kind: *kind,
                nullable,
                transfer,
            }),
            Conv::Hash { key, value } => keep(HashDesc {
                text_keys: matches!(**key, Conv::Utf8 | Conv::Filename),
                key: item(key, true)?,
                value: item(value, true)?,
                nullable,
                transfer,
            }),
            _ => unreachable!("asked for containers only"),
        })
    }

    fn result(&self, plan: &Plan) -> Result<Option<Step>, Unlinked> {
        let tuple_type = match &plan.result {
            ResultShape::Tuple { names } => self.tuple_type(names).map_err(|_| Reject {
                reason: Reason::Unresolved,
                place: "gi.ResultTuple".to_owned(),
            })?,
            _ if plan.constructor && !plan.outs.is_empty() => std::ptr::null_mut(),
            _ => return Ok(None),
        };
        let desc = keep(ResultDesc {
            tuple_type,
            len: plan.outs.len(),
            constructor: plan.constructor,
        });
        Ok(Some(step!(outward::make_result, desc)))
    }

    /// PyGObject's tuple type with these names.
    fn tuple_type(&self, names: &[Option<Name>]) -> PyResult<*mut ffi::PyTypeObject> {
        let base = gi(self.py)?.getattr("ResultTuple")?;
        let made = base.call_method1("_new_type", (names.to_vec(),))?;
        Ok(made.into_ptr().cast())
    }
}
