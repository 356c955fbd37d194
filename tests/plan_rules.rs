//! What `build` makes of single features of a signature, and that each reason can occur.
//!
//! The rules are PyGObject's (`pygi-cache.c` and the `pygi-*` marshallers of 3.42.2 and 3.50.2, which
//! do not differ in what is tested here).

use std::collections::BTreeSet;
use std::path::Path;

use gijit::ir::AbiType;
use gijit::plan::build::{build, build_bound};
use gijit::plan::reject::Reason;
use gijit::plan::verify::verify;
use gijit::plan::{CallArg, Cell, Conv, Free, MAX_PARAMS, Plan, ResultShape, When};
use gijit::signature::{
    ArrayKind, Bindings, CallableKind, Direction, Instance, Item, ListKind, Param, Return, Scope,
    Signature, StructKind, Transfer, Type, TypeRef,
};

fn named(name: &str) -> TypeRef {
    TypeRef {
        namespace: "Test".to_owned(),
        name: name.to_owned(),
    }
}

fn object() -> Type {
    Type::Object {
        ty: named("Object"),
        gobject: true,
    }
}

fn structure(kind: StructKind) -> Type {
    Type::Struct {
        ty: named("Struct"),
        kind,
    }
}

fn int() -> Type {
    Type::Integer(AbiType::I32)
}

/// An in argument, a pointer where values of its type are.
fn param(name: &str, ty: Type) -> Param {
    let value = matches!(ty, Type::Integer(_) | Type::Boolean | Type::Double);
    Param {
        name: name.to_owned(),
        is_pointer: !value,
        ty,
        direction: Direction::In,
        transfer: Transfer::None,
        nullable: false,
        optional: false,
        caller_allocates: false,
        scope: Scope::Call,
        closure: None,
        destroy: None,
        length: None,
    }
}

fn nullable(param: Param) -> Param {
    Param {
        nullable: true,
        ..param
    }
}

fn given(param: Param) -> Param {
    Param {
        transfer: Transfer::Full,
        ..param
    }
}

fn towards(direction: Direction, param: Param) -> Param {
    Param { direction, ..param }
}

/// `void test_function(params)`.
fn function(params: Vec<Param>) -> Signature {
    Signature {
        name: "Test.function".to_owned(),
        symbol: "test_function".to_owned(),
        kind: CallableKind::Function,
        instance: None,
        params,
        result: Return {
            ty: Type::Void,
            is_pointer: false,
            transfer: Transfer::None,
            nullable: false,
            skip: false,
            length: None,
        },
        throws: false,
        deprecated: false,
    }
}

fn returning(ty: Type, transfer: Transfer) -> Signature {
    let mut signature = function(Vec::new());
    signature.result.is_pointer = param("", ty.clone()).is_pointer;
    signature.result.ty = ty;
    signature.result.transfer = transfer;
    signature
}

fn planned(signature: &Signature) -> Plan {
    let plan = build(signature).unwrap_or_else(|reject| panic!("{reject}"));
    verify(&plan).unwrap_or_else(|error| panic!("{error}\n{plan}"));
    plan
}

fn optional(params: Vec<Param>) -> Vec<bool> {
    let plan = planned(&function(params));
    plan.params.iter().map(|param| param.optional).collect()
}

/// `_callable_cache_generate_args_cache_real`: the first argument from the end without a default
/// turns those before it off.
#[test]
fn only_a_tail_of_nullable_arguments_may_be_left_out() {
    let a = || nullable(param("a", Type::Utf8));
    let b = || param("b", int());
    let c = || nullable(param("c", object()));
    assert_eq!(optional(vec![a(), c()]), [true, true]);
    assert_eq!(optional(vec![a(), b(), c()]), [false, false, true]);
    assert_eq!(optional(vec![a(), b()]), [false, false]);
    let out = towards(Direction::Out, param("out", int()));
    assert_eq!(optional(vec![b(), c(), out]), [false, true]);
}

