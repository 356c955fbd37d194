//! Phase *in* for what a class stands for: its class struct, and its implementation of a virtual
//! function.
//!
//! The rules are those of `pygi-struct-marshal.c` (class structs) and of `_vfunc_cache_invoke_real` in
//! `pygi-cache.c`. GObject never unloads a class, so the reference that a step takes on a class stays,
//! and the class of the last call is remembered. What a class struct says is read at every call.

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

use gijit::signature::vtable::VFuncPlace;

use super::scalar::{BAIL, done, read_gtype};
use super::table::helpers;

type Object = *mut c_void;
type Cell = *mut u64;
type Desc = *const c_void;

/// `G_TYPE_FLAG_CLASSED`.
const CLASSED: u32 = 1;

helpers! {
    /// The class struct of what a class, a `GType` and the like names.
    "in class" in_class(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => class;
    /// The implementation of a virtual function in what a class, a `GType` and the like names.
    "in vfunc" in_vfunc(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => vfunc;
}

/// The table of the class that was asked for last. Both fields are written and read with the GIL
/// held.
#[derive(Default)]
struct LastClass {
    /// 0 before the first call.
    gtype: AtomicUsize,
    table: AtomicUsize,
}

impl LastClass {
    /// The table of `gtype`: the last one, or what `find` gives. `None` when that gives NULL.
    fn table(&self, gtype: usize, find: impl FnOnce() -> usize) -> Option<usize> {
        if self.gtype.load(Ordering::Relaxed) == gtype {
            return Some(self.table.load(Ordering::Relaxed));
        }
        let table = find();
        if table == 0 {
            return None;
        }
        self.gtype.store(gtype, Ordering::Relaxed);
        self.table.store(table, Ordering::Relaxed);
        Some(table)
    }
}

/// The descriptor of a class struct argument.
#[derive(Default)]
pub struct ClassDesc {
    last: LastClass,
}

/// The descriptor of a virtual function.
pub struct VFuncDesc {
    last: LastClass,
    place: VFuncPlace,
}

impl VFuncDesc {
    /// The descriptor of the virtual function at `place`.
    pub fn new(place: VFuncPlace) -> Self {
        VFuncDesc {
            last: LastClass::default(),
            place,
        }
    }
}

/// The class struct of `gtype`, 0 when it has none.
///
/// # Safety
/// `gtype` is a `GType`; the GIL is held, as initialising a class may run Python.
unsafe fn class_of(gtype: usize) -> usize {
    let glib = super::glib();
    // SAFETY: by this function's contract. A class that exists is never unloaded.
    unsafe {
        if (glib.g_type_test_flags)(gtype, CLASSED) == 0 {
            return 0;
        }
        let class = (glib.g_type_class_peek)(gtype);
        let class = match class.is_null() {
            true => (glib.g_type_class_ref)(gtype),
            false => class,
        };
        class as usize
    }
}

unsafe fn class(value: Object, cell: Cell, desc: Desc) -> i32 {
    // SAFETY: a valid object, GIL held; class structs have a ClassDesc.
    unsafe {
        let desc = &*desc.cast::<ClassDesc>();
        let Some(gtype) = read_gtype(value.cast()) else {
            return BAIL;
        };
        match desc.last.table(gtype, || class_of(gtype)) {
            Some(class) => done(cell, class as u64),
            None => BAIL,
        }
    }
}

unsafe fn vfunc(value: Object, cell: Cell, desc: Desc) -> i32 {
    // SAFETY: a valid object, GIL held; virtual functions have a VFuncDesc. The table of a class that
    // is of the declaring type has the field, and its value is a function or NULL.
    unsafe {
        let VFuncDesc { last, place } = &*desc.cast::<VFuncDesc>();
        let Some(gtype) = read_gtype(value.cast()) else {
            return BAIL;
        };
        let Some(table) = last.table(gtype, || table_of(gtype, place)) else {
            return BAIL;
        };
        let address = ((table + place.offset) as *const usize).read();
        match address {
            0 => BAIL,
            address => done(cell, address as u64),
        }
    }
}

/// The table of `gtype` that holds the virtual function at `place`, 0 when it has none.
///
/// # Safety
/// As [`class_of`].
pub(super) unsafe fn table_of(gtype: usize, place: &VFuncPlace) -> usize {
    let glib = super::glib();
    // SAFETY: the caller's; a class struct starts with its GTypeClass.
    unsafe {
        if (glib.g_type_is_a)(gtype, place.gtype) == 0 {
            return 0;
        }
        match (class_of(gtype), place.is_interface) {
            (0, _) => 0,
            (class, false) => class,
            (class, true) => {
                (glib.g_type_interface_peek)(class as *mut c_void, place.gtype) as usize
            }
        }
    }
}
