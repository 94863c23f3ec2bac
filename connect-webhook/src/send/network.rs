//! A range of IP addresses: what the guard's table and its allow-list are made of.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    first: IpAddr,
    prefix_bits: u32,
}

/// IPv4 addresses written as IPv6, RFC 4291.
pub(super) const MAPPED: Network = Network::v6_groups([0, 0, 0, 0, 0, 0xffff, 0, 0], 96);

impl Network {
    pub(super) const fn v4(octets: [u8; 4], prefix_bits: u32) -> Self {
        let [a, b, c, d] = octets;
        Self { first: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix_bits }
    }

    /// The first four groups of the address and the last; those between are zero in every network we name.
    pub(super) const fn v6(start: [u16; 4], end: u16, prefix_bits: u32) -> Self {
        let [a, b, c, d] = start;
        Self { first: IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, end)), prefix_bits }
    }

    /// With all eight groups.
    pub(super) const fn v6_groups(groups: [u16; 8], prefix_bits: u32) -> Self {
        let [a, b, c, d, e, f, g, h] = groups;
        Self { first: IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h)), prefix_bits }
    }

    /// Reads `10.0.0.0/8`, `fd00::/8` or a single address. Bits after the prefix must be zero: `10.1.2.3/8`
    /// is more often a slip than a wish for sixteen million addresses. IPv4 networks are written as such:
    /// `::ffff:10.0.0.0/104` is none, since the guard judges a mapped address as the IPv4 address that it holds.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().ok()?;
        let longest = bits_of(first);
        let prefix_bits = match prefix {
            // `parse` would take a sign.
            Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => prefix.parse().ok()?,
            Some(_) => return None,
            None => longest,
        };
        if prefix_bits >= MAPPED.prefix_bits && MAPPED.contains(first) {
            return None;
        }
        (prefix_bits <= longest && masked(first, prefix_bits) == number(first))
            .then_some(Self { first, prefix_bits })
    }

    /// Whether `address` is one of these. IPv4 and IPv6 are kept apart.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        bits_of(address) == bits_of(self.first) && masked(address, self.prefix_bits) == number(self.first)
    }

    #[cfg(test)]
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.prefix_bits <= other.prefix_bits && self.contains(other.first)
    }
}

fn bits_of(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn masked(address: IpAddr, prefix_bits: u32) -> u128 {
    let host_bits = bits_of(address).saturating_sub(prefix_bits);
    let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
    number(address) & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_as_cidr_or_as_one_address() {
        for good in ["10.0.0.0/8", "0.0.0.0/0", "127.0.0.1", "127.0.0.1/32", "::/0", "fd00::/8", "::1"] {
            assert!(Network::parse(good).is_some(), "{good}");
        }
        for bad in
            ["", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/+8", "10.1.2.3/8", "::/129", "localhost", "10/8"]
        {
            assert!(Network::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn ipv4_networks_are_not_written_as_mapped_ones() {
        for mapped in ["::ffff:127.0.0.1", "::ffff:10.0.0.0/104", "::ffff:0:0/96"] {
            assert!(Network::parse(mapped).is_none(), "{mapped}");
        }
    }

    #[test]
    fn a_network_ends_where_its_prefix_says() {
        let network = Network::parse("172.16.0.0/12").unwrap();
        for (address, inside) in
            [("172.15.255.255", false), ("172.16.0.0", true), ("172.31.255.255", true), ("172.32.0.0", false)]
        {
            assert_eq!(network.contains(address.parse().unwrap()), inside, "{address}");
        }
        assert!(Network::parse("::/0").unwrap().contains("ff::1".parse().unwrap()));
        assert!(!Network::parse("::/0").unwrap().contains("1.2.3.4".parse().unwrap()));
    }
}
