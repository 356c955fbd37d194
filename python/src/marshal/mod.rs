//! The Python side of a plan: a helper and a descriptor for every step.
//!
//! [`link`] turns a plan into a linked plan: it picks the helper of each step by its conversion
//! (the one place where that choice is made), imports the classes that steps name, as PyGObject
//! does on a first call, and makes the descriptors. Helpers live in `scalar` and `wrapped` (phase
//! *in*, and giving back), `outward` (phase *out* and the result) and `bind`; each is declared once,
//! in the table of its file.
//!
//! Absent: fast paths; `recipes/` has them.

mod bind;
pub mod desc;
mod outward;
mod scalar;
mod table;
mod wrapped;

use std::sync::OnceLock;

use gijit::ir::AbiType;
use gijit::plan::link::{Linked, Runtime, Step};
use gijit::plan::reject::{Reason, Reject};
use gijit::plan::{Conv, Free, Plan, ResultShape};
use gijit::signature::girepository::{Girepository, Info};
use gijit::signature::{Bindings, Transfer, TypeRef};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::glib::{self, Glib, PyGObjectApi};
use desc::{BindDesc, ResultDesc, TypeDesc, keep};
use table::step;

pub(crate) const G_TYPE_NONE: usize = 4;

struct Shared {
    glib: &'static Glib,
    api: &'static PyGObjectApi,
    filenames_are_utf8: bool,
}

// SAFETY: the API table is read-only after PyGObject has made it.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

static SHARED: OnceLock<Shared> = OnceLock::new();

fn shared() -> &'static Shared {
    SHARED
        .get()
        .expect("prepare() comes before any helper runs")
}

fn glib() -> &'static Glib {
    shared().glib
}

fn api() -> &'static PyGObjectApi {
    shared().api
}

fn filenames_are_utf8() -> bool {
    shared().filenames_are_utf8
}

/// Finds what the helpers need; before the first [`link`].
///
/// # Errors
/// One line naming what is missing.
pub fn prepare(py: Python<'_>) -> Result<(), String> {
    if SHARED.get().is_some() {
        return Ok(());
    }
    let glib = glib::glib()?;
    let api = glib::pygobject_api(py)
        .map_err(|error| format!("PyGObject's C API is not there: {error}"))?;
    let encoding = py
        .import("sys")
        .and_then(|sys| sys.call_method0("getfilesystemencoding"))
        .and_then(|name| name.extract::<String>())
        .unwrap_or_default();
    SHARED.get_or_init(|| Shared {
        glib,
        api,
        filenames_are_utf8: encoding == "utf-8",
    });
    Ok(())
}

