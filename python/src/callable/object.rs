//! Types and instances.
//!
//! | type | base | callables | `__get__` |
//! |---|---|---|---|
//! | plain | `gi.FunctionInfo` | functions, static functions, and all that is bound of these three | gives the object itself |
//! | method | `gi.FunctionInfo` | unbound methods | binds the instance; `Py_TPFLAGS_METHOD_DESCRIPTOR`, so `o.m()` makes no bound object |
//! | constructor | `gi.FunctionInfo` | unbound constructors | binds the class |
//! | virtual | `gi.VFuncInfo` | virtual functions, bound or not | binds the `GType` of the class that it was looked up on |
//!
//! Each is called as the type that it derives from: that name shows in `repr()` and in error
//! messages.
//!
//! That is [`Kind::Binding`]. From PyGObject 3.52 on ([`Kind::Vectorcall`]) an info has a vectorcall
//! slot of its own and is bound as Python's functions are, by a `types.MethodType`: all three kinds of
//! functions bind the instance, and classes hold constructors as class methods.

use std::ffi::c_void;
use std::mem::size_of;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::info::{Base, BindingInfo, Call, Kind, VECTORCALL, fields};
use super::{bind, entry};
use crate::embed::engine::State;
use gijit::signature::girepository::{Girepository, IS_CONSTRUCTOR, IS_METHOD, Info, Member};

/// Where the [`Tail`] of an instance begins.
const TAIL: usize = size_of::<BindingInfo>();

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

/// The types and the bases that they derive from.
pub struct Types {
    function: Base,
    vfunc: Base,
    plain: *mut ffi::PyTypeObject,
    method: *mut ffi::PyTypeObject,
    constructor: *mut ffi::PyTypeObject,
    virtual_: *mut ffi::PyTypeObject,
    /// `gi.BaseInfo`.
    info: *mut ffi::PyTypeObject,
    pub kind: Kind,
    pub repository: Girepository,
}

impl Types {
    /// What `object` derives from.
    ///
    /// # Safety
    /// `object` is one of our callables and the interpreter lock is held.
    pub unsafe fn base(&self, object: *mut ffi::PyObject) -> &Base {
        // SAFETY: the caller's.
        match unsafe { ffi::Py_TYPE(object) } == self.virtual_ {
            true => &self.vfunc,
            false => &self.function,
        }
    }

    /// Whether `object`, one of ours, is an unbound method.
    ///
    /// # Safety
    /// As [`Types::base`].
    pub unsafe fn is_method(&self, object: *mut ffi::PyObject) -> bool {
        // SAFETY: the caller's.
        unsafe { ffi::Py_TYPE(object) == self.method }
    }

