//! Runs a reverse plan: what happens when C calls a native closure.
//!
//! As `_pygi_closure_handle` of PyGObject does it: with the interpreter lock taken by this thread,
//! whatever thread it is; exceptions are printed, or become the `GError` of a callback that throws;
//! C then gets zeros.

use std::ffi::c_void;
use std::mem::transmute;
use std::ptr::null_mut;

use gijit::ir::AbiType;
use gijit::plan::link::{FreeFn, OutFn, Step};
use gijit::plan::reverse::{Argument, Incoming};
use gijit::plan::{FEW_CELLS, MAX_CELLS};
use gijit::signature::Scope;
use pyo3::ffi;
use smallvec::{SmallVec, smallvec};

use super::super::lock;
use super::super::scalar::load;
use super::closure::Closure;
use super::kind::Kind;
use super::thread::with_python;
use super::{returned, values};

/// `GLogLevelFlags`.
const CRITICAL: u32 = 1 << 3;
const WARNING: u32 = 1 << 4;

/// Python arguments behind one free place.
type Objects = SmallVec<[*mut ffi::PyObject; FEW_CELLS]>;

/// The handler of every native closure.
pub unsafe extern "C" fn entered(
    _cif: *mut c_void,
    result: *mut c_void,
    args: *const *const c_void,
    data: *mut c_void,
) {
    // What C gets when there is no interpreter any more.
    // SAFETY: libffi's place for a result holds a word, also where there is none.
    unsafe { result.cast::<u64>().write(0) };
    with_python(|| {
        // SAFETY: libffi passes what the closure's C signature says, and the closure, which is alive. No
        // plan has more than MAX_CELLS cells (`reverse`).
        unsafe {
            let closure: *mut Closure = data.cast();
            match usize::from((*closure).kind.plan.cells) <= FEW_CELLS {
                true => run::<FEW_CELLS>(closure, result, args),
                false => run::<MAX_CELLS>(closure, result, args),
            }
        }
    });
}

/// # Safety
/// `closure` is alive and its plan has at most `N` cells; `result` and `args` are libffi's for its kind;
/// the interpreter lock is held.
#[inline(never)]
unsafe fn run<const N: usize>(
    closure: *mut Closure,
    result: *mut c_void,
    args: *const *const c_void,
) {
    // SAFETY: by this function's contract. A reference to the result of each step is owned here.
    unsafe {
        let kind = (*closure).kind;
        let mut frame = Frame {
            kind,
            cells: [0; N],
            result,
            args,
        };
        frame.load();
        Closure::begin(closure);
        // The first place is the callee's to use (PY_VECTORCALL_ARGUMENTS_OFFSET).
        let mut objects: Objects = smallvec![null_mut()];
        let made = frame.arguments(closure, &mut objects);
        let mut value = null_mut();
        if made && !(*closure).function.is_null() {
            let count = (objects.len() - 1) | ffi::PY_VECTORCALL_ARGUMENTS_OFFSET;
            let first = objects.as_ptr().add(1);
            value = lock::call((*closure).function, first, count);
        }
        if !value.is_null() {
            frame.keep_lent(closure, &objects);
        }
        frame.release(objects.len());
        if value.is_null() || !frame.results(value) {
            frame.fail();
        }
        ffi::Py_XDECREF(value);
        if !ffi::PyErr_Occurred().is_null() {
            lock::print_exception();
        }
        match (*closure).scope {
            Scope::Call | Scope::Notified => {}
            Scope::Async => Closure::release(closure),
            Scope::Forever => complain(kind),
        }
        Closure::end(closure);
        for object in objects.into_iter().skip(1) {
            ffi::Py_DECREF(object);
        }
    }
}

/// PyGObject does not know scope *forever* and says so at every call.
fn complain(kind: &Kind) {
    let name = kind.plan.name.rsplit('.').next().unwrap_or_default();
    let text = format!(
        "Unknown scope reached inside {name}. Please file an issue at \
         https://gitlab.gnome.org/GNOME/pygobject/issues/new\0"
    );
    log(CRITICAL, &text);
}

/// Logs as PyGObject does, which has no log domain. `text` ends in a NUL.
fn log(level: u32, text: &str) {
    let format = c"%s";
    // SAFETY: zero-terminated texts.
    unsafe {
        let domain = std::ptr::null();
        (super::super::glib().g_log)(domain, level, format.as_ptr(), text.as_ptr().cast());
    }
}

