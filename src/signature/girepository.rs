//! libgirepository, resolved at run time.
//!
//! PyGObject up to 3.50 brings libgirepository-1.0 (`g_function_info_*`), later versions bring
//! girepository-2.0 (`gi_function_info_*`). The copy that is already loaded is used, since infos of
//! one library mean nothing to the other. One table names each function in both; where the two
//! differ in more than the name, a method of [`Girepository`] hides it.
//!
//! Absent: ownership. Infos are raw pointers; who takes a reference says so.

mod containers;
mod differing;
pub mod library;
mod members;

use std::ffi::{CStr, c_char, c_int, c_void};

use super::Name;
use differing::Differing;
use library::{Library, functions};
pub use members::Member;
use members::Members;

/// `GIFunctionInfoFlags`.
pub const IS_METHOD: c_int = 1;
pub const IS_CONSTRUCTOR: c_int = 2;

/// A `GIBaseInfo*` or one of its subtypes.
pub type Info = *mut c_void;

/// Which kind of info a pointer is; the kinds that gijit tells apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InfoKind {
    Function,
    VFunc,
    Callback,
    Struct,
    Union,
    Enum,
    Flags,
    Object,
    Interface,
    Field,
    Unresolved,
    Other,
}

functions! {
    /// The functions of libgirepository that read infos.
    Functions {
        base_ref: "g_base_info_ref" / "gi_base_info_ref" fn(Info) -> Info;
        base_unref: "g_base_info_unref" / "gi_base_info_unref" fn(Info);
        base_name: "g_base_info_get_name" / "gi_base_info_get_name" fn(Info) -> *const c_char;
        base_namespace: "g_base_info_get_namespace" / "gi_base_info_get_namespace" fn(Info) -> *const c_char;
        base_container: "g_base_info_get_container" / "gi_base_info_get_container" fn(Info) -> Info;
        base_deprecated: "g_base_info_is_deprecated" / "gi_base_info_is_deprecated" fn(Info) -> c_int;
        base_typelib: "g_base_info_get_typelib" / "gi_base_info_get_typelib" fn(Info) -> *mut c_void;
        typelib_symbol: "g_typelib_symbol" / "gi_typelib_symbol" fn(*mut c_void, *const c_char, *mut *mut c_void) -> c_int;
        function_symbol: "g_function_info_get_symbol" / "gi_function_info_get_symbol" fn(Info) -> *const c_char;
        function_flags: "g_function_info_get_flags" / "gi_function_info_get_flags" fn(Info) -> c_int;
        callable_n_args: "g_callable_info_get_n_args" / "gi_callable_info_get_n_args" fn(Info) -> c_int;
        callable_arg: "g_callable_info_get_arg" / "gi_callable_info_get_arg" fn(Info, c_int) -> Info;
        callable_return: "g_callable_info_get_return_type" / "gi_callable_info_get_return_type" fn(Info) -> Info;
        callable_owns: "g_callable_info_get_caller_owns" / "gi_callable_info_get_caller_owns" fn(Info) -> c_int;
        callable_null: "g_callable_info_may_return_null" / "gi_callable_info_may_return_null" fn(Info) -> c_int;
        callable_skip: "g_callable_info_skip_return" / "gi_callable_info_skip_return" fn(Info) -> c_int;
        callable_throws: "g_callable_info_can_throw_gerror" / "gi_callable_info_can_throw_gerror" fn(Info) -> c_int;
        callable_instance_transfer: "g_callable_info_get_instance_ownership_transfer" / "gi_callable_info_get_instance_ownership_transfer" fn(Info) -> c_int;
        arg_direction: "g_arg_info_get_direction" / "gi_arg_info_get_direction" fn(Info) -> c_int;
        arg_transfer: "g_arg_info_get_ownership_transfer" / "gi_arg_info_get_ownership_transfer" fn(Info) -> c_int;
        arg_caller_allocates: "g_arg_info_is_caller_allocates" / "gi_arg_info_is_caller_allocates" fn(Info) -> c_int;
        arg_optional: "g_arg_info_is_optional" / "gi_arg_info_is_optional" fn(Info) -> c_int;
        arg_null: "g_arg_info_may_be_null" / "gi_arg_info_may_be_null" fn(Info) -> c_int;
        arg_type: "g_arg_info_get_type" / "gi_arg_info_get_type_info" fn(Info) -> Info;
        type_tag: "g_type_info_get_tag" / "gi_type_info_get_tag" fn(Info) -> c_int;
        type_is_pointer: "g_type_info_is_pointer" / "gi_type_info_is_pointer" fn(Info) -> c_int;
        type_interface: "g_type_info_get_interface" / "gi_type_info_get_interface" fn(Info) -> Info;
        type_array_type: "g_type_info_get_array_type" / "gi_type_info_get_array_type" fn(Info) -> c_int;
        type_zero_terminated: "g_type_info_is_zero_terminated" / "gi_type_info_is_zero_terminated" fn(Info) -> c_int;
        type_parameter: "g_type_info_get_param_type" / "gi_type_info_get_param_type" fn(Info, c_int) -> Info;
        arg_scope: "g_arg_info_get_scope" / "gi_arg_info_get_scope" fn(Info) -> c_int;
        registered_gtype: "g_registered_type_info_get_g_type" / "gi_registered_type_info_get_g_type" fn(Info) -> usize;
        enum_storage: "g_enum_info_get_storage_type" / "gi_enum_info_get_storage_type" fn(Info) -> c_int;
        struct_is_class: "g_struct_info_is_gtype_struct" / "gi_struct_info_is_gtype_struct" fn(Info) -> c_int;
        struct_is_foreign: "g_struct_info_is_foreign" / "gi_struct_info_is_foreign" fn(Info) -> c_int;
        struct_size: "g_struct_info_get_size" / "gi_struct_info_get_size" fn(Info) -> usize;
        union_size: "g_union_info_get_size" / "gi_union_info_get_size" fn(Info) -> usize;
        enum_n_values: "g_enum_info_get_n_values" / "gi_enum_info_get_n_values" fn(Info) -> c_int;
        enum_value: "g_enum_info_get_value" / "gi_enum_info_get_value" fn(Info, c_int) -> Info;
        field_flags: "g_field_info_get_flags" / "gi_field_info_get_flags" fn(Info) -> c_int;
        field_offset: "g_field_info_get_offset" / "gi_field_info_get_offset" fn(Info) -> c_int;
        field_bits: "g_field_info_get_size" / "gi_field_info_get_size" fn(Info) -> c_int;
        field_type: "g_field_info_get_type" / "gi_field_info_get_type_info" fn(Info) -> Info;
        value_value: "g_value_info_get_value" / "gi_value_info_get_value" fn(Info) -> i64;
    }
}

