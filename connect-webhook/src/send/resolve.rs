//! From names to addresses, which the guard then judges.
//!
//! The system's resolver is the default. Another one fits hosts that ask a DNS server of their own, and
//! tests.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;

/// Looks up the addresses of a name. Must not filter them: that is the [`Guard`](super::Guard)'s job, and it
/// sees what this returns right before the connection is made to it.
///
/// ```
/// use connect_webhook::{async_trait, send::Resolve};
/// use std::{io, net::{IpAddr, Ipv4Addr}};
///
/// /// What an attacker's DNS server does.
/// struct EverythingIsLocal;
///
/// #[async_trait]
/// impl Resolve for EverythingIsLocal {
///     async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
///         Ok(vec![Ipv4Addr::LOCALHOST.into()])
///     }
/// }
/// ```
#[async_trait]
pub trait Resolve: Send + Sync {
    /// The addresses of `host`, in the order in which they are to be tried.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

#[async_trait]
impl<R: Resolve + ?Sized> Resolve for Arc<R> {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        (**self).resolve(host).await
    }
}

/// The operating system's resolver, asked on tokio's threads for blocking work.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        // The port is of no matter; the lookup wants one.
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}
