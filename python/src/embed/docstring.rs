//! The `__doc__` of callables, as PyGObject's `gi.docstring` makes it.
//!
//! PyGObject writes one in Python for each function that an override wraps and for each class method,
//! which is a hundredth of the start of a program with GTK. This writes the same text from the
//! typelib. What a program has set as generator of such texts is asked as before.
//!
//! Not here: classes, and callables with a name that PyGObject shows otherwise (`None` is the answer).

use gijit::signature::girepository::{Girepository, IS_METHOD, Info};
use pyo3::prelude::*;

use super::members::LONGEST_KEYWORD;
use crate::callable::info;
use crate::callable::object::{self, types};

/// What PyGObject calls a type in such a text, by `GITypeTag`.
const HINTS: [&str; 22] = [
    "void",
    "bool",
    "int",
    "int",
    "int",
    "int",
    "int",
    "int",
    "int",
    "int",
    "float",
    "float",
    "GType",
    "str",
    "str",
    "list",
    "interface",
    "list",
    "list",
    "dict",
    "error",
    "str",
];
const VOID: &str = HINTS[0];
const ARRAY: usize = 15;
const INTERFACE: usize = 16;

/// `GIDirection`.
const IN: i32 = 0;
const OUT: i32 = 1;

/// What is a keyword in Python 2 or 3: PyGObject appends a `_`.
const KEYWORDS: &str = " False None True and as assert async await break class continue def del elif \
                        else except exec finally for from global if import in is lambda nonlocal not \
                        or pass print raise return try while with yield ";

/// What `gi.docstring` says about a function or virtual function; `None` of anything else, and where
/// it would take another name than the typelib's. `hides_length`: of the length of an array that is
/// returned it says nothing, as PyGObject from 3.46 on.
#[pyfunction]
pub fn callable_doc(callable: &Bound<'_, PyAny>, hides_length: bool) -> PyResult<Option<String>> {
    let types = types();
    // SAFETY: a valid object, which lives as long as this runs; `is_function` and `is_vfunc` say that
    // it has an info of that kind. The interpreter lock is held.
    let text = unsafe {
        let is_vfunc = object::is_vfunc(types, callable.as_ptr());
        if !is_vfunc && !object::is_function(types, callable.as_ptr()) {
            return Ok(None);
        }
        let info = info::fields(callable.as_ptr()).info;
        let repository = &types.repository;
        let has_self = is_vfunc || repository.flags(info) & IS_METHOD != 0;
        Arguments::of(repository, info, hides_length).map(|arguments| arguments.text(has_self))
    };
    let Some((taken, given)) = text else {
        return Ok(None);
    };
    let name = callable.getattr(pyo3::intern!(callable.py(), "__name__"))?;
    Ok(Some(match given.is_empty() {
        true => format!("{name}({taken})"),
        false => format!("{name}({taken}) -> {given}"),
    }))
}

/// An argument, as far as the text shows it.
struct Argument {
    /// With its type.
    shown: String,
    direction: i32,
    nullable: bool,
    optional: bool,
}

struct Arguments {
    all: Vec<Argument>,
    /// Lengths and destroy notifies, by index.
    hidden: Vec<usize>,
    user_data: Vec<usize>,
    /// What is returned, if that is shown.
    returned: Option<String>,
}

impl Arguments {
    /// # Safety
    /// `info` is a callable info of `repository`.
    unsafe fn of(repository: &Girepository, info: Info, hides_length: bool) -> Option<Self> {
        let mut found = Arguments {
            all: Vec::new(),
            hidden: Vec::new(),
            user_data: Vec::new(),
            returned: None,
        };
        // SAFETY: by this function's contract; each info that is asked for is a new reference, and
        // dropped here.
        unsafe {
            for index in 0..repository.n_args(info) {
                let arg = repository.arg(info, index);
                let ty = repository.arg_type(arg);
                found.hidden.extend(repository.arg_destroy(arg));
                found.user_data.extend(repository.arg_closure(arg));
                found.hidden.extend(length(repository, ty));
                let name = shown_name(repository, arg);
                let hint = hint(repository, ty);
                let (direction, _) = repository.arg_passing(arg);
                let (nullable, optional, _) = repository.arg_facts(arg);
                repository.unref(ty);
                repository.unref(arg);
                let (name, hint) = (name?, hint?);
                let shown = match hint == VOID {
                    true => name,
                    false => format!("{name}:{hint}"),
                };
                found.all.push(Argument {
                    shown,
                    direction,
                    nullable,
                    optional,
                });
            }
            let ty = repository.return_type(info);
            if hides_length {
                found.hidden.extend(length(repository, ty));
            }
            let hint = hint(repository, ty);
            repository.unref(ty);
            let (_, nullable, skipped, ..) = repository.callable_facts(info);
            let shown = hint.filter(|hint| !skipped && hint != VOID);
            found.returned = shown.map(|hint| match nullable {
                true => hint + " or None",
                false => hint,
            });
        }
        Some(found)
    }

    /// What goes in and what comes out.
    fn text(self, has_self: bool) -> (String, String) {
        let mut taken: Vec<String> = has_self.then(|| "self".to_owned()).into_iter().collect();
        let mut given: Vec<String> = self.returned.into_iter().collect();
        for (index, argument) in self.all.into_iter().enumerate() {
            if self.hidden.contains(&index) {
                continue;
            }
            if argument.direction != OUT {
                let default = match (argument.nullable, argument.optional) {
                    (true, _) => "=None",
                    _ if self.user_data.contains(&index) => "=None",
                    (false, true) => "=<optional>",
                    (false, false) => "",
                };
                taken.push(format!("{}{default}", argument.shown));
            }
            if argument.direction != IN {
                given.push(argument.shown);
            }
        }
        (taken.join(", "), given.join(", "))
    }
}

/// The name of `info`, unless PyGObject shows another.
///
/// # Safety
/// A valid info of `repository`.
unsafe fn shown_name(repository: &Girepository, info: Info) -> Option<String> {
    // SAFETY: by this function's contract.
    let name = unsafe { repository.name(info) }.to_string();
    let keyword = name.len() <= LONGEST_KEYWORD && KEYWORDS.contains(&format!(" {name} "));
    (!keyword).then_some(name)
}

/// The argument that holds the length of an array.
///
/// # Safety
/// A type info of `repository`.
unsafe fn length(repository: &Girepository, ty: Info) -> Option<usize> {
    // SAFETY: by this function's contract; the tag says that it is an array.
    unsafe {
        let is_array = repository.type_tag(ty).0 as usize == ARRAY;
        is_array.then(|| repository.array_length(ty)).flatten()
    }
}

/// # Safety
/// A type info of `repository`.
unsafe fn hint(repository: &Girepository, ty: Info) -> Option<String> {
    // SAFETY: by this function's contract; the tag says that there is an interface, whose reference is
    // dropped here.
    unsafe {
        let tag = repository.type_tag(ty).0 as usize;
        if tag != INTERFACE {
            return HINTS.get(tag).map(|&hint| hint.to_owned());
        }
        let interface = repository.type_interface(ty);
        let name = shown_name(repository, interface);
        let namespace = repository.namespace(interface);
        repository.unref(interface);
        name.filter(|name| !name.is_empty())
            .map(|name| format!("{namespace}.{name}"))
    }
}

/// Registers the function of this module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(callable_doc, module)?)
}
