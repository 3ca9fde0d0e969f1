//! SHA-256 in the two spellings that are needed: Lambda's (base64) and `sha256sum`'s (hex).

use base64::Engine;
use sha2::{Digest, Sha256};

/// A SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum([u8; 32]);

impl Sum {
    /// Of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// As Lambda reports it.
    pub fn base64(self) -> String {
        base64::engine::general_purpose::STANDARD.encode(self.0)
    }

    /// As `sha256sum` prints it.
    pub fn hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_those_of_the_standards_example() {
        // FIPS 180-2, appendix B.1: the message "abc".
        let sum = Sum::of(b"abc");
        assert_eq!(
            sum.hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(sum.base64(), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }
}
