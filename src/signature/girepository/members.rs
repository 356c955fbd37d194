//! What libgirepository says about the methods and virtual functions of classes.

use std::ffi::{CStr, c_int};

use super::library::functions;
use super::{Girepository, Info, InfoKind};

type Count = unsafe extern "C" fn(Info) -> c_int;
type At = unsafe extern "C" fn(Info, c_int) -> Info;

functions! {
    /// The functions that count and give the members of one kind of container.
    Members {
        object_methods: "g_object_info_get_n_methods" / "gi_object_info_get_n_methods" fn(Info) -> c_int;
        object_method: "g_object_info_get_method" / "gi_object_info_get_method" fn(Info, c_int) -> Info;
        object_vfuncs: "g_object_info_get_n_vfuncs" / "gi_object_info_get_n_vfuncs" fn(Info) -> c_int;
        object_vfunc: "g_object_info_get_vfunc" / "gi_object_info_get_vfunc" fn(Info, c_int) -> Info;
        interface_methods: "g_interface_info_get_n_methods" / "gi_interface_info_get_n_methods" fn(Info) -> c_int;
        interface_method: "g_interface_info_get_method" / "gi_interface_info_get_method" fn(Info, c_int) -> Info;
        struct_methods: "g_struct_info_get_n_methods" / "gi_struct_info_get_n_methods" fn(Info) -> c_int;
        struct_method: "g_struct_info_get_method" / "gi_struct_info_get_method" fn(Info, c_int) -> Info;
        union_methods: "g_union_info_get_n_methods" / "gi_union_info_get_n_methods" fn(Info) -> c_int;
        union_method: "g_union_info_get_method" / "gi_union_info_get_method" fn(Info, c_int) -> Info;
    }
}

/// Which members of a class are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Member {
    Method,
    VFunc,
}

impl Girepository {
    /// The methods or virtual functions of `class`, as new references; none of what has none.
    ///
    /// # Safety
    /// `class` is a valid info of this library and outlives the result.
    pub unsafe fn members(
        &self,
        class: Info,
        member: Member,
    ) -> impl ExactSizeIterator<Item = Info> {
        let m = &self.members;
        // SAFETY: by this function's contract.
        let kind = unsafe { self.kind(class) };
        let functions: Option<(Count, At)> = match (kind, member) {
            (InfoKind::Object, Member::Method) => Some((m.object_methods, m.object_method)),
            (InfoKind::Object, Member::VFunc) => Some((m.object_vfuncs, m.object_vfunc)),
            (InfoKind::Interface, Member::Method) => {
                Some((m.interface_methods, m.interface_method))
            }
            (InfoKind::Struct, Member::Method) => Some((m.struct_methods, m.struct_method)),
            (InfoKind::Union, Member::Method) => Some((m.union_methods, m.union_method)),
            _ => None,
        };
        // SAFETY: the functions are those of the info's kind.
        let count = functions.map_or(0, |(count, _)| unsafe { count(class) });
        (0..count).map(move |index| {
            let Some((_, at)) = functions else {
                unreachable!("what has no functions has a count of 0")
            };
            // SAFETY: as above, and the index is below the count.
            unsafe { at(class, index) }
        })
    }

    /// The name in the typelib.
    ///
    /// # Safety
    /// `info` is a valid info of this library with a name; the text is used while the typelib is
    /// loaded, which is for good.
    pub unsafe fn name_in_typelib(&self, info: Info) -> &'static CStr {
        // SAFETY: by this function's contract; names are zero-terminated.
        unsafe { CStr::from_ptr((self.functions.base_name)(info)) }
    }
}
