//! The one shim around helpers, and the table that declares them.

/// Declares helpers of one phase: an `extern "C"` function around an ordinary one, and its name.
///
/// The function stops a panic from passing into C: it becomes `on_panic`, which a caller takes as
/// failure. What stands under a helper's name here shows in traces, listings and golden files.
macro_rules! helpers {
    ($($(#[$doc:meta])* $name:literal $function:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty, $on_panic:expr)? => $body:path;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            /// As the signature of its phase in [`gijit::plan::link`] says; the GIL is held.
            pub unsafe extern "C" fn $function($($arg: $ty),*) $(-> $ret)? {
                let run = || {
                    // SAFETY: the caller keeps the phase's contract, which is the body's.
                    unsafe { $body($($arg),*) }
                };
                match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
                    Ok(result) => result,
                    Err(_) => { $crate::marshal::table::report_panic($name); $($on_panic)? }
                }
            }
        )*

        /// The name of a helper of this file, by address.
        pub fn name_of(address: usize) -> Option<&'static str> {
            $(if address == $function as *const () as usize { return Some($name); })*
            None
        }
    };
}
pub(super) use helpers;

/// Says once per panic what happened; the process goes on.
pub fn report_panic(helper: &str) {
    eprintln!("gijit: internal error in the helper {helper}; the call fails or runs in PyGObject");
}
