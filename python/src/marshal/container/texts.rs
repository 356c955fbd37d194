//! Vectors of borrowed strings, the most frequent container that goes in: made without a call and
//! without a cell for each string.
//!
//! The strings are read as an argument of their type is (`scalar::text_of`), so nothing of their
//! meaning stands here. A list may change while the lock is released, so its items are held in front of
//! the vector, in the same memory (`Storage::allocate`).

use std::ffi::c_char;

use gijit::plan::Conv;
use gijit::signature::{ArrayKind, Transfer};
use pyo3::ffi;

use super::ArrayDesc;
use super::kept::{Kept, Storage};
use super::sequence::Sequence;
use crate::marshal::glib;
use crate::marshal::scalar::text_of;

/// What the strings are.
#[derive(Clone, Copy)]
pub enum Text {
    Utf8,
    Filename,
}

impl Text {
    /// What items of this conversion are, if they are strings.
    pub fn of(conv: &Conv) -> Option<Self> {
        match conv {
            Conv::Utf8 => Some(Text::Utf8),
            Conv::Filename => Some(Text::Filename),
            _ => None,
        }
    }

    /// # Safety
    /// A valid object, GIL held.
    pub(super) unsafe fn borrow(self, object: *mut ffi::PyObject) -> *const c_char {
        // SAFETY: by this function's contract.
        unsafe {
            match self {
                Text::Utf8 => text_of::<false>(object),
                Text::Filename => text_of::<true>(object),
            }
        }
    }
}

/// How the strings of an array are read that [`vector`] makes.
pub(super) fn vector_of(desc: &ArrayDesc) -> Option<Text> {
    let borrowed = desc.transfer == Transfer::None && desc.kind == ArrayKind::C;
    desc.item.text.filter(|_| borrowed && desc.zero_terminated)
}

/// A zero-terminated vector of the strings in `sequence`, and the cell of what is to be kept until after
/// the call; `None` when a string bails.
///
/// # Safety
/// The GIL is held.
pub(super) unsafe fn vector(sequence: Sequence, text: Text) -> Option<(u64, u64)> {
    let len = sequence.len();
    let (strings, block) = Storage::allocate(&sequence, true, len + 1);
    // SAFETY: the memory has a place for each string and one for the end.
    unsafe {
        for index in 0..len {
            let string = text.borrow(sequence.get(index));
            if string.is_null() {
                (glib().g_free)(block.cast());
                return None;
            }
            strings.add(index).write(string as usize);
        }
        strings.add(len).write(0);
        let kept = Storage::block(sequence, true, block);
        Some((strings as u64, Kept::cell_of(kept)))
    }
}
