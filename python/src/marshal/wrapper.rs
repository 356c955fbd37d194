//! The wrapper of a GObject: the one that it has, or a new one.
//!
//! PyGObject looks for it among what is attached to the object, which takes and gives back a lock of
//! GLib's (`pygobject_new_full` of `pygobject-object.c`). Here a table remembers, by the address of
//! the object, the wrappers that have been asked for more than once; and an object that nothing is
//! attached to gets its wrapper at once.
//!
//! Invariants: a wrapper in the table is alive and has its object, or its object has been taken from
//! it. So only wrappers enter whose end goes through [`forget`]: `embed/ends` puts its functions into
//! `tp_dealloc` and `tp_clear` of `gi.GObject` and calls [`watch`]. While it does not, everything is
//! PyGObject's. All is read and written with the interpreter lock held.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi;

use crate::layout::{GObject, GObjectWrapper};

/// A place of the table.
struct Entry {
    object: AtomicPtr<GObject>,
    wrapper: AtomicPtr<GObjectWrapper>,
}

/// Objects that fall on the same place drive each other out. With 256 places a loop over a thousand
/// objects takes a twentieth more, with 4,096 as much less; this is 16 KiB.
const SIZE: usize = 1024;
static TABLE: [Entry; SIZE] = [const {
    Entry {
        object: AtomicPtr::new(null_mut()),
        wrapper: AtomicPtr::new(null_mut()),
    }
}; SIZE];

/// The functions that end wrappers, and what to look for.
pub struct Ends {
    /// `tp_dealloc` and `tp_clear` of `gi.GObject`.
    pub dealloc: ffi::destructor,
    pub clear: ffi::inquiry,
    /// `tp_dealloc` of classes that are made in Python: it calls that of their base.
    pub of_classes: Option<ffi::destructor>,
    /// The quark under which an object has its wrapper.
    pub quark: u32,
}

/// What [`watch`] was told, for good; NULL without.
static ENDS: AtomicPtr<Ends> = AtomicPtr::new(null_mut());

fn ends() -> Option<&'static Ends> {
    // SAFETY: NULL or a leaked box.
    unsafe { ENDS.load(Ordering::Relaxed).as_ref() }
}

/// From now on `tp_dealloc` and `tp_clear` of `gi.GObject` are those of `ends` and call [`forget`];
/// `None`: no more.
///
/// # Safety
/// The interpreter lock is held.
pub unsafe fn watch(ends: Option<Ends>) {
    let ends = ends.map_or(null_mut(), |ends| Box::into_raw(Box::new(ends)));
    ENDS.store(ends, Ordering::Relaxed);
    for entry in &TABLE {
        entry.object.store(null_mut(), Ordering::Relaxed);
    }
}

fn entry(object: *mut GObject) -> &'static Entry {
    // Addresses are multiples of 16; the product's high bits depend on all of them.
    let mixed = (object as usize >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    &TABLE[mixed >> (usize::BITS - SIZE.trailing_zeros())]
}

/// The wrapper ends or loses its object.
///
/// # Safety
/// A wrapper of a GObject; the interpreter lock is held.
pub unsafe fn forget(wrapper: *mut GObjectWrapper) {
    let is_of = |entry: &Entry| entry.wrapper.load(Ordering::Relaxed) == wrapper;
    let drop = |entry: &Entry| {
        entry.object.store(null_mut(), Ordering::Relaxed);
        entry.wrapper.store(null_mut(), Ordering::Relaxed);
    };
    // SAFETY: by this function's contract.
    let object = unsafe { (*wrapper).object };
    if !object.is_null() {
        let entry = entry(object);
        if is_of(entry) {
            drop(entry);
        }
    }
}

