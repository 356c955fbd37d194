//! The functions whose signatures differ between the two versions.

use std::ffi::c_int;

use super::library::{Library, Version, functions};
use super::{Info, InfoKind};

functions! {
    /// 1.0 gives an index or -1.
    One {
        kind: "g_base_info_get_type" / "" fn(Info) -> c_int;
        closure: "g_arg_info_get_closure" / "" fn(Info) -> c_int;
        destroy: "g_arg_info_get_destroy" / "" fn(Info) -> c_int;
        length: "g_type_info_get_array_length" / "" fn(Info) -> c_int;
        fixed_size: "g_type_info_get_array_fixed_size" / "" fn(Info) -> c_int;
    }
}

functions! {
    /// 2.0 gives a truth value, with the index behind a pointer.
    Two {
        closure: "" / "gi_arg_info_get_closure_index" fn(Info, *mut u32) -> c_int;
        destroy: "" / "gi_arg_info_get_destroy_index" fn(Info, *mut u32) -> c_int;
        length: "" / "gi_type_info_get_array_length_index" fn(Info, *mut u32) -> c_int;
        fixed_size: "" / "gi_type_info_get_array_fixed_size" fn(Info, *mut usize) -> c_int;
        function: "" / "gi_function_info_get_type" fn() -> usize;
        vfunc: "" / "gi_vfunc_info_get_type" fn() -> usize;
        callback: "" / "gi_callback_info_get_type" fn() -> usize;
        structure: "" / "gi_struct_info_get_type" fn() -> usize;
        union: "" / "gi_union_info_get_type" fn() -> usize;
        flags: "" / "gi_flags_info_get_type" fn() -> usize;
        enumeration: "" / "gi_enum_info_get_type" fn() -> usize;
        object: "" / "gi_object_info_get_type" fn() -> usize;
        interface: "" / "gi_interface_info_get_type" fn() -> usize;
        field: "" / "gi_field_info_get_type" fn() -> usize;
        unresolved: "" / "gi_unresolved_info_get_type" fn() -> usize;
    }
}

/// Those of the library that is loaded.
pub(super) struct Differing(Functions);

enum Functions {
    One(One),
    /// With the `GType` of each kind of info.
    Two(Box<(Two, [(usize, InfoKind); 11])>),
}

impl Differing {
    pub(super) fn resolve(library: &Library) -> Result<Self, String> {
        if library.version == Version::One {
            return Ok(Differing(Functions::One(One::resolve(library)?)));
        }
        let two = Two::resolve(library)?;
        // SAFETY: every `*_get_type` takes nothing and returns a GType.
        let kinds = unsafe {
            [
                ((two.function)(), InfoKind::Function),
                ((two.vfunc)(), InfoKind::VFunc),
                ((two.callback)(), InfoKind::Callback),
                ((two.structure)(), InfoKind::Struct),
                ((two.union)(), InfoKind::Union),
                ((two.flags)(), InfoKind::Flags),
                ((two.enumeration)(), InfoKind::Enum),
                ((two.object)(), InfoKind::Object),
                ((two.interface)(), InfoKind::Interface),
                ((two.field)(), InfoKind::Field),
                ((two.unresolved)(), InfoKind::Unresolved),
            ]
        };
        Ok(Differing(Functions::Two(Box::new((two, kinds)))))
    }

    /// # Safety
    /// `info` is a valid info of the library.
    pub(super) unsafe fn kind(&self, info: Info) -> InfoKind {
        match &self.0 {
            // SAFETY: by this function's contract. The numbers are GIInfoType's.
            Functions::One(one) => match unsafe { (one.kind)(info) } {
                1 => InfoKind::Function,
                2 => InfoKind::Callback,
                3 | 4 => InfoKind::Struct,
                5 => InfoKind::Enum,
                6 => InfoKind::Flags,
                7 => InfoKind::Object,
                8 => InfoKind::Interface,
                11 => InfoKind::Union,
                14 => InfoKind::VFunc,
                16 => InfoKind::Field,
                19 => InfoKind::Unresolved,
                _ => InfoKind::Other,
            },
            Functions::Two(two) => {
                // SAFETY: in 2.0 an info is a `GTypeInstance`: its first word points to its class,
                // whose first word is the `GType`.
                let gtype = unsafe { **info.cast::<*const usize>() };
                let found = two.1.iter().find(|(of, _)| *of == gtype);
                found.map_or(InfoKind::Other, |(_, kind)| *kind)
            }
        }
    }

    /// Index of the user data that belongs to a callback argument.
    ///
    /// # Safety
    /// `arg` is a valid argument info of the library.
    pub(super) unsafe fn closure(&self, arg: Info) -> Option<usize> {
        // SAFETY: by this function's contract.
        unsafe {
            match &self.0 {
                Functions::One(one) => index((one.closure)(arg)),
                Functions::Two(two) => index_behind(two.0.closure, arg),
            }
        }
    }

    /// Index of the destroy notify that belongs to a callback argument.
    ///
    /// # Safety
    /// As [`Self::closure`].
    pub(super) unsafe fn destroy(&self, arg: Info) -> Option<usize> {
        // SAFETY: by this function's contract.
        unsafe {
            match &self.0 {
                Functions::One(one) => index((one.destroy)(arg)),
                Functions::Two(two) => index_behind(two.0.destroy, arg),
            }
        }
    }

    /// Index of the argument that holds an array's length.
    ///
    /// # Safety
    /// `ty` is a valid type info of an array.
    pub(super) unsafe fn length(&self, ty: Info) -> Option<usize> {
        // SAFETY: by this function's contract.
        unsafe {
            match &self.0 {
                Functions::One(one) => index((one.length)(ty)),
                Functions::Two(two) => index_behind(two.0.length, ty),
            }
        }
    }

    /// The number of items that an array always has.
    ///
    /// # Safety
    /// As [`Self::length`].
    pub(super) unsafe fn fixed_size(&self, ty: Info) -> Option<usize> {
        // SAFETY: by this function's contract.
        unsafe {
            match &self.0 {
                Functions::One(one) => index((one.fixed_size)(ty)),
                Functions::Two(two) => {
                    let mut size = 0;
                    ((two.0.fixed_size)(ty, &mut size) != 0).then_some(size)
                }
            }
        }
    }
}

fn index(found: c_int) -> Option<usize> {
    usize::try_from(found).ok()
}

/// # Safety
/// `info` is what `get` takes.
unsafe fn index_behind(
    get: unsafe extern "C" fn(Info, *mut u32) -> c_int,
    info: Info,
) -> Option<usize> {
    let mut index = 0;
    // SAFETY: by this function's contract.
    (unsafe { get(info, &mut index) } != 0).then_some(index as usize)
}
