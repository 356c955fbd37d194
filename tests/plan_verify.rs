//! Each rule of the verifier rejects a plan that breaks it, and nothing else does.

use gijit::ir::AbiType;
use gijit::plan::text::parse;
use gijit::plan::verify::verify;
use gijit::plan::{CallArg, Cell, MAX_CELLS, MAX_PARAMS, Plan};
use gijit::signature::Transfer;

/// A plan that uses every phase. The broken ones differ from it in one line.
const SOUND: &str = "\
plan Test.Object.method = test_object_method
  cells 7
  param (self)
  param text
  param count optional
  in c0 <- 0 object Test.Object
  in c1 <- 1 utf8 given undo memory
  in c2 <- 2 integer i32
  call ptr c0, ptr c1, address c2, address c3, address c4, error c6 -> i32 c5
  out c5 boolean
  out c2 integer i32
  out c3 utf8 owned
  out c4 object Test.Object owned
  release c3 memory
  release c4 object unconverted
  result tuple (return), count, name, object
";

/// The verifier's word on `SOUND` with `from` replaced by `to`.
fn check(from: &str, to: &str) -> Result<(), String> {
    assert_eq!(SOUND.matches(from).count(), 1, "{from:?} names one place");
    let text = SOUND.replace(from, to);
    let plan = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    verify(&plan).map_err(|error| error.to_string())
}

fn sound() -> Plan {
    parse(SOUND).expect("the text is of the form")
}

#[test]
fn the_sound_plan_passes() {
    assert_eq!(verify(&sound()), Ok(()));
    assert_eq!(sound().to_string(), SOUND, "and is canonical");
}

