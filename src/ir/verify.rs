//! Checks the invariants of [`super::Function`].
