//! The text form of thunk IR: print, parse.
