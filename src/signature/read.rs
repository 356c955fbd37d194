//! Typelib read.
