//! Plan reject.
