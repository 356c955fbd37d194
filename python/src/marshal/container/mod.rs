//! Arrays, linked lists and hash tables, both ways.
//!
//! A container is converted item by item with the step that an argument of the item's type has, so
//! that nothing of an item's meaning stands here. Buffers of numbers go in one piece (`buffer`).
//! The rules are those of `pygi-array.c`, `pygi-list.c` and `pygi-hashtable.c`.
//!
//! Ownership: for [`Transfer::None`] everything that *in* makes is released after the call, for
//! `Container` the items, for `Full` nothing. What has to be released is a [`Kept`] in the last cell of
//! the value. Items that borrow from their Python object (strings) keep it alive until then.
//!
//! A sequence is read without running user code: lists, tuples and their subclasses that leave item
//! access alone. All others bail, and PyGObject reads them.

mod buffer;
mod inward;
mod kept;
mod nodes;
mod numbers;
mod outward;
mod sequence;
mod texts;

use std::ffi::c_void;

use gijit::ir::AbiType;
use gijit::plan::link::{FreeFn, InFn, OutFn, Step};
use gijit::signature::{ArrayKind, ListKind, Transfer};
use pyo3::ffi;

use super::scalar::BAIL;
use super::table::helpers;
pub use buffer::BufferFormat;
pub use numbers::of as number;
pub use texts::Text;

type Object = *mut c_void;
type Desc = *const c_void;

/// The cells of a container's value.
const POINTER: usize = 0;
/// Of an array: the number of items.
const LENGTH: usize = 1;
/// Of an array: [`kept::Kept`] or NULL.
const ARRAY_KEPT: usize = 2;
/// The same of a list or hash table.
const LIST_KEPT: usize = 1;

const FAILED: Object = std::ptr::null_mut();

helpers! {
    "in array" in_array(value: Object, cell: *mut u64, desc: Desc) -> i32, BAIL => inward::array;
    "in glist" in_glist(value: Object, cell: *mut u64, desc: Desc) -> i32, BAIL => inward::list;
    "in gslist" in_gslist(value: Object, cell: *mut u64, desc: Desc) -> i32, BAIL => inward::list;
    "in hash table" in_hash(value: Object, cell: *mut u64, desc: Desc) -> i32, BAIL => inward::hash;
    "out array" out_array(cell: *const u64, desc: Desc) -> Object, FAILED => outward::array;
    "out list" out_list(cell: *const u64, desc: Desc) -> Object, FAILED => outward::list;
    "out hash table" out_hash(cell: *const u64, desc: Desc) -> Object, FAILED => outward::hash;
    /// Gives a result back that was not converted.
    "free array" free_array(cell: *mut u64, desc: Desc) => outward::free_array;
    "free list" free_list(cell: *mut u64, desc: Desc) => outward::free_list;
    "free hash table" free_hash(cell: *mut u64, desc: Desc) => outward::free_hash;
    /// Gives all back that the *in* step made, when the call is not to be.
    "undo array" undo_array(cell: *mut u64, desc: Desc) => inward::undo_array;
    "undo list" undo_list(cell: *mut u64, desc: Desc) => inward::undo_list;
    "undo hash table" undo_hash(cell: *mut u64, desc: Desc) => inward::undo_hash;
    /// Releases after the call what the *in* step has kept.
    "drop array" drop_array(cell: *mut u64, desc: Desc) => inward::drop_array;
    "drop list" drop_list(cell: *mut u64, desc: Desc) => inward::drop_list;
}

/// How one item is converted and stored.
pub struct ItemDesc {
    /// The item's *in* or *out* step.
    pub step: Step,
    /// Gives one item back, when items are owned.
    pub free: Option<Step>,
    /// Releases what the item's *in* step has kept.
    pub kept: Option<Step>,
    /// Bytes in the container.
    pub size: usize,
    /// Cells of one converted item.
    pub width: usize,
    /// The item itself stands in the array; its step takes or gives the address.
    pub inline: bool,
    /// Such an item is moved to memory of its own for Python.
    pub moved: bool,
    /// Python copies the item, so that an owned one is given back after its conversion, too; on its way
    /// in it borrows from the Python object.
    pub copied: bool,
    /// An array of these is Python's `bytes`.
    pub bytes: bool,
    /// What strings the items are.
    pub text: Option<Text>,
    /// What numbers the items are.
    pub number: Option<AbiType>,
    /// The buffers that are arrays of such items as they are.
    pub buffer: Option<BufferFormat>,
}

/// What the steps of an array read.
pub struct ArrayDesc {
    pub item: ItemDesc,
    pub kind: ArrayKind,
    pub zero_terminated: bool,
    pub fixed: Option<usize>,
    /// The type of the length argument.
    pub length: Option<AbiType>,
    /// None is NULL.
    pub nullable: bool,
    pub transfer: Transfer,
}

/// What the steps of a list read.
pub struct ListDesc {
    pub item: ItemDesc,
    pub kind: ListKind,
    /// None is NULL.
    pub nullable: bool,
    pub transfer: Transfer,
}

/// What the steps of a hash table read.
pub struct HashDesc {
    pub key: ItemDesc,
    pub value: ItemDesc,
    /// Keys are compared by their text and not by their address.
    pub text_keys: bool,
    /// None is NULL.
    pub nullable: bool,
    pub transfer: Transfer,
}

/// The head of `GArray`, `GPtrArray` and `GByteArray` (garray.h).
#[repr(C)]
struct ArrayHead {
    data: *mut u8,
    len: u32,
}

/// The head of `GList` and `GSList` (glist.h, gslist.h).
#[repr(C)]
struct Node {
    data: u64,
    next: *mut Node,
}

