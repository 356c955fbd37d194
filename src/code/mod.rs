//! The one owner of executable memory.