/// A value that is no pointer may be left out when its typelib entry is nullable, but None is no
/// value of its type.
#[test]
fn only_pointers_take_none() {
    let plan = planned(&function(vec![
        nullable(param("text", Type::Utf8)),
        nullable(param("count", int())),
        nullable(Param {
            is_pointer: true,
            ..param("counter", int())
        }),
        nullable(param("data", Type::Pointer)),
    ]));
    let nullable: Vec<bool> = plan.ins.iter().map(|op| op.nullable).collect();
    assert_eq!(nullable, [true, false, false, true]);
    assert!(plan.params.iter().all(|param| param.optional));
    let as_pointer = CallArg::Value {
        cell: Cell(2),
        abi: AbiType::Ptr,
    };
    assert_eq!(plan.call.args[2], as_pointer);
}

#[test]
fn the_instance_has_no_name_and_is_not_none() {
    let mut signature = function(vec![param("count", int())]);
    signature.kind = CallableKind::Method;
    signature.instance = Some(Instance {
        ty: object(),
        transfer: Transfer::Full,
    });
    let plan = planned(&signature);
    assert_eq!(plan.params[0].name, None);
    assert!(!plan.params[0].optional && !plan.ins[0].nullable);
    assert_eq!(plan.ins[0].undo, Some(Free::Object));
}

#[test]
fn the_class_of_a_constructor_is_no_argument() {
    let mut signature = returning(object(), Transfer::None);
    signature.kind = CallableKind::Constructor;
    let plan = planned(&signature);
    assert!(plan.constructor && plan.params.is_empty());
}

#[test]
fn what_is_given_away_is_undone() {
    let boxed = Free::Boxed {
        ty: named("Struct"),
    };
    for (ty, undo) in [
        (Type::Utf8, Some(Free::Memory)),
        (Type::Filename, Some(Free::Memory)),
        (object(), Some(Free::Object)),
        (structure(StructKind::Boxed), Some(boxed)),
        (structure(StructKind::Variant), Some(Free::Variant)),
        (int(), None),
    ] {
        let borrowed = planned(&function(vec![param("a", ty.clone())]));
        assert_eq!(borrowed.ins[0].undo, None);
        let plan = planned(&function(vec![given(param("a", ty))]));
        assert_eq!(plan.ins[0].undo, undo);
    }
}

#[test]
fn what_is_owned_is_released() {
    let release = |ty, transfer| {
        let plan = planned(&returning(ty, transfer));
        plan.release
            .first()
            .map(|step| (step.free.clone(), step.when))
    };
    assert_eq!(release(Type::Utf8, Transfer::None), None);
    let text = release(Type::Utf8, Transfer::Full);
    assert_eq!(text, Some((Free::Memory, When::Always)));
    let wrapped = release(object(), Transfer::Full);
    assert_eq!(wrapped, Some((Free::Object, When::Unconverted)));
    assert_eq!(release(int(), Transfer::Full), None);
}

/// Nothing becomes the owner of a result that Python does not see.
#[test]
fn a_skipped_result_is_released() {
    let mut signature = returning(object(), Transfer::Full);
    signature.result.skip = true;
    let plan = planned(&signature);
    assert_eq!(plan.result, ResultShape::None);
    assert!(plan.outs.is_empty());
    assert_eq!(plan.release[0].when, When::Always);
}

#[test]
fn results_come_first_then_outs_in_order() {
    let mut signature = returning(Type::Boolean, Transfer::None);
    signature.params = vec![
        towards(Direction::Out, param("x", int())),
        param("in", int()),
        towards(Direction::InOut, param("y", int())),
    ];
    let shape = |signature: &Signature| planned(signature).result;
    let names = vec![None, Some("x".to_owned()), Some("y".to_owned())];
    assert_eq!(shape(&signature), ResultShape::Tuple { names });
    let plan = planned(&signature);
    assert_eq!(plan.outs[0].conv, Conv::Boolean);
    assert_eq!(plan.outs[2].cell, plan.ins[1].cell, "inout is one cell");

    signature.result.skip = true;
    let names = vec![Some("x".to_owned()), Some("y".to_owned())];
    assert_eq!(shape(&signature), ResultShape::Tuple { names });
    signature.params.pop();
    assert_eq!(shape(&signature), ResultShape::Single);
    signature.params.remove(0);
    assert_eq!(shape(&signature), ResultShape::None);
}

#[test]
fn the_error_is_the_last_argument() {
    let mut signature = function(vec![param("a", int())]);
    signature.throws = true;
    let plan = planned(&signature);
    assert_eq!(plan.call.args.len(), 2);
    assert!(plan.call.error.is_some());
}

