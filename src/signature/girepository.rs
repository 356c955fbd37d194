//! libgirepository, resolved at run time.
//!
//! PyGObject up to 3.50 brings libgirepository-1.0 (`g_function_info_*`), later versions bring
//! girepository-2.0 (`gi_function_info_*`). The copy that is already loaded is used, since infos of
//! one library mean nothing to the other. One table names each function in both; where the two
//! differ in more than the name, a method of [`Girepository`] hides it.
//!
//! Absent: ownership. Infos are raw pointers; who takes a reference says so.

mod containers;

use std::ffi::{CStr, CString, c_char, c_int, c_void};

/// A `GIBaseInfo*` or one of its subtypes.
pub type Info = *mut c_void;

/// Which library was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// libgirepository-1.0.
    One,
    /// girepository-2.0, part of GLib from 2.80 on.
    Two,
}

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
    Unresolved,
    Other,
}

/// A struct of C functions, each declared once: its name in 1.0, in 2.0, and its signature.
macro_rules! functions {
    ($(#[$meta:meta])* $table:ident {
        $($field:ident: $one:literal / $two:literal fn($($arg:ty),*) $(-> $ret:ty)?;)*
    }) => {
        $(#[$meta])*
        #[allow(clippy::missing_docs_in_private_items, reason = "each is its C function")]
        struct $table { $($field: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)* }

        impl $table {
            fn resolve(version: Version, find: &dyn Fn(&str) -> Option<*mut c_void>)
                -> Result<Self, String>
            {
                Ok($table { $($field: {
                    let name = match version { Version::One => $one, Version::Two => $two };
                    let address = find(name).ok_or_else(|| format!("libgirepository lacks {name}"))?;
                    // SAFETY: the symbol is the C function of this name, and the signature in the
                    // table is the one of its header, in both versions.
                    unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($arg),*) $(-> $ret)?>(address) }
                },)* })
            }
        }
    };
}

pub(super) use functions;

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
        value_value: "g_value_info_get_value" / "gi_value_info_get_value" fn(Info) -> i64;
    }
}

/// The loaded library.
pub struct Girepository {
    version: Version,
    functions: Functions,
    pub(super) find: fn(&str) -> Option<*mut c_void>,
}

// The symbols are looked up in the whole process: PyGObject has loaded the library with its
// dependencies, and of the two versions only one can be in use.
fn find_in(library: &CStr, name: &str) -> Option<*mut c_void> {
    let name = CString::new(name).ok()?;
    // SAFETY: zero-terminated names; RTLD_NOLOAD only takes a reference to a loaded library, which
    // is kept for the life of the process.
    let address = unsafe {
        let handle = libc::dlopen(library.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD);
        if handle.is_null() {
            return None;
        }
        libc::dlsym(handle, name.as_ptr())
    };
    (!address.is_null()).then_some(address)
}

fn find_one(name: &str) -> Option<*mut c_void> {
    find_in(c"libgirepository-1.0.so.1", name)
}

fn find_two(name: &str) -> Option<*mut c_void> {
    find_in(c"libgirepository-2.0.so.0", name)
}

impl Girepository {
    /// The library that the process has loaded.
    ///
    /// # Errors
    /// When neither version is loaded, or a function is missing.
    pub fn loaded() -> Result<Self, String> {
        let (version, find): (_, fn(&str) -> _) = if find_one("g_base_info_ref").is_some() {
            (Version::One, find_one)
        } else if find_two("gi_base_info_ref").is_some() {
            (Version::Two, find_two)
        } else {
            return Err("neither libgirepository-1.0 nor girepository-2.0 is loaded".to_owned());
        };
        let functions = Functions::resolve(version, &find)?;
        Ok(Girepository {
            version,
            functions,
            find,
        })
    }

    /// Which library it is.
    pub fn version(&self) -> Version {
        self.version
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
        match self.version {
            Version::One => self.kind_one(info),
            Version::Two => self.kind_two(info),
        }
    }

    fn kind_one(&self, info: Info) -> InfoKind {
        let address = (self.find)("g_base_info_get_type").expect("1.0 has it");
        // SAFETY: the C function's signature in 1.0.
        let get: unsafe extern "C" fn(Info) -> c_int = unsafe { std::mem::transmute(address) };
        // SAFETY: `info` is valid (contract of `kind`). The numbers are GIInfoType's.
        match unsafe { get(info) } {
            1 => InfoKind::Function,
            2 => InfoKind::Callback,
            3 | 4 => InfoKind::Struct,
            5 => InfoKind::Enum,
            6 => InfoKind::Flags,
            7 => InfoKind::Object,
            8 => InfoKind::Interface,
            11 => InfoKind::Union,
            14 => InfoKind::VFunc,
            19 => InfoKind::Unresolved,
            _ => InfoKind::Other,
        }
    }

