//! Shows machine code with the names of what it calls and loads.

use std::collections::HashMap;
use std::fmt::Write as _;

use iced_x86::{Decoder, DecoderOptions, Formatter, GasFormatter, Instruction, OpKind};

use crate::compile::backend::MachineCode;
use crate::ir::Function;

/// The instructions of `code`, one a line, then its constants; an operand that is the address of
/// one of `function`'s symbols is followed by the name. On machines that are no x86-64 the bytes in
/// hexadecimal.
pub fn disassemble(code: &MachineCode, function: &Function) -> String {
    if cfg!(not(target_arch = "x86_64")) {
        return hexadecimal(&code.bytes);
    }
    let names: HashMap<u64, &str> = function
        .symbols
        .iter()
        // A text without addresses has 0 for all.
        .filter(|symbol| symbol.address != 0)
        .map(|symbol| (symbol.address, symbol.name.as_str()))
        .collect();
    let (instructions, constants) = code.bytes.split_at(code.bytes.len() - code.constants);
    let mut decoder = Decoder::with_ip(64, instructions, 0, DecoderOptions::NONE);
    let mut formatter = GasFormatter::new();
    let mut out = String::new();
    let mut instruction = Instruction::default();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        let mut text = String::new();
        formatter.format(&instruction, &mut text);
        write!(out, "{:6x}  {text}", instruction.ip()).expect("writing to a String");
        if let Some(name) = operands(&instruction).find_map(|operand| names.get(&operand)) {
            write!(out, "  # {name}").expect("writing to a String");
        }
        out.push('\n');
    }
    for (index, word) in constants.chunks(8).enumerate() {
        let at = instructions.len() + index * 8;
        writeln!(out, "{at:6x}  .byte {}", hexadecimal(word)).expect("writing to a String");
    }
    out
}

/// Constants and absolute addresses among the operands.
fn operands(instruction: &Instruction) -> impl Iterator<Item = u64> {
    (0..instruction.op_count()).filter_map(|operand| match instruction.op_kind(operand) {
        OpKind::Immediate64 | OpKind::Immediate32to64 | OpKind::Immediate32 => {
            Some(instruction.immediate(operand))
        }
        OpKind::Memory => Some(instruction.memory_displacement64()),
        _ => None,
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}
