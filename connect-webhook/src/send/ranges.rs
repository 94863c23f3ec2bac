//! The addresses that webhooks must not reach, as a table.
//!
//! The rows are IANA's special-purpose registries (RFC 6890 and its updates) as far as they are not globally
//! reachable, and the cloud addresses that lie outside of them. The first row that matches counts, so a
//! narrow one stands before the wide one that contains it. In IPv6 only `2000::/3` is assigned to the public
//! Internet; the last rows refuse all the rest, so that a range assigned tomorrow is refused today.

use std::net::{IpAddr, Ipv4Addr};

use super::network::{MAPPED, Network};

/// One row.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) network: Network,
    pub(super) rule: Rule,
}

/// What a row says about its addresses.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// Not to be reached, with what the range is and where that is written.
    Refused(&'static str, &'static str),
    /// The last 32 bits are an IPv4 address, and what holds for that one holds here.
    HoldsIpv4,
}

const fn v4(octets: [u8; 4], prefix_bits: u32, what: &'static str, source: &'static str) -> Range {
    Range { network: Network::v4(octets, prefix_bits), rule: Rule::Refused(what, source) }
}

const fn v6(start: [u16; 4], end: u16, prefix_bits: u32, what: &'static str, source: &'static str) -> Range {
    Range { network: Network::v6(start, end, prefix_bits), rule: Rule::Refused(what, source) }
}

/// RFC 6052.
const NAT64: Network = Network::v6([0x64, 0xff9b, 0, 0], 0, 96);
const UNSPECIFIED: Network = Network::v6([0, 0, 0, 0], 0, 128);
const LOOPBACK: Network = Network::v6([0, 0, 0, 0], 1, 128);
const TEREDO: Network = Network::v6([0x2001, 0, 0, 0], 0, 32);
const SIX_TO_FOUR: Network = Network::v6([0x2002, 0, 0, 0], 0, 16);
/// Networks whose last 32 bits are an IPv4 address: compatible, mapped, translated, NAT64 and local NAT64. The
/// local one can have other forms, which only its operator knows.
const ENDS_IN_IPV4: [Network; 5] = [
    Network::v6([0, 0, 0, 0], 0, 96),
    MAPPED,
    Network::v6_groups([0, 0, 0, 0, 0xffff, 0, 0, 0], 96),
    NAT64,
    Network::v6([0x64, 0xff9b, 1, 0], 0, 48),
];

pub(super) const RANGES: &[Range] = &[
    v4([0, 0, 0, 0], 8, "this network, unspecified", "RFC 1122"),
    v4([10, 0, 0, 0], 8, "private", "RFC 1918"),
    v4([100, 64, 0, 0], 10, "carrier-grade NAT", "RFC 6598"), // with Alibaba's metadata, 100.100.100.200
    v4([127, 0, 0, 0], 8, "loopback", "RFC 1122"),
    // Outside of every special range: clouds that gave public addresses to their own services.
    v4([161, 26, 0, 0], 16, "the IBM Cloud platform", "IBM"),
    v4([166, 8, 0, 0], 14, "the IBM Cloud platform", "IBM"),
    v4([168, 63, 129, 16], 32, "the Azure platform", "Microsoft"),
    v4([169, 254, 169, 254], 32, "cloud metadata", "RFC 3927"),
    v4([169, 254, 0, 0], 16, "link-local", "RFC 3927"),
    v4([172, 16, 0, 0], 12, "private", "RFC 1918"),
    v4([192, 0, 0, 0], 24, "protocol assignments", "RFC 6890"), // with Oracle's metadata, 192.0.0.192
    v4([192, 0, 2, 0], 24, "documentation", "RFC 5737"),
    v4([192, 88, 99, 0], 24, "6to4 relay", "RFC 7526"),
    v4([192, 168, 0, 0], 16, "private", "RFC 1918"),
    v4([198, 18, 0, 0], 15, "benchmarking", "RFC 2544"),
    v4([198, 51, 100, 0], 24, "documentation", "RFC 5737"),
    v4([203, 0, 113, 0], 24, "documentation", "RFC 5737"),
    v4([224, 0, 0, 0], 4, "multicast", "RFC 5771"),
    v4([240, 0, 0, 0], 4, "reserved, broadcast", "RFC 1112"),
    // IPv4 in IPv6 that still leads somewhere.
    Range { network: MAPPED, rule: Rule::HoldsIpv4 },
    Range { network: NAT64, rule: Rule::HoldsIpv4 },
    v6([0, 0, 0, 0], 0, 128, "unspecified", "RFC 4291"),
    v6([0, 0, 0, 0], 1, 128, "loopback", "RFC 4291"),
    v6([0, 0, 0, 0], 0, 96, "IPv4-compatible", "RFC 4291"),
    v6([0x64, 0xff9b, 1, 0], 0, 48, "local NAT64", "RFC 8215"),
    v6([0x100, 0, 0, 0], 0, 64, "discard", "RFC 6666"),
    // Old tunnels hide an IPv4 address, and nobody has a webhook endpoint behind one: refused as a whole.
    v6([0x2001, 0, 0, 0], 0, 32, "Teredo", "RFC 4380"),
    v6([0x2001, 2, 0, 0], 0, 48, "benchmarking", "RFC 5180"),
    v6([0x2001, 0, 0, 0], 0, 23, "protocol assignments", "RFC 2928"),
    v6([0x2001, 0xdb8, 0, 0], 0, 32, "documentation", "RFC 3849"),
    v6([0x2002, 0, 0, 0], 0, 16, "6to4", "RFC 3056"),
    v6([0x3fff, 0, 0, 0], 0, 20, "documentation", "RFC 9637"),
    v6([0x5f00, 0, 0, 0], 0, 16, "segment routing", "RFC 9602"),
    v6([0xfd00, 0xec2, 0, 0], 0x254, 128, "cloud metadata", "RFC 4193"),
    v6([0xfc00, 0, 0, 0], 0, 7, "private (unique local)", "RFC 4193"),
    v6([0xfe80, 0, 0, 0], 0, 10, "link-local", "RFC 4291"),
    v6([0xfec0, 0, 0, 0], 0, 10, "private (site-local)", "RFC 3879"),
    v6([0xff00, 0, 0, 0], 0, 8, "multicast", "RFC 4291"),
    // All that is not 2000::/3.
    v6([0, 0, 0, 0], 0, 3, "not on the public Internet", "RFC 4291"),
    v6([0x4000, 0, 0, 0], 0, 2, "not on the public Internet", "RFC 4291"),
    v6([0x8000, 0, 0, 0], 0, 1, "not on the public Internet", "RFC 4291"),
];

