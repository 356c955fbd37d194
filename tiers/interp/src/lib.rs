//! Tier 0: interprets a linked plan through libffi.
//!
//! The phases are the plan's: bind, *in*, *call*, *out*, *release*. Every step is one call of the
//! host's helper, so nothing of a conversion's meaning stands here. A frame of cells lives on the
//! stack of [`Interpreter::invoke`].
//!
//! Absent: counting, promotion and the road to the host's own invocation are the caller's.

use std::collections::HashMap;
use std::ffi::c_void;
use std::mem::transmute;
use std::sync::{LazyLock, Mutex, PoisonError};

use gijit::dispatch::ArgProfile;
use gijit::ended::{unseen, withstand};
use gijit::ir::AbiType;
use gijit::plan::link::{
    BindFn, FreeFn, InFn, Linked, NewNoneFn, NoteFn, Object, ObjectFn, OutFn, RaiseFn,
    RestoreThreadFn, ResultFn, Runtime, SaveThreadFn, Step,
};
use gijit::plan::{
    CallArg, Conv, DATA_COUNT, DATA_VALUES, FEW_CELLS, In, MAX_CELLS, Plan, ResultShape, UserData,
};
use libffi::low::{self, ffi_cif, ffi_type};

mod entry;

pub use entry::{EntryType, Handler, NativeEntry};

/// CPython's `PY_VECTORCALL_ARGUMENTS_OFFSET`: the flag in a vectorcall's argument count.
const ARGUMENTS_OFFSET: usize = 1 << (usize::BITS - 1);

/// How a call ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The native function ran. A new reference, or NULL with an exception set.
    Done(*mut Object),
    /// It did not: nothing is held, no exception is set, the tier below shall run the call.
    Bail,
}

/// The arguments of a vectorcall, behind the callable.
#[derive(Clone, Copy)]
pub struct Arguments {
    pub args: *const *mut Object,
    pub nargsf: usize,
    pub kwnames: *mut Object,
}

/// `ffi_call`, out of which the thread may be ended.
type Call = unsafe extern "C-unwind" fn(
    *mut ffi_cif,
    Option<unsafe extern "C" fn()>,
    *mut c_void,
    *mut *mut c_void,
);

/// How the native function of one plan is entered.
pub struct Interpreter {
    shape: &'static Shape,
}

/// libffi's description of a call. Kept for good: callables have far fewer shapes than there are
/// callables.
struct Shape {
    cif: ffi_cif,
    /// What `cif` points into.
    _types: Box<[*mut ffi_type]>,
}

// SAFETY: the raw pointers inside point to libffi's static type descriptions and to `_types`, which
// is never freed; libffi does not write to a prepared cif during calls.
unsafe impl Send for Shape {}
// SAFETY: as above; `ffi_call` reads the cif only.
unsafe impl Sync for Shape {}

/// Shapes by the result, `None` for void, and the arguments.
type Shapes = HashMap<Box<[Option<AbiType>]>, &'static Shape>;

/// The shapes so far.
static SHAPES: LazyLock<Mutex<Shapes>> = LazyLock::new(Mutex::default);

impl Shape {
    /// # Errors
    /// As [`Interpreter::new`].
    fn of(result: Option<AbiType>, args: &[CallArg]) -> Result<&'static Shape, String> {
        let mut key = [None; MAX_CELLS + 2];
        key[0] = result;
        for (place, arg) in key[1..].iter_mut().zip(args) {
            *place = Some(match arg {
                CallArg::Value { abi, .. } => *abi,
                CallArg::Address { .. } => AbiType::Ptr,
            });
        }
        // A plan passes no cell twice, so there is room for all.
        let key = &key[..=args.len()];
        let mut shapes = SHAPES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shape) = shapes.get(key) {
            return Ok(shape);
        }
        let types = key
            .iter()
            .map(|abi| abi.map_or(&raw mut low::types::void, ffi));
        let mut types: Box<[*mut ffi_type]> = types.collect();
        let mut cif = ffi_cif::default();
        // SAFETY: behind the result's, `types` holds one valid type per argument, and lives as long as
        // the cif.
        unsafe {
            low::prep_cif(
                &mut cif,
                low::ffi_abi_FFI_DEFAULT_ABI,
                args.len(),
                types[0],
                types[1..].as_mut_ptr(),
            )
        }
        .map_err(|error| format!("libffi cannot describe the call: {error:?}"))?;
        let shape: &'static Shape = Box::leak(Box::new(Shape { cif, _types: types }));
        shapes.insert(key.into(), shape);
        Ok(shape)
    }
}

