//! Who may ask for tokens, and how a client proves who it is.
//!
//! A confidential client has a secret and sends it in the body or by Basic, form-encoded inside as RFC 6749
//! 2.3.1 says; a public one sends its id only. Both ways at once are refused, as the standard demands.
//! Not for client assertions (RFC 7523 2.2) or mutual TLS.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::answer::{Failure, Reason};
use super::arguments::Arguments;
use crate::server::Received;

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    /// `None` is a public client.
    pub(crate) secret: Option<String>,
    pub(crate) redirect_uris: Vec<String>,
}

impl Client {
    /// Compared as text; a loopback redirect may differ in its port if the server allows it (RFC 8252 7.3).
    pub(crate) fn redirects_to(&self, uri: &str, any_loopback_port: bool) -> bool {
        self.redirect_uris.iter().any(|registered| {
            registered == uri
                || any_loopback_port
                    && matches!((loopback(registered), loopback(uri)), (Some(one), Some(two)) if one == two)
        })
    }
}

/// Host and path of a redirect to this machine, without the port.
fn loopback(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let host = ["127.0.0.1", "[::1]", "localhost"].into_iter().find(|host| rest.starts_with(host))?;
    let rest = rest.get(host.len()..)?;
    let (port, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
    let port_is_number =
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    port_is_number.then_some((host, path))
}

pub(crate) fn find<'a>(clients: &'a [Client], id: &str) -> Option<&'a Client> {
    clients.iter().find(|client| client.id == id)
}

/// The client of a request to the token endpoint and its neighbours.
pub(crate) fn authenticate(
    clients: &[Client],
    request: &Received,
    arguments: &Arguments,
) -> Result<Client, Failure> {
    let header = match request.authorization() {
        Some((scheme, credential)) if scheme.eq_ignore_ascii_case("basic") => {
            Some(basic(credential).ok_or(Failure::new(Reason::InvalidClient))?)
        }
        _ => None,
    };
    let (id, secret) = match &header {
        Some(_) if arguments.get("client_secret").is_some() => {
            let why = "the client authenticates twice, by header and in the body";
            return Err(Failure::because(Reason::InvalidRequest, why));
        }
        Some((id, _)) if arguments.get("client_id").is_some_and(|other| other != id) => {
            let why = "the header and the body name different clients";
            return Err(Failure::because(Reason::InvalidRequest, why));
        }
        Some((id, secret)) => (id.as_str(), Some(secret.as_str())),
        None => match arguments.get("client_id") {
            Some(id) => (id, arguments.get("client_secret")),
            None => {
                return Err(Failure::because(Reason::InvalidClient, "The client does not say who it is."));
            }
        },
    };
    let client = find(clients, id).ok_or(Failure::new(Reason::UnknownClient))?;
    let given = secret.filter(|secret| !secret.is_empty());
    if client.secret.as_deref() != given {
        return Err(Failure::new(Reason::InvalidClient));
    }
    Ok(client.clone())
}

/// Whether the credential of a Basic header is a client's.
pub(crate) fn knows(clients: &[Client], credential: &str) -> bool {
    basic(credential).is_some_and(|(id, secret)| {
        find(clients, &id).is_some_and(|client| client.secret.as_deref() == Some(secret.as_str()))
    })
}

/// Id and secret of a Basic credential, each form-decoded.
fn basic(credential: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(credential.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form_decoded(id)?, form_decoded(secret)?))
}

fn form_decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    Some(percent_decode_str(&spaced).decode_utf8().ok()?.into_owned())
}
