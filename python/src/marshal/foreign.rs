//! Foreign structs: those that another Python module wraps, which is pycairo.
//!
//! PyGObject keeps its converters to itself (`gi._gi_cairo` puts them in a table that nothing outside
//! reads), so the same conversions are made here with pycairo's public C API (`py3cairo.h`) and cairo's
//! own functions. The rules are those of `pygi-foreign-cairo.c`. Where PyGObject has no converter,
//! because the module is missing or knows no such struct, there is no [`Foreign`] either.

use std::ffi::{CStr, c_double, c_int, c_void};

use pyo3::ffi;
use pyo3::prelude::*;

use super::scalar::{BAIL, done};
use super::table::helpers;
use crate::glib::find;
use crate::layout::WRAPPED;

type Object = *mut c_void;
type Cell = *mut u64;
type Desc = *const c_void;

const FAILED: Object = std::ptr::null_mut();

helpers! {
    "in foreign" in_foreign(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => inward;
    "out foreign" out_foreign(cell: *const u64, desc: Desc) -> Object, FAILED => outward;
    "free foreign" free_foreign(cell: Cell, desc: Desc) => free;
    "allocate foreign" new_foreign(value: Object, cell: Cell, desc: Desc) -> i32, BAIL => allocate;
    "out allocated foreign" out_new_foreign(cell: *const u64, desc: Desc) -> Object, FAILED => allocated;
}

/// `cairo_matrix_t`.
type Matrix = [c_double; 6];

/// The library that pycairo has loaded.
const CAIRO: &str = "libcairo.so.2";
/// `CAIRO_FORMAT_ARGB32`.
const FORMAT_ARGB32: c_int = 0;

type Wrap = unsafe extern "C" fn(*mut c_void) -> *mut ffi::PyObject;
type WrapPart = unsafe extern "C" fn(*mut c_void, *mut ffi::PyObject) -> *mut ffi::PyObject;
type WrapContext = unsafe extern "C" fn(
    *mut c_void,
    *mut ffi::PyTypeObject,
    *mut ffi::PyObject,
) -> *mut ffi::PyObject;

/// The head of `Pycairo_CAPI_t` (py3cairo.h), which is only ever extended at its end. Fields that are
/// not used are addresses.
#[repr(C)]
struct Api {
    context_type: *mut ffi::PyTypeObject,
    context_from_context: WrapContext,
    font_faces: [usize; 3],
    font_options_type: *mut ffi::PyTypeObject,
    font_options_from_font_options: Wrap,
    matrix_type: *mut ffi::PyTypeObject,
    matrix_from_matrix: Wrap,
    path_type: *mut ffi::PyTypeObject,
    path_from_path: Wrap,
    pattern_type: *mut ffi::PyTypeObject,
    patterns: [usize; 5],
    pattern_from_pattern: WrapPart,
    scaled_fonts: [usize; 2],
    surface_type: *mut ffi::PyTypeObject,
    surfaces: [usize; 8],
    surface_from_surface: WrapPart,
    check_status: usize,
    rectangles: [usize; 2],
    region_type: *mut ffi::PyTypeObject,
    region_from_region: Wrap,
}

/// How pycairo makes a wrapper, which takes over the reference or copy that it is given.
#[derive(Clone, Copy)]
enum Wrapper {
    Plain(Wrap),
    /// Of something that may be part of another object.
    Part(WrapPart),
    Context(WrapContext),
}

/// How a reference or a copy is had.
type Share = unsafe extern "C" fn(*mut c_void) -> *mut c_void;

/// The conversions of one foreign struct.
#[derive(Clone, Copy)]
pub struct Foreign {
    class: *mut ffi::PyTypeObject,
    wrapper: Wrapper,
    /// The struct stands in the wrapper itself.
    pub embedded: bool,
    /// For a callee that becomes the owner.
    given: Option<Share>,
    /// Of what the callee keeps. `Err` is what is raised instead.
    lent: Result<Option<Share>, &'static CStr>,
    /// Of what the callee gives, as [`Foreign::lent`].
    owned: Result<(), &'static CStr>,
    free: Option<unsafe extern "C" fn(*mut c_void)>,
}

/// What the steps of a foreign struct read.
pub struct ForeignDesc {
    pub foreign: Foreign,
    pub nullable: bool,
    /// `Transfer::Full`.
    pub full: bool,
}

impl Foreign {
    /// The conversions of `cairo.name`, where PyGObject has them.
    pub fn cairo(py: Python<'_>, name: &str) -> Option<Self> {
        py.import("gi._gi_cairo").ok()?;
        let cairo = py.import("cairo").ok()?;
        // SAFETY: the GIL is held; the capsule's pointer, under pycairo's name for it, is its table,
        // which lives as long as the process.
        let api = unsafe {
            let table = ffi::PyCapsule_Import(c"cairo.CAPI".as_ptr(), 0).cast::<Api>();
            if table.is_null() {
                ffi::PyErr_Clear();
            }
            table.as_ref()?
        };
        let foreign = Self::of(api, name)?;
        let class = cairo.getattr(name).ok()?;
        // The table is what the header says.
        (class.as_ptr() == foreign.class.cast()).then_some(foreign)
    }

    fn of(api: &Api, name: &str) -> Option<Self> {
        let address = |name| find(CAIRO, name).ok();
        // SAFETY: cairo's functions of the names below take one pointer and return one.
        let share =
            |name| unsafe { Some(std::mem::transmute::<*mut c_void, Share>(address(name)?)) };
        // SAFETY: cairo's functions of the names below take one pointer and return nothing.
        let free = |name| unsafe {
            let free = address(name)?;
            Some(std::mem::transmute::<
                *mut c_void,
                unsafe extern "C" fn(*mut c_void),
            >(free))
        };
        let counted = |class, wrapper, given, lent, drop| {
            Some(Foreign {
                class,
                wrapper,
                embedded: false,
                given: Some(share(given)?),
                lent: Ok(Some(share(lent)?)),
                owned: Ok(()),
                free: Some(free(drop)?),
            })
        };
        match name {
            "Context" => {
                let wrapper = Wrapper::Context(api.context_from_context);
                let reference = "cairo_reference";
                let class = api.context_type;
                counted(class, wrapper, reference, reference, "cairo_destroy")
            }
            "Surface" => {
                let wrapper = Wrapper::Part(api.surface_from_surface);
                let reference = "cairo_surface_reference";
                let class = api.surface_type;
                counted(
                    class,
                    wrapper,
                    reference,
                    reference,
                    "cairo_surface_destroy",
                )
            }
            "Pattern" => {
                let wrapper = Wrapper::Part(api.pattern_from_pattern);
                let reference = "cairo_pattern_reference";
                let class = api.pattern_type;
                counted(
                    class,
                    wrapper,
                    reference,
                    reference,
                    "cairo_pattern_destroy",
                )
            }
            "FontOptions" => {
                let wrapper = Wrapper::Plain(api.font_options_from_font_options);
                let copy = "cairo_font_options_copy";
                let class = api.font_options_type;
                counted(class, wrapper, copy, copy, "cairo_font_options_destroy")
            }
            "Region" => {
                let wrapper = Wrapper::Plain(api.region_from_region);
                let (copy, reference) = ("cairo_region_copy", "cairo_region_reference");
                let class = api.region_type;
                counted(class, wrapper, copy, reference, "cairo_region_destroy")
            }
            "Path" => Some(Foreign {
                class: api.path_type,
                wrapper: Wrapper::Plain(api.path_from_path),
                embedded: false,
                given: Some(copy_path),
                lent: Err(c"Unsupported annotation (transfer none) for cairo.Path return"),
                owned: Ok(()),
                free: Some(free("cairo_path_destroy")?),
            }),
            "Matrix" => Some(Foreign {
                class: api.matrix_type,
                wrapper: Wrapper::Plain(api.matrix_from_matrix),
                embedded: true,
                given: None,
                lent: Ok(None),
                owned: Err(c"Unsupported annotation (transfer full) for cairo.Matrix"),
                free: None,
            }),
            _ => None,
        }
    }

    /// A wrapper of a struct that is ours.
    ///
    /// # Safety
    /// `pointer` is such a struct, GIL held.
    unsafe fn wrap(&self, pointer: *mut c_void) -> Object {
        let none = std::ptr::null_mut();
        // SAFETY: by this function's contract; NULL says that it is no part of another object.
        let object = unsafe {
            match self.wrapper {
                Wrapper::Plain(wrap) => wrap(pointer),
                Wrapper::Part(wrap) => wrap(pointer, none),
                Wrapper::Context(wrap) => wrap(pointer, self.class, none),
            }
        };
        object.cast()
    }
}

/// A copy of a `cairo_path_t`. Cairo has no function for that but to take it from a drawing.
unsafe extern "C" fn copy_path(path: *mut c_void) -> *mut c_void {
    type Unary = unsafe extern "C" fn(*mut c_void) -> *mut c_void;
    type Binary = unsafe extern "C" fn(*mut c_void, *mut c_void);
    type NewSurface = unsafe extern "C" fn(c_int, c_int, c_int) -> *mut c_void;
    let address = |name| find(CAIRO, name).expect("cairo has it since 1.0");
    // SAFETY: cairo's functions, by the signatures of cairo.h; what is made here is dropped here.
    unsafe {
        let unary = |name| std::mem::transmute::<*mut c_void, Unary>(address(name));
        let new_surface = address("cairo_image_surface_create");
        let new_surface = std::mem::transmute::<*mut c_void, NewSurface>(new_surface);
        let append = std::mem::transmute::<*mut c_void, Binary>(address("cairo_append_path"));
        let surface = new_surface(FORMAT_ARGB32, 0, 0);
        let context = unary("cairo_create")(surface);
        append(context, path);
        let copy = unary("cairo_copy_path")(context);
        unary("cairo_destroy")(context);
        unary("cairo_surface_destroy")(surface);
        copy
    }
}

/// # Safety
/// `desc` is the step's of a foreign struct.
unsafe fn foreign_desc<'a>(desc: Desc) -> &'a ForeignDesc {
    // SAFETY: by this function's contract; descriptors are never freed.
    unsafe { &*desc.cast::<ForeignDesc>() }
}

unsafe fn inward(value: Object, cell: Cell, desc: Desc) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: a valid object, GIL held; foreign structs have a ForeignDesc. All of pycairo's wrappers
    // begin with the pointer or the struct (py3cairo.h).
    unsafe {
        let ForeignDesc {
            foreign,
            nullable,
            full,
        } = foreign_desc(desc);
        if value == ffi::Py_None() {
            return if *nullable { done(cell, 0) } else { BAIL };
        }
        if ffi::PyType_IsSubtype(ffi::Py_TYPE(value), foreign.class) == 0 {
            return BAIL;
        }
        let field = value.cast::<u8>().add(WRAPPED as usize);
        if foreign.embedded {
            return done(cell, field as u64);
        }
        let pointer = field.cast::<*mut c_void>().read();
        match foreign.given {
            _ if pointer.is_null() => BAIL,
            Some(share) if *full => done(cell, share(pointer) as u64),
            _ => done(cell, pointer as u64),
        }
    }
}

