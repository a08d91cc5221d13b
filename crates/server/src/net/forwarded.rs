//! Where a request comes from, behind proxies: the client's address, and the host and scheme that it used.
//!
//! A trusted proxy reports them by `X-Forwarded-For`, `-Host` and `-Proto`, or by `Forwarded` (RFC 7239). Each
//! proxy appends what it knows, so a list is read from its end, as far as the proxies are trusted. Any client could
//! have written the entries before that.

use http::{HeaderMap, HeaderName};
use ipnet::{IpNet, Ipv4Net};
use std::net::{IpAddr, SocketAddr};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED: HeaderName = http::header::FORWARDED;

/// The trusted proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// The networks as they are written; an address is a network of one.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl TryFrom<Vec<String>> for TrustedProxies {
    type Error = String;

    fn try_from(entries: Vec<String>) -> Result<Self, String> {
        entries.iter().map(|entry| network(entry)).collect::<Result<_, _>>().map(TrustedProxies)
    }
}

/// An address or a network. IPv4 written as IPv6 (`::ffff:10.0.0.0/104`) is IPv4, as clients' addresses are.
fn network(entry: &str) -> Result<IpNet, String> {
    let wrong = || format!("\"{entry}\" is neither an address (\"10.0.0.1\") nor a network (\"10.0.0.0/8\")");
    let network = match entry.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => entry.parse::<IpNet>().map_err(|_| wrong())?,
    };
    let mapped = match network {
        IpNet::V6(six) => six.addr().to_ipv4_mapped().zip(six.prefix_len().checked_sub(96)),
        IpNet::V4(_) => None,
    };
    match mapped {
        Some((address, bits)) => Ipv4Net::new(address, bits).map(IpNet::V4).map_err(|_| wrong()),
        None => Ok(network),
    }
}

/// Where a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The client's address, or that of the last proxy that did not report one.
    pub address: IpAddr,
    /// `HOST` or `HOST:PORT` as requested by the client, if a trusted proxy reports it.
    pub host: Option<String>,
    /// `http` or `https`, if a trusted proxy reports it.
    pub scheme: Option<&'static str>,
}

/// What proxies report. In each list the nearest proxy's entry comes last.
struct Told {
    addresses: Vec<Option<IpAddr>>,
    hosts: Vec<Option<String>>,
    schemes: Vec<Option<&'static str>>,
}

/// Determines where a request comes from: `peer`, or what the trusted proxies report.
///
/// If `X-Forwarded-For`, `-Host` or `-Proto` is present, `Forwarded` is ignored: a proxy that sets the former may
/// pass on the latter from the client.
pub fn client(peer: IpAddr, headers: &HeaderMap, trusted: &TrustedProxies) -> Client {
    let mut client = Client { address: peer, host: None, scheme: None };
    if !trusted.contain(peer) {
        return client;
    }
    let told = if [FOR, HOST, PROTO].iter().any(|name| headers.contains_key(name)) {
        each(headers)
    } else {
        standard(headers)
    };
    let mut depth = 0;
    for address in told.addresses.iter().rev() {
        depth += 1;
        let Some(address) = address else { break };
        client.address = *address;
        if !trusted.contain(client.address) {
            break;
        }
    }
    client.host = at_depth(&told.hosts, depth).flatten();
    client.scheme = at_depth(&told.schemes, depth).flatten();
    client
}

/// The entry of the proxy that reported the client's address. If the list is shorter, because not every proxy
/// appended to it, its first entry.
fn at_depth<T: Clone>(list: &[T], depth: usize) -> Option<T> {
    let from_end = depth.clamp(1, list.len().max(1));
    list.len().checked_sub(from_end).and_then(|index| list.get(index)).cloned()
}

fn each(headers: &HeaderMap) -> Told {
    let list = |name| {
        let values = headers.get_all(name).into_iter();
        values.flat_map(|value| split(value.as_bytes(), b',')).map(unquoted).collect::<Vec<_>>()
    };
    Told {
        addresses: list(FOR).iter().map(|entry| address(entry)).collect(),
        hosts: list(HOST).iter().map(|entry| host(entry)).collect(),
        schemes: list(PROTO).iter().map(|entry| scheme(entry)).collect(),
    }
}

