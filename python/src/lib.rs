//! gijit's core inside PyGObject.

mod glib;
mod layout;
mod marshal;
mod recipes;
