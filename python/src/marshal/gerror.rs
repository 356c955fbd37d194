//! `GError` arguments and results, and the one that a call raises.
//!
//! The rules are those of `pygi-error.c`. An error is made of the attributes that PyGObject's own
//! `__init__` sets, read from the instance where nothing can stand before them. The exception that a
//! call raises gets them without that function, which takes half of the time, as long as it is the
//! one that PyGObject wrote.

use std::ffi::{c_char, c_void};
use std::ptr::null_mut;

use pyo3::ffi;
use pyo3::prelude::*;

use super::scalar::{BAIL, CONVERTED, read_long, utf8_of};
use super::table::helpers;
use super::types::{has_plain_attributes, lookup, plain_attribute};
use super::{glib, shared};

type Object = *mut c_void;
type Cell = *mut u64;
type Desc = *const c_void;

helpers! {
    "in error" in_error(value: Object, cells: Cell, desc: Desc) -> i32, BAIL => error;
    /// Frees an error that is not given after all.
    "undo error" undo_error(cells: Cell, desc: Desc) => free;
    "drop error" drop_error(cells: Cell, desc: Desc) => drop;
    "out error" out_error(cells: *const u64, desc: Desc) -> Object, null_mut() => object;
    "free error" free_error(cells: Cell, desc: Desc) => free;
    "raise" raise_error(cell: *mut u64) => raise;
}

/// `struct _GError` (gerror.h).
#[repr(C)]
struct GError {
    domain: u32,
    code: i32,
    message: *const c_char,
}

/// The cell of the pointer, and of the same pointer when the error stays ours.
const POINTER: usize = 0;
const KEPT: usize = 1;

/// What the *in* step of an error reads.
pub struct ErrorDesc {
    /// None is NULL.
    pub nullable: bool,
    /// The callee becomes the owner.
    pub given: bool,
}

unsafe fn error(value: Object, cells: Cell, desc: Desc) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: a valid object, GIL held; the step has an ErrorDesc and two cells.
    unsafe {
        let desc = &*desc.cast::<ErrorDesc>();
        cells.add(POINTER).write(0);
        cells.add(KEPT).write(0);
        if value == ffi::Py_None() {
            return if desc.nullable { CONVERTED } else { BAIL };
        }
        let Some(error) = read_error(value) else {
            return BAIL;
        };
        cells.add(POINTER).write(error as u64);
        if !desc.given {
            cells.add(KEPT).write(error as u64);
        }
        CONVERTED
    }
}

/// A new `GError` with what a `GLib.Error` says.
///
/// # Safety
/// A valid object, GIL held.
pub unsafe fn read_error(value: *mut ffi::PyObject) -> Option<*mut c_void> {
    let shared = shared();
    // SAFETY: by this function's contract; attributes are borrowed from `value`, which stays.
    unsafe {
        let class = shared.error_class?;
        let ty = ffi::Py_TYPE(value);
        if ffi::PyType_IsSubtype(ty, class) == 0 || !has_plain_attributes(ty) {
            return None;
        }
        let [message, domain, code] = shared.error_fields;
        let text = |name| {
            let text = plain_attribute(value, name)?;
            let text = (ffi::PyUnicode_Check(text) != 0).then(|| utf8_of(text, &mut 0))?;
            (!text.is_null()).then_some(text)
        };
        let (message, domain) = (text(message)?, text(domain)?);
        let code = plain_attribute(value, code)?;
        if ffi::PyLong_Check(code) == 0 {
            return None;
        }
        let code = i32::try_from(read_long(code)?).ok()?;
        let domain = (glib().g_quark_from_string)(domain);
        Some((glib().g_error_new_literal)(domain, code, message))
    }
}

unsafe fn free(cells: Cell, _: Desc) {
    // SAFETY: the cell owns an error or is NULL.
    unsafe {
        let error = *cells.add(POINTER) as *mut c_void;
        if !error.is_null() {
            (glib().g_error_free)(error);
        }
    }
}

unsafe fn drop(cells: Cell, desc: Desc) {
    // SAFETY: the cells are as `error` left them, but for what the callee may write.
    unsafe { free(cells.add(KEPT), desc) }
}

unsafe fn object(cells: *const u64, _: Desc) -> Object {
    // SAFETY: NULL or a GError in the cell, GIL held.
    unsafe {
        let error = *cells as *const GError;
        let (Some(error), Some(class)) = (error.as_ref(), shared().error_class) else {
            return ffi::Py_NewRef(ffi::Py_None()).cast();
        };
        match ErrorValues::of(error) {
            Some(values) => values.instance(class).cast(),
            None => null_mut(),
        }
    }
}

/// Sets the error of a call as exception, and frees it.
unsafe fn raise(cell: *mut u64) {
    // SAFETY: the cell holds a GError that the native function has set and we own; GIL held.
    unsafe {
        let error = *cell as *mut GError;
        // Another class's function is called once, and by PyGObject.
        let plain = shared().error_class.filter(|class| has_plain_init(*class));
        let instance = plain.and_then(|class| {
            let instance = ErrorValues::of(&*error)?.instance(class);
            (!instance.is_null()).then_some((class, instance))
        });
        match instance {
            Some((class, instance)) => {
                ffi::PyErr_SetObject(class.cast(), instance);
                ffi::Py_DECREF(instance);
                (glib().g_error_free)(error.cast());
                *cell = 0;
            }
            None => {
                ffi::PyErr_Clear();
                (super::api().error_check)(cell.cast());
            }
        }
    }
}

