//! From a hot callable to published code: the queue, the compile thread and what a back end is.

pub mod backend;
pub mod plugin;
