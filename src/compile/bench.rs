//! The bench that one compilation at a time is done on: the back ends and the steps of a job.
//!
//! A back end is made by its factory at the first job of its tier, on the thread that runs that
//! job. One that says that it cannot work is off for the rest of the process, with one line on
//! standard error. One that panicked is made anew.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::backend::{Backend, BackendError, Listing, MachineCode};
use crate::code::{CodeLabel, disasm};
use crate::config::{Config, Stage};
use crate::dispatch::{Callable, CodeSpace, Ticket, Tier, Unpublished, policy};
use crate::error::CompileError;
use crate::gil::{self, First};
use crate::ir::steps::Steps;
use crate::ir::verify::verify;
use crate::ir::{self, Function};
use crate::lower::{self, Context, Recipes};
use crate::plan::link::Runtime;
use crate::trace;
use crate::trace::Timings;

/// Makes a back end, when it is first needed.
pub type BackendFactory = Arc<dyn Fn() -> Result<Box<dyn Backend>, BackendError> + Send + Sync>;

/// What the host gives.
pub struct Setup {
    pub config: Arc<Config>,
    pub recipes: Arc<dyn Recipes>,
    pub runtime: Runtime,
    /// `void (*)(Object *callable)`: the budget is used up. Ends in `Compiler::on_budget`.
    pub promote: usize,
    /// A vectorcall: a guard failed. Calls `Compiler::on_guard_failure` and enters the tier below.
    pub deopt: usize,
    /// What the arguments of a callable have been, for people. Called with the interpreter lock held.
    pub profile_text: fn(&Callable) -> String,
    pub code: Box<dyn CodeSpace>,
    pub tier1: BackendFactory,
    pub tier2: BackendFactory,
}

/// What does not change after the start, shared without a lock.
pub(super) struct Parts {
    pub config: Arc<Config>,
    pub code: Box<dyn CodeSpace>,
    recipes: Arc<dyn Recipes>,
    runtime: Runtime,
    promote: usize,
    deopt: usize,
    profile_text: fn(&Callable) -> String,
}

/// The place of one back end.
struct Bay {
    factory: BackendFactory,
    backend: Option<Box<dyn Backend>>,
    off: Option<String>,
}

/// The back ends, for one compilation at a time. The process has one, behind a mutex; a survey has
/// one for each of its threads.
pub(super) struct Bench {
    tier1: Bay,
    tier2: Bay,
}

impl Setup {
    pub(super) fn split(self) -> (Parts, Bench) {
        let bay = |factory| Bay {
            factory,
            backend: None,
            off: None,
        };
        (
            Parts {
                config: self.config,
                code: self.code,
                recipes: self.recipes,
                runtime: self.runtime,
                promote: self.promote,
                deopt: self.deopt,
                profile_text: self.profile_text,
            },
            Bench {
                tier1: bay(self.tier1),
                tier2: bay(self.tier2),
            },
        )
    }
}

impl Parts {
    /// Whether the interpreter lock is held while the native function of `callable` runs.
    pub fn lock(&self, callable: &Callable) -> gil::Decision {
        let linked = &callable.linked;
        let first = match (linked.instance(), callable.instance_type()) {
            (None, _) => First::Other,
            (Some(_), None) => First::Unseen,
            (Some(_), Some(gtype)) => First::Instance(gtype),
        };
        gil::decide(&self.config, callable.name(), linked.native, first)
    }

    /// Whether `GIJIT_DUMP` wants `stage` of `callable`.
    pub fn dumps(&self, callable: &Callable, stage: Stage) -> bool {
        let dump = self.config.dump.as_ref();
        dump.is_some_and(|dump| dump.wants(callable.name(), stage))
    }

    /// Writes the profile of `callable` if `GIJIT_DUMP` wants it. The interpreter lock is held.
    pub fn dump_profile(&self, callable: &Callable, tier: Tier) {
        let about = format!(", for tier {tier}");
        let text = || (self.profile_text)(callable);
        trace::dump(&self.config, callable.name(), Stage::Profile, &about, text);
    }

