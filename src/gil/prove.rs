//! The proof: a walk over every instruction that a call can reach.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use iced_x86::{Code, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind};

use super::audit::{Holds, audited};
use super::class::Class;
use super::flow::{self, Step};
use super::image::{Image, exported, resolve};
use super::{Decision, Lock};
use crate::sync::lock_std as lock;

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

impl Proof {
    /// What follows from a proof that holds, or none.
    pub(super) fn decision(self, lock: Lock) -> Decision {
        let (lock, reason, audited) = match self {
            Proof::Broken(reason) => (Lock::Released, reason, Vec::new()),
            Proof::Holds {
                functions,
                instructions,
                audited,
            } => {
                let trusted = audited.join(", ");
                let read = format!("proved: {instructions} instructions in {functions} functions");
                let reason = match (functions, trusted.is_empty()) {
                    (0, _) => format!("on trust: {trusted}"),
                    (_, true) => read,
                    (_, false) => format!("{read}, and {trusted}"),
                };
                (lock, reason, audited)
            }
        };
        Decision {
            lock,
            reason,
            audited,
        }
    }
}

/// Reads the function at `address`, for first arguments that are instances of `class` if one is
/// given; each is read once per process.
pub fn prove(address: usize, class: Option<&Class>) -> Proof {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return Proof::Broken("machine code is only read on x86-64 Linux".to_owned());
    }
    if address == 0 {
        return Proof::Broken("the function differs from call to call".to_owned());
    }
    static KNOWN: OnceLock<Mutex<HashMap<(usize, usize), Proof>>> = OnceLock::new();
    let known = KNOWN.get_or_init(Mutex::default);
    let key = (address, class.map_or(0, |class| class.address));
    if let Some(proof) = lock(known).get(&key) {
        return proof.clone();
    }
    let mut walk = Walk {
        class,
        active: Vec::new(),
        found: Found::default(),
    };
    let proof = match walk.function(Target::at(address), class.is_some()) {
        Ok(_) => Proof::Holds {
            functions: walk.found.functions,
            instructions: walk.found.instructions,
            audited: walk.found.audited,
        },
        Err(reason) => Proof::Broken(reason),
    };
    lock(known).insert(key, proof.clone());
    proof
}

struct Walk<'a> {
    /// What the first argument is an instance of.
    class: Option<&'a Class>,
    /// The functions that are being read, innermost last.
    active: Vec<usize>,
    found: Found,
}

/// What a walk has come to.
#[derive(Clone, Default)]
struct Found {
    functions: usize,
    instructions: usize,
    audited: Vec<String>,
    /// The functions that have been read without finding anything, and whether their first argument
    /// was known to be the instance.
    proved: Vec<(usize, bool)>,
}

/// A function to read.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub address: usize,
    /// What it is imported or exported as. Some imports have several implementations, out of which
    /// the loader picks one without a name.
    pub name: Option<&'static str>,
}

impl Target {
    pub fn at(address: usize) -> Self {
        let name = exported(address).and_then(|name| name.to_str().ok());
        Target { address, name }
    }

