//! An object file for one piece of code, as debuggers read it: a symbol, how to unwind, and the steps
//! as lines of a source file.
//!
//! Its sections carry the addresses at which they are in the process.

use std::path::Path;

use gimli::write::{
    Address, AttributeValue, DwarfUnit, EndianVec, LineProgram, LineString, Sections,
};
use gimli::{Encoding, Format, LineEncoding, LittleEndian};
use object::write::{Object, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, Object as _, ObjectSection as _, SectionKind,
    SymbolFlags, SymbolKind, SymbolScope,
};

use super::Announced;

/// Where the header of an ELF file says at which offset its section headers are.
const SECTION_HEADERS: usize = 0x28;
const SECTION_HEADER: usize = 64;
/// Where a section header has the address.
const ADDRESS: usize = 0x10;

/// Makes the file. `source` is where the steps stand.
///
/// # Errors
/// What the writer of the format says.
pub(super) fn object_file(
    code: &Announced,
    bytes: &[u8],
    frame: &[u8],
    source: Option<&Path>,
) -> Result<Vec<u8>, String> {
    let architecture = match cfg!(target_arch = "aarch64") {
        true => Architecture::Aarch64,
        false => Architecture::X86_64,
    };
    let mut object = Object::new(BinaryFormat::Elf, architecture, Endianness::Little);
    let text = object.add_section(Vec::new(), b".text".to_vec(), SectionKind::Text);
    object.set_section_data(text, bytes, 16);
    object.add_symbol(Symbol {
        name: code.name.clone().into_bytes(),
        value: code.entry as u64,
        size: (code.size - code.entry) as u64,
        kind: SymbolKind::Text,
        scope: SymbolScope::Compilation,
        weak: false,
        section: SymbolSection::Section(text),
        flags: SymbolFlags::None,
    });
    if !frame.is_empty() {
        let kind = SectionKind::ReadOnlyData;
        let section = object.add_section(Vec::new(), b".eh_frame".to_vec(), kind);
        object.set_section_data(section, frame, 8);
    }
    if let Some(source) = source {
        let mut sections = lines(code, source).map_err(|error| error.to_string())?;
        sections
            .for_each_mut(|id, data| {
                if !data.slice().is_empty() {
                    let name = id.name().as_bytes().to_vec();
                    let section = object.add_section(Vec::new(), name, SectionKind::Debug);
                    object.set_section_data(section, data.take(), 1);
                }
                Ok::<(), gimli::write::Error>(())
            })
            .map_err(|error| error.to_string())?;
    }
    let mut file = object.write().map_err(|error| error.to_string())?;
    let addresses = [(".text", code.start), (".eh_frame", code.frame())];
    let headers = section_headers(&file, &addresses)?;
    for (at, address) in headers {
        file[at..at + 8].copy_from_slice(&(address as u64).to_le_bytes());
    }
    Ok(file)
}

/// Where in the file the addresses of these sections stand, with the addresses.
fn section_headers(
    file: &[u8],
    addresses: &[(&str, usize)],
) -> Result<Vec<(usize, usize)>, String> {
    type File<'a> = object::read::elf::ElfFile64<'a>;
    let parsed = File::parse(file).map_err(|error| error.to_string())?;
    let word = file[SECTION_HEADERS..].first_chunk();
    let headers = u64::from_le_bytes(*word.ok_or("no ELF header")?) as usize;
    let found = addresses.iter().filter_map(|&(name, address)| {
        let index = parsed.section_by_name(name)?.index().0;
        Some((headers + index * SECTION_HEADER + ADDRESS, address))
    });
    Ok(found.collect())
}

/// Debug information with one file whose lines are the steps.
fn lines(
    code: &Announced,
    source: &Path,
) -> Result<Sections<EndianVec<LittleEndian>>, gimli::write::Error> {
    let encoding = Encoding {
        format: Format::Dwarf32,
        version: 4,
        address_size: 8,
    };
    let path = source.as_os_str().as_encoded_bytes();
    let mut program = LineProgram::new(
        encoding,
        LineEncoding::default(),
        LineString::String(b"/".to_vec()),
        None,
        LineString::String(path.to_vec()),
        None,
    );
    let folder = program.default_directory();
    let file = program.add_file(LineString::String(path.to_vec()), folder, None);
    program.begin_sequence(Some(Address::Constant(code.start as u64)));
    for line in &code.lines {
        let row = program.row();
        row.address_offset = u64::from(line.offset);
        row.file = file;
        row.line = u64::from(line.step);
        program.generate_row();
    }
    program.end_sequence(code.size as u64);
    let mut unit = DwarfUnit::new(encoding);
    unit.unit.line_program = program;
    let root = unit.unit.root();
    let low = Address::Constant(code.start as u64);
    for (name, value) in [
        (gimli::DW_AT_name, AttributeValue::String(path.to_vec())),
        (gimli::DW_AT_comp_dir, AttributeValue::String(b"/".to_vec())),
        (gimli::DW_AT_low_pc, AttributeValue::Address(low)),
        (
            gimli::DW_AT_high_pc,
            AttributeValue::Udata(code.size as u64),
        ),
        (gimli::DW_AT_stmt_list, AttributeValue::LineProgramRef),
    ] {
        unit.unit.get_mut(root).set(name, value);
    }
    let mut sections = Sections::new(EndianVec::new(LittleEndian));
    unit.write(&mut sections)?;
    Ok(sections)
}