    /// The thunk IR of `callable` for `tier` on its present profile.
    ///
    /// # Errors
    /// [`CompileError::Bug`].
    pub fn lower(&self, callable: &Callable, tier: Tier) -> Result<Function, CompileError> {
        let mut snapshot = Vec::new();
        if tier == Tier::Two {
            snapshot = callable.snapshot();
        }
        // Nothing was seen: nothing to speculate on.
        if snapshot.iter().all(|arg| arg.types == [0, 0]) {
            snapshot.clear();
        }
        let config = &self.config;
        let climbs = tier == Tier::One && config.max_tier == Tier::Two;
        let context = Context {
            tier,
            header: &raw const callable.header as usize,
            profile: callable.profile.as_ptr() as usize,
            snapshot: &snapshot,
            promote: if climbs { self.promote } else { 0 },
            deopt: self.deopt,
            general: callable.header.general.load(Ordering::Relaxed) != 0,
            calls: if config.counts_calls() {
                callable.tally().calls_address(tier)
            } else {
                0
            },
            runtime: &self.runtime,
            lock: self.lock(callable).lock,
        };
        guarded(|| {
            let function = lower::lower(&callable.linked, &context, &*self.recipes);
            verify(&function).map_err(|error| CompileError::Bug(error.to_string()))?;
            Ok(function)
        })
    }
}

impl Bench {
    /// Another bench with the same factories. A tier that is off here is off there.
    pub fn twin(&self) -> Bench {
        let bay = |bay: &Bay| Bay {
            factory: Arc::clone(&bay.factory),
            backend: None,
            off: bay.off.clone(),
        };
        Bench {
            tier1: bay(&self.tier1),
            tier2: bay(&self.tier2),
        }
    }

    /// Makes the back end of `tier`, to find out early whether it works.
    ///
    /// # Errors
    /// Why the tier is off.
    pub fn load(&mut self, tier: Tier) -> Result<(), CompileError> {
        self.bay(tier).load(tier)
    }

    /// Compiles `callable` for `tier` and publishes the code; done already is fine.
    ///
    /// # Errors
    /// Why `callable` stays where it is.
    pub fn compile(
        &mut self,
        parts: &Parts,
        callable: &Callable,
        tier: Tier,
    ) -> Result<(), CompileError> {
        if tier == Tier::Two && !callable.has(Tier::One) {
            // Where guards of tier 2 bail to. Without it they bail to tier 0.
            let _ = self.compile_one(parts, callable, Tier::One);
        }
        self.compile_one(parts, callable, tier)
    }

    fn compile_one(
        &mut self,
        parts: &Parts,
        callable: &Callable,
        tier: Tier,
    ) -> Result<(), CompileError> {
        let Some(ticket) = callable.begin(tier) else {
            return Ok(());
        };
        let done = self.emit(parts, callable, ticket);
        match &done {
            Ok(()) | Err(CompileError::Stale) => {}
            Err(error) => {
                trace::not_compiled(callable.name(), tier, error);
                match error {
                    CompileError::Unavailable { .. } => policy::give_up(callable, tier),
                    _ => policy::failed(callable, tier, error),
                }
                if let CompileError::Bug(_) = error {
                    trace::warn(&format!("{}, tier {tier}: {error}", callable.name()));
                }
            }
        }
        done
    }

    /// The steps of one compilation.
    fn emit(
        &mut self,
        parts: &Parts,
        callable: &Callable,
        ticket: Ticket,
    ) -> Result<(), CompileError> {
        let tier = ticket.tier();
        let mut timings = Timings::default();
        // Before anything is lowered: a full memory or a tier that is off costs no work.
        parts.code.has_room().map_err(CompileError::NoSpace)?;
        self.load(tier)?;

        let start = Instant::now();
        let mut function = parts.lower(callable, tier)?;
        let mut steps = Steps::default();
        let dumps_asm = parts.dumps(callable, Stage::Asm);
        match parts.code.wants_steps() || dumps_asm {
            true => steps = Steps::of(&function),
            false => function = function.without_notes(),
        }
        timings.lower = start.elapsed();

        let start = Instant::now();
        let machine_code = self.assemble(&function, tier)?;
        timings.compile = start.elapsed();
        self.dump(parts, callable, tier, &function, &machine_code);

        let start = Instant::now();
        let label = CodeLabel {
            callable: callable.name(),
            tier: tier as u8,
            steps: steps.texts(),
        };
        let code = parts
            .code
            .place(&machine_code, &label)
            .map_err(CompileError::NoSpace)?;
        timings.place = start.elapsed();
        timings.bytes = code.size();

        trace::compiled(callable.name(), tier, &timings);
        let lock = parts.lock(callable);
        trace::lock_decided(callable.name(), &lock.lock, &lock.reason);
        let from = callable
            .publish(ticket, code)
            .map_err(|refused| match refused {
                Unpublished::Detached | Unpublished::Superseded => CompileError::Stale,
            })?;
        callable.tally().count_compiled(tier, &timings);
        if tier > from {
            let calls = policy::calls(callable);
            trace::promoted(callable.name(), from, tier, calls, &timings);
        }
        Ok(())
    }

