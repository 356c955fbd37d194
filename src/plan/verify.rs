//! Checks a plan, so that the tiers may run it without looking again.

use super::convert::owned;
use super::{
    CallArg, Cell, Conv, Free, In, MAX_CELLS, MAX_PARAMS, Plan, ResultShape, Shared, UserData, When,
};
use crate::ir::AbiType;
use crate::signature::Transfer;

/// The rule that a plan breaks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlanError(pub String);

impl std::fmt::Display for PlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PlanError {}

/// Checks all rules.
///
/// # Errors
/// The first that does not hold.
pub fn verify(plan: &Plan) -> Result<(), PlanError> {
    sizes(plan)?;
    inward(plan)?;
    call(plan)?;
    outward(plan)?;
    release(plan)
}

fn ensure(holds: bool, message: impl FnOnce() -> String) -> Result<(), PlanError> {
    if holds {
        Ok(())
    } else {
        Err(PlanError(message()))
    }
}

fn sizes(plan: &Plan) -> Result<(), PlanError> {
    ensure(plan.params.len() <= MAX_PARAMS, || {
        format!("more than {MAX_PARAMS} parameters")
    })?;
    ensure(plan.outs.len() <= MAX_PARAMS, || {
        format!("more than {MAX_PARAMS} results")
    })?;
    ensure(usize::from(plan.cells) <= MAX_CELLS, || {
        format!("more than {MAX_CELLS} cells")
    })?;
    let required_after_optional = plan
        .params
        .windows(2)
        .any(|pair| pair[0].optional && !pair[1].optional);
    ensure(!required_after_optional, || {
        "only a tail of parameters may be optional".to_owned()
    })?;
    for (index, param) in plan.params.iter().enumerate() {
        let unnamed = 1 + usize::from(plan.call.target.is_some());
        ensure(param.name.is_some() || index < unnamed, || {
            format!("argument {index} has no name and is not the instance")
        })?;
        let earlier = &plan.params[..index];
        ensure(
            param.name.is_none() || earlier.iter().all(|other| other.name != param.name),
            || format!("argument {index} has the name of an earlier one"),
        )?;
    }
    Ok(())
}

fn inward(plan: &Plan) -> Result<(), PlanError> {
    let mut defined = Vec::new();
    for op in &plan.ins {
        let cell = op.cell;
        in_frame(plan, cell)?;
        let last = Cell(cell.0 + op.conv.width() - 1);
        in_frame(plan, last)?;
        if let Some(param) = op.param {
            ensure(usize::from(param) < plan.params.len(), || {
                format!(
                    "c{} is converted from argument {param}, which does not exist",
                    cell.0
                )
            })?;
        }
        for cell in (cell.0..=last.0).map(Cell) {
            ensure(!defined.contains(&cell), || {
                format!("c{} is converted twice", cell.0)
            })?;
            defined.push(cell);
        }
        ensure(!op.nullable || op.conv.takes_none(), || {
            format!("c{} takes None but is no pointer", cell.0)
        })?;
        let container = op.conv.is_container();
        let prepared = container || op.conv.is_value() || op.allocates();
        ensure(op.param.is_some() || prepared, || {
            format!("c{} is prepared but cannot be", cell.0)
        })?;
        ensure(op.transfer != Transfer::Container || container, || {
            format!("c{} is given as a container but is none", cell.0)
        })?;
        // The wrapper's own struct is passed, whoever is to own it.
        let plain = matches!(op.conv, Conv::Struct { .. });
        ensure(op.transfer == Transfer::None || !plain, || {
            format!("c{} is a plain struct, which cannot be given", cell.0)
        })?;
        ensure(
            op.transfer == Transfer::None || !op.conv.is_inward(),
            || format!("c{} is given away but cannot be", cell.0),
        )?;
        let undo = match op.conv.keeps() || op.allocates() {
            true => Some(Free::Made),
            false => owned(&op.conv, op.transfer),
        };
        ensure(op.undo == undo, || {
            format!(
                "the undo of c{} is not that of its conversion and transfer",
                cell.0
            )
        })?;
    }
    user_data(plan)
}