impl Interpreter {
    /// Prepares the call of `linked`.
    ///
    /// # Errors
    /// libffi's words when it cannot describe the call on this ABI.
    pub fn new(linked: &Linked) -> Result<Self, String> {
        let call = &linked.plan.call;
        let shape = Shape::of(call.result.map(|(_, abi)| abi), &call.args)?;
        Ok(Interpreter { shape })
    }

    /// Runs one call. `profile` receives what the arguments were.
    ///
    /// # Safety
    /// The caller holds the interpreter lock; `arguments` are those of a vectorcall; `linked` is the
    /// one that `self` was made from, and its addresses and those of `runtime` are the functions that
    /// `plan::link` documents.
    pub unsafe fn invoke(
        &self,
        linked: &Linked,
        runtime: &Runtime,
        profile: &[ArgProfile],
        arguments: Arguments,
    ) -> Outcome {
        let run = match fits(&linked.plan, FEW_CELLS) {
            true => Self::run::<FEW_CELLS>,
            false => Self::run::<MAX_CELLS>,
        };
        // SAFETY: the caller's; every plan fits into MAX_CELLS (plan::verify).
        unsafe { run(self, linked, runtime, profile, arguments) }
    }

    /// [`Interpreter::invoke`] of a plan that fits into `N`.
    ///
    /// # Safety
    /// As there.
    #[inline(never)]
    unsafe fn run<const N: usize>(
        &self,
        linked: &Linked,
        runtime: &Runtime,
        profile: &[ArgProfile],
        arguments: Arguments,
    ) -> Outcome {
        let Arguments {
            args,
            nargsf,
            kwnames,
        } = arguments;
        let plan = &linked.plan;
        // The further arguments have a slot of their own.
        let mut slots = [std::ptr::null_mut::<Object>(); N];
        let given = nargsf & !ARGUMENTS_OFFSET;
        let further = given.wrapping_sub(linked.positional());
        let positional = further == 0 || (plan.rest.is_some() && given >= linked.positional());
        let mut rest = further;
        let values = if kwnames.is_null() && positional {
            // SAFETY: `given` arguments stand at `args`, and `skip` is at most that.
            unsafe { args.add(linked.skip()) }
        } else {
            // SAFETY: `bind` is the host's (contract of invoke); `slots` has room for all
            // parameters and what follows them (`fits`).
            let bailed = unsafe {
                transmute::<usize, BindFn>(runtime.bind)(
                    linked.bind_desc as *const c_void,
                    args,
                    nargsf,
                    kwnames,
                    slots.as_mut_ptr(),
                )
            };
            if bailed != 0 {
                return Outcome::Bail;
            }
            rest = usize::from(!slots[plan.params.len()].is_null());
            slots.as_ptr()
        };
        let mut frame = Frame {
            linked,
            cells: [0; N],
        };
        // SAFETY: `values` holds one object or NULL per parameter, and `rest` further ones.
        if !unsafe { frame.run_in(values, rest) } {
            return Outcome::Bail;
        }
        for (index, note) in profile.iter().enumerate() {
            // SAFETY: `note` is the host's; the profile has one entry per parameter.
            unsafe { transmute::<usize, NoteFn>(runtime.note)(*values.add(index), note) };
        }
        // SAFETY: the frame's cells were filled as the plan says, and plan::verify has checked that
        // every argument has its cell; saving and restoring brackets the call.
        unsafe {
            let thread = transmute::<usize, SaveThreadFn>(runtime.save_thread)();
            if thread.is_null() {
                frame.undo(linked.ins.len());
                return Outcome::Bail;
            }
            self.enter(&mut frame);
            transmute::<usize, RestoreThreadFn>(runtime.restore_thread)(thread);
        }
        if let Some(error) = plan.call.error
            && frame.cells[usize::from(error.0)] != 0
        {
            for (step, op) in linked.release.iter().zip(&plan.release) {
                if op.when.after_error() {
                    // SAFETY: the plan says that the cell is to be released after the call.
                    unsafe { frame.free(step, op.cell.0) };
                }
            }
            // SAFETY: the cell holds the GError that the native function has set.
            unsafe { transmute::<usize, RaiseFn>(runtime.raise)(frame.cell(error.0)) };
            return Outcome::Done(std::ptr::null_mut());
        }
        // SAFETY: the native function has returned, so the out cells hold its results.
        Outcome::Done(unsafe { frame.run_out(runtime) })
    }