    /// Writes the stages of `GIJIT_DUMP` that a compilation makes.
    fn dump(
        &mut self,
        parts: &Parts,
        callable: &Callable,
        tier: Tier,
        function: &Function,
        code: &MachineCode,
    ) {
        let about = format!(" at tier {tier}");
        let dump = |stage, text: &dyn Fn() -> String| {
            trace::dump(&parts.config, callable.name(), stage, &about, text);
        };
        dump(Stage::Ir, &|| ir::text::print(function, false));
        let own = match tier {
            Tier::Two => Stage::Llvm,
            Tier::One | Tier::Zero => Stage::Clif,
        };
        if parts.dumps(callable, own) {
            let listed = self.list(function, tier, Listing::Ir);
            dump(own, &|| match &listed {
                Ok(text) => text.clone(),
                Err(error) => error.to_string(),
            });
        }
        dump(Stage::Asm, &|| disasm::disassemble(code, function));
        dump(Stage::Gil, &|| parts.lock(callable).to_string());
    }

    /// What the back end of `tier` makes of `function`. Nothing is placed.
    ///
    /// # Errors
    /// The back end's.
    pub fn assemble(
        &mut self,
        function: &Function,
        tier: Tier,
    ) -> Result<MachineCode, CompileError> {
        self.load(tier)?;
        self.bay(tier)
            .with(tier, |backend| backend.compile(function))
    }

    /// Shows what the back end of `tier` makes of `function`.
    ///
    /// # Errors
    /// The back end's.
    pub fn list(
        &mut self,
        function: &Function,
        tier: Tier,
        what: Listing,
    ) -> Result<String, CompileError> {
        self.load(tier)?;
        self.bay(tier)
            .with(tier, |backend| backend.list(function, what))
    }

    /// Why `tier` is off, once that is known.
    pub fn off(&mut self, tier: Tier) -> Option<&str> {
        self.bay(tier).off.as_deref()
    }

    fn bay(&mut self, tier: Tier) -> &mut Bay {
        match tier {
            Tier::Two => &mut self.tier2,
            Tier::One | Tier::Zero => &mut self.tier1,
        }
    }
}

impl Bay {
    /// Makes the back end if there is none yet.
    fn load(&mut self, tier: Tier) -> Result<(), CompileError> {
        if let Some(reason) = &self.off {
            let reason = reason.clone();
            return Err(CompileError::Unavailable { tier, reason });
        }
        if self.backend.is_some() {
            return Ok(());
        }
        let (before, start) = (trace::resident_kib(), Instant::now());
        let factory = &self.factory;
        let made = guarded(|| factory().map_err(|error| CompileError::from_backend(tier, error)));
        match made {
            Ok(backend) => {
                self.backend = Some(backend);
                let grown = trace::resident_kib().saturating_sub(before);
                trace::loaded(tier, start.elapsed(), grown);
                Ok(())
            }
            // A factory that fails in any way is not asked again.
            Err(error) => Err(self.switch_off(tier, error)),
        }
    }

    /// Runs `work` on the back end.
    fn with<T>(
        &mut self,
        tier: Tier,
        work: impl FnOnce(&mut dyn Backend) -> Result<T, BackendError>,
    ) -> Result<T, CompileError> {
        let Some(mut backend) = self.backend.take() else {
            return Err(CompileError::Bug("the back end is not loaded".to_owned()));
        };
        let result = guarded(|| {
            let result = work(&mut *backend);
            // A back end that panicked does not come back: its state is anybody's guess.
            self.backend = Some(backend);
            result.map_err(|error| CompileError::from_backend(tier, error))
        });
        match result {
            Err(error @ CompileError::Unavailable { .. }) => Err(self.switch_off(tier, error)),
            result => result,
        }
    }

    fn switch_off(&mut self, tier: Tier, error: CompileError) -> CompileError {
        let reason = match error {
            CompileError::Unavailable { reason, .. } => reason,
            other => other.to_string(),
        };
        trace::warn(&format!(
            "tier {tier} is off, the tiers below it go on: {reason}"
        ));
        self.backend = None;
        self.off = Some(reason.clone());
        CompileError::Unavailable { tier, reason }
    }
}

/// Runs a step; a panic in it is a [`CompileError::Bug`].
fn guarded<T>(step: impl FnOnce() -> Result<T, CompileError>) -> Result<T, CompileError> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("panic without a message");
        Err(CompileError::Bug(message.to_owned()))
    })
}