/// The functions that every call uses.
pub fn runtime() -> Runtime {
    Runtime {
        save_thread: ffi::PyEval_SaveThread as *const () as usize,
        restore_thread: ffi::PyEval_RestoreThread as *const () as usize,
        raise: bind::raise_error::run as *const () as usize,
        bind: bind::bind_arguments::run as *const () as usize,
        decref: bind::drop_reference::run as *const () as usize,
        // SAFETY: the address of a static object.
        none: unsafe { ffi::Py_None() } as usize,
        new_none: bind::new_none as *const () as usize,
        note: bind::note_argument::run as *const () as usize,
    }
}

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
    if bindings.native == 0 {
        return Err(Reject {
            reason: Reason::NoSymbol,
            place: plan.symbol.clone(),
        }
        .into());
    }
    let linker = Linker {
        py,
        repository,
        bindings,
    };
    let mut ins = Vec::new();
    let mut undo = Vec::new();
    for op in &plan.ins {
        let full = op.transfer == Transfer::Full;
        let desc = linker.desc(&op.conv, op.nullable, full)?;
        ins.push(in_step(&op.conv, op.nullable, full, desc));
        undo.push(op.undo.as_ref().map(|free| free_step(free, desc)));
    }
    let mut outs = Vec::new();
    for op in &plan.outs {
        let desc = linker.desc(&op.conv, false, op.transfer == Transfer::Full)?;
        linker.check_result_class(&op.conv, desc)?;
        outs.push(out_step(&op.conv, desc));
    }
    let mut release = Vec::new();
    for op in &plan.release {
        let desc = match &op.free {
            Free::Boxed { ty } => linker.desc(&Conv::Boxed { ty: ty.clone() }, false, false)?,
            _ => 0,
        };
        release.push(free_step(&op.free, desc));
    }
    let result = linker.result(&plan)?;
    let bind_desc = keep(BindDesc {
        names: plan
            .params
            .iter()
            .map(|param| (param.name.clone(), param.optional))
            .collect(),
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

struct Linker<'a, 'py> {
    py: Python<'py>,
    repository: &'a Girepository,
    bindings: &'a Bindings,
}

impl<'py> Linker<'_, 'py> {
    /// The descriptor of a conversion; 0 for those that need none.
    fn desc(&self, conv: &Conv, nullable: bool, full: bool) -> Result<usize, Unlinked> {
        let Some(ty) = conv.type_ref() else {
            return Ok(0);
        };
        let reject = || Reject {
            reason: Reason::Unresolved,
            place: ty.to_string(),
        };
        let binding = self.bindings.types.get(ty).ok_or_else(reject)?;
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
            py_type: class.into_ptr().cast(),
            nullable,
            full,
            storage: conv.abi(),
            members,
        }))
    }

    /// The class as PyGObject finds it: an attribute of the namespace's module.
    fn class(&self, ty: &TypeRef) -> PyResult<Bound<'py, PyAny>> {
        let module = self.py.import(format!("gi.repository.{}", ty.namespace))?;
        module.getattr(ty.name.as_str())
    }

    /// Boxed and struct results are made by hand, so their class must be what that takes.
    fn check_result_class(&self, conv: &Conv, desc: usize) -> Result<(), Unlinked> {
        let base = match conv {
            Conv::Boxed { .. } => "Boxed",
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

/// The *in* helper of a conversion.
fn in_step(conv: &Conv, nullable: bool, full: bool, desc: usize) -> Step {
    use scalar as s;
    match conv {
        Conv::Boolean => step!(s::in_boolean, desc),
        Conv::Integer(abi) => match abi {
            AbiType::I8 => step!(s::in_i8, desc),
            AbiType::U8 => step!(s::in_u8, desc),
            AbiType::I16 => step!(s::in_i16, desc),
            AbiType::U16 => step!(s::in_u16, desc),
            AbiType::I32 => step!(s::in_i32, desc),
            AbiType::U32 => step!(s::in_u32, desc),
            AbiType::I64 => step!(s::in_i64, desc),
            _ => step!(s::in_u64, desc),
        },
        Conv::Float => step!(s::in_float, desc),
        Conv::Double => step!(s::in_double, desc),
        Conv::Unichar => step!(s::in_unichar, desc),
        Conv::GType => step!(s::in_gtype, desc),
        Conv::Utf8 => match (nullable, full) {
            (false, false) => step!(s::in_utf8, desc),
            (true, false) => step!(s::in_utf8_nullable, desc),
            (false, true) => step!(s::in_utf8_given, desc),
            (true, true) => step!(s::in_utf8_given_nullable, desc),
        },
        Conv::Filename => match (nullable, full) {
            (false, false) => step!(s::in_filename, desc),
            (true, false) => step!(s::in_filename_nullable, desc),
            (false, true) => step!(s::in_filename_given, desc),
            (true, true) => step!(s::in_filename_given_nullable, desc),
        },
        Conv::Enum { .. } => step!(s::in_enum, desc),
        Conv::Flags { .. } => step!(s::in_flags, desc),
        Conv::Object { .. } => step!(wrapped::in_object, desc),
        Conv::Boxed { .. } => step!(wrapped::in_boxed, desc),
        Conv::Struct { .. } => step!(wrapped::in_struct, desc),
        Conv::Variant { .. } => step!(wrapped::in_variant, desc),
    }
}

/// The *out* helper of a conversion.
fn out_step(conv: &Conv, desc: usize) -> Step {
    use outward as o;
    match conv {
        Conv::Boolean => step!(o::out_boolean, desc),
        Conv::Integer(abi) => match abi {
            AbiType::I8 => step!(o::out_i8, desc),
            AbiType::U8 => step!(o::out_u8, desc),
            AbiType::I16 => step!(o::out_i16, desc),
            AbiType::U16 => step!(o::out_u16, desc),
            AbiType::I32 => step!(o::out_i32, desc),
            AbiType::U32 => step!(o::out_u32, desc),
            AbiType::I64 => step!(o::out_i64, desc),
            _ => step!(o::out_u64, desc),
        },
        Conv::Float => step!(o::out_float, desc),
        Conv::Double => step!(o::out_double, desc),
        Conv::Unichar => step!(o::out_unichar, desc),
        Conv::GType => step!(o::out_gtype, desc),
        Conv::Utf8 => step!(o::out_utf8, desc),
        Conv::Filename => step!(o::out_filename, desc),
        Conv::Enum { .. } => step!(o::out_enum, desc),
        Conv::Flags { .. } => step!(o::out_flags, desc),
        Conv::Object { .. } => step!(o::out_object, desc),
        Conv::Boxed { .. } => step!(o::out_boxed, desc),
        Conv::Struct { .. } => step!(o::out_struct, desc),
        Conv::Variant { .. } => step!(o::out_variant, desc),
    }
}

/// The helper that gives something back.
fn free_step(free: &Free, desc: usize) -> Step {
    match free {
        Free::Memory => step!(wrapped::free_memory, desc),
        Free::Object => step!(wrapped::unref_object, desc),
        Free::Boxed { .. } => step!(wrapped::free_boxed, desc),
        Free::Variant => step!(wrapped::unref_variant, desc),
    }
}
