//! The text form of thunk IR: [`print`] and [`parse`], and the [`shape`] that thunks may share.
//!
//! The text carries all of a function, so the LLVM tier, which lives in a library of its own, gets
//! its input as text and shares no memory layout with the core. Golden files leave the addresses
//! out; a function parsed from such a text has address 0 everywhere.
//!
//! ```text
//! thunk "GLib.foo" (ptr, ptr, i64, ptr) -> ptr
//!   symbol @0 "helper" = 0x7f00
//!   signature $0 (ptr) -> i32
//!   slot s0 8
//! block0(v0: ptr, v1: ptr, v2: i64, v3: ptr):
//!   ; bind
//!   v4: ptr = load v1+8
//!   v5: i32 = call @0 $0 (v4)
//!   branch v6, block1, block2(v4)
//! block1 cold:
//!   return v4
//! ```

mod parser;

use std::fmt::Write as _;

use super::*;

pub use parser::{ParseError, parse};

impl std::fmt::Display for Function {
    /// The text without addresses.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&print(self, false))
    }
}

/// Writes `function` as text, with the addresses of symbols when `addresses` is set.
pub fn print(function: &Function, addresses: bool) -> String {
    let mut out = String::new();
    write_function(&mut out, function, addresses).expect("writing to a String does not fail");
    out
}

/// The text of `function` without all that a back end copies into the code or drops: addresses,
/// names and notes. Functions of one shape differ in nothing that decides what a back end does.
pub fn shape(function: &Function) -> String {
    let mut plain = function.without_notes();
    plain.name.clear();
    for symbol in &mut plain.symbols {
        symbol.name.clear();
    }
    print(&plain, false)
}

fn write_function(out: &mut String, function: &Function, addresses: bool) -> std::fmt::Result {
    writeln!(
        out,
        "thunk {} {}",
        quoted(&function.name),
        call_signature(&function.signature)
    )?;
    for (index, symbol) in function.symbols.iter().enumerate() {
        write!(out, "  symbol @{index} {}", quoted(&symbol.name))?;
        match addresses {
            true => writeln!(out, " = {:#x}", symbol.address)?,
            false => writeln!(out)?,
        }
    }
    for (index, signature) in function.signatures.iter().enumerate() {
        writeln!(out, "  signature ${index} {}", call_signature(signature))?;
    }
    for (index, size) in function.slots.iter().enumerate() {
        writeln!(out, "  slot s{index} {size}")?;
    }
    for (index, block) in function.blocks.iter().enumerate() {
        write!(out, "block{index}")?;
        if !block.params.is_empty() {
            let params: Vec<String> = block.params.iter().map(|&v| typed(function, v)).collect();
            write!(out, "({})", params.join(", "))?;
        }
        writeln!(out, "{}:", if block.cold { " cold" } else { "" })?;
        for inst in &block.insts {
            writeln!(out, "  {}", inst_text(function, inst))?;
        }
        if let Some(terminator) = &block.terminator {
            writeln!(out, "  {}", terminator_text(terminator))?;
        }
    }
    Ok(())
}

