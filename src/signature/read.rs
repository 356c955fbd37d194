//! Reads one callable out of its typelib.
//!
//! After this nothing reads the typelib for it again. The infos of the types that it names are kept
//! (one reference each, never dropped: a typelib is never unloaded either).

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use super::girepository::{Girepository, IS_CONSTRUCTOR, IS_METHOD, Info, InfoKind};
use super::{
    ArrayKind, Bindings, CallableKind, Direction, Field, Instance, Item, ListKind, Name, Param,
    Return, Scope, Signature, StructKind, Transfer, Type, TypeBinding, TypeRef, vtable,
};
use crate::ir::AbiType;
use crate::sync::lock_std as lock;

/// `GIFieldInfoFlags`.
const IS_READABLE: i32 = 1;
const IS_WRITABLE: i32 = 2;

/// Fundamental `GType`s, from gtype.h.
const G_TYPE_NONE: usize = 4;
const G_TYPE_POINTER: usize = 17 << 2;
const G_TYPE_BOXED: usize = 18 << 2;
const G_TYPE_OBJECT: usize = 20 << 2;
const G_TYPE_VARIANT: usize = 21 << 2;

/// What reading needs of GObject.
#[derive(Clone, Copy, Debug)]
pub struct TypeSystem {
    /// `g_type_fundamental`.
    pub fundamental: unsafe extern "C" fn(usize) -> usize,
}

/// Reads the function, virtual function or callback type `info`.
///
/// # Safety
/// `info` is a valid function, vfunc or callback info of `repository`, `types` holds GObject's functions, and
/// the caller may run `get_type` functions (PyGObject runs them with the GIL held).
pub unsafe fn read(
    repository: &Girepository,
    types: &TypeSystem,
    info: Info,
) -> (Signature, Bindings) {
    let mut reader = Reader::new(repository, types);
    // SAFETY: by this function's contract.
    let signature = unsafe { reader.callable(info) };
    (signature, reader.bindings)
}

/// Reads the field `info` of a struct or union.
///
/// # Safety
/// As for [`read`], of a field info.
pub unsafe fn read_field(
    repository: &Girepository,
    types: &TypeSystem,
    info: Info,
) -> (Field, Bindings) {
    let mut reader = Reader::new(repository, types);
    // SAFETY: by this function's contract; the type info is dropped at the end.
    unsafe {
        let (flags, offset, bits) = repository.field_facts(info);
        let ty = repository.field_type(info);
        let field = Field {
            ty: reader.ty(ty),
            is_pointer: repository.type_tag(ty).1,
            offset,
            readable: flags & IS_READABLE != 0,
            writable: flags & IS_WRITABLE != 0,
            is_bits: bits != 0,
        };
        repository.unref(ty);
        (field, reader.bindings)
    }
}

/// A registered type or a callback's type, as it is found.
#[derive(Clone)]
struct Known {
    name: TypeRef,
    ty: Type,
    /// `None` for a type that no typelib defines.
    binding: Option<TypeBinding>,
    /// Of a callback's type.
    deprecated: bool,
}

/// The types that have been read, so that each is read once however many callables name it: by the
/// address of their name. A typelib holds each text once and no two types of one name, and is never
/// unloaded.
static KNOWN: LazyLock<Mutex<HashMap<usize, Known>>> = LazyLock::new(Mutex::default);

struct Reader<'a> {
    repository: &'a Girepository,
    types: &'a TypeSystem,
    bindings: Bindings,
    /// A callback type that the callable takes is deprecated.
    deprecated: bool,
}

impl<'a> Reader<'a> {
    fn new(repository: &'a Girepository, types: &'a TypeSystem) -> Self {
        Reader {
            repository,
            types,
            bindings: Bindings::default(),
            deprecated: false,
        }
    }

