//! gijit.
