//! The descriptor protocol, and calls of what it bound.
//!
//! Binding does what `_function_info_descr_get` and `_vfunc_info_descr_get` of PyGObject do: an
//! unbound constructor binds the class, an unbound method the instance, a virtual function the
//! `GType` of the class, and nothing is bound to `None`. What is bound remembers the unbound callable
//! in PyGObject's own field, so that PyGObject's `repr()`, comparison and invocation see what they
//! know. From PyGObject 3.52 on both do it with Python's own bound methods ([`Kind::Vectorcall`]).

use std::ptr::null_mut;
use std::sync::atomic::Ordering;

use pyo3::ffi;
use pyo3::prelude::*;

use super::info::{Binding, Kind, fields};
use super::object::{new_bound, tail, types};
use super::{base, entry};

unsafe extern "C" {
    fn PyMethod_New(
        function: *mut ffi::PyObject,
        instance: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject;
}

/// What enters a callable with a vectorcall's arguments.
type Enter = unsafe fn(
    *mut ffi::PyObject,
    *const *mut ffi::PyObject,
    usize,
    *mut ffi::PyObject,
) -> *mut ffi::PyObject;

/// Arguments that fit on the stack when one has to be put before them.
const ON_STACK: usize = 8;

/// `tp_descr_get` of unbound methods.
pub unsafe extern "C" fn method_get(
    callable: *mut ffi::PyObject,
    object: *mut ffi::PyObject,
    _owner: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython passes valid objects, or NULL for what there is not.
    unsafe { bind(callable, object, bound_call) }
}

/// `tp_descr_get` of unbound constructors.
pub unsafe extern "C" fn constructor_get(
    callable: *mut ffi::PyObject,
    object: *mut ffi::PyObject,
    owner: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython passes valid objects, or NULL for what there is not, and never two NULLs.
    unsafe {
        let class = if owner.is_null() {
            ffi::Py_TYPE(object) as *mut ffi::PyObject
        } else {
            owner
        };
        bind(callable, class, bound_constructor_call)
    }
}

/// `tp_descr_get` of virtual functions, bound ones too: those look for the `GType` all the same.
pub unsafe extern "C" fn vfunc_get(
    callable: *mut ffi::PyObject,
    object: *mut ffi::PyObject,
    owner: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython passes valid objects, or NULL for what there is not, and never two NULLs. The
    // reference to the `GType` is ours, binding takes its own.
    unsafe {
        let class = match owner.is_null() {
            true => ffi::Py_TYPE(object).cast(),
            false => owner,
        };
        let name = pyo3::intern!(Python::assume_attached(), "__gtype__");
        let gtype = ffi::PyObject_GetAttr(class, name.as_ptr());
        if gtype.is_null() {
            return null_mut();
        }
        let bound = match types().kind.bound(callable) {
            None => bind(callable, gtype, bound_call),
            Some(_) => ffi::Py_NewRef(callable),
        };
        ffi::Py_DECREF(gtype);
        bound
    }
}

/// What binding `argument` to `unbound` gave when PyGObject did it. A new reference, NULL with an
/// exception set.
///
/// # Safety
/// `unbound` is one of ours and not bound, `argument` is valid, the interpreter lock is held.
pub unsafe fn rebind(
    unbound: *mut ffi::PyObject,
    argument: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's.
    unsafe {
        let entry: ffi::vectorcallfunc = match types().is_constructor(unbound) {
            true => bound_constructor_call,
            false => bound_call,
        };
        bind(unbound, argument, entry)
    }
}

/// # Safety
/// `callable` is one of ours, `argument` is valid or NULL, the interpreter lock is held.
unsafe fn bind(
    callable: *mut ffi::PyObject,
    argument: *mut ffi::PyObject,
    entry: ffi::vectorcallfunc,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's.
    unsafe {
        if argument.is_null() || argument == ffi::Py_None() {
            ffi::Py_INCREF(callable);
            return callable;
        }
        match types().kind {
            Kind::Binding => new_bound(callable, argument, entry),
            Kind::Vectorcall => PyMethod_New(callable, argument),
        }
    }
}

/// The slot of a bound method or virtual function: enters the slot of the unbound one.
unsafe extern "C" fn bound_call(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython's vectorcall contract; only bound objects have this slot.
    entry::shim(|| unsafe { enter_unbound(callable, args, nargsf, kwnames) })
}

/// The slot of a bound constructor: PyGObject lets a constructor make instances of its own class
/// only, which it tells by the class's name.
unsafe extern "C" fn bound_constructor_call(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython's vectorcall contract; only bound constructors have this slot.
    entry::shim(|| unsafe {
        let bound = types().kind.bound(callable);
        construct(bound, enter_unbound, callable, args, nargsf, kwnames)
    })
}

/// What CPython enters to call an unbound constructor of [`Kind::Vectorcall`], with the class as the
/// first argument.
pub unsafe extern "C" fn constructor_call(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython's vectorcall contract; only unbound constructors are entered here.
    entry::shim(|| unsafe {
        let bound = (ffi::PyVectorcall_NARGS(nargsf) > 0).then(|| Binding {
            unbound: callable,
            argument: *args,
        });
        construct(bound, entry::enter, callable, args, nargsf, kwnames)
    })
}

/// Calls `callable` by `enter` when `bound` is a constructor and its own class; else PyGObject words the
/// error.
///
/// # Safety
/// `bound` is what `callable` is bound from and with, or takes first; the rest is a vectorcall's
/// arguments; the interpreter lock is held.
unsafe fn construct(
    bound: Option<Binding>,
    enter: Enter,
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's.
    unsafe {
        match bound {
            Some(bound) if is_container(bound.unbound, bound.argument) => {
                enter(callable, args, nargsf, kwnames)
            }
            _ => base::invoke(callable, args, nargsf, kwnames),
        }
    }
}

/// Whether `class` is named like the type that the unbound constructor makes. False also for what is no
/// ordinary class: PyGObject then decides.
///
/// # Safety
/// `unbound` is one of ours, `class` a valid object; the interpreter lock is held.
unsafe fn is_container(unbound: *mut ffi::PyObject, class: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's; a heap type is a PyHeapTypeObject.
    unsafe {
        if ffi::PyType_Check(class) == 0
            || ffi::PyType_HasFeature(class.cast(), ffi::Py_TPFLAGS_HEAPTYPE) == 0
        {
            return false;
        }
        let name = (*class.cast::<ffi::PyHeapTypeObject>()).ht_name;
        let known = &tail(unbound).class_name;
        if known.load(Ordering::Relaxed) == name {
            return true;
        }
        if !is_container_name(fields(unbound).info, name) {
            return false;
        }
        ffi::Py_INCREF(name);
        ffi::Py_XDECREF(known.swap(name, Ordering::Relaxed));
        true
    }
}

/// Whether the type that the function `info` belongs to is called `name`.
///
/// # Safety
/// `info` is a function info, `name` a str; the interpreter lock is held.
unsafe fn is_container_name(info: *mut std::ffi::c_void, name: *mut ffi::PyObject) -> bool {
    let repository = &types().repository;
    let mut length = 0;
    // SAFETY: the caller's; the UTF-8 lives as long as `name`.
    unsafe {
        let Some(container) = repository.container(info) else {
            return false;
        };
        let text = ffi::PyUnicode_AsUTF8AndSize(name, &mut length);
        if text.is_null() {
            ffi::PyErr_Clear();
            return false;
        }
        let text = std::slice::from_raw_parts(text.cast::<u8>(), length as usize);
        repository.name(container).as_bytes() == text
    }
}

/// Calls the unbound callable with the bound argument before `args`.
///
/// # Safety
/// `callable` is one of ours and bound; the rest is a vectorcall's arguments.
unsafe fn enter_unbound(
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    nargsf: usize,
    kwnames: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: `callable` keeps both bound fields alive for the call. With
    // PY_VECTORCALL_ARGUMENTS_OFFSET the caller lends us `args[-1]`, which is put back.
    unsafe {
        let Some(Binding { unbound, argument }) = types().kind.bound(callable) else {
            unreachable!("only bound objects enter here");
        };
        // The slot holds a function of this type, see `Tail`.
        let slot: ffi::vectorcallfunc =
            std::mem::transmute(tail(unbound).slot.load(Ordering::Acquire));
        let positional = ffi::PyVectorcall_NARGS(nargsf) as usize;
        if nargsf & ffi::PY_VECTORCALL_ARGUMENTS_OFFSET != 0 {
            let shifted = (args as *mut *mut ffi::PyObject).sub(1);
            let lent = shifted.replace(argument);
            let result = slot(unbound, shifted, positional + 1, kwnames);
            shifted.write(lent);
            return result;
        }
        let keywords = if kwnames.is_null() {
            0
        } else {
            ffi::PyTuple_GET_SIZE(kwnames) as usize
        };
        let total = positional + keywords;
        if total < ON_STACK {
            let mut stack = [null_mut(); ON_STACK];
            stack[0] = argument;
            for (i, place) in stack[1..=total].iter_mut().enumerate() {
                *place = *args.add(i);
            }
            return slot(unbound, stack.as_ptr(), positional + 1, kwnames);
        }
        let mut all = Vec::with_capacity(total + 1);
        all.push(argument);
        all.extend((0..total).map(|i| *args.add(i)));
        slot(unbound, all.as_ptr(), positional + 1, kwnames)
    }
}
