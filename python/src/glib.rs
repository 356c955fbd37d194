//! GLib's and GObject's functions and PyGObject's C API, found at run time in the loaded copies.
//!
//! gijit links to none of these libraries: the process has them because PyGObject has.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::sync::OnceLock;

use pyo3::ffi;
use pyo3::prelude::*;

macro_rules! c_functions {
    ($($library:literal { $($name:ident: fn($($arg:ty),*) $(-> $ret:ty)?;)* })*) => {
        /// The C functions, by their own names.
        #[derive(Clone, Copy)]
        pub struct Glib { $($(pub $name: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)*)* }

        impl Glib {
            fn resolve() -> Result<Self, String> {
                $(
                    let library = Library::loaded($library)?;
                    $(
                        let address = library.find(stringify!($name))?;
                        // SAFETY: the symbol is the C function of this name, and the signature in
                        // the table is that of its header.
                        let $name = unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($arg),*) $(-> $ret)?>(address) };
                    )*
                )*
                Ok(Glib { $($($name,)*)* })
            }
        }
    };
}

c_functions! {
    "libglib-2.0.so.0" {
        g_free: fn(*mut c_void);
        g_log: fn(*const c_char, c_uint, *const c_char, *const c_char);
        g_malloc: fn(usize) -> *mut c_void;
        g_malloc0: fn(usize) -> *mut c_void;
        g_slice_alloc0: fn(usize) -> *mut c_void;
        g_slice_free1: fn(usize, *mut c_void);
        g_array_sized_new: fn(c_int, c_int, c_uint, c_uint) -> *mut c_void;
        g_array_set_size: fn(*mut c_void, c_uint) -> *mut c_void;
        g_array_get_element_size: fn(*mut c_void) -> c_uint;
        g_array_unref: fn(*mut c_void);
        g_ptr_array_sized_new: fn(c_uint) -> *mut c_void;
        g_ptr_array_set_size: fn(*mut c_void, c_int);
        g_ptr_array_set_free_func: fn(*mut c_void, *const c_void);
        g_ptr_array_unref: fn(*mut c_void);
        g_byte_array_sized_new: fn(c_uint) -> *mut c_void;
        g_byte_array_set_size: fn(*mut c_void, c_uint) -> *mut c_void;
        g_byte_array_unref: fn(*mut c_void);
        g_list_prepend: fn(*mut c_void, *mut c_void) -> *mut c_void;
        g_list_free: fn(*mut c_void);
        g_slist_prepend: fn(*mut c_void, *mut c_void) -> *mut c_void;
        g_slist_free: fn(*mut c_void);
        g_hash_table_new: fn(*const c_void, *const c_void) -> *mut c_void;
        g_hash_table_insert: fn(*mut c_void, *mut c_void, *mut c_void) -> c_int;
        g_hash_table_unref: fn(*mut c_void);
        g_hash_table_iter_init: fn(*mut GHashTableIter, *mut c_void);
        g_hash_table_iter_next: fn(*mut GHashTableIter, *mut *mut c_void, *mut *mut c_void) -> c_int;
        g_str_hash: fn(*const c_void) -> c_uint;
        g_str_equal: fn(*const c_void, *const c_void) -> c_int;
        g_strdup: fn(*const c_char) -> *mut c_char;
        g_quark_from_string: fn(*const c_char) -> c_uint;
        g_quark_to_string: fn(c_uint) -> *const c_char;
        g_error_new_literal: fn(c_uint, c_int, *const c_char) -> *mut c_void;
        g_error_free: fn(*mut c_void);
        g_unichar_validate: fn(u32) -> c_int;
        g_variant_ref: fn(*mut c_void) -> *mut c_void;
        g_variant_unref: fn(*mut c_void);
        g_variant_ref_sink: fn(*mut c_void) -> *mut c_void;
    }
    "libgobject-2.0.so.0" {
        g_param_spec_ref_sink: fn(*mut c_void) -> *mut c_void;
        g_param_spec_unref: fn(*mut c_void);
        g_type_name: fn(usize) -> *const c_char;
        g_object_ref: fn(*mut c_void) -> *mut c_void;
        g_object_unref: fn(*mut c_void);
        g_object_get_qdata: fn(*mut c_void, c_uint) -> *mut c_void;
        g_object_set_qdata_full: fn(*mut c_void, c_uint, *mut c_void, *const c_void);
        g_object_is_floating: fn(*mut c_void) -> c_int;
        g_object_ref_sink: fn(*mut c_void) -> *mut c_void;
        g_object_force_floating: fn(*mut c_void);
        g_closure_ref: fn(*mut c_void) -> *mut c_void;
        g_closure_sink: fn(*mut c_void);
        g_closure_unref: fn(*mut c_void);
        g_boxed_copy: fn(usize, *const c_void) -> *mut c_void;
        g_boxed_free: fn(usize, *mut c_void);
        g_type_is_a: fn(usize, usize) -> c_int;
        g_type_from_name: fn(*const c_char) -> usize;
        g_value_get_type: fn() -> usize;
        g_error_get_type: fn() -> usize;
        g_value_init: fn(*mut c_void, usize) -> *mut c_void;
        g_value_copy: fn(*const c_void, *mut c_void);
        g_value_unset: fn(*mut c_void);
        g_value_take_boxed: fn(*mut c_void, *mut c_void);
        g_value_set_enum: fn(*mut c_void, c_int);
        g_value_set_flags: fn(*mut c_void, c_uint);
        g_value_set_variant: fn(*mut c_void, *mut c_void);
        g_type_get_qdata: fn(usize, c_uint) -> *mut c_void;
        g_type_test_flags: fn(usize, c_uint) -> c_int;
        g_type_class_peek: fn(usize) -> *mut c_void;
        g_type_class_ref: fn(usize) -> *mut c_void;
        g_type_interface_peek: fn(*mut c_void, usize) -> *mut c_void;
        g_type_fundamental: fn(usize) -> usize;
    }
}