    /// The function itself, where this is the linker's stub of an import.
    fn resolved(self, image: &Image) -> Self {
        match self.name {
            Some(_) => self,
            None => stub(image, self.address).unwrap_or(self),
        }
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
    /// Enters what a register or memory says, and comes back or does not.
    Virtual {
        returns: bool,
    },
    Return,
}

impl Walk<'_> {
    /// Reads a function and what it calls; false when it does not return. `instance`: its first
    /// argument is the instance of the class.
    fn function(&mut self, target: Target, instance: bool) -> Result<bool, String> {
        let Target { address, name } = target;
        let class = self.class.filter(|_| instance);
        if let Some(name) = name
            && let Some(entry) = audited(name, class.map(|class| class.name.as_str()))
            && (entry.holds == Holds::Everywhere || !self.active.is_empty())
        {
            if !self.found.audited.iter().any(|known| known == name) {
                self.found.audited.push(name.to_owned());
            }
            return Ok(entry.holds != Holds::InsideAndEnds);
        }
        if self.found.proved.contains(&(address, instance)) {
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
        self.found.functions += 1;
        let done = match stub(image, address) {
            Some(target) => self.function(target, instance),
            None => self.body(image, address, class).map(|()| true),
        };
        self.active.pop();
        // One that does not return is so known by its name alone.
        done.inspect(|returns| {
            if *returns {
                self.found.proved.push((address, instance));
            }
        })
    }

    /// Depth first over the instructions, so that every edge to an instruction on the way is a loop.
    /// Indirect calls are looked into when all else is known to be fine, and where the first argument
    /// is an instance of `class`.
    fn body(&mut self, image: &Image, address: usize, class: Option<&Class>) -> Result<(), String> {
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
        // What has been read, each after all that it can lead to.
        let mut steps: HashMap<u64, Step> = HashMap::new();
        let mut order = Vec::new();
        while let Some((current, pending)) = stack.last_mut() {
            let Some(ip) = pending.pop() else {
                if state.insert(*current, false) == Some(true) {
                    order.push(*current);
                }
                stack.pop();
                continue;
            };
            match state.get(&ip) {
                Some(true) => return Err(format!("a loop at {}", place(ip))),
                Some(false) => continue,
                None => {}
            }
            self.found.instructions += 1;
            if self.found.instructions > MAX_INSTRUCTIONS {
                return Err(format!("more than {MAX_INSTRUCTIONS} instructions"));
            }
            let offset = ip as usize - range.start;
            let mut decoder = Decoder::with_ip(64, &code[offset..], ip, DecoderOptions::NONE);
            let instruction = decoder.decode();
            let next = self
                .next(image, &instruction, &range)
                .map_err(|what| format!("{what} at {}", place(ip)))?;
            let mut called = None;
            // Why what it enters is not proved, as long as its first argument may be the instance.
            let mut open = None;
            let goes_on = vec![instruction.next_ip()];
            let following = match next {
                Next::Within(targets) => targets,
                Next::Call(target) => {
                    called = Some(target.resolved(image));
                    match self.callee(target, class.is_some(), &mut open)? {
                        true => goes_on,
                        false => Vec::new(),
                    }
                }
                Next::Leave(target) => {
                    called = Some(target.resolved(image));
                    self.callee(target, class.is_some(), &mut open)?;
                    Vec::new()
                }
                Next::Virtual { returns } => {
                    let what = if returns { "call" } else { "jump" };
                    let reason = format!("an indirect {what} at {}", place(ip));
                    match class {
                        Some(_) => open = Some(reason),
                        None => return Err(reason),
                    }
                    if returns { goes_on } else { Vec::new() }
                }
                Next::Return => Vec::new(),
            };
            if following.iter().any(|ip| !range.contains(&(*ip as usize))) {
                return Err(format!("the code runs out at {}", place(ip)));
            }
            state.insert(ip, true);
            let step = Step {
                instruction,
                following: following.clone(),
                called,
                open,
            };
            steps.insert(ip, step);
            stack.push((ip, following));
        }
        let Some(class) = class else {
            return Ok(());
        };
        order.reverse();
        for call in flow::open_calls(&order, &steps, class) {
            let target = call.target.ok_or(call.reason)?;
            self.function(target, call.instance)?;
        }
        Ok(())
    }

    /// Reads what is called; false when it does not return. With `later`, it may still turn out to be
    /// fine for the instance: the reason why it is not by itself goes into `open`.
    fn callee(
        &mut self,
        target: Target,
        later: bool,
        open: &mut Option<String>,
    ) -> Result<bool, String> {
        if !later {
            return self.function(target, false);
        }
        let before = self.found.clone();
        self.function(target, false).or_else(|reason| {
            self.found = before;
            *open = Some(reason);
            Ok(true)
        })
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
                        self.function(Target::at(target as usize), false)
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
            FlowControl::IndirectCall => match imported(image, instruction) {
                Some(target) => Next::Call(target),
                None => Next::Virtual { returns: true },
            },
            FlowControl::IndirectBranch => match imported(image, instruction) {
                Some(target) => Next::Leave(target),
                None => Next::Virtual { returns: false },
            },
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
