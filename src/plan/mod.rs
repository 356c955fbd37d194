//! What one call means, stated once: every tier executes this and nothing else.
//!
//! A plan is an inert value over a frame of 8-byte *cells*. Phase *in* turns Python arguments into
//! cells, *call* enters the native function with cells or their addresses, *out* turns cells into
//! Python values, *release* gives back what is still owned. Until *call*, any step may bail: the
//! `undo` of every earlier `In` runs, and the call goes to the tier below. After *call* nothing
//! bails; when an *out* step fails, the release steps of what was not converted run and the
//! exception is the result. Containers take several consecutive cells ([`Conv::width`]).
//!
//! `build` makes a plan from a signature or rejects it with a [`reject::Reject`]; `verify` checks
//! it; `text` prints and parses it; `link` lets the host attach addresses to each step.

use std::sync::Arc;

use crate::ir::AbiType;
use crate::signature::{ArrayKind, ListKind, Name, Scope, Transfer, TypeRef};

pub mod build;
pub mod convert;
pub mod field;
pub mod link;
mod prepare;
pub mod reject;
pub mod reverse;
pub mod text;
pub mod verify;
pub mod words;

/// The most Python parameters and the most cells that a plan may have; a call's frame stands on the
/// stack.
pub const MAX_PARAMS: usize = 32;
pub const MAX_CELLS: usize = 64;
/// Most plans and what goes with them fit into so many places (unmeasured: the usual arguments of a
/// method). Calls nest, so frames for these are no larger.
pub const FEW_CELLS: usize = 12;

/// The width of [`Conv::First`]: 16 characters, of which `g_unichar_fully_decompose` writes the most.
const FIRST_WIDTH: u16 = 16;

/// An 8-byte place in the frame of one call, printed `c3`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub struct Cell(pub u16);

/// How a value is converted between Python and C. One variant per meaning; what differs only in
/// ownership or None is in the step that uses it.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum Conv {
    /// Truth value, `gboolean`.
    Boolean,
    /// An integer with range check.
    Integer(AbiType),
    Float,
    Double,
    Unichar,
    GType,
    /// `gpointer`: None, an int or a capsule; comes out as an int.
    Pointer,
    /// A number that the typelib calls a pointer. PyGObject converts the number and passes it where
    /// the pointer goes.
    AsPointer {
        of: Box<Conv>,
    },
    /// Room for several values; PyGObject knows of one, and shows the first.
    First {
        of: Box<Conv>,
    },
    /// Zero-terminated UTF-8.
    Utf8,
    /// Zero-terminated UTF-8 that the callee writes into: a copy, which is freed after the call. Goes
    /// in only.
    Written,
    /// Zero-terminated, in the file system's encoding.
    Filename,
    Enum {
        ty: TypeRef,
        storage: AbiType,
    },
    Flags {
        ty: TypeRef,
        storage: AbiType,
    },
    /// A GObject, checked against a class or an interface.
    Object {
        ty: TypeRef,
    },
    /// An instance of a fundamental type that is no GObject, such as a `GParamSpec`.
    Fundamental {
        ty: TypeRef,
    },
    /// A boxed struct or union behind a `gi.Boxed` wrapper.
    Boxed {
        ty: TypeRef,
    },
    /// A struct that another module than PyGObject wraps.
    Foreign {
        ty: TypeRef,
    },
    /// An unregistered struct or union behind a `gi.Struct` wrapper.
    Struct {
        ty: TypeRef,
    },
    /// A `GVariant` behind its wrapper.
    Variant {
        ty: TypeRef,
    },
    /// A class struct, given by its class, a `GType` or whatever names a type; goes in only.
    Class {
        ty: TypeRef,
    },
    /// The address of a virtual function's implementation in the class that a `GType` names. What
    /// the call enters; goes in only.
    VFunc,
    /// A struct or union that stands in an array itself, not behind a pointer; `of` converts the
    /// pointer to it. Items of arrays only.
    Inline {
        of: Box<Conv>,
    },
    /// A `GValue`: any Python object. Four cells: the pointer, and the value itself when it is made here.
    Value,
    /// A `GError`, other than the one that a call raises. Two cells: the pointer, and what is kept.
    Error,
    /// An array: a Python list, or bytes for `guint8`. Three cells: the pointer, the number of items,
    /// what the *in* step keeps for its release.
    Array(Box<Array>),
    /// A linked list, as a Python list. Two cells: the pointer, and what the *in* step keeps.
    List {
        kind: ListKind,
        item: Box<Conv>,
    },
    /// A `GHashTable`, as a dict. Two cells, as [`Conv::List`].
    Hash {
        key: Box<Conv>,
        value: Box<Conv>,
    },
    /// A `GClosure`: goes in as a callable or a wrapper, comes out as a boxed value.
    Closure {
        ty: TypeRef,
    },
    /// A callable as a C function pointer of type `ty`; goes in only. Six cells: the function, its
    /// user data, the destroy notify, the native closure, and for the tiers to fill before the step
    /// where the Python values that the callable gets as user data stand and how many there are.
    Callback {
        ty: TypeRef,
        scope: Scope,
        data: UserData,
        /// The call passes the third cell.
        destroy: bool,
        shared: Shared,
    },
}

