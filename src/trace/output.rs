//! Where events are written: standard error, or a file that several processes may share.
//!
//! Every event is complete in the file when it has been written: nothing is buffered here, so nothing
//! is lost when the process is killed or leaves by `_exit`, and no lock is held over a fork.
//!
//! Text and JSON lines are appended with one write each. A Chrome trace is a JSON array, and is one
//! at every moment: each batch of events overwrites the closing bracket of the last one, under a file
//! lock. The file is opened for each batch, so that the lock (`flock`) also separates threads and
//! forked children. Where a file cannot be read again (a pipe, standard error) the array stays
//! open, which the viewers accept.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::FileName;

/// How a finished array ends, and with what further events begin.
const END: &str = "\n]\n";

/// Where events go.
pub(super) enum Output {
    Stderr,
    /// Opened to append, so that lines of several processes do not overwrite each other.
    Lines {
        file: File,
        name: FileName,
        /// Of the process that opened `file`.
        pid: u32,
    },
    /// An array that is complete after each write.
    Array(FileName),
    /// An array that is never closed; whether it has been opened.
    OpenArray {
        file: Option<File>,
        begun: AtomicBool,
    },
}

impl Output {
    /// For text and JSON lines.
    ///
    /// # Errors
    /// One line: the file cannot be opened.
    pub fn lines(name: Option<&FileName>) -> Result<Output, String> {
        let Some(name) = name else {
            return Ok(Output::Stderr);
        };
        let (name, pid) = (absolute(name), std::process::id());
        let file = append(&name, pid).map_err(|error| cannot_open(&name, &error))?;
        Ok(Output::Lines { file, name, pid })
    }

    /// For a Chrome trace.
    ///
    /// # Errors
    /// One line: the file cannot be opened, or holds something else.
    pub fn array(name: Option<&FileName>) -> Result<Output, String> {
        let begun = AtomicBool::new(false);
        let Some(name) = name else {
            return Ok(Output::OpenArray { file: None, begun });
        };
        let name = absolute(name);
        let pid = std::process::id();
        let failed = |error: io::Error| cannot_open(&name, &error);
        let file = append(&name, pid).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            let file = Some(file);
            return Ok(Output::OpenArray { file, begun });
        }
        if !is_continued(&read_write(&name, pid).map_err(failed)?).map_err(failed)? {
            return Err(format!(
                "GIJIT_TRACE_FILE={}: it is there and is no Chrome trace, nothing is traced",
                name.0
            ));
        }
        Ok(Output::Array(name))
    }

    /// Writes complete lines.
    pub fn write_lines(&self, text: &[u8]) -> io::Result<()> {
        match self {
            Output::Lines { file, name, pid } => {
                let now = std::process::id();
                if name.per_process() && now != *pid {
                    // A forked child. It opens its file for each line, because this value is shared
                    // without a lock and children seldom trace much.
                    append(name, now)?.write_all(text)
                } else {
                    (&*file).write_all(text)
                }
            }
            _ => io::stderr().write_all(text),
        }
    }

    /// Adds events to the array.
    pub fn write_events(&self, events: &[String]) -> io::Result<()> {
        match self {
            Output::Array(name) => {
                let file = read_write(name, std::process::id())?;
                file.lock()?;
                let length = file.metadata()?.len();
                let (start, at) = match length {
                    0 => ("[\n", 0),
                    _ if is_continued(&file)? => (",\n", length - END.len() as u64),
                    // Somebody else has written to it.
                    _ => return Ok(()),
                };
                let text = format!("{start}{}{END}", events.join(",\n"));
                let written = file.write_all_at(text.as_bytes(), at);
                // Not left to the closing: a child that was forked meanwhile holds the file open.
                file.unlock()?;
                written
            }
            Output::OpenArray { file, begun } => {
                let start = match begun.swap(true, Ordering::Relaxed) {
                    true => "",
                    false => "[\n",
                };
                let text = format!("{start}{},\n", events.join(",\n"));
                match file {
                    Some(file) => (&*file).write_all(text.as_bytes()),
                    None => io::stderr().write_all(text.as_bytes()),
                }
            }
            _ => Ok(()),
        }
    }
}

/// Whether events can be added to `file`: it is empty or ends as an array does.
fn is_continued(file: &File) -> io::Result<bool> {
    let length = file.metadata()?.len();
    let mut end = [0; END.len()];
    match length.checked_sub(end.len() as u64) {
        None => Ok(length == 0),
        Some(at) => {
            file.read_exact_at(&mut end, at)?;
            Ok(end == END.as_bytes())
        }
    }
}

fn cannot_open(name: &FileName, error: &io::Error) -> String {
    format!("GIJIT_TRACE_FILE={}: cannot be opened: {error}", name.0)
}

/// The program may change its directory.
fn absolute(name: &FileName) -> FileName {
    match std::path::absolute(&name.0) {
        Ok(path) => FileName(path.to_string_lossy().into_owned()),
        Err(_) => name.clone(),
    }
}

fn append(name: &FileName, pid: u32) -> io::Result<File> {
    let mut options = File::options();
    options.append(true).create(true).open(name.path(pid))
}

fn read_write(name: &FileName, pid: u32) -> io::Result<File> {
    let mut options = File::options();
    let options = options.read(true).write(true).create(true).truncate(false);
    options.open(name.path(pid))
}
