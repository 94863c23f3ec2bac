//! The engine's own HTTP: one connect-core client per origin, so that retry, quota, breaker and time-outs are those of
//! every other call, and answers that are never quoted, because they hold tokens.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connect_core::http_header::{ACCEPT, AUTHORIZATION};
use connect_core::observe::Observer;
use connect_core::{
    Client, Config, Decoding, Endpoint, Error, ErrorKind, HeaderValue, Method, Operation, Request, Response,
    Safety, Secret, Transport, TransportFuture, Url,
};
use serde_json::{Map, Value};

use crate::api::OAuthApi;
use crate::preset::TokenBody;
use crate::problem::Problem;

/// How long one exchange may take, its own attempts included. Longer than a healthy token endpoint ever takes.
pub(crate) const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);

/// An answer: a JSON object.
pub(crate) type Answer = Map<String, Value>;

/// Sends to wherever an authorization server has its endpoints.
pub(crate) struct Http {
    clients: Mutex<HashMap<String, Client<OAuthApi>>>,
    config: Config,
    transport: Option<Arc<dyn Transport>>,
    observer: Option<Arc<dyn Observer>>,
}

/// One request of an authorization server's.
pub(crate) struct Exchange<'a> {
    /// As logs and metrics name it: `refresh_token`, behind the preset's id.
    pub(crate) operation: String,
    pub(crate) method: Method,
    pub(crate) url: &'a Url,
    pub(crate) safety: Safety,
    /// The whole `Authorization` header.
    pub(crate) authorization: Option<Secret>,
    pub(crate) body: Option<(TokenBody, Vec<(&'a str, &'a str)>)>,
    /// What the provider must not get to repeat in its words.
    pub(crate) secrets: Vec<&'a str>,
}

impl Http {
    pub(crate) fn new(
        config: Config,
        transport: Option<Arc<dyn Transport>>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        Self { clients: Mutex::default(), config, transport, observer }
    }

    /// A document by GET, with the access token as bearer if there is one.
    #[cfg_attr(not(feature = "identity"), allow(dead_code, reason = "profiles and keys are for `identity`"))]
    pub(crate) async fn get(
        &self,
        operation: String,
        url: &Url,
        bearer: Option<&Secret>,
    ) -> Result<Answer, Error> {
        let exchange = Exchange {
            operation,
            method: Method::GET,
            url,
            safety: Safety::Safe,
            authorization: bearer.map(|token| Secret::new(format!("Bearer {}", token.expose()))),
            body: None,
            secrets: bearer.map(Secret::expose).into_iter().collect(),
        };
        self.send(exchange).await
    }

    pub(crate) async fn send(&self, exchange: Exchange<'_>) -> Result<Answer, Error> {
        let client = self.client(exchange.url)?;
        let mut target = exchange.url.path().to_owned();
        if let Some(query) = exchange.url.query() {
            target.push('?');
            target.push_str(query);
        }
        let operation = Operation::raw(exchange.operation, exchange.method, target).safety(exchange.safety);
        let mut builder = Request::builder(&operation).header(ACCEPT, "application/json");
        if let Some((kind, parameters)) = exchange.body {
            builder = match kind {
                TokenBody::Form => {
                    builder.form(parameters.into_iter().map(|(name, value)| (name, Some(value.into()))))
                }
                TokenBody::Json => builder.json(&parameters.into_iter().collect::<BTreeMap<_, _>>()),
            };
        }
        let mut request = builder.build()?;
        if let Some(authorization) = exchange.authorization {
            let mut value = HeaderValue::try_from(authorization.expose()).map_err(|_| {
                let message = "the client secret or token has characters a header cannot carry";
                Error::new(ErrorKind::Invalid, message)
            })?;
            value.set_sensitive(true);
            request.insert_header(AUTHORIZATION, value);
        }
        let answered = client.send(Sent(request)).deadline(EXCHANGE_TIMEOUT).await;
        answered.map_err(|error| tell(error, &exchange.secrets))
    }

    /// The client of this origin. There are as many as an authorization server has origins: one, two, three.
    fn client(&self, url: &Url) -> Result<Client<OAuthApi>, Error> {
        let origin = url.origin().ascii_serialization();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&origin) {
            return Ok(client.clone());
        }
        let mut builder = Client::<OAuthApi>::builder()
            .base_url(&origin)
            .config(self.config.clone())
            .default_user_agent(concat!("connect-oauth/", env!("CARGO_PKG_VERSION")));
        if let Some(transport) = &self.transport {
            builder = builder.transport(Shared(Arc::clone(transport)));
        }
        if let Some(observer) = &self.observer {
            builder = builder.observer(vec![Arc::clone(observer)]);
        }
        let client = builder.build()?;
        clients.insert(origin, client.clone());
        Ok(client)
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

/// The error with the provider's own words, unless they repeat a secret.
fn tell(error: Error, secrets: &[&str]) -> Error {
    let Some(problem) = error.details::<Problem>() else { return error };
    let problem = problem.clone().without(secrets);
    error.with_message(problem.to_string()).with_details(problem)
}

/// The one transport behind the clients of all origins.
struct Shared(Arc<dyn Transport>);

impl Transport for Shared {
    fn send(&self, request: Request) -> TransportFuture {
        self.0.send(request)
    }
}

/// A finished request as an endpoint.
struct Sent(Request);

impl Endpoint for Sent {
    type Api = OAuthApi;
    type Output = Answer;

    fn operation(&self) -> &Operation {
        self.0.operation()
    }

    fn request(&self) -> Result<Request, Error> {
        self.0.replay().ok_or_else(|| Error::new(ErrorKind::Invalid, "the request can be sent only once"))
    }

    /// Without the path and the snippet that other endpoints keep of an odd answer: this one may hold tokens.
    fn decode(&self, response: Response, _cx: &mut Decoding) -> Result<Answer, Error> {
        if response.body().is_empty() {
            return Ok(Answer::new()); // a revocation, for one
        }
        serde_json::from_slice(response.body()).map_err(|_| {
            let message = "the authorization server's answer is not a JSON object: is the URL the right one?";
            Error::new(ErrorKind::Decode, message)
        })
    }
}
