//! The certificate authority that vouches for this machine's local clouds.
//!
//! It is made at the first start and kept in a directory of its own: whoever trusts
//! it once (a browser, say) need not do so again. It may vouch for this machine
//! only (`localhost`, 127.0.0.1, ::1): should its key get into wrong hands, nobody
//! else's name can be forged with it. The key's file is its owner's alone.
//!
//! Two clouds that start at once agree on one authority by a lock. Certificate and
//! key are two files, each written whole; a crash between them leaves two that don't
//! fit, which are then made anew, as are those that ended or can't be read.
//!
//! Deliberately absent: revocation, intermediate authorities, and putting the
//! certificate into the system's store, which is the user's to decide.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData as _,
};
use time::OffsetDateTime;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca.key";
const LOCK: &str = "lock";

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How long an authority lasts.
const LIFETIME: SignedDuration = SignedDuration::from_hours(5 * 365 * 24);
/// At a start with less than this left, it is made anew.
const LEAST_LEFT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// An authority, ready to sign.
pub(crate) struct Authority {
    pub(super) issuer: Issuer<'static, KeyPair>,
    pub(super) certificate: CertificateDer<'static>,
    path: PathBuf,
}

impl Authority {
    /// The one in this directory, made if there is none that serves.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn load_or_make(dir: &Path, now: Timestamp) -> io::Result<Self> {
        // Most starts find one and need not wait for anybody, nor write.
        if let Some(found) = load(dir, now) {
            return Ok(found);
        }
        fs::create_dir_all(dir)?;
        let lock = File::create(dir.join(LOCK))?;
        lock.lock()?;
        match load(dir, now) {
            Some(made_meanwhile) => Ok(made_meanwhile),
            None => make(dir, now),
        }
    }

    /// Where its certificate lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its certificate, DER.
    pub(crate) fn der(&self) -> &[u8] {
        &self.certificate
    }
}

/// `None`: there is none that serves now.
fn load(dir: &Path, now: Timestamp) -> Option<Authority> {
    let path = dir.join(CERTIFICATE).canonicalize().ok()?;
    let certificate = CertificateDer::from_pem_file(&path).ok()?;
    let key = KeyPair::from_pem(&fs::read_to_string(dir.join(KEY)).ok()?).ok()?;
    let (_, parsed) = x509_parser::parse_x509_certificate(&certificate).ok()?;
    let validity = parsed.validity();
    let begins = Timestamp::from_second(validity.not_before.timestamp()).ok()?;
    let ends = Timestamp::from_second(validity.not_after.timestamp()).ok()?;
    let serves = begins <= now
        && now + LEAST_LEFT < ends
        && parsed.public_key().raw == key.subject_public_key_info();
    let issuer = Issuer::from_ca_cert_der(&certificate, key).ok()?;
    serves.then_some(Authority {
        issuer,
        certificate,
        path,
    })
}

fn make(dir: &Path, now: Timestamp) -> io::Result<Authority> {
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let params = params(now)?;
    let made = params.self_signed(&key).map_err(io::Error::other)?;
    // Only its owner may read what `tempfile` makes.
    write(dir, KEY, &key.serialize_pem(), None)?;
    let everybody = fs::Permissions::from_mode(0o644);
    write(dir, CERTIFICATE, &made.pem(), Some(everybody))?;
    Ok(Authority {
        issuer: Issuer::new(params, key),
        certificate: made.der().clone(),
        path: dir.join(CERTIFICATE).canonicalize()?,
    })
}

fn params(now: Timestamp) -> io::Result<CertificateParams> {
    let mut params = CertificateParams::default();
    // In a list of authorities one tells them apart by their names.
    let (day, id) = (now.strftime("%Y-%m-%d"), uuid::Uuid::new_v4().simple());
    let name = format!("deployer's local cloud, {day}, {:.8}", id.to_string());
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let host = |ip: IpAddr| {
        let bits = if ip.is_ipv4() { 32 } else { 128 };
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(ip, bits))
    };
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            // With all names below it.
            GeneralSubtree::DnsName("localhost".to_owned()),
            host(Ipv4Addr::LOCALHOST.into()),
            host(Ipv6Addr::LOCALHOST.into()),
        ],
        excluded_subtrees: Vec::new(),
    });
    (params.not_before, params.not_after) = valid(now, LIFETIME)?;
    Ok(params)
}

/// From a day ago, for clocks differ, until then.
pub(super) fn valid(
    now: Timestamp,
    lifetime: SignedDuration,
) -> io::Result<(OffsetDateTime, OffsetDateTime)> {
    let time = |at: Timestamp| {
        OffsetDateTime::from_unix_timestamp(at.as_second()).map_err(io::Error::other)
    };
    Ok((time(now - DAY)?, time(now + lifetime)?))
}

/// Writes a file whole or not at all.
fn write(
    dir: &Path,
    name: &str,
    text: &str,
    permissions: Option<fs::Permissions>,
) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(text.as_bytes())?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    file.persist(dir.join(name))?;
    Ok(())
}

#[cfg(test)]
mod tests;
