//! What is wrong with a destination, a message or a sender before anything is sent.

use crate::error::BuildError;

/// Something that cannot be sent, or a sender that cannot be built. Each text names the remedy; none shows a
/// secret, a path or a query string.
///
/// ```
/// use connect_webhook::send::{Destination, SetupError};
/// let error = Destination::new("https://customer.example", &"hunter2".into()).unwrap_err();
/// assert!(matches!(error, SetupError::Secret { .. }));
/// ```
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The destination's address is not a URL that webhooks can be sent to.
    #[error("the destination's address {reason}; give one such as https://customer.example/hooks")]
    Url {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A signing secret has the wrong form.
    #[error("the signing secret {reason}; make one with `generate_secret`")]
    Secret {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The scheme cannot sign with this secret.
    #[error(transparent)]
    Scheme(BuildError),
    /// The message's id cannot be signed or sent.
    #[error(
        "the message id {reason}; use letters, digits, `_` and `-`, such as msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"
    )]
    MessageId {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The content type cannot stand in a header.
    #[error("the content type is not a header value; give one such as application/json")]
    ContentType,
    /// The event cannot be written as JSON.
    #[error("the event cannot be written as JSON; check its `Serialize` implementation")]
    Payload(#[source] serde_json::Error),
    /// What the guard is to refuse or to allow is no network.
    #[error(
        "`{text}` is not a network; give an address or a range that starts at its first address, \
         such as 10.0.0.0/8"
    )]
    Network {
        /// What was given.
        text: String,
    },
    /// An entry of the allow-list is no host name.
    #[error("`{text}` is not a host name; give one such as localhost, and use `allow_network` for addresses")]
    Host {
        /// What was given.
        text: String,
    },
    /// This build has no HTTP client: none of the TLS features is on.
    #[error(
        "this build has no TLS: enable the feature `rustls` of connect-webhook, or bring a `Transport` of your own"
    )]
    NoTls,
    /// TLS or the HTTP client cannot be set up.
    #[error(
        "the HTTP client cannot be set up: are root certificates (the package ca-certificates) installed?"
    )]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}
