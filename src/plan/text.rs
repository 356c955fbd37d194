//! Plan text.
