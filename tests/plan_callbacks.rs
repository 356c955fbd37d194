//! What `build` makes of callback arguments, and `reverse::build` of the types of callbacks.
//!
//! The rules are PyGObject's (`pygi-closure.c` and `pygi_closure_cache_new` of 3.42.2 and 3.50.2).

use gijit::ir::AbiType;
use gijit::plan::build::build;
use gijit::plan::reject::Reason;
use gijit::plan::reverse::{self, Argument, Incoming, Reverse};
use gijit::plan::text::parse;
use gijit::plan::verify::verify;
use gijit::plan::{CallArg, Cell, Conv, Free, Plan, Shared, UserData, When};
use gijit::signature::{
    ArrayKind, CallableKind, Direction, Item, Param, Return, Scope, Signature, StructKind,
    Transfer, Type, TypeRef,
};

fn param(name: &str, ty: Type) -> Param {
    Param {
        name: name.to_owned().into(),
        is_pointer: !matches!(ty, Type::Integer(_)),
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

fn int(name: &str) -> Param {
    param(name, Type::Integer(AbiType::I32))
}

fn pointer(name: &str) -> Param {
    param(name, Type::Pointer)
}

fn callback_type(name: &str) -> Type {
    Type::Callback {
        ty: TypeRef::new("Test", name.to_owned()),
    }
}

/// A callback with its user data and destroy notify at these places.
fn callback(scope: Scope, closure: Option<usize>, destroy: Option<usize>) -> Param {
    Param {
        scope,
        closure,
        destroy,
        ..param("callback", callback_type("Function"))
    }
}

fn notify(name: &str) -> Param {
    Param {
        scope: Scope::Async,
        ..param(name, callback_type("DestroyNotify"))
    }
}

fn out(param: Param) -> Param {
    Param {
        direction: Direction::Out,
        ..param
    }
}

fn signature(kind: CallableKind, params: Vec<Param>) -> Signature {
    Signature {
        name: "Test.function".into(),
        symbol: "test_function".into(),
        kind,
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

fn planned(params: Vec<Param>) -> Plan {
    let plan = build(&signature(CallableKind::Function, params)).expect("a plan");
    verify(&plan).expect("a valid plan");
    assert_eq!(parse(&plan.to_string()).expect("a text form"), plan);
    plan
}

fn user_data(plan: &Plan) -> UserData {
    let found = plan.ins.iter().find_map(|op| match op.conv {
        Conv::Callback { data, .. } => Some(data),
        _ => None,
    });
    found.expect("a callback")
}

fn names(plan: &Plan) -> Vec<&str> {
    let names = plan.params.iter().map(|param| param.name.as_deref());
    names.map(Option::unwrap_or_default).collect()
}

#[test]
fn user_data_at_the_end_takes_the_rest() {
    let call = callback(Scope::Call, Some(1), Some(2));
    let plan = planned(vec![call, pointer("data"), notify("destroy")]);
    assert_eq!(names(&plan), ["callback"]);
    assert_eq!(plan.rest.as_deref(), Some("data"));
    assert_eq!(user_data(&plan), UserData::Rest);
    let first = plan.ins[0].cell.0;
    let passed = [first, first + 1, first + 2].map(|cell| CallArg::Value {
        cell: Cell(cell),
        abi: AbiType::Ptr,
    });
    assert_eq!(plan.call.args, passed);
}

#[test]
fn user_data_before_another_argument_is_an_argument() {
    let call = callback(Scope::Call, Some(1), None);
    let plan = planned(vec![call, pointer("data"), int("number")]);
    assert_eq!(names(&plan), ["callback", "data", "number"]);
    assert_eq!(plan.rest, None);
    assert_eq!(user_data(&plan), UserData::Param(1));
}

#[test]
fn user_data_before_that_of_another_callback_is_a_tuple() {
    let plan = planned(vec![
        callback(Scope::Call, Some(1), None),
        pointer("data"),
        Param {
            name: "second".into(),
            ..callback(Scope::Async, Some(3), None)
        },
        pointer("more"),
    ]);
    assert_eq!(names(&plan), ["callback", "data", "second"]);
    assert_eq!(plan.rest.as_deref(), Some("more"));
    assert_eq!(user_data(&plan), UserData::Tuple(1));
}

#[test]
fn user_data_before_its_callback_is_ignored() {
    let plan = planned(vec![pointer("data"), callback(Scope::Async, Some(0), None)]);
    assert_eq!(names(&plan), ["(unnamed)", "callback"]);
    assert_eq!(user_data(&plan), UserData::Ignored(0));
}

#[test]
fn only_scope_call_is_released_by_the_call() {
    for scope in [Scope::Call, Scope::Async, Scope::Notified, Scope::Forever] {
        let plan = planned(vec![callback(scope, None, None)]);
        assert_eq!(plan.ins[0].undo, Some(Free::Made));
        let kept = plan.release.iter().any(|op| op.free == Free::Kept);
        assert_eq!(kept, scope == Scope::Call);
        assert!(plan.release.iter().all(|op| op.when == When::Called));
    }
}

#[test]
fn callbacks_share_their_user_data_and_their_destroy_notify() {
    let second = |param| Param {
        name: "second".into(),
        ..param
    };
    let plan = planned(vec![
        callback(Scope::Call, Some(2), None),
        second(callback(Scope::Notified, Some(2), Some(3))),
        pointer("data"),
        notify("destroy"),
    ]);
    assert_eq!(names(&plan), ["callback", "second"]);
    let shared = plan.ins.iter().map(|op| match op.conv {
        Conv::Callback { data, shared, .. } => (data, shared),
        _ => panic!("{plan}"),
    });
    let [first, other] = [0, 1].map(|index: usize| plan.ins[index].cell.0);
    let expected = [0, other - first].map(|data| (UserData::Rest, Shared { data, destroy: 0 }));
    assert!(shared.eq(expected), "{plan}");
    let passed = [first, other, first + 1, other + 2].map(|cell| CallArg::Value {
        cell: Cell(cell),
        abi: AbiType::Ptr,
    });
    assert_eq!(plan.call.args, passed);
    let call = || callback(Scope::Notified, Some(2), Some(3));
    let plan = planned(vec![
        call(),
        second(call()),
        pointer("data"),
        notify("destroy"),
    ]);
    assert!(plan.to_string().contains(" shared 6 6"), "{plan}");
}

#[test]
fn callbacks_do_not_share_user_data_that_stands_before_one_of_them() {
    let both = vec![
        callback(Scope::Call, Some(1), None),
        pointer("data"),
        callback(Scope::Call, Some(1), None),
    ];
    let reject = build(&signature(CallableKind::Function, both)).unwrap_err();
    assert_eq!(reject.reason, Reason::Callback);
}

fn reversed(params: Vec<Param>, result: Option<Type>) -> Reverse {
    let mut signature = signature(CallableKind::Callback, params);
    if let Some(ty) = result {
        signature.result.is_pointer = !matches!(ty, Type::Integer(_));
        signature.result.ty = ty;
    }
    reverse::build(&signature).expect("a reverse plan")
}

#[test]
fn user_data_is_what_the_typelib_says() {
    let mut data = pointer("data");
    data.closure = Some(1);
    let plan = reversed(vec![int("number"), data], None);
    assert_eq!(plan.incoming[1], Incoming::UserData);
    assert!(matches!(
        plan.arguments[..],
        [Argument::Value(_), Argument::UserData]
    ));
}

#[test]
fn without_a_word_the_first_pointer_is_user_data() {
    let plan = reversed(vec![int("number"), pointer("a")], None);
    assert_eq!(plan.arguments[1], Argument::UserData);
}

#[test]
fn the_length_of_an_array_is_an_argument_too() {
    let array = Type::Array {
        kind: ArrayKind::C,
        item: Box::new(Item {
            ty: Type::Utf8,
            is_pointer: true,
        }),
        zero_terminated: false,
        fixed: None,
    };
    let mut array = param("array", array);
    array.length = Some(1);
    let plan = reversed(vec![array, int("length")], None);
    let [Argument::Value(array), Argument::Value(length)] = &plan.arguments[..] else {
        panic!("two arguments: {plan}");
    };
    assert_eq!(length.conv, Conv::Integer(AbiType::I32));
    assert_eq!(length.cell.0, array.cell.0 + 1);
}

#[test]
fn results_come_before_what_is_wanted_at_an_address() {
    let plan = reversed(
        vec![out(int("a")), out(param("b", Type::Utf8))],
        Some(Type::Integer(AbiType::I64)),
    );
    let convs: Vec<&Conv> = plan.results.iter().map(|op| &op.conv).collect();
    let int = Conv::Integer(AbiType::I32);
    assert_eq!(convs, [&Conv::Integer(AbiType::I64), &int, &Conv::Utf8]);
    // C only borrows the string, and has to keep it when the callable has returned.
    assert_eq!(plan.results[2].transfer, Transfer::Full);
    assert!(plan.arguments.is_empty());
}

#[test]
fn a_callback_that_throws_has_the_error_last() {
    let mut throws = signature(CallableKind::Callback, vec![int("number")]);
    throws.throws = true;
    let plan = reverse::build(&throws).expect("a reverse plan");
    assert_eq!(plan.incoming.last(), Some(&Incoming::Error));
}

#[test]
fn the_text_reads_like_the_function() {
    let plan = reversed(vec![int("number"), pointer("data")], Some(Type::Utf8));
    let expected = "reverse Test.function\n  cells 2\n  entered i32 c1, data\n  \
        out c1 integer i32\n  out data\n  in c0 <- 0 utf8 given\n  returns ptr c0\n";
    assert_eq!(plan.to_string(), expected);
}

#[test]
fn a_struct_that_c_has_room_for_is_copied_there() {
    let room = |kind, direction| {
        let ty = Type::Struct {
            ty: TypeRef::new("Test", "Struct"),
            kind,
        };
        let mut param = param("room", ty);
        param.direction = direction;
        param.is_pointer = false;
        reversed(vec![param], None)
    };
    let plan = room(StructKind::Boxed, Direction::Out);
    let [wanted] = &plan.results[..] else {
        panic!("{plan}");
    };
    let (cell, given) = (wanted.cell, None);
    assert_eq!(plan.incoming, [Incoming::Place { cell, given }]);
    assert_eq!((wanted.transfer, &wanted.undo), (Transfer::None, &None));
    // What a value holds is C's.
    let plan = room(StructKind::Value, Direction::Out);
    assert_eq!(plan.results[0].transfer, Transfer::Full);
    assert_eq!(plan.results[0].undo, Some(Free::Made));
    // What goes both ways is an argument, too; what only goes in is a pointer.
    let expected = "reverse Test.function\n  cells 2\n  entered place c1 given c0\n  \
        out c0 boxed Test.Struct\n  in c1 <- 0 inline boxed Test.Struct\n  returns nothing\n";
    assert_eq!(
        room(StructKind::Boxed, Direction::InOut).to_string(),
        expected
    );
    let expected = "reverse Test.function\n  cells 1\n  entered ptr c0\n  \
        out c0 boxed Test.Struct\n  returns nothing\n";
    assert_eq!(room(StructKind::Boxed, Direction::In).to_string(), expected);
}