/// What `address` is and where that is written, if it must not be reached; `None` for a public address.
pub(super) fn refused(address: IpAddr) -> Option<(&'static str, &'static str)> {
    let row = RANGES.iter().find(|row| row.network.contains(address));
    match row.map(|row| row.rule) {
        Some(Rule::Refused(what, source)) => Some((what, source)),
        Some(Rule::HoldsIpv4) => refused(held_ipv4(address)?),
        // In any network of a site.
        None => is_isatap(address).then_some(("ISATAP", "RFC 5214")),
    }
}

/// Whether `address` is but another way to write or to reach an IPv4 address.
pub(super) fn is_alias(address: IpAddr) -> bool {
    RANGES.iter().any(|row| matches!(row.rule, Rule::HoldsIpv4) && row.network.contains(address))
}

/// The IPv4 address to which packets for this IPv6 address go in the end, at least by some router.
pub(super) fn held_ipv4(address: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(v6) = address else { return None };
    if UNSPECIFIED.contains(address) || LOOPBACK.contains(address) {
        return None;
    }
    let bits = v6.to_bits();
    let held = if ENDS_IN_IPV4.iter().any(|network| network.contains(address)) || is_isatap(address) {
        bits
    } else if TEREDO.contains(address) {
        !bits
    } else if SIX_TO_FOUR.contains(address) {
        bits >> 80
    } else {
        return None;
    };
    let [.., a, b, c, d] = held.to_be_bytes();
    Some(Ipv4Addr::new(a, b, c, d).into())
}

