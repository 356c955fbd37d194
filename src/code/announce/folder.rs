//! The folder of one process for what profilers and debuggers read from files: the jitdump, and for
//! each piece of code its steps, one a line.
//!
//! It is `gijit-PID` in the folder that `JITDUMPDIR` names, or in `/tmp`. It stays after the program
//! has ended, because it is read then.

use std::fs::{DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use super::Announced;

pub(super) struct Folder {
    path: PathBuf,
    files: u32,
}

impl Folder {
    /// Makes the folder, or takes the one that an earlier process with this id has left.
    pub fn create() -> io::Result<Folder> {
        let path =
            std::path::absolute(Folder::parent())?.join(format!("gijit-{}", std::process::id()));
        if let Err(error) = DirBuilder::new().mode(0o700).create(&path) {
            let found = std::fs::symlink_metadata(&path);
            // SAFETY: asks for a number.
            let own = |user| user == unsafe { libc::geteuid() };
            // Anybody can make names in /tmp: a folder of somebody else's is no place to write to.
            if !found.is_ok_and(|found| found.is_dir() && own(found.uid())) {
                return Err(error);
            }
        }
        Ok(Folder { path, files: 0 })
    }

    /// Where it is, or would be, made.
    pub fn parent() -> PathBuf {
        let named = std::env::var_os("JITDUMPDIR").filter(|name| !name.is_empty());
        named.map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
    }

    /// A new file in it, in place of what has that name.
    pub fn file(&self, name: &str) -> io::Result<File> {
        File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(self.path.join(name))
    }

    /// Writes the steps of `code` as lines of a file; `None` when it has none.
    pub fn steps(&mut self, code: &Announced) -> io::Result<Option<PathBuf>> {
        if code.steps.is_empty() || code.lines.is_empty() {
            return Ok(None);
        }
        self.files += 1;
        let plain = |c: char| match c {
            c if c.is_ascii_alphanumeric() || c == '.' || c == '_' => c,
            _ => '-',
        };
        let name: String = code.name.chars().map(plain).collect();
        let name = format!("{:04}-{name}.plan", self.files);
        let text = code.steps.join("\n") + "\n";
        self.file(&name)?.write_all(text.as_bytes())?;
        Ok(Some(self.path.join(name)))
    }
}
