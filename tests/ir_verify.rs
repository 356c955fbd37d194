//! The verifier accepts a function that uses everything, and rejects one broken function per rule.

use gijit::ir::verify::verify;
use gijit::ir::{Block, Function, text};

/// A function with this body.
fn function(body: &str) -> Function {
    let source = format!(
        "thunk \"t\" (i64, ptr) -> i64
  symbol @0 \"helper\" = 0x10
  signature $0 (i64) -> i64
  signature $1 (i64, ptr) -> i64
  signature $2 (i32)
  slot s0 8
block0(v0: i64, v1: ptr):
{body}
"
    );
    text::parse(&source).unwrap_or_else(|error| panic!("{error}\n{source}"))
}

fn check(body: &str, expected: &str) {
    let error = verify(&function(body)).expect_err(body);
    assert_eq!(error.to_string(), expected, "{body}");
}

#[test]
fn a_whole_function() {
    let whole = function(
        "; a note
        v2: ptr = addr s0
        store v0, v2+0
        v3: i64 = load v1-8
        v4: i8 = slt v0, v3
        branch v4, block1, block2(v3)
        block1 cold:
        v5: i64 = call @0 $0 (v0)
        v6: i32 = trunc v5
        call @0 $2 (v6)
        jump block2(v5)
        block2(v7: i64):
        v8: i8 = eq v7, v0
        branch v8, block3, block4
        block3:
        tailcall @0 $1 (v7, v1)
        block4:
        v9: i64 = select v8, v0, v7
        return v9",
    );
    assert_eq!(verify(&whole), Ok(()));
}

#[test]
fn a_loop() {
    let looping = function(
        "jump block1(v0)
        block1(v2: i64):
        v3: i64 = add v2, v0
        v4: i8 = slt v3, v0
        branch v4, block1(v3), block2
        block2:
        return v3",
    );
    assert_eq!(verify(&looping), Ok(()));
}

#[test]
fn values() {
    check("return v7", "block0 op 0: v7 is not defined");
    check(
        "v3: i64 = const 0x1\n return v3",
        "block0 op 0: v2 has a type but no definition",
    );
    check(
        "v2: i64 = const 0x1\n v2: i64 = const 0x1\n return v2",
        "block0 op 1: v2 is defined twice",
    );
    check(
        "v3: i64 = add v2, v2\n v2: i64 = const 0x1\n return v3",
        "block0 op 0: v2 is used where its definition does not reach",
    );
    check(
        "v2: i64 = add v2, v0\n return v2",
        "block0 op 0: v2 is used where its definition does not reach",
    );
    check(
        "v2: i8 = eq v0, v0
        branch v2, block1, block2
        block1:
        v3: i64 = const 0x1
        jump block3
        block2:
        jump block3
        block3:
        return v3",
        "block3 op 0: v3 is used where its definition does not reach",
    );
    let mut outside = function("v2: i64 = const 0x1\n return v2");
    outside.values.pop();
    assert_eq!(
        verify(&outside).unwrap_err().to_string(),
        "block0 op 0: v2 has no type"
    );
}

#[test]
fn blocks() {
    check("; no end", "block0 op 1: the block has no terminator");
    check(
        "jump block0(v0, v1)",
        "block0 op 0: a jump to the entry block",
    );
    check("jump block9", "block0 op 0: block9 does not exist");
    check(
        "jump block1\n block1(v2: i64):\n return v2",
        "block0 op 0: arguments do not fit block1",
    );
    check(
        "jump block1(v1)\n block1(v2: i64):\n return v2",
        "block0 op 0: arguments do not fit block1",
    );
    check(
        "v2: i8 = const 0x1
        branch v2, block1(v0), block2(v0)
        block1(v3: i64):
        return v3
        block2:
        return v0",
        "block0 op 1: arguments do not fit block2",
    );
    let mut empty = function("return v0");
    empty.blocks.clear();
    assert_eq!(
        verify(&empty).unwrap_err().to_string(),
        "block0 op 0: there is no entry block"
    );
    let mut entry = function("return v0");
    entry.signature.params.pop();
    assert_eq!(
        verify(&entry).unwrap_err().to_string(),
        "block0 op 0: the entry block's parameters are not the function's"
    );
}

