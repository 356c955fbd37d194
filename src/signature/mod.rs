//! All that a typelib says about one callable, read once, owned and immutable.
//!
//! A [`Signature`] is plain data: names, types, directions, ownership. Addresses that only hold in
//! this process (the native function, `GType` numbers, `GIBaseInfo` pointers) are kept apart, in
//! [`Bindings`]. `read` produces both; after that nothing reads the typelib for the callable again.
//!
//! It says what the typelib says and decides nothing: which signatures can be called, and what a
//! call means, is the plan's business (`plan/`).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ir::AbiType;

mod field;
pub mod fundamental;
pub mod girepository;
pub mod lookup;
mod name;
pub mod read;
mod text;
pub mod vtable;

pub use field::Field;
pub use name::{Name, TypeName, TypeRef};

/// How the callable is reached and what its first Python argument is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallableKind {
    /// A function or a static function: no implicit argument.
    Function,
    /// The first argument is the instance.
    Method,
    /// The first Python argument is the class, which is not passed on.
    Constructor,
    /// A virtual function: the first Python argument is the implementor's `GType`.
    VFunc,
    /// The type of a function that C code calls.
    Callback,
}

/// GObject introspection's ownership transfer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Transfer {
    None,
    Container,
    Full,
}

/// Which way an argument travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Direction {
    In,
    Out,
    InOut,
}

/// What a struct-like type is to GObject.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum StructKind {
    /// Registered as boxed (its `GType` is a `G_TYPE_BOXED`).
    Boxed,
    /// No `GType`, or a `G_TYPE_POINTER`: a plain C struct.
    Plain,
    /// `GVariant`.
    Variant,
    /// `GValue`.
    Value,
    /// `GClosure`.
    Closure,
    /// Marshalled by a foreign converter (cairo).
    Foreign,
    /// The class struct of a GObject type.
    ClassStruct,
    /// Any other registered fundamental.
    OtherFundamental,
}

/// What holds an array's items.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ArrayKind {
    /// A pointer to the first item.
    C,
    GArray,
    GPtrArray,
    GByteArray,
}

/// Which linked list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ListKind {
    GList,
    GSList,
}

/// How long C keeps a callback.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Scope {
    /// Until the function returns.
    Call,
    /// Until it has been called once.
    Async,
    /// Until its destroy notify is called.
    Notified,
    /// For good; also what the typelib leaves open.
    Forever,
}

/// What a container holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    pub ty: Type,
    pub is_pointer: bool,
}

/// The type of an argument or a result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Type {
    /// `void` as a result.
    Void,
    /// `gpointer`.
    Pointer,
    Boolean,
    /// `gint8` .. `guint64`, as the ABI passes it.
    Integer(AbiType),
    Float,
    Double,
    GType,
    Utf8,
    Filename,
    Unichar,
    /// `storage` is the integer that carries it.
    Enum {
        ty: TypeRef,
        storage: AbiType,
    },
    Flags {
        ty: TypeRef,
        storage: AbiType,
    },
    /// A class. `gobject` is false for a fundamental that is no GObject (a GParamSpec, a mini-object).
    Object {
        ty: TypeRef,
        gobject: bool,
    },
    Interface {
        ty: TypeRef,
    },
    Struct {
        ty: TypeRef,
        kind: StructKind,
    },
    Union {
        ty: TypeRef,
        kind: StructKind,
    },
    Callback {
        ty: TypeRef,
    },
    Array {
        kind: ArrayKind,
        item: Box<Item>,
        zero_terminated: bool,
        /// The number of items, where the typelib fixes it.
        fixed: Option<usize>,
    },
    List {
        kind: ListKind,
        item: Box<Item>,
    },
    /// `GHashTable`.
    Hash {
        key: Box<Item>,
        value: Box<Item>,
    },
    Error,
    /// The typelib names a type that no installed typelib defines.
    Unresolved {
        name: String,
    },
}

/// One C argument, the instance and the `GError**` left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Param {
    pub name: Name,
    pub ty: Type,
    /// The typelib says that the type is a pointer, or it is a struct of unknown size, which cannot
    /// travel otherwise.
    pub is_pointer: bool,
    pub direction: Direction,
    pub transfer: Transfer,
    /// `(nullable)`, and for old typelibs `(allow-none)`.
    pub nullable: bool,
    pub optional: bool,
    pub caller_allocates: bool,
    /// Of a callback.
    pub scope: Scope,
    /// Index of the user data argument of a callback, or of itself for user data.
    pub closure: Option<usize>,
    /// Index of the destroy notify of a callback.
    pub destroy: Option<usize>,
    /// Index of the length argument of an array.
    pub length: Option<usize>,
}

/// The result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Return {
    pub ty: Type,
    pub is_pointer: bool,
    pub transfer: Transfer,
    pub nullable: bool,
    /// `(skip)`: not shown to Python.
    pub skip: bool,
    /// Index of the length argument of an array.
    pub length: Option<usize>,
}

/// The implicit first argument of a method.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instance {
    pub ty: Type,
    pub transfer: Transfer,
}

/// One callable as its typelib describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// `Namespace.name` or `Namespace.Container.name`; a virtual function's name begins with `do_`, as
    /// the attribute does that Python code sees.
    pub name: Arc<str>,
    /// The C function's name; for a virtual function that of its field in the class struct.
    pub symbol: Name,
    pub kind: CallableKind,
    /// For methods and virtual functions.
    pub instance: Option<Instance>,
    pub params: Vec<Param>,
    pub result: Return,
    /// Takes a trailing `GError**`.
    pub throws: bool,
    /// It, or the type of a callback that it takes, is deprecated.
    pub deprecated: bool,
}

/// What a [`TypeRef`] is in this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TypeBinding {
    /// `GType`; `G_TYPE_NONE` (4) for an unregistered type.
    pub gtype: usize,
    /// A `GIBaseInfo*` on which one reference is held for the life of the process.
    pub info: usize,
    /// Size in bytes of a struct or union, else 0.
    pub size: usize,
}

/// The process-local side of a [`Signature`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bindings {
    /// Address of the native function, 0 when the library does not export the symbol, and for a
    /// virtual function.
    pub native: usize,
    /// Where a virtual function is found.
    pub vfunc: Option<vtable::VFuncPlace>,
    pub types: BTreeMap<TypeRef, TypeBinding>,
}