/// Every argument is converted, or given to a callback as its user data.
fn user_data(plan: &Plan) -> Result<(), PlanError> {
    let mut used: Vec<u16> = plan.ins.iter().filter_map(|op| op.param).collect();
    let mut rest = 0;
    for op in &plan.ins {
        match op.conv {
            Conv::Callback { shared, .. } if shared != Shared::default() => {
                let is_callback = |back: u16| {
                    let mut ins = plan.ins.iter();
                    let found = ins.find(|found| found.cell.0 + back == op.cell.0);
                    found.is_some_and(|found| matches!(found.conv, Conv::Callback { .. }))
                };
                ensure(
                    is_callback(shared.data) && is_callback(shared.destroy),
                    || format!("{} shares with no callback", op.cell),
                )?;
            }
            Conv::Callback {
                data: UserData::Param(param) | UserData::Tuple(param) | UserData::Ignored(param),
                ..
            } => {
                ensure(usize::from(param) < plan.params.len(), || {
                    format!("argument {param} is user data but does not exist")
                })?;
                ensure(!used.contains(&param), || {
                    format!("argument {param} is user data and something else")
                })?;
                used.push(param);
            }
            Conv::Callback {
                data: UserData::Rest,
                ..
            } => rest += 1,
            _ => {}
        }
    }
    let all_used = (0..plan.params.len()).all(|param| used.contains(&(param as u16)));
    ensure(all_used, || "an argument is not converted".to_owned())?;
    ensure(rest == usize::from(plan.rest.is_some()), || {
        "the further arguments are not those of one callback".to_owned()
    })
}

fn call(plan: &Plan) -> Result<(), PlanError> {
    let mut seen = Vec::new();
    for op in &plan.ins {
        let entered = plan.call.target == Some(op.cell);
        ensure(entered == (op.conv == Conv::VFunc), || {
            format!("c{} is no virtual function that is called", op.cell.0)
        })?;
    }
    if let Some(target) = plan.call.target {
        ensure(plan.ins.iter().any(|op| op.cell == target), || {
            format!("c{} is called but not converted", target.0)
        })?;
        seen.push(target);
    }
    for arg in &plan.call.args {
        let (CallArg::Value { cell, .. } | CallArg::Address { cell }) = *arg;
        in_frame(plan, cell)?;
        ensure(!seen.contains(&cell), || {
            format!("c{} is passed twice", cell.0)
        })?;
        seen.push(cell);
        if let CallArg::Value { cell, abi } = *arg {
            let source = plan.ins.iter().find_map(|op| passed(op, cell));
            ensure(source == Some(abi), || {
                format!("c{} is passed by value but not converted as such", cell.0)
            })?;
        }
    }
    for op in &plan.ins {
        ensure(seen.contains(&op.cell), || {
            format!("c{} is converted but not passed", op.cell.0)
        })?;
        // The callee may have replaced what was converted, so the cell has to come out again.
        let returned = plan.outs.iter().any(|out| out.cell == op.cell);
        let address = CallArg::Address { cell: op.cell };
        ensure(returned || !plan.call.args.contains(&address), || {
            format!("c{} is passed by address but not returned", op.cell.0)
        })?;
    }
    if let Some((cell, _)) = plan.call.result {
        in_frame(plan, cell)?;
        let own = !seen.contains(&cell) && plan.ins.iter().all(|op| op.cell != cell);
        ensure(own, || {
            format!("the result goes to c{}, which is an argument's", cell.0)
        })?;
    }
    if let Some(cell) = plan.call.error {
        let last = plan.call.args.last() == Some(&CallArg::Address { cell });
        ensure(last, || {
            "the error's address is not the last argument".to_owned()
        })?;
        let own = plan.ins.iter().all(|op| op.cell != cell)
            && plan.outs.iter().all(|out| out.cell != cell);
        ensure(own, || {
            format!("the error's cell c{} is used otherwise", cell.0)
        })?;
    }
    Ok(())
}

/// The type of `cell`, if the *in* step `op` makes it.
fn passed(op: &In, cell: Cell) -> Option<AbiType> {
    match cell.0.checked_sub(op.cell.0)? {
        0 => Some(op.conv.abi()),
        offset => op.conv.further(offset),
    }
}

/// Whether the native function writes `cell`, or the memory that an *in* step prepared there.
fn written(plan: &Plan, cell: Cell) -> bool {
    let prepared = |op: &In| op.cell == cell && op.param.is_none();
    plan.ins.iter().any(prepared)
        || plan.call.result.is_some_and(|(result, _)| result == cell)
        || (plan.call.args.contains(&CallArg::Address { cell }) && plan.call.error != Some(cell))
}