/// What a `GLib.Error` is made of: references, in the order of `__init__`.
struct ErrorValues([*mut ffi::PyObject; 3]);

impl ErrorValues {
    /// `None` with an exception set, for instance where a text is no UTF-8.
    ///
    /// # Safety
    /// GIL held.
    unsafe fn of(error: &GError) -> Option<Self> {
        // SAFETY: a GError has zero-terminated texts or none; GIL held.
        unsafe {
            let text = |text: *const c_char| match text.is_null() {
                true => ffi::Py_NewRef(ffi::Py_None()),
                false => ffi::PyUnicode_FromString(text),
            };
            let domain = match error.domain {
                0 => null_mut(),
                quark => (glib().g_quark_to_string)(quark).cast_mut(),
            };
            let values = ErrorValues([
                text(error.message),
                text(domain),
                ffi::PyLong_FromLong(i64::from(error.code)),
            ]);
            let whole = values.0.iter().all(|value| !value.is_null());
            whole.then_some(values)
        }
    }

    /// What calling `class` gives.
    ///
    /// # Safety
    /// The class of errors, GIL held.
    unsafe fn instance(&self, class: *mut ffi::PyTypeObject) -> *mut ffi::PyObject {
        let args = &self.0;
        // SAFETY: by this function's contract.
        unsafe {
            match has_plain_init(class) {
                true => self.plain_instance(class),
                false => {
                    ffi::PyObject_Vectorcall(class.cast(), args.as_ptr(), args.len(), null_mut())
                }
            }
        }
    }

    /// The same, without a call of the class's `__init__`.
    ///
    /// # Safety
    /// A class of which [`has_plain_init`] is true, GIL held.
    unsafe fn plain_instance(&self, class: *mut ffi::PyTypeObject) -> *mut ffi::PyObject {
        // SAFETY: by this function's contract; `tp_new` is that of exceptions, which keeps the
        // arguments and needs no `tp_init` after it.
        unsafe {
            let (Some(new), args) = ((*class).tp_new, ffi::PyTuple_Pack(1, self.0[0])) else {
                return null_mut();
            };
            let dict = ffi::PyDict_New();
            let mut instance = null_mut();
            if !args.is_null() && !dict.is_null() {
                let fields = shared().error_fields.iter().zip(&self.0);
                let filled = fields.fold(0, |done, (name, value)| {
                    done | ffi::PyDict_SetItem(dict, *name, *value)
                });
                if filled == 0 {
                    instance = new(class, args, null_mut());
                }
                if !instance.is_null()
                    && ffi::PyObject_GenericSetDict(instance, dict, null_mut()) != 0
                {
                    ffi::Py_CLEAR(&mut instance);
                }
            }
            ffi::Py_XDECREF(args);
            ffi::Py_XDECREF(dict);
            instance
        }
    }
}

impl Drop for ErrorValues {
    fn drop(&mut self) {
        for value in self.0 {
            // SAFETY: references that are owned here, or NULL; GIL held as when they were made.
            unsafe { ffi::Py_XDECREF(value) };
        }
    }
}

/// The `__init__` of PyGObject's class of errors, and its code.
pub(super) struct Init {
    function: *mut ffi::PyObject,
    code: *mut ffi::PyObject,
}

impl Init {
    /// That of `class`, if it is PyGObject's and does what [`ErrorValues::plain_instance`] does.
    pub(super) fn of(class: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        let py = class.py();
        let function = class.getattr("__dict__")?.get_item("__init__")?;
        let code = function.getattr("__code__")?;
        let file = py.import("gi._error")?.getattr("__file__")?;
        if !code.getattr("co_filename")?.eq(file)? {
            return Ok(None);
        }
        let probe = class.call1(("message", "domain", 5))?;
        let args: (String,) = probe.getattr("args")?.extract()?;
        let attributes = probe.getattr("__dict__")?.call_method0("items")?;
        let attributes: Vec<(String, Py<PyAny>)> = attributes
            .try_iter()?
            .map(|item| item?.extract())
            .collect::<PyResult<_>>()?;
        let names: Vec<&str> = attributes.iter().map(|(name, _)| name.as_str()).collect();
        let plain = args.0 == "message" && names == ["message", "domain", "code"];
        Ok(plain.then(|| Init {
            function: function.into_ptr(),
            code: code.into_ptr(),
        }))
    }
}

/// Whether instances of the class of errors come about as PyGObject wrote it: no program has put
/// anything in the way.
///
/// # Safety
/// The class of errors, GIL held.
unsafe fn has_plain_init(class: *mut ffi::PyTypeObject) -> bool {
    let shared = shared();
    let Some(init) = &shared.error_init else {
        return false;
    };
    // SAFETY: a ready type, and a function that is held for good.
    unsafe {
        let exceptions = &*ffi::PyExc_RuntimeError.cast::<ffi::PyTypeObject>();
        let new = |ty: &ffi::PyTypeObject| ty.tp_new.map(|new| new as usize);
        let setattro = (*class).tp_setattro.map_or(0, |set| set as usize);
        lookup(class, shared.init_name) == init.function
            && ffi::PyFunction_GetCode(init.function) == init.code
            && new(&*class) == new(exceptions)
            && setattro == ffi::PyObject_GenericSetAttr as *const () as usize
            && shared
                .error_fields
                .iter()
                .all(|name| lookup(class, *name).is_null())
    }
}