/// An array of strings without anything that says its length.
fn strings() -> Type {
    Type::Array {
        kind: ArrayKind::C,
        item: Box::new(Item {
            ty: Type::Utf8,
            is_pointer: true,
        }),
        zero_terminated: false,
        fixed: None,
    }
}

#[test]
fn a_length_argument_is_not_seen_and_passes_the_second_cell() {
    let mut array = param("a", strings());
    array.length = Some(0);
    let plan = planned(&function(vec![param("n", int()), array]));
    assert_eq!(plan.params.len(), 1);
    let first = plan.ins[0].cell;
    assert_eq!(
        plan.call.args,
        [
            CallArg::Value {
                cell: Cell(first.0 + 1),
                abi: AbiType::I32
            },
            CallArg::Value {
                cell: first,
                abi: AbiType::Ptr
            },
        ]
    );
    assert_eq!(plan.ins[0].undo, Some(Free::Made));
    assert_eq!(plan.release[0].free, Free::Kept);
    assert_eq!(plan.release[0].when, When::Called);
}

#[test]
fn a_given_array_leaves_nothing_to_release() {
    let plan = planned(&function(vec![given(param("a", strings()))]));
    assert!(plan.release.is_empty());
}

#[test]
fn an_array_that_the_caller_allocates_is_prepared() {
    let Type::Array { kind, item, .. } = strings() else {
        unreachable!("it is an array");
    };
    let fixed = Type::Array {
        kind,
        item,
        zero_terminated: false,
        fixed: Some(4),
    };
    let mut out = towards(Direction::Out, param("a", fixed));
    out.caller_allocates = true;
    let plan = planned(&function(vec![out]));
    assert!(plan.params.is_empty());
    assert_eq!(plan.ins[0].param, None);
    assert_eq!(plan.outs[0].cell, plan.ins[0].cell);
}

#[test]
fn a_struct_that_the_caller_allocates_is_python_s_or_freed() {
    let mut out = towards(Direction::Out, param("a", structure(StructKind::Boxed)));
    out.caller_allocates = true;
    out.is_pointer = false;
    let signature = function(vec![out]);
    let plan = planned(&signature);
    assert!(plan.params.is_empty() && plan.ins[0].allocates());
    assert_eq!(plan.ins[0].undo, Some(Free::Made));
    let [step] = &plan.release[..] else {
        panic!("{plan}")
    };
    assert_eq!((&step.free, step.when), (&Free::Made, When::Failed));
    assert!(step.when.after_error() && step.when.after_out(false) && !step.when.after_out(true));
    let unknown = Bindings {
        native: 1,
        ..Bindings::default()
    };
    let reject = build_bound(&signature, &unknown).unwrap_err();
    assert_eq!(reject.reason, Reason::CallerAllocated);
}

#[test]
fn several_numbers_that_the_callee_writes_have_room() {
    let mut out = towards(Direction::Out, param("a", int()));
    out.caller_allocates = true;
    let plan = planned(&function(vec![out]));
    assert!(plan.outs[0].conv.width() > 1);
    assert!(plan.ins.is_empty());
}

fn virtual_function() -> Signature {
    let mut signature = function(vec![param("a", int())]);
    signature.kind = CallableKind::VFunc;
    signature.instance = Some(Instance {
        ty: object(),
        transfer: Transfer::None,
    });
    signature
}

#[test]
fn a_virtual_function_is_told_the_class_and_called_through_it() {
    let plan = planned(&virtual_function());
    let names: Vec<_> = plan.params.iter().map(|param| &param.name).collect();
    assert_eq!(names, [&None, &None, &Some("a".to_owned())]);
    assert_eq!(plan.ins[0].conv, Conv::VFunc);
    assert_eq!(plan.call.target, Some(plan.ins[0].cell));
    let passed = plan.call.args.iter().map(|arg| match arg {
        CallArg::Value { cell, .. } | CallArg::Address { cell } => *cell,
    });
    assert!(passed.eq([plan.ins[1].cell, plan.ins[2].cell]));
}

#[test]
fn a_class_struct_only_goes_in() {
    let class = || structure(StructKind::ClassStruct);
    let plan = planned(&function(vec![param("a", class())]));
    assert_eq!(plan.ins[0].undo, None);
    let returned = function(vec![towards(Direction::Out, param("a", class()))]);
    assert_eq!(build(&returned).unwrap_err().reason, Reason::ClassStruct);
    let held = Type::List {
        kind: ListKind::GList,
        item: Box::new(Item {
            ty: class(),
            is_pointer: true,
        }),
    };
    let held = function(vec![param("a", held)]);
    assert_eq!(build(&held).unwrap_err().reason, Reason::ClassStruct);
}

