//! Phase *in* of a thunk: one step per value.

use super::thunk::{PTR, Thunk};
use crate::ir::{AbiType, Block, Condition, Type, Value};
use crate::plan::link::Step;
use crate::plan::{CallArg, Conv, DATA_COUNT, DATA_VALUES, In, UserData};

impl Thunk<'_> {
    pub(super) fn phase_in(&mut self, objects: &[Value], known: &[Option<usize>]) {
        let plan = &self.linked.plan;
        for arg in &plan.call.args {
            if let CallArg::Address { cell } = arg {
                self.cell_addr(*cell);
            }
        }
        for (index, op) in plan.ins.iter().enumerate() {
            self.b.note(format!("in {} {}", op.cell, op.conv));
            let param = op.param.map(usize::from);
            let object = match param {
                Some(param) => objects[param],
                None => self.b.iconst(Type::Ptr, 0),
            };
            let optional = param.is_some_and(|param| self.may_be_absent(param));
            let value = match op.conv.width() {
                1 => {
                    let known = param.and_then(|param| known[param]);
                    Some(self.in_value(index, object, known, optional))
                }
                _ => {
                    self.in_group(index, object, optional);
                    None
                }
            };
            if self.linked.undo[index].is_some() {
                self.acquired.push((index, value));
            }
        }
    }

    /// An *in* step whose value is one cell.
    fn in_value(
        &mut self,
        index: usize,
        object: Value,
        known: Option<usize>,
        optional: bool,
    ) -> Value {
        let op = &self.linked.plan.ins[index];
        let ty = op.conv.abi().ty();
        let join = self.b.block();
        let value = self.b.block_param(join, ty);
        if optional {
            let absent = self.branch_absent(object);
            self.b.switch_to(absent.0);
            let zero = self.b.iconst(ty, 0);
            self.b.jump(join, &[zero]);
            self.b.switch_to(absent.1);
        }
        self.convert(index, object, known, join);
        self.b.switch_to(join);
        self.values[usize::from(op.cell.0)] = Some(value);
        value
    }

    /// An *in* step whose value takes several cells, which stay in memory.
    fn in_group(&mut self, index: usize, object: Value, optional: bool) {
        let op = &self.linked.plan.ins[index];
        let step = self.linked.ins[index];
        let addr = self.cell_addr(op.cell);
        let join = self.b.block();
        if optional {
            let absent = self.branch_absent(object);
            self.b.switch_to(absent.0);
            let zero = self.b.iconst(Type::I64, 0);
            for offset in 0..op.conv.width() {
                self.b.store(zero, addr, 8 * i32::from(offset));
            }
            self.b.jump(join, &[]);
            self.b.switch_to(absent.1);
        }
        self.user_data(op, addr);
        let status = self.call_in(&step, object, addr);
        let bail = self.bail_block();
        self.branch_zero(status, join, bail);
        self.b.switch_to(join);
        let first = usize::from(op.cell.0);
        self.filled[first..first + usize::from(op.conv.width())].fill(true);
    }

    /// Tells the step of a callback, whose cells begin at `addr`, where its user data stands.
    fn user_data(&mut self, op: &In, addr: Value) {
        let Conv::Callback { data, .. } = op.conv else {
            return;
        };
        let values = self
            .objects
            .expect("arguments are bound before they are converted");
        let params = self.linked.plan.params.len();
        let (place, count) = match data {
            UserData::None | UserData::Ignored(_) => return,
            UserData::Param(param) | UserData::Tuple(param) => {
                let offset = 8 * i32::from(param);
                let count = self.count_object(values, offset);
                (self.offset(values, i64::from(offset)), count)
            }
            UserData::Rest => {
                let count = self
                    .rest
                    .expect("verified: the plan takes further arguments");
                (self.offset(values, 8 * params as i64), count)
            }
        };
        self.b.store(place, addr, 8 * i32::from(DATA_VALUES));
        self.b.store(count, addr, 8 * i32::from(DATA_COUNT));
    }

    /// Branches on `object` having been left out: the blocks for absent and for present.
    fn branch_absent(&mut self, object: Value) -> (Block, Block) {
        let null = self.b.iconst(Type::Ptr, 0);
        let given = self.b.compare(Condition::Ne, object, null);
        let absent = self.b.cold_block();
        let present = self.b.block();
        self.b.branch(given, present, absent);
        (absent, present)
    }

    fn call_in(&mut self, step: &Step, object: Value, addr: Value) -> Value {
        let desc = self.b.symbol_addr("desc", step.desc as u64);
        let params = [PTR, PTR, PTR];
        let args = [object, addr, desc];
        self.call(step.name, step.address, &params, AbiType::I32, &args)
    }

    /// One *in* step: recipe, slow side, both into `join`.
    fn convert(&mut self, index: usize, object: Value, known: Option<usize>, join: Block) {
        let op = &self.linked.plan.ins[index];
        let step = self.linked.ins[index];
        let deopt = match (known, op.param) {
            (Some(_), Some(param)) => self.unusual(usize::from(param)),
            _ => None,
        };
        let slow = deopt.unwrap_or_else(|| self.b.cold_block());
        let recipe = match op.param {
            Some(_) => self
                .recipes
                .convert_in(&mut self.b, op, &step, object, known, slow),
            None => None,
        };
        match recipe {
            Some(value) => {
                self.b.jump(join, &[value]);
                if deopt.is_some() {
                    return;
                }
            }
            None if deopt.is_some() => {
                // Nothing inline: the helper is the fast side.
                let helper = self.b.block();
                self.b.jump(helper, &[]);
                self.b.switch_to(helper);
                return self.convert_by_helper(index, object, join);
            }
            None => self.b.jump(slow, &[]),
        }
        self.b.switch_to(slow);
        self.convert_by_helper(index, object, join);
    }

    fn convert_by_helper(&mut self, index: usize, object: Value, join: Block) {
        let op = &self.linked.plan.ins[index];
        let step = self.linked.ins[index];
        let slot = self.b.slot(8);
        let cell = self.b.slot_addr(slot);
        let status = self.call_in(&step, object, cell);
        let bail = self.bail_block();
        let converted = self.b.cold_block();
        self.branch_zero(status, converted, bail);
        self.b.switch_to(converted);
        let value = self.b.load(op.conv.abi().ty(), cell, 0);
        self.b.jump(join, &[value]);
    }
}