/// What infos are read with.
pub struct Girepository {
    pub(super) library: Library,
    functions: Functions,
    differing: Differing,
    members: Members,
}

impl Girepository {
    /// That of the library that the process has loaded.
    ///
    /// # Errors
    /// When neither version is loaded, or a function is missing.
    pub fn loaded() -> Result<Self, String> {
        let library = Library::loaded()?;
        Ok(Girepository {
            functions: Functions::resolve(&library)?,
            differing: Differing::resolve(&library)?,
            members: Members::resolve(&library)?,
            library,
        })
    }
}

/// What infos say. All take infos of the kind that the C function of that name takes.
///
/// # Safety
/// Every method's `info` is a valid info of this library and of the right kind; returned infos are
/// new references unless the method says otherwise.
#[allow(
    clippy::missing_safety_doc,
    reason = "the impl block's own section holds for all"
)]
impl Girepository {
    pub unsafe fn kind(&self, info: Info) -> InfoKind {
        // SAFETY: contract of this block.
        unsafe { self.differing.kind(info) }
    }

    pub unsafe fn reference(&self, info: Info) -> Info {
        // SAFETY: contract of this block.
        unsafe { (self.functions.base_ref)(info) }
    }

    pub unsafe fn unref(&self, info: Info) {
        // SAFETY: contract of this block.
        unsafe { (self.functions.base_unref)(info) }
    }

