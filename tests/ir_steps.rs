//! Which step the ops of a function belong to.

use gijit::ir::steps::Steps;
use gijit::ir::{Block, text};

const SOURCE: &str = r#"thunk "GLib.steps" (ptr, ptr, i64, ptr) -> ptr
  signature $0 (ptr) -> ptr
block0(v0: ptr, v1: ptr, v2: i64, v3: ptr):
  v4: i64 = const 0x1
  ; bind
  v5: i8 = eq v2, v4
  ; guard 0
  branch v5, block1, block2
block1:
  jump block3
block2 cold:
  ; slow
  jump block3
block3:
  v6: ptr = load v1+0
  ; result
  return v6
"#;

#[test]
fn a_block_begins_in_the_step_that_leads_to_it() {
    let function = text::parse(SOURCE).unwrap();
    let steps = Steps::of(&function);
    assert_eq!(steps.texts(), ["bind", "guard 0", "slow", "result"]);
    let begin = |block| steps.text(steps.walk(Block(block)).step()).to_owned();
    assert_eq!([begin(0), begin(1), begin(2)], ["", "guard 0", "guard 0"]);
    let mut entry = steps.walk(Block(0));
    assert_eq!([entry.note(), entry.note()], [1, 2]);
    let mut last = steps.walk(Block(3));
    assert_eq!(steps.text(last.note()), "result");
}

#[test]
fn without_notes_there_are_no_steps() {
    let plain = text::parse(SOURCE).unwrap().without_notes();
    let steps = Steps::of(&plain);
    assert!(steps.is_empty());
    assert_eq!(steps.walk(Block(3)).step(), 0);
}
