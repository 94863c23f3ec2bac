//! Who may be reached: the guard against requests forged through the server (SSRF).
//!
//! A destination's URL comes from a customer. Without a guard it may name `http://169.254.169.254/`, the
//! database next door, or a host whose DNS answer changes between the check and the connection. So nothing is
//! decided by looking at the name: the addresses are. [`HttpTransport`](super::HttpTransport) resolves names
//! through [`Guard::filter`] and connects to the very addresses that came out of it.
//!
//! By default only https and public addresses pass. For development, and for customers inside your own
//! network, hosts and networks can be allowed one by one. An IPv6 address that holds an IPv4 address (mapped,
//! NAT64, a tunnel) is allowed only if that one is.
//!
//! The guard cannot see what a public address does behind its own firewall, nor an internal service that
//! listens on a public address: name such networks with [`Guard::refuse_network`], keep the services behind
//! authentication, and the sender in a network of its own where you can. The same goes for a NAT64 prefix of
//! your own network: to the guard its addresses look public, and they lead to any IPv4 address.

use std::net::IpAddr;

use url::{Host, Url};

use super::error::SetupError;
use super::network::Network;
use super::ranges;

/// Decides which URLs and addresses webhooks may go to.
///
/// ```
/// use connect_webhook::send::{Guard, Refusal};
///
/// let guard = Guard::new();
/// assert!(guard.check_url(&"https://customer.example/hooks".parse()?).is_ok());
/// // Odd spellings of an address are still that address.
/// let refusal = guard.check_url(&"https://0x7f.1/".parse()?).unwrap_err();
/// assert!(refusal.to_string().starts_with("127.0.0.1 is loopback (RFC 1122)"));
///
/// let development = Guard::new().allow_http().allow_network("127.0.0.0/8")?;
/// assert!(development.check_url(&"http://127.0.0.1:8080/".parse()?).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Guard {
    http: bool,
    refused: Vec<Network>,
    networks: Vec<Network>,
    hosts: Vec<String>,
}

impl Guard {
    /// Lets through https to public addresses, and nothing else.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets through plain http, too. Bodies and signatures then travel in the clear.
    #[must_use]
    pub fn allow_http(mut self) -> Self {
        self.http = true;
        self
    }

