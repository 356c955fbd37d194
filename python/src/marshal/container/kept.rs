//! What an *in* step of a container keeps until after the call.

use std::ffi::c_void;

use gijit::plan::link::Step;
use pyo3::ffi;
use smallvec::SmallVec;

use super::run_free;
use super::sequence::Sequence;
use crate::marshal::glib;

/// Memory that is ours and that the callee only borrows.
pub enum Storage {
    /// Given to the callee, or somebody else's.
    None,
    /// Of `g_malloc`.
    Memory(*mut c_void),
    Array(*mut c_void),
    PtrArray(*mut c_void),
    ByteArray(*mut c_void),
    List(*mut c_void),
    SList(*mut c_void),
    Hash(*mut c_void),
    /// A Python buffer that is passed in place.
    Buffer(Box<ffi::Py_buffer>),
    /// A reference to an object whose memory is passed in place.
    Object(*mut ffi::PyObject),
    /// Memory of `g_malloc` that begins with a number and so many references to objects that the rest
    /// borrows from.
    Borrowing(*mut usize),
}

impl Storage {
    /// Memory of `g_malloc` for `words` items that borrow from `sequence`, if they do, with places before
    /// them for what is held: the start of the items, and the block for [`Storage::block`] or `g_free`.
    /// GLib ends the process when there is no memory.
    pub fn allocate(sequence: &Sequence, borrows: bool, words: usize) -> (*mut usize, *mut usize) {
        let head = match sequence.held(borrows) {
            0 => 0,
            held => 1 + held,
        };
        // SAFETY: the block has `head` words before the items.
        unsafe {
            let block = (glib().g_malloc)((head + words) * size_of::<usize>()).cast::<usize>();
            (block.add(head), block)
        }
    }

    /// What [`Storage::allocate`] gave for this sequence, with what is held.
    ///
    /// # Safety
    /// The block was allocated with the same arguments; the GIL is held.
    pub unsafe fn block(sequence: Sequence, borrows: bool, block: *mut usize) -> Self {
        match sequence.held(borrows) {
            0 => Storage::Memory(block.cast()),
            held => {
                // SAFETY: by this function's contract the block has places for all of these.
                unsafe {
                    block.write(held);
                    sequence.hold(block.add(1).cast());
                }
                Storage::Borrowing(block)
            }
        }
    }

    /// Gives it back.
    ///
    /// # Safety
    /// Nobody uses it any more; the GIL is held.
    pub unsafe fn release(self) {
        let glib = glib();
        // SAFETY: each was made by the function's counterpart and is ours.
        unsafe {
            match self {
                Storage::None => {}
                Storage::Memory(memory) => (glib.g_free)(memory),
                Storage::Array(array) => (glib.g_array_unref)(array),
                Storage::PtrArray(array) => (glib.g_ptr_array_unref)(array),
                Storage::ByteArray(array) => (glib.g_byte_array_unref)(array),
                Storage::List(list) => (glib.g_list_free)(list),
                Storage::SList(list) => (glib.g_slist_free)(list),
                Storage::Hash(hash) => (glib.g_hash_table_unref)(hash),
                Storage::Buffer(mut buffer) => ffi::PyBuffer_Release(&raw mut *buffer),
                Storage::Object(object) => ffi::Py_DECREF(object),
                Storage::Borrowing(block) => {
                    for index in 1..=*block {
                        ffi::Py_DECREF(*block.add(index) as *mut ffi::PyObject);
                    }
                    (glib.g_free)(block.cast());
                }
            }
        }
    }
}

/// The low bits of a cell that keeps memory, a buffer, an object or memory that borrows, and nothing
/// else. They are free, because all of these are aligned to eight bytes.
const MEMORY: u64 = 1;
const BUFFER: u64 = 2;
const OBJECT: u64 = 3;
const BORROWING: u64 = 4;
const LOW_BITS: u64 = 7;

/// What the last cell of a container's value keeps, see [`Kept::into_cell`].
pub struct Kept {
    pub storage: Storage,
    /// References to the Python objects that items borrow from, or to a tuple of them.
    pub objects: SmallVec<[*mut ffi::PyObject; 2]>,
    /// Items that keep something themselves.
    pub items: Vec<KeptItems>,
}

/// The cells of items, and the step that releases what one of them keeps.
pub struct KeptItems {
    pub step: Step,
    pub width: usize,
    pub cells: Vec<u64>,
}

impl Kept {
    pub fn new() -> Self {
        Kept {
            storage: Storage::None,
            objects: SmallVec::new(),
            items: Vec::new(),
        }
    }

    /// Keeps `object` alive.
    ///
    /// # Safety
    /// A valid object, GIL held.
    pub unsafe fn hold(&mut self, object: *mut ffi::PyObject) {
        // SAFETY: by this function's contract.
        unsafe { ffi::Py_INCREF(object) };
        self.objects.push(object);
    }

    /// Takes over what `other` keeps of items.
    pub fn absorb(&mut self, mut other: Kept) {
        self.objects.append(&mut other.objects);
        self.items.append(&mut other.items);
    }

    /// The cell's value: 0 when there is nothing to release, what is kept alone with its low bits, or
    /// the address of all of it.
    pub fn into_cell(self) -> u64 {
        match self.objects.is_empty() && self.items.is_empty() {
            true => Self::cell_of(self.storage),
            false => Box::into_raw(Box::new(self)) as u64,
        }
    }

    /// The value of a cell that keeps `storage` and nothing else.
    pub fn cell_of(storage: Storage) -> u64 {
        match storage {
            Storage::None => 0,
            Storage::Memory(memory) => memory as u64 | MEMORY,
            Storage::Buffer(buffer) => Box::into_raw(buffer) as u64 | BUFFER,
            Storage::Object(object) => object as u64 | OBJECT,
            Storage::Borrowing(block) => block as u64 | BORROWING,
            storage => {
                let mut kept = Self::new();
                kept.storage = storage;
                Box::into_raw(Box::new(kept)) as u64
            }
        }
    }

    /// Releases what a cell keeps, once.
    ///
    /// # Safety
    /// `cell` holds what [`Kept::into_cell`] gave; the GIL is held.
    pub unsafe fn release(cell: *mut u64) {
        // SAFETY: by this function's contract; the cell is emptied, so nothing is released twice.
        unsafe {
            let kept = std::ptr::replace(cell, 0);
            let address = kept & !LOW_BITS;
            match kept & LOW_BITS {
                MEMORY => Storage::Memory(address as *mut c_void).release(),
                BUFFER => Storage::Buffer(Box::from_raw(address as *mut _)).release(),
                OBJECT => Storage::Object(address as *mut ffi::PyObject).release(),
                BORROWING => Storage::Borrowing(address as *mut usize).release(),
                _ if kept != 0 => Box::from_raw(address as *mut Kept).drop_all(),
                _ => {}
            }
        }
    }

    /// # Safety
    /// The GIL is held, and the callee does not use the memory any more.
    pub unsafe fn drop_all(mut self) {
        for items in &mut self.items {
            for cells in items.cells.chunks_mut(items.width) {
                // SAFETY: the cells that the item's *in* step filled.
                unsafe { run_free(&items.step, cells) };
            }
        }
        // SAFETY: by this function's contract.
        unsafe {
            self.storage.release();
            for object in &self.objects {
                ffi::Py_DECREF(*object);
            }
        }
    }
}
