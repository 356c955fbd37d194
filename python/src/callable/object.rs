//! Types and instances.
//!
//! | type | callables | `__get__` |
//! |---|---|---|
//! | plain | functions, static functions, and everything bound | gives the object itself |
//! | method | unbound methods | binds the instance; `Py_TPFLAGS_METHOD_DESCRIPTOR`, so `o.m()` makes no bound object |
//! | constructor | unbound constructors | binds the class |
//!
//! All three are called `gi.FunctionInfo`, as the type that they derive from: that name shows in
//! `repr()` and in error messages.

use std::ffi::c_void;
use std::mem::size_of;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;

use super::{bind, entry};
use crate::embed::engine::State;
use gijit::signature::girepository::Girepository;

/// PyGObject's `PyGIBaseInfo` and `PyGICallableInfo` (pygi-info.h), the same from 3.42 to 3.50.
/// [`create`] compares size and weak reference offset with the running PyGObject.
#[repr(C)]
pub struct PyGICallableInfo {
    pub head: ffi::PyObject,
    pub info: *mut c_void,
    pub weakrefs: *mut ffi::PyObject,
    pub cache: *mut c_void,
    pub unbound: *mut ffi::PyObject,
    pub bound_arg: *mut ffi::PyObject,
}

/// `GI_FUNCTION_IS_METHOD` and `GI_FUNCTION_IS_CONSTRUCTOR`.
const IS_METHOD: i32 = 1;
const IS_CONSTRUCTOR: i32 = 2;

const WEAKREFS: ffi::Py_ssize_t = std::mem::offset_of!(PyGICallableInfo, weakrefs) as _;

/// What follows the `PyGICallableInfo` of an instance.
#[repr(C)]
pub struct Tail {
    /// The vectorcall slot. Written by the object's owner and by the publisher (release), read by
    /// CPython.
    pub slot: AtomicUsize,
    /// NULL until the first call, and always NULL in a bound object. Owned by the object.
    pub state: AtomicPtr<State>,
    /// In an unbound constructor the name, a str, of the class that it was last called on with
    /// success, else NULL. Owned by the object.
    pub class_name: AtomicPtr<ffi::PyObject>,
}

/// The types, the base that they derive from and what is taken over from it.
pub struct Types {
    base: *mut ffi::PyTypeObject,
    plain: *mut ffi::PyTypeObject,
    method: *mut ffi::PyTypeObject,
    constructor: *mut ffi::PyTypeObject,
    pub base_call: ffi::ternaryfunc,
    base_dealloc: ffi::destructor,
    tail: usize,
    pub repository: Girepository,
}

// SAFETY: type objects live as long as the process and are only used with the interpreter lock
// held.
unsafe impl Send for Types {}
// SAFETY: as above.
unsafe impl Sync for Types {}

static TYPES: OnceLock<Types> = OnceLock::new();

/// The types; exist as soon as any callable does.
pub fn types() -> &'static Types {
    TYPES.get().expect("callable types are made by install")
}

/// The types, if `install` made them.
pub fn types_if_created() -> Option<&'static Types> {
    TYPES.get()
}

