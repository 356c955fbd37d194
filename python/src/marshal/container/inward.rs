//! Phase *in* of containers, and what gives back what it made.

use std::ffi::c_void;
use std::ptr::null;

use gijit::signature::{ArrayKind, ListKind, Transfer};
use pyo3::ffi;

use super::kept::{Kept, KeptItems, Storage};
use super::outward::free_items;
use super::sequence::Sequence;
use super::{
    ARRAY_KEPT, ArrayDesc, ArrayHead, Desc, HashDesc, ItemDesc, LENGTH, LIST_KEPT, ListDesc, Node,
    Object, POINTER, nodes, read_desc, texts,
};
use crate::marshal::glib;
use crate::marshal::scalar::{BAIL, CONVERTED};

/// The most cells that one item takes.
const ITEM_CELLS: usize = 4;

/// Items on their way into a container.
struct Filling<'a> {
    item: &'a ItemDesc,
    kept: Kept,
}

/// Whether items need their Python objects until they are released.
fn borrows(item: &ItemDesc, transfer: Transfer) -> bool {
    transfer != Transfer::Full && item.copied
}

/// The items of `sequence` as they are to be converted; `None` when there is no memory.
///
/// # Safety
/// The GIL is held.
unsafe fn items_of(sequence: Sequence, item: &ItemDesc, transfer: Transfer) -> Option<Sequence> {
    match borrows(item, transfer) {
        // SAFETY: by this function's contract.
        true => unsafe { sequence.pinned() },
        false => Some(sequence),
    }
}

impl<'a> Filling<'a> {
    fn new(item: &'a ItemDesc, transfer: Transfer, count: usize) -> Self {
        let mut kept = Kept::new();
        if let Some(step) = item.kept.filter(|_| transfer != Transfer::Full) {
            kept.items.push(KeptItems {
                step,
                width: item.width,
                cells: Vec::with_capacity(count * item.width),
            });
        }
        Filling { item, kept }
    }

    /// Converts one item; `None` when that bails. An item that is stored inline stands in `cells`
    /// and the result is its address, so it is to be stored before the cells are used again.
    ///
    /// # Safety
    /// A valid object, GIL held.
    unsafe fn convert(
        &mut self,
        object: *mut ffi::PyObject,
        cells: &mut [u64; ITEM_CELLS],
    ) -> Option<u64> {
        *cells = [0; ITEM_CELLS];
        // SAFETY: by this function's contract; no item is wider than the array.
        if !unsafe { self.item.convert_in(object.cast(), cells.as_mut_ptr()) } {
            return None;
        }
        // An item that is copied from its address needs one.
        if self.item.inline && cells[0] == 0 {
            return None;
        }
        if let Some(items) = self.kept.items.first_mut() {
            items.cells.extend_from_slice(&cells[..items.width]);
        }
        Some(cells[0])
    }

    /// Keeps the tuple that items borrow from, see [`items_of`].
    fn keep(&mut self, sequence: Sequence, transfer: Transfer) {
        if borrows(self.item, transfer) {
            self.kept.objects.extend(sequence.into_made());
        }
    }
}

pub(super) unsafe fn array(value: Object, cells: *mut u64, desc: Desc) -> i32 {
    // SAFETY: array steps have an ArrayDesc; the value has three cells. The object is valid, the GIL
    // held. The storage has room for `len` items, and is released or given away exactly once.
    unsafe {
        let desc = read_desc::<ArrayDesc>(desc);
        cells.cast::<[u64; 3]>().write([0; 3]);
        let value = value.cast::<ffi::PyObject>();
        if value.is_null() {
            return prepare(cells, desc);
        }
        if value == ffi::Py_None() {
            return if desc.nullable { CONVERTED } else { BAIL };
        }
        if let Some(format) = desc.item.buffer
            && desc.in_place()
            && let Some((data, len)) = format.of_bytes(value)
            && desc.fits(len)
        {
            let kept = Kept::cell_of(Storage::Object(ffi::Py_NewRef(value)));
            set_array(cells, data as u64, len, kept);
            return CONVERTED;
        }
        if let Some(format) = desc.item.buffer
            && let Some(view) = format.open(value)
        {
            return buffer(view, cells, desc);
        }
        let Some(sequence) = desc.sequence(value) else {
            return BAIL;
        };
        let len = sequence.len();
        if !desc.fits(len) {
            return BAIL;
        }
        if let Some(text) = texts::vector_of(desc) {
            let Some((strings, kept)) = texts::vector(sequence, text) else {
                return BAIL;
            };
            set_array(cells, strings, len, kept);
            return CONVERTED;
        }
        let Some(sequence) = items_of(sequence, &desc.item, desc.transfer) else {
            return BAIL;
        };
        let mut filling = Filling::new(&desc.item, desc.transfer, len);
        let (pointer, data) = new_storage(desc, len);
        let mut item_cells = [0; ITEM_CELLS];
        for index in 0..len {
            match filling.convert(sequence.get(index), &mut item_cells) {
                Some(cell) => desc.item.store(cell, data.add(index * desc.item.size)),
                None => {
                    filling.kept.drop_all();
                    free_items(data, index, &desc.item);
                    storage(desc, pointer).release();
                    return BAIL;
                }
            }
        }
        filling.kept.storage = lent(desc, pointer);
        filling.keep(sequence, desc.transfer);
        set_array(cells, pointer as u64, len, filling.kept.into_cell());
        CONVERTED
    }
}