    pub unsafe fn name(&self, info: Info) -> Name {
        // SAFETY: contract of this block; the text is the typelib's, which is never unloaded.
        unsafe { text((self.functions.base_name)(info)) }
    }

    /// Where the name stands in the typelib.
    pub unsafe fn name_address(&self, info: Info) -> usize {
        // SAFETY: contract of this block.
        unsafe { (self.functions.base_name)(info) as usize }
    }

    pub unsafe fn namespace(&self, info: Info) -> Name {
        // SAFETY: as for `name`.
        unsafe { text((self.functions.base_namespace)(info)) }
    }

    /// Borrowed; `None` at top level.
    pub unsafe fn container(&self, info: Info) -> Option<Info> {
        // SAFETY: contract of this block.
        let container = unsafe { (self.functions.base_container)(info) };
        (!container.is_null()).then_some(container)
    }

    pub unsafe fn deprecated(&self, info: Info) -> bool {
        // SAFETY: contract of this block.
        unsafe { (self.functions.base_deprecated)(info) != 0 }
    }

    pub unsafe fn symbol(&self, function: Info) -> Name {
        // SAFETY: as for `name`.
        unsafe { text((self.functions.function_symbol)(function)) }
    }

    /// The address of the native function, 0 when the library does not export it.
    pub unsafe fn address(&self, function: Info) -> usize {
        let mut address = std::ptr::null_mut();
        // SAFETY: contract of this block; the typelib is borrowed and alive while the info is.
        let found = unsafe {
            let typelib = (self.functions.base_typelib)(function);
            let symbol = (self.functions.function_symbol)(function);
            (self.functions.typelib_symbol)(typelib, symbol, &mut address)
        };
        if found == 0 { 0 } else { address as usize }
    }

    /// `GIFunctionInfoFlags`.
    pub unsafe fn flags(&self, function: Info) -> c_int {
        // SAFETY: contract of this block.
        unsafe { (self.functions.function_flags)(function) }
    }

    pub unsafe fn n_args(&self, callable: Info) -> usize {
        // SAFETY: contract of this block.
        unsafe { (self.functions.callable_n_args)(callable) as usize }
    }

    pub unsafe fn arg(&self, callable: Info, index: usize) -> Info {
        // SAFETY: contract of this block; the caller keeps below `n_args`.
        unsafe { (self.functions.callable_arg)(callable, index as c_int) }
    }

    pub unsafe fn return_type(&self, callable: Info) -> Info {
        // SAFETY: contract of this block.
        unsafe { (self.functions.callable_return)(callable) }
    }

    /// Transfer, nullable, skip of the result; throws; transfer of the instance.
    pub unsafe fn callable_facts(&self, callable: Info) -> (c_int, bool, bool, bool, c_int) {
        let f = &self.functions;
        // SAFETY: contract of this block.
        unsafe {
            (
                (f.callable_owns)(callable),
                (f.callable_null)(callable) != 0,
                (f.callable_skip)(callable) != 0,
                (f.callable_throws)(callable) != 0,
                (f.callable_instance_transfer)(callable),
            )
        }
    }

    /// Direction and transfer of an argument.
    pub unsafe fn arg_passing(&self, arg: Info) -> (c_int, c_int) {
        // SAFETY: contract of this block.
        unsafe {
            (
                (self.functions.arg_direction)(arg),
                (self.functions.arg_transfer)(arg),
            )
        }
    }

    /// Nullable, optional and caller-allocates of an argument.
    pub unsafe fn arg_facts(&self, arg: Info) -> (bool, bool, bool) {
        let f = &self.functions;
        // SAFETY: contract of this block.
        unsafe {
            (
                (f.arg_null)(arg) != 0,
                (f.arg_optional)(arg) != 0,
                (f.arg_caller_allocates)(arg) != 0,
            )
        }
    }

    pub unsafe fn arg_type(&self, arg: Info) -> Info {
        // SAFETY: contract of this block.
        unsafe { (self.functions.arg_type)(arg) }
    }