fn outward(plan: &Plan) -> Result<(), PlanError> {
    let mut seen = Vec::new();
    for out in &plan.outs {
        let cell = out.cell;
        ensure(written(plan, cell), || {
            format!("c{} is returned but not written by the call", cell.0)
        })?;
        ensure(!seen.contains(&cell), || {
            format!("c{} is returned twice", cell.0)
        })?;
        seen.push(cell);
        in_frame(plan, Cell(cell.0 + out.conv.width() - 1))?;
        ensure(!out.conv.is_inward(), || {
            format!("c{} is returned but only goes in", cell.0)
        })?;
        let container = out.conv.is_container();
        ensure(out.transfer != Transfer::Container || container, || {
            format!("c{} is owned as a container but is none", cell.0)
        })?;
        let result = plan.call.result.filter(|(result, _)| *result == cell);
        ensure(result.is_none_or(|(_, abi)| abi == out.conv.abi()), || {
            format!("the result in c{} is not of its conversion's type", cell.0)
        })?;
        let source = plan.ins.iter().find(|op| op.cell == cell);
        ensure(source.is_none_or(|op| op.conv == out.conv), || {
            format!("c{} goes in by one conversion and out by another", cell.0)
        })?;
    }
    match &plan.result {
        ResultShape::None => ensure(plan.outs.is_empty(), || "results are dropped".to_owned()),
        ResultShape::Single => ensure(plan.outs.len() == 1, || {
            "a single result is not one".to_owned()
        }),
        ResultShape::Tuple { names } => {
            ensure(
                plan.outs.len() > 1 && names.len() == plan.outs.len(),
                || "a tuple's names do not fit its results".to_owned(),
            )?;
            let returned = plan.call.result.map(|(cell, _)| cell);
            let fits = names
                .iter()
                .zip(&plan.outs)
                .all(|(name, out)| name.is_none() == (Some(out.cell) == returned));
            ensure(fits, || {
                "in a tuple the return value and only it has no name".to_owned()
            })
        }
    }
}

fn release(plan: &Plan) -> Result<(), PlanError> {
    let mut seen = Vec::new();
    for step in &plan.release {
        let cell = step.cell;
        if step.free == Free::Kept {
            let keeps = |op: &In| op.cell == cell && op.conv.keeps();
            let kept = step.when == When::Called && plan.ins.iter().any(keeps);
            ensure(kept, || format!("nothing is kept in c{}", cell.0))?;
            continue;
        }
        ensure(written(plan, cell), || {
            format!("c{} is released but not written by the call", cell.0)
        })?;
        ensure(!seen.contains(&cell), || {
            format!("c{} is released twice", cell.0)
        })?;
        seen.push(cell);
        let allocated = plan.ins.iter().any(|op| op.cell == cell && op.allocates());
        let failed = step.free == Free::Made && step.when == When::Failed;
        ensure(allocated == failed, || {
            format!("the release of c{} does not fit its preparation", cell.0)
        })?;
        if allocated {
            continue;
        }
        if let Some(out) = plan.outs.iter().find(|out| out.cell == cell) {
            let fits = owned(&out.conv, out.transfer).as_ref() == Some(&step.free)
                && (step.when == When::Always) == out.conv.is_copied();
            ensure(fits, || {
                format!("the release of c{} does not fit its conversion", cell.0)
            })?;
        } else {
            ensure(step.when == When::Always, || {
                format!(
                    "c{} is released only unconverted but never converted",
                    cell.0
                )
            })?;
        }
    }
    let allocated = plan.ins.iter().filter(|op| op.allocates());
    for op in allocated {
        ensure(seen.contains(&op.cell), || {
            format!("c{} is allocated and never released", op.cell.0)
        })?;
    }
    for out in &plan.outs {
        let due = owned(&out.conv, out.transfer).is_some();
        ensure(!due || seen.contains(&out.cell), || {
            format!("c{} is owned and never released", out.cell.0)
        })?;
    }
    Ok(())
}

fn in_frame(plan: &Plan, cell: Cell) -> Result<(), PlanError> {
    ensure(cell.0 < plan.cells, || {
        format!("c{} is outside of the frame", cell.0)
    })
}
