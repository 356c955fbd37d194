//! A plan in words, for people who call the function and do not know gijit.

use std::fmt::Write as _;

use super::{Conv, In, Plan, ResultShape, UserData};
use crate::ir::AbiType;
use crate::signature::{Scope, Transfer};

/// What a call of `plan` does, step by step.
pub fn words(plan: &Plan) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    let names: Vec<&str> = plan
        .params
        .iter()
        .filter_map(|param| param.name.as_deref())
        .chain(plan.rest.as_ref().map(|_| "*user_data"))
        .collect();
    line(format!("{}({})", plan.name, names.join(", ")));
    for op in &plan.ins {
        if let Some(text) = taken(plan, op) {
            line(text);
        }
    }
    line(match plan.call.target {
        Some(_) => format!("  calls the implementation of {}", plan.symbol),
        None => format!("  calls {} of the C library", plan.symbol),
    });
    if plan.call.error.is_some() {
        line("  raises GLib.Error when the function reports an error".to_owned());
    }
    let results: Vec<String> = plan
        .outs
        .iter()
        .map(|op| {
            let copied = op.conv.is_copied() || op.conv.is_container();
            let owned = match (copied, op.transfer) {
                (true, Transfer::Full) => ", a copy; the library's own is freed",
                (true, _) => ", a copy",
                (false, Transfer::Full) => ", which becomes Python's own",
                (false, _) => "",
            };
            format!("{}{owned}", value(&op.conv, false))
        })
        .collect();
    match &plan.result {
        ResultShape::None => line("  gives back None".to_owned()),
        ResultShape::Single => line(format!("  gives back {}", results.join(", "))),
        ResultShape::Tuple { names } => {
            line("  gives back a tuple:".to_owned());
            for (name, result) in names.iter().zip(&results) {
                let name = name.as_deref().unwrap_or("the function's result");
                line(format!("    {name}: {result}"));
            }
        }
    }
    out
}

/// What an *in* step takes, as a line; `None` when Python gives nothing for it.
fn taken(plan: &Plan, op: &In) -> Option<String> {
    let param = op.param?;
    let name = match &plan.params[usize::from(param)].name {
        Some(name) => name,
        None if plan.call.target.is_some() && param == 0 => "the class",
        None => "self",
    };
    let mut text = format!("  takes {name}: {}", value(&op.conv, true));
    if op.nullable {
        text += ", or None";
    }
    if plan.params[usize::from(param)].optional {
        text += "; may be left out";
    }
    if op.transfer == Transfer::Full {
        text += "; the library gets a reference or copy of its own";
    }
    Some(text)
}

/// A value as Python gives it (`given`) or gets it.
fn value(conv: &Conv, given: bool) -> String {
    match conv {
        Conv::Boolean => "a truth value".to_owned(),
        Conv::Integer(abi) => {
            let sign = match abi.signed() {
                true => "",
                false => ", not negative",
            };
            format!("an int of {} bits{sign}", 8 * AbiType::size(*abi))
        }
        Conv::Float => "a float, in single precision".to_owned(),
        Conv::Double => "a float".to_owned(),
        Conv::Unichar => "a str of one character".to_owned(),
        Conv::GType => "a type (GObject.GType)".to_owned(),
        Conv::Pointer => "an address, as an int".to_owned(),
        Conv::AsPointer { of } | Conv::First { of } | Conv::Inline { of } => value(of, given),
        Conv::Utf8 => "a str".to_owned(),
        Conv::Written => "a str, of which the library writes into a copy".to_owned(),
        Conv::Filename => "a file name".to_owned(),
        Conv::Enum { ty, .. } => format!("a value of the enum {ty}"),
        Conv::Flags { ty, .. } => format!("flags of {ty}"),
        Conv::Object { ty }
        | Conv::Fundamental { ty }
        | Conv::Foreign { ty }
        | Conv::Boxed { ty }
        | Conv::Struct { ty }
        | Conv::Variant { ty }
        | Conv::Closure { ty } => format!("{ty} object"),
        Conv::Class { ty } => format!("a class ({ty})"),
        Conv::VFunc => "the class whose implementation is called".to_owned(),
        Conv::Value => "any value (GObject.Value)".to_owned(),
        Conv::Error => "an error (GLib.Error)".to_owned(),
        Conv::Array(array) => match &array.item {
            Conv::Integer(AbiType::U8) if given => "bytes, or a sequence of ints".to_owned(),
            Conv::Integer(AbiType::U8) => "bytes".to_owned(),
            item => format!("a list, of each {}", value(item, given)),
        },
        Conv::List { item, .. } => format!("a list, of each {}", value(item, given)),
        Conv::Hash { key, value: held } => {
            format!(
                "a dict, from {} to {}",
                value(key, given),
                value(held, given)
            )
        }
        Conv::Callback {
            ty, scope, data, ..
        } => {
            let until = match scope {
                Scope::Call => "called before this call returns",
                Scope::Async => "called once, later",
                Scope::Notified => "called until the library lets go of it",
                Scope::Forever => "called at any time, never freed",
            };
            let data = match data {
                UserData::None | UserData::Ignored(_) => "",
                UserData::Param(_) | UserData::Rest => ", with your user data",
                UserData::Tuple(_) => ", with your tuple of user data",
            };
            format!("a callable ({ty}), {until}{data}")
        }
    }
}