/// Whether the end of instances of `ty` goes through [`forget`].
///
/// # Safety
/// A class derived from `gi.GObject`; the interpreter lock is held.
unsafe fn is_watched(ty: *mut ffi::PyTypeObject, ends: &Ends) -> bool {
    let is = |slot: Option<ffi::destructor>, function: Option<ffi::destructor>| {
        slot.map(|slot| slot as usize) == function.map(|function| function as usize)
    };
    let mut base = ty;
    // SAFETY: a type object and its bases, which it keeps alive.
    unsafe {
        while !base.is_null() && is((*base).tp_dealloc, ends.of_classes) {
            base = (*base).tp_base;
        }
        !base.is_null()
            && is((*base).tp_dealloc, Some(ends.dealloc))
            && (*base).tp_clear.map(|clear| clear as usize) == Some(ends.clear as usize)
    }
}

/// A new reference to the wrapper of `object`, or NULL with an exception set. `steal`: the caller's
/// reference to the object goes to it, unless this fails.
///
/// # Safety
/// A GObject; the interpreter lock is held.
pub unsafe fn wrapper_of(object: *mut c_void, steal: bool) -> *mut ffi::PyObject {
    let object = object.cast::<GObject>();
    // SAFETY: the table's invariant, and this function's contract.
    unsafe {
        let entry = entry(object);
        if entry.object.load(Ordering::Relaxed) == object {
            let wrapper = entry.wrapper.load(Ordering::Relaxed);
            if (*wrapper).object == object && !(*wrapper).is_floating() {
                ffi::Py_INCREF(wrapper.cast());
                if steal {
                    (super::glib().g_object_unref)(object.cast());
                }
                return wrapper.cast();
            }
        }
        let stock = || (super::api().newgobj_full)(object.cast(), i32::from(steal), null_mut());
        let Some(ends) = ends() else {
            return stock();
        };
        if !(*object).has_data()
            && let Some(class) = class_of(object)
        {
            return wrap(object, class, steal, ends.quark);
        }
        let found = stock();
        // A new one may be the last that is heard of it.
        if !found.is_null() && ffi::Py_REFCNT(found) > 1 && is_watched(ffi::Py_TYPE(found), ends) {
            entry.object.store(object, Ordering::Relaxed);
            entry.wrapper.store(found.cast(), Ordering::Relaxed);
        }
        found
    }
}

/// The class that PyGObject has for the type of `object`, if it has one already.
///
/// # Safety
/// A GObject; the interpreter lock is held.
unsafe fn class_of(object: *mut GObject) -> Option<*mut ffi::PyTypeObject> {
    let quark = super::shared().class_quark;
    // SAFETY: a GObject starts with its class, which starts with its type.
    let class = unsafe { (super::glib().g_type_get_qdata)(*(*object).class, quark) };
    (!class.is_null()).then(|| class.cast())
}

/// A new wrapper of `object`, as `pygobject_new_full` makes it.
///
/// # Safety
/// A GObject that has no wrapper and none of PyGObject's data, and the class of its type; the
/// interpreter lock is held.
unsafe fn wrap(
    object: *mut GObject,
    class: *mut ffi::PyTypeObject,
    steal: bool,
    quark: u32,
) -> *mut ffi::PyObject {
    let glib = super::glib();
    // SAFETY: by this function's contract; the layout of the wrapper was probed with the quark.
    unsafe {
        let wrapper = ffi::PyObject_GC_New::<ffi::PyObject>(class);
        if wrapper.is_null() {
            return wrapper;
        }
        // CPython has taken a reference to a class that was made in Python; PyGObject takes another
        // one, which it never gives back.
        if (*class).tp_flags & ffi::Py_TPFLAGS_HEAPTYPE != 0 {
            ffi::Py_INCREF(class.cast());
        }
        let floating = (glib.g_object_is_floating)(object.cast()) != 0;
        GObjectWrapper::fill(wrapper.cast(), object, floating);
        if !steal || floating {
            (glib.g_object_ref_sink)(object.cast());
        }
        (glib.g_object_set_qdata_full)(object.cast(), quark, wrapper.cast(), null());
        ffi::PyObject_GC_Track(wrapper.cast());
        wrapper
    }
}
