//! Classes of GObject as a proof reads them: what their tables of functions hold.
//!
//! The functions of GObject that are asked are found in the process, which has it loaded where there
//! are instances. Types are never forgotten; the classes of those that a plug-in brings may be, and
//! nothing is proved for these.
//!
//! Absent: which entry a call enters (`flow`).

use std::ffi::{CStr, c_char, c_void};

use super::image::resolve;

/// The class of a static type, which stays as long as the process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Class {
    /// Of the class struct.
    pub address: usize,
    /// Of the class struct, in bytes.
    size: usize,
    /// Of the type, as in `GLocalFile`.
    pub name: String,
}

/// `GTypeQuery`.
#[repr(C)]
struct Query {
    gtype: usize,
    name: *const c_char,
    class_size: u32,
    instance_size: u32,
}

/// The function `name` of GObject, or whatever library the process has that exports it.
fn function(name: &CStr) -> Option<unsafe extern "C" fn(usize) -> *mut c_void> {
    // SAFETY: those that are asked for here take a GType and return a pointer.
    resolve(name).map(|address| unsafe { std::mem::transmute(address) })
}

impl Class {
    /// The class of the type `gtype`, if one of its instances has been seen.
    pub fn of(gtype: usize) -> Option<Self> {
        let (plugin, peek) = (
            function(c"g_type_get_plugin")?,
            function(c"g_type_class_peek")?,
        );
        let query = resolve(c"g_type_query")?;
        // SAFETY: a GType, which a live instance had; `Query` is what `g_type_query` fills, and the
        // name that it gives is never freed.
        unsafe {
            if !plugin(gtype).is_null() {
                return None;
            }
            let query: unsafe extern "C" fn(usize, *mut Query) = std::mem::transmute(query);
            let mut found: Query = std::mem::zeroed();
            query(gtype, &mut found);
            let class = peek(gtype);
            if class.is_null() || found.name.is_null() {
                return None;
            }
            Some(Class {
                address: class as usize,
                size: found.class_size as usize,
                name: CStr::from_ptr(found.name).to_str().ok()?.to_owned(),
            })
        }
    }

    /// What stands `offset` bytes behind the start of the class.
    pub(super) fn entry(&self, offset: usize) -> Option<usize> {
        // Behind the type, with which a class begins.
        let last = self.size.checked_sub(size_of::<usize>())?;
        let within = (size_of::<usize>()..=last).contains(&offset);
        // SAFETY: within the class struct, whose size GObject gave.
        within.then(|| unsafe { ((self.address + offset) as *const usize).read_unaligned() })
    }

    /// The table of the interface whose type the function at `get_type` returns, 0 where the class does
    /// not have it.
    pub(super) fn interface(&self, get_type: usize) -> usize {
        let Some(peek) = resolve(c"g_type_interface_peek") else {
            return 0;
        };
        // SAFETY: the function of that name; a class and the type of an interface. The function that
        // gives it takes nothing (`flow`) and may be called from any thread.
        unsafe {
            let peek: unsafe extern "C" fn(usize, usize) -> usize = std::mem::transmute(peek);
            let get_type: unsafe extern "C" fn() -> usize = std::mem::transmute(get_type);
            peek(self.address, get_type())
        }
    }
}

/// More than the table of any interface has, in bytes.
const LARGEST: usize = 1 << 14;

/// What stands `offset` bytes behind the start of the table of an interface.
///
/// # Safety
/// The table has a function there: code reads it there.
pub(super) unsafe fn interface_entry(table: usize, offset: usize) -> Option<usize> {
    // Behind the two types with which a table begins.
    let within = (2 * size_of::<usize>()..LARGEST).contains(&offset);
    // SAFETY: by this function's contract.
    within.then(|| unsafe { ((table + offset) as *const usize).read_unaligned() })
}
