//! Shows machine code with the names of what it calls and loads.

use std::collections::HashMap;
use std::fmt::Write as _;

use iced_x86::{Decoder, DecoderOptions, Formatter, GasFormatter, Instruction, OpKind};

use crate::compile::backend::MachineCode;
use crate::ir::Function;

/// The instructions of `code`, one a line; an immediate that is the address of one of `function`'s
/// symbols is followed by its name. On machines that are no x86-64 the bytes in hexadecimal.
pub fn disassemble(code: &MachineCode, function: &Function) -> String {
    if cfg!(not(target_arch = "x86_64")) {
        return code
            .bytes
            .iter()
            .map(|byte| format!("{byte:02x} "))
            .collect();
    }
    let names: HashMap<u64, &str> = function
        .symbols
        .iter()
        .map(|s| (s.address, s.name.as_str()))
        .collect();
    let mut decoder = Decoder::with_ip(64, &code.bytes, 0, DecoderOptions::NONE);
    let mut formatter = GasFormatter::new();
    let mut out = String::new();
    let mut instruction = Instruction::default();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        let mut text = String::new();
        formatter.format(&instruction, &mut text);
        write!(out, "{:6x}  {text}", instruction.ip()).expect("writing to a String");
        let named = (0..instruction.op_count())
            .filter(|&op| {
                matches!(
                    instruction.op_kind(op),
                    OpKind::Immediate64 | OpKind::Immediate32to64 | OpKind::Immediate32
                )
            })
            .find_map(|op| names.get(&instruction.immediate(op)));
        if let Some(name) = named.filter(|_| !names.is_empty()) {
            write!(out, "  # {name}").expect("writing to a String");
        }
        out.push('\n');
    }
    out
}
