//! What is prepared once for each callback type: its reverse plan, linked, and its C signature.

use std::cell::UnsafeCell;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use gijit::ir::AbiType;
use gijit::plan::Conv;
use gijit::plan::link::Step;
use gijit::plan::reject::{Reason, Reject};
use gijit::plan::reverse::{self, Argument, Incoming, Reverse};
use gijit::signature::girepository::Info;
use gijit::signature::read::{TypeSystem, read};
use gijit::signature::{Transfer, TypeRef};
use gijit_interp::EntryType;

use super::super::linker::{Linker, Unlinked};
use super::super::{called_out_step, free_step, glib, returned_in_step};
use super::closure::Closure;
use super::enter;

/// A callback type.
pub struct Kind {
    pub plan: Reverse,
    /// One per argument; `None` for the user data.
    pub outs: Vec<Option<Step>>,
    /// One per result.
    pub results: Vec<Step>,
    pub undo: Vec<Option<Step>>,
    pub release: Vec<Step>,
    /// One per C argument: the size of the struct where C wants one, else 0.
    pub sizes: Vec<usize>,
    entry_type: EntryType,
    /// Closures that are not in use.
    free: UnsafeCell<Vec<*mut Closure>>,
}

// SAFETY: addresses are of immutable descriptors and functions; the list of free closures is only
// touched with the interpreter lock held.
unsafe impl Send for Kind {}
// SAFETY: as above.
unsafe impl Sync for Kind {}

static KINDS: Mutex<Option<HashMap<TypeRef, &'static Kind>>> = Mutex::new(None);

impl Kind {
    /// The kind of the callback type `info`, called `ty`.
    pub(in super::super) fn of(
        linker: &Linker<'_, '_>,
        ty: &TypeRef,
        info: Info,
    ) -> Result<&'static Kind, Unlinked> {
        let known = KINDS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kind) = known.as_ref().and_then(|known| known.get(ty)) {
            return Ok(kind);
        }
        // Linking imports modules, and may come here again.
        drop(known);
        let kind: &'static Kind = Box::leak(Box::new(Self::new(linker, info)?));
        let mut known = KINDS.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(known.get_or_insert_default().entry(*ty).or_insert(kind))
    }

    fn new(linker: &Linker<'_, '_>, info: Info) -> Result<Self, Unlinked> {
        let types = TypeSystem {
            fundamental: glib().g_type_fundamental,
        };
        // SAFETY: the binding of a callback type holds its info; the interpreter lock is held.
        let (signature, bindings) = unsafe { read(linker.repository, &types, info) };
        let plan = reverse::build(&signature)?;
        let linker = Linker {
            py: linker.py,
            repository: linker.repository,
            bindings: &bindings,
            name: &signature.name,
        };
        let mut outs = Vec::new();
        for argument in &plan.arguments {
            outs.push(match argument {
                Argument::Value(out) => {
                    let step = linker.outward(&out.conv, out.transfer)?;
                    Some(called_out_step(&out.conv, out.transfer, step))
                }
                Argument::UserData => None,
            });
        }
        let mut results = Vec::new();
        let mut undo = Vec::new();
        for op in &plan.results {
            let step = linker.inward(&op.conv, op.nullable, op.transfer)?;
            let free = op.undo.as_ref();
            undo.push(free.map(|free| free_step(free, &op.conv, step.desc)));
            results.push(returned_in_step(&op.conv, step));
        }
        let mut release = Vec::new();
        for op in &plan.release {
            release.push(linker.free(&op.free)?);
        }
        let mut sizes = Vec::new();
        for arg in &plan.incoming {
            sizes.push(match arg {
                Incoming::Place { cell, .. } => {
                    let mut results = plan.results.iter();
                    let wanted = results.find(|op| op.cell == *cell);
                    let conv = &wanted.expect("built: a result for each place").conv;
                    linker.size(conv).ok_or_else(|| Reject {
                        reason: Reason::CallerAllocated,
                        place: signature.name.to_string(),
                    })?
                }
                _ => 0,
            });
        }
        let args: Vec<AbiType> = plan
            .incoming
            .iter()
            .map(|arg| match arg {
                Incoming::Value { abi, .. } | Incoming::Unread { abi, .. } => *abi,
                Incoming::Address { .. }
                | Incoming::Place { .. }
                | Incoming::UserData
                | Incoming::Error => AbiType::Ptr,
            })
            .collect();
        let result = plan.result.map(|(_, abi)| abi);
        let entry_type = EntryType::new(&args, result, enter::entered).map_err(|place| Reject {
            reason: Reason::Defect,
            place,
        })?;
        Ok(Kind {
            plan,
            outs,
            results,
            undo,
            release,
            sizes,
            entry_type,
            free: UnsafeCell::default(),
        })
    }

    pub fn entry_type(&'static self) -> &'static EntryType {
        &self.entry_type
    }

    /// Whether C only lends what `argument` is made of: the wrapper gets a copy when the callable has
    /// returned.
    pub fn is_lent(argument: &Argument) -> bool {
        let Argument::Value(out) = argument else {
            return false;
        };
        matches!(out.conv, Conv::Boxed { .. } | Conv::Closure { .. })
            && out.transfer == Transfer::None
    }

    /// A free closure.
    ///
    /// # Safety
    /// The interpreter lock is held.
    pub unsafe fn take(&self) -> Option<*mut Closure> {
        // SAFETY: by this function's contract nobody else has the list.
        unsafe { (*self.free.get()).pop() }
    }

    /// Keeps a free closure; false when there are `most` already.
    ///
    /// # Safety
    /// The interpreter lock is held; nobody uses the closure.
    pub unsafe fn put(&self, closure: *mut Closure, most: usize) -> bool {
        // SAFETY: by this function's contract nobody else has the list.
        let free = unsafe { &mut *self.free.get() };
        let room = free.len() < most;
        if room {
            free.push(closure);
        }
        room
    }
}
