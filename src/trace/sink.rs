//! The subscriber: which events are wanted, and in which form they are written.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

use super::line::line;
use super::output::Output;
use super::record::Record;
use crate::config::{Config, TraceFormat, TraceSet};

/// Installs the subscriber that `config` asks for; none when it asks for no tracing.
///
/// # Errors
/// One line: the trace file cannot be opened, or the process has a subscriber already.
pub fn install(config: &Config) -> Result<(), String> {
    super::dump::open(config);
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
    format: TraceFormat,
    output: Output,
    /// The process that has been introduced in the trace; a forked child introduces itself.
    introduced: AtomicU32,
}

thread_local! {
    /// The process in which this thread has been named in a Chrome trace.
    static NAMED: Cell<u32> = const { Cell::new(0) };
}

impl TraceLayer {
    /// Opens what `config` names.
    ///
    /// # Errors
    /// One line: the trace file cannot be used.
    pub fn new(config: &Config) -> Result<Self, String> {
        let file = config.trace_file.as_ref();
        Ok(TraceLayer {
            wanted: config.trace,
            format: config.trace_format,
            output: match config.trace_format {
                TraceFormat::Text | TraceFormat::Json => Output::lines(file)?,
                TraceFormat::Chrome => Output::array(file)?,
            },
            introduced: AtomicU32::new(0),
        })
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        let topic = metadata.target().strip_prefix("gijit::");
        topic.is_some_and(|topic| self.wanted.has(topic))
    }

    /// Whether this is the first event of the process.
    fn is_first(&self) -> bool {
        let pid = std::process::id();
        self.introduced.swap(pid, Ordering::Relaxed) != pid
    }

    fn write(&self, event: &Event<'_>) -> std::io::Result<()> {
        match self.format {
            TraceFormat::Text => self.output.write_lines(line(event).as_bytes()),
            TraceFormat::Json => {
                let mut text = String::new();
                if self.is_first() {
                    text = Record::process().json() + "\n";
                }
                text += &Record::new(event).json();
                text.push('\n');
                self.output.write_lines(text.as_bytes())
            }
            TraceFormat::Chrome => {
                let mut events = Vec::new();
                if self.is_first() {
                    events = Record::process().chrome();
                }
                let pid = std::process::id();
                if NAMED.replace(pid) != pid {
                    let thread = std::thread::current();
                    events.extend(thread.name().map(Record::chrome_thread));
                }
                events.extend(Record::new(event).chrome());
                self.output.write_events(&events)
            }
        }
    }
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
        let _ = self.write(event);
    }
}
