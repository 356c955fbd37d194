//! Virtual functions that a class implements in Python: C finds a native closure in the class's table.
//!
//! As `_wrap_pyg_hook_up_vfunc_implementation` of PyGObject's `gimodule.c` does it: the closure has the
//! type of the field in the table and stays for good, as the class does.

use std::ptr::null_mut;

use gijit::plan::Conv;
use gijit::signature::girepository::{Girepository, Info};
use gijit::signature::vtable::implementation;
use gijit::signature::{Bindings, Scope, TypeRef};
use pyo3::ffi;
use pyo3::prelude::*;

use super::super::class::table_of;
use super::super::linker::Linker;
use super::closure::Closure;
use super::kind::Kind;

/// Makes `function` the implementation of `vfunc` in the class of `gtype`; false, with nothing done,
/// where that is PyGObject's to do or to refuse.
///
/// # Safety
/// `vfunc` is a vfunc info of `repository`, `function` a callable, `gtype` a class that Python makes; the
/// interpreter lock is held.
pub unsafe fn implement(
    py: Python<'_>,
    repository: &Girepository,
    vfunc: Info,
    gtype: usize,
    function: *mut ffi::PyObject,
) -> bool {
    // SAFETY: by this function's contract; the type of the function is dropped at the end.
    unsafe {
        let Some((place, ty)) = implementation(repository, vfunc) else {
            return false;
        };
        let table = table_of(gtype, &place);
        let kind = kind(py, repository, vfunc, ty);
        repository.unref(ty);
        let Some(kind) = kind.filter(|_| table != 0) else {
            return false;
        };
        let Some(closure) = Closure::make(kind, Scope::Notified, function, null_mut()) else {
            return false;
        };
        ((table + place.offset) as *mut usize).write((*closure).code());
        true
    }
}

/// The kind of `ty`, which is the type of `vfunc` in its table; `None` when it cannot be linked.
///
/// # Safety
/// As for [`implement`].
unsafe fn kind(
    py: Python<'_>,
    repository: &Girepository,
    vfunc: Info,
    ty: Info,
) -> Option<&'static Kind> {
    // SAFETY: by this function's contract.
    let name = unsafe {
        let (container, own) = (repository.container(vfunc)?, repository.name(vfunc));
        let name = [&repository.name(container), ".do_", &own].concat();
        TypeRef::new(repository.namespace(vfunc), name)
    };
    let bindings = Bindings::default();
    let linker = Linker {
        py,
        repository,
        bindings: &bindings,
        name: &name.name,
    };
    // What a class raises that cannot be imported, PyGObject raises again.
    let kind = Kind::of(&linker, &name, ty).ok()?;
    let mut results = kind.plan.results.iter();
    results.all(|op| is_settled(&op.conv)).then_some(kind)
}

/// Whether an *in* step takes all values that PyGObject takes for a result. Of containers it leaves some
/// to PyGObject, such as sequences in Python, and a closure may be one of a template.
fn is_settled(conv: &Conv) -> bool {
    let open = matches!(
        conv,
        Conv::Closure { .. } | Conv::Value | Conv::Error | Conv::Foreign { .. } | Conv::Pointer
    );
    !open && !conv.is_container()
}
