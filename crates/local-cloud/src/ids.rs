//! Ids in the shapes AWS gives them, out of one injected source.

use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use cloud_model::IdSource;

/// Randomness of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn next_u64(&mut self) -> u64 {
        // A v4 UUID has six fixed bits; they lie apart in its two halves.
        let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
        high ^ low
    }
}

/// The source, shared by all tasks.
pub(crate) struct Ids(Mutex<Box<dyn IdSource + Send>>);

impl Ids {
    pub(crate) fn new(source: Box<dyn IdSource + Send>) -> Self {
        Self(Mutex::new(source))
    }

    /// Lends the source itself, for the model.
    pub(crate) fn with<T>(&self, use_source: impl FnOnce(&mut dyn IdSource) -> T) -> T {
        let mut source = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        use_source(&mut **source)
    }

    fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.with(|source| {
            for chunk in bytes.chunks_mut(8) {
                let random = source.next_u64().to_le_bytes();
                chunk.copy_from_slice(&random[..chunk.len()]);
            }
        });
        bytes
    }

    /// Connection, request and message ids: 15 URL-safe characters and `=`.
    pub(crate) fn websocket_id(&self) -> String {
        URL_SAFE.encode(self.bytes::<11>())
    }

    /// Lambda request ids.
    pub(crate) fn uuid(&self) -> String {
        uuid::Builder::from_random_bytes(self.bytes())
            .into_uuid()
            .to_string()
    }

    /// 32 hexadecimal digits, as log streams end in.
    pub(crate) fn hex32(&self) -> String {
        format!("{:032x}", u128::from_le_bytes(self.bytes()))
    }

    /// An X-Ray root id: `1-` + seconds + 96 random bits.
    pub(crate) fn trace_root(&self, epoch_seconds: i64) -> String {
        let random = self.hex32();
        format!("Root=1-{epoch_seconds:08x}-{}", &random[..24])
    }

    /// A segment id, 16 hexadecimal digits.
    pub(crate) fn trace_segment(&self) -> String {
        format!("{:016x}", u64::from_le_bytes(self.bytes()))
    }

    /// A temporary access key id: `ASIA` and 16 capital letters or digits.
    pub(crate) fn access_key_id(&self) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let random = self.bytes::<16>();
        let tail = random.map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
        format!("ASIA{}", String::from_iter(tail))
    }

    /// 40 characters, as secret access keys have.
    pub(crate) fn secret(&self) -> String {
        URL_SAFE.encode(self.bytes::<30>())
    }
}

/// Whether `id` could ever have been a connection's: others are a bad request,
/// not a gone connection.
pub(crate) fn is_connection_id(id: &str) -> bool {
    id.strip_suffix('=').is_some_and(|body| {
        body.len() == 15
            && body
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> Ids {
        Ids::new(Box::new(RandomIds))
    }

    #[test]
    fn connection_ids_have_the_shape_aws_gives_them() {
        let id = ids().websocket_id();
        assert!(is_connection_id(&id), "{id}");
        assert_eq!(id.len(), 16);
        assert!(is_connection_id("d4NsecoByQ0CH-Q="));
        for malformed in [
            "",
            "=",
            "short=",
            "d4NsecoByQ0CH-Q",
            "d4NsecoByQ0CH+Q=",
            "äääääääääääääää=",
        ] {
            assert!(!is_connection_id(malformed), "{malformed}");
        }
    }

    #[test]
    fn temporary_keys_and_trace_roots_have_their_shapes() {
        let key = ids().access_key_id();
        assert!(key.starts_with("ASIA") && key.len() == 20, "{key}");
        assert_eq!(ids().secret().len(), 40);
        let root = ids().trace_root(0x65d2_ff2e);
        assert!(
            root.starts_with("Root=1-65d2ff2e-") && root.len() == 40,
            "{root}"
        );
    }
}
