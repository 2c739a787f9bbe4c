//! The gate before the endpoint: web pages, whose visitors' browsers can reach ports that their owners cannot, leave no
//! messages. A page of another site sends its origin; one whose name was made to stand for this machine has that name as
//! its host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::extract::Request;
use axum::http::header::{HOST, HeaderName, ORIGIN};
use axum::http::uri::Authority;
use listener::Transport;
use protocol::address::{Reach, reach};
use protocol::{Address, Problem, Slug};
use tokio::sync::watch;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Says which requests do not come from a web page.
#[derive(Debug, Clone)]
pub struct Gate {
    advertised: watch::Receiver<Address>,
    open_to_all: bool,
}

impl Gate {
    /// A gate for a peer at this address, which may change. Where a peer is `open_to_all` without TLS, it may be asked under
    /// whatever IP address it is seen at: a page can give its own name another meaning, an IP address not.
    #[must_use]
    pub fn new(advertised: watch::Receiver<Address>, open_to_all: bool) -> Self {
        Self { advertised, open_to_all }
    }

    /// Whether others than programs on this machine may do without TLS.
    #[must_use]
    pub fn is_open_to_all(&self) -> bool {
        self.open_to_all
    }

    /// Whether this request may pass.
    pub fn check(&self, request: &Request) -> Result<(), Problem> {
        if let Some(header) =
            [ORIGIN, SEC_FETCH_SITE].iter().find(|name| request.headers().contains_key(*name))
        {
            return Err(Slug::BrowserRefused
                .because(format!("Web pages may not ask a peer. Send no `{header}` header, as curl does.")));
        }
        if request.extensions().get() == Some(&Transport::Tls) {
            return Ok(());
        }
        let Some(host) = request.headers().get(HOST) else {
            let detail = "Send one `Host` header with the host and port that you connect to, as curl does.";
            return Err(Slug::BadRequest.because(detail));
        };
        self.admit(host.to_str().unwrap_or_default())?;
        // What the request line says goes before `Host` (RFC 9112, section 3.2.2).
        request.uri().authority().map_or(Ok(()), |authority| self.admit(authority.as_str()))
    }

    fn admit(&self, host: &str) -> Result<(), Problem> {
        if self.is_here(host) {
            return Ok(());
        }
        // Shown in quotes and cut short: it is a stranger's text.
        let shown: String = host.chars().take(80).collect();
        Err(Slug::BrowserRefused.because(format!(
            "Over plain HTTP this peer is `localhost`, 127.0.0.1 or [::1], and not {shown:?}. Use one of these on this machine, or https://."
        )))
    }

    /// Whether a `Host`, whatever port it names, is one of this peer that no page can have for its own.
    fn is_here(&self, host: &str) -> bool {
        let Some(authority) = host.parse().ok().filter(is_host_and_port) else { return false };
        let advertised = self.advertised.borrow();
        match ip_literal(authority.host()) {
            Some(ip) => {
                let is_advertised = advertised.ip() == Some(ip) && reach(ip) != Reach::Unspecified;
                self.open_to_all || is_advertised || reach(ip) == Reach::Loopback
            }
            None => named(authority.host())
                .is_some_and(|named| named.host() == "localhost" || named.host() == advertised.host()),
        }
    }
}

/// Whether this is a host, with a port behind it or none: `Authority` takes more for one than `Host` may hold.
fn is_host_and_port(authority: &Authority) -> bool {
    let Some(behind) = authority.as_str().strip_prefix(authority.host()) else { return false };
    match behind.strip_prefix(':') {
        Some(port) => {
            port.bytes().all(|byte| byte.is_ascii_digit()) && (port.is_empty() || port.parse::<u16>().is_ok())
        }
        None => behind.is_empty(),
    }
}

