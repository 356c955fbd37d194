//! What look-ups through a proxy and the module behind it have found.
//!
//! An entry holds as long as the class and the dict of the proxy and the class and the dict of the
//! module are what they were. CPython numbers the states of classes and dicts: every change gives a
//! number that no class, or no dict, of the process has had before. So comparing four numbers proves
//! that looking again would find the same, and that what the entry borrows from these dicts is
//! alive. Nothing has to be told when something changes.
//!
//! CPython 3.14 numbers dicts no more; there, and wherever the layout's probe fails, nothing is
//! remembered.
//!
//! The interpreter lock guards the table.

use std::cell::UnsafeCell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::ffi;

use super::introspected_get;
use super::slots;
use crate::layout::{DICT_VERSION, Layout};

unsafe extern "C" {
    /// Where an object keeps its dict; makes the dict if it has not been made yet.
    fn _PyObject_GetDictPtr(object: *mut ffi::PyObject) -> *mut *mut ffi::PyObject;
}

/// One result. A free entry has no name.
#[derive(Clone, Copy)]
struct Entry {
    /// A reference of ours: an address alone could become another str's.
    name: *mut ffi::PyObject,
    /// The state of the proxy's dict, of its class, of the module's dict and of its class.
    proxy_dict: u64,
    module_dict: u64,
    proxy_class: u32,
    module_class: u32,
    /// The state of the proxy's deprecated names, where it has them in a slot.
    deprecations: u64,
    /// Borrowed from the proxy's dict, or from its slot.
    module: *mut ffi::PyObject,
    /// Where the module keeps its dict.
    dict: *mut *mut ffi::PyObject,
    /// Borrowed from the module's dict.
    value: *mut ffi::PyObject,
}

const _: () = assert!(
    size_of::<Entry>() <= 64,
    "a look-up touches one line of cache, two at most"
);

const FREE: Entry = Entry {
    name: null_mut(),
    proxy_dict: 0,
    module_dict: 0,
    proxy_class: 0,
    module_class: 0,
    deprecations: 0,
    module: null_mut(),
    dict: null_mut(),
    value: null_mut(),
};

/// Unmeasured: programs name a few hundred things of their namespaces.
const ENTRIES: usize = 1024;

struct Table(UnsafeCell<[Entry; ENTRIES]>);

// SAFETY: only touched with the interpreter lock held.
unsafe impl Sync for Table {}

static TABLE: Table = Table(UnsafeCell::new([FREE; ENTRIES]));

/// Whether dicts have numbers here.
static USABLE: AtomicBool = AtomicBool::new(false);

/// To be called before the others.
pub fn prepare(layout: &Layout) {
    USABLE.store(layout.dict_versioned, Ordering::Relaxed);
}

/// What a look-up of `name` on a proxy finds, borrowed, if that is known.
///
/// # Safety
/// `dict` is the dict of a proxy, `name` a str, the interpreter lock is held.
#[inline]
pub unsafe fn recall(
    proxy: *mut ffi::PyObject,
    dict: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
) -> Option<*mut ffi::PyObject> {
    // SAFETY: the caller's. The module is alive because the proxy's dict is in the state in which it
    // was found there, or it is in the proxy's slot; so is where it keeps its dict, and that dict, and the
    // value by the same argument. Entries are only made where the layout's probe has found the numbers.
    unsafe {
        let entry = &*place(dict, name);
        if entry.name == name
            && entry.proxy_dict == version(dict)
            && entry.proxy_class == (*ffi::Py_TYPE(proxy)).tp_version_tag
            && slots::of(proxy).is_none_or(|slots| {
                slots.module == entry.module && version(slots.deprecations) == entry.deprecations
            })
        {
            let class = ffi::Py_TYPE(entry.module);
            if entry.module_class == (*class).tp_version_tag
                && super::is(class, introspected_get)
                && entry.module_dict == version(*entry.dict)
            {
                return Some(entry.value);
            }
        }
        None
    }
}

/// Remembers that a look-up of `name` on a proxy found `value` in the dict of `module`.
///
/// # Safety
/// As [`recall`]; `module` is in the proxy's dict or slot and an `IntrospectionModule`, `value` in its
/// dict. Both classes, and the proxy's deprecated names, have been asked for `name`, and nothing has
/// changed since.
pub unsafe fn keep(
    proxy: *mut ffi::PyObject,
    dict: *mut ffi::PyObject,
    module: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
) {
    // SAFETY: the caller's. Dropping the reference to the old name runs no code, it is a str.
    unsafe {
        let own = _PyObject_GetDictPtr(module);
        let class = |object| (*ffi::Py_TYPE(object)).tp_version_tag;
        let (proxy_class, module_class) = (class(proxy), class(module));
        // A class has the number 0 when CPython does not number it.
        if !USABLE.load(Ordering::Relaxed)
            || ffi::PyUnicode_CheckExact(name) == 0
            || own.is_null()
            || proxy_class == 0
            || module_class == 0
        {
            return;
        }
        let entry = place(dict, name);
        let before = (*entry).name;
        *entry = Entry {
            name: ffi::Py_NewRef(name),
            proxy_dict: version(dict),
            module_dict: version(*own),
            proxy_class,
            module_class,
            deprecations: slots::of(proxy).map_or(0, |slots| version(slots.deprecations)),
            module,
            dict: own,
            value,
        };
        ffi::Py_XDECREF(before);
    }
}

/// The one entry that may hold the result of `name` for the proxy with `dict`.
fn place(dict: *mut ffi::PyObject, name: *mut ffi::PyObject) -> *mut Entry {
    // Objects are aligned to 16 bytes.
    let index = ((name as usize >> 4) ^ (name as usize >> 12) ^ (dict as usize >> 5)) % ENTRIES;
    // SAFETY: the index is below the length.
    unsafe { TABLE.0.get().cast::<Entry>().add(index) }
}

/// The number of the state of `dict`.
///
/// # Safety
/// `dict` is a dict and the interpreter lock is held.
unsafe fn version(dict: *mut ffi::PyObject) -> u64 {
    // SAFETY: dicts have this field (`DICT_VERSION`).
    unsafe { dict.cast::<u8>().add(DICT_VERSION).cast::<u64>().read() }
}
