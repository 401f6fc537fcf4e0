//! Which hosts pictures may be fetched from. Fetching on behalf of others opens whatever this
//! machine can reach, so that nothing is fetched unless it is said from where.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A host, all hosts below one, or all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// All hosts that are public.
    Any,
    /// As `*.example.org`, without the star.
    Below(String),
    Exact(String),
}

impl FromStr for HostPattern {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a host, as example.org, *.example.org or *";
        let text = text.trim().to_ascii_lowercase();
        if text == "*" {
            return Ok(Self::Any);
        }
        let (name, is_below) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text.as_str(), false),
        };
        let is_address = name.parse::<IpAddr>().is_ok();
        let is_name = !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
        match (is_address && !is_below) || is_name {
            true if is_below => Ok(Self::Below(format!(".{name}"))),
            true => Ok(Self::Exact(name.to_owned())),
            false => Err(EXPECTED),
        }
    }
}

impl std::fmt::Display for HostPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Below(name) => write!(f, "*{name}"),
            Self::Exact(name) => f.write_str(name),
        }
    }
}

/// The hosts that pictures may be fetched from.
#[derive(Debug, Clone, Default)]
pub struct ImageHosts(pub Vec<HostPattern>);

/// Whether a host may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// Whatever addresses it has: it was named.
    Named,
    /// If its address is a public one.
    IfPublic,
    Refused,
}

impl ImageHosts {
    /// `host` as in an address; brackets around an IPv6 address are no part of it.
    pub(super) fn admission(&self, host: &str) -> Admission {
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        let named = self.0.iter().any(|pattern| match pattern {
            HostPattern::Any => false,
            HostPattern::Below(name) => host.ends_with(name.as_str()),
            HostPattern::Exact(name) => host == *name,
        });
        match named {
            true => Admission::Named,
            false if !self.0.contains(&HostPattern::Any) => Admission::Refused,
            // A name is resolved later, an address is what it is.
            false => match host.parse::<IpAddr>() {
                Ok(address) if !is_public(address) => Admission::Refused,
                _ => Admission::IfPublic,
            },
        }
    }
}

/// Whether an address is of the public network: not this machine, nor its neighbours', nor
/// reserved (the IANA special-purpose registries).
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match inner_v4(address) {
            Some(inner) => is_public_v4(inner),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_protocol = a == 192 && b == 0 && c == 0;
    let is_benchmark = a == 198 && (b == 18 || b == 19);
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation();
    !(a == 0 || a >= 240 || is_shared || is_protocol || is_benchmark || is_special)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // 2000::/3 is all that is given out, and of it 2001::/23 and the documentation's are not.
    let is_given_out = first & 0xe000 == 0x2000;
    let is_special = first == 0x2001 && (second < 0x0200 || second == 0x0db8);
    is_given_out && !is_special
}

/// The IPv4 address that an IPv6 one stands for: mapped, translated (64:ff9b::/96), or 6to4.
fn inner_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let of = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(of(high, low)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => address.to_ipv4_mapped(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn hosts(patterns: &[&str]) -> ImageHosts {
        ImageHosts(patterns.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn only_hosts_that_are_named_are_asked() {
        let some = hosts(&["images.example.org", "*.gbif.org", "127.0.0.1"]);
        for (host, admission) in [
            ("images.example.org", Admission::Named),
            ("IMAGES.example.org.", Admission::Named),
            ("api.gbif.org", Admission::Named),
            ("gbif.org", Admission::Refused),
            ("evilgbif.org", Admission::Refused),
            ("images.example.org.evil.net", Admission::Refused),
            ("127.0.0.1", Admission::Named),
            ("127.0.0.2", Admission::Refused),
            ("localhost", Admission::Refused),
        ] {
            assert_eq!(some.admission(host), admission, "{host}");
        }
        assert_eq!(hosts(&[]).admission("example.org"), Admission::Refused);
    }

    #[test]
    fn a_star_stands_for_public_hosts() {
        let any = hosts(&["*", "intra.example.org"]);
        for (host, admission) in [
            ("example.org", Admission::IfPublic),
            ("intra.example.org", Admission::Named),
            ("93.184.216.34", Admission::IfPublic),
            ("127.0.0.1", Admission::Refused),
            ("169.254.169.254", Admission::Refused),
            ("[::1]", Admission::Refused),
            ("[::ffff:10.0.0.1]", Admission::Refused),
            ("[64:ff9b::7f00:1]", Admission::Refused),
            ("[2002:0a00:0001::]", Admission::Refused),
            ("[fd00::1]", Admission::Refused),
            ("[2606:4700::1111]", Admission::IfPublic),
        ] {
            assert_eq!(any.admission(host), admission, "{host}");
        }
    }

    #[test]
    fn patterns_are_hosts() {
        for bad in ["", "https://example.org", "example.org/path", "*.*", "*.", "a b"] {
            assert!(bad.parse::<HostPattern>().is_err(), "{bad:?}");
        }
        assert_eq!("::1".parse(), Ok(HostPattern::Exact("::1".to_owned())));
    }
}
