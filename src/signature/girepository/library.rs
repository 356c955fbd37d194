//! The library itself: which of the two versions is loaded, and its functions by name.

use std::ffi::{CStr, CString, c_void};

/// Which library was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// libgirepository-1.0.
    One,
    /// girepository-2.0, part of GLib from 2.80 on.
    Two,
}

/// The loaded library.
#[derive(Clone, Copy, Debug)]
pub struct Library {
    pub version: Version,
    /// What dlopen gave, as a number. It is never closed.
    handle: usize,
}

impl Library {
    /// The copy that PyGObject has loaded. Of the two versions only one can be in use.
    ///
    /// # Errors
    /// When neither is loaded.
    pub fn loaded() -> Result<Self, String> {
        let versions = [
            (Version::One, c"libgirepository-1.0.so.1"),
            (Version::Two, c"libgirepository-2.0.so.0"),
        ];
        versions
            .into_iter()
            .find_map(|(version, file)| Library::open(version, file))
            .ok_or_else(|| "neither libgirepository-1.0 nor girepository-2.0 is loaded".to_owned())
    }

    fn open(version: Version, file: &CStr) -> Option<Self> {
        // SAFETY: a zero-terminated name; RTLD_NOLOAD only takes a reference to a loaded library.
        let handle = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
        (!handle.is_null()).then_some(Library {
            version,
            handle: handle as usize,
        })
    }

    /// The address of a function.
    ///
    /// # Errors
    /// A line that names it, when the library lacks it.
    pub fn find(&self, name: &str) -> Result<*mut c_void, String> {
        let symbol = CString::new(name).map_err(|error| error.to_string())?;
        // SAFETY: an open handle and a zero-terminated name.
        let address = unsafe { libc::dlsym(self.handle as *mut c_void, symbol.as_ptr()) };
        match address.is_null() {
            true => Err(format!("libgirepository lacks {name}")),
            false => Ok(address),
        }
    }
}

/// A struct of C functions, each declared once: its name in 1.0, in 2.0, and its signature.
macro_rules! functions {
    ($(#[$meta:meta])* $table:ident {
        $($field:ident: $one:literal / $two:literal fn($($arg:ty),*) $(-> $ret:ty)?;)*
    }) => {
        $(#[$meta])*
        #[allow(clippy::missing_docs_in_private_items, reason = "each is its C function")]
        pub(in crate::signature) struct $table { $($field: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)* }

        impl $table {
            pub(in crate::signature) fn resolve(library: &$crate::signature::girepository::library::Library)
                -> Result<Self, String>
            {
                use $crate::signature::girepository::library::Version;
                Ok($table { $($field: {
                    let name = match library.version { Version::One => $one, Version::Two => $two };
                    let address = library.find(name)?;
                    // SAFETY: the symbol is the C function of this name, and the signature in the
                    // table is the one of its header, in both versions.
                    unsafe { std::mem::transmute::<*mut std::ffi::c_void, unsafe extern "C" fn($($arg),*) $(-> $ret)?>(address) }
                },)* })
            }
        }
    };
}

pub(in crate::signature) use functions;