    /// # Safety
    /// As for [`read`].
    unsafe fn callable(&mut self, info: Info) -> Signature {
        let repository = self.repository;
        // SAFETY: `info` is a valid callable info; infos made on the way are valid until unref'd.
        unsafe {
            let (vfunc, callback) = match repository.kind(info) {
                InfoKind::VFunc => (true, false),
                InfoKind::Callback => (false, true),
                _ => (false, false),
            };
            let flags = match vfunc || callback {
                true => 0,
                false => repository.flags(info),
            };
            let kind = match flags {
                _ if vfunc => CallableKind::VFunc,
                _ if callback => CallableKind::Callback,
                flags if flags & IS_CONSTRUCTOR != 0 => CallableKind::Constructor,
                flags if flags & IS_METHOD != 0 => CallableKind::Method,
                _ => CallableKind::Function,
            };
            let container = match callback {
                true => None,
                false => repository.container(info),
            };
            let (namespace, own) = (repository.namespace(info), repository.name(info));
            let prefix = if vfunc { "do_" } else { "" };
            let name = match container {
                Some(container) => [
                    &namespace,
                    ".",
                    &repository.name(container),
                    ".",
                    prefix,
                    &own,
                ]
                .concat(),
                None => [&namespace, ".", prefix, &own].concat(),
            };
            let (owns, nullable, skip, throws, instance_transfer) = repository.callable_facts(info);
            let instance = match (kind, container) {
                (CallableKind::Method | CallableKind::VFunc, Some(container)) => Some(Instance {
                    ty: self.interface(container),
                    transfer: transfer(instance_transfer),
                }),
                _ => None,
            };
            let params = (0..repository.n_args(info))
                .map(|index| {
                    let arg = repository.arg(info, index);
                    let param = self.param(arg);
                    repository.unref(arg);
                    param
                })
                .collect();
            let result = repository.return_type(info);
            let (_, is_pointer) = repository.type_tag(result);
            let result_type = self.ty(result);
            let length = match result_type {
                Type::Array { .. } => repository.array_length(result),
                _ => None,
            };
            repository.unref(result);
            match container {
                Some(container) if vfunc => {
                    let gtype = repository.gtype(container);
                    self.bindings.vfunc = vtable::place(repository, info, container, gtype);
                }
                _ if callback => {}
                _ => self.bindings.native = repository.address(info),
            }
            Signature {
                name: name.into(),
                symbol: if vfunc {
                    own
                } else if callback {
                    Name::default()
                } else {
                    repository.symbol(info)
                },
                kind,
                instance,
                params,
                result: Return {
                    is_pointer: is_pointer || self.opaque(&result_type),
                    ty: result_type,
                    transfer: transfer(owns),
                    nullable,
                    skip,
                    length,
                },
                throws,
                deprecated: repository.deprecated(info) || self.deprecated,
            }
        }
    }

    /// # Safety
    /// `arg` is a valid argument info.
    unsafe fn param(&mut self, arg: Info) -> Param {
        let repository = self.repository;
        // SAFETY: by this function's contract; the type info is dropped at the end.
        unsafe {
            let (direction, ownership) = repository.arg_passing(arg);
            let (nullable, optional, caller_allocates) = repository.arg_facts(arg);
            let info = repository.arg_type(arg);
            let (_, is_pointer) = repository.type_tag(info);
            let ty = self.ty(info);
            let length = match ty {
                Type::Array { .. } => repository.array_length(info),
                _ => None,
            };
            repository.unref(info);
            Param {
                name: repository.name(arg),
                is_pointer: is_pointer || self.opaque(&ty),
                ty,
                direction: match direction {
                    0 => Direction::In,
                    1 => Direction::Out,
                    _ => Direction::InOut,
                },
                transfer: transfer(ownership),
                nullable,
                optional,
                caller_allocates,
                scope: match repository.arg_scope(arg) {
                    1 => Scope::Call,
                    2 => Scope::Async,
                    3 => Scope::Notified,
                    _ => Scope::Forever,
                },
                closure: repository.arg_closure(arg),
                destroy: repository.arg_destroy(arg),
                length,
            }
        }
    }

    /// # Safety
    /// `info` is a valid type info.
    unsafe fn ty(&mut self, info: Info) -> Type {
        // SAFETY: by this function's contract.
        let (tag, is_pointer) = unsafe { self.repository.type_tag(info) };
        match tag {
            0 if is_pointer => Type::Pointer,
            0 => Type::Void,
            1 => Type::Boolean,
            2..=9 => Type::Integer(integer(tag)),
            10 => Type::Float,
            11 => Type::Double,
            12 => Type::GType,
            13 => Type::Utf8,
            14 => Type::Filename,
            // SAFETY: the tag says that it is an array, which has one type parameter.
            15 => unsafe {
                let (kind, zero_terminated, fixed) = self.repository.array_facts(info);
                Type::Array {
                    kind: match kind {
                        0 => ArrayKind::C,
                        1 => ArrayKind::GArray,
                        2 => ArrayKind::GPtrArray,
                        _ => ArrayKind::GByteArray,
                    },
                    item: self.item(info, 0),
                    zero_terminated,
                    fixed,
                }
            },
            16 => {
                // SAFETY: the tag says that it has an interface; the reference is dropped, `binding`
                // takes its own.
                unsafe {
                    let interface = self.repository.type_interface(info);
                    let ty = self.interface(interface);
                    self.repository.unref(interface);
                    ty
                }
            }
            // SAFETY: the tag says that it is a list, which has one type parameter.
            17 | 18 => unsafe {
                Type::List {
                    kind: match tag {
                        17 => ListKind::GList,
                        _ => ListKind::GSList,
                    },
                    item: self.item(info, 0),
                }
            },
            // SAFETY: a hash table has two type parameters.
            19 => unsafe {
                Type::Hash {
                    key: self.item(info, 0),
                    value: self.item(info, 1),
                }
            },
            20 => Type::Error,
            21 => Type::Unichar,
            _ => Type::Unresolved {
                name: format!("type tag {tag}"),
            },
        }
    }

    /// The type parameter `index` of a container.
    ///
    /// # Safety
    /// `container` is the type info of a container with that many parameters.
    unsafe fn item(&mut self, container: Info, index: usize) -> Box<Item> {
        // SAFETY: by this function's contract; the type info is dropped at the end. A typelib that
        // does not say what a container holds gives none.
        unsafe {
            let Some(info) = self.repository.type_parameter(container, index) else {
                return Box::new(Item {
                    ty: Type::Pointer,
                    is_pointer: true,
                });
            };
            let (_, is_pointer) = self.repository.type_tag(info);
            let ty = self.ty(info);
            self.repository.unref(info);
            Box::new(Item { ty, is_pointer })
        }
    }

