//! The one shim around helpers, and the table that declares them.

/// Declares helpers of one phase: each a module with the helper's `NAME` and the `extern "C"` function
/// `run` around an ordinary one.
///
/// The function stops a panic from passing into C: it becomes `on_panic`, which a caller takes as
/// failure. The name shows in traces, listings and golden files.
macro_rules! helpers {
    ($($(#[$doc:meta])* $name:literal $helper:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty, $on_panic:expr)? => $body:path;)*) => {
        $(
            $(#[$doc])*
            pub mod $helper {
                #[allow(unused_imports, reason = "not every helper names every type of its file")]
                use super::*;

                /// The helper's name.
                pub const NAME: &str = $name;

                /// # Safety
                /// As the signature of its phase in [`gijit::plan::link`] says; the GIL is held.
                pub unsafe extern "C" fn run($($arg: $ty),*) $(-> $ret)? {
                    let body = || {
                        // SAFETY: the caller keeps the phase's contract, which is the body's.
                        unsafe { $body($($arg),*) }
                    };
                    match gijit::ended::guarded(body) {
                        Ok(result) => result,
                        Err(_) => { $crate::marshal::table::report_panic(NAME); $($on_panic)? }
                    }
                }
            }
        )*
    };
}
pub(super) use helpers;

/// A step of the helper in a module that [`helpers`] made.
macro_rules! step {
    ($($helper:ident)::+, $desc:expr) => {
        gijit::plan::link::Step {
            name: $($helper)::+::NAME,
            address: $($helper)::+::run as *const () as usize,
            desc: $desc,
        }
    };
}
pub(super) use step;

/// Says once per panic what happened; the process goes on.
pub fn report_panic(helper: &str) {
    eprintln!("gijit: internal error in the helper {helper}; the call fails or runs in PyGObject");
}