/// # Safety
/// `cells` are those of an array.
unsafe fn set_array(cells: *mut u64, pointer: u64, len: usize, kept: u64) {
    // SAFETY: by this function's contract.
    unsafe {
        cells.add(POINTER).write(pointer);
        cells.add(LENGTH).write(len as u64);
        cells.add(ARRAY_KEPT).write(kept);
    }
}

/// An array that the caller allocates and the callee fills.
///
/// # Safety
/// `cells` are those of an array.
unsafe fn prepare(cells: *mut u64, desc: &ArrayDesc) -> i32 {
    let len = desc.fixed.unwrap_or(0);
    // SAFETY: the storage is new; the *out* step owns what is not kept here.
    unsafe {
        let (pointer, _) = match desc.kind {
            ArrayKind::C => new_storage(desc, len),
            _ => new_storage(desc, 0),
        };
        set_array(
            cells,
            pointer as u64,
            len,
            Kept::cell_of(lent(desc, pointer)),
        );
    }
    CONVERTED
}

/// An array from a buffer, in place or in one copy.
///
/// # Safety
/// `view` is open and of the array's items; `cells` are those of an array; GIL held.
unsafe fn buffer(mut view: Box<ffi::Py_buffer>, cells: *mut u64, desc: &ArrayDesc) -> i32 {
    let bytes = view.len as usize;
    let len = bytes / desc.item.size;
    // SAFETY: the view has `bytes` bytes until it is released, the storage at least as many.
    unsafe {
        if !desc.fits(len) {
            ffi::PyBuffer_Release(&raw mut *view);
            return BAIL;
        }
        if desc.in_place() {
            let data = view.buf as u64;
            set_array(cells, data, len, Kept::cell_of(Storage::Buffer(view)));
            return CONVERTED;
        }
        let (pointer, data) = new_storage(desc, len);
        if bytes > 0 {
            std::ptr::copy_nonoverlapping(view.buf.cast::<u8>(), data, bytes);
        }
        ffi::PyBuffer_Release(&raw mut *view);
        set_array(
            cells,
            pointer as u64,
            len,
            Kept::cell_of(lent(desc, pointer)),
        );
        CONVERTED
    }
}

/// What the callee gets, and where its zeroed items are. An empty C array without terminator is NULL,
/// as PyGObject's is.
unsafe fn new_storage(desc: &ArrayDesc, len: usize) -> (*mut c_void, *mut u8) {
    let glib = glib();
    let (size, count) = (desc.item.size as u32, len as u32);
    let terminated = desc.zero_terminated;
    // SAFETY: GLib's functions with sizes that `ArrayDesc::fits` has checked; heads are those of garray.h.
    unsafe {
        let array = match desc.kind {
            ArrayKind::C => {
                let memory = (glib.g_malloc0)((len + usize::from(terminated)) * desc.item.size);
                return (memory, memory.cast());
            }
            ArrayKind::GArray => {
                let array = (glib.g_array_sized_new)(i32::from(terminated), 1, size, count);
                (glib.g_array_set_size)(array, count)
            }
            ArrayKind::GPtrArray => {
                let array = (glib.g_ptr_array_sized_new)(count);
                (glib.g_ptr_array_set_size)(array, count as i32);
                array
            }
            ArrayKind::GByteArray => {
                let array = (glib.g_byte_array_sized_new)(count);
                (glib.g_byte_array_set_size)(array, count)
            }
        };
        (array, (*array.cast::<ArrayHead>()).data)
    }
}