    /// # Safety
    /// `info` is a valid info of a registered type, a callback or an unresolved one.
    unsafe fn interface(&mut self, info: Info) -> Type {
        // SAFETY: by this function's contract.
        let address = unsafe { self.repository.name_address(info) };
        let known = lock(&KNOWN).get(&address).cloned();
        let known = known.unwrap_or_else(|| {
            // SAFETY: as above.
            let read = unsafe { self.named(info) };
            if read.binding.is_some() {
                lock(&KNOWN).insert(address, read.clone());
            }
            read
        });
        self.deprecated |= known.deprecated;
        if let Some(binding) = known.binding {
            self.bindings.types.entry(known.name).or_insert(binding);
        }
        known.ty
    }

    /// Whether it is a struct of unknown size. The typelib calls pointers to some of these structs,
    /// where C has a name for the pointer.
    fn opaque(&self, ty: &Type) -> bool {
        match ty {
            Type::Struct { ty, .. } | Type::Union { ty, .. } => self
                .bindings
                .types
                .get(ty)
                .is_some_and(|found| found.size == 0),
            _ => false,
        }
    }

    /// What the typelib says about a type, and what it is in this process.
    ///
    /// # Safety
    /// As [`Self::interface`].
    unsafe fn named(&self, info: Info) -> Known {
        let repository = self.repository;
        // SAFETY: each arm's info is of the kind that its functions take; `gtype` gives the GType of a
        // registered type. The reference is kept for good.
        unsafe {
            let name = TypeRef::new(repository.namespace(info), repository.name(info));
            let kind = repository.kind(info);
            let gtype = match kind {
                InfoKind::Callback => G_TYPE_NONE,
                InfoKind::Enum
                | InfoKind::Flags
                | InfoKind::Object
                | InfoKind::Interface
                | InfoKind::Struct
                | InfoKind::Union => repository.gtype(info),
                _ => {
                    return Known {
                        name,
                        ty: Type::Unresolved {
                            name: name.to_string(),
                        },
                        binding: None,
                        deprecated: false,
                    };
                }
            };
            let (mut size, mut deprecated) = (0, false);
            let ty = match kind {
                InfoKind::Enum => Type::Enum {
                    ty: name,
                    storage: integer(repository.enum_storage(info)),
                },
                InfoKind::Flags => Type::Flags {
                    ty: name,
                    storage: integer(repository.enum_storage(info)),
                },
                InfoKind::Object => Type::Object {
                    ty: name,
                    gobject: (self.types.fundamental)(gtype) == G_TYPE_OBJECT,
                },
                InfoKind::Interface => Type::Interface { ty: name },
                InfoKind::Struct => {
                    let (is_class, is_foreign, bytes) = repository.struct_facts(info);
                    size = bytes;
                    Type::Struct {
                        ty: name,
                        kind: match () {
                            () if is_class => StructKind::ClassStruct,
                            () if is_foreign => StructKind::Foreign,
                            () => self.struct_kind(name, gtype),
                        },
                    }
                }
                InfoKind::Union => {
                    size = repository.union_size(info);
                    Type::Union {
                        ty: name,
                        kind: self.struct_kind(name, gtype),
                    }
                }
                _ => {
                    deprecated = repository.deprecated(info);
                    Type::Callback { ty: name }
                }
            };
            Known {
                name,
                ty,
                binding: Some(TypeBinding {
                    gtype,
                    info: repository.reference(info) as usize,
                    size,
                }),
                deprecated,
            }
        }
    }

    fn struct_kind(&self, ty: TypeRef, gtype: usize) -> StructKind {
        // SAFETY: a GType that the typelib's own get_type function gave.
        let fundamental = unsafe { (self.types.fundamental)(gtype) };
        match (&*ty.namespace, &*ty.name) {
            ("GObject", "Value") => return StructKind::Value,
            ("GObject", "Closure") => return StructKind::Closure,
            _ => {}
        }
        match fundamental {
            G_TYPE_BOXED => StructKind::Boxed,
            G_TYPE_NONE | G_TYPE_POINTER => StructKind::Plain,
            G_TYPE_VARIANT => StructKind::Variant,
            _ => StructKind::OtherFundamental,
        }
    }
}

/// A `GITypeTag` between INT8 and UINT64.
fn integer(tag: i32) -> AbiType {
    match tag {
        2 => AbiType::I8,
        3 => AbiType::U8,
        4 => AbiType::I16,
        5 => AbiType::U16,
        6 => AbiType::I32,
        7 => AbiType::U32,
        8 => AbiType::I64,
        _ => AbiType::U64,
    }
}

fn transfer(value: i32) -> Transfer {
    match value {
        0 => Transfer::None,
        1 => Transfer::Container,
        _ => Transfer::Full,
    }
}
