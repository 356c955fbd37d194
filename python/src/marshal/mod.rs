//! The Python side of a plan: a helper and a descriptor for every step.
//!
//! [`link`] (in `linker`) turns a plan into a linked plan: it imports the classes that steps name, as
//! PyGObject does on a first call, and makes the descriptors. The helper of each step is picked by
//! its conversion here, the one place where that choice is made. Helpers live in `scalar` and
//! `wrapped` (phase *in*, and giving back), `class` (phase *in* of classes), `outward` (phase *out*
//! and the result), `pointer`, `allocate`, `container` (arrays, lists and hash tables), `callback`
//! (callbacks and closures), `field` (attributes of structs) and `bind`; each is declared once, in the table of its file.
//!
//! Absent: fast paths; `recipes/` has them.

mod allocate;
mod bind;
mod callback;
mod class;
mod container;
pub mod desc;
mod enums;
pub mod field;
mod foreign;
mod fundamental;
mod gerror;
mod linker;
pub mod lock;
mod outward;
mod pointer;
mod scalar;
mod table;
mod types;
mod value;
mod wrapped;
pub mod wrapper;

use std::sync::OnceLock;

use gijit::ir::AbiType;
use gijit::plan::link::{Runtime, Step};
use gijit::plan::{Conv, Free};
use gijit::signature::{ListKind, Transfer};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::glib::{self, Glib, PyGObjectApi};
use crate::layout::{layout, pygobject_version};
pub use bind::note;
pub use callback::implement;
pub use linker::{Unlinked, link};
pub(crate) use scalar::read_gtype;
use table::step;
pub use wrapped::instance_type;

pub(crate) const G_TYPE_NONE: usize = 4;

struct Shared {
    glib: &'static Glib,
    api: &'static PyGObjectApi,
    /// The type of PyGObject's `GType` wrappers.
    gtype_type: *mut ffi::PyTypeObject,
    /// The str `__gtype__`.
    gtype_name: *mut ffi::PyObject,
    /// The `GType` of a Python object in a GValue, and of GValue.
    python_object: usize,
    value: usize,
    /// PyGObject's `GLib.Error`, and the names of what it says.
    error_class: Option<*mut ffi::PyTypeObject>,
    error_fields: [*mut ffi::PyObject; 3],
    /// The quark under which a type has its class.
    class_quark: u32,
    /// How PyGObject makes one; `None` where it is not known.
    error_init: Option<gerror::Init>,
    /// The str `__init__`.
    init_name: *mut ffi::PyObject,
    /// What classes of enums and flags call their tables of values.
    enum_values: *mut ffi::PyObject,
    flags_values: *mut ffi::PyObject,
    /// Whether None is NULL for a `GError` that may be NULL; older versions refuse it.
    error_takes_none: bool,
    /// Whether floating objects that C passes stay floating, as they do up to PyGObject 3.54.
    keeps_floating: bool,
    /// Whether the value of an enum is a C long; a newer PyGObject refuses what is no C int.
    enums_are_wide: bool,
    /// Whether a str is an array of its characters; a newer PyGObject refuses it but for characters.
    text_is_array: bool,
    /// The base of the wrappers of fundamentals that are no GObjects, where PyGObject has any.
    fundamental: Option<*mut ffi::PyTypeObject>,
    /// The bases of the wrappers of boxed and of other structs.
    boxed: *mut ffi::PyTypeObject,
    structure: *mut ffi::PyTypeObject,
    /// A `GParamSpec` has a wrapper of its own, which is none of these.
    wraps_param_specs: bool,
    filenames_are_utf8: bool,
}

// SAFETY: the API table is read-only after PyGObject has made it; types and names are held for good.
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

fn gtype_type() -> *mut ffi::PyTypeObject {
    shared().gtype_type
}

/// Whether instances of a class wrap boxed values or other structs.
///
/// # Safety
/// A type object; after [`prepare`].
pub unsafe fn wraps_struct(ty: *mut ffi::PyTypeObject) -> bool {
    let mut bases = [shared().boxed, shared().structure].into_iter();
    // SAFETY: by this function's contract; the bases are types.
    bases.any(|base| unsafe { ffi::PyType_IsSubtype(ty, base) != 0 })
}