    /// Refuses a network, whatever else is allowed: your own public addresses behind the firewall, or the NAT64
    /// prefix of your network unless it is the well-known `64:ff9b::/96`.
    ///
    /// ```
    /// use connect_webhook::send::Guard;
    /// let guard = Guard::new().refuse_network("2001:4860:64::/96")?;
    /// assert!(guard.check_url(&"https://[2001:4860:64::7f00:1]/".parse()?).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn refuse_network(mut self, network: &str) -> Result<Self, SetupError> {
        self.refused.push(parse(network)?);
        Ok(self)
    }

    /// Lets through a network that would be refused: `10.1.0.0/16`, `fd00::/8`, or one address. IPv6 addresses
    /// that hold an IPv4 address are let through only if that one is: `::/0` does not open 127.0.0.1.
    pub fn allow_network(mut self, network: &str) -> Result<Self, SetupError> {
        self.networks.push(parse(network)?);
        Ok(self)
    }

    /// Lets through one host by its exact name, wherever it resolves to but for
    /// [refused networks](Self::refuse_network). Only for names whose DNS you trust.
    pub fn allow_host(mut self, host: &str) -> Result<Self, SetupError> {
        match Host::parse(host) {
            Ok(Host::Domain(name)) => self.hosts.push(comparable(&name)),
            _ => return Err(SetupError::Host { text: host.to_owned() }),
        }
        Ok(self)
    }

    /// What can be said of a URL without asking DNS. Call it when a destination is registered, for an early
    /// answer; the transport calls it again before every attempt.
    pub fn check_url(&self, url: &Url) -> Result<(), Refusal> {
        match url.scheme() {
            "https" => {}
            "http" if self.http => {}
            _ => return Err(Refusal::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        match url.host() {
            Some(Host::Ipv4(address)) => self.check_address(address.into()),
            Some(Host::Ipv6(address)) => self.check_address(address.into()),
            Some(Host::Domain(_)) => Ok(()),
            None => Err(Refusal::Scheme),
        }
    }

    /// Whether an address may be connected to.
    pub fn check_address(&self, address: IpAddr) -> Result<(), Refusal> {
        self.check_refused(address)?;
        match ranges::refused(address) {
            Some((range, document)) if !self.allows(address) => {
                Err(Refusal::Address { address, range, document })
            }
            _ => Ok(()),
        }
    }

    /// The operator's own list, which no other opens.
    fn check_refused(&self, address: IpAddr) -> Result<(), Refusal> {
        let held = ranges::held_ipv4(address);
        let is_in =
            |network: &Network| network.contains(address) || held.is_some_and(|held| network.contains(held));
        if self.refused.iter().any(is_in) {
            return Err(Refusal::Address {
                address,
                range: "in a network that this sender refuses",
                document: "Guard::refuse_network",
            });
        }
        Ok(())
    }

    /// Whether an address may be reached although it is not public.
    fn allows(&self, address: IpAddr) -> bool {
        let is_in_list = |address| self.networks.iter().any(|network| network.contains(address));
        match ranges::held_ipv4(address) {
            Some(held) if ranges::is_alias(address) => is_in_list(held),
            // Without this, a tunnel that is allowed would lead to addresses that are not.
            Some(held) => is_in_list(address) && self.check_address(held).is_ok(),
            None => is_in_list(address),
        }
    }

    /// Those of a name's addresses that may be connected to; refused if none is left.
    pub fn filter(&self, host: &str, addresses: Vec<IpAddr>) -> Result<Vec<IpAddr>, Refusal> {
        let is_trusted = self.hosts.contains(&comparable(host));
        let mut refused = None;
        let mut passed = Vec::with_capacity(addresses.len());
        for address in addresses {
            let checked = if is_trusted { self.check_refused(address) } else { self.check_address(address) };
            match checked {
                Ok(()) => passed.push(address),
                Err(refusal) => refused = Some(refusal),
            }
        }
        match refused {
            // The other addresses serve, and are the only ones that will be tried.
            Some(Refusal::Address { address, range, document }) if passed.is_empty() => {
                Err(Refusal::Name { host: host.to_owned(), address, range, document })
            }
            _ => Ok(passed),
        }
    }

    pub(super) fn allows_http(&self) -> bool {
        self.http
    }
}

fn parse(network: &str) -> Result<Network, SetupError> {
    Network::parse(network).ok_or_else(|| SetupError::Network { text: network.to_owned() })
}

/// Names differ neither by case nor by the dot of the root.
fn comparable(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// Why a destination is not reached. No text shows a path or a query string, where secrets may be.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Neither https, nor http where that is allowed.
    #[error("webhooks go to https addresses only; give one that starts with https://")]
    Scheme,
    /// The URL holds a user name or a password, which proxies and logs would show.
    #[error("the address holds a user name or password; remove it, the signature proves who sends")]
    Credentials,
    /// The URL names an address that is not public.
    #[error("{address} is {range} ({document}); give a public address, or change the guard's networks")]
    Address {
        /// The address.
        address: IpAddr,
        /// What kind of address it is.
        range: &'static str,
        /// Where that is written.
        document: &'static str,
    },
    /// A name that resolves to no public address. The text does not tell which one it found: a customer who
    /// reads it would learn what names mean inside your network.
    #[error(
        "`{host}` resolves to an address that is {range} ({document}); \
         point the name to a public address, or change the guard's networks"
    )]
    Name {
        /// The name.
        host: String,
        /// The last of the addresses it resolves to. For the operator, not for the destination's owner.
        address: IpAddr,
        /// What kind of address that is.
        range: &'static str,
        /// Where that is written.
        document: &'static str,
    },
}