/// A name in quotes. Control characters would end the line or not show.
fn quoted(name: &str) -> String {
    let mut out = String::from('"');
    for c in name.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn inst_text(function: &Function, inst: &Inst) -> String {
    let dst = |value: &Value| typed(function, *value);
    match inst {
        Inst::Const { dst: d, bits } => format!("{} = const {:#x}", dst(d), bits),
        Inst::SymbolAddr { dst: d, symbol } => format!("{} = addr @{}", dst(d), symbol.0),
        Inst::SlotAddr { dst: d, slot } => format!("{} = addr s{}", dst(d), slot.0),
        Inst::Load {
            dst: d,
            base,
            offset,
        } => format!("{} = load v{}{offset:+}", dst(d), base.0),
        Inst::Store {
            value,
            base,
            offset,
        } => {
            format!("store v{}, v{}{offset:+}", value.0, base.0)
        }
        Inst::Binary {
            dst: d,
            op,
            lhs,
            rhs,
        } => {
            format!(
                "{} = {} v{}, v{}",
                dst(d),
                name_of(BINARY, *op),
                lhs.0,
                rhs.0
            )
        }
        Inst::Compare {
            dst: d,
            cond,
            lhs,
            rhs,
        } => {
            format!(
                "{} = {} v{}, v{}",
                dst(d),
                name_of(CONDITIONS, *cond),
                lhs.0,
                rhs.0
            )
        }
        Inst::Convert { dst: d, op, value } => {
            format!("{} = {} v{}", dst(d), name_of(CONVERSIONS, *op), value.0)
        }
        Inst::Select {
            dst: d,
            cond,
            on_true,
            on_false,
        } => {
            format!(
                "{} = select v{}, v{}, v{}",
                dst(d),
                cond.0,
                on_true.0,
                on_false.0
            )
        }
        Inst::Call {
            dst: d,
            callee,
            sig,
            args,
        } => {
            let assigned = d.map(|d| format!("{} = ", dst(&d))).unwrap_or_default();
            format!("{assigned}call {}", call_text(*callee, *sig, args))
        }
        Inst::Note { text } => format!("; {text}"),
    }
}

fn terminator_text(terminator: &Terminator) -> String {
    match terminator {
        Terminator::Jump(target) => format!("jump {}", target_text(target)),
        Terminator::Branch {
            cond,
            then,
            otherwise,
        } => {
            format!(
                "branch v{}, {}, {}",
                cond.0,
                target_text(then),
                target_text(otherwise)
            )
        }
        Terminator::Return(value) => format!("return v{}", value.0),
        Terminator::TailCall { callee, sig, args } => {
            format!("tailcall {}", call_text(*callee, *sig, args))
        }
    }
}

fn call_text(callee: Callee, sig: SigRef, args: &[Value]) -> String {
    let callee = match callee {
        Callee::Symbol(symbol) => format!("@{}", symbol.0),
        Callee::Value(value) => format!("v{}", value.0),
    };
    format!("{callee} ${} ({})", sig.0, values(args))
}

fn target_text(target: &Target) -> String {
    match target.args.is_empty() {
        true => format!("block{}", target.block.0),
        false => format!("block{}({})", target.block.0, values(&target.args)),
    }
}

fn values(list: &[Value]) -> String {
    list.iter()
        .map(|v| format!("v{}", v.0))
        .collect::<Vec<_>>()
        .join(", ")
}

fn typed(function: &Function, value: Value) -> String {
    format!("v{}: {}", value.0, name_of(TYPES, function.ty(value)))
}

fn call_signature(signature: &CallSignature) -> String {
    let params: Vec<&str> = signature
        .params
        .iter()
        .map(|p| name_of(ABI_TYPES, *p))
        .collect();
    let result = signature
        .result
        .map(|r| format!(" -> {}", name_of(ABI_TYPES, r)));
    format!("({}){}", params.join(", "), result.unwrap_or_default())
}

/// The word for each variant, one table per enum, for printing and parsing.
type Words<T> = &'static [(T, &'static str)];

const TYPES: Words<Type> = &[
    (Type::I8, "i8"),
    (Type::I16, "i16"),
    (Type::I32, "i32"),
    (Type::I64, "i64"),
    (Type::F32, "f32"),
    (Type::F64, "f64"),
    (Type::Ptr, "ptr"),
];

pub(crate) const ABI_TYPES: Words<AbiType> = &[
    (AbiType::I8, "i8"),
    (AbiType::U8, "u8"),
    (AbiType::I16, "i16"),
    (AbiType::U16, "u16"),
    (AbiType::I32, "i32"),
    (AbiType::U32, "u32"),
    (AbiType::I64, "i64"),
    (AbiType::U64, "u64"),
    (AbiType::F32, "f32"),
    (AbiType::F64, "f64"),
    (AbiType::Ptr, "ptr"),
];

const BINARY: Words<BinaryOp> = &[
    (BinaryOp::Add, "add"),
    (BinaryOp::Sub, "sub"),
    (BinaryOp::Mul, "mul"),
    (BinaryOp::And, "and"),
    (BinaryOp::Or, "or"),
    (BinaryOp::Xor, "xor"),
    (BinaryOp::Shl, "shl"),
    (BinaryOp::Shr, "shr"),
    (BinaryOp::Sar, "sar"),
];

const CONDITIONS: Words<Condition> = &[
    (Condition::Eq, "eq"),
    (Condition::Ne, "ne"),
    (Condition::Slt, "slt"),
    (Condition::Sle, "sle"),
    (Condition::Sgt, "sgt"),
    (Condition::Sge, "sge"),
    (Condition::Ult, "ult"),
    (Condition::Ule, "ule"),
    (Condition::Ugt, "ugt"),
    (Condition::Uge, "uge"),
    (Condition::Feq, "feq"),
    (Condition::Flt, "flt"),
    (Condition::Fle, "fle"),
];

const CONVERSIONS: Words<ConvertOp> = &[
    (ConvertOp::Zext, "zext"),
    (ConvertOp::Sext, "sext"),
    (ConvertOp::Trunc, "trunc"),
    (ConvertOp::Bitcast, "bitcast"),
    (ConvertOp::SintToFloat, "sint_to_float"),
    (ConvertOp::Fdemote, "fdemote"),
    (ConvertOp::Fpromote, "fpromote"),
];

pub(crate) fn name_of<T: Copy + PartialEq>(words: Words<T>, value: T) -> &'static str {
    words
        .iter()
        .find(|(v, _)| *v == value)
        .expect("the table is complete")
        .1
}

pub(crate) fn value_of<T: Copy>(words: Words<T>, name: &str) -> Option<T> {
    words.iter().find(|(_, n)| *n == name).map(|(v, _)| *v)
}
