//! The environment variables: one table, from which parsing, defaults, messages and documentation
//! are derived.
//!
//! The table is in `table`; `document` writes `docs/environment.md` from it. [`Config`] is plain
//! data. A bad value never stops the program: it becomes one [`ConfigWarning`], a single line, and the
//! default holds. An empty value counts as unset.
//!
//! Absent: when anything is read (the host does that, once) and what the values mean to the parts
//! that they tune.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::dispatch::Tier;

mod document;
mod table;

pub use document::document;
pub use table::{VARIABLES, Variable};

/// Everything that the environment can tune.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Whether the host installs gijit by itself. No other variable turns it on.
    pub enabled: bool,
    /// Calls at tier 0 before tier 1 is compiled; 0 is before the first call.
    pub tier1_calls: u32,
    /// Calls at tier 1 before tier 2 is compiled; 0 goes from tier 0 to tier 2.
    pub tier2_calls: u32,
    pub max_tier: Tier,
    pub compile: CompileMode,
    pub gil: GilMode,
    /// When not empty: the only callables that are compiled.
    pub only: Vec<Pattern>,
    /// Callables that are not compiled.
    pub skip: Vec<Pattern>,
    pub trace: TraceSet,
    /// `None`: standard error.
    pub trace_file: Option<FileName>,
    pub trace_format: TraceFormat,
    pub stats: StatsOutput,
    /// What was hot is kept here from one run of a program to the next.
    pub profile: Option<FileName>,
    /// Who is told of machine code.
    pub perf: PerfSet,
    /// What is written of callables while they are resolved and compiled.
    pub dump: Option<Dump>,
    /// The most bytes of machine code at one time.
    pub code_limit: usize,
}

/// Where compilations happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CompileMode {
    /// On the compile thread.
    Background,
    /// On the thread whose call asked for it, before that call goes on.
    Sync,
}

/// When the interpreter lock is held during the native call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GilMode {
    /// Where `gil::prove` says so.
    Proven,
    Release,
    /// For these, and where it is proved.
    Hold(Vec<Pattern>),
}

/// The kinds of trace events: the names in `GIJIT_TRACE`, and the targets behind `gijit::`.
pub const TOPICS: [&str; 7] = [
    "tier", "deopt", "reject", "compile", "gil", "queue", "sample",
];

/// Which trace events are wanted: a bit per topic.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TraceSet(u8);

impl TraceSet {
    /// Names separated by commas; `None` when there is no such topic.
    fn parse(text: &str) -> Option<TraceSet> {
        let mut set = TraceSet::default();
        for name in text.split(',').map(str::trim) {
            set.0 |= match name {
                "all" => TraceSet::everything().0,
                name => 1 << TOPICS.iter().position(|topic| *topic == name)?,
            };
        }
        Some(set)
    }

    fn everything() -> TraceSet {
        TraceSet((1 << TOPICS.len()) - 1)
    }

    /// Whether any event is wanted.
    pub fn any(self) -> bool {
        self != TraceSet::default()
    }

    /// Whether events of `topic` are wanted.
    pub fn has(self, topic: &str) -> bool {
        let index = TOPICS.iter().position(|known| *known == topic);
        index.is_some_and(|index| self.0 & (1 << index) != 0)
    }
}

/// How trace events are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TraceFormat {
    /// One readable line each.
    Text,
    /// One JSON object in a line each.
    Json,
    /// The JSON array of events that Perfetto and Chromium show.
    Chrome,
}

/// What happens to the statistics when the program ends. Unless `Off`, calls are counted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StatsOutput {
    Off,
    /// A table on standard error.
    Table,
    /// JSON in a file.
    File(FileName),
}

/// Which profilers and debuggers are told of machine code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PerfSet {
    pub map: bool,
    pub jitdump: bool,
    pub gdb: bool,
}

impl PerfSet {
    /// Names separated by commas; `None` when there is no such name.
    fn parse(text: &str) -> Option<PerfSet> {
        let mut set = PerfSet::default();
        for name in text.split(',').map(str::trim) {
            match name {
                "map" => set.map = true,
                "jitdump" => set.jitdump = true,
                "gdb" => set.gdb = true,
                _ => return None,
            }
        }
        Some(set)
    }
}

