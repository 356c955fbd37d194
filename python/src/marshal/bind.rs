//! Binding keywords and defaults, and noting what arguments were.

use std::ffi::c_void;
use std::sync::atomic::Ordering;

use gijit::dispatch::{ArgProfile, seen};
use pyo3::ffi;

use super::desc::BindDesc;
use super::scalar::{BAIL, CONVERTED};
use super::table::helpers;

type Object = *mut c_void;
type Desc = *const c_void;

helpers! {
    /// Fills one slot per parameter from a vectorcall's arguments; what PyGObject would complain
    /// about bails.
    "bind" bind_arguments(desc: Desc, args: *const Object, nargsf: usize, kwnames: Object, slots: *mut Object) -> i32, BAIL => bind;
    "note" note_argument(value: Object, profile: *const ArgProfile) => note;
    "decref" drop_reference(value: Object) => decref;
}

unsafe fn bind(
    desc: Desc,
    args: *const Object,
    nargsf: usize,
    kwnames: Object,
    slots: *mut Object,
) -> i32 {
    // SAFETY: `desc` is the linked plan's BindDesc; the rest is a vectorcall's arguments, whose
    // keyword names are a tuple of str; `slots` has one place per parameter.
    unsafe {
        let desc = &*desc.cast::<BindDesc>();
        let kwnames = kwnames.cast::<ffi::PyObject>();
        let given = ffi::PyVectorcall_NARGS(nargsf) as usize;
        let places = desc.names.len() + usize::from(desc.rest.is_some());
        if given < desc.skip || given - desc.skip > places {
            return BAIL;
        }
        let slots = std::slice::from_raw_parts_mut(slots, places);
        slots.fill(std::ptr::null_mut());
        for (index, slot) in slots[..given - desc.skip].iter_mut().enumerate() {
            *slot = *args.add(desc.skip + index);
        }
        let keywords = if kwnames.is_null() {
            0
        } else {
            ffi::PyTuple_GET_SIZE(kwnames)
        };
        for index in 0..keywords {
            let name = ffi::PyTuple_GET_ITEM(kwnames, index);
            match position(desc, name) {
                Some(at) if slots[at].is_null() => slots[at] = *args.add(given + index as usize),
                _ => return BAIL,
            }
        }
        let complete = slots
            .iter()
            .zip(&desc.names)
            .all(|(slot, (_, optional))| *optional || !slot.is_null());
        let complete = complete && desc.required.is_none_or(|at| !slots[at].is_null());
        if complete { CONVERTED } else { BAIL }
    }
}

/// The parameter called `name`.
unsafe fn position(desc: &BindDesc, name: *mut ffi::PyObject) -> Option<usize> {
    let mut len = 0;
    // SAFETY: keyword names are str objects; GIL held. The text lives as long as the str.
    let name = unsafe {
        let text = ffi::PyUnicode_AsUTF8AndSize(name, &mut len);
        if text.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        std::slice::from_raw_parts(text.cast::<u8>(), len as usize)
    };
    let names = desc.names.iter().map(|(own, _)| own.as_deref());
    names
        .chain(std::iter::once(desc.rest.as_deref()))
        .position(|own| own.is_some_and(|own| own.as_bytes() == name))
}

/// Records what an argument was.
///
/// # Safety
/// `value` is a valid object or NULL for one left out, `profile` is its profile; GIL held.
pub unsafe fn note(value: Object, profile: *const ArgProfile) {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: a valid object or NULL, GIL held; the profile lives as long as the callable.
    unsafe {
        let profile = &*profile;
        if value.is_null() {
            profile.seen.fetch_or(seen::ABSENT, Ordering::Relaxed);
            return;
        }
        let ty = ffi::Py_TYPE(value) as usize;
        let place = profile.types.iter().find(|known| {
            let known = known.load(Ordering::Relaxed);
            known == 0 || known == ty
        });
        match place {
            Some(place) => place.store(ty, Ordering::Relaxed),
            None => drop(profile.seen.fetch_or(seen::POLYMORPHIC, Ordering::Relaxed)),
        }
    }
}

unsafe fn decref(value: Object) {
    // SAFETY: a reference that the caller owns, GIL held.
    unsafe { ffi::Py_DECREF(value.cast()) }
}

/// A new reference to None.
///
/// # Safety
/// The GIL is held.
pub unsafe extern "C" fn new_none() -> Object {
    // SAFETY: None always exists.
    unsafe { ffi::Py_NewRef(ffi::Py_None()).cast() }
}