#[test]
fn types() {
    for (body, rule) in [
        ("v2: i64 = addr @0", "a symbol's address is a ptr"),
        ("v2: ptr = addr @1", "no such symbol"),
        ("v2: i64 = addr s0", "a slot's address is a ptr"),
        ("v2: ptr = addr s1", "no such stack slot"),
        ("v2: i8 = load v0+0", "the base of a load or store is a ptr"),
        ("store v1, v0+0", "the base of a load or store is a ptr"),
        (
            "v2: i64 = add v0, v1",
            "operands and result of arithmetic have one type",
        ),
        (
            "v2: i32 = add v0, v0",
            "operands and result of arithmetic have one type",
        ),
        (
            "v2: ptr = mul v1, v1",
            "addresses can only be added and subtracted",
        ),
        ("v2: i64 = eq v0, v0", "a comparison gives an i8"),
        ("v2: i8 = eq v0, v1", "what is compared has one type"),
        (
            "v2: i8 = feq v0, v0",
            "the condition is for another kind of type",
        ),
        ("v2: i64 = zext v0", "no such conversion"),
        ("v2: i64 = sext v1", "no such conversion"),
        ("v2: ptr = trunc v0", "no such conversion"),
        ("v2: f32 = bitcast v0", "no such conversion"),
        ("v2: f64 = bitcast v1", "no such conversion"),
        ("v2: f64 = sint_to_float v1", "no such conversion"),
        ("v2: f32 = fdemote v0", "no such conversion"),
        ("v2: f64 = fpromote v0", "no such conversion"),
        ("v2: i64 = select v0, v0, v0", "a condition is an i8"),
        (
            "v2: i64 = call @0 $2 (v0)",
            "arguments do not fit the call's signature",
        ),
        (
            "v2: i64 = call @0 $0 ()",
            "arguments do not fit the call's signature",
        ),
        (
            "v2: i32 = call @0 $0 (v0)",
            "the call's result is not its signature's",
        ),
        (
            "call @0 $0 (v0)",
            "the call's result is not its signature's",
        ),
        ("call v0 $0 (v0)", "a callee is a ptr"),
        ("call @7 $0 (v0)", "no such symbol"),
        ("call @0 $7 (v0)", "signature $7 does not exist"),
    ] {
        check(
            &format!("{body}\n return v0"),
            &format!("block0 op 0: {rule}"),
        );
    }
    for (body, rule) in [
        (
            "v3: f64 = and v2, v2",
            "floats can only be added, subtracted and multiplied",
        ),
        (
            "v3: i8 = eq v2, v2",
            "the condition is for another kind of type",
        ),
    ] {
        check(
            &format!("v2: f64 = bitcast v0\n {body}\n return v0"),
            &format!("block0 op 1: {rule}"),
        );
    }
    check(
        "v2: i8 = const 0x1\n v3: i64 = select v2, v0, v1\n return v3",
        "block0 op 1: both sides of a select have its type",
    );
}

#[test]
fn terminators() {
    check(
        "branch v0, block1, block1\n block1:\n return v0",
        "block0 op 0: a condition is an i8",
    );
    check(
        "return v1",
        "block0 op 0: the returned value is not of the function's result type",
    );
    check(
        "tailcall @0 $0 (v0)",
        "block0 op 0: a tail call has the function's own signature",
    );
    check(
        "tailcall @0 $1 (v1, v0)",
        "block0 op 0: arguments do not fit the call's signature",
    );
}

#[test]
fn notes() {
    use gijit::ir::Inst;

    for text in [" spaces", "two\nlines"] {
        let mut noted = function("return v0");
        let text = text.to_owned();
        noted.blocks[Block(0).index()]
            .insts
            .push(Inst::Note { text });
        assert_eq!(
            verify(&noted).unwrap_err().to_string(),
            "block0 op 0: a note is one line without spaces around it"
        );
    }
}
