//! Phase *out* of containers. Each helper takes over what the callee gave: it converts the items,
//! gives back those that Python copies, and frees the container.

use std::ffi::c_void;

use gijit::ir::AbiType;
use gijit::signature::{ArrayKind, ListKind, Transfer};
use pyo3::ffi;

use super::{
    ArrayDesc, ArrayHead, Desc, FAILED, HashDesc, ItemDesc, LENGTH, ListDesc, Node, Object,
    POINTER, numbers, read_desc,
};
use crate::glib::GHashTableIter;
use crate::marshal::glib;

/// Where the items of an array are.
pub(super) struct Items {
    pub data: *const u8,
    pub len: usize,
    /// Bytes from one to the next.
    pub stride: usize,
}

/// # Safety
/// `cells` are those of an array that the callee gave, and the pointer is not NULL.
unsafe fn items(cells: *const u64, desc: &ArrayDesc) -> Items {
    // SAFETY: by this function's contract; heads are those of garray.h.
    unsafe {
        let pointer = *cells.add(POINTER) as *const u8;
        let mut stride = desc.item.size;
        let (data, len) = match desc.kind {
            ArrayKind::C => (pointer, c_length(pointer, *cells.add(LENGTH), desc)),
            kind => {
                let head = &*pointer.cast::<ArrayHead>();
                if kind == ArrayKind::GArray {
                    stride = (glib().g_array_get_element_size)(pointer as *mut c_void) as usize;
                }
                (head.data.cast_const(), head.len as usize)
            }
        };
        Items { data, len, stride }
    }
}

/// Bytes of most items: pointers.
const WORD: usize = size_of::<u64>();

/// The number of items of a C array.
unsafe fn c_length(data: *const u8, length: u64, desc: &ArrayDesc) -> usize {
    if let Some(fixed) = desc.fixed {
        return fixed;
    }
    if desc.zero_terminated {
        let size = desc.item.size;
        // SAFETY: an item of zeros ends the array.
        let is_zero = |index: usize| unsafe {
            let item = data.add(index * size);
            match size {
                WORD => item.cast::<u64>().read_unaligned() == 0,
                _ => std::slice::from_raw_parts(item, size)
                    .iter()
                    .all(|byte| *byte == 0),
            }
        };
        return (0..).find(|index| is_zero(*index)).unwrap_or(0);
    }
    // A negative length is a defect of the callee; nothing is read then.
    let length = match desc.length {
        Some(AbiType::I8) => i64::from(length as i8),
        Some(AbiType::U8) => i64::from(length as u8),
        Some(AbiType::I16) => i64::from(length as i16),
        Some(AbiType::U16) => i64::from(length as u16),
        Some(AbiType::I32) => i64::from(length as i32),
        Some(AbiType::U32) => i64::from(length as u32),
        Some(_) => length as i64,
        None => 0,
    };
    usize::try_from(length).unwrap_or(0)
}

pub(super) unsafe fn array(cells: *const u64, desc: Desc) -> Object {
    // SAFETY: array steps have an ArrayDesc; the cells are those of an array that the callee gave,
    // owned as the transfer says; GIL held.
    unsafe {
        let desc = read_desc::<ArrayDesc>(desc);
        let pointer = *cells.add(POINTER) as *mut c_void;
        if pointer.is_null() {
            return match desc.item.bytes {
                true => ffi::PyBytes_FromStringAndSize(c"".as_ptr(), 0).cast(),
                false => ffi::PyList_New(0).cast(),
            };
        }
        let items = items(cells, desc);
        let object = match desc.item.number {
            _ if desc.item.bytes => {
                ffi::PyBytes_FromStringAndSize(items.data.cast(), items.len as isize).cast()
            }
            Some(abi) => numbers::list(&items, abi),
            None => collect(items.len, &desc.item, |index| {
                desc.item.load(items.data.add(index * items.stride))
            }),
        };
        free_container(desc, pointer);
        object
    }
}

/// A list of `len` items; NULL with an exception set, with all items given back.
///
/// # Safety
/// `next` gives each item once, in order; owned as the item's descriptor says; GIL held.
unsafe fn collect(len: usize, item: &ItemDesc, mut next: impl FnMut(usize) -> u64) -> Object {
    // SAFETY: by this function's contract; the list's places are set once each.
    unsafe {
        let list = ffi::PyList_New(len as isize);
        let mut failed = list.is_null();
        for index in 0..len {
            let cell = next(index);
            if failed {
                item.free(cell);
                continue;
            }
            let object = item.convert_out(cell);
            if item.copied {
                item.free(cell);
            }
            match object.is_null() {
                true => failed = true,
                false => ffi::PyList_SET_ITEM(list, index as isize, object.cast()),
            }
        }
        if failed && !list.is_null() {
            ffi::Py_DECREF(list);
            return FAILED;
        }
        list.cast()
    }
}

/// Frees what holds the items, when it is owned.
///
/// # Safety
/// The callee gave `pointer`, and nobody uses it any more.
unsafe fn free_container(desc: &ArrayDesc, pointer: *mut c_void) {
    let glib = glib();
    if desc.transfer == Transfer::None {
        return;
    }
    // SAFETY: by this function's contract.
    unsafe {
        match desc.kind {
            ArrayKind::C => (glib.g_free)(pointer),
            ArrayKind::GArray => (glib.g_array_unref)(pointer),
            ArrayKind::GPtrArray => {
                if desc.transfer == Transfer::Full {
                    // The items are gone already.
                    (glib.g_ptr_array_set_free_func)(pointer, std::ptr::null());
                }
                (glib.g_ptr_array_unref)(pointer);
            }
            ArrayKind::GByteArray => (glib.g_byte_array_unref)(pointer),
        }
    }
}

