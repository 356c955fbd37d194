//! Callback arguments: which arguments belong to them, and what Python sees of these.
//!
//! As PyGObject has it (`pygi_arg_callback_setup_from_info`): user data is an argument that may be
//! left out and, when it is the last that Python sees, takes all further ones; that of the callbacks
//! before then is a tuple of arguments. A destroy notify is
//! not seen, and stands behind its callback. User data that stands before its callback is an
//! argument without a name, which PyGObject does not find again. Several callbacks may have one user
//! data, or one destroy notify; each that is not None takes the place of those before it.

use super::{
    Builder, CALLBACK_WIDTH, CallArg, Cell, Conv, Direction, Name, PyParam, Reason, Reject, Shared,
    Signature, Type, UserData,
};
use crate::ir::AbiType;

/// Cells of a callback that the call passes, from the first.
const USER_DATA: u16 = 1;
const DESTROY: u16 = 2;

impl Builder {
    /// Lays out the callbacks and what belongs to them.
    pub(super) fn callbacks(&mut self, signature: &Signature) -> Result<(), Reject> {
        for (index, param) in signature.params.iter().enumerate() {
            let Type::Callback { ty } = &param.ty else {
                continue;
            };
            // The destroy notify of an earlier callback.
            if self.hidden.contains_key(&index) {
                continue;
            }
            let free = |place: &usize| {
                let found = signature.params.get(*place);
                let taken = self.hidden.contains_key(place) || self.user_data.contains_key(place);
                let inward = found.is_some_and(|found| found.direction == Direction::In);
                *place != index && !taken && inward
            };
            let pointer = |place: &usize| signature.params[*place].ty == Type::Pointer;
            let (data, destroy) = (param.closure, param.destroy);
            let before = data.is_some_and(|place| place < index);
            let same_data = data.and_then(|place| self.user_data.get(&place).copied());
            let same_data = same_data.filter(|(_, earlier)| !before && !earlier);
            let same_destroy = destroy.and_then(|place| self.destroys.get(&place).copied());
            let has_data = |place| same_data.is_some() || free(place) && pointer(place);
            let has_destroy = |place| same_destroy.is_some() || free(place) && *place > index;
            let fits = param.direction == Direction::In
                && data.iter().all(has_data)
                && destroy.iter().all(has_destroy)
                && !(before && destroy.is_some())
                && (destroy.is_none() || data != destroy);
            if !fits {
                return Err(Reject {
                    reason: Reason::Callback,
                    place: param.name.to_string(),
                });
            }
            let first = self.cell(CALLBACK_WIDTH);
            let back = |to: Cell| first.0 - to.0;
            let conv = Conv::Callback {
                ty: *ty,
                scope: param.scope,
                data: UserData::None,
                destroy: destroy.is_some(),
                shared: Shared {
                    data: same_data.map_or(0, |(to, _)| back(to)),
                    destroy: same_destroy.map_or(0, back),
                },
            };
            if let (Some(place), None) = (data, same_data) {
                self.user_data.insert(place, (first, before));
            }
            if let (Some(place), None) = (destroy, same_destroy) {
                let (cell, abi) = (Cell(first.0 + DESTROY), AbiType::Ptr);
                self.hidden.insert(place, CallArg::Value { cell, abi });
                self.destroys.insert(place, first);
            }
            self.callbacks.insert(index, (conv, first));
        }
        Ok(())
    }

    /// The user data of the callback whose value begins at `first`, and of those that share it. They
    /// come after it when this stands `before`.
    pub(super) fn user_data_param(&mut self, name: &Name, first: Cell, before: bool) {
        let index = self.params.len() as u16;
        let (name, data) = match before {
            true => ("(unnamed)".into(), UserData::Ignored(index)),
            false => (name.clone(), UserData::Param(index)),
        };
        self.params.push(PyParam {
            name: Some(name),
            optional: !before,
        });
        self.set_data(first, data);
        let (cell, abi) = (Cell(first.0 + USER_DATA), AbiType::Ptr);
        self.args.push(CallArg::Value { cell, abi });
    }

    fn set_data(&mut self, first: Cell, value: UserData) {
        let steps = self.ins.iter_mut().map(|op| (&mut op.conv, op.cell));
        let planned = self
            .callbacks
            .values_mut()
            .map(|(conv, cell)| (conv, *cell));
        for (conv, cell) in steps.chain(planned) {
            if let Conv::Callback { data, shared, .. } = conv
                && cell.0 - shared.data == first.0
            {
                *data = value;
            }
        }
    }

    /// User data that is the last argument takes all further ones.
    pub(super) fn take_rest(&mut self) {
        let last = self.params.len().wrapping_sub(1) as u16;
        let owner = self.ins.iter().find(|op| {
            let data = UserData::Param(last);
            matches!(&op.conv, Conv::Callback { data: found, .. } if *found == data)
        });
        if let Some(cell) = owner.map(|op| op.cell) {
            self.rest = self.params.pop().and_then(|param| param.name);
            self.set_data(cell, UserData::Rest);
            for op in &mut self.ins {
                if let Conv::Callback { data, .. } = &mut op.conv
                    && let UserData::Param(param) = *data
                {
                    *data = UserData::Tuple(param);
                }
            }
        }
    }
}
