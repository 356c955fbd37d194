//! Takes the machine code out of the object file that LLVM writes.
//!
//! The code section and the constants that it reads become one blob, in which the references from
//! code to constants are resolved. A reference to anything else is a defect: thunks name addresses
//! as constants.

use gijit::compile::backend::{MachineCode, Unwind};
use object::{
    File, Object, ObjectSection, ObjectSymbol, RelocationKind, RelocationTarget, SectionIndex,
    SectionKind,
};

/// The code of the one function in `bytes`, an object file.
pub(crate) fn machine_code(bytes: &[u8]) -> Result<MachineCode, String> {
    let file = File::parse(bytes).map_err(|error| error.to_string())?;
    let text = file
        .section_by_name(".text")
        .ok_or("the object file has no .text")?;
    let mut code = text.data().map_err(|error| error.to_string())?.to_vec();
    let mut placed: Vec<(SectionIndex, usize)> = vec![(text.index(), 0)];
    let mut align = text.align().max(16);
    for section in file.sections() {
        let constants = matches!(section.kind(), SectionKind::ReadOnlyData)
            && section.name().is_ok_and(|name| name.starts_with(".rodata"));
        if constants && section.size() > 0 {
            align = align.max(section.align());
            code.resize(code.len().next_multiple_of(section.align() as usize), 0);
            placed.push((section.index(), code.len()));
            code.extend_from_slice(section.data().map_err(|error| error.to_string())?);
        }
    }
    for (offset, relocation) in text.relocations() {
        let target = section_offset(&file, relocation.target(), &placed)?;
        if relocation.kind() != RelocationKind::Relative || relocation.size() != 32 {
            return Err(format!("unexpected relocation in .text: {relocation:?}"));
        }
        let value = target as i64 + relocation.addend() - offset as i64;
        let value = i32::try_from(value).map_err(|_| "a constant is out of reach".to_owned())?;
        code[offset as usize..offset as usize + 4].copy_from_slice(&value.to_le_bytes());
    }
    let entry = file
        .symbols()
        .find(|symbol| symbol.name() == Ok(crate::translate::ENTRY))
        .ok_or("the object file lacks the thunk")?
        .address() as usize;
    Ok(MachineCode {
        bytes: code,
        align: align as usize,
        entry,
        unwind: unwind(&file)?,
    })
}

/// Where in the blob a relocation points to.
fn section_offset(
    file: &File<'_>,
    target: RelocationTarget,
    placed: &[(SectionIndex, usize)],
) -> Result<usize, String> {
    let (section, inside) = match target {
        RelocationTarget::Section(index) => (index, 0),
        RelocationTarget::Symbol(index) => {
            let symbol = file
                .symbol_by_index(index)
                .map_err(|error| error.to_string())?;
            let section = symbol
                .section_index()
                .ok_or("a relocation to an outside symbol")?;
            (section, symbol.address() as usize)
        }
        other => return Err(format!("a relocation to {other:?}")),
    };
    placed
        .iter()
        .find(|(index, _)| *index == section)
        .map(|(_, offset)| offset + inside)
        .ok_or_else(|| "a relocation to a section that holds no constants".to_owned())
}

/// The `.eh_frame` section: its one relocation is the function's start.
fn unwind(file: &File<'_>) -> Result<Option<Unwind>, String> {
    let Some(section) = file.section_by_name(".eh_frame") else {
        return Ok(None);
    };
    let bytes = section.data().map_err(|error| error.to_string())?.to_vec();
    let mut relocations = section.relocations();
    match (relocations.next(), relocations.next()) {
        (Some((offset, relocation)), None)
            if relocation.kind() == RelocationKind::Relative && relocation.size() == 32 =>
        {
            Ok(Some(Unwind::EhFrame {
                bytes,
                pc_begin: offset as usize,
                width: 4,
            }))
        }
        _ => Err("unexpected relocations in .eh_frame".to_owned()),
    }
}
