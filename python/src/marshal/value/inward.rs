//! Phase *in* of values.

use pyo3::ffi;

use super::{Cell, Desc, GValue, OWN, Object, POINTER, fundamental, unset_at, value_desc};
use crate::marshal::gerror::read_error;
use crate::marshal::scalar::{BAIL, CONVERTED, read_float, read_long, utf8_of};
use crate::marshal::types::class_gtype;
use crate::marshal::wrapped::{wrapped, wrapped_gtype};
use crate::marshal::{api, glib, shared};

/// `G_VALUE_NOCOPY_CONTENTS` (gvalue.h), in the second field of the data: the string is not the
/// value's to free.
const STATIC_CONTENTS: u64 = 1 << 27;

pub(super) unsafe fn value(object: Object, cells: Cell, desc: Desc) -> i32 {
    let object = object.cast::<ffi::PyObject>();
    // SAFETY: value steps have a ValueDesc and four cells; a valid object, or NULL for a value that
    // the callee fills; GIL held.
    unsafe {
        let desc = value_desc(desc);
        std::slice::from_raw_parts_mut(cells, 4).fill(0);
        let own = cells.add(OWN).cast::<GValue>();
        if object.is_null() {
            cells.add(POINTER).write(own as u64);
            return CONVERTED;
        }
        if object == ffi::Py_None() {
            return if desc.nullable { CONVERTED } else { BAIL };
        }
        if let Some(wrapper) = wrapped_value(object)
            && !desc.given
        {
            if desc.typed && (wrapper.is_null() || (*wrapper).gtype == 0) {
                return BAIL;
            }
            cells.add(POINTER).write(wrapper as u64);
            return CONVERTED;
        }
        if !fill(object, own, desc.given) {
            return BAIL;
        }
        let mut place = own;
        if desc.apart {
            place = (glib().g_malloc0)(size_of::<GValue>()).cast();
            place.write(own.replace(GValue {
                gtype: 0,
                data: [0; 2],
            }));
            cells.add(OWN).write(place as u64);
        }
        cells.add(POINTER).write(place as u64);
        CONVERTED
    }
}

/// The value in a `GObject.Value`; `None` for another object.
unsafe fn wrapped_value(object: *mut ffi::PyObject) -> Option<*mut GValue> {
    // SAFETY: a valid object, GIL held; an instance of the boxed type has its layout.
    unsafe {
        let ty = ffi::Py_TYPE(object);
        let boxed = ffi::PyType_IsSubtype(ty, api().boxed_type) != 0;
        let value = boxed && wrapped_gtype(object) == shared().value;
        (value && class_gtype(ty) == Some(shared().value)).then(|| wrapped(object).cast())
    }
}

/// Makes a value of `object`. `deep`: it owns all that it holds.
///
/// # Safety
/// A valid object, GIL held; `own` is zero.
unsafe fn fill(object: *mut ffi::PyObject, own: *mut GValue, deep: bool) -> bool {
    // SAFETY: by this function's contract; the types that are compared are static.
    unsafe {
        let ty = ffi::Py_TYPE(object);
        let set = |gtype, first, second| {
            own.write(GValue {
                gtype,
                data: [first, second],
            });
            true
        };
        if ty == &raw mut ffi::PyLong_Type {
            return match read_long(object).map(i32::try_from) {
                Some(Ok(int)) => set(fundamental::INT, u64::from(int as u32), 0),
                _ => false,
            };
        }
        if ty == &raw mut ffi::PyBool_Type {
            let truth = u64::from(object == ffi::Py_True());
            return set(fundamental::BOOLEAN, truth, 0);
        }
        if ty == &raw mut ffi::PyFloat_Type {
            return match read_float(object) {
                Some(float) => set(fundamental::DOUBLE, float.to_bits(), 0),
                None => false,
            };
        }
        if ty == &raw mut ffi::PyUnicode_Type {
            let text = utf8_of(object, &mut 0);
            return match (text.is_null(), deep) {
                (true, _) => false,
                (false, false) => set(fundamental::STRING, text as u64, STATIC_CONTENTS),
                (false, true) => {
                    let copy = (glib().g_strdup)(text);
                    set(fundamental::STRING, copy as u64, 0)
                }
            };
        }
        fill_typed(object, own)
    }
}