/// A text that gijit can show of a callable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    Signature,
    Words,
    Plan,
    Ir,
    Clif,
    Llvm,
    Asm,
    Profile,
    Gil,
}

impl Stage {
    pub const ALL: [(Stage, &str); 9] = [
        (Stage::Signature, "signature"),
        (Stage::Words, "words"),
        (Stage::Plan, "plan"),
        (Stage::Ir, "ir"),
        (Stage::Clif, "clif"),
        (Stage::Llvm, "llvm"),
        (Stage::Asm, "asm"),
        (Stage::Profile, "profile"),
        (Stage::Gil, "gil"),
    ];

    /// As `explain` and `GIJIT_DUMP` call it.
    pub fn name(self) -> &'static str {
        let row = Stage::ALL.iter().find(|(stage, _)| *stage == self);
        row.expect("the table is complete").1
    }
}

/// `GIJIT_DUMP`: these stages of the callables that fit one of the patterns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dump {
    pub stages: Vec<Stage>,
    pub patterns: Vec<Pattern>,
}

impl Dump {
    fn parse(text: &str) -> Option<Dump> {
        let (stages, names) = text.split_once(':')?;
        let stages = match stages.trim() {
            "all" => Stage::ALL.iter().map(|(stage, _)| *stage).collect(),
            stages => stages
                .split(',')
                .map(|name| {
                    let row = Stage::ALL.iter().find(|(_, known)| *known == name.trim());
                    row.map(|(stage, _)| *stage)
                })
                .collect::<Option<_>>()?,
        };
        let patterns = table::patterns(names)?;
        Some(Dump { stages, patterns })
    }

    /// Whether `stage` of `callable` is wanted.
    pub fn wants(&self, callable: &str, stage: Stage) -> bool {
        self.stages.contains(&stage) && self.patterns.iter().any(|p| p.matches(callable))
    }
}

/// A file name in which `%p` stands for the process id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileName(pub String);

impl FileName {
    /// The path for process `pid`.
    pub fn path(&self, pid: u32) -> PathBuf {
        PathBuf::from(self.0.replace("%p", &pid.to_string()))
    }

    /// Whether each process has its own file.
    pub fn per_process(&self) -> bool {
        self.0.contains("%p")
    }
}

/// A callable's name in which `*` stands for any run of characters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern(pub String);

