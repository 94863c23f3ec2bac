//! Who may be reached: the guard against requests forged through the server (SSRF).
//!
//! A destination's URL comes from a customer. Without a guard it may name `http://169.254.169.254/`, the
//! database next door, or a host whose DNS answer changes between the check and the connection. So nothing is
//! decided by looking at the name: the addresses are. [`HttpTransport`](super::HttpTransport) resolves names
//! through [`Guard::filter`] and connects to the very addresses that came out of it.
//!
//! By default only https and public addresses pass. For development, and for customers inside your own
//! network, hosts and networks can be allowed one by one.
//!
//! The guard cannot see what a public address does behind its own firewall, nor an internal service that
//! listens on a public address: keep those behind authentication, and the sender in a network of its own
//! where you can.

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

    /// Lets through a network that would be refused: `10.1.0.0/16`, `fd00::/8`, or one address.
    pub fn allow_network(mut self, network: &str) -> Result<Self, SetupError> {
        let parsed =
            Network::parse(network).ok_or_else(|| SetupError::Network { text: network.to_owned() })?;
        self.networks.push(parsed);
        Ok(self)
    }

    /// Lets through one host by its exact name, wherever it resolves to. Only for names whose DNS you trust.
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
        let allowed =
            |network: &Network| network.contains(address) || network.contains(address.to_canonical());
        match ranges::refused(address) {
            Some((range, document)) if !self.networks.iter().any(allowed) => {
                Err(Refusal::Address { address, range, document })
            }
            _ => Ok(()),
        }
    }

    /// Those of a name's addresses that may be connected to; refused if none is left.
    pub fn filter(&self, host: &str, addresses: Vec<IpAddr>) -> Result<Vec<IpAddr>, Refusal> {
        if self.hosts.contains(&comparable(host)) {
            return Ok(addresses);
        }
        let mut refused = None;
        let mut passed = Vec::with_capacity(addresses.len());
        for address in addresses {
            match self.check_address(address) {
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
    #[error("{address} is {range} ({document}); give a public address, or allow its network")]
    Address {
        /// The address.
        address: IpAddr,
        /// What kind of address it is.
        range: &'static str,
        /// Where that is written.
        document: &'static str,
    },
    /// A name that resolves to no public address; the last one found is named.
    #[error(
        "`{host}` resolves to {address}, which is {range} ({document}); \
         point the name to a public address, or allow its network"
    )]
    Name {
        /// The name.
        host: String,
        /// An address it resolves to.
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