/// `struct _GHashTableIter`, whose fields are GLib's own.
#[repr(C)]
pub struct GHashTableIter {
    private: [usize; 6],
}

impl GHashTableIter {
    /// For `g_hash_table_iter_init`.
    pub const UNSET: Self = GHashTableIter { private: [0; 6] };
}

/// A library that the process has loaded; the reference to it is kept for good.
struct Library {
    name: &'static str,
    handle: *mut c_void,
}

impl Library {
    /// # Errors
    /// A line that names it.
    fn loaded(name: &'static str) -> Result<Self, String> {
        let missing = || format!("{name} is not loaded");
        let file = CString::new(name).map_err(|_| missing())?;
        // SAFETY: a zero-terminated name; RTLD_NOLOAD takes a reference to a loaded library.
        let handle = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
        match handle.is_null() {
            true => Err(missing()),
            false => Ok(Library { name, handle }),
        }
    }

    /// # Errors
    /// A line that names the function.
    fn find(&self, name: &str) -> Result<*mut c_void, String> {
        let missing = || format!("{} lacks {name}", self.name);
        let symbol = CString::new(name).map_err(|_| missing())?;
        // SAFETY: an open handle and a zero-terminated name.
        let address = unsafe { libc::dlsym(self.handle, symbol.as_ptr()) };
        match address.is_null() {
            true => Err(missing()),
            false => Ok(address),
        }
    }
}

/// The function `name` of a library that the process has loaded.
///
/// # Errors
/// What is missing.
pub fn find(library: &'static str, name: &str) -> Result<*mut c_void, String> {
    Library::loaded(library)?.find(name)
}

static GLIB: OnceLock<Result<Glib, String>> = OnceLock::new();

/// The functions.
///
/// # Errors
/// The one that is missing.
pub fn glib() -> Result<&'static Glib, String> {
    GLIB.get_or_init(Glib::resolve)
        .as_ref()
        .map_err(Clone::clone)
}

