//! A callable, a host and a back end without Python, for tests of dispatch and compilation.
// Each test binary uses a part of it.
#![allow(dead_code)]

mod plan;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use gijit::code::CodeLabel;
use gijit::compile::backend::{Backend, BackendError, Listing, MachineCode};
use gijit::compile::{Compiler, Setup};
use gijit::config::Config;
use gijit::dispatch::{ArgSnapshot, Callable, CodeSpace, PlacedCode};
use gijit::ir::builder::Builder;
use gijit::ir::{Block, Function, Type, Value};
use gijit::lower::Recipes;
use gijit::plan::link::{Runtime, Step};
use gijit::plan::{In, Out, PyParam};
use plan::linked;

/// Stands for tier 0's entry; never called.
pub const TIER0: usize = 0x1000;

/// A callable and the host's function pointer, which lives until the end of the test process.
pub fn callable(name: &str) -> (Arc<Callable>, &'static AtomicUsize) {
    let slot: &'static AtomicUsize = Box::leak(Box::new(AtomicUsize::new(TIER0)));
    // SAFETY: the slot is never freed, and nothing is called through it.
    (unsafe { Callable::new(linked(name), slot, TIER0) }, slot)
}

/// [`callable`] with one Python parameter, which nothing converts.
pub fn callable_with_parameter(name: &str) -> Arc<Callable> {
    let slot: &'static AtomicUsize = Box::leak(Box::new(AtomicUsize::new(TIER0)));
    let mut linked = linked(name);
    linked.plan.params.push(PyParam {
        name: Some("value".into()),
        optional: false,
    });
    // SAFETY: the slot is never freed, and nothing is called through it.
    unsafe { Callable::new(linked, slot, TIER0) }
}

/// What a tier-0 or tier-1 call does before anything else; true when it has to ask.
pub fn count_down(callable: &Callable) -> bool {
    callable.header.budget.fetch_sub(1, Ordering::Relaxed) <= 1
}

/// Code memory that only counts: the entry is a number.
#[derive(Default)]
pub struct Ledger {
    pub placed: AtomicU64,
    pub retired: AtomicU64,
}

/// [`Ledger`] as the compiler takes it.
pub struct LedgerSpace(pub Arc<Ledger>);

impl CodeSpace for LedgerSpace {
    fn place(&self, code: &MachineCode, _: &CodeLabel<'_>) -> Result<PlacedCode, String> {
        let number = self.0.placed.fetch_add(1, Ordering::Relaxed);
        let ledger = Arc::clone(&self.0);
        Ok(PlacedCode::new(
            0x10_0000 + 0x100 * number as usize,
            code.bytes.len(),
            move || {
                ledger.retired.fetch_add(1, Ordering::Relaxed);
            },
        ))
    }

    fn seal(&self) {}
}

/// How the fake back end behaves, and what it has done.
#[derive(Default)]
pub struct Script {
    state: Mutex<ScriptState>,
    changed: Condvar,
}

#[derive(Default)]
struct ScriptState {
    /// While set, compilations wait.
    held: bool,
    /// Names whose compilation panics.
    panics_on: Option<String>,
    /// Begun compilations, in order.
    begun: Vec<String>,
}

impl Script {
    pub fn hold(&self) {
        self.state.lock().unwrap().held = true;
    }

    pub fn release(&self) {
        self.state.lock().unwrap().held = false;
        self.changed.notify_all();
    }

    pub fn panic_on(&self, name: &str) {
        self.state.lock().unwrap().panics_on = Some(name.to_owned());
    }

    pub fn begun(&self) -> Vec<String> {
        self.state.lock().unwrap().begun.clone()
    }

    /// Waits until `count` compilations have begun.
    pub fn wait_begun(&self, count: usize) {
        let mut state = self.state.lock().unwrap();
        while state.begun.len() < count {
            state = self.changed.wait(state).unwrap();
        }
    }
}

struct FakeBackend(Arc<Script>);

impl Backend for FakeBackend {
    fn compile(&mut self, function: &Function) -> Result<MachineCode, BackendError> {
        let mut state = self.0.state.lock().unwrap();
        state.begun.push(function.name.clone());
        self.0.changed.notify_all();
        while state.held {
            state = self.0.changed.wait(state).unwrap();
        }
        let panics = state.panics_on.as_deref() == Some(&function.name);
        drop(state);
        assert!(!panics, "the script says so");
        Ok(MachineCode {
            bytes: vec![0xc3; 10],
            align: 16,
            ..MachineCode::default()
        })
    }

    fn list(&mut self, function: &Function, _: Listing) -> Result<String, BackendError> {
        Ok(format!("{} in the fake's own words", function.name))
    }
}

/// No inline path at all.
struct NoRecipes;

impl Recipes for NoRecipes {
    fn speculate(&self, _: &In, _: &Step, _: &ArgSnapshot) -> Option<usize> {
        None
    }

    fn type_of(&self, builder: &mut Builder, object: Value) -> Value {
        builder.load(Type::Ptr, object, 8)
    }

    fn convert_in(
        &self,
        _: &mut Builder,
        _: &In,
        _: &Step,
        _: Value,
        _: Option<usize>,
        _: Block,
    ) -> Option<Value> {
        None
    }

    fn convert_out(&self, _: &mut Builder, _: &Out, _: Value) -> Option<Value> {
        None
    }

    fn free_memory(&self, _: &mut Builder, _: Value) -> bool {
        false
    }

    fn new_none(&self, builder: &mut Builder) -> Value {
        builder.iconst(Type::Ptr, 0x3000)
    }
}

/// A compiler over fakes.
pub struct Fixture {
    pub compiler: &'static Compiler,
    pub script: Arc<Script>,
    pub ledger: Arc<Ledger>,
}

/// `vars` are environment variables.
pub fn fixture(vars: &[(&str, &str)]) -> Fixture {
    fixture_with(vars, |_| {})
}

/// [`fixture`], with changes to what the host gives.
pub fn fixture_with(vars: &[(&str, &str)], change: impl FnOnce(&mut Setup)) -> Fixture {
    let script = Arc::new(Script::default());
    let ledger = Arc::new(Ledger::default());
    let factory = || {
        let script = Arc::clone(&script);
        Arc::new(move || Ok(Box::new(FakeBackend(Arc::clone(&script))) as Box<dyn Backend>))
    };
    let mut setup = Setup {
        config: Arc::new(config(vars)),
        recipes: Arc::new(NoRecipes),
        runtime: Runtime {
            save_thread: 0x4000,
            restore_thread: 0x4010,
            native_begins: 0,
            native_ends: 0,
            raise: 0x4020,
            bind: 0x4030,
            decref: 0x4040,
            none: 0x4050,
            new_none: 0x4060,
            note: 0x4070,
        },
        promote: 0x5000,
        deopt: 0x5010,
        profile_text: |_| String::new(),
        code: Box::new(LedgerSpace(Arc::clone(&ledger))),
        tier1: factory(),
        tier2: factory(),
    };
    change(&mut setup);
    Fixture {
        compiler: Compiler::new(setup),
        script,
        ledger,
    }
}

/// The configuration of `vars`, which must be good.
pub fn config(vars: &[(&str, &str)]) -> Config {
    let vars = vars
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()));
    let (config, warnings) = Config::from_vars(vars);
    assert_eq!(warnings, []);
    config
}
