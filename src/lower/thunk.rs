//! The thunk of one callable, phase by phase.

use super::{Context, Recipes};
use crate::dispatch::{ArgProfile, Header, Tier, seen};
use crate::ir::builder::Builder;
use crate::ir::{
    AbiType, BinaryOp, Block, CallSignature, Callee, Condition, ConvertOp, Function, StackSlot,
    Type, Value,
};
use crate::plan::link::Linked;
use crate::plan::{Cell, ResultShape};

pub(super) const PTR: AbiType = AbiType::Ptr;
/// CPython's `PY_VECTORCALL_ARGUMENTS_OFFSET` lies in the sign bit; shifting it out leaves the count.
const COUNT_SHIFT: i64 = 1;

pub(super) struct Thunk<'a> {
    pub(super) linked: &'a Linked,
    pub(super) ctx: &'a Context<'a>,
    pub(super) recipes: &'a dyn Recipes,
    pub(super) b: Builder,
    callable: Value,
    args: Value,
    nargsf: Value,
    kwnames: Value,
    /// The first cell and the width of the value that each cell belongs to.
    pub(super) groups: Vec<(Cell, u16)>,
    /// The stack slot of each value that something needs the address of, by its first cell.
    pub(super) slots: Vec<Option<StackSlot>>,
    /// The value of each cell that is not in memory only.
    pub(super) values: Vec<Option<Value>>,
    /// The cells that an *in* step has filled in memory.
    pub(super) filled: Vec<bool>,
    /// Steps of *in* that must be undone from here on, with the value of their cell; `None` when it
    /// is in memory.
    pub(super) acquired: Vec<(usize, Option<Value>)>,
    /// The bail block for a number of acquired steps.
    bails: Vec<(usize, Block)>,
    /// Where failed guards go.
    deopt: Option<Block>,
    /// Tier 2 with a profile in which every call gave all arguments by position: so does every call
    /// that gets past the guards.
    pub(super) positional: bool,
    /// Where the first Python argument stands.
    pub(super) objects: Option<Value>,
    /// The number of arguments beyond the parameters, where the plan takes such.
    pub(super) rest: Option<Value>,
}

impl<'a> Thunk<'a> {
    pub(super) fn new(linked: &'a Linked, ctx: &'a Context<'a>, recipes: &'a dyn Recipes) -> Self {
        let signature = CallSignature {
            params: vec![PTR, PTR, AbiType::I64, PTR],
            result: Some(PTR),
        };
        let b = Builder::new(&linked.plan.name, signature);
        let [callable, args, nargsf, kwnames] = b.params()[..] else {
            unreachable!("the signature has four parameters")
        };
        let cells = usize::from(linked.plan.cells);
        let mut groups: Vec<(Cell, u16)> =
            (0..linked.plan.cells).map(|cell| (Cell(cell), 1)).collect();
        for (first, width) in linked.plan.groups() {
            groups[usize::from(first.0)..usize::from(first.0 + width)].fill((first, width));
        }
        Thunk {
            linked,
            ctx,
            recipes,
            b,
            callable,
            args,
            nargsf,
            kwnames,
            groups,
            slots: vec![None; cells],
            values: vec![None; cells],
            filled: vec![false; cells],
            acquired: Vec::new(),
            bails: Vec::new(),
            deopt: None,
            positional: ctx.tier == Tier::Two && !ctx.snapshot.is_empty() && !ctx.general,
            objects: None,
            rest: None,
        }
    }

    pub(super) fn build(mut self) -> Function {
        self.count_budget();
        let values = self.bind();
        self.objects = Some(values);
        let objects = self.load_objects(values);
        if self.ctx.tier == Tier::One {
            self.record(&objects);
        }
        let known = self.guards(&objects);
        self.phase_in(&objects, &known);
        self.phase_call();
        self.phase_out();
        self.emit_bails();
        self.b.finish()
    }

