//! Vocabulary and resilience of the `connect` family. This crate knows no provider.
//!
//! **An endpoint is a value; a client sends it.** An [`Endpoint`] is a plain struct without IO; its [`Operation`]
//! row says everything that retry, deadlines, credentials and paging need to know. A [`Client`] sends it through one
//! tower stack and answers with a typed value or an [`Error`] that says what to do next.
//!
//! Most programs use a provider crate (`connect-github`, `connect-jira`, `connect-slack`) and meet this crate through
//! its re-exports. Use it directly to write a client for another provider: about sixty lines, as here.
//!
//! ```
//! use connect_core::{Api, Client, Decoding, Endpoint, Error, Method, Operation, Request, Response, Safety, Verdict};
//! use connect_core::simulation::{Answer, Scripted};
//!
//! enum Weather {}
//! impl Api for Weather {
//!     const ID: &'static str = "weather";
//!     const BASE_URL: &'static str = "https://api.weather.example";
//!     type Handle = Client<Weather>;
//!     fn classify(response: &Response) -> Verdict { Verdict::from_status(response) }
//! }
//!
//! #[derive(Clone, Debug)]
//! struct Today { city: String }
//! impl Today {
//!     const OPERATION: Operation = Operation::new("today", Method::GET, "/today/{city}", Safety::Safe);
//! }
//! impl Endpoint for Today {
//!     type Api = Weather;
//!     type Output = serde_json::Value;
//!     fn operation(&self) -> &Operation { static ROW: Operation = Today::OPERATION; &ROW }
//!     fn request(&self) -> Result<Request, Error> { Request::builder(&Self::OPERATION).path("city", &self.city).build() }
//!     fn decode(&self, response: Response, cx: &mut Decoding) -> Result<Self::Output, Error> { cx.json(&response) }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Error> {
//! let transport = Scripted::new([Answer::status(502), Answer::json(200, r#"{"sun": true}"#)]);
//! let weather = Client::<Weather>::builder().transport(transport).build()?;
//! let today = weather.send(Today { city: "St. Gallen".into() }).await?; // the 502 is retried: `Safe` may be replayed
//! assert_eq!(today["sun"], true);
//! # Ok(())
//! # }
//! ```
//!
//! # The stack, outermost first
//! | layer | what it does |
//! |---|---|
//! | [`Observe`](observe::Observe) | one span per operation |
//! | [`Deadline`](deadline::Deadline) | total budget of the operation, waits and body included |
//! | [`Cache`](cache::Cache) | where asked for: is a kept answer still good? |
//! | [`Retry`](retry::Retry) | sends again what may be sent again; each attempt passes everything below |
//! | [`Guarded`](breaker::Guarded) | leaves a provider alone that only fails |
//! | [`Admit`](quota::Admit) | takes its turn in the account's quotas |
//! | [`Auth`](auth::Auth) | attaches a fresh credential, for the client's own origins only |
//! | [`Redirect`](redirect::Redirect) | follows what may be followed |
//! | [`AttemptTimeout`](deadline::AttemptTimeout) | starts when the attempt does |
//! | [`Classify`](classify::Classify) | what does the answer mean? Every layer above reads its verdict |
//! | [`BodyGuard`](guard::BodyGuard) | collects the answer, within bounds of size and silence |
//! | [`Transport`] | reqwest, hyper, a tower service of the host's, or a script in memory |
//!
//! Each is a tower layer in its own file: the decision is a pure function, the service a thin shell with a named future.
//! The stack is boxed once, at the outside. A host adds layers of its own outside
//! ([`operation_layer`](ClientBuilder::operation_layer)) or inside ([`attempt_layer`](ClientBuilder::attempt_layer)), and
//! puts ours round a service of its own: `examples/host_service.rs` does.
//!
//! Who asks why something took so long awaits [`Call::explain`]; who wants to hear of everything, an
//! [`Observer`](observe::Observer).
//!
//! # Features
//! | feature | default | brings |
//! |---|---|---|
//! | `transport-reqwest` | yes | the default transport |
//! | `transport-hyper` | no | `HyperTransport`: less work per request; the default transport without the one above |
//! | `rustls` | yes | TLS by rustls with ring; no process-global provider is installed |
//! | `metrics` | no | `MetricsObserver`: counters and histograms through the `metrics` facade |
//! | `rustls-aws-lc` | no | the same with aws-lc-rs, which needs a C compiler |
//! | `native-tls` | no | TLS by the operating system's library, for reqwest; used where rustls is not on |
//! | `gzip` | no | compressed answers, by reqwest; limits count what comes out |
//! | `file` | no | request bodies out of files |
//! | `simulation` | no | `simulation`: scripted and simulated providers in memory, and the contract as checks |

pub mod answer;
pub mod api;
pub mod argument;
pub mod auth;
pub mod body;
pub mod breaker;
pub mod builder;
#[cfg(feature = "by-name")]
pub mod by_name;
pub mod cache;
pub mod call;
pub mod classify;
pub mod client;
pub mod clock;
pub mod config;
pub mod connector;
pub mod context;
pub mod deadline;
pub mod decode;
pub mod deprecation;
pub mod download;
pub mod endpoint;
pub mod error;
pub mod event;
pub mod explain;
pub mod guard;
pub mod hint;
mod keys;
#[cfg(feature = "metrics")]
pub mod metrics;
pub mod network;
pub mod observe;
pub mod operation;
pub mod origins;
pub mod page;
mod progress;
pub mod quota;
pub mod raw;
pub mod redirect;
mod refusal;
pub mod registry;
pub mod request;
pub mod response;
pub mod retry;
pub mod secret;
mod seed;
#[cfg(feature = "simulation")]
pub mod simulation;
pub mod transport;
pub mod upload;
pub mod vars;

pub use answer::{As, AsBytes, AsText, IfChanged};
pub use api::{Api, Problem, Verdict};
pub use auth::{Account, Credentials, TokenCache};
pub use body::{Body, Multipart, Part};
pub use builder::ClientBuilder;
pub use call::{Call, Reply};
pub use client::{Client, Stack};
pub use config::Config;
pub use connector::{AuthKind, Connector, Descriptor, Health, Identity};
pub use context::{Context, Priority};
pub use decode::Decoding;
pub use deprecation::Deprecation;
pub use download::{Download, DownloadCall};
pub use endpoint::{Endpoint, Paged, Upload};
pub use error::{Error, ErrorKind, RetryAdvice, Sent};
pub use explain::Report;
pub use network::{Proxy, RootCertificates};
pub use operation::{Operation, Origin, Paging, Safety};
pub use origins::Origins;
pub use page::{Cursor, Items, Page, Pages};
pub use raw::Raw;
pub use registry::Registry;
pub use request::{Head, Request, RequestBuilder};
pub use response::{BoxError, ByteStream, Response, Source};
pub use retry::RetryPolicy;
pub use secret::Secret;
pub use transport::{Transport, TransportFuture};
pub use vars::Vars;

// Types of other crates that stand in our signatures, so that a provider crate needs no second version of them.
pub use bytes::Bytes;
pub use http::header as http_header;
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
pub use url::Url;
