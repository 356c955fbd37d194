//! The proof: a walk over every instruction that a call can reach.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use iced_x86::{Code, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind};

use super::audit::{Holds, audited};
use super::image::{Image, exported, resolve};

/// A function that needs more than this is not short.
const MAX_INSTRUCTIONS: usize = 600;
const MAX_DEPTH: usize = 6;
/// Nothing that a call needs is as slow as copying more than this by one instruction.
const REPEATED: &str = "a repeated string instruction";

/// What came of reading a function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Proof {
    /// It is short, does not block and does not call back.
    Holds {
        /// Functions read, this one included unless it is audited itself, and their instructions.
        functions: usize,
        instructions: usize,
        /// What it can call of the audited list.
        audited: Vec<String>,
    },
    /// The first thing that could not be vouched for.
    Broken(String),
}

/// Reads the function at `address`; each is read once per process.
pub fn prove(address: usize) -> Proof {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return Proof::Broken("machine code is only read on x86-64 Linux".to_owned());
    }
    if address == 0 {
        return Proof::Broken("the function differs from call to call".to_owned());
    }
    static KNOWN: OnceLock<Mutex<HashMap<usize, Proof>>> = OnceLock::new();
    let known = KNOWN.get_or_init(Mutex::default);
    if let Some(proof) = lock(known).get(&address) {
        return proof.clone();
    }
    let mut walk = Walk::default();
    let proof = match walk.function(Target::at(address)) {
        Ok(_) => Proof::Holds {
            functions: walk.functions,
            instructions: walk.instructions,
            audited: walk.audited,
        },
        Err(reason) => Proof::Broken(reason),
    };
    lock(known).insert(address, proof.clone());
    proof
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
struct Walk {
    functions: usize,
    instructions: usize,
    audited: Vec<String>,
    /// The functions that are being read, innermost last.
    active: Vec<usize>,
    /// Those that have been read without finding anything.
    proved: Vec<usize>,
}

/// A function to read.
#[derive(Clone, Copy)]
struct Target {
    address: usize,
    /// What it is imported or exported as. Some imports have several implementations, out of which
    /// the loader picks one without a name.
    name: Option<&'static str>,
}

impl Target {
    fn at(address: usize) -> Self {
        let name = exported(address).and_then(|name| name.to_str().ok());
        Target { address, name }
    }
}

/// Where an instruction goes.
enum Next {
    /// To these addresses of the same function.
    Within(Vec<u64>),
    /// Calls the function, then goes on.
    Call(Target),
    /// Leaves for another function.
    Leave(Target),
    Return,
}

impl Walk {
    /// Reads a function and what it calls; false when it does not return.
    fn function(&mut self, target: Target) -> Result<bool, String> {
        let Target { address, name } = target;
        if let Some(name) = name
            && let Some(entry) = audited(name)
            && (entry.holds == Holds::Everywhere || !self.active.is_empty())
        {
            if !self.audited.iter().any(|known| known == name) {
                self.audited.push(name.to_owned());
            }
            return Ok(entry.holds != Holds::InsideAndEnds);
        }
        if self.proved.contains(&address) {
            return Ok(true);
        }
        if self.active.contains(&address) {
            return Err(format!("{} calls itself", name_of(address)));
        }
        if self.active.len() == MAX_DEPTH {
            return Err(format!("calls are nested more than {MAX_DEPTH} deep"));
        }
        let image = Image::of(address)
            .ok_or_else(|| format!("{} is in no loaded library", name_of(address)))?;
        self.active.push(address);
        self.functions += 1;
        let done = match stub(image, address) {
            Some(target) => self.function(target),
            None => self.body(image, address).map(|()| true),
        };
        self.active.pop();
        // One that does not return is so known by its name alone.
        done.inspect(|returns| {
            if *returns {
                self.proved.push(address);
            }
        })
    }

