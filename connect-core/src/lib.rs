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
//! [`Observe`](observe::Observe) → [`Deadline`](deadline::Deadline) → [`Retry`](retry::Retry) → per attempt
//! [`Auth`](auth::Auth) → [`AttemptTimeout`](deadline::AttemptTimeout) → [`Classify`](classify::Classify) →
//! [`Transport`]. Each is a tower layer in its own file: the decision is a pure function, the service a thin shell with
//! a named future. It is boxed once, at the outside.
//!
//! # Features
//! | feature | default | brings |
//! |---|---|---|
//! | `transport-reqwest` | yes | the default transport |
//! | `rustls` | yes | TLS by rustls with ring; no process-global provider is installed |
//! | `simulation` | no | [`simulation`]: a scripted in-memory transport for tests |

pub mod api;
pub mod auth;
pub mod body;
pub mod call;
pub mod classify;
pub mod client;
pub mod config;
pub mod connector;
pub mod context;
pub mod deadline;
pub mod decode;
pub mod endpoint;
pub mod error;
pub mod hint;
pub mod observe;
pub mod operation;
pub mod origins;
pub mod page;
pub mod raw;
pub mod request;
pub mod response;
pub mod retry;
pub mod secret;
#[cfg(feature = "simulation")]
pub mod simulation;
pub mod transport;
pub mod vars;

pub use api::{Api, Problem, Verdict};
pub use auth::Credentials;
pub use body::Body;
pub use call::{Call, Reply};
pub use client::{Client, ClientBuilder, Stack};
pub use config::Config;
pub use connector::{AuthKind, Connector, Descriptor, Health, Identity};
pub use context::Context;
pub use decode::Decoding;
pub use endpoint::{As, Endpoint, Paged};
pub use error::{Error, ErrorKind, RetryAdvice, Sent};
pub use operation::{Operation, Origin, Paging, Safety};
pub use origins::Origins;
pub use page::{Cursor, Items, Page, Pages};
pub use raw::Raw;
pub use request::{Head, Request, RequestBuilder};
pub use response::Response;
pub use retry::RetryPolicy;
pub use secret::Secret;
pub use transport::{Transport, TransportFuture};
pub use vars::Vars;

// Types of other crates that stand in our signatures, so that a provider crate needs no second version of them.
pub use bytes::Bytes;
pub use http::header as http_header;
pub use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
pub use url::Url;