    /// Index of the user data that belongs to a callback argument.
    pub unsafe fn arg_closure(&self, arg: Info) -> Option<usize> {
        // SAFETY: contract of this block.
        unsafe { self.differing.closure(arg) }
    }

    /// Index of the destroy notify that belongs to a callback argument.
    pub unsafe fn arg_destroy(&self, arg: Info) -> Option<usize> {
        // SAFETY: contract of this block.
        unsafe { self.differing.destroy(arg) }
    }

    /// `GITypeTag` and whether the type is a pointer.
    pub unsafe fn type_tag(&self, ty: Info) -> (c_int, bool) {
        // SAFETY: contract of this block.
        unsafe {
            (
                (self.functions.type_tag)(ty),
                (self.functions.type_is_pointer)(ty) != 0,
            )
        }
    }

    pub unsafe fn type_interface(&self, ty: Info) -> Info {
        // SAFETY: contract of this block.
        unsafe { (self.functions.type_interface)(ty) }
    }

    /// `GIScopeType` of a callback argument.
    pub unsafe fn arg_scope(&self, arg: Info) -> c_int {
        // SAFETY: contract of this block.
        unsafe { (self.functions.arg_scope)(arg) }
    }

    /// The `GType` of a registered type; calls its `get_type` function the first time.
    pub unsafe fn gtype(&self, registered: Info) -> usize {
        // SAFETY: contract of this block.
        unsafe { (self.functions.registered_gtype)(registered) }
    }

    /// `GITypeTag` of the integer that carries an enum.
    pub unsafe fn enum_storage(&self, info: Info) -> c_int {
        // SAFETY: contract of this block.
        unsafe { (self.functions.enum_storage)(info) }
    }

    /// The values of an enum's members.
    pub unsafe fn enum_values(&self, info: Info) -> Vec<i64> {
        let f = &self.functions;
        // SAFETY: contract of this block; each member info is a new reference, dropped here.
        unsafe {
            (0..(f.enum_n_values)(info))
                .map(|index| {
                    let member = (f.enum_value)(info, index);
                    let value = (f.value_value)(member);
                    (f.base_unref)(member);
                    value
                })
                .collect()
        }
    }

    /// Whether a struct is marshalled by a foreign converter.
    pub unsafe fn is_foreign(&self, info: Info) -> bool {
        // SAFETY: contract of this block.
        unsafe { (self.functions.struct_is_foreign)(info) != 0 }
    }

    /// Class struct, foreign, size of a struct.
    pub unsafe fn struct_facts(&self, info: Info) -> (bool, bool, usize) {
        let f = &self.functions;
        // SAFETY: contract of this block.
        unsafe {
            (
                (f.struct_is_class)(info) != 0,
                self.is_foreign(info),
                (f.struct_size)(info),
            )
        }
    }

    /// Whether an info of any kind is one of a field.
    pub unsafe fn is_field(&self, info: Info) -> bool {
        // SAFETY: contract of this block.
        unsafe { self.kind(info) == InfoKind::Field }
    }

    /// Flags, offset in bytes and, of a field that has no byte for itself, the number of bits.
    pub unsafe fn field_facts(&self, info: Info) -> (c_int, usize, c_int) {
        let f = &self.functions;
        // SAFETY: contract of this block.
        let (flags, offset, bits) = unsafe {
            (
                (f.field_flags)(info),
                (f.field_offset)(info),
                (f.field_bits)(info),
            )
        };
        (flags, offset as usize, bits)
    }

    pub unsafe fn field_type(&self, info: Info) -> Info {
        // SAFETY: contract of this block.
        unsafe { (self.functions.field_type)(info) }
    }

    pub unsafe fn union_size(&self, info: Info) -> usize {
        // SAFETY: contract of this block.
        unsafe { (self.functions.union_size)(info) }
    }
}

/// # Safety
/// `text` is NULL, or zero-terminated and for good.
unsafe fn text(text: *const c_char) -> Name {
    match text.is_null() {
        true => Name::default(),
        // SAFETY: by this function's contract.
        false => unsafe { CStr::from_ptr(text) }.to_string_lossy(),
    }
}