/// How many cells before its own the step of a callback writes its user data and its destroy notify:
/// several callbacks may have the same, and the call passes those of the last that is not None.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct Shared {
    pub data: u16,
    pub destroy: u16,
}

/// What Python gives for the user data of a callback.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum UserData {
    /// The call takes none.
    None,
    /// An argument, which may be left out.
    Param(u16),
    /// An argument as [`UserData::Param`] of a call whose further arguments are another callback's: a
    /// tuple, which PyGObject then takes for the arguments themselves.
    Tuple(u16),
    /// All further arguments ([`Plan::rest`]).
    Rest,
    /// An argument that stands before the callback. PyGObject mixes the arguments up when the
    /// callback is not None, so None is all that is taken; the call passes NULL for both.
    Ignored(u16),
}

/// The cells of a callback that the tiers fill: where the values of its user data stand, and their
/// number.
pub const DATA_VALUES: u16 = 4;
pub const DATA_COUNT: u16 = 5;
const CALLBACK_WIDTH: u16 = 6;

/// What an array is.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Array {
    pub kind: ArrayKind,
    pub item: Conv,
    /// A zero item stands behind the last.
    pub zero_terminated: bool,
    /// The number of items, where it is fixed.
    pub fixed: Option<usize>,
    /// The type of the argument that holds the number of items, in the second cell.
    pub length: Option<AbiType>,
}

impl Conv {
    /// The number of consecutive cells that one value takes. The first is what the call passes.
    pub fn width(&self) -> u16 {
        match self {
            Conv::First { .. } => FIRST_WIDTH,
            Conv::Inline { of } => of.width(),
            Conv::Value => 4,
            Conv::Error => 2,
            Conv::Array(_) => 3,
            Conv::List { .. } | Conv::Hash { .. } => 2,
            Conv::Callback { .. } => CALLBACK_WIDTH,
            _ => 1,
        }
    }

    /// Whether its *in* step keeps something for a release step, and is undone as a whole.
    pub fn keeps(&self) -> bool {
        self.is_container()
            || self.is_value()
            || matches!(
                self,
                Conv::Error | Conv::Written | Conv::Callback { .. } | Conv::Closure { .. }
            )
    }

    /// Whether such a value only goes from Python to C.
    pub fn is_inward(&self) -> bool {
        matches!(
            self,
            Conv::Callback { .. } | Conv::Class { .. } | Conv::VFunc | Conv::Written
        )
    }

    /// Whether it is a `GValue`, wherever it stands.
    pub fn is_value(&self) -> bool {
        match self {
            Conv::Value => true,
            Conv::Inline { of } => of.is_value(),
            _ => false,
        }
    }

    /// Whether Python gets a copy, so that an original that came with it is freed in any case.
    pub fn is_copied(&self) -> bool {
        matches!(self, Conv::Utf8 | Conv::Filename | Conv::Error)
    }

