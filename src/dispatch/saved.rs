//! What was hot in an earlier run of a program, in a file.
//!
//! ```json
//! {"gijit_profile": 1, "gijit": "0.1.0", "callables": {
//!   "Gtk.Label.set_text": {"tier": 2, "keywords": false, "arguments": [
//!     {"types": ["Label"], "seen": []}, {"types": ["str"], "seen": ["non-ascii"]}]}}}
//! ```
//!
//! A callable of the file is compiled right after its first call, for the tier that it had come to. The
//! types of its arguments are those of this first call; the file says where these would mislead: an
//! argument that had several types is not speculated on. So nothing of the file can make a wrong
//! call, whatever it holds.
//!
//! A file of another version or a broken one of gijit's own is replaced at exit; what is no
//! profile is never written over.
//!
//! Absent: when callables are resolved and what their types are called (the host).

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;

use serde_json::{Map, Value, json};

use super::{Callable, Tier, policy, seen};

/// Of the format; files of another one are not read.
const VERSION: u64 = 1;
/// How every file begins.
const MARK: &str = "{\"gijit_profile\":";

/// The callables of a file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Saved {
    callables: BTreeMap<String, Entry>,
    /// The file is somebody else's.
    foreign: bool,
}

/// A callable of a file.
#[derive(Clone, PartialEq, Debug)]
struct Entry {
    tier: Tier,
    keywords: bool,
    arguments: Vec<Argument>,
}

#[derive(Clone, PartialEq, Debug)]
struct Argument {
    types: Vec<String>,
    seen: u32,
}

impl Saved {
    /// Reads the file at `path`; one that is not there is as good as an empty one. Gives beside
    /// what it holds the reason why it is ignored, if it is.
    pub fn read(path: &Path) -> (Saved, Option<String>) {
        if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            // A folder, a pipe or a device: nothing to read, and nothing to be replaced.
            return Saved::foreign("it is no file");
        }
        let text = match std::fs::read(path) {
            Ok(text) => String::from_utf8_lossy(&text).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Default::default(),
            Err(error) => return (Saved::default(), Some(format!("cannot be read: {error}"))),
        };
        if text.is_empty() {
            return Default::default();
        }
        let ours = text.starts_with(MARK);
        match (ours, text.parse::<Value>()) {
            (true, Ok(file)) => match parse(&file) {
                Ok(callables) => {
                    let foreign = false;
                    (Saved { callables, foreign }, None)
                }
                Err(why) => (Saved::default(), Some(why)),
            },
            (true, Err(error)) => (Saved::default(), Some(format!("it is broken: {error}"))),
            (false, _) => Saved::foreign("it is no profile of gijit's and is left as it is"),
        }
    }

    fn foreign(why: &str) -> (Saved, Option<String>) {
        let foreign = Saved {
            foreign: true,
            ..Saved::default()
        };
        (foreign, Some(why.to_owned()))
    }

    /// The tier that `callable`, which is new, is to be compiled for after its first call. Puts into
    /// its profile what the file knows.
    pub fn apply(&self, callable: &Callable) -> Option<Tier> {
        let entry = self.callables.get(callable.name())?;
        if entry.arguments.len() != callable.profile.len() {
            // The library has changed since.
            return None;
        }
        if entry.keywords {
            callable.header.general.store(1, Ordering::Relaxed);
        }
        for (profile, argument) in callable.profile.iter().zip(&entry.arguments) {
            let several = match argument.types.len() {
                0 | 1 => 0,
                _ => seen::POLYMORPHIC,
            };
            profile
                .seen
                .fetch_or(argument.seen | several, Ordering::Relaxed);
        }
        Some(entry.tier)
    }

    /// Adds what `callable` is by now, if it became hot. `type_name` gives the name of a type seen.
    pub fn note(&mut self, callable: &Callable, type_name: impl Fn(usize) -> String) {
        let tier = match callable.rounds() {
            // Tier 2 did not last.
            policy::ROUND_LIMIT.. => Tier::One,
            1.. => Tier::Two,
            0 => callable.tier(),
        };
        if tier == Tier::Zero {
            return;
        }
        let snapshot = callable.snapshot().into_iter();
        let arguments = snapshot.map(|argument| Argument {
            types: argument
                .types
                .into_iter()
                .filter(|&ty| ty != 0)
                .map(&type_name)
                .collect(),
            seen: argument.seen,
        });
        let entry = Entry {
            tier,
            keywords: callable.header.general.load(Ordering::Relaxed) != 0,
            arguments: arguments.collect(),
        };
        self.callables.insert(callable.name().to_owned(), entry);
    }

    /// Replaces the file at `path` in one step: another process that reads it sees a whole one. What
    /// others have put there since it was read stays.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&mut self, path: &Path) -> io::Result<()> {
        if self.foreign || self.callables.is_empty() {
            return Ok(());
        }
        let (now, _) = Saved::read(path);
        if now.foreign {
            return Ok(());
        }
        for (name, entry) in now.callables {
            self.callables.entry(name).or_insert(entry);
        }
        // The file that a link leads to, not the link.
        let path = &match std::fs::read_link(path) {
            Ok(to) => path.parent().unwrap_or(Path::new("")).join(to),
            Err(_) => path.to_owned(),
        };
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}", std::process::id()));
        let new = path.with_file_name(name);
        std::fs::write(&new, self.text())?;
        std::fs::rename(&new, path).inspect_err(|_| {
            let _ = std::fs::remove_file(&new);
        })
    }

    fn text(&self) -> String {
        let callables: Map<String, Value> = self
            .callables
            .iter()
            .map(|(name, entry)| (name.clone(), entry.json()))
            .collect();
        let file = json!({
            "gijit_profile": VERSION,
            "gijit": env!("CARGO_PKG_VERSION"),
            "callables": callables,
        });
        format!("{file}\n")
    }
}