    /// Whether `object`, one of ours, is an unbound constructor.
    ///
    /// # Safety
    /// As [`Types::base`].
    pub unsafe fn is_constructor(&self, object: *mut ffi::PyObject) -> bool {
        // SAFETY: the caller's.
        unsafe { ffi::Py_TYPE(object) == self.constructor }
    }
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

/// Makes the types, deriving from `function`, which is `gi._gi.FunctionInfo`, and `vfunc`, which is
/// `gi._gi.VFuncInfo`. `samples` is an unbound instance of each, which [`Kind::Vectorcall`] needs. Once
/// made the types stay.
///
/// Fails when the layout of a base is not a known one.
pub fn create(
    [function, vfunc]: [&Bound<'_, PyType>; 2],
    samples: Option<[Bound<'_, PyAny>; 2]>,
) -> Result<&'static Types, String> {
    if let Some(types) = TYPES.get() {
        return Ok(types);
    }
    let kind = Kind::of(function)?;
    let samples = samples.map_or([None, None], |samples| samples.map(Some));
    let [function, vfunc] = [(function, &samples[0]), (vfunc, &samples[1])]
        .map(|(ty, sample)| Base::of(ty, kind, sample.as_ref()));
    let (function, vfunc) = (function?, vfunc?);
    let descriptor = ffi::Py_TPFLAGS_METHOD_DESCRIPTOR;
    let make = |base, get, flags| make_type(base, get, flags, TAIL);
    let (plain, constructor) = match kind {
        Kind::Binding => (
            make(&function, None, 0)?,
            make(&function, Some(bind::constructor_get as _), 0)?,
        ),
        Kind::Vectorcall => (
            make(&function, Some(bind::method_get as _), descriptor)?,
            // What looks at the class first is where PyGObject has its own.
            make_type(&function, Some(bind::method_get), descriptor, VECTORCALL)?,
        ),
    };
    let types = Types {
        plain,
        method: make(&function, Some(bind::method_get), descriptor)?,
        constructor,
        virtual_: make(&vfunc, Some(bind::vfunc_get), 0)?,
        info: function.root(),
        function,
        vfunc,
        kind,
        repository: Girepository::loaded()?,
    };
    Ok(TYPES.get_or_init(|| types))
}

/// A static type: a heap type would show in ways that PyGObject's types do not, first of all in the
/// `__module__` of its instances.
fn make_type(
    base: &Base,
    descr_get: Option<ffi::descrgetfunc>,
    flags: std::ffi::c_ulong,
    vectorcall: usize,
) -> Result<*mut ffi::PyTypeObject, String> {
    // SAFETY: all zeroes is how C initialises the fields of a static type that it does not name.
    let made: &'static mut ffi::PyTypeObject = Box::leak(Box::new(unsafe { std::mem::zeroed() }));
    made.ob_base.ob_base = ffi::PyObject_HEAD_INIT;
    // SAFETY: the name of a static type is for good.
    made.tp_name = unsafe { (*base.ty).tp_name };
    made.tp_basicsize = (TAIL + size_of::<Tail>()) as ffi::Py_ssize_t;
    made.tp_base = base.ty;
    made.tp_flags = ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_BASETYPE;
    made.tp_dealloc = Some(dealloc);
    // SAFETY: a complete type with a ready base; the interpreter lock is held (see `create`).
    if unsafe { ffi::PyType_Ready(made) } < 0 {
        return Err(Python::attach(|py| PyErr::fetch(py).to_string()));
    }
    // Only now, as PyGObject does with its own: `PyType_Ready` would make attributes such as
    // `__get__` of them, which PyGObject's callables do not have. Nobody has seen the type yet.
    made.tp_flags |= ffi::Py_TPFLAGS_HAVE_VECTORCALL | flags;
    made.tp_vectorcall_offset = vectorcall as ffi::Py_ssize_t;
    made.tp_call = Some(ffi::PyVectorcall_Call);
    // The inherited function gives the object itself where there is nothing to bind. Without one
    // CPython skips the call.
    made.tp_descr_get = descr_get;
    Ok(made)
}

/// Whether `object` is exactly a `gi.FunctionInfo` or `gi.VFuncInfo` of PyGObject's own.
///
/// # Safety
/// `object` is a valid object and the interpreter lock is held.
pub unsafe fn is_stock(types: &Types, object: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's.
    let ty = unsafe { ffi::Py_TYPE(object) };
    ty == types.function.ty || ty == types.vfunc.ty
}

/// Whether `object` is a `gi.BaseInfo`, of which every info has the fields up to `info`.
///
/// # Safety
/// `object` is a valid object and the interpreter lock is held.
pub unsafe fn is_info(types: &Types, object: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's.
    unsafe { ffi::PyObject_TypeCheck(object, types.info) != 0 }
}

/// Whether `object` is a `gi.FunctionInfo`, ours or stock.
///
/// # Safety
/// As for [`is_vfunc`].
pub unsafe fn is_function(types: &Types, object: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's.
    unsafe { ffi::PyObject_TypeCheck(object, types.function.ty) != 0 }
}

/// Whether `object` is a `gi.VFuncInfo`, ours or stock.
///
/// # Safety
/// `object` is a valid object and the interpreter lock is held.
pub unsafe fn is_vfunc(types: &Types, object: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's.
    unsafe { ffi::PyObject_TypeCheck(object, types.vfunc.ty) != 0 }
}

/// Whether `object` is one of our callables, bound or not.
///
/// # Safety
/// `object` is a valid object and the interpreter lock is held.
pub unsafe fn is_ours(types: &Types, object: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's.
    let ty = unsafe { ffi::Py_TYPE(object) };
    [types.method, types.plain, types.constructor, types.virtual_].contains(&ty)
}

/// Whether a call lacks the instance that it is a method of. PyGObject refuses such a call, and reads
/// the typelib for that: to read it here as well, for a callable that may never be called again,
/// would double the cost.
///
/// # Safety
/// `callable` is one of ours, unbound; the rest is a vectorcall's arguments; the interpreter lock is
/// held.
pub unsafe fn lacks_instance(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
) -> bool {
    // SAFETY: the caller's.
    unsafe {
        let given = ffi::PyVectorcall_NARGS(nargsf);
        types().is_method(callable) && (given == 0 || *args == ffi::Py_None())
    }
}

/// Our part of a callable.
///
/// # Safety
/// `object` is one of ours and outlives the result.
pub unsafe fn tail<'a>(object: *mut ffi::PyObject) -> &'a Tail {
    // SAFETY: every instance of our types has `TAIL` bytes and then a `Tail`.
    unsafe { &*((object as *mut u8).add(TAIL) as *const Tail) }
}

/// Makes the callable that stands for the stock object `object`, which is not bound. A new
/// reference, NULL with an exception set.
///
/// # Safety
/// `object` passes [`is_stock`] and the interpreter lock is held.
pub unsafe fn new_unbound(types: &Types, object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: `object` passes `is_stock`; a FunctionInfo holds a GIFunctionInfo, a VFuncInfo a
    // GIVFuncInfo.
    unsafe {
        let member = match ffi::Py_TYPE(object) == types.vfunc.ty {
            true => Member::VFunc,
            false => Member::Method,
        };
        let info = types.repository.reference(fields(object).info);
        new_member(types, info, member)
    }
}

/// Makes the callable of `info`, whose reference it takes over. A new reference, NULL with an
/// exception set.
///
/// # Safety
/// `info` is a `GIFunctionInfo` or `GIVFuncInfo` as `member` says, the interpreter lock is held.
pub unsafe fn new_member(types: &Types, info: Info, member: Member) -> *mut ffi::PyObject {
    let ty = match member {
        Member::VFunc => types.virtual_,
        // SAFETY: the caller's.
        Member::Method => match unsafe { types.repository.flags(info) } {
            flags if flags & IS_CONSTRUCTOR != 0 => types.constructor,
            flags if flags & IS_METHOD != 0 => types.method,
            _ => types.plain,
        },
    };
    // SAFETY: the types are ours, and the rest is the caller's.
    unsafe { allocate(ty, info, entry::first_call as *const () as usize) }
}

/// Makes a callable that enters `unbound` with `argument` before all others, as PyGObject's own
/// bound infos do. A new reference, NULL with an exception set.
///
/// # Safety
/// Infos are of [`Kind::Binding`], `unbound` passes [`is_ours`], `argument` is a valid object, the
/// interpreter lock is held.
pub unsafe fn new_bound(
    unbound: *mut ffi::PyObject,
    argument: *mut ffi::PyObject,
    entry: ffi::vectorcallfunc,
) -> *mut ffi::PyObject {
    let types = types();
    // SAFETY: the caller's; a new callable has no bound fields.
    unsafe {
        let ty = match ffi::Py_TYPE(unbound) == types.virtual_ {
            true => types.virtual_,
            false => types.plain,
        };
        let info = types.repository.reference(fields(unbound).info);
        let made = allocate(ty, info, entry as *const () as usize);
        set_bound(made, unbound, argument);
        made
    }
}

/// Makes `made`, which is new or NULL, the bound form of `unbound`.
///
/// # Safety
/// Infos are of [`Kind::Binding`], `made` is NULL or a callable without bound fields, the others are
/// valid objects, the interpreter lock is held.
pub unsafe fn set_bound(
    made: *mut ffi::PyObject,
    unbound: *mut ffi::PyObject,
    argument: *mut ffi::PyObject,
) {
    // SAFETY: the caller's; both references are taken before they are stored.
    unsafe {
        if made.is_null() {
            return;
        }
        let made = &mut *made.cast::<BindingInfo>();
        made.info.last = ffi::Py_NewRef(unbound).cast();
        made.argument = ffi::Py_NewRef(argument);
    }
}

/// A stock object for the unbound callable `object`. A new reference, NULL with an exception set.
///
/// # Safety
/// `object` passes [`is_ours`] and the interpreter lock is held.
pub unsafe fn new_stock(types: &Types, object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as in `allocate`, without a tail.
    unsafe {
        let base = types.base(object).ty;
        let Some(alloc) = (*base).tp_alloc else {
            unreachable!("PyType_Ready fills in tp_alloc");
        };
        let made = alloc(base, 0);
        if made.is_null() {
            return made;
        }
        fields(made).info = types.repository.reference(fields(object).info);
        if let Call::Vector(call) = types.base(object).call {
            fields(made).last = call as *mut c_void;
        }
        made
    }
}

/// Takes over the reference to `info`.
///
/// # Safety
/// `ty` is one of ours, `info` a `GIFunctionInfo` or `GIVFuncInfo` as it wants, the interpreter
/// lock is held.
unsafe fn allocate(ty: *mut ffi::PyTypeObject, info: Info, slot: usize) -> *mut ffi::PyObject {
    // SAFETY: `tp_alloc` gives `tp_basicsize` zeroed bytes, so weakrefs, cache, both bound fields
    // and the state are NULL already.
    unsafe {
        let Some(alloc) = (*ty).tp_alloc else {
            unreachable!("PyType_Ready fills in tp_alloc");
        };
        let made = alloc(ty, 0);
        if made.is_null() {
            types().repository.unref(info);
        } else {
            fields(made).info = info;
            tail(made).slot.store(slot, Ordering::Relaxed);
            if types().kind == Kind::Vectorcall && types().is_constructor(made) {
                fields(made).last = bind::constructor_call as *mut c_void;
            }
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
        (types.base(object).dealloc)(object);
    }
}
