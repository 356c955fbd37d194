//! The environment variables: one table, from which parsing, defaults, messages and documentation
//! are derived.
//!
//! [`Config`] is plain data. A bad value never stops the program: it becomes one
//! [`ConfigWarning`], a single line, and the default holds. An empty value counts as unset.
//!
//! Absent: when anything is read (the host does that, once) and what the values mean to the parts
//! that they tune.

use std::path::PathBuf;

use crate::dispatch::Tier;

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
    pub stats: StatsOutput,
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

/// Which trace events are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TraceSet {
    pub tier: bool,
    pub deopt: bool,
    pub reject: bool,
    pub compile: bool,
    pub gil: bool,
}

impl TraceSet {
    /// Whether any event is wanted.
    pub fn any(self) -> bool {
        self != TraceSet::default()
    }
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

/// A row of the table.
pub struct Variable {
    pub name: &'static str,
    /// The value when it is unset, in the same form; empty is none.
    pub default: &'static str,
    /// What is allowed, in words, for messages and documentation.
    pub allowed: &'static str,
    pub doc: &'static str,
    /// Puts a value into the config; `None` when it is not allowed.
    set: fn(&mut Config, &str) -> Option<()>,
}

/// The table.
pub const VARIABLES: &[Variable] = &[
    Variable {
        name: "GIJIT",
        default: "0",
        allowed: "0 or 1",
        doc: "Whether gijit installs itself when the interpreter starts.",
        set: |config, value| {
            config.enabled = switch(value)?;
            Some(())
        },
    },
    Variable {
        name: "GIJIT_TIER1_CALLS",
        // Unmeasured: past what start-up code calls in passing.
        default: "50",
        allowed: "a number of calls from 0 to 1000000000",
        doc: "Calls at tier 0 before tier 1 is compiled; 0 is before the first call.",
        set: |config, value| {
            config.tier1_calls = calls(value)?;
            Some(())
        },
    },
    Variable {
        name: "GIJIT_TIER2_CALLS",
        // Unmeasured: long enough for the profile to have seen what is usual.
        default: "2000",
        allowed: "a number of calls from 0 to 1000000000",
        doc: "Calls at tier 1 before tier 2 is compiled; 0 goes from tier 0 to tier 2.",
        set: |config, value| {
            config.tier2_calls = calls(value)?;
            Some(())
        },
    },
    Variable {
        name: "GIJIT_MAX_TIER",
        default: "2",
        allowed: "0, 1 or 2",
        doc: "The highest tier that is used.",
        set: |config, value| {
            config.max_tier = match value {
                "0" => Tier::Zero,
                "1" => Tier::One,
                "2" => Tier::Two,
                _ => return None,
            };
            Some(())
        },
    },
    Variable {
        name: "GIJIT_COMPILE",
        default: "background",
        allowed: "background or sync",
        doc: "Whether compilations run on a thread of their own or on the calling thread.",
        set: |config, value| {
            config.compile = match value {
                "background" => CompileMode::Background,
                "sync" => CompileMode::Sync,
                _ => return None,
            };
            Some(())
        },
    },
    Variable {
        name: "GIJIT_GIL",
        default: "proven",
        allowed: "proven, release or hold: with comma-separated patterns such as Gtk.Label.* behind it",
        doc: "Whether the interpreter lock is held during native calls: where the machine code proves that it may be, never, or also for the callables named.",
        set: |config, value| {
            config.gil = match value.strip_prefix("hold:") {
                Some(names) => GilMode::Hold(patterns(names)?),
                None => match value {
                    "proven" => GilMode::Proven,
                    "release" => GilMode::Release,
                    _ => return None,
                },
            };
            Some(())
        },
    },
    Variable {
        name: "GIJIT_ONLY",
        default: "",
        allowed: "comma-separated patterns such as Gtk.Label.*",
        doc: "The only callables that gijit takes over; all others stay with PyGObject.",
        set: |config, value| {
            config.only = patterns(value)?;
            Some(())
        },
    },
    Variable {
        name: "GIJIT_SKIP",
        default: "",
        allowed: "comma-separated patterns such as Gtk.Label.*",
        doc: "Callables that stay with PyGObject.",
        set: |config, value| {
            config.skip = patterns(value)?;
            Some(())
        },
    },
    Variable {
        name: "GIJIT_TRACE",
        default: "",
        allowed: "comma-separated names out of tier, deopt, reject, compile, gil, all",
        doc: "Which events are written, one line each.",
        set: |config, value| {
            let mut trace = TraceSet::default();
            for name in value.split(',').map(str::trim) {
                match name {
                    "tier" => trace.tier = true,
                    "deopt" => trace.deopt = true,
                    "reject" => trace.reject = true,
                    "compile" => trace.compile = true,
                    "gil" => trace.gil = true,
                    "all" => {
                        trace = TraceSet {
                            tier: true,
                            deopt: true,
                            reject: true,
                            compile: true,
                            gil: true,
                        }
                    }
                    _ => return None,
                }
            }
            config.trace = trace;
            Some(())
        },
    },
    Variable {
        name: "GIJIT_TRACE_FILE",
        default: "",
        allowed: "a file name; %p is the process id",
        doc: "Where trace lines are appended instead of standard error.",
        set: |config, value| {
            config.trace_file = Some(FileName(value.to_owned()));
            Some(())
        },
    },
    Variable {
        name: "GIJIT_STATS",
        default: "0",
        allowed: "0, 1 (a table on standard error at exit) or a file name (JSON); %p is the process id",
        doc: "Counts calls and writes the statistics when the program ends.",
        set: |config, value| {
            config.stats = match value {
                "0" => StatsOutput::Off,
                "1" => StatsOutput::Table,
                name => StatsOutput::File(FileName(name.to_owned())),
            };
            Some(())
        },
    },
    Variable {
        name: "GIJIT_CODE_LIMIT",
        // Unmeasured: room for about 200,000 thunks.
        default: "64M",
        allowed: "a number of bytes, with K, M or G behind it if wanted",
        doc: "The most bytes of machine code at one time.",
        set: |config, value| {
            config.code_limit = bytes(value)?;
            Some(())
        },
    },
];

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
            stats: StatsOutput::Off,
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
        Config::from_vars(std::env::vars_os().map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        }))
    }

    /// Reads the given variables; those that are not gijit's are passed over.
    pub fn from_vars(
        vars: impl IntoIterator<Item = (String, String)>,
    ) -> (Config, Vec<ConfigWarning>) {
        let mut config = Config::default();
        let mut warnings = Vec::new();
        for (name, value) in vars {
            if name != "GIJIT" && !name.starts_with("GIJIT_") {
                continue;
            }
            let Some(variable) = VARIABLES.iter().find(|row| row.name == name) else {
                warnings.push(ConfigWarning(format!(
                    "{name} is not a variable of gijit; did you mean {}?",
                    nearest(&name)
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

    /// Whether calls are counted exactly.
    pub fn counts_calls(&self) -> bool {
        self.stats != StatsOutput::Off
    }
}

fn switch(value: &str) -> Option<bool> {
    match value {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

fn calls(value: &str) -> Option<u32> {
    number(value).and_then(|calls| u32::try_from(calls).ok().filter(|&n| n <= 1_000_000_000))
}

fn bytes(value: &str) -> Option<usize> {
    let (digits, shift) = match value.as_bytes().last()? {
        b'K' | b'k' => (&value[..value.len() - 1], 10),
        b'M' | b'm' => (&value[..value.len() - 1], 20),
        b'G' | b'g' => (&value[..value.len() - 1], 30),
        _ => (value, 0),
    };
    let bytes = number(digits)?.checked_mul(1 << shift)?;
    usize::try_from(bytes).ok()
}

/// Digits only: `str::parse` would take a sign too.
fn number(value: &str) -> Option<u64> {
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        value.parse().ok()
    } else {
        None
    }
}

fn patterns(value: &str) -> Option<Vec<Pattern>> {
    value
        .split(',')
        .map(|text| match text.trim() {
            "" => None,
            text => Some(Pattern(text.to_owned())),
        })
        .collect()
}

/// The variable whose name takes the fewest edits from `name`.
fn nearest(name: &str) -> &'static str {
    VARIABLES
        .iter()
        .map(|row| row.name)
        .min_by_key(|known| edits(known, name))
        .expect("the table is not empty")
}

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