impl Entry {
    fn json(&self) -> Value {
        let arguments: Vec<Value> = self
            .arguments
            .iter()
            .map(|argument| {
                let words = seen::WORDS
                    .iter()
                    .filter(|(bit, _)| argument.seen & bit != 0);
                let words: Vec<&str> = words.map(|(_, word)| *word).collect();
                json!({"types": argument.types, "seen": words})
            })
            .collect();
        json!({"tier": self.tier as u8, "keywords": self.keywords, "arguments": arguments})
    }

    fn parse(value: &Value) -> Option<Entry> {
        let arguments = value["arguments"].as_array()?.iter().map(|argument| {
            let types = argument["types"].as_array()?.iter();
            let words = argument["seen"].as_array()?.iter();
            Some(Argument {
                types: types
                    .map(|ty| Some(ty.as_str()?.to_owned()))
                    .collect::<Option<_>>()?,
                // A word that is not known says nothing.
                seen: words.filter_map(Value::as_str).fold(0, |bits, word| {
                    let known = seen::WORDS.iter().find(|(_, known)| *known == word);
                    bits | known.map_or(0, |(bit, _)| *bit)
                }),
            })
        });
        Some(Entry {
            tier: match value["tier"].as_u64()? {
                1 => Tier::One,
                2 => Tier::Two,
                _ => return None,
            },
            keywords: value["keywords"].as_bool()?,
            arguments: arguments.collect::<Option<_>>()?,
        })
    }
}

/// The callables of a file that is JSON.
///
/// # Errors
/// Why they are not used.
fn parse(file: &Value) -> Result<BTreeMap<String, Entry>, String> {
    let version = (file["gijit_profile"].as_u64(), file["gijit"].as_str());
    if version != (Some(VERSION), Some(env!("CARGO_PKG_VERSION"))) {
        let of = version.1.unwrap_or("an unknown version");
        return Err(format!("it was made by gijit {of} and is made anew"));
    }
    let broken = || "it is broken and is made anew".to_owned();
    let callables = file["callables"].as_object().ok_or_else(broken)?;
    callables
        .iter()
        .map(|(name, value)| Some((name.clone(), Entry::parse(value)?)))
        .collect::<Option<_>>()
        .ok_or_else(broken)
}