    /// Tier 1 counts down the budget and asks policy when it is used up.
    fn count_budget(&mut self) {
        if self.ctx.promote == 0 {
            return;
        }
        self.b.note("count");
        let header = self.b.symbol_addr("header", self.ctx.header as u64);
        let budget = self.b.load(Type::I32, header, Header::BUDGET);
        let one = self.b.iconst(Type::I32, 1);
        let left = self.b.binary(BinaryOp::Sub, budget, one);
        self.b.store(left, header, Header::BUDGET);
        let zero = self.b.iconst(Type::I32, 0);
        let used_up = self.b.compare(Condition::Sle, left, zero);
        let ask = self.b.cold_block();
        let go_on = self.b.block();
        self.b.branch(used_up, ask, go_on);
        self.b.switch_to(ask);
        self.b.call(
            "promote",
            self.ctx.promote as u64,
            &[PTR],
            None,
            &[self.callable],
        );
        self.b.jump(go_on, &[]);
        self.b.switch_to(go_on);
    }

    /// The address of the first Python parameter: in the arguments themselves when all are given by
    /// position, else in a table that the host's `bind` fills.
    fn bind(&mut self) -> Value {
        self.b.note("bind");
        let one = self.b.iconst(Type::I64, COUNT_SHIFT);
        let given = self.b.binary(BinaryOp::Shl, self.nargsf, one);
        let wanted = self
            .b
            .iconst(Type::I64, (self.linked.positional() as i64) << COUNT_SHIFT);
        let takes_rest = self.linked.plan.rest.is_some();
        let positional = self.b.block();
        let general = match self.positional {
            true => self.deopt_block(),
            false => self.b.cold_block(),
        };
        let bound = self.b.block();
        let values = self.b.block_param(bound, Type::Ptr);
        self.rest = takes_rest.then(|| self.b.block_param(bound, Type::I64));
        let names = self.b.convert(ConvertOp::Bitcast, Type::I64, self.kwnames);
        match takes_rest {
            true => {
                let counted = self.b.compare(Condition::Uge, given, wanted);
                let check_names = self.b.block();
                self.b.branch(counted, check_names, general);
                self.b.switch_to(check_names);
                self.branch_zero(names, positional, general);
            }
            false => {
                let beyond = self.b.binary(BinaryOp::Sub, given, wanted);
                let unfit = self.b.binary(BinaryOp::Or, beyond, names);
                self.branch_zero(unfit, positional, general);
            }
        }
        self.b.switch_to(positional);
        let first = self.offset(self.args, 8 * self.linked.skip() as i64);
        let mut found = vec![first];
        if takes_rest {
            let further = self.b.binary(BinaryOp::Sub, given, wanted);
            let shift = self.b.iconst(Type::I64, COUNT_SHIFT);
            found.push(self.b.binary(BinaryOp::Shr, further, shift));
        }
        self.b.jump(bound, &found);
        if self.positional {
            self.b.switch_to(bound);
            return values;
        }
        self.b.switch_to(general);
        if self.ctx.tier == Tier::One {
            let header = self.b.symbol_addr("header", self.ctx.header as u64);
            let one = self.b.iconst(Type::I32, 1);
            self.b.store(one, header, Header::GENERAL);
        }
        let places = self.linked.plan.params.len() + usize::from(takes_rest);
        let slot = self.b.slot(8 * places.max(1) as u32);
        let table = self.b.slot_addr(slot);
        let desc = self
            .b
            .symbol_addr("bind desc", self.linked.bind_desc as u64);
        let status = self.call(
            "bind",
            self.ctx.runtime.bind,
            &[PTR, PTR, AbiType::I64, PTR, PTR],
            AbiType::I32,
            &[desc, self.args, self.nargsf, self.kwnames, table],
        );
        let bail = self.bail_block();
        let done = self.b.block();
        self.branch_zero(status, done, bail);
        self.b.switch_to(done);
        let mut found = vec![table];
        if takes_rest {
            let last = 8 * self.linked.plan.params.len() as i32;
            found.push(self.count_object(table, last));
        }
        self.b.jump(bound, &found);
        self.b.switch_to(bound);
        values
    }

