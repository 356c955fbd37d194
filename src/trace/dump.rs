//! `GIJIT_DUMP`: the texts of `explain`, written while a program runs.
//!
//! They go where trace lines go: to the trace file when that is text, else to standard error. Each is
//! one write, under a line that names the callable and the stage.

use std::fmt::Display;
use std::io::Write as _;
use std::sync::OnceLock;

use super::output::Output;
use super::warn;
use crate::config::{Config, Stage, TraceFormat};

static OUTPUT: OnceLock<Output> = OnceLock::new();

/// Opens what `config` names, if it wants any dump.
pub(super) fn open(config: &Config) {
    let text = config.trace_format == TraceFormat::Text;
    if config.dump.is_none() || !text {
        return;
    }
    match Output::lines(config.trace_file.as_ref()) {
        Ok(output) => {
            // A second engine of a process writes where the first does.
            let _ = OUTPUT.set(output);
        }
        // Whoever traces into the same file says it.
        Err(error) if !config.trace.any() => warn(&error),
        Err(_) => {}
    }
}

/// Writes `stage` of `callable` if `config` wants that; `about` says of what, as in ` at tier 2`.
pub fn dump<T: Display>(
    config: &Config,
    callable: &str,
    stage: Stage,
    about: &str,
    text: impl FnOnce() -> T,
) {
    let Some(dump) = &config.dump else { return };
    if !dump.wants(callable, stage) {
        return;
    }
    let text = text().to_string();
    let text = format!(
        "gijit dump: {} of {callable}{about}\n{}\n\n",
        stage.name(),
        text.trim_end()
    );
    // A full disk or a closed standard error must not disturb the program.
    let _ = match OUTPUT.get() {
        Some(output) => output.write_lines(text.as_bytes()),
        None => std::io::stderr().write_all(text.as_bytes()),
    };
}
