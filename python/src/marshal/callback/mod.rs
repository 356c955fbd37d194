//! Callbacks and closures: Python callables that C calls.
//!
//! A callback argument becomes a native function of its C type (`closure`), which enters Python by
//! the reverse plan of that type (`enter`), prepared once for each type (`kind`), on whatever thread
//! (`thread`). `values` has the
//! conversions that differ from those of a call, `returned` makes an exception of a result that no
//! conversion takes. `implement` puts closures into the tables of classes. A `GClosure` is PyGObject's
//! own, made through its C API.
//!
//! Invariants: a native closure belongs to who frees it, and that is: for scope *call* the release
//! step of the call, for *async* the end of its first invocation, for *notified* the destroy notify
//! that C calls, for *forever* nobody. All of it happens with the interpreter lock held.

use std::ffi::{CStr, CString, c_void};

use gijit::plan::{Shared, UserData};
use gijit::signature::Scope;
use pyo3::ffi;

use super::desc::type_desc;
use super::scalar::{BAIL, done};
use super::table::helpers;
use super::wrapped::own_pointer;

mod closure;
mod enter;
mod implement;
mod kind;
mod returned;
pub mod thread;
mod values;

use closure::Closure;
pub use implement::implement;
pub use kind::Kind;
pub use values::{in_object_returned, out_boxed_lent, out_object_called};

type Object = *mut c_void;
type Cell = *mut u64;
type Desc = *const c_void;

/// The cells of a callback that the call passes, and the one that holds the native closure.
const FUNCTION: usize = 0;
const USER_DATA: usize = 1;
const DESTROY: usize = 2;
const CLOSURE: usize = 3;