/// An IP address as browsers spell it, whatever was typed.
fn ip_literal(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(host) => host.parse::<Ipv6Addr>().ok().map(|ip| IpAddr::V6(ip).to_canonical()),
        None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

/// A host that is no IP address in any spelling.
fn named(host: &str) -> Option<Address> {
    format!("http://{host}:1").parse().ok().filter(|address: &Address| address.ip().is_none())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::request::Builder;

    use super::*;

    fn gate(advertised: &str, open_to_all: bool) -> Gate {
        Gate::new(watch::channel(advertised.parse().unwrap()).1, open_to_all)
    }

    fn plain(host: &str) -> Builder {
        Request::get("/messages").header("host", host).extension(Transport::Plain)
    }

    fn verdict(gate: &Gate, request: Builder) -> Option<Slug> {
        gate.check(&request.body(Body::empty()).unwrap()).err().map(|problem| problem.slug)
    }

    const NOBODY_ELSE: &str = "https://10.0.0.7:7101";

    #[test]
    fn over_plain_http_the_host_is_a_name_of_this_machine() {
        let gate = gate(NOBODY_ELSE, false);
        for host in [
            "localhost",
            "localhost:7101",
            "localhost:",
            "LocalHost:1",
            "localhost.:7101",
            "127.0.0.1",
            "127.0.0.1:7101",
            "127.9.9.9:80",
            "[::1]",
            "[::1]:7101",
            "[::ffff:127.0.0.1]:7101",
            "10.0.0.7",
            "10.0.0.7:99",
        ] {
            assert_eq!(verdict(&gate, plain(host)), None, "{host}");
        }
        for host in [
            "",
            ":7101",
            "127.0.0.1:abc",
            "127.0.0.1:+80",
            "127.0.0.1:65536",
            "[::1]:abc",
            "localhost:7101:7101",
            "localhost:abc",
            "evil.example",
            "evil.example:7101",
            "localhost.evil.example",
            "evil.localhost",
            "localhost:7101@evil.example",
            "ana@localhost",
            "127.0.0.1.evil.example",
            "127.1",
            "2130706433",
            "0x0a000007",
            "0.0.0.0:7101",
            "[::]:7101",
            "10.0.0.8",
            "192.168.1.7:7101",
            "xn--a.example",
            "local host",
            "localhost/",
            "localhost, evil.example",
        ] {
            assert_eq!(verdict(&gate, plain(host)), Some(Slug::BrowserRefused), "{host}");
        }
    }

    #[test]
    fn what_others_are_told_to_dial_is_a_name_of_it_too() {
        let (told, advertised) = watch::channel("https://ana.example:7101".parse().unwrap());
        let gate = Gate::new(advertised, false);
        for (host, refused) in [("ana.example", false), ("ANA.example.:1", false), ("rui.example", true)] {
            assert_eq!(verdict(&gate, plain(host)).is_some(), refused, "{host}");
        }
        told.send_replace("https://[2001:db8::7]:7101".parse().unwrap());
        for (host, refused) in [("[2001:DB8:0::7]", false), ("[2001:db8::8]", true), ("ana.example", true)] {
            assert_eq!(verdict(&gate, plain(host)).is_some(), refused, "{host}");
        }
        told.send_replace("https://0.0.0.0:7101".parse().unwrap());
        assert!(verdict(&gate, plain("0.0.0.0")).is_some(), "that is no address of anybody");
    }

    #[test]
    fn who_is_open_to_all_is_asked_under_open_to_all() {
        let gate = gate(NOBODY_ELSE, true);
        for (host, refused) in [
            ("192.168.1.7:7101", false),
            ("[2001:db8::1]:7101", false),
            ("localhost", false),
            ("evil.example", true),
            ("192.168.1.7.evil.example", true),
        ] {
            assert_eq!(verdict(&gate, plain(host)).is_some(), refused, "{host}");
        }
    }

    #[test]
    fn a_browser_is_refused_whatever_it_says_and_over_tls_too() {
        for open_to_all in [false, true] {
            let gate = gate(NOBODY_ELSE, open_to_all);
            for (name, value) in [
                ("origin", "https://evil.example"),
                ("origin", "http://127.0.0.1:7101"),
                ("origin", "null"),
                ("origin", ""),
                ("sec-fetch-site", "none"),
                ("sec-fetch-site", "same-origin"),
            ] {
                for transport in [Transport::Plain, Transport::Tls] {
                    let request = Request::post("/messages").header("host", "localhost").extension(transport);
                    let refused = verdict(&gate, request.header(name, value));
                    assert_eq!(refused, Some(Slug::BrowserRefused), "{name}: {value}");
                }
            }
        }
    }

    #[test]
    fn over_tls_the_host_may_be_any() {
        let gate = gate(NOBODY_ELSE, false);
        for host in ["evil.example", "", "aaaa.peer.invalid"] {
            let request = Request::get("/").header("host", host).extension(Transport::Tls);
            assert_eq!(verdict(&gate, request), None, "{host}");
        }
        assert_eq!(verdict(&gate, Request::get("/").extension(Transport::Tls)), None);
    }

    #[test]
    fn what_the_request_line_says_counts_too() {
        let gate = gate(NOBODY_ELSE, false);
        for (line, refused) in [
            ("http://localhost:7101/messages", None),
            ("http://evil.example/messages", Some(Slug::BrowserRefused)),
        ] {
            let request = Request::get(line).header("host", "localhost").extension(Transport::Plain);
            assert_eq!(verdict(&gate, request), refused, "{line}");
        }
        let old = Request::get("/messages").extension(Transport::Plain);
        assert_eq!(verdict(&gate, old), Some(Slug::BadRequest), "HTTP/1.0 without a host");
    }

    #[test]
    fn the_host_that_is_refused_is_named_and_nothing_in_it_is_trusted() {
        let gate = gate(NOBODY_ELSE, false);
        let said = |host: &str| gate.admit(host).unwrap_err().detail;
        assert!(said("evil.example").contains("not \"evil.example\""));
        assert!(said(&"a".repeat(9_000)).len() < 300);
        assert!(!said("\u{1b}[31m").contains('\u{1b}'));
    }
}
