//! The text of one event: `gijit TOPIC: CALLABLE ...`.
//!
//! Fields come in the order in which the event names them; a table says how each reads. A field
//! that the table does not have is written as `name=value`.

use std::fmt::{Debug, Write as _};

use tracing::Event;
use tracing::field::{Field, Visit};

/// The line of `event`, with its line end.
pub(super) fn line(event: &Event<'_>) -> String {
    let target = event.metadata().target();
    let topic = target.strip_prefix("gijit::").unwrap_or(target);
    let mut line = Line(format!("gijit {topic}:"));
    event.record(&mut line);
    if event.metadata().name() == "begun" {
        line.0.push_str(", is compiled now");
    }
    line.0.push('\n');
    line.0
}

struct Line(String);

impl Line {
    fn put(&mut self, name: &str, value: std::fmt::Arguments<'_>) {
        // How a field reads: what stands before its value and what behind it.
        let (before, after) = match name {
            "callable" => (" ", ""),
            "tier" => (" tier ", ""),
            "from" => (" ", ""),
            "to" => (" -> ", ""),
            "calls" => (" after ", " calls"),
            "round" => (", round ", ""),
            "compiled_us" => (", compiled in ", " us"),
            "lower_us" => (", lowered in ", " us"),
            "compile_us" => (", compiled in ", " us"),
            "place_us" => (", placed in ", " us"),
            "bytes" => (", ", " bytes"),
            "lock" => (" ", ""),
            "reason" => (": ", ""),
            "loaded_us" => (" loaded in ", " us"),
            "resident_kib" => (", grew by ", " KiB"),
            "length" => (", ", " waiting"),
            "total_ns" => (" took ", " ns"),
            "native_ns" => (", ", " ns of it native"),
            "stands_for" => (", for ", " calls"),
            // Parts of what another field says.
            "failures" | "again" | "binding_ns" | "before_native_ns" => return,
            "host" if value.to_string() == "false" => return,
            "host" => {
                self.0.push_str(" in PyGObject");
                return;
            }
            "detail" if value.to_string().is_empty() => return,
            "detail" => (": ", ""),
            other => {
                let _ = write!(self.0, " {other}={value}");
                return;
            }
        };
        let one = matches!(after, " calls" | " bytes") && value.to_string() == "1";
        let after = if one {
            &after[..after.len() - 1]
        } else {
            after
        };
        // Writing to a String cannot fail.
        let _ = write!(self.0, "{before}{value}{after}");
    }
}

impl Visit for Line {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), format_args!("{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field.name(), format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // A message may hold what a library said; an event stays one line.
        let text = format!("{value:?}").replace('\n', " ");
        self.put(field.name(), format_args!("{text}"));
    }
}