impl Refusal {
    /// Whether only another URL, or another guard, could change it. A name can come to resolve elsewhere.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, Self::Name { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(guard: &Guard, url: &str) -> Result<(), Refusal> {
        guard.check_url(&Url::parse(url).unwrap())
    }

    #[test]
    fn every_spelling_of_a_private_address_is_refused() {
        for url in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://017700000001/",
            "https://127.0.0.1./",
            "https://%31%32%37.0.0.1/",
            "https://１２７.0.0.1/",
            "https://0/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[0:0:0:0:0:ffff:127.0.0.1]:8443/",
            "https://[64:ff9b::7f00:1]/",
            "https://169.254.169.254/latest/meta-data/",
            "https://[fd00:ec2::254]/",
        ] {
            assert!(matches!(check(&Guard::new(), url), Err(Refusal::Address { .. })), "{url}");
        }
    }

    #[test]
    fn schemes_other_than_https_are_refused() {
        for url in ["http://customer.example/", "ftp://customer.example/", "file:///etc/passwd", "data:,x"] {
            assert_eq!(check(&Guard::new(), url), Err(Refusal::Scheme), "{url}");
        }
        assert_eq!(check(&Guard::new().allow_http(), "http://customer.example/"), Ok(()));
        assert_eq!(check(&Guard::new().allow_http(), "ftp://customer.example/"), Err(Refusal::Scheme));
        assert_eq!(check(&Guard::new(), "https://me:pw@customer.example/"), Err(Refusal::Credentials));
    }

    #[test]
    fn an_allowed_network_opens_nothing_else() {
        let guard = Guard::new().allow_network("10.1.0.0/16").unwrap();
        assert_eq!(check(&guard, "https://10.1.2.3/"), Ok(()));
        assert_eq!(check(&guard, "https://[::ffff:10.1.2.3]/"), Ok(()));
        assert!(check(&guard, "https://10.2.0.1/").is_err());
        assert!(check(&guard, "https://127.0.0.1/").is_err());
        assert!(matches!(guard.allow_network("10.1.2.3/16"), Err(SetupError::Network { .. })));
    }

    #[test]
    fn an_allowed_network_of_ipv6_opens_no_ipv4_address() {
        let guard = Guard::new().allow_network("::/0").unwrap();
        for url in ["https://[::1]/", "https://[fd12:3456::1]/", "https://[2002:808:808::1]/"] {
            assert_eq!(check(&guard, url), Ok(()), "{url}");
        }
        let inside = [
            "https://127.0.0.1/",
            "https://169.254.169.254/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:169.254.169.254]/",
            "https://[::ffff:0:127.0.0.1]/",
            "https://[::127.0.0.1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://[64:ff9b:1::a9fe:a9fe]/",
            "https://[2002:7f00:1::1]/",
            "https://[fe80::5efe:a9fe:a9fe]/",
            "https://[2606:4700::200:5efe:a00:1]/",
        ];
        for url in inside {
            assert!(matches!(check(&guard, url), Err(Refusal::Address { .. })), "{url}");
        }
        let guard = guard.allow_network("0.0.0.0/0").unwrap();
        for url in inside {
            assert_eq!(check(&guard, url), Ok(()), "{url}");
        }
    }

    #[test]
    fn a_refused_network_is_refused_whatever_is_allowed() {
        let guard = Guard::new()
            .refuse_network("8.8.8.0/24")
            .and_then(|guard| guard.refuse_network("2606:4700:64::/96"))
            .and_then(|guard| guard.allow_network("0.0.0.0/0"))
            .and_then(|guard| guard.allow_network("::/0"))
            .and_then(|guard| guard.allow_host("hooks.internal"))
            .unwrap();
        for url in [
            "https://8.8.8.8/",
            "https://[::ffff:8.8.8.8]/",
            "https://[64:ff9b::808:808]/",
            "https://[2606:4700:64::7f00:1]/",
        ] {
            assert!(matches!(check(&guard, url), Err(Refusal::Address { .. })), "{url}");
        }
        assert_eq!(check(&guard, "https://8.8.4.4/"), Ok(()));
        let [refused, local]: [IpAddr; 2] = [[8, 8, 8, 8].into(), [127, 0, 0, 1].into()];
        assert_eq!(guard.filter("hooks.internal", vec![refused, local]), Ok(vec![local]));
        assert!(matches!(guard.filter("hooks.internal", vec![refused]), Err(Refusal::Name { .. })));
        assert!(matches!(guard.refuse_network("::ffff:8.8.8.0/120"), Err(SetupError::Network { .. })));
    }

    #[test]
    fn a_refused_name_does_not_tell_where_it_leads() {
        let refusal = Guard::new().filter("db.internal", vec![[10, 1, 2, 3].into()]).unwrap_err();
        assert!(matches!(&refusal, Refusal::Name { address, .. } if address.to_string() == "10.1.2.3"));
        assert!(!refusal.to_string().contains("10.1.2.3"), "{refusal}");
    }

    #[test]
    fn a_name_is_judged_by_its_addresses() {
        let addresses =
            |texts: &[&str]| -> Vec<IpAddr> { texts.iter().map(|text| text.parse().unwrap()).collect() };
        let guard = Guard::new();
        let public = addresses(&["1.1.1.1", "2606:4700:4700::1111"]);
        assert_eq!(guard.filter("customer.example", public.clone()), Ok(public.clone()));
        // Of a mixed answer, only the public part is used.
        let mixed = addresses(&["127.0.0.1", "1.1.1.1", "::1", "2606:4700:4700::1111"]);
        assert_eq!(guard.filter("customer.example", mixed), Ok(public));
        let inside = addresses(&["127.0.0.1", "169.254.169.254"]);
        assert!(matches!(guard.filter("customer.example", inside.clone()), Err(Refusal::Name { .. })));

        let allowing = guard.allow_host("Hooks.Internal").unwrap();
        assert_eq!(allowing.filter("hooks.internal.", inside.clone()), Ok(inside.clone()));
        assert!(allowing.filter("sub.hooks.internal", inside).is_err());
        assert!(matches!(allowing.allow_host("127.0.0.1"), Err(SetupError::Host { .. })));
    }
}
