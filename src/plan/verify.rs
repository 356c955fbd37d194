//! Plan verify.