pub(crate) fn filenames_are_utf8() -> bool {
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
    let gi = py
        .import("gi._gi")
        .map_err(|error| format!("there is no gi._gi: {error}"))?;
    let gtype_type = gi
        .getattr("GType")
        .map_err(|error| format!("PyGObject has no GType: {error}"))?;
    let base = |name| {
        gi.getattr(name)
            .map(|base| base.into_ptr().cast())
            .map_err(|error| format!("PyGObject has no {name}: {error}"))
    };
    let (boxed, structure) = (base("Boxed")?, base("Struct")?);
    let fundamental = gi.getattr("Fundamental").ok();
    let wraps_param_specs = gi.hasattr("GParamSpec").unwrap_or(false);
    let error_class = py
        .import("gi._error")
        .and_then(|module| module.getattr("GError"))
        .ok();
    let error_init = error_class.as_ref().map(gerror::Init::of);
    let version = pygobject_version(py);
    let name = |text| PyString::intern(py, text).unbind().into_ptr();
    // SAFETY: a zero-terminated name.
    let python_object = unsafe { (glib.g_type_from_name)(c"PyObject".as_ptr()) };
    // SAFETY: it takes nothing.
    let value = unsafe { (glib.g_value_get_type)() };
    // SAFETY: a zero-terminated name.
    let class_quark = unsafe { (glib.g_quark_from_string)(c"PyGObject::class".as_ptr()) };
    SHARED.get_or_init(|| Shared {
        glib,
        api,
        gtype_type: gtype_type.into_ptr().cast(),
        gtype_name: name("__gtype__"),
        class_quark,
        error_init: error_init.and_then(Result::ok).flatten(),
        init_name: name("__init__"),
        enum_values: name("__enum_values__"),
        flags_values: name("__flags_values__"),
        error_class: error_class.map(|ty| ty.into_ptr().cast()),
        error_fields: ["message", "domain", "code"].map(name),
        error_takes_none: version >= (3, 50),
        keeps_floating: version < (3, 55),
        enums_are_wide: version < (3, 55),
        text_is_array: version < (3, 57),
        python_object,
        value,
        fundamental: fundamental.map(|ty| ty.into_ptr().cast()),
        boxed,
        structure,
        wraps_param_specs,
        filenames_are_utf8: encoding == "utf-8",
    });
    lock::prepare(layout(py));
    callback::thread::prepare(py);
    Ok(())
}

/// The functions that every call uses.
pub fn runtime() -> Runtime {
    Runtime {
        save_thread: lock::save_thread as *const () as usize,
        restore_thread: lock::restore_thread as *const () as usize,
        native_begins: 0,
        native_ends: 0,
        raise: gerror::raise_error::run as *const () as usize,
        bind: bind::bind_arguments::run as *const () as usize,
        decref: bind::drop_reference::run as *const () as usize,
        // SAFETY: the address of a static object.
        none: unsafe { ffi::Py_None() } as usize,
        new_none: bind::new_none as *const () as usize,
        note: bind::note_argument::run as *const () as usize,
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
        Conv::Pointer if nullable => step!(pointer::in_pointer_nullable, desc),
        Conv::Pointer => step!(pointer::in_pointer, desc),
        Conv::AsPointer { .. } => step!(pointer::in_number, desc),
        // The number that PyGObject knows of.
        Conv::First { of } => in_step(of, nullable, full, desc),
        Conv::Utf8 => match (nullable, full) {
            (false, false) => step!(s::in_utf8, desc),
            (true, false) => step!(s::in_utf8_nullable, desc),
            (false, true) => step!(s::in_utf8_given, desc),
            (true, true) => step!(s::in_utf8_given_nullable, desc),
        },
        Conv::Written if nullable => step!(s::in_utf8_given_nullable, desc),
        Conv::Written => step!(s::in_utf8_given, desc),
        Conv::Filename => match (nullable, full) {
            (false, false) => step!(s::in_filename, desc),
            (true, false) => step!(s::in_filename_nullable, desc),
            (false, true) => step!(s::in_filename_given, desc),
            (true, true) => step!(s::in_filename_given_nullable, desc),
        },
        Conv::Enum { .. } => step!(s::in_enum, desc),
        Conv::Flags { .. } => step!(s::in_flags, desc),
        Conv::Object { .. } => step!(wrapped::in_object, desc),
        Conv::Fundamental { .. } => step!(fundamental::in_fundamental, desc),
        Conv::Foreign { .. } => step!(foreign::in_foreign, desc),
        Conv::Boxed { .. } => step!(wrapped::in_boxed, desc),
        Conv::Struct { .. } => step!(wrapped::in_struct, desc),
        Conv::Variant { .. } => step!(wrapped::in_variant, desc),
        Conv::Class { .. } => step!(class::in_class, desc),
        Conv::VFunc => step!(class::in_vfunc, desc),
        // What is copied is converted as the pointer to it.
        Conv::Inline { of } => in_step(of, nullable, full, desc),
        Conv::Value => step!(value::in_value, desc),
        Conv::Error => step!(gerror::in_error, desc),
        Conv::Array(_) => step!(container::in_array, desc),
        Conv::List { kind, .. } => match kind {
            ListKind::GList => step!(container::in_glist, desc),
            ListKind::GSList => step!(container::in_gslist, desc),
        },
        Conv::Hash { .. } => step!(container::in_hash, desc),
        Conv::Closure { .. } => step!(callback::in_closure, desc),
        Conv::Callback { .. } => step!(callback::in_callback, desc),
    }
}

/// The *in* helper that allocates a struct.
fn allocate_step(conv: &Conv, desc: usize) -> Step {
    match conv {
        Conv::Boxed { .. } => step!(allocate::new_boxed, desc),
        Conv::Foreign { .. } => step!(foreign::new_foreign, desc),
        _ => step!(allocate::new_struct, desc),
    }
}

