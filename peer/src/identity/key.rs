//! This peer's long-lived key, in the file `identity.pem`: the private key, and one certificate around it that nobody vouches
//! for. Others know the peer by the key's fingerprint; nothing else in the certificate matters to anyone.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::Fingerprint;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

use super::private::{self, Placed, Unreadable};

/// The file in the data directory. `curl --cert` takes it as it is.
const FILE: &str = "identity.pem";

/// A peer's key, with the certificate that carries it. Clones share it.
#[derive(Clone)]
pub struct Key {
    certified: Arc<CertifiedKey>,
    fingerprint: Fingerprint,
}

/// Why this peer has no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Its file cannot be read, or is not its owner's alone.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Its file is not a key with its certificate.
    #[error(
        "{} is not the key of a peer: {why}. Restore it from a backup; or move it away for a new key, which those who know this peer then have to `peer trust`",
        path.display()
    )]
    Garbled {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// None could be made.
    #[error("no key could be made: {0}")]
    NotMade(rcgen::Error),
    /// It could not be written.
    #[error("{} cannot be written: {source}", path.display())]
    NotWritten {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Key {
    /// The key in this data directory; none before the first start.
    pub fn load(data_dir: &Path) -> Result<Option<Self>, KeyError> {
        let path = data_dir.join(FILE);
        let Some(pem) = private::read(&path)? else { return Ok(None) };
        let key = Self::parse(&pem).map_err(|why| KeyError::Garbled { path, why })?;
        Ok(Some(key))
    }

    /// The key in this data directory, made and synced to the disk the first time; and whether it was made here. Of several
    /// who make one at the same time all get the same, and one of them has made it.
    pub fn load_or_make(data_dir: &Path) -> Result<(Self, Placed), KeyError> {
        if let Some(key) = Self::load(data_dir)? {
            return Ok((key, Placed::Before));
        }
        let path = data_dir.join(FILE);
        let pem = new_pem().map_err(KeyError::NotMade)?;
        let not_written = |source| KeyError::NotWritten { path: path.clone(), source };
        let placed = private::place(&path, pem.as_bytes()).map_err(not_written)?;
        let key = Self::load(data_dir)?.ok_or_else(|| not_written(io::ErrorKind::NotFound.into()))?;
        Ok((key, placed))
    }

    fn parse(pem: &[u8]) -> Result<Self, String> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|error| format!("its certificate cannot be read ({error})"))?;
        let [certificate] = chain.as_slice() else {
            return Err(format!("it holds {} certificates instead of one", chain.len()));
        };
        let fingerprint = ParsedCertificate::try_from(certificate)
            .map(|parsed| Fingerprint::of_public_key(&parsed.subject_public_key_info()))
            .map_err(|error| format!("its certificate cannot be used ({error})"))?;
        let secret = PrivateKeyDer::from_pem_slice(pem)
            .map_err(|error| format!("it holds no private key without a password ({error})"))?;
        let certified = CertifiedKey::from_der(chain, secret, &listener::provider());
        let certified = certified.and_then(|certified| certified.keys_match().map(|()| certified));
        let certified = certified.map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                "its certificate is for another key".to_owned()
            }
            error => format!("its private key cannot be used ({error})"),
        })?;
        Ok(Self { certified: Arc::new(certified), fingerprint })
    }

    /// What others know this peer by.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// What this peer proves itself with.
    #[must_use]
    pub fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.fingerprint.to_string()).finish()
    }
}

/// A new key on the curve P-256, which every TLS library takes, and a certificate around it that does not end in this
/// millennium.
fn new_pem() -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "recado");
    let certificate = params.self_signed(&key)?;
    Ok(key.serialize_pem() + &certificate.pem())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder(text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        private::replace(&folder.path().join(FILE), text.as_bytes()).unwrap();
        folder
    }

    fn pem(key: &KeyPair) -> (String, String) {
        let certificate = CertificateParams::default().self_signed(key).unwrap();
        (key.serialize_pem(), certificate.pem())
    }

    #[test]
    fn a_key_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Key::load(folder.path()).unwrap().is_none());
        let (key, made) = Key::load_or_make(folder.path()).unwrap();
        let (again, found) = Key::load_or_make(folder.path()).unwrap();
        assert_eq!((made, found), (Placed::New, Placed::Before));
        assert_eq!(key.fingerprint(), again.fingerprint());
        assert_eq!(key.certified().cert, again.certified().cert);
        let text = fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(
            text.starts_with("-----BEGIN PRIVATE KEY-----") && text.contains("-----BEGIN CERTIFICATE-----")
        );
        let shown = format!("{key:?}");
        assert_eq!(shown, format!("Key(\"{}\")", key.fingerprint()));
    }

    #[test]
    fn many_who_make_one_at_the_same_time_have_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let start = std::sync::Barrier::new(8);
        let made: Vec<_> = std::thread::scope(|scope| {
            let make = || {
                start.wait();
                Key::load_or_make(folder.path()).unwrap()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(made.iter().all(|(key, _)| key.fingerprint() == made[0].0.fingerprint()), "{made:?}");
        assert_eq!(made.iter().filter(|(_, placed)| *placed == Placed::New).count(), 1, "{made:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left aside");
    }

    #[test]
    fn keys_of_other_kinds_are_taken() {
        for algorithm in
            [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519]
        {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let (secret, certificate) = pem(&key);
            let spki = rcgen::PublicKeyData::subject_public_key_info(&key);
            for text in [format!("{secret}{certificate}"), format!("{certificate}{secret}")] {
                let loaded = Key::load(folder(&text).path()).unwrap().unwrap();
                assert_eq!(loaded.fingerprint(), Fingerprint::of_public_key(&spki), "{algorithm:?}");
            }
        }
    }

    #[test]
    fn what_is_no_key_with_its_certificate_is_said_with_what_to_do() {
        let (ours, theirs) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let ((secret, certificate), (_, other)) = (pem(&ours), pem(&theirs));
        let scrambled = certificate.replace("\nMI", "\nAA");
        for (text, why) in [
            (String::new(), "0 certificates"),
            ("oops".to_owned(), "0 certificates"),
            (secret.clone(), "0 certificates"),
            (certificate.clone(), "no private key"),
            (format!("{secret}{certificate}{certificate}"), "2 certificates"),
            (format!("{secret}{other}"), "for another key"),
            (format!("{secret}{scrambled}"), "its certificate cannot be used"),
            (format!("{secret}{}", &certificate[..90]), "its certificate cannot be read"),
            (secret.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY") + &certificate, "no private key without"),
            (secret.replace("\nM", "\nA") + &certificate, "its private key cannot be used"),
        ] {
            let folder = folder(&text);
            let said = Key::load_or_make(folder.path()).unwrap_err().to_string();
            let path = folder.path().join(FILE);
            assert!(said.starts_with(&path.display().to_string()) && said.contains(why), "{why}: {said}");
            assert!(said.contains("Restore it from a backup; or move it away"), "{said}");
            assert_eq!(fs::read_to_string(path).unwrap(), text, "it is left as it was");
        }
    }
}