/// A signature that is rejected for each reason that `build` has.
fn rejected() -> Vec<(Reason, Signature)> {
    let of = |reason, ty| (reason, function(vec![param("a", ty)]));
    let text = |kind: &str| kind.to_owned();
    let mut by_value = param("a", structure(StructKind::Plain));
    by_value.is_pointer = false;
    let mut allocated = towards(Direction::Out, param("a", object()));
    allocated.caller_allocates = true;
    let mut container = param("a", object());
    container.transfer = Transfer::Container;
    let many = (0..=MAX_PARAMS).map(|index| param(&format!("a{index}"), int()));
    let mut writes = function(vec![param("dest", Type::Utf8)]);
    writes.symbol = "g_strlcpy".to_owned();
    let fundamental = Type::Object {
        ty: named("ParamSpec"),
        gobject: false,
    };
    let doubles = Type::List {
        kind: ListKind::GList,
        item: Box::new(Item {
            ty: Type::Double,
            is_pointer: false,
        }),
    };
    let mut misdirected = param("a", strings());
    misdirected.length = Some(1);
    let length = towards(Direction::Out, param("n", int()));
    let callback = Type::Callback {
        ty: named("Callback"),
    };
    vec![
        (Reason::ArrayLength, function(vec![misdirected, length])),
        of(Reason::List, doubles),
        (
            Reason::Callback,
            function(vec![towards(Direction::Out, param("a", callback))]),
        ),
        of(Reason::Fundamental, fundamental),
        of(Reason::Fundamental, structure(StructKind::OtherFundamental)),
        of(Reason::ForeignStruct, structure(StructKind::Foreign)),
        (
            Reason::ClassStruct,
            function(vec![given(param("a", structure(StructKind::ClassStruct)))]),
        ),
        (Reason::StructByValue, function(vec![by_value])),
        (Reason::CallerAllocated, function(vec![allocated])),
        (
            Reason::StructGivenAway,
            function(vec![given(param("a", structure(StructKind::Plain)))]),
        ),
        (Reason::ContainerTransfer, function(vec![container])),
        (Reason::WrittenString, writes),
        (Reason::TooLarge, function(many.collect())),
        of(Reason::Unresolved, Type::Unresolved { name: text("Gone") }),
    ]
}

#[test]
fn rejections_have_their_reason() {
    for (reason, signature) in rejected() {
        let reject = build(&signature).expect_err(reason.id());
        assert_eq!(reject.reason, reason);
    }
    let missing = build_bound(&function(Vec::new()), &Bindings::default());
    assert_eq!(missing.unwrap_err().reason, Reason::NoSymbol);
    let missing = build_bound(&virtual_function(), &Bindings::default());
    assert_eq!(missing.unwrap_err().reason, Reason::VirtualFunction);
}

/// A reason that `build` does not give is given by a host: its sources name it.
#[test]
fn every_reason_has_a_producer() {
    let mut produced: BTreeSet<Reason> = rejected().into_iter().map(|(reason, _)| reason).collect();
    produced.extend([Reason::NoSymbol, Reason::VirtualFunction]);
    let mut host = String::new();
    append_sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("python/src"),
        &mut host,
    );
    for reason in Reason::ALL {
        let named = host.contains(&format!("Reason::{reason:?}"));
        assert!(produced.contains(reason) || named, "{}", reason.id());
    }
}

fn append_sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("the entry is readable").path();
        if path.is_dir() {
            append_sources(&path, text);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            *text += &std::fs::read_to_string(&path).expect("sources are UTF-8");
        }
    }
}

#[test]
fn reasons_have_distinct_names_and_a_text() {
    let ids: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.id()).collect();
    assert_eq!(ids.len(), Reason::ALL.len());
    for reason in Reason::ALL {
        let kebab = |c: char| c.is_ascii_lowercase() || c == '-';
        assert!(reason.id().chars().all(kebab), "{}", reason.id());
        assert!(reason.text().ends_with('.'), "{}", reason.text());
    }
}
