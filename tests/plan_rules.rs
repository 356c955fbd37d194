//! What `build` makes of single features of a signature.
//!
//! The rules are PyGObject's (`pygi-cache.c` and the `pygi-*` marshallers of 3.42.2 and 3.50.2, which
//! do not differ in what is tested here).

use gijit::ir::AbiType;
use gijit::plan::build::{build, build_bound};
use gijit::plan::reject::Reason;
use gijit::plan::{CallArg, Cell, Conv, Free, ResultShape, When};
use gijit::signature::{
    Bindings, CallableKind, Direction, Instance, Item, ListKind, Param, Signature, StructKind,
    Transfer, Type,
};

#[path = "common/signatures.rs"]
mod signatures;

use signatures::*;

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
        (
            structure(StructKind::Foreign),
            Some(Free::Foreign {
                ty: named("Struct"),
            }),
        ),
        (
            Type::Object {
                ty: named("ParamSpec"),
                gobject: false,
            },
            Some(Free::Fundamental {
                ty: named("ParamSpec"),
            }),
        ),
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
    let names = vec![None, Some("x".into()), Some("y".into())];
    assert_eq!(shape(&signature), ResultShape::Tuple { names });
    let plan = planned(&signature);
    assert_eq!(plan.outs[0].conv, Conv::Boolean);
    assert_eq!(plan.outs[2].cell, plan.ins[1].cell, "inout is one cell");

    signature.result.skip = true;
    let names = vec![Some("x".into()), Some("y".into())];
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

#[test]
fn a_virtual_function_is_told_the_class_and_called_through_it() {
    let plan = planned(&virtual_function());
    let names: Vec<_> = plan.params.iter().map(|param| &param.name).collect();
    assert_eq!(names, [&None, &None, &Some("a".into())]);
    assert_eq!(plan.ins[0].conv, Conv::VFunc);
    assert_eq!(plan.call.target, Some(plan.ins[0].cell));
    let passed = plan.call.args.iter().map(|arg| match arg {
        CallArg::Value { cell, .. } | CallArg::Address { cell } => *cell,
    });
    assert!(passed.eq([plan.ins[1].cell, plan.ins[2].cell]));
}

/// `pygi-struct-marshal.c` passes the struct of the wrapper itself, whoever is to own it.
#[test]
fn a_plain_struct_that_is_given_away_is_passed_as_it_is() {
    let plan = planned(&function(vec![given(param(
        "a",
        structure(StructKind::Plain),
    ))]));
    assert_eq!(
        (plan.ins[0].transfer, &plan.ins[0].undo),
        (Transfer::None, &None)
    );
    assert!(plan.release.is_empty());
}

#[test]
fn a_string_that_the_callee_writes_into_is_copied_and_freed() {
    let mut signature = function(vec![param("dest", Type::Utf8)]);
    signature.symbol = "g_strlcpy".into();
    let plan = planned(&signature);
    assert_eq!(plan.ins[0].conv, Conv::Written);
    let [step] = &plan.release[..] else {
        panic!("{plan}")
    };
    assert_eq!((&step.free, step.when), (&Free::Kept, When::Called));
}

/// A transfer of the container means something for containers only. Strings are copied, and PyGObject
/// frees the copy only when nothing at all is given.
#[test]
fn what_is_no_container_is_given_as_a_container() {
    let container = |ty| Param {
        transfer: Transfer::Container,
        ..param("a", ty)
    };
    let plan = planned(&function(vec![container(Type::Utf8)]));
    assert_eq!(plan.ins[0].transfer, Transfer::Full);
    let plan = planned(&function(vec![container(object())]));
    assert_eq!(plan.ins[0].transfer, Transfer::None);
    let plan = planned(&returning(Type::Utf8, Transfer::Container));
    assert_eq!(plan.outs[0].transfer, Transfer::None);
    let variant = structure(StructKind::Variant);
    let plan = planned(&returning(variant, Transfer::Container));
    assert_eq!(plan.outs[0].transfer, Transfer::Full);
}

#[test]
fn a_class_struct_is_a_class_on_its_way_in_only() {
    let class = || structure(StructKind::ClassStruct);
    let plan = planned(&function(vec![param("a", class())]));
    assert_eq!(plan.ins[0].undo, None);
    let returned = planned(&function(vec![towards(
        Direction::Out,
        param("a", class()),
    )]));
    assert!(matches!(returned.outs[0].conv, Conv::Struct { .. }));
    let both = function(vec![towards(Direction::InOut, param("a", class()))]);
    assert_eq!(build(&both).unwrap_err().reason, Reason::ClassStruct);
    let held = Type::List {
        kind: ListKind::GList,
        item: Box::new(Item {
            ty: class(),
            is_pointer: true,
        }),
    };
    let given = planned(&function(vec![given(param("a", class()))]));
    assert_eq!(
        (given.ins[0].transfer, &given.ins[0].undo),
        (Transfer::None, &None)
    );
    planned(&function(vec![param("a", held)]));
}