    /// Whether it holds other values.
    pub fn is_container(&self) -> bool {
        matches!(self, Conv::Array(_) | Conv::List { .. } | Conv::Hash { .. })
    }

    /// The type of a further cell that the call may pass, too.
    pub fn further(&self, offset: u16) -> Option<AbiType> {
        match self {
            Conv::Array(array) if offset == 1 => array.length,
            Conv::Callback { data, .. } if offset == 1 && *data != UserData::None => {
                Some(AbiType::Ptr)
            }
            Conv::Callback { destroy: true, .. } if offset == 2 => Some(AbiType::Ptr),
            _ => None,
        }
    }

    /// How the value travels in a call.
    pub fn abi(&self) -> AbiType {
        match self {
            Conv::Boolean => AbiType::I32,
            Conv::Integer(abi) => *abi,
            Conv::Float => AbiType::F32,
            Conv::Double => AbiType::F64,
            Conv::Unichar => AbiType::U32,
            Conv::GType => AbiType::U64,
            Conv::Enum { storage, .. } | Conv::Flags { storage, .. } => *storage,
            Conv::First { of } => of.abi(),
            Conv::Pointer
            | Conv::AsPointer { .. }
            | Conv::Utf8
            | Conv::Written
            | Conv::Filename
            | Conv::Object { .. }
            | Conv::Fundamental { .. }
            | Conv::Foreign { .. }
            | Conv::Boxed { .. }
            | Conv::Struct { .. }
            | Conv::Variant { .. }
            | Conv::Class { .. }
            | Conv::VFunc
            | Conv::Inline { .. }
            | Conv::Value
            | Conv::Error
            | Conv::Array(_)
            | Conv::List { .. }
            | Conv::Hash { .. }
            | Conv::Closure { .. }
            | Conv::Callback { .. } => AbiType::Ptr,
        }
    }

    /// Whether None can stand for NULL.
    pub fn takes_none(&self) -> bool {
        self.abi() == AbiType::Ptr && !matches!(self, Conv::AsPointer { .. })
    }

    /// The registered type that it names.
    pub fn type_ref(&self) -> Option<&TypeRef> {
        match self {
            Conv::Enum { ty, .. }
            | Conv::Flags { ty, .. }
            | Conv::Object { ty }
            | Conv::Fundamental { ty }
            | Conv::Foreign { ty }
            | Conv::Boxed { ty }
            | Conv::Struct { ty }
            | Conv::Variant { ty }
            | Conv::Closure { ty }
            | Conv::Callback { ty, .. }
            | Conv::Class { ty } => Some(ty),
            Conv::Inline { of } | Conv::AsPointer { of } | Conv::First { of } => of.type_ref(),
            _ => None,
        }
    }
}

/// A Python-visible argument. The instance of a method is the first; before that of a virtual
/// function stands the `GType` of the implementing class. The class that a constructor is called with
/// is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PyParam {
    /// `None` for the instance and the `GType`, which cannot be given by keyword.
    pub name: Option<Name>,
    /// May be left out: the cell is then zero.
    pub optional: bool,
}

/// Phase *in*: `cell` becomes the C value of Python argument `param`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct In {
    /// `None`: nothing is converted, the step prepares memory for the callee.
    pub param: Option<u16>,
    /// The first cell of the value.
    pub cell: Cell,
    pub conv: Conv,
    /// None gives NULL; without this, None bails.
    pub nullable: bool,
    /// `Full`: the callee gets a reference or copy of its own. `Container`: of a container, but not
    /// of its items.
    pub transfer: Transfer,
    /// Gives back what this step acquired, when a later step bails.
    pub undo: Option<Free>,
}

impl In {
    /// Whether it allocates a struct that the callee fills and Python gets.
    pub fn allocates(&self) -> bool {
        let structure = matches!(
            self.conv,
            Conv::Boxed { .. } | Conv::Struct { .. } | Conv::Foreign { .. }
        );
        self.param.is_none() && structure
    }
}

/// One C argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallArg {
    /// The cell's value.
    Value { cell: Cell, abi: AbiType },
    /// The cell's address; the cell is zero before the call unless an `In` fills it.
    Address { cell: Cell },
}