impl ArrayDesc {
    /// Whether an array of `len` items is what the callee takes, and its length argument can say it.
    fn fits(&self, len: usize) -> bool {
        let max = match self.length {
            None => u64::from(u32::MAX),
            Some(abi) => {
                let bits = 8 * abi.size() - u32::from(abi.signed());
                u64::MAX.checked_shr(64 - bits).unwrap_or(u64::MAX)
            }
        };
        len as u64 <= max.min(u64::from(u32::MAX)) && self.fixed.is_none_or(|fixed| fixed == len)
    }

    /// The sequence that `object` is; `None` for all that could run user code, and for text where
    /// PyGObject refuses it.
    ///
    /// # Safety
    /// A valid object, GIL held.
    unsafe fn sequence(&self, object: *mut ffi::PyObject) -> Option<sequence::Sequence> {
        // SAFETY: by this function's contract.
        unsafe {
            let refused = !super::shared().text_is_array && ffi::PyUnicode_Check(object) != 0;
            if refused {
                None
            } else {
                sequence::Sequence::of(object)
            }
        }
    }

    /// Whether the callee can borrow somebody else's items.
    fn in_place(&self) -> bool {
        self.transfer == Transfer::None && self.kind == ArrayKind::C && !self.zero_terminated
    }
}

impl ItemDesc {
    /// Converts `object` into `cells`; false when that bails.
    ///
    /// # Safety
    /// A valid object, GIL held; `cells` has `width` places.
    unsafe fn convert_in(&self, object: Object, cells: *mut u64) -> bool {
        // SAFETY: the address is that of an *in* helper (`Linker::container`).
        let step = unsafe { std::mem::transmute::<usize, InFn>(self.step.address) };
        // SAFETY: by this function's contract; the descriptor is the step's.
        unsafe { step(object, cells, self.step.desc as Desc) == super::scalar::CONVERTED }
    }

    /// Converts `object` for a callee that borrows it and nothing has to be kept; `None` when that bails.
    ///
    /// # Safety
    /// A valid object that stays, GIL held; the item has no `kept` step.
    unsafe fn lend(&self, object: *mut ffi::PyObject) -> Option<u64> {
        // SAFETY: by this function's contract; no item is wider than the array.
        unsafe {
            if let Some(text) = self.text {
                let text = text.borrow(object);
                if !text.is_null() {
                    return Some(text as u64);
                }
            }
            let mut cells = [0; 4];
            self.convert_in(object.cast(), cells.as_mut_ptr())
                .then_some(cells[0])
        }
    }

    /// A new reference to the Python value of `cell`; NULL with an exception set.
    ///
    /// # Safety
    /// `cell` holds an item, GIL held.
    unsafe fn convert_out(&self, cell: u64) -> Object {
        // A nested container reads its further cells, which are not there: no length, nothing kept.
        let cells = [cell, 0, 0, 0];
        // SAFETY: the address is that of an *out* helper (`Linker::container`).
        let step = unsafe { std::mem::transmute::<usize, OutFn>(self.step.address) };
        // SAFETY: by this function's contract; the descriptor is the step's.
        unsafe { step(cells.as_ptr(), self.step.desc as Desc) }
    }

    /// Gives an item back, when items are owned.
    ///
    /// # Safety
    /// `cell` holds an item that nobody uses any more.
    unsafe fn free(&self, cell: u64) {
        if let Some(free) = &self.free {
            // SAFETY: by this function's contract.
            unsafe { run_free(free, &mut [cell, 0, 0, 0]) }
        }
    }

    /// Stores a converted item at `place`.
    ///
    /// # Safety
    /// `place` has `size` bytes; `cell` is what `convert_in` gave.
    unsafe fn store(&self, cell: u64, place: *mut u8) {
        // SAFETY: by this function's contract; an inline item's step has given its address. Scalars
        // stand in the low bytes of their cell.
        unsafe {
            match self.size {
                _ if self.inline => {
                    std::ptr::copy_nonoverlapping(cell as *const u8, place, self.size);
                }
                1 => place.write(cell as u8),
                2 => place.cast::<u16>().write_unaligned(cell as u16),
                4 => place.cast::<u32>().write_unaligned(cell as u32),
                _ => place.cast::<u64>().write_unaligned(cell),
            }
        }
    }

    /// The item at `place`, as a cell.
    ///
    /// # Safety
    /// An item stands at `place`.
    unsafe fn load(&self, place: *const u8) -> u64 {
        if self.moved {
            // SAFETY: by this function's contract; the new memory has the item's size.
            unsafe {
                let own = (super::glib().g_malloc0)(self.size).cast::<u8>();
                std::ptr::copy_nonoverlapping(place, own, self.size);
                return own as u64;
            }
        }
        if self.inline {
            return place as u64;
        }
        // SAFETY: by this function's contract; an item that is not inline is a scalar of its size.
        unsafe { super::scalar::load(place, self.size) }
    }
}

/// Runs a free step.
///
/// # Safety
/// `cells` are those of a value that `step` frees.
unsafe fn run_free(step: &Step, cells: &mut [u64]) {
    // SAFETY: the address is that of a free helper (`Linker`).
    let free = unsafe { std::mem::transmute::<usize, FreeFn>(step.address) };
    // SAFETY: by this function's contract; the descriptor is the step's.
    unsafe { free(cells.as_mut_ptr(), step.desc as Desc) }
}

/// # Safety
/// `desc` is the descriptor of a step that has a `T`.
unsafe fn read_desc<'a, T>(desc: Desc) -> &'a T {
    // SAFETY: by this function's contract; descriptors are never freed.
    unsafe { &*desc.cast::<T>() }
}
