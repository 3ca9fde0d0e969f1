//! An ELF executable as the kernel and the dynamic linker see it: by its segments.
//! Sections may be stripped, so nothing is looked up there.

use super::InspectError;
use crate::machine::Machine;
use object::elf::{self, FileHeader64};
use object::endian::LittleEndian;
use object::read::elf::{FileHeader, ProgramHeader};
use object::read::{ReadRef, StringTable};

pub(super) const ENDIAN: LittleEndian = LittleEndian;

type Header = FileHeader64<LittleEndian>;
type Segment = elf::ProgramHeader64<LittleEndian>;
type Dynamic = elf::Dyn64<LittleEndian>;

/// A whole 64-bit little-endian executable for Linux.
pub(super) struct Executable<'a> {
    file: &'a [u8],
    header: &'a Header,
    segments: &'a [Segment],
    dynamic: &'a [Dynamic],
}

impl<'a> Executable<'a> {
    /// Reads its tables.
    pub fn read(file: &'a [u8]) -> Result<Self, InspectError> {
        let header = Header::parse(file).map_err(|_| InspectError::NotElf)?;
        let ident = header.e_ident();
        let little = header.is_little_endian();
        let linux = [elf::ELFOSABI_SYSV, elf::ELFOSABI_GNU].contains(&ident.os_abi);
        if !header.is_class_64() || !little || !linux {
            return Err(InspectError::NotElf);
        }
        let kind = header.e_type(ENDIAN);
        if ![elf::ET_EXEC, elf::ET_DYN].contains(&kind) || header.e_entry(ENDIAN) == 0 {
            return Err(InspectError::NotExecutable);
        }
        let segments = header
            .program_headers(ENDIAN, file)
            .map_err(|_| InspectError::CutOff)?;
        let mut dynamic: &[Dynamic] = &[];
        for segment in segments {
            segment
                .data(ENDIAN, file)
                .map_err(|()| InspectError::CutOff)?;
            let of_segment = segment.dynamic(ENDIAN, file);
            if let Some(entries) = of_segment.map_err(|_| InspectError::CutOff)? {
                dynamic = entries;
            }
        }
        let executable = Self {
            file,
            header,
            segments,
            dynamic,
        };
        executable.must_be_whole()?;
        Ok(executable)
    }

    /// The table of sections comes last in the file: it is missed where a writer was
    /// stopped.
    fn must_be_whole(&self) -> Result<(), InspectError> {
        let count = u64::from(self.header.e_shnum(ENDIAN));
        let size = count * u64::from(self.header.e_shentsize(ENDIAN));
        let end = self.header.e_shoff(ENDIAN).checked_add(size);
        match end {
            Some(end) if end <= self.file.len() as u64 => Ok(()),
            _ => Err(InspectError::CutOff),
        }
    }

    /// Checks the processor.
    pub fn must_run_on(&self, wanted: Machine) -> Result<(), InspectError> {
        let found = match self.header.e_machine(ENDIAN) {
            elf::EM_X86_64 => Some(Machine::X86_64),
            elf::EM_AARCH64 => Some(Machine::Arm64),
            _ => None,
        };
        if found == Some(wanted) {
            return Ok(());
        }
        Err(InspectError::WrongMachine { found, wanted })
    }

    /// What the kernel starts it by; `None` where it starts by itself.
    pub fn loader(&self) -> Result<Option<String>, InspectError> {
        for segment in self.segments {
            let loader = segment.interpreter(ENDIAN, self.file);
            if let Some(loader) = loader.map_err(|_| InspectError::CutOff)? {
                return Ok(Some(text(loader)));
            }
        }
        Ok(None)
    }

    /// The values of a tag of the dynamic segment.
    pub fn dynamic(&self, tag: elf::DynamicTag) -> impl Iterator<Item = u64> {
        let entries = self.dynamic.iter();
        entries
            .take_while(|entry| entry.d_tag.get(ENDIAN) != elf::DT_NULL)
            .filter(move |entry| entry.d_tag.get(ENDIAN) == tag)
            .map(|entry| entry.d_val.get(ENDIAN))
    }

    /// What lies in the file from this address of the running program on, to the end of
    /// its segment.
    pub fn at_address(&self, address: u64) -> Option<&'a [u8]> {
        self.segments.iter().find_map(|segment| {
            let start = segment.p_vaddr(ENDIAN);
            let size = segment.p_filesz(ENDIAN);
            let skipped = address.checked_sub(start)?;
            if segment.p_type(ENDIAN) != elf::PT_LOAD || skipped >= size {
                return None;
            }
            let data = segment.data(ENDIAN, self.file).ok()?;
            data.get(usize::try_from(skipped).ok()?..)
        })
    }

    /// The names that the dynamic segment's entries refer to.
    pub fn strings(&self) -> Option<Strings<'a>> {
        let bytes = self.at_address(self.dynamic(elf::DT_STRTAB).next()?)?;
        let size = self.dynamic(elf::DT_STRSZ).next()?;
        Some(Strings(StringTable::new(bytes, 0, size)))
    }
}

/// The dynamic linker's names.
pub(super) struct Strings<'a>(StringTable<'a>);

impl Strings<'_> {
    /// The one at this place.
    pub fn at(&self, offset: u64) -> Option<String> {
        let bytes = self.0.get(u32::try_from(offset).ok()?).ok()?;
        Some(text(bytes))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A table's entry at this place.
pub(super) fn entry<T: object::pod::Pod>(table: &[u8], offset: u64) -> Option<&T> {
    table.read_at(offset).ok()
}
