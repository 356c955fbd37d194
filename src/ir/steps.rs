//! Which step of the plan an op belongs to.
//!
//! A [`Inst::Note`] names the step of the ops that follow it, beyond the end of its block too: a block
//! begins in the step in which the first block that leads to it ended. Steps are numbered from 1 in
//! the order of the notes; 0 is before the first. Back ends carry the numbers through to machine
//! code, as source lines.

use super::{Block, Function, Inst, Terminator};

/// The steps of one function.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Steps {
    /// The step in which each block begins.
    begin: Vec<u32>,
    /// The number of the first note of each block.
    first: Vec<u32>,
    texts: Vec<String>,
}

impl Steps {
    pub fn of(function: &Function) -> Steps {
        let mut steps = Steps::default();
        for block in &function.blocks {
            steps.first.push(steps.texts.len() as u32 + 1);
            let notes = block.insts.iter().filter_map(|inst| match inst {
                Inst::Note { text } => Some(text.clone()),
                _ => None,
            });
            steps.texts.extend(notes);
        }
        let mut begin = vec![None; function.blocks.len()];
        for block in function.reverse_postorder() {
            let data = &function.blocks[block.index()];
            let notes = data.insts.iter().filter(|inst| is_note(inst)).count() as u32;
            let end = match notes {
                0 => begin[block.index()].unwrap_or(0),
                notes => steps.first[block.index()] + notes - 1,
            };
            let targets = data.terminator.iter().flat_map(Terminator::targets);
            for target in targets {
                begin[target.block.index()].get_or_insert(end);
            }
        }
        steps.begin = begin.into_iter().map(Option::unwrap_or_default).collect();
        steps
    }

    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The texts of the notes, in order; that of step 1 is the first.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The text of step `number`; empty for 0.
    pub fn text(&self, number: u32) -> &str {
        let index = (number as usize).checked_sub(1);
        index
            .and_then(|index| self.texts.get(index))
            .map_or("", String::as_str)
    }

    /// Goes through the ops of `block`.
    pub fn walk(&self, block: Block) -> Walk {
        Walk {
            step: self.begin[block.index()],
            next: self.first[block.index()],
        }
    }
}

/// The step of the op that is being looked at.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    step: u32,
    next: u32,
}

impl Walk {
    /// The step so far.
    pub fn step(self) -> u32 {
        self.step
    }

    /// A note has been reached.
    pub fn note(&mut self) -> u32 {
        self.step = self.next;
        self.next += 1;
        self.step
    }
}

fn is_note(inst: &Inst) -> bool {
    matches!(inst, Inst::Note { .. })
}

impl Function {
    /// The function without its notes: back ends then keep no account of steps.
    pub fn without_notes(&self) -> Function {
        let mut plain = self.clone();
        for block in &mut plain.blocks {
            block.insts.retain(|inst| !is_note(inst));
        }
        plain
    }
}
