//! Getting and setting a field of a struct or union.

use std::ffi::c_void;
use std::mem::transmute;

use gijit::ir::AbiType;
use gijit::plan::Conv;
use gijit::plan::field::{self, Get};
use gijit::plan::link::{InFn, OutFn, Step};
use gijit::signature::girepository::{Girepository, Info};
use gijit::signature::read::{TypeSystem, read_field};
use gijit::signature::{Field, Transfer};
use pyo3::ffi;
use pyo3::prelude::*;

use super::linker::Linker;
use super::scalar::{CONVERTED, load};
use super::table::step;
use super::wrapped::wrapped;
use super::{callback, glib, shared};

/// How a field is got and set.
pub struct FieldAccess {
    offset: usize,
    get: Option<Getter>,
    set: Option<(Step, AbiType)>,
}

struct Getter {
    step: Step,
    /// The type of what is loaded; `None` where the step takes the field's address.
    loaded: Option<AbiType>,
}

/// What can be done with the field `info`; `None` where all is left to PyGObject.
///
/// # Safety
/// `info` is a field info of `repository`, the interpreter lock is held.
pub unsafe fn access(py: Python<'_>, repository: &Girepository, info: Info) -> Option<FieldAccess> {
    let types = TypeSystem {
        fundamental: glib().g_type_fundamental,
    };
    // SAFETY: by this function's contract.
    let (field, bindings) = unsafe { read_field(repository, &types, info) };
    let linker = Linker {
        py,
        repository,
        bindings: &bindings,
        name: "a field",
    };
    let access = link(&linker, &field);
    (access.get.is_some() || access.set.is_some()).then_some(access)
}

fn link(linker: &Linker<'_, '_>, field: &Field) -> FieldAccess {
    let access = field::access(field);
    let get = access.get.and_then(|get| {
        let (conv, loaded) = match get {
            Get::Value(conv) => {
                let abi = conv.abi();
                (conv, Some(abi))
            }
            Get::Address(conv) => (conv, None),
        };
        let step = linker.outward(&conv, Transfer::None).ok()?;
        let step = match conv {
            // Floating objects stay floating, as those that C passes to a callback.
            Conv::Object { .. } if shared().keeps_floating => {
                step!(callback::out_object_called, step.desc)
            }
            _ => step,
        };
        Some(Getter { step, loaded })
    });
    let set = access.set.and_then(|conv| {
        let step = linker.inward(&conv, false, Transfer::None).ok()?;
        Some((step, conv.abi()))
    });
    FieldAccess {
        offset: access.offset,
        get,
        set,
    }
}

impl FieldAccess {
    /// The field of the struct that `instance` wraps, a new reference, or NULL with an exception; `None`
    /// where PyGObject has to get it.
    ///
    /// # Safety
    /// `instance` is a wrapper of the field's container, derived from gi.Boxed or gi.Struct; the
    /// interpreter lock is held.
    pub unsafe fn get(&self, instance: *mut ffi::PyObject) -> Option<*mut ffi::PyObject> {
        let getter = self.get.as_ref()?;
        // SAFETY: by this function's contract the field lies in the struct; the helper has the signature
        // of an *out* step.
        unsafe {
            let place = self.place(instance)?;
            let cell = match getter.loaded {
                Some(abi) => load(place, abi.size() as usize),
                None => place as u64,
            };
            let get = transmute::<usize, OutFn>(getter.step.address);
            Some(get(&cell, getter.step.desc as *const c_void).cast())
        }
    }

    /// Sets the field; false where PyGObject has to do it, or to refuse.
    ///
    /// # Safety
    /// As for [`Self::get`]; `value` is a valid object.
    pub unsafe fn set(&self, instance: *mut ffi::PyObject, value: *mut ffi::PyObject) -> bool {
        let Some((step, abi)) = &self.set else {
            return false;
        };
        // SAFETY: by this function's contract; the helper has the signature of an *in* step.
        unsafe {
            let Some(place) = self.place(instance) else {
                return false;
            };
            let mut cell = 0;
            let set = transmute::<usize, InFn>(step.address);
            let done = set(value.cast(), &mut cell, step.desc as *const c_void);
            if done != CONVERTED {
                return false;
            }
            place.copy_from((&raw const cell).cast(), abi.size() as usize);
            true
        }
    }

    /// Where the field is; `None` in a wrapper of nothing.
    unsafe fn place(&self, instance: *mut ffi::PyObject) -> Option<*mut u8> {
        // SAFETY: by the callers' contract.
        let start = unsafe { wrapped(instance) }.cast::<u8>();
        (!start.is_null()).then(|| start.wrapping_add(self.offset))
    }
}
