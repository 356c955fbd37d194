//! Names of the typelib: of types, arguments and functions.
//!
//! A typelib is never unloaded, so what is read out of it borrows its text and a first call copies
//! no names. Types are interned: a [`TypeRef`] is one pointer, and equal names are the same one.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{LazyLock, Mutex};

use crate::sync::lock_std as lock;

/// The name of an argument or of a function; owned where no typelib has given it.
pub type Name = Cow<'static, str>;

/// What a [`TypeRef`] says.
#[derive(PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TypeName {
    pub namespace: Name,
    pub name: Name,
}

/// A registered type by its introspected name, `Gtk.Label`. Also the key into
/// [`super::Bindings::types`].
#[derive(Clone, Copy)]
pub struct TypeRef(&'static TypeName);

/// All names of types, which are as many as the program's callables name.
static KNOWN: LazyLock<Mutex<HashSet<&'static TypeName>>> = LazyLock::new(Mutex::default);

impl TypeRef {
    pub fn new(namespace: impl Into<Name>, name: impl Into<Name>) -> Self {
        let (namespace, name) = (namespace.into(), name.into());
        let wanted = TypeName { namespace, name };
        let mut known = lock(&KNOWN);
        if let Some(found) = known.get(&wanted) {
            return TypeRef(found);
        }
        let made: &'static TypeName = Box::leak(Box::new(wanted));
        known.insert(made);
        TypeRef(made)
    }
}

impl Deref for TypeRef {
    type Target = TypeName;

    fn deref(&self) -> &TypeName {
        self.0
    }
}

impl PartialEq for TypeRef {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for TypeRef {}

impl Hash for TypeRef {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::hash(self.0, state);
    }
}

/// By name, so that what is listed in this order is the same in each process.
impl Ord for TypeRef {
    fn cmp(&self, other: &Self) -> Ordering {
        match self == other {
            true => Ordering::Equal,
            false => self.0.cmp(other.0),
        }
    }
}

impl PartialOrd for TypeRef {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl std::fmt::Display for TypeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.namespace, self.name)
    }
}

impl std::fmt::Debug for TypeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}
