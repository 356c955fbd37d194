//! Linked lists that the callee only borrows: all nodes in one block of memory.
//!
//! A node of its own from GLib costs two calls, and as much as a short function. GLib frees no node
//! here, so where nodes lie is nobody's business: who borrows a list neither takes nodes out of it nor
//! adds any. Lists that are given away have nodes of GLib's (`inward`).

use gijit::signature::{ListKind, Transfer};

use super::kept::{Kept, Storage};
use super::sequence::Sequence;
use super::{ListDesc, Node};
use crate::marshal::glib;

/// Whether [`chain`] makes the list of this descriptor.
pub(super) fn are_lent(desc: &ListDesc) -> bool {
    desc.transfer == Transfer::None && desc.item.kept.is_none()
}

/// The list of the items of `sequence`, which `borrows` from them or does not, and the cell of what is to
/// be kept until after the call; `None` when an item bails.
///
/// # Safety
/// The descriptor passes [`are_lent`]; the GIL is held.
pub(super) unsafe fn chain(
    sequence: Sequence,
    borrows: bool,
    desc: &ListDesc,
) -> Option<(u64, u64)> {
    let len = sequence.len();
    if len == 0 {
        return Some((0, 0));
    }
    // Data, next, and in a GList previous (glist.h, gslist.h).
    let width = match desc.kind {
        ListKind::GList => 3,
        ListKind::GSList => 2,
    };
    let (nodes, block) = Storage::allocate(&sequence, borrows, len * width);
    // SAFETY: the memory has `len` nodes of `width` words; no item is wider than the cells.
    unsafe {
        for index in 0..len {
            let Some(data) = desc.item.lend(sequence.get(index)) else {
                (glib().g_free)(block.cast());
                return None;
            };
            let node = nodes.add(index * width);
            let next = match index + 1 == len {
                true => std::ptr::null_mut(),
                false => node.add(width).cast(),
            };
            node.cast::<Node>().write(Node { data, next });
            if desc.kind == ListKind::GList {
                let previous = match index {
                    0 => 0,
                    _ => node.sub(width) as usize,
                };
                node.add(2).write(previous);
            }
        }
        let kept = Storage::block(sequence, borrows, block);
        Some((nodes as u64, Kept::cell_of(kept)))
    }
}