fn standard(headers: &HeaderMap) -> Told {
    let mut told = Told { addresses: Vec::new(), hosts: Vec::new(), schemes: Vec::new() };
    let values = headers.get_all(FORWARDED).into_iter();
    for element in values.flat_map(|value| split(value.as_bytes(), b',')) {
        let pairs: Vec<(String, String)> = split(element, b';')
            .into_iter()
            .filter_map(|pair| {
                let at = pair.iter().position(|byte| *byte == b'=')?;
                let (name, value) = pair.split_at(at);
                Some((unquoted(name).to_ascii_lowercase(), unquoted(value.get(1..)?)))
            })
            .collect();
        let of = |name: &str| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.as_str());
        told.addresses.push(of("for").and_then(address));
        told.hosts.push(of("host").and_then(host));
        told.schemes.push(of("proto").and_then(scheme));
    }
    told
}

/// Splits at a mark outside quotes. It works on bytes, so that a client's invalid text does not spoil a proxy's
/// entry. It pairs quotes from the end, so that a quote that the client left open does not reach into a proxy's
/// entry.
fn split(bytes: &[u8], mark: u8) -> Vec<&[u8]> {
    let (mut entries, mut rest, mut quoted) = (Vec::new(), bytes, false);
    for (at, byte) in bytes.iter().enumerate().rev() {
        if *byte == b'"' && !(quoted && is_escaped(bytes, at)) {
            quoted = !quoted;
        } else if *byte == mark && !quoted {
            let (before, entry) = rest.split_at(at);
            entries.push(entry.get(1..).unwrap_or_default());
            rest = before;
        }
    }
    entries.push(rest);
    entries.reverse();
    entries
}

/// Whether an odd number of backslashes stands just before a place.
fn is_escaped(bytes: &[u8], at: usize) -> bool {
    let before = bytes.iter().take(at).rev();
    before.take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// Without the surrounding spaces and quotes; empty when it is not text.
fn unquoted(entry: &[u8]) -> String {
    let text = std::str::from_utf8(entry).unwrap_or_default().trim();
    let inside = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inside.map_or_else(|| text.to_owned(), |inside| inside.replace('\\', ""))
}

/// An address with or without a port; `[…]` around IPv6.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let found =
        bare.parse::<IpAddr>().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    found.map(|address| address.to_canonical())
}

fn host(entry: &str) -> Option<String> {
    Some(entry.to_owned()).filter(|host| !host.is_empty())
}

