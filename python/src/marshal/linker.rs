//! From a plan to a linked plan: classes imported, descriptors made, a step for each operation.
//!
//! Containers are linked to any depth: the steps of their items are those that arguments of the
//! items' types have.

use std::ffi::CString;

use gijit::ir::AbiType;
use gijit::plan::build::callable;
use gijit::plan::convert::owned;
use gijit::plan::link::{Linked, Step};
use gijit::plan::reject::{Reason, Reject};
use gijit::plan::{Conv, Free, Plan, ResultShape, UserData};
use gijit::signature::girepository::{Girepository, Info};
use gijit::signature::{ArrayKind, Bindings, Scope, Transfer, TypeRef};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::callback::{CallbackDesc, Destroy, Kind};
use super::class::{ClassDesc, VFuncDesc};
use super::container::{ArrayDesc, BufferFormat, HashDesc, ItemDesc, ListDesc};
use super::desc::{self, BindDesc, ResultDesc, TypeDesc, keep};
use super::gerror::ErrorDesc;
use super::pointer::NumberDesc;
use super::table::step;
use super::value::{self, ValueDesc};
use super::{allocate_step, allocated_step, api, free_step, in_step, out_step, outward, shared};

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
    let mut ins = Vec::new();
    let mut undo = Vec::new();
    for op in &plan.ins {
        let step = match op.allocates() {
            true => allocate_step(&op.conv, linker.desc(&op.conv, false, false)?),
            false => linker.inward(&op.conv, op.nullable, op.transfer)?,
        };
        undo.push(
            op.undo
                .as_ref()
                .map(|free| free_step(free, &op.conv, step.desc)),
        );
        ins.push(step);
    }
    let mut outs = Vec::new();
    for op in &plan.outs {
        let step = linker.outward(&op.conv, op.transfer)?;
        let mut allocated = plan.ins.iter().filter(|step| step.allocates());
        outs.push(match allocated.any(|step| step.cell == op.cell) {
            true => allocated_step(&op.conv, step.desc),
            false => step,
        });
    }
    let mut release = Vec::new();
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
    let bind_desc = keep(BindDesc {
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

/// The parameter for an asynchronous callback without which PyGObject returns an awaitable, where
/// this PyGObject does so: for a call without results that also takes a cancellable.
fn awaitable(py: Python<'_>, plan: &Plan) -> Result<Option<usize>, Unlinked> {
    let module = py.import("gi._gi").map_err(Unlinked::Raised)?;
    let known = module.hasattr("Async").map_err(Unlinked::Raised)?;
    let cancellable = |conv: &Conv| matches!(conv, Conv::Object { ty } if ty.namespace == "Gio" && ty.name == "Cancellable");
    if !known || !plan.outs.is_empty() || !plan.ins.iter().any(|op| cancellable(&op.conv)) {
        return Ok(None);
    }
    let callback = plan.ins.iter().find(|op| {
        let scope = Scope::Async;
        matches!(op.conv, Conv::Callback { scope: found, .. } if found == scope)
    });
    Ok(callback.and_then(|op| op.param).map(usize::from))
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
                let transfer = match transfer {
                    Transfer::Full if !inline => Transfer::Full,
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
                        // A table frees its keys and values itself, so Python gets copies and
                        // references.
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
                let conv = Conv::Boxed { ty: ty.clone() };
                free_step(free, &conv, self.desc(&conv, false, false)?)
            }
            Free::Container { conv, transfer } => {
                free_step(free, conv, self.outward(conv, *transfer)?.desc)
            }
            // The others need no descriptor, whatever the conversion was.
            _ => free_step(free, &Conv::Utf8, 0),
        })
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
            let size = match conv.type_ref().and_then(|ty| self.bindings.types.get(ty)) {
                Some(binding) if inline => binding.size,
                _ if inline && conv.is_value() => value::SIZE,
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

    /// The descriptor of a conversion that is no container; 0 for those that need none.
    fn desc(&self, conv: &Conv, nullable: bool, full: bool) -> Result<usize, Unlinked> {
        match conv {
            Conv::Class { .. } => return Ok(keep(ClassDesc::default())),
            Conv::VFunc => {
                let place = self.bindings.vfunc.expect("`callable` has looked");
                return Ok(keep(VFuncDesc::new(place)));
            }
            _ => {}
        }
        let Some(ty) = conv.type_ref() else {
            return Ok(0);
        };
        let reject = || Reject {
            reason: Reason::Unresolved,
            place: ty.to_string(),
        };
        let binding = self.bindings.types.get(ty).ok_or_else(reject)?;
        if let Conv::Callback {
            scope,
            data,
            destroy,
            ..
        } = conv
        {
            return Ok(keep(CallbackDesc {
                kind: Kind::of(self, ty, binding.info as Info)?,
                scope: *scope,
                data: *data,
                destroy: match (destroy, data) {
                    (false, _) => Destroy::None,
                    (true, UserData::None) => Destroy::Leak(self.leak_warning()),
                    (true, _) => Destroy::Release,
                },
                nullable,
            }));
        }
        let class = self.class(ty).map_err(Unlinked::Raised)?;
        let class = class.cast_into::<PyType>().map_err(|_| reject())?;
        let members = match conv {
            // SAFETY: the binding's info is an enum's, kept alive by the bindings.
            Conv::Enum { .. } => unsafe { self.repository.enum_values(binding.info as Info) },
            _ => Vec::new(),
        };
        Ok(keep(TypeDesc {
            accepted: Default::default(),
            gtype: binding.gtype,
            size: binding.size,
            py_type: class.into_ptr().cast(),
            nullable,
            full,
            storage: conv.abi(),
            members,
        }))
    }

    /// What PyGObject says about a destroy notify without user data.
    fn leak_warning(&self) -> CString {
        let text = format!(
            "Callables passed to {} will leak references because the method does not support a \
             user_data argument. See: https://bugzilla.gnome.org/show_bug.cgi?id=685598",
            self.name
        );
        CString::new(text).unwrap_or_default()
    }

    /// The class as PyGObject finds it: an attribute of the namespace's module.
    fn class(&self, ty: &TypeRef) -> PyResult<Bound<'py, PyAny>> {
        let module = self.py.import(format!("gi.repository.{}", ty.namespace))?;
        module.getattr(ty.name.as_str())
    }

    /// Boxed and struct results are made by hand, so their class must be what that takes.
    fn check_result_class(&self, conv: &Conv, desc: usize) -> Result<(), Unlinked> {
        let base = match conv {
            Conv::Inline { of } => return self.check_result_class(of, desc),
            Conv::Boxed { .. } | Conv::Closure { .. } => "Boxed",
            Conv::Struct { .. } | Conv::Variant { .. } => "Struct",
            _ => return Ok(()),
        };
        // SAFETY: `desc` has just been made by `Self::desc` for a typed conversion.
        let desc = unsafe { desc::type_desc(desc as *const std::ffi::c_void) };
        let fits = || -> PyResult<bool> {
            let base = self.py.import("gi._gi")?.getattr(base)?;
            // SAFETY: the class that the descriptor holds a reference to.
            let class = unsafe { Bound::from_borrowed_ptr(self.py, desc.py_type.cast()) };
            // SAFETY: an object, GIL held.
            let gtype = unsafe { (api().type_from_object)(class.as_ptr()) };
            if let Some(error) = PyErr::take(self.py) {
                return Err(error);
            }
            Ok(class.cast::<PyType>()?.is_subclass(&base)? && gtype == desc.gtype)
        };
        let probed = crate::layout::layout(self.py).boxed_readable;
        if probed && fits().unwrap_or(false) {
            return Ok(());
        }
        let place = conv.type_ref().map(TypeRef::to_string).unwrap_or_default();
        Err(Reject {
            reason: Reason::Unresolved,
            place,
        }
        .into())
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
    fn tuple_type(&self, names: &[Option<String>]) -> PyResult<*mut ffi::PyTypeObject> {
        let base = self.py.import("gi._gi")?.getattr("ResultTuple")?;
        let made = base.call_method1("_new_type", (names.to_vec(),))?;
        Ok(made.into_ptr().cast())
    }
}
