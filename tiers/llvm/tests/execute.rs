//! Runs the corpus of the compiling tiers through LLVM, loaded as the core loads it.

#[path = "../../cranelift/tests/corpus/mod.rs"]
mod corpus;

use std::path::PathBuf;

use gijit::compile::plugin::LlvmPlugin;

/// Cargo builds the library beside the tests.
fn library() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.with_file_name("libgijit_llvm.so")
}

#[test]
fn corpus() {
    corpus::run(&mut LlvmPlugin::load(&library()).unwrap());
}
