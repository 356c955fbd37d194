//! Where the implementation of a virtual function stands.
//!
//! As libgirepository finds it for PyGObject (`g_vfunc_info_get_address`): in the field that is
//! called like the virtual function, of the class struct of an object type or of the interface
//! struct of an interface type. Which struct of that layout is looked at depends on the class that
//! a call names, so that is done per call.

use std::ffi::c_int;

use super::girepository::library::functions;
use super::girepository::{Girepository, Info, InfoKind};

functions! {
    /// The functions that read class structs.
    Structs {
        class_struct: "g_object_info_get_class_struct" / "gi_object_info_get_class_struct" fn(Info) -> Info;
        interface_struct: "g_interface_info_get_iface_struct" / "gi_interface_info_get_iface_struct" fn(Info) -> Info;
        n_fields: "g_struct_info_get_n_fields" / "gi_struct_info_get_n_fields" fn(Info) -> c_int;
        field: "g_struct_info_get_field" / "gi_struct_info_get_field" fn(Info, c_int) -> Info;
        field_offset: "g_field_info_get_offset" / "gi_field_info_get_offset" fn(Info) -> c_int;
    }
}

/// The place of one virtual function in the tables of its type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VFuncPlace {
    /// The type that declares it: a class implements it when it is one.
    pub gtype: usize,
    /// Whether that is an interface, whose table is not the class struct itself.
    pub is_interface: bool,
    /// Of the field in the table, in bytes.
    pub offset: usize,
}

/// The place of `vfunc`, which is declared by `container`, the type `gtype`. `None` when no field is
/// called like it.
///
/// # Safety
/// Both are valid infos of `repository`, a vfunc info and its container.
pub(super) unsafe fn place(
    repository: &Girepository,
    vfunc: Info,
    container: Info,
    gtype: usize,
) -> Option<VFuncPlace> {
    let structs = Structs::resolve(&repository.library).ok()?;
    // SAFETY: by this function's contract; the container of a virtual function is an object or an
    // interface. Infos that are got here are dropped here.
    unsafe {
        let is_interface = repository.kind(container) == InfoKind::Interface;
        let name = repository.name(vfunc);
        let table = match is_interface {
            true => (structs.interface_struct)(container),
            false => (structs.class_struct)(container),
        };
        if table.is_null() {
            return None;
        }
        let mut found = None;
        for index in 0..(structs.n_fields)(table) {
            let field = (structs.field)(table, index);
            if found.is_none() && repository.name(field) == name {
                found = Some((structs.field_offset)(field) as usize);
            }
            repository.unref(field);
        }
        repository.unref(table);
        found.map(|offset| VFuncPlace {
            gtype,
            is_interface,
            offset,
        })
    }
}
