//! Shows machine code with the names of what it calls and loads, and the step of the plan that each
//! instruction is of.

use std::collections::HashMap;
use std::fmt::Write as _;

use iced_x86::{Decoder, DecoderOptions, Formatter, GasFormatter, Instruction, OpKind};

use crate::compile::backend::{MachineCode, StepAt};
use crate::ir::Function;
use crate::ir::steps::Steps;

/// What stands where an instruction is of no step: it sets the frame up, or it came of several.
const NO_STEP: &str = "(the frame, or of several steps)";

/// The instructions of `code`, one a line, then the constants that they read; an operand that is
/// the address of one of `function`'s symbols is followed by the name. A line `; step` stands before
/// the instructions of a step, where the code has an account of them. On machines that are no x86-64
/// the bytes in hexadecimal.
pub fn disassemble(code: &MachineCode, function: &Function) -> String {
    if cfg!(not(target_arch = "x86_64")) {
        return hexadecimal(&code.bytes);
    }
    let bytes = &code.bytes;
    let names: HashMap<u64, &str> = function
        .symbols
        .iter()
        // A text without addresses has 0 for all.
        .filter(|symbol| symbol.address != 0)
        .map(|symbol| (symbol.address, symbol.name.as_str()))
        .collect();
    let mut decoder = Decoder::with_ip(64, bytes, 0, DecoderOptions::NONE);
    let mut formatter = GasFormatter::new();
    formatter.options_mut().set_rip_relative_addresses(true);
    let steps = Steps::of(function);
    let mut shown = None;
    let mut out = String::new();
    let mut instruction = Instruction::default();
    // Constants stand behind the code that reads them, so the nearest is where code ends.
    let mut end = bytes.len();
    while decoder.position() < end && !is_padding(&bytes[decoder.position()..end]) {
        decoder.decode_out(&mut instruction);
        if instruction.is_ip_rel_memory_operand() {
            end = end.min(instruction.ip_rel_memory_address() as usize);
        }
        let step = step_at(&code.steps, instruction.ip());
        if step.is_some() && shown != step {
            shown = step;
            let text = match steps.text(step.unwrap_or_default()) {
                "" => NO_STEP,
                text => text,
            };
            writeln!(out, "; {text}").expect("writing to a String");
        }
        let mut text = String::new();
        formatter.format(&instruction, &mut text);
        write!(out, "{:6x}  {text}", instruction.ip()).expect("writing to a String");
        if let Some(name) = operands(&instruction, bytes).find_map(|operand| names.get(&operand)) {
            write!(out, "  # {name}").expect("writing to a String");
        }
        out.push('\n');
    }
    for (index, word) in bytes[end..].chunks(8).enumerate() {
        let at = end + index * 8;
        writeln!(out, "{at:6x}  .byte {}", hexadecimal(word)).expect("writing to a String");
    }
    out
}

/// The step of the instruction at `offset`; `None` without an account of steps.
fn step_at(steps: &[StepAt], offset: u64) -> Option<u32> {
    let after = steps.partition_point(|at| u64::from(at.offset) <= offset);
    match (steps.is_empty(), after.checked_sub(1)) {
        (true, _) => None,
        (false, None) => Some(0),
        (false, Some(index)) => Some(steps[index].step),
    }
}

/// Whether only zeros are left before the constants, which are aligned.
fn is_padding(bytes: &[u8]) -> bool {
    bytes.len() < 64 && bytes.iter().all(|byte| *byte == 0)
}

/// The numbers among an instruction's operands: immediate, an absolute address, or a constant that
/// stands in `code`.
fn operands(instruction: &Instruction, code: &[u8]) -> impl Iterator<Item = u64> {
    (0..instruction.op_count()).filter_map(|operand| match instruction.op_kind(operand) {
        OpKind::Immediate64 | OpKind::Immediate32to64 | OpKind::Immediate32 => {
            Some(instruction.immediate(operand))
        }
        OpKind::Memory if instruction.is_ip_rel_memory_operand() => {
            let at = instruction.ip_rel_memory_address() as usize;
            let word = code.get(at..at.checked_add(8)?)?;
            Some(u64::from_le_bytes(word.try_into().ok()?))
        }
        OpKind::Memory => Some(instruction.memory_displacement64()),
        _ => None,
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}