/// The array of [`new_storage`] as something to release, without its items.
fn storage(desc: &ArrayDesc, pointer: *mut c_void) -> Storage {
    match desc.kind {
        ArrayKind::C => Storage::Memory(pointer),
        ArrayKind::GArray => Storage::Array(pointer),
        ArrayKind::GPtrArray => Storage::PtrArray(pointer),
        ArrayKind::GByteArray => Storage::ByteArray(pointer),
    }
}

/// The same, where the callee only borrows it.
fn lent(desc: &ArrayDesc, pointer: *mut c_void) -> Storage {
    match desc.transfer {
        Transfer::None => storage(desc, pointer),
        _ => Storage::None,
    }
}

pub(super) unsafe fn undo_array(cells: *mut u64, desc: Desc) {
    // SAFETY: array steps have an ArrayDesc; the cells are as `array` left them.
    unsafe {
        let desc = read_desc::<ArrayDesc>(desc);
        let pointer = *cells.add(POINTER) as *mut c_void;
        if desc.transfer != Transfer::None && !pointer.is_null() {
            let data = match desc.kind {
                ArrayKind::C => pointer.cast(),
                _ => (*pointer.cast::<ArrayHead>()).data,
            };
            free_items(data, *cells.add(LENGTH) as usize, &desc.item);
            storage(desc, pointer).release();
        }
        Kept::release(cells.add(ARRAY_KEPT));
    }
}

pub(super) unsafe fn drop_array(cells: *mut u64, _: Desc) {
    // SAFETY: the cells are as `array` left them, but for what the callee may write.
    unsafe { Kept::release(cells.add(ARRAY_KEPT)) }
}

pub(super) unsafe fn list(value: Object, cells: *mut u64, desc: Desc) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    // SAFETY: list steps have a ListDesc; the value has two cells. The object is valid, GIL held.
    unsafe {
        let desc = read_desc::<ListDesc>(desc);
        set_list(cells, 0, Kept::new());
        if value == ffi::Py_None() {
            return if desc.nullable { CONVERTED } else { BAIL };
        }
        let Some(sequence) = Sequence::of(value) else {
            return BAIL;
        };
        if nodes::are_lent(desc) {
            let borrows = borrows(&desc.item, desc.transfer);
            return match nodes::chain(sequence, borrows, desc) {
                Some((head, kept)) => {
                    cells.add(POINTER).write(head);
                    cells.add(LIST_KEPT).write(kept);
                    CONVERTED
                }
                None => BAIL,
            };
        }
        let Some(sequence) = items_of(sequence, &desc.item, desc.transfer) else {
            return BAIL;
        };
        let len = sequence.len();
        let mut filling = Filling::new(&desc.item, desc.transfer, len);
        let mut head: *mut c_void = std::ptr::null_mut();
        let mut item_cells = [0; ITEM_CELLS];
        // From the last to the first, as lists grow at their head.
        for index in (0..len).rev() {
            match filling.convert(sequence.get(index), &mut item_cells) {
                Some(cell) => head = prepend(desc.kind, head, cell),
                None => {
                    filling.kept.drop_all();
                    free_nodes(head, &desc.item);
                    list_storage(desc.kind, head).release();
                    return BAIL;
                }
            }
        }
        if desc.transfer == Transfer::None {
            filling.kept.storage = list_storage(desc.kind, head);
        }
        filling.keep(sequence, desc.transfer);
        set_list(cells, head as u64, filling.kept);
        CONVERTED
    }
}

unsafe fn prepend(kind: ListKind, head: *mut c_void, cell: u64) -> *mut c_void {
    // SAFETY: `head` is NULL or a list of this kind.
    unsafe {
        match kind {
            ListKind::GList => (glib().g_list_prepend)(head, cell as *mut c_void),
            ListKind::GSList => (glib().g_slist_prepend)(head, cell as *mut c_void),
        }
    }
}

/// The nodes as something to release, without their items.
fn list_storage(kind: ListKind, head: *mut c_void) -> Storage {
    match kind {
        _ if head.is_null() => Storage::None,
        ListKind::GList => Storage::List(head),
        ListKind::GSList => Storage::SList(head),
    }
}

/// # Safety
/// `cells` are those of a list or a hash table.
unsafe fn set_list(cells: *mut u64, head: u64, kept: Kept) {
    // SAFETY: by this function's contract.
    unsafe {
        cells.add(POINTER).write(head);
        cells.add(LIST_KEPT).write(kept.into_cell());
    }
}

/// Gives the items of a list back that are owned.
///
/// # Safety
/// `head` is NULL or a list of such items that nobody uses any more.
unsafe fn free_nodes(head: *mut c_void, item: &ItemDesc) {
    let mut node = head.cast::<Node>();
    // SAFETY: by this function's contract.
    unsafe {
        while let Some(current) = node.as_ref() {
            item.free(current.data);
            node = current.next;
        }
    }
}