#[test]
fn every_rule_is_checked() {
    for (from, to, message) in [
        // sizes and parameters
        ("  cells 7", "  cells 65", "more than 64 cells"),
        (
            "param text",
            "param text optional\n  param more",
            "only a tail of parameters may be optional",
        ),
        (
            "param count optional",
            "param (self)",
            "argument 2 has no name and is not the instance",
        ),
        (
            "param count optional",
            "param text",
            "argument 2 has the name of an earlier one",
        ),
        // in
        ("in c2 <- 2", "in c9 <- 2", "c9 is outside of the frame"),
        (
            "in c2 <- 2",
            "in c2 <- 3",
            "c2 is converted from argument 3, which does not exist",
        ),
        ("in c1 <- 1", "in c0 <- 1", "c0 is converted twice"),
        (
            "in c2 <- 2 integer i32",
            "in c2 <- 2 integer i32 nullable",
            "c2 takes None but is no pointer",
        ),
        (
            " given undo memory",
            " given",
            "the undo of c1 is not that of its conversion and transfer",
        ),
        (
            " given undo memory",
            " undo memory",
            "the undo of c1 is not that of its conversion and transfer",
        ),
        (
            " given undo memory",
            " given undo object",
            "the undo of c1 is not that of its conversion and transfer",
        ),
        (
            "utf8 given undo memory",
            "struct Test.Plain given undo memory",
            "c1 is a plain struct, which cannot be given",
        ),
        ("in c2 <- 2", "in c2 <- 1", "an argument is not converted"),
        // call
        ("address c3", "address c7", "c7 is outside of the frame"),
        ("address c3", "address c4", "c4 is passed twice"),
        (
            "address c3",
            "i32 c3",
            "c3 is passed by value but not converted as such",
        ),
        (
            "ptr c1",
            "i64 c1",
            "c1 is passed by value but not converted as such",
        ),
        ("ptr c1, ", "", "c1 is converted but not passed"),
        ("-> i32 c5", "-> i32 c7", "c7 is outside of the frame"),
        (
            "-> i32 c5",
            "-> i32 c2",
            "the result goes to c2, which is an argument's",
        ),
        (
            "error c6",
            "error c6, address c5",
            "the result goes to c5, which is an argument's",
        ),
        (
            "address c4, error c6",
            "error c6, address c4",
            "the error's address is not the last argument",
        ),
        (
            "out c3 utf8 owned",
            "out c6 utf8 owned",
            "the error's cell c6 is used otherwise",
        ),
        // out
        (
            "out c5 boolean",
            "out c1 boolean",
            "c1 is returned but not written by the call",
        ),
        (
            "out c5 boolean",
            "out c4 object Test.Object owned",
            "c4 is returned twice",
        ),
        (
            "out c5 boolean",
            "out c5 double",
            "the result in c5 is not of its conversion's type",
        ),
        (
            "out c2 integer i32",
            "out c2 boolean",
            "c2 goes in by one conversion and out by another",
        ),
        // result
        (
            "  result tuple (return), count, name, object",
            "  result none",
            "results are dropped",
        ),
        (
            "  result tuple (return), count, name, object",
            "  result single",
            "a single result is not one",
        ),
        (
            "(return), count, name, object",
            "(return), count",
            "a tuple's names do not fit its results",
        ),
        (
            "(return), count, name, object",
            "first, count, name, object",
            "in a tuple the return value and only it has no name",
        ),
        (
            "(return), count, name, object",
            "(return), (return), name, object",
            "in a tuple the return value and only it has no name",
        ),
        // release
        (
            "release c3 memory",
            "release c0 object",
            "c0 is released but not written by the call",
        ),
        (
            "release c3 memory",
            "release c6 memory",
            "c6 is released but not written by the call",
        ),
        (
            "release c3 memory",
            "release c4 object unconverted",
            "c4 is released twice",
        ),
        (
            "release c3 memory",
            "release c3 object",
            "the release of c3 does not fit its conversion",
        ),
        (
            "release c3 memory",
            "release c3 memory unconverted",
            "the release of c3 does not fit its conversion",
        ),
        (
            "release c4 object unconverted",
            "release c4 object",
            "the release of c4 does not fit its conversion",
        ),
        (
            "release c3 memory",
            "release c5 memory",
            "the release of c5 does not fit its conversion",
        ),
        (
            "  release c3 memory\n",
            "",
            "c3 is owned and never released",
        ),
    ] {
        assert_eq!(
            check(from, to),
            Err(message.to_owned()),
            "{from:?} -> {to:?}"
        );
    }
}

/// A call through a virtual function; the broken ones differ from it in one line.
#[test]
fn targets_are_checked() {
    let sound = "\
plan Test.Object.do_it = it
  cells 4
  param (class)
  param (self)
  param other
  in c0 <- 0 vfunc
  in c1 <- 1 object Test.Object
  in c2 <- 2 class Test.ObjectClass
  call via c0 ptr c1, ptr c2 -> ptr c3
  out c3 object Test.Object
  result single
";
    let plan = parse(sound).expect("the text is of the form");
    assert_eq!(verify(&plan), Ok(()));
    assert_eq!(plan.to_string(), sound);
    for (from, to, message) in [
        (
            "via c0 ",
            "",
            "argument 1 has no name and is not the instance",
        ),
        (
            "via c0",
            "via c1",
            "c0 is no virtual function that is called",
        ),
        (
            "via c0",
            "via c3",
            "c0 is no virtual function that is called",
        ),
        (
            "0 vfunc",
            "0 gtype",
            "c0 is no virtual function that is called",
        ),
        ("ptr c1", "ptr c0, ptr c1", "c0 is passed twice"),
        (
            "param other",
            "param (self)",
            "argument 2 has no name and is not the instance",
        ),
        (
            "class Test.ObjectClass",
            "class Test.ObjectClass given",
            "c2 is given away but cannot be",
        ),
        (
            "out c3 object Test.Object",
            "out c3 class Test.ObjectClass",
            "c3 is returned but only goes in",
        ),
    ] {
        let text = sound.replacen(from, to, 1);
        let plan = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let found = verify(&plan).unwrap_err().to_string();
        assert_eq!(found, message, "{from:?} -> {to:?}");
    }
}

