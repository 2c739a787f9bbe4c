//! `Accept-Encoding`, RFC 9110, section 12.5.3: whether the client takes gzip, and likes it no less than plain bytes.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;

/// In which form a list is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// As it is.
    Identity,
    /// RFC 1952.
    Gzip,
}

/// The coding for a client that sent these headers. Who refuses both is sent plain bytes: that is better than nothing.
pub(super) fn accepted(headers: &HeaderMap) -> Coding {
    let (mut gzip, mut identity, mut others) = (None, None, None);
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    for element in lines.flat_map(|line| line.split(',')) {
        let (coding, weight) = element.split_once(';').unwrap_or((element, "q=1"));
        let Some(weight) = thousandths(weight) else { continue };
        let coding = coding.trim();
        // "x-gzip" is an old name of it, section 8.4.1.3.
        if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") {
            gzip = Some(weight);
        } else if coding.eq_ignore_ascii_case("identity") {
            identity = Some(weight);
        } else if coding == "*" {
            others = Some(weight);
        }
    }
    // Plain bytes are acceptable without a word, but nobody asks for them.
    match gzip.or(others).unwrap_or(0) {
        gzip if gzip > 0 && gzip >= identity.unwrap_or(0) => Coding::Gzip,
        _ => Coding::Identity,
    }
}

/// A weight, section 12.4.2: `q=`, and up to three decimals from 0 to 1.
fn thousandths(weight: &str) -> Option<u32> {
    let (name, value) = weight.trim().split_once('=')?;
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    let digits = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    let decimals: u32 = format!("{decimals:0<3}").parse().ok().filter(|_| digits)?;
    let weight = match whole {
        "0" => decimals,
        "1" if decimals == 0 => 1000,
        _ => return None,
    };
    name.eq_ignore_ascii_case("q").then_some(weight)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn sent(lines: &[&'static str]) -> Coding {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT_ENCODING, HeaderValue::from_static(line));
        }
        accepted(&headers)
    }

    #[test]
    fn gzip_is_sent_to_who_takes_it() {
        for lines in [
            &["gzip"] as &[_],
            &["GZip"],
            &["x-gzip"],
            &["*"],
            &["deflate, gzip;q=1.0, *;q=0.5"],
            &["br;q=1, gzip ; Q=0.001"],
            &["gzip;q=0.5, identity;q=0.5"],
            &["*;q=0.2"],
            &["br", "gzip"],
            &["identity;q=0, gzip;q=0.1"],
        ] {
            assert_eq!(sent(lines), Coding::Gzip, "{lines:?}");
        }
    }

    #[test]
    fn plain_bytes_are_sent_to_who_does_not_or_likes_them_better() {
        for lines in [
            &[] as &[_],
            &[""],
            &["identity"],
            &["deflate, br"],
            &["gzip;q=0"],
            &["gzip;q=0.000, *"],
            &["*;q=0"],
            &["gzip;q=0.4, identity;q=0.5"],
            &["gzip;q=2"],
            &["gzip;q=0.1234"],
            &["gzip;q=+1"],
            &["gzip;q"],
            &["gzipped"],
            &["identity;q=0"],
        ] {
            assert_eq!(sent(lines), Coding::Identity, "{lines:?}");
        }
    }
}