    /// In 2.0 an info is a `GTypeInstance`: its first word points to its class, whose first word is
    /// the `GType`.
    fn kind_two(&self, info: Info) -> InfoKind {
        // SAFETY: see above; `info` is valid (contract of `kind`).
        let gtype = unsafe { **info.cast::<*const usize>() };
        const KINDS: &[(&str, InfoKind)] = &[
            ("gi_function_info_get_type", InfoKind::Function),
            ("gi_vfunc_info_get_type", InfoKind::VFunc),
            ("gi_callback_info_get_type", InfoKind::Callback),
            ("gi_struct_info_get_type", InfoKind::Struct),
            ("gi_union_info_get_type", InfoKind::Union),
            ("gi_flags_info_get_type", InfoKind::Flags),
            ("gi_enum_info_get_type", InfoKind::Enum),
            ("gi_object_info_get_type", InfoKind::Object),
            ("gi_interface_info_get_type", InfoKind::Interface),
            ("gi_unresolved_info_get_type", InfoKind::Unresolved),
        ];
        let is = |name: &str| {
            (self.find)(name).is_some_and(|address| {
                // SAFETY: every `*_get_type` takes nothing and returns a GType.
                let get: unsafe extern "C" fn() -> usize = unsafe { std::mem::transmute(address) };
                // SAFETY: as above.
                unsafe { get() == gtype }
            })
        };
        KINDS
            .iter()
            .find(|(name, _)| is(name))
            .map_or(InfoKind::Other, |(_, kind)| *kind)
    }

    pub unsafe fn reference(&self, info: Info) -> Info {
        // SAFETY: contract of this block.
        unsafe { (self.functions.base_ref)(info) }
    }

    pub unsafe fn unref(&self, info: Info) {
        // SAFETY: contract of this block.
        unsafe { (self.functions.base_unref)(info) }
    }

    pub unsafe fn name(&self, info: Info) -> String {
        // SAFETY: contract of this block; the string lives as long as the typelib.
        unsafe { string((self.functions.base_name)(info)) }
    }

    pub unsafe fn namespace(&self, info: Info) -> String {
        // SAFETY: as for `name`.
        unsafe { string((self.functions.base_namespace)(info)) }
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

    pub unsafe fn symbol(&self, function: Info) -> String {
        // SAFETY: as for `name`.
        unsafe { string((self.functions.function_symbol)(function)) }
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
        self.index(
            arg,
            "g_arg_info_get_closure",
            "gi_arg_info_get_closure_index",
        )
    }

    /// Index of the destroy notify that belongs to a callback argument.
    pub unsafe fn arg_destroy(&self, arg: Info) -> Option<usize> {
        self.index(
            arg,
            "g_arg_info_get_destroy",
            "gi_arg_info_get_destroy_index",
        )
    }

    /// 1.0 returns an index or -1, 2.0 a truth value with the index behind a pointer.
    fn index(&self, info: Info, one: &str, two: &str) -> Option<usize> {
        match self.version {
            Version::One => {
                let address = (self.find)(one)?;
                // SAFETY: the C functions of these names have this signature in 1.0.
                let get: unsafe extern "C" fn(Info) -> c_int =
                    unsafe { std::mem::transmute(address) };
                // SAFETY: contract of this block.
                usize::try_from(unsafe { get(info) }).ok()
            }
            Version::Two => {
                let address = (self.find)(two)?;
                // SAFETY: the C functions of these names have this signature in 2.0.
                let get: unsafe extern "C" fn(Info, *mut u32) -> c_int =
                    unsafe { std::mem::transmute(address) };
                let mut index = 0;
                // SAFETY: contract of this block.
                (unsafe { get(info, &mut index) } != 0).then_some(index as usize)
            }
        }
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

    /// Class struct, foreign, size of a struct.
    pub unsafe fn struct_facts(&self, info: Info) -> (bool, bool, usize) {
        let f = &self.functions;
        // SAFETY: contract of this block.
        unsafe {
            (
                (f.struct_is_class)(info) != 0,
                (f.struct_is_foreign)(info) != 0,
                (f.struct_size)(info),
            )
        }
    }

    pub unsafe fn union_size(&self, info: Info) -> usize {
        // SAFETY: contract of this block.
        unsafe { (self.functions.union_size)(info) }
    }
}

/// # Safety
/// `text` is NULL or zero-terminated.
unsafe fn string(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: by this function's contract.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}
