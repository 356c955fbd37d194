//! Checks a plan, so that the tiers may run it without looking again.

use super::build::owned;
use super::{CallArg, Cell, MAX_CELLS, MAX_PARAMS, Plan, ResultShape, When};
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
    })
}

fn inward(plan: &Plan) -> Result<(), PlanError> {
    let mut defined = Vec::new();
    for op in &plan.ins {
        let cell = op.cell;
        in_frame(plan, cell)?;
        ensure(usize::from(op.param) < plan.params.len(), || {
            format!(
                "c{} is converted from argument {}, which does not exist",
                cell.0, op.param
            )
        })?;
        ensure(!defined.contains(&cell), || {
            format!("c{} is converted twice", cell.0)
        })?;
        defined.push(cell);
        ensure(!op.nullable || op.conv.abi() == AbiType::Ptr, || {
            format!("c{} takes None but is no pointer", cell.0)
        })?;
        let undo = if op.transfer == Transfer::Full {
            owned(&op.conv)
        } else {
            None
        };
        ensure(op.undo == undo, || {
            format!(
                "the undo of c{} is not that of its conversion and transfer",
                cell.0
            )
        })?;
    }
    let used: Vec<u16> = plan.ins.iter().map(|op| op.param).collect();
    let all_used = (0..plan.params.len()).all(|param| used.contains(&(param as u16)));
    ensure(all_used, || "an argument is not converted".to_owned())
}

fn call(plan: &Plan) -> Result<(), PlanError> {
    let mut seen = Vec::new();
    for arg in &plan.call.args {
        let (CallArg::Value { cell, .. } | CallArg::Address { cell }) = *arg;
        in_frame(plan, cell)?;
        ensure(!seen.contains(&cell), || {
            format!("c{} is passed twice", cell.0)
        })?;
        seen.push(cell);
        if let CallArg::Value { cell, abi } = *arg {
            let source = plan.ins.iter().find(|op| op.cell == cell);
            ensure(source.is_some_and(|op| op.conv.abi() == abi), || {
                format!("c{} is passed by value but not converted as such", cell.0)
            })?;
        }
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

/// Whether the native function writes `cell`.
fn written(plan: &Plan, cell: Cell) -> bool {
    plan.call.result.is_some_and(|(result, _)| result == cell)
        || (plan.call.args.contains(&CallArg::Address { cell }) && plan.call.error != Some(cell))
}

fn outward(plan: &Plan) -> Result<(), PlanError> {
    for out in &plan.outs {
        ensure(written(plan, out.cell), || {
            format!("c{} is returned but not written by the call", out.cell.0)
        })?;
    }
    match &plan.result {
        ResultShape::None => ensure(plan.outs.is_empty(), || "results are dropped".to_owned()),
        ResultShape::Single => ensure(plan.outs.len() == 1, || {
            "a single result is not one".to_owned()
        }),
        ResultShape::Tuple { names } => ensure(
            plan.outs.len() > 1 && names.len() == plan.outs.len(),
            || "a tuple's names do not fit its results".to_owned(),
        ),
    }
}

fn release(plan: &Plan) -> Result<(), PlanError> {
    let mut seen = Vec::new();
    for step in &plan.release {
        let cell = step.cell;
        ensure(written(plan, cell), || {
            format!("c{} is released but not written by the call", cell.0)
        })?;
        ensure(!seen.contains(&cell), || {
            format!("c{} is released twice", cell.0)
        })?;
        seen.push(cell);
        if let Some(out) = plan.outs.iter().find(|out| out.cell == cell) {
            let fits = out.transfer == Transfer::Full
                && owned(&out.conv).as_ref() == Some(&step.free)
                && (step.when == When::Always)
                    == matches!(out.conv, super::Conv::Utf8 | super::Conv::Filename);
            ensure(fits, || {
                format!("the release of c{} does not fit its conversion", cell.0)
            })?;
        }
    }
    for out in &plan.outs {
        let due = out.transfer == Transfer::Full && owned(&out.conv).is_some();
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
