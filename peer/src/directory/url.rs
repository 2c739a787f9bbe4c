//! Where a directory is.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;

/// Where a directory is: a scheme, a host, and a port if it is not the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryUrl(Url);

/// Why a text is not the URL of a directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryUrlError {
    /// Something else.
    #[error("a directory's URL is a scheme, a host and a port, as in http://127.0.0.1:7100")]
    Shape,
    /// TLS, which comes with keys.
    #[error("this version speaks only plain http:// to its directory")]
    Tls,
}

impl DirectoryUrl {
    /// The URL of one of its paths.
    pub(super) fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        url
    }
}

impl FromStr for DirectoryUrl {
    type Err = DirectoryUrlError;

    fn from_str(text: &str) -> Result<Self, DirectoryUrlError> {
        let url = Url::parse(text).map_err(|_| DirectoryUrlError::Shape)?;
        let is_bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        match url.scheme() {
            "http" if is_bare => Ok(Self(url)),
            "https" => Err(DirectoryUrlError::Tls),
            _ => Err(DirectoryUrlError::Shape),
        }
    }
}

impl fmt::Display for DirectoryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_a_scheme_a_host_and_a_port() {
        for (typed, spelt) in [
            ("http://127.0.0.1:7100", "http://127.0.0.1:7100"),
            ("http://Dir.Example/", "http://dir.example"),
            ("http://[::1]:7100/", "http://[::1]:7100"),
        ] {
            assert_eq!(typed.parse::<DirectoryUrl>().map(|url| url.to_string()), Ok(spelt.to_owned()));
        }
        for bad in [
            "",
            "127.0.0.1:7100",
            "ftp://h:1",
            "http://h:1/x",
            "http://h:1?q",
            "http://h:1#f",
            "http://u@h:1",
        ] {
            assert_eq!(bad.parse::<DirectoryUrl>(), Err(DirectoryUrlError::Shape), "{bad}");
        }
        assert_eq!("https://h:1".parse::<DirectoryUrl>(), Err(DirectoryUrlError::Tls));
    }
}
