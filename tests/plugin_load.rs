//! What is no LLVM tier is refused with its path and the reason.

use std::path::{Path, PathBuf};

use gijit::compile::backend::BackendError;
use gijit::compile::plugin::LlvmPlugin;

fn refusal(path: &Path) -> String {
    match LlvmPlugin::load(path) {
        Err(BackendError::Unavailable(reason)) => {
            assert!(reason.contains(path.to_str().unwrap()), "{reason}");
            reason
        }
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("{} was loaded", path.display()),
    }
}

#[test]
fn no_file() {
    let reason = refusal(Path::new("/nonexistent/libgijit_llvm.so"));
    assert!(reason.ends_with("there is no such file"), "{reason}");
}

#[test]
fn no_library() {
    let reason = refusal(&PathBuf::from(file!()).canonicalize().unwrap());
    assert!(reason.contains("invalid ELF header"), "{reason}");
}

#[test]
fn another_library() {
    // The test itself is linked to it.
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let libc = maps
        .lines()
        .find_map(|line| {
            line.split_whitespace()
                .last()
                .filter(|p| p.contains("libc.so"))
        })
        .expect("a test links the C library");
    let reason = refusal(Path::new(libc));
    assert!(reason.contains("no LLVM tier of gijit"), "{reason}");
}
