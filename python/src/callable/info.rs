//! PyGObject's infos of callables: how they lie in memory, how they are called and bound.
//!
//! Invariant: both kinds begin alike, so [`fields`] are there in any of them. [`Kind::of`] compares size
//! and weak reference offset with the running PyGObject.
//!
//! Not here: the types and instances of our own (`object`), and binding them (`bind`).

use std::ffi::c_void;
use std::mem::{offset_of, size_of, transmute};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// PyGObject's `PyGIBaseInfo` and `PyGICallableInfo` (pygi-info.h).
#[repr(C)]
pub struct PyGICallableInfo {
    pub head: ffi::PyObject,
    pub info: *mut c_void,
    pub weakrefs: *mut ffi::PyObject,
    pub cache: *mut c_void,
    /// [`Kind::Vectorcall`]: what it is called with. [`Kind::Binding`]: what it is bound from, or NULL.
    pub last: *mut c_void,
}

/// An info of [`Kind::Binding`].
#[repr(C)]
pub struct BindingInfo {
    pub info: PyGICallableInfo,
    pub argument: *mut ffi::PyObject,
}

/// What an info is bound from, and with what.
pub struct Binding {
    pub unbound: *mut ffi::PyObject,
    pub argument: *mut ffi::PyObject,
}

/// How PyGObject's infos are called and bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By `tp_call`; what is bound is an info again. PyGObject 3.42 to 3.50.
    Binding,
    /// By vectorcall; what is bound is Python's own object. From PyGObject 3.52 on.
    Vectorcall,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Binding, Self::Vectorcall];

    /// The kind of the infos whose type is `ty`; fails when their layout is not a known one.
    pub fn of(ty: &Bound<'_, PyType>) -> Result<Self, String> {
        // SAFETY: a type that is alive; the interpreter lock is held (`Bound`).
        let (size, weakrefs) = unsafe {
            let ty = &*ty.as_type_ptr();
            (ty.tp_basicsize, ty.tp_weaklistoffset)
        };
        let found = Self::ALL
            .into_iter()
            .find(|kind| kind.size() == size as usize);
        found.filter(|_| weakrefs == WEAKREFS).ok_or_else(|| {
            let known = Self::ALL.map(Self::size);
            format!(
                "{ty} has {size} bytes and its weak references at {weakrefs}; known are {known:?} and {WEAKREFS}"
            )
        })
    }

    /// What `object` is bound from and with, if it is.
    ///
    /// # Safety
    /// As for [`fields`], and `object` is of this kind.
    pub unsafe fn bound(self, object: *mut ffi::PyObject) -> Option<Binding> {
        match self {
            Self::Binding => {
                // SAFETY: the caller's; infos of this kind have these fields.
                let info = unsafe { &*object.cast::<BindingInfo>() };
                (!info.argument.is_null()).then_some(Binding {
                    unbound: info.info.last.cast(),
                    argument: info.argument,
                })
            }
            Self::Vectorcall => None,
        }
    }

    /// The size of an info that can be called.
    const fn size(self) -> usize {
        match self {
            Self::Binding => size_of::<BindingInfo>(),
            Self::Vectorcall => size_of::<PyGICallableInfo>(),
        }
    }
}

const WEAKREFS: ffi::Py_ssize_t = offset_of!(PyGICallableInfo, weakrefs) as _;
/// Where an info of [`Kind::Vectorcall`] has its vectorcall slot.
pub const VECTORCALL: usize = offset_of!(PyGICallableInfo, last);

/// A type of PyGObject's that callables derive from, and what is taken over from it.
pub struct Base {
    pub ty: *mut ffi::PyTypeObject,
    pub call: Call,
    pub dealloc: ffi::destructor,
}

/// How PyGObject calls an info of its own.
#[derive(Clone, Copy)]
pub enum Call {
    Tuple(ffi::ternaryfunc),
    Vector(ffi::vectorcallfunc),
}

impl Base {
    /// What is taken over from `ty`, whose instances are of kind `wanted`; `sample` is one of them.
    pub fn of(
        ty: &Bound<'_, PyType>,
        wanted: Kind,
        sample: Option<&Bound<'_, PyAny>>,
    ) -> Result<Self, String> {
        if Kind::of(ty)? != wanted {
            return Err(format!("{ty} has another layout than its sibling"));
        }
        let sample = sample.filter(|sample| sample.get_type().is(ty));
        let ty = ty.as_type_ptr();
        // SAFETY: a type that is alive, and an instance of it, which has this field, in which there is a
        // function of this type or NULL; the interpreter lock is held (`Bound`).
        let (call, dealloc) = unsafe {
            let call = match (wanted, sample) {
                (Kind::Binding, _) => (*ty).tp_call.map(Call::Tuple),
                (Kind::Vectorcall, None) => None,
                (Kind::Vectorcall, Some(sample)) => {
                    let call = fields(sample.as_ptr()).last;
                    transmute::<*mut c_void, Option<ffi::vectorcallfunc>>(call).map(Call::Vector)
                }
            };
            (call, (*ty).tp_dealloc)
        };
        let (Some(call), Some(dealloc)) = (call, dealloc) else {
            return Err("infos of PyGObject's cannot be called".to_owned());
        };
        Ok(Base { ty, call, dealloc })
    }

    /// The last type before `object` that it derives from: `gi.BaseInfo`.
    pub fn root(&self) -> *mut ffi::PyTypeObject {
        let mut ty = self.ty;
        // SAFETY: a ready type, and so is each base up to `object`, which has none.
        unsafe {
            while (*ty).tp_base != &raw mut ffi::PyBaseObject_Type {
                ty = (*ty).tp_base;
            }
        }
        ty
    }
}

/// The PyGObject part of a callable.
///
/// # Safety
/// `object` is a `gi.FunctionInfo` or `gi.VFuncInfo`, ours or stock, and outlives the result.
pub unsafe fn fields<'a>(object: *mut ffi::PyObject) -> &'a mut PyGICallableInfo {
    // SAFETY: the layout was compared in [`Kind::of`].
    unsafe { &mut *(object as *mut PyGICallableInfo) }
}
