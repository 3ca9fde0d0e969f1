//! What is kept, what is made anew, and what the authority may vouch for.

use std::sync::Arc;

use super::*;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{ServerName, UnixTime};
use tokio_rustls::rustls::{CertificateError, Error, RootCertStore};

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn of(dir: &Path, at: Timestamp) -> Authority {
    Authority::load_or_make(dir, at).unwrap()
}

/// What a client that trusts the authority makes of a certificate for these names.
fn verified(authority: &Authority, names: &[&str], asked: &str) -> Result<(), Error> {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    (params.not_before, params.not_after) = valid(now(), DAY).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = params.signed_by(&key, &authority.issuer).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate.clone()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
    let seconds = u64::try_from(now().as_second()).unwrap();
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
    let asked = ServerName::try_from(asked).unwrap();
    let verifier = verifier.build().unwrap();
    let verdict = verifier.verify_server_cert(leaf.der(), &[], &asked, &[], at);
    verdict.map(|_| ())
}

#[test]
fn an_authority_is_found_again_until_it_has_little_left() {
    let dir = tempfile::tempdir().unwrap();
    let first = of(dir.path(), now());
    let last = now() + LIFETIME - LEAST_LEFT - DAY;
    assert_eq!(of(dir.path(), last).der(), first.der());
    let later = now() + LIFETIME - LEAST_LEFT + DAY;
    let next = of(dir.path(), later);
    assert_ne!(next.der(), first.der());
    assert_eq!(of(dir.path(), later).der(), next.der());
}

#[test]
fn an_authority_of_the_future_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let first = of(dir.path(), now());
    assert_ne!(of(dir.path(), now() - DAY - DAY).der(), first.der());
}

#[test]
fn files_that_cannot_be_read_or_do_not_fit_are_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let before = of(dir.path(), now());
    of(other.path(), now());
    // As after a crash between the two.
    fs::copy(other.path().join(KEY), dir.path().join(KEY)).unwrap();
    let fitting = of(dir.path(), now());
    assert_ne!(fitting.der(), before.der());
    for file in [KEY, CERTIFICATE] {
        let before = of(dir.path(), now());
        fs::write(dir.path().join(file), "-----BEGIN ").unwrap();
        assert_ne!(of(dir.path(), now()).der(), before.der(), "{file}");
        fs::remove_file(dir.path().join(file)).unwrap();
        assert_eq!(
            verified(&of(dir.path(), now()), &["localhost"], "localhost"),
            Ok(())
        );
    }
}

#[test]
fn the_key_is_its_owners_alone_and_the_certificate_everybodys() {
    let dir = tempfile::tempdir().unwrap();
    let authority = of(dir.path(), now());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir.path().join(KEY)), 0o600);
    assert_eq!(mode(authority.path()), 0o644);
}

#[test]
fn clouds_that_start_at_once_agree_on_one_authority() {
    let dir = tempfile::tempdir().unwrap();
    let ders: Vec<_> = std::thread::scope(|scope| {
        let start = || of(dir.path(), now()).der().to_vec();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(ders.iter().all(|der| *der == ders[0]));
}

#[test]
fn it_vouches_for_this_machine_and_for_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let authority = of(dir.path(), now());
    for name in ["localhost", "chat.localhost", "127.0.0.1", "::1"] {
        assert_eq!(verified(&authority, &[name], name), Ok(()), "{name}");
    }
    for name in [
        "example.com",
        "localhost.example.com",
        "127.0.0.2",
        "10.0.0.1",
    ] {
        let refused = verified(&authority, &[name], name).unwrap_err();
        let Error::InvalidCertificate(CertificateError::Other(why)) = &refused else {
            panic!("{name}: {refused}");
        };
        assert!(why.to_string().contains("NameConstraint"), "{name}: {why}");
    }
}
