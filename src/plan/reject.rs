//! Why a signature runs in PyGObject instead of here: the one table of reasons.
//!
//! A rejection is a property of the signature, found before the first call. It is no error: the
//! callable works as before, and the reason is counted and shown. New reasons are added here and
//! nowhere else.

macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $variant:ident = $id:literal;)*) => {
        /// A reason. Its documentation is what users are shown.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[doc = $doc])* $variant,)* }

        impl Reason {
            /// All reasons, in the order of the table.
            pub const ALL: &[Reason] = &[$(Reason::$variant),*];

            /// The stable name, for statistics and traces.
            pub fn id(self) -> &'static str {
                match self { $(Reason::$variant => $id,)* }
            }

            /// One sentence for users.
            pub fn text(self) -> &'static str {
                match self { $(Reason::$variant => concat!($($doc),*).trim_ascii(),)* }
            }
        }
    };
}

reasons! {
    /// An array whose length argument is no integer or travels another way than the array.
    ArrayLength = "array-length";
    /// An array of C arrays that Python gives and that stays the caller's.
    NestedArray = "nested-array";
    /// A floating point number in a list or hash table, which hold pointers.
    List = "list";
    /// A callback or a closure that is no plain argument, or whose destroy notify stands before it.
    Callback = "callback";
    /// A struct of a fundamental type, which PyGObject does not convert.
    Fundamental = "fundamental";
    /// A struct that another module wraps, for which PyGObject has no converter.
    ForeignStruct = "foreign-struct";
    /// A class struct that goes in and comes out in one argument.
    ClassStruct = "class-struct";
    /// A struct that is returned by value, or changed where PyGObject passes the address of a pointer.
    StructByValue = "struct-by-value";
    /// Memory that the caller shall allocate for something of unknown size or that is no struct.
    CallerAllocated = "caller-allocated";
    /// A string that the function writes into and returns as a new one, so that it is freed twice.
    WrittenString = "written-string";
    /// A virtual function that its class struct has no field for.
    VirtualFunction = "virtual-function";
    /// More than 32 Python arguments or results.
    TooLarge = "too-large";
    /// The library does not export the symbol that its typelib names.
    NoSymbol = "no-symbol";
    /// A type that no installed typelib defines or of no use to PyGObject, or an argument of type void.
    Unresolved = "unresolved-type";
    /// Left out by GIJIT_ONLY or GIJIT_SKIP.
    NotSelected = "not-selected";
    /// A defect in gijit.
    Defect = "defect";
}

/// A rejected signature: the reason and the argument at fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reject {
    pub reason: Reason,
    /// The argument's name, `return value` or `self`; empty for the whole callable.
    pub place: String,
}

impl std::fmt::Display for Reject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.place.is_empty() {
            true => write!(f, "{}", self.reason.id()),
            false => write!(f, "{} ({})", self.reason.id(), self.place),
        }
    }
}