unsafe fn outward(cell: *const u64, desc: Desc) -> Object {
    // SAFETY: NULL or a foreign struct in the cell, owned when the step says so; GIL held.
    unsafe {
        let ForeignDesc { foreign, full, .. } = foreign_desc(desc);
        let pointer = *cell as *mut c_void;
        if pointer.is_null() {
            return ffi::Py_NewRef(ffi::Py_None()).cast();
        }
        let own = match full {
            true => foreign.owned.map(|()| pointer),
            false => foreign
                .lent
                .map(|share| share.map_or(pointer, |share| share(pointer))),
        };
        match own {
            Ok(own) => foreign.wrap(own),
            Err(text) => {
                ffi::PyErr_SetString(ffi::PyExc_TypeError, text.as_ptr());
                FAILED
            }
        }
    }
}

unsafe fn free(cell: Cell, desc: Desc) {
    // SAFETY: the cell owns a foreign struct or is NULL.
    unsafe {
        match foreign_desc(desc).foreign.free {
            Some(free) if *cell != 0 => free(*cell as *mut c_void),
            _ => {}
        }
    }
}

unsafe fn allocate(_: Object, cell: Cell, _: Desc) -> i32 {
    // SAFETY: a frame's cell. What is allocated is a matrix (`Linker::check_allocated`).
    unsafe { done(cell, (super::glib().g_malloc0)(size_of::<Matrix>()) as u64) }
}

unsafe fn allocated(cell: *const u64, desc: Desc) -> Object {
    // SAFETY: the cell holds what `allocate` made and the callee has filled; GIL held.
    unsafe {
        let object = outward(cell, desc);
        (super::glib().g_free)(*cell as *mut c_void);
        object
    }
}
