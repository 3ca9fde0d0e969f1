//! The smallest ELF files that have what is looked at, for tests: any processor, loader,
//! libraries and versions, without a compiler for them.

use crate::machine::Machine;

const HEADER: usize = 64;
const SEGMENT: usize = 56;

/// A version that a library must have.
#[derive(Clone)]
pub(crate) struct Version {
    name: String,
    weak: bool,
}

impl Version {
    pub fn strong(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            weak: false,
        }
    }

    pub fn weak(name: &str) -> Self {
        Self {
            weak: true,
            ..Self::strong(name)
        }
    }
}

/// What the file is to say of itself.
pub(crate) struct TinyElf {
    machine: Machine,
    entry: u64,
    loader: Option<String>,
    libraries: Vec<(String, Vec<Version>)>,
}

impl TinyElf {
    /// Dynamically linked, needing nothing yet.
    pub fn new(machine: Machine) -> Self {
        let loader = match machine {
            Machine::X86_64 => "/lib64/ld-linux-x86-64.so.2",
            Machine::Arm64 => "/lib/ld-linux-aarch64.so.1",
        };
        Self::static_one(machine).loader(loader)
    }

    /// Without loader and libraries.
    pub fn static_one(machine: Machine) -> Self {
        Self {
            machine,
            entry: 0x40,
            loader: None,
            libraries: Vec::new(),
        }
    }

    pub fn loader(mut self, loader: &str) -> Self {
        self.loader = Some(loader.to_owned());
        self
    }

    pub fn entry(mut self, entry: u64) -> Self {
        self.entry = entry;
        self
    }

    pub fn needs(mut self, library: &str, versions: &[Version]) -> Self {
        self.libraries.push((library.to_owned(), versions.to_vec()));
        self
    }

    /// The file: header, segments (all of it, loader, dynamic), names, versions, the
    /// dynamic segment, and one empty section as the last thing, as linkers have it.
    pub fn bytes(&self) -> Vec<u8> {
        let mut strings = vec![0_u8];
        let mut name = |text: &str| {
            let place = strings.len();
            strings.extend(text.bytes().chain([0]));
            place
        };
        let loader = self.loader.as_deref().map(&mut name);
        let needed: Vec<usize> = self.libraries.iter().map(|(n, _)| name(n)).collect();
        let mut versions = Vec::new();
        let versioned: Vec<_> = self.libraries.iter().zip(&needed).collect();
        for (index, ((_, wanted), library)) in versioned.iter().enumerate() {
            let next = 16 + 16 * wanted.len();
            let last = index + 1 == versioned.len();
            half(&mut versions, &[1, wanted.len()]);
            let to_next = if last { 0 } else { next };
            word(&mut versions, &[**library, 16, to_next]);
            for (index, version) in wanted.iter().enumerate() {
                word(&mut versions, &[0]);
                half(
                    &mut versions,
                    &[if version.weak { 2 } else { 0 }, 2 + index],
                );
                word(&mut versions, &[name(&version.name), 16]);
            }
        }
        strings.resize(strings.len().next_multiple_of(8), 0);
        let strings_at = HEADER + 3 * SEGMENT;
        let versions_at = strings_at + strings.len();
        let dynamic_at = versions_at + versions.len();
        let mut dynamic = Vec::new();
        for place in &needed {
            long(&mut dynamic, &[1, *place]);
        }
        long(&mut dynamic, &[5, strings_at, 10, strings.len()]);
        if !self.libraries.is_empty() {
            let count = self.libraries.len();
            long(
                &mut dynamic,
                &[0x6fff_fffe, versions_at, 0x6fff_ffff, count],
            );
        }
        long(&mut dynamic, &[0, 0]);
        let sections_at = dynamic_at + dynamic.len();

        let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        let machine = match self.machine {
            Machine::X86_64 => 62,
            Machine::Arm64 => 183,
        };
        half(&mut file, &[3, machine]);
        word(&mut file, &[1]);
        file.extend(self.entry.to_le_bytes());
        long(&mut file, &[HEADER, sections_at]);
        word(&mut file, &[0]);
        half(&mut file, &[HEADER, SEGMENT, 3, 64, 1, 0]);
        let mut segment = |kind: usize, from: usize, size: usize| {
            word(&mut file, &[kind, 4]);
            long(&mut file, &[from, from, from, size, size, 8]);
        };
        segment(1, 0, sections_at);
        match loader {
            Some(place) => {
                let length = self.loader.as_deref().map_or(0, str::len) + 1;
                segment(3, strings_at + place, length);
            }
            None => segment(0, 0, 0),
        }
        segment(2, dynamic_at, dynamic.len());
        for part in [strings, versions, dynamic, vec![0; 64]] {
            file.extend(part);
        }
        file
    }
}

fn half(to: &mut Vec<u8>, values: &[usize]) {
    to.extend(
        values
            .iter()
            .flat_map(|value| (*value as u16).to_le_bytes()),
    );
}

fn word(to: &mut Vec<u8>, values: &[usize]) {
    to.extend(
        values
            .iter()
            .flat_map(|value| (*value as u32).to_le_bytes()),
    );
}

fn long(to: &mut Vec<u8>, values: &[usize]) {
    to.extend(
        values
            .iter()
            .flat_map(|value| (*value as u64).to_le_bytes()),
    );
}