/// The *out* helper of such a struct.
fn allocated_step(conv: &Conv, desc: usize) -> Step {
    match conv {
        Conv::Boxed { .. } => step!(allocate::out_new_boxed, desc),
        Conv::Foreign { .. } => step!(foreign::out_new_foreign, desc),
        _ => step!(allocate::out_new_struct, desc),
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
        Conv::Pointer => step!(pointer::out_pointer, desc),
        // PyGObject reads the low bytes of the pointer.
        Conv::AsPointer { of } | Conv::First { of } => out_step(of, desc),
        Conv::Utf8 => step!(o::out_utf8, desc),
        Conv::Filename => step!(o::out_filename, desc),
        Conv::Enum { .. } => step!(enums::out_enum, desc),
        Conv::Flags { .. } => step!(enums::out_flags, desc),
        Conv::Object { .. } => step!(o::out_object, desc),
        Conv::Fundamental { .. } => step!(fundamental::out_fundamental, desc),
        Conv::Foreign { .. } => step!(foreign::out_foreign, desc),
        Conv::Boxed { .. } => step!(o::out_boxed, desc),
        Conv::Struct { .. } => step!(o::out_struct, desc),
        Conv::Variant { .. } => step!(o::out_variant, desc),
        Conv::Class { .. } | Conv::VFunc | Conv::Written => {
            unreachable!("verified: these only go in")
        }
        Conv::Inline { of } => out_step(of, desc),
        Conv::Value => step!(value::out_value, desc),
        Conv::Error => step!(gerror::out_error, desc),
        Conv::Array(_) => step!(container::out_array, desc),
        // Both lists start with the item and the next node.
        Conv::List { .. } => step!(container::out_list, desc),
        Conv::Hash { .. } => step!(container::out_hash, desc),
        Conv::Closure { .. } => step!(o::out_boxed, desc),
        Conv::Callback { .. } => unreachable!("verified: a callback only goes in"),
    }
}

/// The *out* helper of a conversion for what C passes to Python, given the step for what it returns
/// to Python. What C lends is not copied before the callable has returned.
fn called_out_step(conv: &Conv, transfer: Transfer, step: Step) -> Step {
    match conv {
        Conv::Object { .. } => step!(callback::out_object_called, step.desc),
        Conv::Boxed { .. } | Conv::Closure { .. } if transfer == Transfer::None => {
            step!(callback::out_boxed_lent, step.desc)
        }
        _ => step,
    }
}

/// The *in* helper of a conversion for what Python returns to C, given the step for what it passes
/// to C.
fn returned_in_step(conv: &Conv, step: Step) -> Step {
    match conv {
        Conv::Object { .. } => step!(callback::in_object_returned, step.desc),
        _ => step,
    }
}

/// The helper that gives something of a conversion back.
fn free_step(free: &Free, conv: &Conv, desc: usize) -> Step {
    match free {
        Free::Memory => step!(wrapped::free_memory, desc),
        Free::Object => step!(wrapped::unref_object, desc),
        Free::Fundamental { .. } => step!(fundamental::unref_fundamental, desc),
        Free::Foreign { .. } => step!(foreign::free_foreign, desc),
        Free::Boxed { .. } => step!(wrapped::free_boxed, desc),
        Free::Variant => step!(wrapped::unref_variant, desc),
        Free::Container { .. } => match conv {
            Conv::List { .. } => step!(container::free_list, desc),
            Conv::Hash { .. } => step!(container::free_hash, desc),
            _ => step!(container::free_array, desc),
        },
        Free::Made => match conv {
            Conv::Boxed { .. } => step!(allocate::free_slice, desc),
            Conv::Struct { .. } | Conv::Foreign { .. } | Conv::Written => {
                step!(wrapped::free_memory, desc)
            }
            Conv::Inline { of } => free_step(free, of, desc),
            Conv::Value => step!(value::drop_value, desc),
            Conv::Error => step!(gerror::undo_error, desc),
            Conv::List { .. } => step!(container::undo_list, desc),
            Conv::Hash { .. } => step!(container::undo_hash, desc),
            Conv::Closure { .. } => step!(callback::undo_closure, desc),
            Conv::Callback { .. } => step!(callback::drop_callback, desc),
            _ => step!(container::undo_array, desc),
        },
        Free::Value => step!(value::unset_value, desc),
        Free::Error => step!(gerror::free_error, desc),
        Free::Kept => match conv {
            Conv::Inline { of } => free_step(free, of, desc),
            Conv::Value => step!(value::drop_value, desc),
            Conv::Error => step!(gerror::drop_error, desc),
            Conv::Written => step!(wrapped::free_memory, desc),
            Conv::Array(_) => step!(container::drop_array, desc),
            Conv::Closure { .. } => step!(callback::drop_closure, desc),
            Conv::Callback { .. } => step!(callback::drop_callback, desc),
            _ => step!(container::drop_list, desc),
        },
    }
}
