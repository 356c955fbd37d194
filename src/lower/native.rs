//! Phase *call*: the native function, the interpreter lock around it, and its error.

use super::thunk::{PTR, Thunk};
use crate::gil::Lock;
use crate::ir::{AbiType, BinaryOp, Callee, Condition, Type, Value};
use crate::plan::CallArg;

/// What the native function is called with.
struct Native {
    /// Where it differs from call to call.
    target: Option<Value>,
    types: Vec<AbiType>,
    args: Vec<Value>,
}

impl Thunk<'_> {
    pub(super) fn phase_call(&mut self) {
        let call = &self.linked.plan.call;
        self.b.note(format!("call {}", self.linked.plan.symbol));
        let native = self.arguments();
        let result = match &self.ctx.lock {
            Lock::Released => self.released(&native),
            Lock::Held => self.held(&native),
            Lock::HeldFor(class) => {
                let address = class.address as u64;
                let wanted = self.b.symbol_addr(&class.name, address);
                let found = self.b.load(Type::Ptr, native.args[0], 0);
                let same = self.b.compare(Condition::Eq, found, wanted);
                let (own, other) = (self.b.block(), self.b.cold_block());
                let join = self.b.block();
                let joined = call
                    .result
                    .map(|(_, abi)| self.b.block_param(join, abi.ty()));
                self.b.branch(same, own, other);
                self.b.switch_to(own);
                let result = self.held(&native);
                self.b.jump(join, result.as_slice());
                self.b.switch_to(other);
                let result = self.released(&native);
                self.b.jump(join, result.as_slice());
                self.b.switch_to(join);
                joined
            }
        };
        if self.ctx.calls != 0 {
            let counter = self.b.symbol_addr("calls", self.ctx.calls as u64);
            let count = self.b.load(Type::I64, counter, 0);
            let one = self.b.iconst(Type::I64, 1);
            let more = self.b.binary(BinaryOp::Add, count, one);
            self.b.store(more, counter, 0);
        }
        if let Some((cell, _)) = call.result {
            self.values[usize::from(cell.0)] = result;
        }
        self.raise_error();
    }

    fn arguments(&mut self) -> Native {
        let call = &self.linked.plan.call;
        let target = call.target.map(|cell| self.cell_value(cell, Type::Ptr));
        let mut types = Vec::new();
        let mut args = Vec::new();
        for arg in &call.args {
            match arg {
                CallArg::Value { cell, abi } => {
                    types.push(*abi);
                    args.push(self.cell_value(*cell, abi.ty()));
                }
                CallArg::Address { cell } => {
                    let addr = self.cell_addr(*cell);
                    match self.values[usize::from(cell.0)].take() {
                        Some(value) => self.b.store(value, addr, 0),
                        None if self.filled[usize::from(cell.0)] => {}
                        None => {
                            let zero = self.b.iconst(Type::I64, 0);
                            self.b.store(zero, addr, 0);
                        }
                    }
                    types.push(PTR);
                    args.push(addr);
                }
            }
        }
        Native {
            target,
            types,
            args,
        }
    }

    /// The call itself.
    fn enter(&mut self, native: &Native) -> Option<Value> {
        let result = self.linked.plan.call.result.map(|(_, abi)| abi);
        match native.target {
            Some(target) => {
                let callee = Callee::Value(target);
                self.b.call_to(callee, &native.types, result, &native.args)
            }
            None => {
                let address = self.linked.native as u64;
                let symbol = &self.linked.plan.symbol;
                self.b
                    .call(symbol, address, &native.types, result, &native.args)
            }
        }
    }

    fn held(&mut self, native: &Native) -> Option<Value> {
        let runtime = self.ctx.runtime;
        self.call_if("native begins", runtime.native_begins);
        let result = self.enter(native);
        self.call_if("native ends", runtime.native_ends);
        result
    }

    /// With the lock released meanwhile, or bails.
    fn released(&mut self, native: &Native) -> Option<Value> {
        let thread = self.save_thread();
        let result = self.enter(native);
        let restore = self.ctx.runtime.restore_thread as u64;
        self.b
            .call("restore thread", restore, &[PTR], None, &[thread]);
        result
    }

    /// Raises the error that the native function has set, if it takes one.
    fn raise_error(&mut self) {
        let Some(cell) = self.linked.plan.call.error else {
            return;
        };
        let addr = self.cell_addr(cell);
        let error = self.b.load(Type::I64, addr, 0);
        let raise = self.b.cold_block();
        let go_on = self.b.block();
        self.branch_zero(error, go_on, raise);
        self.b.switch_to(raise);
        for (step, op) in self.linked.release.iter().zip(&self.linked.plan.release) {
            if op.when.after_error() {
                self.free(step, op);
            }
        }
        let raise = self.ctx.runtime.raise as u64;
        self.b.call("raise", raise, &[PTR], None, &[addr]);
        self.return_null();
        self.b.switch_to(go_on);
    }
}