/// One invocation in progress.
struct Frame<const N: usize> {
    kind: &'static Kind,
    cells: [u64; N],
    result: *mut c_void,
    args: *const *const c_void,
}

impl<const N: usize> Frame<N> {
    /// Stores what C passes.
    ///
    /// # Safety
    /// As for [`run`].
    unsafe fn load(&mut self) {
        for (index, arg) in self.kind.plan.incoming.iter().enumerate() {
            // SAFETY: libffi gives the address of every argument; what C passes an address for is
            // there, unless it is NULL.
            unsafe {
                let place = *self.args.add(index);
                match *arg {
                    Incoming::Value { cell, abi } => {
                        self.cells[usize::from(cell.0)] = read(place, abi)
                    }
                    Incoming::Address {
                        cell,
                        abi,
                        read: true,
                    } => {
                        let place = *place.cast::<*const c_void>();
                        if !place.is_null() {
                            self.cells[usize::from(cell.0)] = read(place, abi);
                        }
                    }
                    Incoming::Place {
                        given: Some(given), ..
                    } => {
                        let place = *place.cast::<*const c_void>();
                        if !place.is_null() {
                            self.cells[usize::from(given.0)] = read(place, AbiType::Ptr);
                        }
                    }
                    Incoming::Unread { name, .. } => {
                        log(WARNING, &format!("Unhandled type tag {name}\0"));
                    }
                    Incoming::Address { .. }
                    | Incoming::Place { .. }
                    | Incoming::UserData
                    | Incoming::Error => {}
                }
            }
        }
    }

    fn cell(&mut self, first: u16) -> *mut u64 {
        self.cells[usize::from(first)..].as_mut_ptr()
    }

    /// Makes the Python arguments; false with an exception set, and those made before it in
    /// `objects`.
    ///
    /// # Safety
    /// As for [`run`].
    unsafe fn arguments(&mut self, closure: *const Closure, objects: &mut Objects) -> bool {
        for (argument, step) in self.kind.plan.arguments.iter().zip(&self.kind.outs) {
            // SAFETY: the helper has the signature of an *out* step, and its cell holds what C has
            // passed; user data is a tuple or NULL.
            unsafe {
                match (argument, step) {
                    (Argument::Value(out), Some(step)) => {
                        let cell = self.cell(out.cell.0).cast_const();
                        let object = transmute::<usize, OutFn>(step.address)(
                            cell,
                            step.desc as *const c_void,
                        );
                        if object.is_null() {
                            return false;
                        }
                        objects.push(object.cast());
                    }
                    _ => {
                        let data = (*closure).user_data;
                        if data.is_null() {
                            objects.push(ffi::Py_NewRef(ffi::Py_None()));
                        } else {
                            for index in 0..ffi::PyTuple_GET_SIZE(data) {
                                let item = ffi::PyTuple_GET_ITEM(data, index);
                                objects.push(ffi::Py_NewRef(item));
                            }
                        }
                    }
                }
            }
        }
        true
    }

    /// Wrappers of what C only lends get a copy, in case Python has kept them.
    ///
    /// # Safety
    /// As for [`run`]; `objects` are the arguments.
    unsafe fn keep_lent(&mut self, closure: *const Closure, objects: &[*mut ffi::PyObject]) {
        let mut at = 1;
        for argument in &self.kind.plan.arguments {
            match argument {
                Argument::Value(_) => {
                    if Kind::is_lent(argument) {
                        // SAFETY: `out_boxed_lent` has made this object, or None.
                        unsafe { values::copy_lent(objects[at]) };
                    }
                    at += 1;
                }
                // SAFETY: as in `arguments`.
                Argument::UserData => unsafe {
                    let data = (*closure).user_data;
                    at += match data.is_null() {
                        true => 1,
                        false => ffi::PyTuple_GET_SIZE(data) as usize,
                    };
                },
            }
        }
    }

    /// Frees what C gave with its arguments and no wrapper has taken over. `made` counts the
    /// arguments made, and one more.
    ///
    /// # Safety
    /// As for [`run`].
    unsafe fn release(&mut self, made: usize) {
        let plan = &self.kind.plan;
        // Arguments are made in order; the user data, which may be many, is the last in practice.
        let reached = |cell| {
            let mut values = plan.arguments.iter().take(made);
            values.any(|argument| matches!(argument, Argument::Value(out) if out.cell == cell))
        };
        for (step, op) in self.kind.release.iter().zip(&plan.release) {
            if !op.when.after_out(reached(op.cell)) {
                continue;
            }
            // SAFETY: the plan says that the cell is owned.
            unsafe { self.free(step, op.cell.0) };
        }
    }

