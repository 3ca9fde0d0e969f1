//! The certificates that clients are shown: short-lived, with a key that never
//! leaves this process.
//!
//! The first is made at the start. A cloud may run for longer than a certificate
//! lasts: whoever comes then has the next one made. A client that calls the cloud by
//! a name below `localhost` gets one for that name, for no wildcard would do:
//! rustls and OpenSSL know none right below a top-level domain.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use tokio_rustls::rustls::crypto::ring::sign::any_ecdsa_type;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::authority::{Authority, valid};
use crate::clock::Clock;

/// How this machine's own clients may call the cloud.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
const BELOW_LOCALHOST: &str = ".localhost";
/// How long a certificate lasts.
const LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);
/// After as long the next one is shown.
const SHOWN: SignedDuration = SignedDuration::from_hours(6 * 24);

/// Makes certificates as they are needed.
pub(super) struct Leaves {
    authority: Authority,
    clock: Arc<dyn Clock>,
    shown: Mutex<Leaf>,
}

#[derive(Clone)]
struct Leaf {
    key: Arc<CertifiedKey>,
    made: Timestamp,
}

impl Leaves {
    /// Makes the first one.
    pub(super) fn new(authority: Authority, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let shown = Mutex::new(make(&authority, &NAMES, clock.now())?);
        Ok(Self {
            authority,
            clock,
            shown,
        })
    }

    fn current(&self) -> Arc<CertifiedKey> {
        let now = self.clock.now();
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if now > shown.made + SHOWN
            && let Ok(next) = make(&self.authority, &NAMES, now)
        {
            *shown = next;
        }
        Arc::clone(&shown.key)
    }
}

impl ResolvesServerCert for Leaves {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match hello.server_name() {
            // Made in less time than the rest of the handshake takes.
            Some(name) if name.ends_with(BELOW_LOCALHOST) => {
                let made = make(&self.authority, &[name], self.clock.now());
                made.ok().map(|leaf| leaf.key)
            }
            _ => Some(self.current()),
        }
    }
}

/// `ServerConfig` wants it; keys are nobody's to print.
impl fmt::Debug for Leaves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaves").finish_non_exhaustive()
    }
}

fn make(authority: &Authority, names: &[&str], now: Timestamp) -> io::Result<Leaf> {
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
    let name = "deployer's local cloud";
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Strict clients (Python 3.13's) ask for it.
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = valid(now, LIFETIME)?;
    let leaf = params
        .signed_by(&key, &authority.issuer)
        .map_err(io::Error::other)?;
    let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signer = any_ecdsa_type(&secret).map_err(io::Error::other)?;
    // Without the authority's own certificate: who trusts it has it.
    let chain = vec![leaf.der().clone()];
    Ok(Leaf {
        key: Arc::new(CertifiedKey::new(chain, signer)),
        made: now,
    })
}

#[cfg(test)]
mod tests;
