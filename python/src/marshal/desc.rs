//! What helpers and recipes know of a step beyond its kind: immutable descriptors.
//!
//! A descriptor is made when a plan is linked, with the GIL held, and is never freed, so emitted
//! code may hold its address. What changes is [`TypeDesc::accepted`] and [`TypeDesc::is_shown`].

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gijit::plan::link::Step;
use gijit::signature::Name;
use pyo3::ffi;

/// The descriptor of every step that names a registered type.
#[repr(C)]
pub struct TypeDesc {
    /// Exact types that have passed the class check of this argument. Written with the GIL held, a
    /// reference to the type is kept for good, so the address stays that type's. Read by emitted
    /// code and by the compile thread, as a number.
    pub accepted: [AtomicUsize; 2],
    pub gtype: usize,
    /// Bytes of a struct or union, 0 when it is opaque.
    pub size: usize,
    /// The class that Python code sees for the type.
    pub py_type: *mut ffi::PyTypeObject,
    pub nullable: bool,
    /// `Transfer::Full`.
    pub full: bool,
    /// Bytes and signedness of an enum's storage.
    pub storage: gijit::ir::AbiType,
    /// The members of an enum.
    pub members: &'static [i64],
    /// Of an enum: PyGObject shows values as instances of `py_type`. Written and read with the GIL held.
    pub is_shown: AtomicBool,
}

/// Offset of the first accepted type, for recipes.
pub const ACCEPTED_OFFSET: i32 = std::mem::offset_of!(TypeDesc, accepted) as i32;

impl TypeDesc {
    /// Remembers that `ty` is fine. Two types are kept; the first is the one that recipes look at.
    ///
    /// # Safety
    /// The GIL is held and `ty` is a type object.
    pub unsafe fn accept(&self, ty: *mut ffi::PyTypeObject) {
        for accepted in &self.accepted {
            match accepted.load(Ordering::Relaxed) {
                0 => {
                    // SAFETY: by this function's contract.
                    unsafe { ffi::Py_INCREF(ty.cast()) };
                    accepted.store(ty as usize, Ordering::Relaxed);
                    return;
                }
                known if known == ty as usize => return,
                _ => {}
            }
        }
    }
}

/// # Safety
/// `desc` is the descriptor that [`gijit::plan::link::Step`] of a typed step carries.
pub unsafe fn type_desc<'a>(desc: *const c_void) -> &'a TypeDesc {
    // SAFETY: by this function's contract; descriptors are never freed.
    unsafe { &*desc.cast::<TypeDesc>() }
}

/// The class of a typed step, as an address.
pub fn exact_type(step: &Step) -> usize {
    // SAFETY: recipes ask for steps of enums and flags only, whose descriptor is a TypeDesc.
    unsafe { type_desc(step.desc as *const c_void) }.py_type as usize
}

/// The types that a step has accepted so far, as addresses; 0 where there is none yet.
pub fn accepted_types(step: &Step) -> [usize; 2] {
    // SAFETY: recipes ask for steps of objects, boxed and structs only: TypeDesc again.
    let desc = unsafe { type_desc(step.desc as *const c_void) };
    [&desc.accepted[0], &desc.accepted[1]].map(|accepted| accepted.load(Ordering::Relaxed))
}

/// What the result step reads.
pub struct ResultDesc {
    /// PyGObject's ResultTuple type with this callable's names; NULL for a single result.
    pub tuple_type: *mut ffi::PyTypeObject,
    pub len: usize,
    pub constructor: bool,
}

/// What `bind` reads: per parameter the name (none for the instance) and whether it may be left out.
/// The names are no Python objects: holding interned ones would show in their reference counts.
pub struct BindDesc {
    pub names: Vec<(Option<Name>, bool)>,
    /// The name of what takes all further positional arguments.
    pub rest: Option<Name>,
    /// A parameter without which the call is PyGObject's, though it may be left out.
    pub required: Option<usize>,
    /// Leading arguments that are no parameters.
    pub skip: usize,
}

/// Keeps a descriptor for the life of the process and gives its address.
pub fn keep<T>(desc: T) -> usize {
    Box::into_raw(Box::new(desc)) as usize
}