/// Phase *call*.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// The cell that holds the address of what is called, made by [`Conv::VFunc`]; `None` for the
    /// function of the plan's symbol.
    pub target: Option<Cell>,
    pub args: Vec<CallArg>,
    /// Where the result goes; `None` for void.
    pub result: Option<(Cell, AbiType)>,
    /// The cell of the `GError*`. Its address is the last of `args`. When it is not NULL after the
    /// call, that error is raised; of what follows only the release steps of [`When::Called`] run.
    pub error: Option<Cell>,
}

/// Phase *out*: a Python value from `cell`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Out {
    pub cell: Cell,
    pub conv: Conv,
    /// `Full`: the value's ownership goes to the Python object. Of strings and errors the copy is made
    /// here and the original given back in *release*.
    pub transfer: Transfer,
}

/// How something owned is given back. NULL is left alone.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum Free {
    /// `g_free`.
    Memory,
    /// `g_object_unref`.
    Object,
    /// The function of the fundamental type that drops a reference.
    Fundamental { ty: TypeRef },
    /// As the module that wraps the foreign struct does.
    Foreign { ty: TypeRef },
    /// `g_boxed_free` of the type.
    Boxed { ty: TypeRef },
    /// `g_variant_unref`.
    Variant,
    /// `g_value_unset`, of a value in an array.
    Value,
    /// `g_error_free`.
    Error,
    /// A container that the callee gave, with its items for [`Transfer::Full`].
    Container { conv: Box<Conv>, transfer: Transfer },
    /// All that the *in* step of this cell made, as if the call were not to be.
    Made,
    /// What the *in* step of this cell has kept: memory that the callee has only borrowed.
    Kept,
}

/// When a release step runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// After the *out* phase, whether that succeeded or not.
    Always,
    /// Only when the *out* phase failed before it came to this cell. The *out* step of the cell takes
    /// over what is there, also when it fails itself.
    Unconverted,
    /// As `Always`, and also when the call has set its error.
    Called,
    /// As `Unconverted`, and also when the call has set its error.
    Failed,
}

impl When {
    /// Whether it runs when the call has set its error.
    pub fn after_error(self) -> bool {
        matches!(self, When::Called | When::Failed)
    }

    /// Whether it runs after the *out* phase, which has come to the cell or not.
    pub fn after_out(self, reached: bool) -> bool {
        matches!(self, When::Always | When::Called) || !reached
    }
}

/// Phase *release*.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Release {
    pub cell: Cell,
    pub free: Free,
    pub when: When,
}

/// What Python gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ResultShape {
    /// `None`; there are no outs.
    None,
    /// The only out.
    Single,
    /// PyGObject's ResultTuple over all outs; `names[i]` is `None` for the return value.
    Tuple { names: Vec<Option<Name>> },
}

/// One call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// As in [`crate::signature::Signature::name`].
    pub name: Arc<str>,
    pub symbol: Name,
    /// Called with a class before the arguments proper; a NULL result is PyGObject's
    /// "constructor returned NULL" (its `_constructor_cache_invoke_real`).
    pub constructor: bool,
    pub params: Vec<PyParam>,
    /// The name of the parameter that takes all further positional arguments: user data.
    pub rest: Option<Name>,
    pub ins: Vec<In>,
    pub call: Call,
    pub outs: Vec<Out>,
    pub release: Vec<Release>,
    pub result: ResultShape,
    /// Number of cells in the frame.
    pub cells: u16,
}

impl Plan {
    /// Whether the *out* phase has come to `cell` when `done` of its steps have succeeded.
    pub fn reached(&self, cell: Cell, done: usize) -> bool {
        self.outs.iter().take(done + 1).any(|out| out.cell == cell)
    }

    /// The values of more than one cell: first cell and width.
    pub fn groups(&self) -> impl Iterator<Item = (Cell, u16)> {
        let ins = self.ins.iter().map(|op| (op.cell, op.conv.width()));
        let outs = self.outs.iter().map(|out| (out.cell, out.conv.width()));
        ins.chain(outs).filter(|(_, width)| *width > 1)
    }
}
