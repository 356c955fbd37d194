//! Where trace lines go, and which are wanted.

use std::fs::File;
use std::io::{self, Write as _};

use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

use super::line::line;
use crate::config::{Config, FileName, TraceSet};

/// Installs the subscriber that `config` asks for; none when it asks for no tracing.
///
/// # Errors
/// One line: the trace file cannot be opened, or the process has a subscriber already.
pub fn install(config: &Config) -> Result<(), String> {
    if !config.trace.any() {
        return Ok(());
    }
    let subscriber = tracing_subscriber::registry().with(TraceLayer::new(config)?);
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|error| format!("cannot trace: {error}"))
}

/// Writes the wanted events, each with one write.
pub struct TraceLayer {
    wanted: TraceSet,
    output: Output,
}

enum Output {
    Stderr,
    /// Opened to append, so that lines of several processes do not overwrite each other. No lock
    /// and no buffer: nothing is lost or held when the process forks or dies.
    File {
        file: File,
        name: FileName,
        /// Of the process that opened `file`.
        pid: u32,
    },
}

impl TraceLayer {
    /// Opens what `config` names.
    ///
    /// # Errors
    /// One line: the trace file cannot be opened.
    pub fn new(config: &Config) -> Result<Self, String> {
        let output = match &config.trace_file {
            None => Output::Stderr,
            Some(name) => {
                let pid = std::process::id();
                let file = open(name, pid).map_err(|error| {
                    format!("GIJIT_TRACE_FILE={}: cannot be opened: {error}", name.0)
                })?;
                Output::File {
                    file,
                    name: name.clone(),
                    pid,
                }
            }
        };
        Ok(TraceLayer {
            wanted: config.trace,
            output,
        })
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        let topic = metadata.target().strip_prefix("gijit::");
        topic.is_some_and(|topic| self.wanted.has(topic))
    }

    fn write(&self, text: &[u8]) -> io::Result<()> {
        match &self.output {
            Output::Stderr => io::stderr().write_all(text),
            Output::File { file, name, pid } => {
                let now = std::process::id();
                if name.per_process() && now != *pid {
                    // A forked child. It opens its file for each line, because this value is shared
                    // without a lock and children seldom trace much.
                    open(name, now)?.write_all(text)
                } else {
                    (&*file).write_all(text)
                }
            }
        }
    }
}

fn open(name: &FileName, pid: u32) -> io::Result<File> {
    File::options()
        .append(true)
        .create(true)
        .open(name.path(pid))
}

impl<S: Subscriber> Layer<S> for TraceLayer {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // A full disk or a closed standard error must not disturb the program.
        let _ = self.write(line(event).as_bytes());
    }
}
