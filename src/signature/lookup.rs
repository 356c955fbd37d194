//! Finding callables in the typelibs: one by its name, or all of a namespace.
//!
//! For tools, benchmarks and tests. A program that runs under a binding gets its infos from that,
//! and does not come here.
//!
//! Absent: callbacks and signals, which no module attribute gives.

use std::ffi::{CString, c_char, c_int, c_void};

use super::girepository::library::{Version, functions};
use super::girepository::{Girepository, Info, InfoKind};

functions! {
    /// The functions that walk a repository.
    Walk {
        require: "g_irepository_require" / "gi_repository_require" fn(*mut c_void, *const c_char, *const c_char, c_int, *mut *mut c_void) -> *mut c_void;
        n_infos: "g_irepository_get_n_infos" / "gi_repository_get_n_infos" fn(*mut c_void, *const c_char) -> c_int;
        info: "g_irepository_get_info" / "gi_repository_get_info" fn(*mut c_void, *const c_char, c_int) -> Info;
        object_n_methods: "g_object_info_get_n_methods" / "gi_object_info_get_n_methods" fn(Info) -> c_int;
        object_n_vfuncs: "g_object_info_get_n_vfuncs" / "gi_object_info_get_n_vfuncs" fn(Info) -> c_int;
        object_vfunc: "g_object_info_get_vfunc" / "gi_object_info_get_vfunc" fn(Info, c_int) -> Info;
        object_method: "g_object_info_get_method" / "gi_object_info_get_method" fn(Info, c_int) -> Info;
        interface_n_methods: "g_interface_info_get_n_methods" / "gi_interface_info_get_n_methods" fn(Info) -> c_int;
        interface_n_vfuncs: "g_interface_info_get_n_vfuncs" / "gi_interface_info_get_n_vfuncs" fn(Info) -> c_int;
        interface_vfunc: "g_interface_info_get_vfunc" / "gi_interface_info_get_vfunc" fn(Info, c_int) -> Info;
        interface_method: "g_interface_info_get_method" / "gi_interface_info_get_method" fn(Info, c_int) -> Info;
        struct_n_methods: "g_struct_info_get_n_methods" / "gi_struct_info_get_n_methods" fn(Info) -> c_int;
        struct_method: "g_struct_info_get_method" / "gi_struct_info_get_method" fn(Info, c_int) -> Info;
        union_n_methods: "g_union_info_get_n_methods" / "gi_union_info_get_n_methods" fn(Info) -> c_int;
        union_method: "g_union_info_get_method" / "gi_union_info_get_method" fn(Info, c_int) -> Info;
        enum_n_methods: "g_enum_info_get_n_methods" / "gi_enum_info_get_n_methods" fn(Info) -> c_int;
        enum_method: "g_enum_info_get_method" / "gi_enum_info_get_method" fn(Info, c_int) -> Info;
    }
}

/// How the methods or virtual functions of one kind of container are reached.
type Members = (
    unsafe extern "C" fn(Info) -> c_int,
    unsafe extern "C" fn(Info, c_int) -> Info,
);

/// A repository in which names are looked up.
pub struct Lookup<'a> {
    girepository: &'a Girepository,
    walk: Walk,
    /// A `GIRepository*`. NULL is the process's one in 1.0; 2.0 has none, so this is our own.
    repository: *mut c_void,
}

impl<'a> Lookup<'a> {
    /// # Errors
    /// The function that the library lacks.
    pub fn new(girepository: &'a Girepository) -> Result<Self, String> {
        let library = &girepository.library;
        let walk = Walk::resolve(library)?;
        let repository = match library.version {
            Version::One => std::ptr::null_mut(),
            Version::Two => {
                let new = library.find("gi_repository_new")?;
                // SAFETY: this C function of 2.0 takes nothing and returns a repository, which is
                // kept for good, as the infos made from it need it.
                unsafe {
                    std::mem::transmute::<*mut c_void, unsafe extern "C" fn() -> *mut c_void>(new)()
                }
            }
        };
        Ok(Lookup {
            girepository,
            walk,
            repository,
        })
    }

