//! Plan build.
