//! Keeps LLVM's execution engines out of the library.
//!
//! inkwell has functions that name them. Nothing calls those, but the linker takes an archive's
//! member as soon as a name refers to it, and the interpreter registers itself in a static
//! constructor, so that it would stay, with undefined references to libffi that keep the library
//! from loading. A definition here comes first, and the members are never taken.
#![allow(
    non_snake_case,
    reason = "the names are LLVM's, from llvm-c/ExecutionEngine.h"
)]

/// Would link LLVM's interpreter.
#[unsafe(no_mangle)]
extern "C" fn LLVMLinkInInterpreter() {}

/// Would link LLVM's MCJIT.
#[unsafe(no_mangle)]
extern "C" fn LLVMLinkInMCJIT() {}