/// Makes the types, deriving from `base`, which is `gi._gi.FunctionInfo`. Once made they stay.
///
/// Fails when the layout of `base` is not the one in [`PyGICallableInfo`].
pub fn create(base: &Bound<'_, PyAny>) -> Result<&'static Types, String> {
    if let Some(types) = TYPES.get() {
        return Ok(types);
    }
    let base = base.as_ptr() as *mut ffi::PyTypeObject;
    // SAFETY: the caller passes a type object; the interpreter lock is held (`Bound`).
    let (size, weakrefs, call, dealloc) = unsafe {
        (
            (*base).tp_basicsize,
            (*base).tp_weaklistoffset,
            (*base).tp_call,
            (*base).tp_dealloc,
        )
    };
    if size != size_of::<PyGICallableInfo>() as ffi::Py_ssize_t || weakrefs != WEAKREFS {
        return Err(format!(
            "gi.FunctionInfo has {size} bytes and its weak references at {weakrefs}; known are {} and {WEAKREFS}",
            size_of::<PyGICallableInfo>()
        ));
    }
    let (Some(base_call), Some(base_dealloc)) = (call, dealloc) else {
        return Err("gi.FunctionInfo cannot be called".to_owned());
    };
    let repository = Girepository::loaded()?;
    let make = |descr_get, flags| make_type(base, size as usize, descr_get, flags);
    let types = Types {
        base,
        plain: make(None, 0)?,
        method: make(Some(bind::method_get), ffi::Py_TPFLAGS_METHOD_DESCRIPTOR)?,
        constructor: make(Some(bind::constructor_get), 0)?,
        base_call,
        base_dealloc,
        tail: size as usize,
        repository,
    };
    Ok(TYPES.get_or_init(|| types))
}

/// A static type: a heap type would show in ways that PyGObject's types do not, first of all in the
/// `__module__` of its instances.
fn make_type(
    base: *mut ffi::PyTypeObject,
    tail: usize,
    descr_get: Option<ffi::descrgetfunc>,
    flags: std::ffi::c_ulong,
) -> Result<*mut ffi::PyTypeObject, String> {
    // SAFETY: all zeroes is how C initialises the fields of a static type that it does not name.
    let made: &'static mut ffi::PyTypeObject = Box::leak(Box::new(unsafe { std::mem::zeroed() }));
    made.ob_base.ob_base = ffi::PyObject_HEAD_INIT;
    made.tp_name = c"gi.FunctionInfo".as_ptr();
    made.tp_basicsize = (tail + size_of::<Tail>()) as ffi::Py_ssize_t;
    made.tp_base = base;
    made.tp_flags = ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_BASETYPE;
    made.tp_dealloc = Some(dealloc);
    // SAFETY: a complete type with a ready base; the interpreter lock is held (see `create`).
    if unsafe { ffi::PyType_Ready(made) } < 0 {
        return Err(Python::attach(|py| PyErr::fetch(py).to_string()));
    }
    // Only now, as PyGObject does with its own: `PyType_Ready` would make attributes such as
    // `__get__` of them, which PyGObject's callables do not have. Nobody has seen the type yet.
    made.tp_flags |= ffi::Py_TPFLAGS_HAVE_VECTORCALL | flags;
    made.tp_vectorcall_offset = tail as ffi::Py_ssize_t;
    made.tp_call = Some(ffi::PyVectorcall_Call);
    // The inherited function gives the object itself where there is nothing to bind. Without one
    // CPython skips the call.
    made.tp_descr_get = descr_get;
    Ok(made)
}

/// Whether `object` is exactly a `gi.FunctionInfo` of PyGObject's own.
///
/// # Safety
/// `object` is a valid object and the interpreter lock is held.
pub unsafe fn is_stock(types: &Types, object: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's.
    unsafe { ffi::Py_TYPE(object) == types.base }
}

/// Whether `object` is one of our callables, bound or not.
///
/// # Safety
/// `object` is a valid object and the interpreter lock is held.
pub unsafe fn is_ours(types: &Types, object: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's.
    let ty = unsafe { ffi::Py_TYPE(object) };
    ty == types.method || ty == types.plain || ty == types.constructor
}

/// The PyGObject part of a callable.
///
/// # Safety
/// `object` is a `gi.FunctionInfo`, ours or stock, and outlives the result.
pub unsafe fn fields<'a>(object: *mut ffi::PyObject) -> &'a mut PyGICallableInfo {
    // SAFETY: the layout was compared in `create`.
    unsafe { &mut *(object as *mut PyGICallableInfo) }
}

/// Our part of a callable.
///
/// # Safety
/// `object` is one of ours and outlives the result.
pub unsafe fn tail<'a>(object: *mut ffi::PyObject) -> &'a Tail {
    // SAFETY: every instance of our types has `types().tail` bytes and then a `Tail`.
    unsafe { &*((object as *mut u8).add(types().tail) as *const Tail) }
}

/// Makes the callable that stands for `info`, a stock `gi.FunctionInfo` that is not bound. A new
/// reference, NULL with an exception set.
///
/// # Safety
/// `info` passes [`is_stock`] and the interpreter lock is held.
pub unsafe fn new_unbound(types: &Types, info: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: `info` is a FunctionInfo, so its info pointer is a GIFunctionInfo.
    let (info, flags) = unsafe {
        let info = fields(info).info;
        (info, types.repository.flags(info))
    };
    let ty = if flags & IS_CONSTRUCTOR != 0 {
        types.constructor
    } else if flags & IS_METHOD != 0 {
        types.method
    } else {
        types.plain
    };
    // SAFETY: the types are ours, `info` is a valid info.
    unsafe { allocate(types, ty, info, entry::first_call as *const () as usize) }
}

/// Makes a callable that enters `unbound` with `argument` before all others, as PyGObject's own
/// bound infos do. A new reference, NULL with an exception set.
///
/// # Safety
/// `unbound` passes [`is_ours`], `argument` is a valid object, the interpreter lock is held.
pub unsafe fn new_bound(
    unbound: *mut ffi::PyObject,
    argument: *mut ffi::PyObject,
    entry: ffi::vectorcallfunc,
) -> *mut ffi::PyObject {
    let types = types();
    // SAFETY: the caller's; both references are taken before they are stored.
    unsafe {
        let made = allocate(
            types,
            types.plain,
            fields(unbound).info,
            entry as *const () as usize,
        );
        if !made.is_null() {
            let fields = fields(made);
            ffi::Py_INCREF(unbound);
            fields.unbound = unbound;
            ffi::Py_INCREF(argument);
            fields.bound_arg = argument;
        }
        made
    }
}

/// A stock `gi.FunctionInfo` for the unbound callable `object`. A new reference, NULL with an
/// exception set.
///
/// # Safety
/// `object` passes [`is_ours`] and the interpreter lock is held.
pub unsafe fn new_stock(types: &Types, object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as in `allocate`, without a tail.
    unsafe {
        let Some(alloc) = (*types.base).tp_alloc else {
            unreachable!("PyType_Ready fills in tp_alloc");
        };
        let made = alloc(types.base, 0);
        if !made.is_null() {
            fields(made).info = types.repository.reference(fields(object).info);
        }
        made
    }
}

/// # Safety
/// `ty` is one of ours, `info` a `GIFunctionInfo`, the interpreter lock is held.
unsafe fn allocate(
    types: &Types,
    ty: *mut ffi::PyTypeObject,
    info: *mut c_void,
    slot: usize,
) -> *mut ffi::PyObject {
    // SAFETY: `tp_alloc` gives `tp_basicsize` zeroed bytes, so weakrefs, cache, both bound fields
    // and the state are NULL already.
    unsafe {
        let Some(alloc) = (*ty).tp_alloc else {
            unreachable!("PyType_Ready fills in tp_alloc");
        };
        let made = alloc(ty, 0);
        if !made.is_null() {
            fields(made).info = types.repository.reference(info);
            tail(made).slot.store(slot, Ordering::Relaxed);
        }
        made
    }
}

unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    let types = types();
    // SAFETY: CPython calls this once, with an instance of one of our types that nobody else
    // refers to. The state was made by `Box::into_raw`; dropping it detaches the slot before
    // PyGObject's deallocator frees the object.
    unsafe {
        let tail = tail(object);
        let state = tail.state.swap(null_mut(), Ordering::Relaxed);
        if !state.is_null() {
            drop(Box::from_raw(state));
        }
        ffi::Py_XDECREF(tail.class_name.swap(null_mut(), Ordering::Relaxed));
        (types.base_dealloc)(object);
    }
}