    fn load_objects(&mut self, values: Value) -> Vec<Value> {
        (0..self.linked.plan.params.len())
            .map(|param| self.b.load(Type::Ptr, values, 8 * param as i32))
            .collect()
    }

    /// Tier 1: records the arguments' types, unless they are the ones seen first.
    fn record(&mut self, objects: &[Value]) {
        for (param, &object) in objects.iter().enumerate() {
            if self.linked.plan.params[param].optional {
                continue;
            }
            self.b.note(format!("record {param}"));
            let found = self.recipes.type_of(&mut self.b, object);
            let profile = self.profile_addr(param);
            let first = self.b.load(Type::Ptr, profile, ArgProfile::FIRST_TYPE);
            let same = self.b.compare(Condition::Eq, found, first);
            let other = self.b.cold_block();
            let go_on = self.b.block();
            self.b.branch(same, go_on, other);
            self.b.switch_to(other);
            self.note_argument(param, object);
            self.b.jump(go_on, &[]);
            self.b.switch_to(go_on);
        }
    }

    /// Tier 2: checks that arguments have the types that the profile saw. Gives the known type of
    /// each parameter.
    fn guards(&mut self, objects: &[Value]) -> Vec<Option<usize>> {
        let mut known = vec![None; objects.len()];
        for (step, op) in self.linked.ins.iter().zip(&self.linked.plan.ins) {
            let Some(param) = op.param.map(usize::from) else {
                continue;
            };
            let Some(seen) = self.ctx.snapshot.get(param) else {
                continue;
            };
            // A parameter that may be NULL has no type to look at.
            if known[param].is_some() || self.may_be_absent(param) {
                continue;
            }
            let Some(ty) = self.recipes.speculate(op, step, seen) else {
                continue;
            };
            self.b.note(format!("guard {param}"));
            let found = self.recipes.type_of(&mut self.b, objects[param]);
            let wanted = self.b.symbol_addr("guarded type", ty as u64);
            let same = self.b.compare(Condition::Eq, found, wanted);
            let fail = self.deopt_block();
            let go_on = self.b.block();
            self.b.branch(same, go_on, fail);
            self.b.switch_to(go_on);
            known[param] = Some(ty);
        }
        known
    }

    /// Phases *out* and *release*, and the result.
    fn phase_out(&mut self) {
        let plan = &self.linked.plan;
        let mut objects = Vec::new();
        for (step, op) in self.linked.outs.iter().zip(&plan.outs) {
            self.b.note(format!("out {} {}", op.cell, op.conv));
            let inline = match op.conv.width() {
                1 => {
                    let value = self.cell_value(op.cell, op.conv.abi().ty());
                    self.recipes.convert_out(&mut self.b, op, value)
                }
                _ => None,
            };
            let object = match inline {
                Some(object) => object,
                None => {
                    let addr = self.cell_in_memory(op.cell);
                    let desc = self.b.symbol_addr("desc", step.desc as u64);
                    self.call(step.name, step.address, &[PTR, PTR], PTR, &[addr, desc])
                }
            };
            objects.push(object);
            // As the only thing that Python gets, NULL is returned as it is.
            if plan.outs.len() == 1 && self.linked.result.is_none() {
                break;
            }
            let null = self.b.iconst(Type::Ptr, 0);
            let failed = self.b.compare(Condition::Eq, object, null);
            let fail = self.b.cold_block();
            let go_on = self.b.block();
            self.b.branch(failed, fail, go_on);
            self.b.switch_to(fail);
            let (_, done) = objects.split_last().expect("it has just been pushed");
            self.release(Some(done.len()));
            for &done in done {
                let decref = self.ctx.runtime.decref as u64;
                self.b.call("decref", decref, &[PTR], None, &[done]);
            }
            self.return_null();
            self.b.switch_to(go_on);
        }
        self.release(None);
        let result = self.result(&objects);
        self.b.ret(result);
    }

