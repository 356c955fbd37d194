//! Which function an indirect call enters, where the first argument is an instance of a known class.
//!
//! GObject's virtual functions are called through the class of an instance, or through the table that
//! `g_type_interface_peek` finds in it. What registers hold of these is followed through a function
//! that has no loops: where two ways meet, only what is the same on both is known, and nothing is
//! known of memory but the instance's class and the entries of the tables.

use std::collections::HashMap;

use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, OpAccess,
    OpKind, Register,
};

use super::class::{self, Class};
use super::image::Image;
use super::prove::Target;

/// An instruction of the function.
pub(super) struct Step {
    pub instruction: Instruction,
    /// Where it goes within the function.
    pub following: Vec<u64>,
    /// The function that it enters, where that is known.
    pub called: Option<Target>,
    /// Why what it enters is not proved, unless its first argument is the instance.
    pub open: Option<String>,
}

/// A call that is not proved by itself.
pub(super) struct OpenCall {
    /// What it enters; of an indirect call that is the entry of one of the class's tables.
    pub target: Option<Target>,
    /// The first argument is the instance.
    pub instance: bool,
    /// [`Step::open`].
    pub reason: String,
}

/// What a register is known to hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Instance,
    Class,
    /// What the function at this address returns.
    Type(usize),
    /// The class's table of an interface.
    Interface(usize),
    /// An entry of one of the tables.
    Entry(usize),
}

/// Of the sixteen general registers.
type State = [Option<Known>; 16];

/// Those that a call changes, by the System V ABI: the others are as before.
const CHANGED: [Register; 9] = [
    Register::RAX,
    Register::RCX,
    Register::RDX,
    Register::RSI,
    Register::RDI,
    Register::R8,
    Register::R9,
    Register::R10,
    Register::R11,
];

fn number(register: Register) -> Option<usize> {
    let full = register.full_register();
    full.is_gpr64().then(|| full.number())
}

fn known(state: &State, register: Register) -> Option<Known> {
    match register.is_gpr64() {
        true => state[register.number()],
        false => None,
    }
}

/// The open calls among `steps`. `order` has every instruction before those that it leads to, and
/// begins with the function's first.
pub(super) fn open_calls(
    order: &[u64],
    steps: &HashMap<u64, Step>,
    class: &Class,
) -> Vec<OpenCall> {
    let mut entry = State::default();
    entry[Register::RDI.number()] = Some(Known::Instance);
    let mut states: HashMap<u64, State> = HashMap::new();
    let mut found = Vec::new();
    let mut info = InstructionInfoFactory::new();
    for ip in order {
        let step = &steps[ip];
        let mut state = states.get(ip).copied().unwrap_or(entry);
        if let Some(reason) = &step.open {
            let entered = || match value(&step.instruction, 0, &state, class) {
                Some(Known::Entry(address)) if address != 0 => Some(Target::at(address)),
                _ => None,
            };
            found.push(OpenCall {
                target: step.called.or_else(entered),
                instance: known(&state, Register::RDI) == Some(Known::Instance),
                reason: reason.clone(),
            });
        }
        advance(&mut state, step, class, &mut info);
        for next in &step.following {
            let joined = states.entry(*next).or_insert(state);
            for (held, other) in joined.iter_mut().zip(state) {
                *held = held.filter(|_| *held == other);
            }
        }
    }
    found
}

/// What operand `index` is.
fn value(instruction: &Instruction, index: u32, state: &State, class: &Class) -> Option<Known> {
    match instruction.op_kind(index) {
        OpKind::Register => known(state, instruction.op_register(index)),
        OpKind::Memory => {
            let plain = instruction.memory_index() == Register::None
                && instruction.segment_prefix() == Register::None;
            let base = known(state, instruction.memory_base()).filter(|_| plain)?;
            let offset = usize::try_from(instruction.memory_displacement64()).ok()?;
            match base {
                Known::Instance if offset == 0 => Some(Known::Class),
                Known::Class => class.entry(offset).map(Known::Entry),
                Known::Interface(table) if table != 0 => {
                    // SAFETY: the instruction reads the table of this interface there.
                    unsafe { class::interface_entry(table, offset) }.map(Known::Entry)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// What is known after an instruction.
fn advance(state: &mut State, step: &Step, class: &Class, info: &mut InstructionInfoFactory) {
    let instruction = &step.instruction;
    match instruction.flow_control() {
        FlowControl::Call | FlowControl::IndirectCall => {
            let result = match step
                .called
                .and_then(|called| Some((called.name?, called.address)))
            {
                Some(("g_type_interface_peek", _)) => {
                    match (known(state, Register::RDI), known(state, Register::RSI)) {
                        (Some(Known::Class), Some(Known::Type(get_type))) => {
                            let found = !takes_argument(get_type, info);
                            found.then(|| Known::Interface(class.interface(get_type)))
                        }
                        _ => None,
                    }
                }
                Some((name, address)) if name.ends_with("_get_type") => Some(Known::Type(address)),
                _ => None,
            };
            for register in CHANGED {
                state[register.number()] = None;
            }
            state[Register::RAX.number()] = result;
        }
        _ => {
            let moved = match instruction.code() {
                Code::Mov_r64_rm64 | Code::Mov_rm64_r64 => value(instruction, 1, state, class),
                _ => None,
            };
            for used in info.info(instruction).used_registers() {
                let kept = matches!(
                    used.access(),
                    OpAccess::None | OpAccess::Read | OpAccess::CondRead | OpAccess::NoMemAccess
                );
                if let (false, Some(number)) = (kept, number(used.register())) {
                    state[number] = None;
                }
            }
            if let (Some(moved), OpKind::Register) = (moved, instruction.op0_kind())
                && let Some(number) = number(instruction.op0_register())
            {
                state[number] = Some(moved);
            }
        }
    }
}

/// How much of a function is read to see whether it takes an argument. Those that return a type are
/// shorter.
const HEAD: usize = 64;

/// Whether the function at `address` may read its first argument: all `*_get_type` that return a
/// `GType` have none, and `g_variant_get_type` has one.
fn takes_argument(address: usize, info: &mut InstructionInfoFactory) -> bool {
    let Some(image) = Image::of(address) else {
        return true;
    };
    let (mut seen, mut pending) = (Vec::new(), vec![address as u64]);
    while let Some(ip) = pending.pop() {
        if seen.contains(&ip) {
            continue;
        }
        seen.push(ip);
        let Some(code) = image.bytes(ip as usize).filter(|_| seen.len() <= HEAD) else {
            return true;
        };
        let instruction = Decoder::with_ip(64, code, ip, DecoderOptions::NONE).decode();
        let (mut read, mut written) = (false, false);
        for used in info.info(&instruction).used_registers() {
            if used.register().full_register() == Register::RDI {
                match used.access() {
                    OpAccess::None | OpAccess::NoMemAccess => {}
                    OpAccess::Write => written = true,
                    _ => read = true,
                }
            }
        }
        if read {
            return true;
        }
        if written {
            continue;
        }
        match instruction.flow_control() {
            FlowControl::Next => pending.push(instruction.next_ip()),
            FlowControl::ConditionalBranch => {
                pending.extend([instruction.next_ip(), instruction.near_branch_target()]);
            }
            FlowControl::UnconditionalBranch => pending.push(instruction.near_branch_target()),
            FlowControl::Return => {}
            // What is called may read it.
            _ => return true,
        }
    }
    false
}