/// Whether the interface id is that of a tunnel within a site.
fn is_isatap(address: IpAddr) -> bool {
    match address {
        IpAddr::V6(address) => matches!(address.segments(), [_, _, _, _, 0 | 0x200, 0x5efe, _, _]),
        IpAddr::V4(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_address_is_refused_and_its_neighbours_are_not() {
        let what = |text: &str| refused(text.parse().unwrap()).map(|(what, _)| what);
        for (address, expected) in [
            ("0.0.0.0", "this network, unspecified"),
            ("0.255.255.255", "this network, unspecified"),
            ("10.0.0.1", "private"),
            ("10.255.255.255", "private"),
            ("100.64.0.0", "carrier-grade NAT"),
            ("100.127.255.255", "carrier-grade NAT"),
            ("100.100.100.200", "carrier-grade NAT"),
            ("127.0.0.1", "loopback"),
            ("127.255.255.254", "loopback"),
            ("161.26.0.10", "the IBM Cloud platform"),
            ("161.26.255.255", "the IBM Cloud platform"),
            ("166.8.0.1", "the IBM Cloud platform"),
            ("166.11.255.255", "the IBM Cloud platform"),
            ("168.63.129.16", "the Azure platform"),
            ("169.254.169.254", "cloud metadata"),
            ("169.254.170.2", "link-local"),
            ("172.16.0.0", "private"),
            ("172.31.255.255", "private"),
            ("192.0.0.192", "protocol assignments"),
            ("192.0.2.1", "documentation"),
            ("192.88.99.1", "6to4 relay"),
            ("192.168.1.1", "private"),
            ("198.18.0.1", "benchmarking"),
            ("198.19.255.255", "benchmarking"),
            ("198.51.100.7", "documentation"),
            ("203.0.113.7", "documentation"),
            ("224.0.0.1", "multicast"),
            ("239.255.255.250", "multicast"),
            ("240.0.0.1", "reserved, broadcast"),
            ("255.255.255.255", "reserved, broadcast"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::127.0.0.1", "IPv4-compatible"),
            ("::8.8.8.8", "IPv4-compatible"),
            ("::ffff:127.0.0.1", "loopback"),
            ("::ffff:169.254.169.254", "cloud metadata"),
            ("::ffff:a00:1", "private"),
            ("::ffff:0:127.0.0.1", "not on the public Internet"), // IPv4-translated, RFC 2765
            ("64:ff9b::10.0.0.1", "private"),
            ("64:ff9b::a9fe:a9fe", "cloud metadata"),
            ("64:ff9b:1::8.8.8.8", "local NAT64"),
            ("100::1", "discard"),
            ("2001::1", "Teredo"),
            ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo"),
            ("2001:2::1", "benchmarking"),
            ("2001:10::1", "protocol assignments"),
            ("2001:1ff:ffff::1", "protocol assignments"),
            ("2001:db8::1", "documentation"),
            ("2002:7f00:1::", "6to4"),
            ("2002:a9fe:a9fe::1", "6to4"),
            ("2606:4700::5efe:a00:1", "ISATAP"),
            ("2606:4700::200:5efe:8.8.8.8", "ISATAP"),
            ("3fff::1", "documentation"),
            ("3fff:fff::1", "documentation"),
            ("5f00::1", "segment routing"),
            ("fc00::1", "private (unique local)"),
            ("fd00:ec2::254", "cloud metadata"),
            ("fd12:3456::1", "private (unique local)"),
            ("fe80::1", "link-local"),
            ("febf::1", "link-local"),
            ("fec0::1", "private (site-local)"),
            ("ff02::1", "multicast"),
            ("1000::1", "not on the public Internet"),
            ("4000::1", "not on the public Internet"),
            ("a000::1", "not on the public Internet"),
        ] {
            assert_eq!(what(address), Some(expected), "{address}");
        }
        for address in [
            "1.0.0.0",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "161.25.255.255",
            "161.27.0.0",
            "166.7.255.255",
            "166.12.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2000::1",
            "2001:200::1",
            "2001:db7:ffff::1",
            "2001:db9::1",
            "2003::1",
            "2606:4700:4700::1111",
            "2606:4700::100:5efe:a00:1",
            "2606:4700::5eff:a00:1",
            "3ffe:ffff::1",
            "3fff:1000::1",
        ] {
            assert_eq!(what(address), None, "{address}");
        }
    }

    #[test]
    fn tunnels_and_translations_tell_which_ipv4_address_they_hold() {
        for (address, held) in [
            ("::ffff:127.0.0.1", Some("127.0.0.1")),
            ("::ffff:0:127.0.0.1", Some("127.0.0.1")),
            ("::10.0.0.1", Some("10.0.0.1")),
            ("64:ff9b::10.0.0.1", Some("10.0.0.1")),
            ("64:ff9b:1::10.0.0.1", Some("10.0.0.1")),
            ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Some("192.0.2.45")),
            ("2002:a9fe:a9fe::1", Some("169.254.169.254")),
            ("fe80::5efe:10.0.0.1", Some("10.0.0.1")),
            ("::", None),
            ("::1", None),
            ("fd00::1", None),
            ("2606:4700:4700::1111", None),
            ("10.0.0.1", None),
        ] {
            let held = held.map(|held| held.parse::<IpAddr>().unwrap());
            assert_eq!(held_ipv4(address.parse().unwrap()), held, "{address}");
        }
    }

    #[test]
    fn every_row_is_reached_by_some_address() {
        for (index, row) in RANGES.iter().enumerate() {
            let shadowed = RANGES[..index].iter().any(|earlier| earlier.network.covers(&row.network));
            assert!(!shadowed, "{row:?} stands behind a row that contains it");
        }
    }
}