    /// The release steps: after all outs, or after the first `done` of them and one that failed.
    fn release(&mut self, done: Option<usize>) {
        let plan = &self.linked.plan;
        let done = done.unwrap_or(plan.outs.len());
        for (step, op) in self.linked.release.iter().zip(&plan.release) {
            if op.when.after_out(plan.reached(op.cell, done)) {
                self.b.note(format!("release {}", op.cell));
                self.free(step, op);
            }
        }
    }

    fn result(&mut self, objects: &[Value]) -> Value {
        if let Some(step) = self.linked.result {
            self.b.note("result");
            let slot = self.b.slot(8 * objects.len().max(1) as u32);
            let table = self.b.slot_addr(slot);
            for (index, &object) in objects.iter().enumerate() {
                self.b.store(object, table, 8 * index as i32);
            }
            let desc = self.b.symbol_addr("desc", step.desc as u64);
            return self.call(step.name, step.address, &[PTR, PTR], PTR, &[table, desc]);
        }
        match self.linked.plan.result {
            ResultShape::None => self.recipes.new_none(&mut self.b),
            ResultShape::Single | ResultShape::Tuple { .. } => objects[0],
        }
    }

    /// Whether an argument may have been left out.
    pub(super) fn may_be_absent(&self, param: usize) -> bool {
        self.linked.plan.params[param].optional && !self.positional
    }

    /// Where a guard goes that fails before anything is acquired.
    fn deopt_block(&mut self) -> Block {
        match self.deopt {
            Some(block) => block,
            None => *self.deopt.insert(self.b.cold_block()),
        }
    }

    /// Where the inline conversion of a guarded argument goes when it gives up: to `deopt`, unless
    /// that was usual so far or something is acquired that would have to be undone.
    pub(super) fn unusual(&mut self, param: usize) -> Option<Block> {
        let usual = self.ctx.snapshot[param].seen & seen::UNUSUAL != 0;
        (!usual && self.acquired.is_empty()).then(|| self.deopt_block())
    }

    /// The block that undoes what is acquired so far and enters the tier below.
    pub(super) fn bail_block(&mut self) -> Block {
        let acquired = self.acquired.len();
        if let Some(&(_, block)) = self.bails.iter().find(|(count, _)| *count == acquired) {
            return block;
        }
        let block = self.b.cold_block();
        self.bails.push((acquired, block));
        block
    }

    fn emit_bails(&mut self) {
        if let Some(block) = self.deopt {
            self.b.switch_to(block);
            self.b.note("deopt");
            let deopt = self.b.symbol_addr("deopt", self.ctx.deopt as u64);
            let args = [self.callable, self.args, self.nargsf, self.kwnames];
            self.b.tail_call(Callee::Value(deopt), &args);
        }
        for (acquired, block) in std::mem::take(&mut self.bails) {
            self.b.switch_to(block);
            self.b.note("bail");
            for at in 0..acquired {
                let (index, value) = self.acquired[at];
                let step = self.linked.undo[index].expect("acquired means that there is an undo");
                let addr = self.cell_addr(self.linked.plan.ins[index].cell);
                if let Some(value) = value {
                    self.b.store(value, addr, 0);
                }
                self.free_at(&step, addr);
            }
            let header = self.b.symbol_addr("header", self.ctx.header as u64);
            let below = if self.ctx.tier == Tier::Two {
                Tier::One
            } else {
                Tier::Zero
            };
            let entry = self.b.load(Type::Ptr, header, Header::entry(below));
            let args = [self.callable, self.args, self.nargsf, self.kwnames];
            self.b.tail_call(Callee::Value(entry), &args);
        }
    }
}