pub(super) unsafe fn undo_list(cells: *mut u64, desc: Desc) {
    // SAFETY: list steps have a ListDesc; the cells are as `list` left them.
    unsafe {
        let desc = read_desc::<ListDesc>(desc);
        if desc.transfer != Transfer::None {
            let head = *cells.add(POINTER) as *mut c_void;
            free_nodes(head, &desc.item);
            list_storage(desc.kind, head).release();
        }
        Kept::release(cells.add(LIST_KEPT));
    }
}

pub(super) unsafe fn drop_list(cells: *mut u64, _: Desc) {
    // SAFETY: the cells are as `list` or `hash` left them, but for what the callee may write.
    unsafe { Kept::release(cells.add(LIST_KEPT)) }
}

pub(super) unsafe fn hash(value: Object, cells: *mut u64, desc: Desc) -> i32 {
    let value = value.cast::<ffi::PyObject>();
    let glib = glib();
    // SAFETY: hash table steps have a HashDesc; the value has two cells. The object is valid, the
    // GIL held; nothing changes the dict while it is walked, because conversions run no user code.
    unsafe {
        let desc = read_desc::<HashDesc>(desc);
        set_list(cells, 0, Kept::new());
        if value == ffi::Py_None() {
            return if desc.nullable { CONVERTED } else { BAIL };
        }
        if ffi::PyDict_CheckExact(value) == 0 {
            return BAIL;
        }
        let len = ffi::PyDict_Size(value) as usize;
        let mut keys = Filling::new(&desc.key, desc.transfer, len);
        let mut values = Filling::new(&desc.value, desc.transfer, len);
        let (hash, equal) = match desc.text_keys {
            true => (
                glib.g_str_hash as *const c_void,
                glib.g_str_equal as *const c_void,
            ),
            false => (null(), null()),
        };
        let table = (glib.g_hash_table_new)(hash, equal);
        let mut item_cells = [0; ITEM_CELLS];
        let (mut position, mut key, mut item) = (0, std::ptr::null_mut(), std::ptr::null_mut());
        while ffi::PyDict_Next(value, &mut position, &mut key, &mut item) != 0 {
            let Some(key_cell) = keys.convert(key, &mut item_cells) else {
                abandon(table, keys, values);
                return BAIL;
            };
            let Some(item_cell) = values.convert(item, &mut item_cells) else {
                desc.key.free(key_cell);
                abandon(table, keys, values);
                return BAIL;
            };
            for (filling, object) in [(&mut keys, key), (&mut values, item)] {
                if borrows(filling.item, desc.transfer) {
                    filling.kept.hold(object);
                }
            }
            (glib.g_hash_table_insert)(table, key_cell as *mut c_void, item_cell as *mut c_void);
        }
        let mut kept = keys.kept;
        kept.absorb(values.kept);
        if desc.transfer == Transfer::None {
            kept.storage = Storage::Hash(table);
        }
        set_list(cells, table as u64, kept);
        CONVERTED
    }
}

/// Gives a half-filled table back.
///
/// # Safety
/// The table is ours, GIL held.
unsafe fn abandon(table: *mut c_void, keys: Filling<'_>, values: Filling<'_>) {
    // SAFETY: by this function's contract.
    unsafe {
        free_entries(table, keys.item, values.item);
        Storage::Hash(table).release();
        keys.kept.drop_all();
        values.kept.drop_all();
    }
}

/// Gives the keys and values of a table back that are owned.
///
/// # Safety
/// Nobody uses the table any more, and it does not free them itself.
unsafe fn free_entries(table: *mut c_void, key: &ItemDesc, value: &ItemDesc) {
    // SAFETY: by this function's contract.
    unsafe {
        super::outward::each_entry(table, |entry_key, entry_value| {
            key.free(entry_key);
            value.free(entry_value);
            true
        });
    }
}

pub(super) unsafe fn undo_hash(cells: *mut u64, desc: Desc) {
    // SAFETY: hash table steps have a HashDesc; the cells are as `hash` left them.
    unsafe {
        let desc = read_desc::<HashDesc>(desc);
        let table = *cells.add(POINTER) as *mut c_void;
        if desc.transfer != Transfer::None && !table.is_null() {
            free_entries(table, &desc.key, &desc.value);
            Storage::Hash(table).release();
        }
        Kept::release(cells.add(LIST_KEPT));
    }
}
