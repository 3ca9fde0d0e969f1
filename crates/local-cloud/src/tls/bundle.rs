//! The file by which functions trust this cloud beside everybody else: the system's
//! roots and the authority's certificate. It replaces the system's roots for whoever
//! reads it, so that both must be in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pem::Pem;

use super::authority::Authority;

const FILE: &str = "ca-bundle.pem";
const CERTIFICATE: &str = "CERTIFICATE";

/// Writes the bundle into a directory; gives its path.
///
/// # Errors
/// When it can't be written. Roots that the system has but can't be read are left
/// out, as they are for every other program on it.
pub(crate) fn write(dir: &Path, authority: &Authority) -> io::Result<PathBuf> {
    let system = rustls_native_certs::load_native_certs().certs;
    let roots = system.iter().map(|root| root.to_vec());
    // First, for most of a function's TLS connections lead to this cloud.
    let all: Vec<_> = std::iter::once(authority.der().to_vec())
        .chain(roots)
        .map(|der| Pem::new(CERTIFICATE, der))
        .collect();
    let path = dir.join(FILE);
    fs::write(&path, pem::encode_many(&all))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn the_bundle_has_the_systems_roots_and_the_authority() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::load_or_make(dir.path(), Timestamp::UNIX_EPOCH).unwrap();
        let path = write(dir.path(), &authority).unwrap();
        let all = pem::parse_many(fs::read(path).unwrap()).unwrap();
        let has = |der: &[u8]| all.iter().any(|pem| pem.contents() == der);
        let system = rustls_native_certs::load_native_certs().certs;
        assert_eq!(all.len(), system.len() + 1);
        assert!(has(authority.der()) && system.iter().all(|root| has(root)));
    }
}