/// The head of `struct _PyGObject_Functions` (pygobject.h), which PyGObject only ever extends at
/// its end. Fields that are not used are addresses.
#[repr(C)]
pub struct PyGObjectApi {
    register_class: usize,
    register_wrapper: usize,
    pub lookup_class: unsafe extern "C" fn(usize) -> *mut ffi::PyTypeObject,
    newgobj: usize,
    pub closure_new: unsafe extern "C" fn(
        *mut ffi::PyObject,
        *mut ffi::PyObject,
        *mut ffi::PyObject,
    ) -> *mut c_void,
    object_watch_closure: usize,
    destroy_notify: usize,
    pub type_from_object: unsafe extern "C" fn(*mut ffi::PyObject) -> usize,
    pub type_wrapper_new: unsafe extern "C" fn(usize) -> *mut ffi::PyObject,
    enum_get_value: usize,
    flags_get_value: usize,
    register_gtype_custom: usize,
    pub value_from_pyobject: unsafe extern "C" fn(*mut c_void, *mut ffi::PyObject) -> c_int,
    pub value_as_pyobject: unsafe extern "C" fn(*const c_void, c_int) -> *mut ffi::PyObject,
    register_interface: usize,
    pub boxed_type: *mut ffi::PyTypeObject,
    register_boxed: usize,
    boxed_new: usize,
    pub pointer_type: *mut ffi::PyTypeObject,
    register_pointer: usize,
    pointer_new: usize,
    enum_add_constants: usize,
    flags_add_constants: usize,
    constant_strip_prefix: usize,
    pub error_check: unsafe extern "C" fn(*mut *mut c_void) -> c_int,
    set_thread_block_funcs: usize,
    block_threads: usize,
    unblock_threads: usize,
    paramspec_type: usize,
    /// Only where a `GParamSpec` has a wrapper of its own.
    pub paramspec_new: unsafe extern "C" fn(*mut c_void) -> *mut ffi::PyObject,
    paramspec_get: usize,
    pyobj_to_unichar_conv: usize,
    parse_constructor_args: usize,
    param_gvalue_as_pyobject: usize,
    gvalue_from_param_pyobject: usize,
    enum_type: usize,
    enum_add: usize,
    pub enum_from_gtype: unsafe extern "C" fn(usize, c_int) -> *mut ffi::PyObject,
    flags_type: usize,
    flags_add: usize,
    pub flags_from_gtype: unsafe extern "C" fn(usize, c_uint) -> *mut ffi::PyObject,
    threads_enabled: c_int,
    enable_threads: usize,
    gil_state_ensure: usize,
    gil_state_release: usize,
    register_class_init: usize,
    register_interface_info: usize,
    closure_set_exception_handler: usize,
    add_warning_redirection: usize,
    disable_warning_redirections: usize,
    type_register_custom: usize,
    pub gerror_exception_check: unsafe extern "C" fn(*mut *mut c_void) -> c_int,
    option_group_new: usize,
    type_from_object_strict: usize,
    pub newgobj_full: unsafe extern "C" fn(*mut c_void, c_int, *mut c_void) -> *mut ffi::PyObject,
    pub object_type: *mut ffi::PyTypeObject,
}

const CAPSULE: &CStr = c"gobject._PyGObject_API";

/// PyGObject's C API.
///
/// # Errors
/// Python's, when this PyGObject has none.
pub fn pygobject_api(py: Python<'_>) -> PyResult<&'static PyGObjectApi> {
    let capsule = py.import("gi._gobject")?.getattr("_PyGObject_API")?;
    // SAFETY: the capsule's pointer, under the name that PyGObject gives it, is its static table.
    let table = unsafe { ffi::PyCapsule_GetPointer(capsule.as_ptr(), CAPSULE.as_ptr()) };
    if table.is_null() {
        return Err(PyErr::fetch(py));
    }
    // SAFETY: as above; the table lives as long as the process.
    Ok(unsafe { &*table.cast::<PyGObjectApi>() })
}
