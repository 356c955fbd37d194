//! The installed typelibs, for the tests that read them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use gijit::plan::reject::Reject;
use gijit::plan::{Plan, build::build_bound};
use gijit::signature::girepository::{Girepository, Info};
use gijit::signature::lookup::Lookup;
use gijit::signature::read::{TypeSystem, read};
use gijit::signature::{Bindings, Signature};

/// The namespaces whose callables are all planned here, with the version that is required.
pub const NAMESPACES: &[(&str, &str)] = &[
    ("GLib", "2.0"),
    ("GObject", "2.0"),
    ("Gio", "2.0"),
    ("Gtk", "3.0"),
];

/// One callable as read.
pub struct Callable {
    pub name: String,
    pub signature: Signature,
    pub bindings: Bindings,
}

impl Callable {
    pub fn plan(&self) -> Result<Plan, Reject> {
        build_bound(&self.signature, &self.bindings)
    }
}

/// All callables by namespace. They are read once: types are registered on the way, which GObject
/// serialises but libgirepository 1.0 does not.
pub fn callables() -> &'static BTreeMap<&'static str, Vec<Callable>> {
    static CALLABLES: OnceLock<BTreeMap<&str, Vec<Callable>>> = OnceLock::new();
    CALLABLES.get_or_init(|| {
        let (repository, types) = open();
        let lookup = Lookup::new(&repository).expect("the library is complete");
        NAMESPACES
            .iter()
            .map(|&(namespace, version)| {
                lookup
                    .require(namespace, Some(version))
                    .expect("the typelibs of GTK 3 and GLib are installed");
                let callables = lookup.callables(namespace).into_iter();
                let read_one = |(name, info)| load(&repository, &types, name, info);
                (namespace, callables.map(read_one).collect())
            })
            .collect()
    })
}

fn load(repository: &Girepository, types: &TypeSystem, name: String, info: Info) -> Callable {
    // SAFETY: a function info with a reference of ours, from this repository; nothing else reads
    // typelibs at the same time (`callables` is the only caller and runs once).
    let (signature, bindings) = unsafe { read(repository, types, info) };
    Callable {
        name,
        signature,
        bindings,
    }
}

/// Loads libgirepository and libgobject, as PyGObject would have.
fn open() -> (Girepository, TypeSystem) {
    // SAFETY: libraries without unusual constructors, loaded for the life of the process; the
    // function has the signature that its header gives.
    let fundamental = unsafe {
        for library in [c"libgirepository-1.0.so.1", c"libgirepository-2.0.so.0"] {
            if !libc::dlopen(library.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL).is_null() {
                break;
            }
        }
        let address = libc::dlsym(libc::RTLD_DEFAULT, c"g_type_fundamental".as_ptr());
        assert!(!address.is_null(), "libgirepository brings libgobject");
        std::mem::transmute::<*mut libc::c_void, unsafe extern "C" fn(usize) -> usize>(address)
    };
    let repository = Girepository::loaded().expect("libgirepository is installed");
    (repository, TypeSystem { fundamental })
}
