//! The loaded libraries as a proof reads them: where a function ends, and what an import is.
//!
//! Bounds come from `.eh_frame` (found through its header's table), names of imports from the
//! relocations of the global offset table, because a slot that was never called still points to the
//! loader. Libraries that typelibs name are never unloaded, so what is read here stays.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ops::Range;

use gimli::{BaseAddresses, EhFrame, EhFrameHdr, EndianSlice, NativeEndian, UnwindSection};

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

/// One loaded object file.
pub struct Image {
    base: usize,
    /// The mapped segments: addresses, and whether they hold code.
    segments: Vec<(Range<usize>, bool)>,
    eh_frame_hdr: Range<usize>,
    dynamic: usize,
}

impl Image {
    /// The object file that has code at `address`.
    pub fn of(address: usize) -> Option<Self> {
        let mut search = (address, None);
        // SAFETY: the callback is called with `search`, which outlives the call, while the loader's
        // list does not change.
        unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
        search.1
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
        let (mut symbols, mut strings) = (0, 0);
        let (mut plt, mut plt_size, mut rela, mut rela_size) = (0, 0, 0, 0);
        let mut entry = self.dynamic as *const [i64; 2];
        // SAFETY: the loader has this dynamic section in use; it ends with a zero tag, and glibc has
        // relocated its addresses. Tables have the sizes that it says.
        unsafe {
            while (*entry)[0] != 0 {
                let [tag, value] = *entry;
                let value = value as usize;
                match tag {
                    DT_SYMTAB => symbols = value,
                    DT_STRTAB => strings = value,
                    DT_JMPREL => plt = value,
                    DT_PLTRELSZ => plt_size = value,
                    DT_RELA => rela = value,
                    DT_RELASZ => rela_size = value,
                    _ => {}
                }
                entry = entry.add(1);
            }
            if symbols == 0 || strings == 0 {
                return None;
            }
            for (table, size) in [(plt, plt_size), (rela, rela_size)] {
                if table == 0 {
                    continue;
                }
                let count = size / size_of::<[u64; 3]>();
                let entries = std::slice::from_raw_parts(table as *const [u64; 3], count);
                let found = entries.iter().find(|[offset, info, _]| {
                    let kind = info & 0xffff_ffff;
                    self.base + *offset as usize == slot
                        && (kind == R_X86_64_GLOB_DAT || kind == R_X86_64_JUMP_SLOT)
                });
                if let Some([_, info, _]) = found {
                    let symbol = symbols + (info >> 32) as usize * size_of::<libc::Elf64_Sym>();
                    let name = (*(symbol as *const libc::Elf64_Sym)).st_name;
                    let name = (strings + name as usize) as *const c_char;
                    return Some(CStr::from_ptr(name));
                }
            }
        }
        None
    }
}

/// Where the process finds the symbol `name`.
pub fn resolve(name: &CStr) -> Option<usize> {
    // SAFETY: a zero-terminated name.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address as usize)
}

/// The exported symbol that stands exactly at `address`.
pub fn exported(address: usize) -> Option<&'static CStr> {
    // SAFETY: zeroed is a valid Dl_info, which dladdr fills; names live as long as their library.
    unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        let found = libc::dladdr(address as *const c_void, &mut info) != 0;
        let exact = found && info.dli_saddr as usize == address && !info.dli_sname.is_null();
        exact.then(|| CStr::from_ptr(info.dli_sname))
    }
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