    /// Depth first over the instructions, so that every edge to an instruction on the way is a loop.
    fn body(&mut self, image: &Image, address: usize) -> Result<(), String> {
        let place = |ip: u64| format!("{}+{:#x}", name_of(address), ip as usize - address);
        let range = image
            .function(address)
            .ok_or_else(|| format!("the end of {} is not known", name_of(address)))?;
        let code = image
            .bytes(range.start)
            .ok_or_else(|| format!("{} cannot be read", name_of(address)))?;
        let code = &code[..range.len()];
        // True: on the way; false: done with.
        let mut state: HashMap<u64, bool> = HashMap::new();
        let mut stack: Vec<(u64, Vec<u64>)> = vec![(address as u64, vec![address as u64])];
        while let Some((current, pending)) = stack.last_mut() {
            let Some(ip) = pending.pop() else {
                state.insert(*current, false);
                stack.pop();
                continue;
            };
            match state.get(&ip) {
                Some(true) => return Err(format!("a loop at {}", place(ip))),
                Some(false) => continue,
                None => {}
            }
            self.instructions += 1;
            if self.instructions > MAX_INSTRUCTIONS {
                return Err(format!("more than {MAX_INSTRUCTIONS} instructions"));
            }
            let offset = ip as usize - range.start;
            let mut decoder = Decoder::with_ip(64, &code[offset..], ip, DecoderOptions::NONE);
            let instruction = decoder.decode();
            let next = self
                .next(image, &instruction, &range)
                .map_err(|what| format!("{what} at {}", place(ip)))?;
            let following = match next {
                Next::Within(targets) => targets,
                Next::Call(target) => match self.function(target)? {
                    true => vec![instruction.next_ip()],
                    false => Vec::new(),
                },
                Next::Leave(target) => {
                    self.function(target)?;
                    Vec::new()
                }
                Next::Return => Vec::new(),
            };
            if following.iter().any(|ip| !range.contains(&(*ip as usize))) {
                return Err(format!("the code runs out at {}", place(ip)));
            }
            state.insert(ip, true);
            stack.push((ip, following));
        }
        Ok(())
    }

    fn next(
        &mut self,
        image: &Image,
        instruction: &Instruction,
        range: &std::ops::Range<usize>,
    ) -> Result<Next, &'static str> {
        if instruction.has_rep_prefix() && instruction.is_string_instruction()
            || instruction.has_repne_prefix() && instruction.is_string_instruction()
        {
            return Err(REPEATED);
        }
        let goes_on = instruction.next_ip();
        Ok(match instruction.flow_control() {
            FlowControl::Next => match instruction.mnemonic() {
                Mnemonic::In | Mnemonic::Out | Mnemonic::Insb | Mnemonic::Outsb => {
                    return Err("an instruction for devices");
                }
                _ => Next::Within(vec![goes_on]),
            },
            FlowControl::ConditionalBranch => {
                let target = instruction.near_branch_target();
                match range.contains(&(target as usize)) {
                    true => Next::Within(vec![goes_on, target]),
                    // The cold part of the function stands elsewhere.
                    false => {
                        self.function(Target::at(target as usize))
                            .map_err(|_| "a branch to code that is not proved")?;
                        Next::Within(vec![goes_on])
                    }
                }
            }
            FlowControl::UnconditionalBranch => {
                let target = instruction.near_branch_target();
                match range.contains(&(target as usize)) {
                    true => Next::Within(vec![target]),
                    false => Next::Leave(Target::at(target as usize)),
                }
            }
            FlowControl::Call => match instruction.code() {
                Code::Syscall | Code::Sysenter => return Err("a system call"),
                _ => Next::Call(Target::at(instruction.near_branch_target() as usize)),
            },
            FlowControl::IndirectCall => {
                Next::Call(imported(image, instruction).ok_or("an indirect call")?)
            }
            FlowControl::IndirectBranch => {
                Next::Leave(imported(image, instruction).ok_or("an indirect jump")?)
            }
            FlowControl::Return => Next::Return,
            // Where the compiler knows that nothing follows.
            FlowControl::Exception => Next::Return,
            FlowControl::Interrupt => return Err("a system call"),
            FlowControl::XbeginXabortXend => return Err("a transaction"),
        })
    }
}

/// What a slot of the global offset table holds, for `call *slot(%rip)` and `jmp *slot(%rip)`.
fn imported(image: &Image, instruction: &Instruction) -> Option<Target> {
    let through_slot =
        instruction.op0_kind() == OpKind::Memory && instruction.is_ip_rel_memory_operand();
    if !through_slot {
        return None;
    }
    let name = image.import(instruction.ip_rel_memory_address() as usize)?;
    Some(Target {
        address: resolve(name)?,
        name: name.to_str().ok(),
    })
}

/// The import that the linker's stub at `address` jumps to, if there is one: `endbr64`, if any, and
/// a jump through a slot.
fn stub(image: &Image, address: usize) -> Option<Target> {
    let mut decoder = Decoder::with_ip(
        64,
        image.bytes(address)?,
        address as u64,
        DecoderOptions::NONE,
    );
    let mut instruction = decoder.decode();
    if instruction.mnemonic() == Mnemonic::Endbr64 {
        instruction = decoder.decode();
    }
    match instruction.flow_control() {
        FlowControl::IndirectBranch => imported(image, &instruction),
        _ => None,
    }
}

fn name_of(address: usize) -> String {
    match exported(address) {
        Some(name) => name.to_string_lossy().into_owned(),
        None => format!("the function at {address:#x}"),
    }
}
