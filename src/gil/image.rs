//! The loaded libraries as a proof reads them: where a function ends, and what an import is.
//!
//! Bounds come from `.eh_frame` (found through its header's table), names of imports from the
//! relocations of the global offset table, because a slot that was never called still points to the
//! loader. Libraries that typelibs name are never unloaded, so what is read here stays.

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ops::Range;
use std::sync::{Mutex, OnceLock};

use gimli::{BaseAddresses, EhFrame, EhFrameHdr, EndianSlice, NativeEndian, UnwindSection};

use crate::sync::lock_std as lock;

/// Relocation types of ELF on x86-64 that fill a slot with a symbol's address.
const R_X86_64_GLOB_DAT: u64 = 6;
const R_X86_64_JUMP_SLOT: u64 = 7;

/// Tags of the dynamic section.
const DT_PLTRELSZ: i64 = 2;
const DT_STRTAB: i64 = 5;
const DT_SYMTAB: i64 = 6;
const DT_RELA: i64 = 7;
const DT_RELASZ: i64 = 8;
const DT_JMPREL: i64 = 23;
/// The kind of symbol that is a function.
const STT_FUNC: u8 = 2;
const DT_GNU_HASH: i64 = 0x6fff_fef5;

/// One loaded object file.
pub struct Image {
    base: usize,
    /// The mapped segments: addresses, and whether they hold code.
    segments: Vec<(Range<usize>, bool)>,
    eh_frame_hdr: Range<usize>,
    dynamic: usize,
}

impl Image {
    /// The object file that has code at `address`. The loader is asked once for each file: it goes
    /// through all of them, and keeps others from loading meanwhile.
    pub fn of(address: usize) -> Option<&'static Self> {
        static KNOWN: Mutex<Vec<&Image>> = Mutex::new(Vec::new());
        let mut known = lock(&KNOWN);
        if let Some(image) = known.iter().find(|image| image.is_code(address)) {
            return Some(image);
        }
        let mut search = (address, None);
        // SAFETY: the callback is called with `search`, which outlives the call, while the loader's
        // list does not change.
        unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
        let image: &'static Image = Box::leak(Box::new(search.1?));
        known.push(image);
        Some(image)
    }

    /// Whether `address` is in code of this file.
    pub fn is_code(&self, address: usize) -> bool {
        let mut segments = self.segments.iter();
        segments.any(|(range, code)| *code && range.contains(&address))
    }

    /// The bytes from `address` to the end of its segment.
    pub fn bytes(&self, address: usize) -> Option<&'static [u8]> {
        let mut segments = self.segments.iter();
        let (range, _) = segments.find(|(range, _)| range.contains(&address))?;
        // SAFETY: a readable segment of a library that is never unloaded.
        Some(unsafe { std::slice::from_raw_parts(address as *const u8, range.end - address) })
    }

    /// The function that `address` is in.
    pub fn function(&self, address: usize) -> Option<Range<usize>> {
        let header = self.bytes(self.eh_frame_hdr.start)?;
        let header = &header[..self.eh_frame_hdr.len().min(header.len())];
        let text = self.segments.iter().find(|(_, code)| *code)?.0.start;
        let bases = BaseAddresses::default()
            .set_eh_frame_hdr(self.eh_frame_hdr.start as u64)
            .set_text(text as u64);
        let parsed = EhFrameHdr::new(header, NativeEndian)
            .parse(&bases, 8)
            .ok()?;
        let gimli::Pointer::Direct(frames) = parsed.eh_frame_ptr() else {
            return None;
        };
        let bases = bases.set_eh_frame(frames);
        let frames = EhFrame::from(EndianSlice::new(self.bytes(frames as usize)?, NativeEndian));
        let entry = parsed
            .table()?
            .fde_for_address(&frames, &bases, address as u64, EhFrame::cie_from_offset)
            .ok()?;
        let start = entry.initial_address() as usize;
        Some(start..start + entry.len() as usize)
    }

    /// The name of the import whose address the loader puts into `slot`.
    pub fn import(&self, slot: usize) -> Option<&'static CStr> {
        let dynamic = self.dynamic()?;
        let tables = [
            (dynamic.jump_relocations, dynamic.jump_relocations_size),
            (dynamic.relocations, dynamic.relocations_size),
        ];
        for (table, size) in tables.into_iter().filter(|(table, _)| *table != 0) {
            let count = size / size_of::<[u64; 3]>();
            // SAFETY: a table of the size that the dynamic section says.
            let entries = unsafe { std::slice::from_raw_parts(table as *const [u64; 3], count) };
            let found = entries.iter().find(|[offset, info, _]| {
                let kind = info & 0xffff_ffff;
                self.base + *offset as usize == slot
                    && (kind == R_X86_64_GLOB_DAT || kind == R_X86_64_JUMP_SLOT)
            });
            if let Some([_, info, _]) = found {
                // SAFETY: the symbol that a relocation of this file names.
                return Some(unsafe { dynamic.name(&*dynamic.symbol((info >> 32) as usize)) });
            }
        }
        None
    }

    /// The functions that this file exports, by address: of several names for one the first.
    fn exports(&self) -> HashMap<usize, &'static CStr> {
        let mut exports = HashMap::new();
        let Some(dynamic) = self.dynamic().filter(|dynamic| dynamic.hash != 0) else {
            return exports;
        };
        // SAFETY: the loader uses this table (dl-lookup.c): a head of four words, the words of the
        // filter, the first symbol of each bucket or 0, then one word for each symbol from `first`
        // on, of which the last of a bucket has the low bit set.
        unsafe {
            let head = dynamic.hash as *const u32;
            let [buckets, first, filter] = [0, 1, 2].map(|word| *head.add(word) as usize);
            let bucket = (head.add(4).cast::<u64>()).add(filter).cast::<u32>();
            let chain = bucket.add(buckets);
            for index in 0..buckets {
                let mut symbol = *bucket.add(index) as usize;
                while symbol >= first {
                    let entry = &*dynamic.symbol(symbol);
                    if entry.st_info & 0xf == STT_FUNC {
                        let address = self.base + entry.st_value as usize;
                        exports
                            .entry(address)
                            .or_insert_with(|| dynamic.name(entry));
                    }
                    if *chain.add(symbol - first) & 1 != 0 {
                        break;
                    }
                    symbol += 1;
                }
            }
        }
        exports
    }

    /// What the loader knows of this file. `None` without symbols.
    fn dynamic(&self) -> Option<Dynamic> {
        let mut found = Dynamic::default();
        let mut entry = self.dynamic as *const [i64; 2];
        // SAFETY: the loader has this dynamic section in use; it ends with a zero tag.
        unsafe {
            while (*entry)[0] != 0 {
                let [tag, value] = *entry;
                let value = value as usize;
                // glibc has relocated the addresses, but for those of the kernel's own library.
                let place = match value < self.base {
                    true => self.base + value,
                    false => value,
                };
                match tag {
                    DT_SYMTAB => found.symbols = place,
                    DT_STRTAB => found.strings = place,
                    DT_JMPREL => found.jump_relocations = place,
                    DT_PLTRELSZ => found.jump_relocations_size = value,
                    DT_RELA => found.relocations = place,
                    DT_RELASZ => found.relocations_size = value,
                    DT_GNU_HASH => found.hash = place,
                    _ => {}
                }
                entry = entry.add(1);
            }
        }
        (found.symbols != 0 && found.strings != 0).then_some(found)
    }
}