/// Makes a value of an object that has a `GType`, or that is held as a Python object.
///
/// # Safety
/// As [`fill`].
unsafe fn fill_typed(object: *mut ffi::PyObject, own: *mut GValue) -> bool {
    let glib = glib();
    // SAFETY: as in `fill`; each conversion is made for an object that has what it reads.
    unsafe {
        if let Some(source) = wrapped_value(object) {
            if source.is_null() || (*source).gtype == 0 {
                return false;
            }
            (glib.g_value_init)(own.cast(), (*source).gtype);
            (glib.g_value_copy)(source.cast(), own.cast());
            return true;
        }
        let ty = ffi::Py_TYPE(object);
        let Some(gtype) = class_gtype(ty) else {
            return false;
        };
        let is = |base| ffi::PyType_IsSubtype(ty, base) != 0;
        let int = || match ffi::PyLong_Check(object) {
            0 => None,
            _ => read_long(object),
        };
        match (glib.g_type_fundamental)(gtype) {
            fundamental::ENUM => {
                let Some(Ok(value)) = int().map(i32::try_from) else {
                    return false;
                };
                (glib.g_value_init)(own.cast(), gtype);
                (glib.g_value_set_enum)(own.cast(), value);
                true
            }
            fundamental::FLAGS => {
                let Some(Ok(value)) = int().map(u32::try_from) else {
                    return false;
                };
                (glib.g_value_init)(own.cast(), gtype);
                (glib.g_value_set_flags)(own.cast(), value);
                true
            }
            fundamental::VARIANT => {
                if !is(api().pointer_type) || wrapped_gtype(object) != gtype {
                    return false;
                }
                (glib.g_value_init)(own.cast(), gtype);
                (glib.g_value_set_variant)(own.cast(), wrapped(object));
                true
            }
            fundamental::OBJECT | fundamental::INTERFACE if is(api().object_type) => {
                fill_by_pygobject(object, own, gtype)
            }
            fundamental::BOXED if gtype == shared().python_object => {
                fill_by_pygobject(object, own, gtype)
            }
            fundamental::BOXED if is(api().boxed_type) && wrapped_gtype(object) == gtype => {
                fill_by_pygobject(object, own, gtype)
            }
            fundamental::BOXED if gtype == (glib.g_error_get_type)() => {
                let Some(error) = read_error(object) else {
                    return false;
                };
                (glib.g_value_init)(own.cast(), gtype);
                (glib.g_value_take_boxed)(own.cast(), error);
                true
            }
            fundamental::POINTER if is(api().pointer_type) && wrapped_gtype(object) == gtype => {
                fill_by_pygobject(object, own, gtype)
            }
            own_kind if own_kind >= fundamental::PARAM => {
                shared().fundamental.is_some_and(is) && fill_by_pygobject(object, own, gtype)
            }
            _ => false,
        }
    }
}

/// Makes a value of type `gtype` as PyGObject does.
///
/// # Safety
/// As [`fill`]; values can have this type, and the conversion runs no user code.
unsafe fn fill_by_pygobject(object: *mut ffi::PyObject, own: *mut GValue, gtype: usize) -> bool {
    // SAFETY: by this function's contract. A conversion that fails may have emptied the value.
    unsafe {
        (glib().g_value_init)(own.cast(), gtype);
        if (api().value_from_pyobject)(own.cast(), object) >= 0 {
            return true;
        }
        unset_at(own);
        own.write(GValue {
            gtype: 0,
            data: [0; 2],
        });
        false
    }
}

/// Frees what [`value`] made.
pub(super) unsafe fn drop(cells: Cell, desc: Desc) {
    // SAFETY: the cells are as `value` left them, but for what the callee may write.
    unsafe {
        let own = cells.add(OWN);
        if !value_desc(desc).apart {
            unset_at(own.cast());
            return;
        }
        let place = *own as *mut GValue;
        unset_at(place);
        (glib().g_free)(place.cast());
    }
}
