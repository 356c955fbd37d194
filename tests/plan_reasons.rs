//! That each reason for a rejection occurs, and what signatures it is given for.

use std::collections::BTreeSet;
use std::path::Path;

use gijit::plan::MAX_PARAMS;
use gijit::plan::build::{build, build_bound};
use gijit::plan::reject::Reason;
use gijit::signature::{
    ArrayKind, Bindings, Direction, Item, ListKind, Signature, StructKind, Transfer, Type,
};

#[path = "common/signatures.rs"]
mod signatures;

use signatures::*;

/// A signature that is rejected for each reason that `build` has.
fn rejected() -> Vec<(Reason, Signature)> {
    let of = |reason, ty| (reason, function(vec![param("a", ty)]));
    let text = |kind: &str| kind.to_owned();
    let mut by_value = towards(Direction::InOut, param("a", structure(StructKind::Plain)));
    by_value.is_pointer = false;
    let mut allocated = towards(Direction::Out, param("a", object()));
    allocated.caller_allocates = true;
    let many = (0..=MAX_PARAMS).map(|index| param(&format!("a{index}"), int()));
    let doubles = Type::List {
        kind: ListKind::GList,
        item: Box::new(Item {
            ty: Type::Double,
            is_pointer: false,
        }),
    };
    let nested = Type::Array {
        kind: ArrayKind::C,
        item: Box::new(Item {
            ty: strings(),
            is_pointer: true,
        }),
        zero_terminated: true,
        fixed: None,
    };
    let mut misdirected = param("a", strings());
    misdirected.length = Some(1);
    let length = towards(Direction::Out, param("n", int()));
    let callback = Type::Callback {
        ty: named("Callback"),
    };
    let mut writes = returning(Type::Utf8, Transfer::Full);
    writes.symbol = "g_strreverse".into();
    vec![
        (Reason::ArrayLength, function(vec![misdirected, length])),
        of(Reason::NestedArray, nested),
        of(Reason::List, doubles),
        (
            Reason::Callback,
            function(vec![towards(Direction::Out, param("a", callback))]),
        ),
        of(Reason::Fundamental, structure(StructKind::OtherFundamental)),
        (
            Reason::ClassStruct,
            function(vec![towards(
                Direction::InOut,
                param("a", structure(StructKind::ClassStruct)),
            )]),
        ),
        (Reason::StructByValue, function(vec![by_value])),
        (Reason::CallerAllocated, function(vec![allocated])),
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