/// The tables of a dynamic section, 0 where there is none.
#[derive(Default)]
struct Dynamic {
    symbols: usize,
    strings: usize,
    hash: usize,
    jump_relocations: usize,
    jump_relocations_size: usize,
    relocations: usize,
    relocations_size: usize,
}

impl Dynamic {
    fn symbol(&self, index: usize) -> *const libc::Elf64_Sym {
        (self.symbols as *const libc::Elf64_Sym).wrapping_add(index)
    }

    /// # Safety
    /// A symbol of this file.
    unsafe fn name(&self, symbol: &libc::Elf64_Sym) -> &'static CStr {
        // SAFETY: names are zero-terminated and stay as long as the file is loaded.
        unsafe { CStr::from_ptr((self.strings + symbol.st_name as usize) as *const c_char) }
    }
}

/// Where the process finds the symbol `name`.
pub fn resolve(name: &CStr) -> Option<usize> {
    // SAFETY: a zero-terminated name.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address as usize)
}

/// The exported function that stands exactly at `address`. `dladdr` goes through all symbols of a
/// file each time, for GTK a tenth of a millisecond; they are read once.
pub fn exported(address: usize) -> Option<&'static CStr> {
    static FILES: OnceLock<Mutex<HashMap<usize, HashMap<usize, &'static CStr>>>> = OnceLock::new();
    let image = Image::of(address)?;
    let mut files = lock(FILES.get_or_init(Mutex::default));
    let exports = files.entry(image.base).or_insert_with(|| image.exports());
    exports.get(&address).copied()
}

unsafe extern "C" fn visit(
    info: *mut libc::dl_phdr_info,
    _: libc::size_t,
    search: *mut c_void,
) -> c_int {
    // SAFETY: the loader's description of one object, and what `Image::of` passed.
    let (info, search) = unsafe { (&*info, &mut *search.cast::<(usize, Option<Image>)>()) };
    let base = info.dlpi_addr as usize;
    let mut image = Image {
        base,
        segments: Vec::new(),
        eh_frame_hdr: 0..0,
        dynamic: 0,
    };
    // SAFETY: `dlpi_phnum` program headers stand at `dlpi_phdr`.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    for header in headers {
        let start = base + header.p_vaddr as usize;
        let range = start..start + header.p_memsz as usize;
        match header.p_type {
            libc::PT_LOAD if header.p_flags & libc::PF_R != 0 => {
                let code = header.p_flags & libc::PF_X != 0;
                image.segments.push((range, code));
            }
            libc::PT_GNU_EH_FRAME => image.eh_frame_hdr = range,
            libc::PT_DYNAMIC => image.dynamic = start,
            _ => {}
        }
    }
    let complete = image.dynamic != 0 && !image.eh_frame_hdr.is_empty();
    if complete && image.is_code(search.0) {
        search.1 = Some(image);
        return 1;
    }
    0
}