/// Some proxies report a websocket's scheme.
fn scheme(entry: &str) -> Option<&'static str> {
    match entry.to_ascii_lowercase().as_str() {
        "http" | "ws" => Some("http"),
        "https" | "wss" => Some("https"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn trusted(entries: &[&str]) -> Result<TrustedProxies, String> {
        TrustedProxies::try_from(entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>())
    }

    /// What is told to a server that trusts 10.0.0.0/8: address, host and scheme.
    fn check(peer: &str, headers: &[(&'static str, &[u8])], want: (&str, Option<&str>, Option<&str>)) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        let got = client(peer.parse().unwrap(), &map, &trusted(&["10.0.0.0/8"]).unwrap());
        let got = (got.address.to_string(), got.host.as_deref(), got.scheme);
        assert_eq!((got.0.as_str(), got.1, got.2), want, "{peer} {map:?}");
    }

    #[test]
    fn t27_addresses_are_read_from_the_end_as_far_as_proxies_are_trusted() {
        let cases: [(&[u8], &str); 11] = [
            (b"198.51.100.1", "198.51.100.1"),
            (b"203.0.113.9, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
            (b"203.0.113.9, 198.51.100.1:40000, 10.0.0.2:1", "198.51.100.1"),
            (b"[2001:db8::1]:40000", "2001:db8::1"),
            (b"\"[2001:db8::1]:40000\", 10.0.0.2", "2001:db8::1"),
            (b"[2001:db8::1]", "2001:db8::1"),
            (b"::ffff:198.51.100.1", "198.51.100.1"),
            (b"198.51.100.1, nonsense", "10.0.0.1"),
            (b"198.51.100.1, unknown, 10.0.0.2", "10.0.0.2"),
            (b"\xff\xfe, 198.51.100.1", "198.51.100.1"),
            (b"", "10.0.0.1"),
        ];
        for (value, want) in cases {
            check("10.0.0.1", &[("x-forwarded-for", value)], (want, None, None));
            check("192.0.2.1", &[("x-forwarded-for", value)], ("192.0.2.1", None, None));
        }
        // Several headers are one list.
        let two: [(&str, &[u8]); 2] =
            [("x-forwarded-for", b"198.51.100.1"), ("x-forwarded-for", b"10.0.0.2")];
        check("10.0.0.1", &two, ("198.51.100.1", None, None));
    }

    // The client's text comes before the proxy's in the same line. A quote that it does not close ends with it.
    #[test]
    fn t27_a_client_cannot_reach_into_a_proxys_entry() {
        for lure in ["\"", "203.0.113.9\"", "\"203.0.113.9", "\\", "\"\\", "a\"b\\\"c", "\"\"\""] {
            let list = format!("{lure}, 198.51.100.1, 10.0.0.2");
            check("10.0.0.1", &[("x-forwarded-for", list.as_bytes())], ("198.51.100.1", None, None));
            let quoted = format!("{lure}, \"198.51.100.1:40000\"");
            check("10.0.0.1", &[("x-forwarded-for", quoted.as_bytes())], ("198.51.100.1", None, None));
            for before in ["", "for=203.0.113.9;proto=http;host=evil.example;x="] {
                let value =
                    format!("{before}{lure}, for=\"[2001:db8::1]:40000\";host=\"a.example:1\";proto=https");
                let want = ("2001:db8::1", Some("a.example:1"), Some("https"));
                check("10.0.0.1", &[("forwarded", value.as_bytes())], want);
                let plain =
                    format!("{before}{lure}, for=198.51.100.1;secret=\"a,b;c\\\"\\\\\", for=10.0.0.2");
                check("10.0.0.1", &[("forwarded", plain.as_bytes())], ("198.51.100.1", None, None));
            }
        }
    }

    #[test]
    fn t27_host_and_scheme_are_those_that_the_outermost_trusted_proxy_tells() {
        let of = |r#for: &'static [u8], host: &'static [u8], proto: &'static [u8]| {
            [("x-forwarded-for", r#for), ("x-forwarded-host", host), ("x-forwarded-proto", proto)]
        };
        let client = "198.51.100.1";
        check(
            "10.0.0.1",
            &of(b"198.51.100.1", b"a.example", b"https"),
            (client, Some("a.example"), Some("https")),
        );
        let appended = of(b"fake, 198.51.100.1, 10.0.0.2", b"fake, a.example, b", b"ws, wss, http");
        check("10.0.0.1", &appended, (client, Some("a.example"), Some("https")));
        let kept = of(b"198.51.100.1, 10.0.0.2", b"a.example", b"HTTPS");
        check("10.0.0.1", &kept, (client, Some("a.example"), Some("https")));
        let alone: [(&str, &[u8]); 1] = [("x-forwarded-proto", b"http, https")];
        check("10.0.0.1", &alone, ("10.0.0.1", None, Some("https")));
        check("192.0.2.1", &appended, ("192.0.2.1", None, None));
    }

    #[test]
    fn t27_the_standard_header_counts_where_the_others_are_not_there() {
        let forwarded = |value: &'static [u8]| [("forwarded", value)];
        let whole =
            forwarded(b"For=\"[2001:db8::1]:40000\";Host=\"a.example:8443\";proto=https;by=_x, for=10.0.0.2");
        check("10.0.0.1", &whole, ("2001:db8::1", Some("a.example:8443"), Some("https")));
        check("192.0.2.1", &whole, ("192.0.2.1", None, None));
        let odd = forwarded(b"for=\"a,b;c\\\"\";proto=https, for=198.51.100.1;proto=http");
        check("10.0.0.1", &odd, ("198.51.100.1", None, Some("http")));
        check("10.0.0.1", &forwarded(b"for=_hidden;proto=https"), ("10.0.0.1", None, Some("https")));
        check("10.0.0.1", &forwarded(b";;=,for"), ("10.0.0.1", None, None));
        let both: [(&str, &[u8]); 2] = [
            ("forwarded", b"for=203.0.113.7;host=evil.example;proto=https"),
            ("x-forwarded-for", b"198.51.100.1"),
        ];
        check("10.0.0.1", &both, ("198.51.100.1", None, None));
    }

    #[test]
    fn t27_proxies_are_trusted_by_address_and_by_network() {
        let some =
            trusted(&["10.1.2.3/8", "192.0.2.1", "2001:db8::/32", "::1", "::ffff:172.16.0.0/108"]).unwrap();
        for inside in ["10.255.0.1", "192.0.2.1", "2001:db8:ffff::1", "::1", "172.31.255.255"] {
            assert!(some.contain(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["11.0.0.1", "192.0.2.2", "2001:db9::1", "::2", "172.32.0.1"] {
            assert!(!some.contain(outside.parse().unwrap()), "{outside}");
        }
        for wrong in ["", "proxy.example", "10.0.0.1:80", "10.0.0.0/33", "10.0.0", "::1/129", "*"] {
            let error = trusted(&[wrong]).unwrap_err();
            assert!(error.starts_with(&format!("\"{wrong}\"")), "{error}");
        }
    }
}