/// What the text cannot say.
#[test]
fn broken_values_are_rejected() {
    let broken = |change: fn(&mut Plan), message: &str| {
        let mut plan = sound();
        change(&mut plan);
        assert_eq!(verify(&plan).unwrap_err().to_string(), message);
    };
    broken(
        |plan| plan.ins[1].transfer = Transfer::Container,
        "c1 is given as a container but is none",
    );
    broken(
        |plan| plan.outs[2].transfer = Transfer::Container,
        "c3 is owned as a container but is none",
    );
    broken(
        |plan| plan.call.error = Some(Cell(3)),
        "the error's address is not the last argument",
    );
    broken(
        |plan| plan.params.resize(MAX_PARAMS + 1, plan.params[2].clone()),
        "more than 32 parameters",
    );
    broken(
        |plan| plan.outs.resize(MAX_PARAMS + 1, plan.outs[0].clone()),
        "more than 32 results",
    );
    broken(
        |plan| plan.call.args[1] = CallArg::Address { cell: Cell(1) },
        "c1 is passed by address but not returned",
    );
    assert_eq!(MAX_CELLS, 64, "the text above says so");
    assert_eq!(sound().call.result, Some((Cell(5), AbiType::I32)));
}

/// A skipped result is released whether or not the outs succeed.
#[test]
fn what_is_not_shown_is_released_always() {
    let text = "\
plan Test.skipped = test_skipped
  cells 1
  call -> ptr c0
  release c0 object
  result none
";
    let plan = parse(text).expect("the text is of the form");
    assert_eq!(verify(&plan), Ok(()));
    let text = text.replace("c0 object", "c0 object unconverted");
    let plan = parse(&text).expect("the text is of the form");
    assert_eq!(
        verify(&plan).unwrap_err().to_string(),
        "c0 is released only unconverted but never converted"
    );
}

#[test]
fn texts_of_another_form_are_refused_with_their_line() {
    for (from, to, message) in [
        ("cells 7", "cells many", "line 2: \"many\" is no number"),
        (
            "param text",
            "parameter text",
            "line 4: \"parameter\" begins no line of a plan",
        ),
        ("  param text\n", "\n", "line 4: the line ends too early"),
        ("in c0 <-", "in 0 <-", "line 6: \"0\" is no cell"),
        ("in c0 <-", "in c0 =", "line 6: expected \"<-\""),
        (
            "utf8 given",
            "text given",
            "line 7: \"text\" is no conversion",
        ),
        (
            "<- 0 object Test.Object",
            "<- 0 object Object",
            "line 6: \"Object\" is no type name",
        ),
        (
            "undo memory",
            "undo all",
            "line 7: \"all\" is no way to free",
        ),
        (
            "integer i32\n  call",
            "integer int\n  call",
            "line 8: \"int\" is no type",
        ),
        (
            "out c5 boolean",
            "out c5 boolean twice",
            "line 10: \"twice\" is left over",
        ),
        (
            "result tuple (return), count, name, object",
            "result list",
            "line 16: \"list\" is no result",
        ),
        (
            "  cells 7\n",
            "  cells 7\n  cells 7\n",
            "line 3: a second \"cells\" line",
        ),
        ("  cells 7\n", "", "line 16: the \"cells\" line is missing"),
        (
            "plan Test.Object.method = test_object_method\n",
            "",
            "line 1: expected \"plan\"",
        ),
    ] {
        assert_eq!(SOUND.matches(from).count(), 1, "{from:?} names one place");
        let error = parse(&SOUND.replace(from, to)).expect_err(message);
        assert_eq!(error.to_string(), message);
    }
    let error = parse("").expect_err("there is no plan");
    assert_eq!(error.to_string(), "line 1: the \"plan\" line is missing");
}
