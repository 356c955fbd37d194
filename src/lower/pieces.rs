//! Small pieces that the phases of a thunk share: cells, calls, notes.

use super::thunk::{PTR, Thunk};
use crate::dispatch::ArgProfile;
use crate::ir::{AbiType, BinaryOp, Block, Condition, ConvertOp, Type, Value};
use crate::plan::link::Step;
use crate::plan::{Cell, Free, Release};

impl Thunk<'_> {
    /// The address of a Python argument's profile.
    pub(super) fn profile_addr(&mut self, param: usize) -> Value {
        let address = self.ctx.profile + param * size_of::<ArgProfile>();
        self.b.symbol_addr("profile", address as u64)
    }

    /// Records what a Python argument was.
    pub(super) fn note_argument(&mut self, param: usize, object: Value) {
        let profile = self.profile_addr(param);
        let note = self.ctx.runtime.note as u64;
        self.b
            .call("note", note, &[PTR, PTR], None, &[object, profile]);
    }

    pub(super) fn call(
        &mut self,
        name: &str,
        address: usize,
        params: &[AbiType],
        result: AbiType,
        args: &[Value],
    ) -> Value {
        let value = self
            .b
            .call(name, address as u64, params, Some(result), args);
        value.expect("a result type was given")
    }

    /// Calls a function that takes and gives nothing, if there is one.
    pub(super) fn call_if(&mut self, name: &str, address: usize) {
        if address != 0 {
            self.b.call(name, address as u64, &[], None, &[]);
        }
    }

    /// Releases the interpreter lock, or bails.
    pub(super) fn save_thread(&mut self) -> Value {
        let thread = self.call("save thread", self.ctx.runtime.save_thread, &[], PTR, &[]);
        let saved = self.b.convert(ConvertOp::Bitcast, Type::I64, thread);
        let bail = self.bail_block();
        let go_on = self.b.block();
        self.branch_zero(saved, bail, go_on);
        self.b.switch_to(go_on);
        thread
    }

    /// Branches on `status` being 0.
    pub(super) fn branch_zero(&mut self, status: Value, zero: Block, other: Block) {
        let none = self.b.iconst(self.b.ty(status), 0);
        let is_zero = self.b.compare(Condition::Eq, status, none);
        self.b.branch(is_zero, zero, other);
    }

    pub(super) fn offset(&mut self, base: Value, bytes: i64) -> Value {
        if bytes == 0 {
            return base;
        }
        let bytes = self.b.iconst(Type::Ptr, bytes);
        self.b.binary(BinaryOp::Add, base, bytes)
    }

    /// 1 when an object stands `offset` bytes behind `base`, 0 for NULL.
    pub(super) fn count_object(&mut self, base: Value, offset: i32) -> Value {
        let object = self.b.load(Type::Ptr, base, offset);
        let null = self.b.iconst(Type::Ptr, 0);
        let given = self.b.compare(Condition::Ne, object, null);
        let one = self.b.iconst(Type::I64, 1);
        let zero = self.b.iconst(Type::I64, 0);
        self.b.select(given, one, zero)
    }

    pub(super) fn return_null(&mut self) {
        let null = self.b.iconst(Type::Ptr, 0);
        self.b.ret(null);
    }

    pub(super) fn cell_addr(&mut self, cell: Cell) -> Value {
        let (first, width) = self.groups[usize::from(cell.0)];
        let bytes = 8 * u32::from(width);
        let slot = *self.slots[usize::from(first.0)].get_or_insert_with(|| self.b.slot(bytes));
        let addr = self.b.slot_addr(slot);
        self.offset(addr, 8 * i64::from(cell.0 - first.0))
    }

    /// The cell's value, loaded when the native function wrote it through its address.
    pub(super) fn cell_value(&mut self, cell: Cell, ty: Type) -> Value {
        match self.values[usize::from(cell.0)] {
            Some(value) => value,
            None => {
                let addr = self.cell_addr(cell);
                self.b.load(ty, addr, 0)
            }
        }
    }

    /// The cell's address, with its value there.
    pub(super) fn cell_in_memory(&mut self, cell: Cell) -> Value {
        let addr = self.cell_addr(cell);
        if let Some(value) = self.values[usize::from(cell.0)] {
            self.b.store(value, addr, 0);
        }
        addr
    }

    pub(super) fn free(&mut self, step: &Step, op: &Release) {
        if op.free == Free::Memory {
            let value = self.cell_value(op.cell, Type::Ptr);
            if self.recipes.free_memory(&mut self.b, value) {
                return;
            }
        }
        let addr = self.cell_in_memory(op.cell);
        self.free_at(step, addr);
    }

    pub(super) fn free_at(&mut self, step: &Step, addr: Value) {
        let desc = self.b.symbol_addr("desc", step.desc as u64);
        self.b.call(
            step.name,
            step.address as u64,
            &[PTR, PTR],
            None,
            &[addr, desc],
        );
    }
}
