//! Ids in AWS's shapes, from numbers that the caller gives.

/// Where ids come from. A simulation gives a seeded sequence, a server random
/// numbers; the model has no randomness of its own.
pub trait IdSource {
    /// The next number. Repeating numbers are survived, but cost id quality.
    fn next_u64(&mut self) -> u64;
}

/// A number from 0.0 up to, but not, 1.0: the drawn number's first 53 bits.
pub(crate) fn fraction(ids: &mut dyn IdSource) -> f64 {
    (ids.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

const LOWERCASE: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const UPPERCASE: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// An id of API Gateway's kind, `[a-z0-9]{length}`, that is not taken.
///
/// Counts up from the drawn number, so that it ends even if the source repeats
/// itself.
pub(crate) fn free_id(
    ids: &mut dyn IdSource,
    length: usize,
    taken: impl Fn(&str) -> bool,
) -> String {
    let mut number = ids.next_u64();
    loop {
        let id = digits(number, LOWERCASE, length);
        if !taken(&id) {
            return id;
        }
        number = number.wrapping_add(1);
    }
}

/// A uuid-shaped id, e.g. of a request or a revision.
pub(crate) fn uuid(ids: &mut dyn IdSource) -> String {
    let (high, low) = (ids.next_u64(), ids.next_u64());
    // The version nibble 4 and the variant bits 10, as a random uuid has them.
    let high = (high & 0xffff_ffff_ffff_0fff) | 0x4000;
    let low = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

/// A role's unique id: `AROA` and 17 characters.
pub(crate) fn role_id(ids: &mut dyn IdSource) -> String {
    let (first, second) = (ids.next_u64(), ids.next_u64());
    format!(
        "AROA{}{}",
        digits(first, UPPERCASE, 12),
        digits(second, UPPERCASE, 5)
    )
}

/// An access key id of a session: `ASIA` and 16 characters.
pub(crate) fn session_key_id(ids: &mut dyn IdSource) -> String {
    let (first, second) = (ids.next_u64(), ids.next_u64());
    format!(
        "ASIA{}{}",
        digits(first, UPPERCASE, 12),
        digits(second, UPPERCASE, 4)
    )
}

/// A managed policy's unique id: `ANPA` and 17 characters.
pub(crate) fn policy_id(ids: &mut dyn IdSource) -> String {
    role_id(ids).replacen("AROA", "ANPA", 1)
}

/// What Secrets Manager appends to a name in its ARN.
pub(crate) fn secret_suffix(ids: &mut dyn IdSource) -> String {
    digits(ids.next_u64(), UPPERCASE, 6)
}

fn digits(mut number: u64, alphabet: &[u8], length: usize) -> String {
    let base = alphabet.len() as u64;
    let mut text = String::with_capacity(length);
    for _ in 0..length {
        text.push(char::from(alphabet[(number % base) as usize]));
        number /= base;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{IdSource, free_id, role_id, uuid};

    struct Constant(u64);

    impl IdSource for Constant {
        fn next_u64(&mut self) -> u64 {
            self.0
        }
    }

    #[test]
    fn a_repeating_source_still_gives_free_ids() {
        let mut ids = Constant(7);
        let first = free_id(&mut ids, 10, |_| false);
        let second = free_id(&mut ids, 10, |id| id == first);
        assert_ne!(first, second);
        assert_eq!(first.len(), 10);
        assert!(
            first
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        );
    }

    #[test]
    fn a_uuid_has_version_four_and_its_variant() {
        let text = uuid(&mut Constant(u64::MAX));
        assert_eq!(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(
            uuid(&mut Constant(0)),
            "00000000-0000-4000-8000-000000000000"
        );
    }

    #[test]
    fn a_role_id_has_21_characters() {
        assert_eq!(role_id(&mut Constant(99)).len(), 21);
    }
}