    /// Enters the native function.
    ///
    /// # Safety
    /// `frame` has been through phase *in*.
    unsafe fn enter<const N: usize>(&self, frame: &mut Frame<'_, N>) {
        let call = &frame.linked.plan.call;
        let cells = frame.cells.as_mut_ptr();
        let mut addresses = [std::ptr::null_mut::<u64>(); N];
        let mut pointers = [std::ptr::null_mut::<c_void>(); N];
        for (index, arg) in call.args.iter().enumerate() {
            pointers[index] = match arg {
                // SAFETY: the plan's cells fit into the frame (`fits`).
                CallArg::Value { cell, .. } => unsafe { cells.add(usize::from(cell.0)) }.cast(),
                CallArg::Address { cell } => {
                    // SAFETY: as above.
                    addresses[index] = unsafe { cells.add(usize::from(cell.0)) };
                    (&raw mut addresses[index]).cast()
                }
            };
        }
        let native = match call.target {
            Some(cell) => frame.cells[usize::from(cell.0)] as usize,
            None => frame.linked.native,
        };
        let mut result = 0_u64;
        // SAFETY: `pointers` has one address per argument of the cif; `result` has the 8 bytes that
        // libffi writes for every type that a plan can name; the native function has the plan's
        // signature (it comes from the same typelib entry).
        unsafe {
            let call: Call = transmute(unseen(libffi::raw::ffi_call as _));
            withstand(|| {
                call(
                    (&raw const self.shape.cif).cast_mut(),
                    Some(transmute::<usize, unsafe extern "C" fn()>(native)),
                    (&raw mut result).cast(),
                    pointers.as_mut_ptr(),
                );
            });
        }
        if let Some((cell, _)) = call.result {
            frame.cells[usize::from(cell.0)] = result;
        }
    }
}

/// Whether `places` are enough for a plan's cells, for its parameters and what may follow them, for
/// the arguments of the native function and for the results.
fn fits(plan: &Plan, places: usize) -> bool {
    let sizes = [
        usize::from(plan.cells),
        plan.params.len() + 1,
        plan.call.args.len(),
        plan.outs.len(),
    ];
    sizes.into_iter().all(|size| size <= places)
}

/// One call in progress.
struct Frame<'a, const N: usize> {
    linked: &'a Linked,
    cells: [u64; N],
}

