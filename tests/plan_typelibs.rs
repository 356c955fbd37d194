//! Plans of all callables of the installed typelibs: each is verified and its text round-trips.
//! Prints how many are planned and why the rest is not (`cargo test --test plan_typelibs -- --nocapture`).

mod typelib;

use std::collections::BTreeMap;

use gijit::plan::text::parse;
use gijit::plan::verify::verify;
use typelib::{Callable, callables};

fn planned() -> impl Iterator<Item = (&'static Callable, gijit::plan::Plan)> {
    let all = callables().values().flatten();
    all.filter_map(|callable| Some((callable, callable.plan().ok()?)))
}

#[test]
fn every_plan_is_valid() {
    for (_, plan) in planned() {
        if let Err(error) = verify(&plan) {
            panic!("{error}\n{plan}");
        }
    }
}

#[test]
fn every_text_round_trips() {
    for (_, plan) in planned() {
        let text = plan.to_string();
        match parse(&text) {
            Ok(parsed) => assert_eq!(parsed, plan, "{text}"),
            Err(error) => panic!("{error}\n{text}"),
        }
    }
}

#[test]
fn names_are_those_of_the_lookup() {
    for callable in callables().values().flatten() {
        assert_eq!(*callable.signature.name, callable.name);
    }
}

/// Fails when a change of the rules loses callables. The floors, in percent, are a little below what
/// GLib 2.74 and GTK 3.24 give.
#[test]
fn coverage() {
    let floors = [("GLib", 69), ("GObject", 35), ("Gio", 79), ("Gtk", 87)];
    for (namespace, floor) in floors {
        let callables = &callables()[namespace];
        let mut reasons = BTreeMap::new();
        for callable in callables {
            if let Err(reject) = callable.plan() {
                *reasons.entry(reject.reason.id()).or_insert(0) += 1;
            }
        }
        let planned = callables.len() - reasons.values().sum::<usize>();
        let total = callables.len();
        println!("{namespace}: {planned} of {total} planned; {reasons:?}");
        assert!(planned * 100 >= total * floor, "{namespace}");
    }
}