impl Pattern {
    /// Whether the whole of `name` fits.
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        for part in parts {
            let Some(at) = rest.find(part) else {
                return false;
            };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

/// One line for standard error: a variable that could not be used as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigWarning(String);

impl std::fmt::Display for ConfigWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Default for Config {
    /// The defaults of [`VARIABLES`].
    fn default() -> Self {
        let mut config = Config {
            enabled: false,
            tier1_calls: 0,
            tier2_calls: 0,
            max_tier: Tier::Zero,
            compile: CompileMode::Background,
            gil: GilMode::Proven,
            only: Vec::new(),
            skip: Vec::new(),
            trace: TraceSet::default(),
            trace_file: None,
            trace_format: TraceFormat::Text,
            stats: StatsOutput::Off,
            profile: None,
            perf: PerfSet::default(),
            dump: None,
            code_limit: 0,
        };
        for variable in VARIABLES.iter().filter(|row| !row.default.is_empty()) {
            (variable.set)(&mut config, variable.default).expect("tests/config_env.rs checks it");
        }
        config
    }
}

impl Config {
    /// Reads the environment of the process.
    pub fn from_env() -> (Config, Vec<ConfigWarning>) {
        // By name: messages come in the same order each time.
        let vars: BTreeMap<String, String> = std::env::vars_os()
            .map(|(name, value)| {
                (
                    name.to_string_lossy().into_owned(),
                    value.to_string_lossy().into_owned(),
                )
            })
            .collect();
        Config::from_vars(vars)
    }

    /// Reads the given variables; those that are not gijit's are passed over.
    pub fn from_vars(
        vars: impl IntoIterator<Item = (String, String)>,
    ) -> (Config, Vec<ConfigWarning>) {
        let mut config = Config::default();
        let mut warnings = Vec::new();
        for (name, value) in vars {
            if name != "GIJIT" && !name.starts_with(PREFIX) {
                continue;
            }
            let Some(variable) = VARIABLES.iter().find(|row| row.name == name) else {
                let hint = match nearest(&name) {
                    Some(known) => format!("did you mean {known}?"),
                    None => "python -m gijit doctor lists them".to_owned(),
                };
                warnings.push(ConfigWarning(format!(
                    "{name} is not a variable of gijit; {hint}"
                )));
                continue;
            };
            if !value.is_empty() && (variable.set)(&mut config, &value).is_none() {
                let default = match variable.default {
                    "" => "leaving it unset".to_owned(),
                    default => format!("using {default}"),
                };
                warnings.push(ConfigWarning(format!(
                    "{name}={} is not allowed: expected {}; {default}",
                    // One line, whatever the value holds.
                    value.escape_debug(),
                    variable.allowed,
                )));
            }
        }
        (config, warnings)
    }

    /// Why `name` shall not be compiled; `None` when it may be.
    pub fn excludes(&self, name: &str) -> Option<&'static str> {
        if self.skip.iter().any(|pattern| pattern.matches(name)) {
            Some("excluded by GIJIT_SKIP")
        } else if !self.only.is_empty() && !self.only.iter().any(|only| only.matches(name)) {
            Some("not named by GIJIT_ONLY")
        } else {
            None
        }
    }

    /// The patterns that none of `names` fits, each with the variable that it stands in. None when
    /// there are no names: a program that calls nothing says nothing about a pattern.
    pub fn idle_patterns(&self, names: &BTreeSet<String>) -> Vec<(&'static str, &Pattern)> {
        self.patterns()
            .filter(|(_, pattern)| {
                !names.is_empty() && !names.iter().any(|name| pattern.matches(name))
            })
            .collect()
    }

    /// Every pattern, with the variable that it stands in.
    fn patterns(&self) -> impl Iterator<Item = (&'static str, &Pattern)> {
        let hold: &[Pattern] = match &self.gil {
            GilMode::Hold(patterns) => patterns,
            GilMode::Proven | GilMode::Release => &[],
        };
        let dump: &[Pattern] = self.dump.as_ref().map_or(&[], |dump| &dump.patterns);
        let lists: [(&'static str, &[Pattern]); 4] = [
            ("GIJIT_ONLY", &self.only),
            ("GIJIT_SKIP", &self.skip),
            ("GIJIT_GIL", hold),
            ("GIJIT_DUMP", dump),
        ];
        lists
            .into_iter()
            .flat_map(|(variable, list)| list.iter().map(move |pattern| (variable, pattern)))
    }

    /// Whether it has to be known at the end which callables were called: to say so, or to say which
    /// patterns fit none.
    pub fn lists_callables(&self) -> bool {
        self.counts_calls() || self.trace.has("sample") || self.patterns().next().is_some()
    }

    /// Whether calls are counted exactly.
    pub fn counts_calls(&self) -> bool {
        self.stats != StatsOutput::Off
    }
}

/// The variable that `name` may have been meant for: a part of its name, or a few edits away.
fn nearest(name: &str) -> Option<&'static str> {
    let own = name.strip_prefix(PREFIX).filter(|own| !own.is_empty())?;
    let known = || {
        VARIABLES
            .iter()
            .filter_map(|row| Some((row.name, row.name.strip_prefix(PREFIX)?)))
    };
    let (near, rest) = known().min_by_key(|(_, rest)| edits(rest, own))?;
    if 2 * edits(rest, own) < rest.len() {
        return Some(near);
    }
    let whole = own.len() >= SHORTEST_PART;
    known()
        .find(|(_, rest)| whole && rest.contains(own))
        .map(|(name, _)| name)
}

/// What the names of all variables but the first begin with.
const PREFIX: &str = "GIJIT_";
/// Fewer letters are a part of many names.
const SHORTEST_PART: usize = 4;

/// Levenshtein's distance in bytes.
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replace = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
