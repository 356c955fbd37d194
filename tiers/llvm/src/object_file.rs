//! From a relocatable ELF object to one piece of bytes that runs at any address.
//!
//! The text and the constants that it reads become one piece, and the references between them,
//! which are all relative, are filled in. Anything that would need an address of the process is
//! refused: the translation gives LLVM no name to refer to.

use std::collections::HashMap;

use gijit::compile::backend::{MachineCode, StepAt, Unwind};
use object::elf::{R_X86_64_PC32, R_X86_64_PLT32, SHF_ALLOC};
use object::{
    Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget, SectionFlags,
    SectionIndex, SymbolKind,
};

type File<'a> = object::read::elf::ElfFile64<'a>;

/// Lays out an x86-64 object that holds one function.
pub(crate) fn lay_out(bytes: &[u8]) -> Result<MachineCode, String> {
    let file = File::parse(bytes).map_err(|error| error.to_string())?;
    let mut piece = Piece::default();
    let mut frame = None;
    let (mut text, mut constants) = (Vec::new(), Vec::new());
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
            continue;
        };
        if !sh_flags.contains(SHF_ALLOC) || section.size() == 0 {
            continue;
        }
        match section.name().map_err(|error| error.to_string())? {
            ".eh_frame" => frame = Some(section),
            ".text" => text.push(section),
            name if name.starts_with(".rodata") => constants.push(section),
            name => return Err(format!("a section {name} that nothing asked for")),
        }
    }
    for section in &text {
        piece.append(section)?;
    }
    for section in &constants {
        piece.append(section)?;
    }
    for section in text.iter().chain(&constants) {
        piece.relocate(&file, section)?;
    }
    let entry = file
        .symbols()
        .find(|symbol| symbol.kind() == SymbolKind::Text && symbol.is_definition())
        .ok_or("no function in it")?;
    let section = entry.section_index().ok_or("the function has no section")?;
    let entry = piece.start(section)? + entry.address() as usize;
    let unwind = frame
        .map(|frame| unwind(&file, &frame, &piece, entry))
        .transpose()?;
    Ok(MachineCode {
        bytes: piece.bytes,
        align: piece.align,
        entry,
        unwind,
        steps: steps(&file, entry)?,
    })
}

/// The sections that were put together, and where each starts.
#[derive(Default)]
struct Piece {
    bytes: Vec<u8>,
    align: usize,
    starts: HashMap<SectionIndex, usize>,
}

impl Piece {
    fn append<'a>(&mut self, section: &impl ObjectSection<'a>) -> Result<(), String> {
        let align = section.align().max(1) as usize;
        let start = self.bytes.len().next_multiple_of(align);
        self.align = self.align.max(align);
        self.bytes.resize(start, 0);
        self.bytes
            .extend_from_slice(section.data().map_err(|error| error.to_string())?);
        self.starts.insert(section.index(), start);
        Ok(())
    }

    fn start(&self, section: SectionIndex) -> Result<usize, String> {
        self.starts
            .get(&section)
            .copied()
            .ok_or_else(|| format!("a reference to section {section}"))
    }

    /// Fills in the references from `section` to places in the piece.
    fn relocate<'a>(
        &mut self,
        file: &File<'_>,
        section: &impl ObjectSection<'a>,
    ) -> Result<(), String> {
        let start = self.start(section.index())?;
        for (offset, relocation) in section.relocations() {
            let target = self.target(file, &relocation)?;
            let RelocationFlags::Elf {
                r_type: R_X86_64_PC32 | R_X86_64_PLT32,
            } = relocation.flags()
            else {
                return Err(format!("a relocation {:?}", relocation.flags()));
            };
            let place = start + offset as usize;
            let distance = target + relocation.addend() - place as i64;
            let distance = i32::try_from(distance).map_err(|error| error.to_string())?;
            self.bytes
                .get_mut(place..place + 4)
                .ok_or("a relocation outside of its section")?
                .copy_from_slice(&distance.to_le_bytes());
        }
        Ok(())
    }

    /// Where in the piece the relocation's symbol is.
    fn target(&self, file: &File<'_>, relocation: &object::Relocation) -> Result<i64, String> {
        let RelocationTarget::Symbol(index) = relocation.target() else {
            return Err(format!("a relocation to {:?}", relocation.target()));
        };
        let symbol = file
            .symbol_by_index(index)
            .map_err(|error| error.to_string())?;
        let section = symbol
            .section_index()
            .ok_or_else(|| format!("a reference to {}", symbol.name().unwrap_or("?")))?;
        Ok(self.start(section)? as i64 + symbol.address() as i64)
    }
}

/// The frame section, whose one reference is the function's address in its only FDE.
fn unwind<'a>(
    file: &File<'_>,
    frame: &impl ObjectSection<'a>,
    piece: &Piece,
    entry: usize,
) -> Result<Unwind, String> {
    let relocations: Vec<_> = frame.relocations().collect();
    let [(pc_begin, relocation)] = relocations.as_slice() else {
        return Err(format!("{} relocations in .eh_frame", relocations.len()));
    };
    let relative = matches!(
        relocation.flags(),
        RelocationFlags::Elf {
            r_type: R_X86_64_PC32
        }
    );
    let target = piece.target(file, relocation)? + relocation.addend();
    if !relative || target != entry as i64 {
        return Err(".eh_frame is not of the function".to_owned());
    }
    Ok(Unwind {
        eh_frame: frame.data().map_err(|error| error.to_string())?.to_vec(),
        pc_begin: *pc_begin as usize,
    })
}

/// The line table, in which lines are steps. LLVM's line 0 is an instruction that came of several.
fn steps(file: &File<'_>, entry: usize) -> Result<Vec<StepAt>, String> {
    let Some(section) = file.section_by_name(".debug_line") else {
        return Ok(Vec::new());
    };
    let data = section.data().map_err(|error| error.to_string())?;
    let table = gimli::DebugLine::new(data, gimli::LittleEndian);
    let program = table
        .program(gimli::DebugLineOffset(0), 8, None, None)
        .map_err(|error| format!(".debug_line: {error}"))?;
    let mut rows = program.rows();
    let mut steps: Vec<StepAt> = Vec::new();
    while let Some((_, row)) = rows
        .next_row()
        .map_err(|error| format!(".debug_line: {error}"))?
    {
        // The table's one relocation is the function's address, which counts from 0 here.
        let offset = (entry as u64 + row.address()) as u32;
        let line = row.line().map_or(0, |line| line.get() as u32);
        let step = if row.end_sequence() { 0 } else { line };
        if let Some(same) = steps.last_mut().filter(|last| last.offset == offset) {
            same.step = step;
        } else if steps.last().is_none_or(|last| last.step != step) {
            steps.push(StepAt { offset, step });
        }
    }
    Ok(steps)
}