helpers! {
    "in callback" in_callback(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => callback;
    "drop callback" drop_callback(cell: Cell, desc: Desc) => release_callback;
    "in closure" in_closure(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => closure_in;
    "undo closure" undo_closure(cell: Cell, desc: Desc) => undo;
    "drop closure" drop_closure(cell: Cell, desc: Desc) => release;
}

/// The destroy notify of a callback.
pub enum Destroy {
    None,
    Release,
    /// There is no user data to release: the closure stays for good, and PyGObject warns in these
    /// words.
    Leak(CString),
}

/// What the step of a callback argument reads.
pub struct CallbackDesc {
    pub kind: &'static Kind,
    pub scope: Scope,
    pub data: UserData,
    pub destroy: Destroy,
    pub shared: Shared,
    pub nullable: bool,
}

unsafe fn callback(value: Object, cell: Cell, desc: Desc) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: a valid object, GIL held; callbacks have a CallbackDesc and a group of six cells, of
    // which the tier has filled those that say where the user data stands.
    unsafe {
        let desc = &*desc.cast::<CallbackDesc>();
        if value == ffi::Py_None() {
            if !desc.nullable {
                return BAIL;
            }
            std::slice::from_raw_parts_mut(cell, CLOSURE + 1).fill(0);
            return done(cell, 0);
        }
        let mixed_up = matches!(desc.data, UserData::Ignored(_));
        if ffi::PyCallable_Check(value) == 0 || mixed_up {
            return BAIL;
        }
        let data = match user_data(cell, desc.data) {
            Ok(data) => data,
            Err(()) => return BAIL,
        };
        let Some(closure) = Closure::make(desc.kind, desc.scope, value, data) else {
            ffi::Py_XDECREF(data);
            return BAIL;
        };
        // The other cells of this callback that the call passes may be those of an earlier one.
        let data = cell.sub(usize::from(desc.shared.data));
        data.add(USER_DATA).write(closure as u64);
        let notify = cell.sub(usize::from(desc.shared.destroy));
        notify.add(DESTROY).write(match &desc.destroy {
            Destroy::None => 0,
            Destroy::Release => closure::destroy as *const () as u64,
            Destroy::Leak(warning) => {
                let class = ffi::PyExc_RuntimeWarning;
                if ffi::PyErr_WarnEx(class, warning.as_ptr(), 2) != 0 {
                    // PyGObject gives the same warning again.
                    ffi::PyErr_Clear();
                    Closure::release(closure);
                    return BAIL;
                }
                closure::leave as *const () as u64
            }
        });
        cell.add(CLOSURE).write(closure as u64);
        done(cell.add(FUNCTION), (*closure).code() as u64)
    }
}

/// The user data as a tuple, a new reference; NULL where there is none, for which Python gets None.
unsafe fn user_data(cell: Cell, data: UserData) -> Result<*mut ffi::PyObject, ()> {
    // SAFETY: as for `callback`.
    unsafe {
        let values = *cell.add(usize::from(gijit::plan::DATA_VALUES)) as *mut *mut ffi::PyObject;
        let count = *cell.add(usize::from(gijit::plan::DATA_COUNT)) as isize;
        match data {
            UserData::None | UserData::Ignored(_) => return Ok(std::ptr::null_mut()),
            UserData::Param(_) | UserData::Tuple(_) if count == 0 => {
                return Ok(std::ptr::null_mut());
            }
            // Anything else is an error of PyGObject's when the callback is called.
            UserData::Tuple(_) if ffi::PyTuple_Check(*values) == 0 => return Err(()),
            UserData::Tuple(_) => return Ok(ffi::Py_NewRef(*values)),
            UserData::Param(_) | UserData::Rest => {}
        }
        let tuple = ffi::PyTuple_New(count);
        if tuple.is_null() {
            ffi::PyErr_Clear();
            return Err(());
        }
        for index in 0..count {
            let value = ffi::Py_NewRef(*values.add(index as usize));
            ffi::PyTuple_SET_ITEM(tuple, index, value);
        }
        Ok(tuple)
    }
}

unsafe fn release_callback(cell: Cell, _: Desc) {
    // SAFETY: the cell of a callback that the *in* step has filled, or of one left out.
    unsafe {
        let closure = *cell.add(CLOSURE) as *mut Closure;
        if !closure.is_null() {
            Closure::release(closure);
        }
    }
}

/// Whether `value` is a callable of which PyGObject makes a closure as it is: a template's partial
/// becomes another closure.
unsafe fn is_plain_callable(value: *mut ffi::PyObject) -> bool {
    // SAFETY: a valid object, GIL held; the attribute of these types runs no user code.
    unsafe {
        let name = CStr::from_ptr((*ffi::Py_TYPE(value)).tp_name);
        let template = name == c"functools.partial"
            && ffi::PyObject_HasAttrString(value, c"__gtk_template__".as_ptr()) != 0;
        ffi::PyCallable_Check(value) != 0 && !template
    }
}

unsafe fn closure_in(value: Object, cell: Cell, desc: Desc) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: a valid object, GIL held; closures have a TypeDesc.
    unsafe {
        let desc = type_desc(desc);
        let glib = super::glib();
        if value == ffi::Py_None() {
            return if desc.nullable { done(cell, 0) } else { BAIL };
        }
        let boxed = ffi::PyType_IsSubtype(ffi::Py_TYPE(value), super::api().boxed_type) != 0;
        let closure = if boxed {
            match own_pointer(value, desc, super::api().boxed_type) {
                Some(pointer) if !pointer.is_null() => (glib.g_closure_ref)(pointer),
                _ => return BAIL,
            }
        } else {
            if !is_plain_callable(value) {
                return BAIL;
            }
            let none = std::ptr::null_mut();
            let closure = (super::api().closure_new)(value, none, none);
            (glib.g_closure_ref)(closure);
            (glib.g_closure_sink)(closure);
            closure
        };
        if desc.full {
            (glib.g_closure_ref)(closure);
        }
        done(cell, closure as u64)
    }
}

unsafe fn undo(cell: Cell, desc: Desc) {
    // SAFETY: the cell holds what `closure_in` has made; closures have a TypeDesc.
    unsafe {
        if *cell != 0 && type_desc(desc).full {
            (super::glib().g_closure_unref)(*cell as *mut c_void);
        }
        release(cell, desc);
    }
}

unsafe fn release(cell: Cell, _: Desc) {
    // SAFETY: as for `undo`; the call has its own reference where it was given one.
    unsafe {
        if *cell != 0 {
            (super::glib().g_closure_unref)(*cell as *mut c_void);
        }
    }
}