    /// # Safety
    /// The cell is owned as `step` frees it.
    unsafe fn free(&mut self, step: &Step, cell: u16) {
        let cell = self.cell(cell);
        // SAFETY: the helper has the signature of a free step.
        unsafe { transmute::<usize, FreeFn>(step.address)(cell, step.desc as *const c_void) };
    }

    /// Gives C what the callable returned; false when it did not return what C wants, with everything
    /// given back, and mostly with an exception set.
    ///
    /// # Safety
    /// As for [`run`]; `value` is a valid object.
    unsafe fn results(&mut self, value: *mut ffi::PyObject) -> bool {
        let plan = &self.kind.plan;
        for (index, (step, op)) in self.kind.results.iter().zip(&plan.results).enumerate() {
            // SAFETY: a valid object; results that are converted are owned as their undo says.
            unsafe {
                let item = returned::item(value, index);
                let cell = self.cell(op.cell.0);
                let name = &plan.names[index];
                if item.is_null() || !returned::convert(&op.conv, name, step, item, cell) {
                    for (earlier, undo) in self.kind.undo[..index].iter().enumerate() {
                        if let Some(undo) = undo {
                            self.free(undo, plan.results[earlier].cell.0);
                        }
                    }
                    return false;
                }
            }
        }
        // SAFETY: all cells that C wants are filled.
        unsafe { self.store() };
        true
    }

    /// Writes the result and what C wants at addresses, from the cells.
    ///
    /// # Safety
    /// As for [`run`].
    unsafe fn store(&self) {
        let plan = &self.kind.plan;
        // SAFETY: libffi's place for a result holds a word; what C passes an address for has room
        // for a value of the type, unless it is NULL.
        unsafe {
            if let Some((cell, abi)) = plan.result {
                let value = self.cells[usize::from(cell.0)];
                self.result.cast::<u64>().write(widen(value, abi));
            }
            for (index, arg) in plan.incoming.iter().enumerate() {
                let place = || **self.args.add(index).cast::<*const *mut u8>();
                let (place, value, size) = match *arg {
                    Incoming::Address { cell, abi, .. } => {
                        let value = self.cells[usize::from(cell.0)..].as_ptr().cast();
                        (place(), value, abi.size() as usize)
                    }
                    // NULL leaves what is there.
                    Incoming::Place { cell, .. } => {
                        let value = self.cells[usize::from(cell.0)] as *const u8;
                        (place(), value, self.kind.sizes[index])
                    }
                    _ => continue,
                };
                if !place.is_null() && !value.is_null() {
                    place.copy_from(value, size);
                }
            }
        }
    }

    /// C gets zeros, and the exception where it takes a `GError`.
    ///
    /// # Safety
    /// As for [`run`].
    unsafe fn fail(&mut self) {
        self.cells.fill(0);
        // SAFETY: by this function's contract; PyGObject's function takes what is set, and prints
        // what is no GError.
        unsafe {
            self.store();
            let last = self.kind.plan.incoming.len().wrapping_sub(1);
            if self.kind.plan.incoming.last() == Some(&Incoming::Error) {
                let error = **self.args.add(last).cast::<*const *mut *mut c_void>();
                if !error.is_null() {
                    (super::super::api().gerror_exception_check)(error);
                }
            }
        }
    }
}

/// Reads a value of type `abi`; the high bytes are zero.
///
/// # Safety
/// A value of that type is at `place`.
unsafe fn read(place: *const c_void, abi: AbiType) -> u64 {
    // SAFETY: by this function's contract.
    unsafe { load(place.cast(), abi.size() as usize) }
}

/// A result as libffi wants it: narrow integers fill a word.
fn widen(value: u64, abi: AbiType) -> u64 {
    match abi {
        AbiType::I8 => i64::from(value as i8) as u64,
        AbiType::I16 => i64::from(value as i16) as u64,
        AbiType::I32 => i64::from(value as i32) as u64,
        AbiType::U8 => u64::from(value as u8),
        AbiType::U16 => u64::from(value as u16),
        AbiType::U32 => u64::from(value as u32),
        AbiType::I64 | AbiType::U64 | AbiType::F32 | AbiType::F64 | AbiType::Ptr => value,
    }
}