/// Gives `count` items back, when they are owned.
///
/// # Safety
/// `data` holds that many items that nobody uses any more.
pub(super) unsafe fn free_items(data: *const u8, count: usize, item: &ItemDesc) {
    if item.free.is_none() {
        return;
    }
    for index in 0..count {
        // SAFETY: by this function's contract.
        unsafe { item.free(item.load(data.add(index * item.size))) };
    }
}

pub(super) unsafe fn free_array(cells: *mut u64, desc: Desc) {
    // SAFETY: array steps have an ArrayDesc; the cells are those of an array that the callee gave.
    unsafe {
        let desc = read_desc::<ArrayDesc>(desc);
        let pointer = *cells.add(POINTER) as *mut c_void;
        if !pointer.is_null() {
            let items = items(cells, desc);
            free_items(items.data, items.len, &desc.item);
            free_container(desc, pointer);
        }
    }
}

pub(super) unsafe fn list(cells: *const u64, desc: Desc) -> Object {
    // SAFETY: list steps have a ListDesc; the cell holds a list that the callee gave, owned as the
    // transfer says; GIL held.
    unsafe {
        let desc = read_desc::<ListDesc>(desc);
        let head = *cells.add(POINTER) as *mut Node;
        let count = std::iter::successors(head.as_ref(), |node| node.next.as_ref()).count();
        let mut node = head;
        let object = collect(count, &desc.item, |_| {
            let data = (*node).data;
            node = (*node).next;
            data
        });
        free_chain(desc, head);
        object
    }
}

/// Frees the nodes, when they are owned.
///
/// # Safety
/// The callee gave `head`, and nobody uses it any more.
unsafe fn free_chain(desc: &ListDesc, head: *mut Node) {
    if desc.transfer != Transfer::None && !head.is_null() {
        // SAFETY: by this function's contract.
        unsafe {
            match desc.kind {
                ListKind::GList => (glib().g_list_free)(head.cast()),
                ListKind::GSList => (glib().g_slist_free)(head.cast()),
            }
        }
    }
}

pub(super) unsafe fn free_list(cells: *mut u64, desc: Desc) {
    // SAFETY: list steps have a ListDesc; the cell holds a list that the callee gave.
    unsafe {
        let desc = read_desc::<ListDesc>(desc);
        let head = *cells.add(POINTER) as *mut Node;
        let mut node = head;
        while let Some(current) = node.as_ref() {
            desc.item.free(current.data);
            node = current.next;
        }
        free_chain(desc, head);
    }
}

/// Calls `visit` with each key and value until it says stop.
///
/// # Safety
/// `table` is a hash table that does not change meanwhile.
pub(super) unsafe fn each_entry(table: *mut c_void, mut visit: impl FnMut(u64, u64) -> bool) {
    let glib = glib();
    let mut iter = GHashTableIter::UNSET;
    let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: by this function's contract.
    unsafe {
        (glib.g_hash_table_iter_init)(&mut iter, table);
        while (glib.g_hash_table_iter_next)(&mut iter, &mut key, &mut value) != 0 {
            if !visit(key as u64, value as u64) {
                break;
            }
        }
    }
}

/// A dict, or None for NULL. A table frees its keys and values itself, so Python gets copies and
/// references whatever the transfer.
pub(super) unsafe fn hash(cells: *const u64, desc: Desc) -> Object {
    // SAFETY: hash table steps have a HashDesc; the cell holds a table that the callee gave, owned as
    // the transfer says; GIL held.
    unsafe {
        let desc = read_desc::<HashDesc>(desc);
        let table = *cells.add(POINTER) as *mut c_void;
        if table.is_null() {
            return ffi::Py_NewRef(ffi::Py_None()).cast();
        }
        let dict = ffi::PyDict_New();
        let mut failed = dict.is_null();
        if !failed {
            each_entry(table, |key, value| {
                failed = !set_entry(dict, desc, key, value);
                !failed
            });
        }
        if desc.transfer != Transfer::None {
            (glib().g_hash_table_unref)(table);
        }
        if failed {
            ffi::Py_XDECREF(dict);
            return FAILED;
        }
        dict.cast()
    }
}

/// Adds one entry; false with an exception set.
unsafe fn set_entry(dict: *mut ffi::PyObject, desc: &HashDesc, key: u64, value: u64) -> bool {
    // SAFETY: the items of a table of this descriptor; GIL held.
    unsafe {
        let key = desc.key.convert_out(key).cast::<ffi::PyObject>();
        if key.is_null() {
            return false;
        }
        let value = desc.value.convert_out(value).cast::<ffi::PyObject>();
        let done = !value.is_null() && ffi::PyDict_SetItem(dict, key, value) == 0;
        ffi::Py_DECREF(key);
        ffi::Py_XDECREF(value);
        done
    }
}

pub(super) unsafe fn free_hash(cells: *mut u64, desc: Desc) {
    // SAFETY: hash table steps have a HashDesc; the cell holds a table that the callee gave.
    unsafe {
        let table = *cells.add(POINTER) as *mut c_void;
        if read_desc::<HashDesc>(desc).transfer != Transfer::None && !table.is_null() {
            (glib().g_hash_table_unref)(table);
        }
    }
}