impl<const N: usize> Frame<'_, N> {
    /// Phase *in*; false when a step bailed, with everything acquired given back.
    ///
    /// # Safety
    /// `values` holds one object or NULL per parameter, and behind them `rest` objects.
    unsafe fn run_in(&mut self, values: *const *mut Object, rest: usize) -> bool {
        for (index, (step, op)) in self
            .linked
            .ins
            .iter()
            .zip(&self.linked.plan.ins)
            .enumerate()
        {
            let value = match op.param {
                // SAFETY: `param` is below the number of parameters (plan::verify).
                Some(param) => unsafe { *values.add(usize::from(param)) },
                None => std::ptr::null_mut(),
            };
            // SAFETY: as for this function.
            unsafe { self.user_data(op, values, rest) };
            // The helper may write all cells of the value.
            let cell = self.cell(op.cell.0);
            if value.is_null() && op.param.is_some() {
                continue;
            }
            // SAFETY: the helper has the signature of an *in* step (contract of Linked).
            let bailed = unsafe {
                transmute::<usize, InFn>(step.address)(value, cell, step.desc as *const c_void)
            };
            if bailed != 0 {
                // SAFETY: the steps before this one have converted.
                unsafe { self.undo(index) };
                return false;
            }
        }
        true
    }

    /// Gives back what the first `count` steps have acquired.
    ///
    /// # Safety
    /// These have converted and the native function has not been entered.
    unsafe fn undo(&mut self, count: usize) {
        for (index, undo) in self.linked.undo[..count].iter().enumerate() {
            if let Some(undo) = undo {
                // SAFETY: that step has converted, so its cell is owned as its undo says.
                unsafe { self.free(undo, self.linked.plan.ins[index].cell.0) };
            }
        }
    }

    /// Tells the step of a callback where its user data stands.
    ///
    /// # Safety
    /// As [`Self::run_in`].
    unsafe fn user_data(&mut self, op: &In, values: *const *mut Object, rest: usize) {
        let Conv::Callback { data, .. } = op.conv else {
            return;
        };
        // SAFETY: `param` is below the number of parameters (plan::verify), and the further objects
        // stand behind these.
        let (place, count) = unsafe {
            match data {
                UserData::None | UserData::Ignored(_) => return,
                UserData::Param(param) | UserData::Tuple(param) => {
                    let place = values.add(usize::from(param));
                    (place, usize::from(!(*place).is_null()))
                }
                UserData::Rest => (values.add(self.linked.plan.params.len()), rest),
            }
        };
        self.cells[usize::from(op.cell.0 + DATA_VALUES)] = place as u64;
        self.cells[usize::from(op.cell.0 + DATA_COUNT)] = count as u64;
    }

    /// Phases *out* and *release*: the result, or NULL with an exception set.
    ///
    /// # Safety
    /// The native function has returned without an error.
    unsafe fn run_out(&mut self, runtime: &Runtime) -> *mut Object {
        let plan = &self.linked.plan;
        let mut objects = [std::ptr::null_mut::<Object>(); N];
        let mut done = 0;
        for (step, op) in self.linked.outs.iter().zip(&plan.outs) {
            let cell = self.cell(op.cell.0).cast_const();
            // SAFETY: the helper has the signature of an *out* step; the cell holds what the native
            // function has put there.
            let object = unsafe {
                transmute::<usize, OutFn>(step.address)(cell, step.desc as *const c_void)
            };
            if object.is_null() {
                break;
            }
            objects[done] = object;
            done += 1;
        }
        let failed = done < plan.outs.len();
        for (step, op) in self.linked.release.iter().zip(&plan.release) {
            if op.when.after_out(plan.reached(op.cell, done)) {
                // SAFETY: the plan says that the cell is owned at this point.
                unsafe { self.free(step, op.cell.0) };
            }
        }
        if failed {
            for &object in &objects[..done] {
                // SAFETY: a reference that an out helper has just returned.
                unsafe { transmute::<usize, ObjectFn>(runtime.decref)(object) };
            }
            return std::ptr::null_mut();
        }
        match (&self.linked.result, &plan.result) {
            // SAFETY: the helper has the signature of the result step and steals the objects.
            (Some(step), _) => unsafe {
                transmute::<usize, ResultFn>(step.address)(
                    objects.as_mut_ptr(),
                    step.desc as *const c_void,
                )
            },
            // SAFETY: the host's `new_none`.
            (None, ResultShape::None) => unsafe {
                transmute::<usize, NewNoneFn>(runtime.new_none)()
            },
            (None, _) => objects[0],
        }
    }

    /// Where a value starts. The pointer reaches to the end of the frame.
    fn cell(&mut self, first: u16) -> *mut u64 {
        self.cells[usize::from(first)..].as_mut_ptr()
    }

    /// # Safety
    /// The cell is owned as `step` frees it.
    unsafe fn free(&mut self, step: &Step, cell: u16) {
        let cell = self.cell(cell);
        // SAFETY: the helper has the signature of a free step (contract of Linked).
        unsafe { transmute::<usize, FreeFn>(step.address)(cell, step.desc as *const c_void) };
    }
}

/// libffi's description of an argument or a result.
fn ffi(abi: AbiType) -> *mut ffi_type {
    match abi {
        AbiType::I8 => &raw mut low::types::sint8,
        AbiType::U8 => &raw mut low::types::uint8,
        AbiType::I16 => &raw mut low::types::sint16,
        AbiType::U16 => &raw mut low::types::uint16,
        AbiType::I32 => &raw mut low::types::sint32,
        AbiType::U32 => &raw mut low::types::uint32,
        AbiType::I64 => &raw mut low::types::sint64,
        AbiType::U64 => &raw mut low::types::uint64,
        AbiType::F32 => &raw mut low::types::float,
        AbiType::F64 => &raw mut low::types::double,
        AbiType::Ptr => &raw mut low::types::pointer,
    }
}
