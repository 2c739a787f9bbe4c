//! `X-Forwarded-For` and `Forwarded` (RFC 7239): through whom a request came, as these headers tell it. Whether they are
//! believed is for [`Source`](crate::Source) to say.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// One hop: a canonical address, or nobody that could be named, as `unknown` and `_hidden` are.
pub(crate) type Hop = Option<IpAddr>;

/// The hops that each of the two headers tells of, the last one first; a header that is not there tells nothing.
pub(crate) fn chains(headers: &HeaderMap) -> Vec<Vec<Hop>> {
    let readers = [(X_FORWARDED_FOR, listed as fn(&str) -> Vec<Hop>), (FORWARDED, elements)];
    let present = readers.into_iter().filter(|(name, _)| headers.contains_key(name));
    let chain = |(name, hops): (HeaderName, fn(&str) -> Vec<Hop>)| {
        let lines = headers.get_all(name).iter();
        // A hop that is no text is nobody; the others of its line are who they are.
        let mut chain: Vec<_> =
            lines.flat_map(|line| hops(&String::from_utf8_lossy(line.as_bytes()))).collect();
        chain.reverse();
        chain
    };
    present.map(chain).collect()
}

/// The hops of a line of `X-Forwarded-For`.
fn listed(line: &str) -> Vec<Hop> {
    line.split(',').map(str::trim).filter(|hop| !hop.is_empty()).map(node).collect()
}

/// The hops of a line of `Forwarded`.
fn elements(line: &str) -> Vec<Hop> {
    // With a quote left open, nobody knows where an element ends: what a client wrote could swallow what a proxy added.
    let Some(elements) = split(line, ',') else { return vec![None] };
    elements.into_iter().map(str::trim).filter(|element| !element.is_empty()).map(element).collect()
}

/// The `for` of one element.
fn element(element: &str) -> Hop {
    let mut found = split(element, ';')?.into_iter().filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    });
    let value = found.next().filter(|_| found.next().is_none())?;
    match value.strip_prefix('"') {
        Some(quoted) => node(&quoted.strip_suffix('"')?.replace('\\', "")),
        None => node(value),
    }
}

/// The parts between separators that stand in no quotes; nothing if a quote is left open.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut begin, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if character == separator && !quoted => {
                parts.push(&text[begin..at]);
                begin = at + separator.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    (!quoted).then_some(parts)
}

/// An IP address with or without a port, which RFC 7239 lets be hidden as in `192.0.2.1:_p`.
fn node(text: &str) -> Hop {
    let text = text.split_once(":_").map_or(text, |(address, _)| address);
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let ip: Option<IpAddr> = text.parse().ok().or_else(with_port).or_else(in_brackets);
    ip.map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> Hop {
        text.parse().ok()
    }

    fn headers(lines: &[(HeaderName, &[u8])]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    #[test]
    fn every_spelling_of_a_hop_is_read() {
        for (spelt, hop) in [
            ("192.0.2.1", ip("192.0.2.1")),
            ("192.0.2.1:8080", ip("192.0.2.1")),
            ("192.0.2.1:_port", ip("192.0.2.1")),
            ("2001:DB8::1", ip("2001:db8::1")),
            ("[2001:db8::1]", ip("2001:db8::1")),
            ("[2001:db8::1]:443", ip("2001:db8::1")),
            ("[2001:db8::1]:_port", ip("2001:db8::1")),
            ("::ffff:192.0.2.1", ip("192.0.2.1")),
            ("[::ffff:c000:201]:1", ip("192.0.2.1")),
            ("unknown", None),
            ("_hidden", None),
            ("ana.example", None),
            ("127.1", None),
            ("192.0.2.1:", None),
            ("192.0.2.1:65536", None),
            ("[192.0.2.1]", None),
            ("[2001:db8::1", None),
        ] {
            assert_eq!(node(spelt), hop, "{spelt}");
        }
    }

    #[test]
    fn all_lines_of_a_header_are_one_list() {
        let lines: &[(HeaderName, &[u8])] = &[
            (X_FORWARDED_FOR, b"192.0.2.1,192.0.2.2 , ,"),
            (X_FORWARDED_FOR, b"\xff,192.0.2.3"),
            (X_FORWARDED_FOR, b"[2001:db8::1]:1"),
        ];
        let last_first = vec![ip("2001:db8::1"), ip("192.0.2.3"), None, ip("192.0.2.2"), ip("192.0.2.1")];
        assert_eq!(chains(&headers(lines)), [last_first]);
        assert_eq!(chains(&headers(&[])), [] as [Vec<Hop>; 0]);
        assert_eq!(chains(&headers(&[(FORWARDED, b""), (X_FORWARDED_FOR, b"")])), [[], []] as [[Hop; 0]; 2]);
    }

    #[test]
    fn an_element_is_read_as_rfc_7239_has_it() {
        for (spelt, hops) in [
            ("for=192.0.2.1", vec![ip("192.0.2.1")]),
            ("For=\"[2001:db8::1]:4711\"", vec![ip("2001:db8::1")]),
            ("proto=http; FOR=192.0.2.1;by=192.0.2.9", vec![ip("192.0.2.1")]),
            ("for=192.0.2.1, for=\"198.51.100.2:1\"", vec![ip("192.0.2.1"), ip("198.51.100.2")]),
            ("for=\"192.0\\.2.1\"", vec![ip("192.0.2.1")]),
            ("by=\"a,b;for=192.0.2.9\";for=192.0.2.1", vec![ip("192.0.2.1")]),
            ("for=_hidden,, for=unknown", vec![None, None]),
            ("by=192.0.2.1", vec![None]),
            ("for=192.0.2.1;for=192.0.2.2", vec![None]),
            ("for=a\"b\", for=192.0.2.1", vec![None, ip("192.0.2.1")]),
            ("for=\"192.0.2.1", vec![None]),
            ("nonsense", vec![None]),
        ] {
            assert_eq!(elements(spelt), hops, "{spelt}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_a_client_writes_hides_what_its_proxy_adds(
            written in "[ -~]{0,40}",
            added in prop_oneof![Just("for=192.0.2.7"), Just("for=\"[2001:db8::7]:1\";proto=https")],
        ) {
            let hops = elements(&format!("{written}, {added}"));
            let last = elements(added)[0];
            prop_assert!(hops.last() == Some(&last) || hops == [None], "{hops:?}");
        }

        #[test]
        fn every_list_of_addresses_is_read_back(hops: Vec<(IpAddr, u16)>) {
            let expected: Vec<_> = hops.iter().map(|(ip, _)| Some(ip.to_canonical())).collect();
            let spelt = |spell: fn(&(IpAddr, u16)) -> String| hops.iter().map(spell).collect::<Vec<_>>().join(", ");
            prop_assert_eq!(&listed(&spelt(|(ip, _)| ip.to_string())), &expected);
            prop_assert_eq!(&listed(&spelt(|(ip, port)| SocketAddr::new(*ip, *port).to_string())), &expected);
            let quoted = spelt(|(ip, port)| format!("for=\"{}\"", SocketAddr::new(*ip, *port)));
            prop_assert_eq!(&elements(&quoted), &expected);
        }
    }
}
