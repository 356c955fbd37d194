//! Typelib girepository.
