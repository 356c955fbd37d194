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
    }
}

/// `GI_TYPE_TAG_INTERFACE`.
const INTERFACE: c_int = 16;

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
    // SAFETY: by this function's contract; the field is dropped here.
    unsafe {
        let field = field(repository, vfunc, container)?;
        let place = place_of(repository, field, container, gtype);
        repository.unref(field);
        Some(place)
    }
}

/// The place that `field` is.
///
/// # Safety
/// As for [`place`]; a field of the container's table.
unsafe fn place_of(
    repository: &Girepository,
    field: Info,
    container: Info,
    gtype: usize,
) -> VFuncPlace {
    // SAFETY: by this function's contract.
    let (is_interface, (_, offset, _)) = unsafe {
        let kind = repository.kind(container);
        (kind == InfoKind::Interface, repository.field_facts(field))
    };
    VFuncPlace {
        gtype,
        is_interface,
        offset,
    }
}

/// The place of `vfunc` and the type of the function that stands there, a new reference. `None` when no
/// field is called like it, or the typelib does not say what it takes.
///
/// # Safety
/// A vfunc info of `repository`; the caller may run `get_type` functions.
pub unsafe fn implementation(repository: &Girepository, vfunc: Info) -> Option<(VFuncPlace, Info)> {
    // SAFETY: by this function's contract; infos that are got here are dropped here.
    unsafe {
        let container = repository.container(vfunc)?;
        let field = field(repository, vfunc, container)?;
        let place = place_of(repository, field, container, repository.gtype(container));
        let ty = repository.field_type(field);
        repository.unref(field);
        let function = match repository.type_tag(ty) {
            (INTERFACE, _) => Some(repository.type_interface(ty)),
            _ => None,
        };
        repository.unref(ty);
        let function = function?;
        if repository.kind(function) != InfoKind::Callback {
            repository.unref(function);
            return None;
        }
        Some((place, function))
    }
}

/// The field of the table of `container` that is called like `vfunc`, a new reference.
///
/// # Safety
/// As for [`place`].
unsafe fn field(repository: &Girepository, vfunc: Info, container: Info) -> Option<Info> {
    let structs = Structs::resolve(&repository.library).ok()?;
    // SAFETY: by this function's contract; the container of a virtual function is an object or an
    // interface. Infos that are got here are dropped here, but for the field.
    unsafe {
        let name = repository.name(vfunc);
        let table = match repository.kind(container) {
            InfoKind::Interface => (structs.interface_struct)(container),
            _ => (structs.class_struct)(container),
        };
        if table.is_null() {
            return None;
        }
        let mut found = None;
        for index in 0..(structs.n_fields)(table) {
            let field = (structs.field)(table, index);
            match found.is_none() && repository.name(field) == name {
                true => found = Some(field),
                false => repository.unref(field),
            }
        }
        repository.unref(table);
        found
    }
}
