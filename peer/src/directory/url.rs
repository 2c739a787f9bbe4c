//! Where a directory is, and what vouches for it.

use std::fmt;
use std::str::FromStr;

use protocol::{Address, Fingerprint, address};
use reqwest::Url;

use crate::client::Vouching;

/// Where a directory is: a scheme, a host, and a port if it is not the scheme's own; and the key that it has to have, if
/// that was said. As text, and as what its token is kept by, it is the URL alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryUrl {
    url: Url,
    pin: Option<Fingerprint>,
}

/// Why a text is not the URL of a directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryUrlError {
    /// Something else.
    #[error("a directory's URL is a scheme, a host and a port, as in http://127.0.0.1:7100")]
    Shape,
    /// Behind the `#` stands something else than a fingerprint.
    #[error(
        "behind the # of a directory's URL stands the fingerprint of its key, 52 characters of lower-case base32"
    )]
    Fingerprint,
    /// A key is expected of one that shows none.
    #[error("only a directory at an https:// URL can show that it has the key behind the #")]
    PinWithoutTls,
}

impl DirectoryUrl {
    /// The URL of one of its paths.
    pub(super) fn at(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(path);
        url
    }

    /// The key that it has to have.
    #[must_use]
    pub fn pin(&self) -> Option<Fingerprint> {
        self.pin
    }

    /// As it would be typed, with the key that it has to have.
    #[must_use]
    pub fn typed(&self) -> String {
        self.pin.map_or_else(|| self.to_string(), |pin| format!("{self}#{pin}"))
    }

    /// What vouches for whoever answers there.
    #[must_use]
    pub fn vouching(&self) -> Vouching {
        match (self.url.scheme(), self.pin) {
            ("https", Some(key)) => Vouching::Key(key),
            ("https", None) => Vouching::SystemRoots,
            _ => Vouching::Nobody,
        }
    }

    /// Whether what is asked and answered can be read and changed on its way through a network.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        let port = self.url.port_or_known_default().unwrap_or_default();
        let host = self.url.host_str().unwrap_or_default();
        let here = format!("http://{host}:{port}").parse::<Address>();
        let here = here.is_ok_and(|address| address.reach() == address::Reach::Loopback);
        self.vouching() == Vouching::Nobody && !here
    }
}

impl FromStr for DirectoryUrl {
    type Err = DirectoryUrlError;

    fn from_str(text: &str) -> Result<Self, DirectoryUrlError> {
        let mut url = Url::parse(text).map_err(|_| DirectoryUrlError::Shape)?;
        let is_bare = url.path() == "/"
            && url.query().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && matches!(url.scheme(), "http" | "https");
        if !is_bare {
            return Err(DirectoryUrlError::Shape);
        }
        let pin = url.fragment().map(str::parse).transpose().map_err(|_| DirectoryUrlError::Fingerprint)?;
        if pin.is_some() && url.scheme() != "https" {
            return Err(DirectoryUrlError::PinWithoutTls);
        }
        url.set_fragment(None);
        Ok(Self { url, pin })
    }
}

impl fmt::Display for DirectoryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<DirectoryUrl, DirectoryUrlError> {
        text.parse()
    }

    #[test]
    fn what_is_typed_again_has_the_key_too() {
        let key = "gpfdx6zt4jpgc2v32dv7zk7cn4gtqsolschlxwfnhstrvljwo5na";
        for url in [format!("https://dir.example:7100#{key}"), "https://dir.example:7100".to_owned()] {
            assert_eq!(parsed(&url).unwrap().typed(), url);
        }
    }

    #[test]
    fn a_directory_is_a_scheme_a_host_and_a_port() {
        for (typed, spelt) in [
            ("http://127.0.0.1:7100", "http://127.0.0.1:7100"),
            ("http://Dir.Example/", "http://dir.example"),
            ("http://[::1]:7100/", "http://[::1]:7100"),
            ("https://dir.example:443", "https://dir.example"),
        ] {
            assert_eq!(parsed(typed).map(|url| url.to_string()), Ok(spelt.to_owned()));
        }
        for bad in [
            "",
            "127.0.0.1:7100",
            "ftp://h:1",
            "http://h:1/x",
            "http://h:1?q",
            "http://u@h:1",
            "https://u:p@h:1",
        ] {
            assert_eq!(parsed(bad), Err(DirectoryUrlError::Shape), "{bad}");
        }
    }

    #[test]
    fn a_key_behind_it_is_no_part_of_its_text() {
        let key = Fingerprint::from_bytes([7; 32]);
        let pinned = parsed(&format!("https://dir.example:7100#{key}")).unwrap();
        assert_eq!(pinned.to_string(), "https://dir.example:7100");
        assert_eq!((pinned.pin(), pinned.vouching()), (Some(key), Vouching::Key(key)));
        assert_eq!(pinned.at("/peers").as_str(), "https://dir.example:7100/peers");
        assert_eq!(parsed("https://h:1").unwrap().vouching(), Vouching::SystemRoots);
        assert_eq!(parsed("http://h:1").unwrap().vouching(), Vouching::Nobody);
        for bad in ["https://h:1#", "https://h:1#f", &format!("https://h:1#{key}#")] {
            assert_eq!(parsed(bad), Err(DirectoryUrlError::Fingerprint), "{bad}");
        }
        assert_eq!(parsed(&format!("http://h:1#{key}")), Err(DirectoryUrlError::PinWithoutTls));
    }

    #[test]
    fn plain_http_to_another_host_is_exposed() {
        for (typed, exposed) in [
            ("http://127.0.0.1:7100", false),
            ("http://127.1:7100", false),
            ("http://localhost", false),
            ("http://[::1]:7100", false),
            ("https://dir.example", false),
            ("http://dir.example", true),
            ("http://192.168.1.7:7100", true),
            ("http://[2001:db8::1]", true),
        ] {
            assert_eq!(parsed(typed).unwrap().is_exposed(), exposed, "{typed}");
        }
    }
}