    /// Loads the typelib of `namespace`, in `version` if there is one, with its library.
    ///
    /// # Errors
    /// When there is no such typelib.
    pub fn require(&self, namespace: &str, version: Option<&str>) -> Result<(), String> {
        let name = CString::new(namespace).map_err(|error| error.to_string())?;
        let wanted = version
            .map(CString::new)
            .transpose()
            .map_err(|error| error.to_string())?;
        let wanted_pointer = wanted
            .as_ref()
            .map_or(std::ptr::null(), |text| text.as_ptr());
        // SAFETY: zero-terminated names that outlive the call; a NULL `GError**` asks for none.
        let typelib = unsafe {
            (self.walk.require)(
                self.repository,
                name.as_ptr(),
                wanted_pointer,
                0,
                std::ptr::null_mut(),
            )
        };
        if typelib.is_null() {
            let version = version.map_or(String::new(), |version| format!("-{version}"));
            return Err(format!("there is no typelib {namespace}{version}"));
        }
        Ok(())
    }

    /// Every function, method, constructor and virtual function of `namespace`, which has been
    /// required, with its name as in [`super::Signature::name`], in the typelib's order. Each info carries a reference for the caller.
    pub fn callables(&self, namespace: &str) -> Vec<(String, Info)> {
        let Ok(text) = CString::new(namespace) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        // SAFETY: the namespace is loaded (contract of this method; an unknown one has no infos);
        // indices stay below the counts; each info is new and dropped unless it is handed out.
        unsafe {
            for index in 0..(self.walk.n_infos)(self.repository, text.as_ptr()) {
                let info = (self.walk.info)(self.repository, text.as_ptr(), index);
                let name = format!("{namespace}.{}", self.girepository.name(info));
                if self.girepository.kind(info) == InfoKind::Function {
                    found.push((name, info));
                    continue;
                }
                let kind = self.girepository.kind(info);
                for (prefix, members) in [("", self.methods(kind)), ("do_", self.vfuncs(kind))] {
                    let Some((count, get)) = members else {
                        continue;
                    };
                    for index in 0..count(info) {
                        let member = get(info, index);
                        let own = self.girepository.name(member);
                        found.push((format!("{name}.{prefix}{own}"), member));
                    }
                }
                self.girepository.unref(info);
            }
        }
        found
    }

    /// The callable `Namespace.name` or `Namespace.Container.name`, with a reference for the
    /// caller. Loads the namespace.
    ///
    /// # Errors
    /// What of the name does not exist.
    pub fn find(&self, name: &str) -> Result<Info, String> {
        let (namespace, _) = name
            .split_once('.')
            .ok_or_else(|| format!("{name:?} names no callable of a namespace"))?;
        self.require(namespace, None)?;
        let mut found = None;
        for (candidate, info) in self.callables(namespace) {
            if found.is_none() && candidate == name {
                found = Some(info);
            } else {
                // SAFETY: `callables` has given this reference to us.
                unsafe { self.girepository.unref(info) };
            }
        }
        found.ok_or_else(|| format!("there is no callable {name}"))
    }

    fn vfuncs(&self, kind: InfoKind) -> Option<Members> {
        let walk = &self.walk;
        match kind {
            InfoKind::Object => Some((walk.object_n_vfuncs, walk.object_vfunc)),
            InfoKind::Interface => Some((walk.interface_n_vfuncs, walk.interface_vfunc)),
            _ => None,
        }
    }

    fn methods(&self, kind: InfoKind) -> Option<Members> {
        let walk = &self.walk;
        match kind {
            InfoKind::Object => Some((walk.object_n_methods, walk.object_method)),
            InfoKind::Interface => Some((walk.interface_n_methods, walk.interface_method)),
            InfoKind::Struct => Some((walk.struct_n_methods, walk.struct_method)),
            InfoKind::Union => Some((walk.union_n_methods, walk.union_method)),
            InfoKind::Enum | InfoKind::Flags => Some((walk.enum_n_methods, walk.enum_method)),
            _ => None,
        }
    }
}
