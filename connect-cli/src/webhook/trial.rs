//! One request, taken to the verdict that a receiver would come to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use connect_webhook::keys::Keys;
use connect_webhook::{
    Acceptance, BuildError, Delivery, Endpoint, FixedClock, Incoming, Receiver, Registration, Scheme,
    SecretSink, SecretString, Sink, SinkError, UnixTime, Verification, Verified, Verifier, async_trait,
};
use http::{HeaderMap, Method, Request, Response, Uri};

/// A request and what to verify it with.
pub(super) struct Trial {
    pub(super) scheme: Scheme,
    pub(super) secrets: Vec<SecretString>,
    pub(super) settings: Settings,
    pub(super) method: Method,
    /// Empty if it does not matter.
    pub(super) url: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) now: UnixTime,
}

/// What some schemes compare.
#[derive(Default)]
pub(super) struct Settings {
    pub(super) verify_token: Option<SecretString>,
    pub(super) audience: Option<String>,
    pub(super) service_account: Option<String>,
    pub(super) webhook_id: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) topics: Vec<String>,
    pub(super) keys: BTreeMap<String, String>,
}

/// How it ended.
pub(super) enum Outcome {
    /// It is genuine.
    Verified { verification: Verification, id: String, event: Option<String> },
    /// It is a handshake; this is the answer.
    Challenge(Response<Bytes>),
    /// It is not, or cannot be told.
    Refused { code: &'static str, message: String },
}

impl Trial {
    /// What a receiver makes of it. A registration is open, so that handshakes that hand out a secret are
    /// answered.
    pub(super) async fn run(&self) -> Outcome {
        let verifier = match self.verifier() {
            Ok(verifier) => verifier,
            Err(error) => return Outcome::Refused { code: build_code(&error), message: error.to_string() },
        };
        let incoming =
            Incoming::post(&self.headers, &self.body).with_method(&self.method).with_url(&self.url);
        if let Some(answer) = self.handshake(&verifier).await {
            return Outcome::Challenge(answer);
        }
        if let Err(error) = verifier.ready(&incoming, self.now).await {
            return Outcome::Refused { code: "keys", message: error.to_string() };
        }
        match verifier.verify_request(&incoming, self.now) {
            Ok(verification) => {
                let description = verifier.describe(&incoming, self.now);
                Outcome::Verified { verification, id: description.id, event: description.event }
            }
            Err(error) => {
                let hint = verifier.diagnose(&incoming, self.now).map(|hint| format!("; {hint}"));
                let message = format!("{error}{}", hint.unwrap_or_default());
                Outcome::Refused { code: error.code(), message }
            }
        }
    }

    fn verifier(&self) -> Result<Verifier, BuildError> {
        let settings = &self.settings;
        let mut builder = Verifier::builder(self.scheme.clone()).allow_weak();
        for secret in &self.secrets {
            builder = builder.secret(secret.clone());
        }
        if self.secrets.is_empty() {
            builder = builder.await_secret();
        }
        if let Some((origin, _)) = split(&self.url) {
            builder = builder.public_url(origin);
        } else if self.scheme.needs_url() && !self.url.is_empty() {
            builder = builder.public_url(&*self.url);
        }
        if let Some(token) = &settings.verify_token {
            builder = builder.verify_token(token.clone());
        }
        if let Some(text) = &settings.audience {
            builder = builder.audience(text);
        }
        if let Some(text) = &settings.service_account {
            builder = builder.service_account(text);
        }
        if let Some(text) = &settings.webhook_id {
            builder = builder.webhook_id(text);
        }
        if let Some(text) = &settings.issuer {
            builder = builder.issuer(text);
        }
        for topic in &settings.topics {
            builder = builder.topic(topic);
        }
        if !settings.keys.is_empty() {
            builder = builder.keys(Keys::fixed(settings.keys.clone()));
        }
        builder.build()
    }

    /// The answer, if this is a handshake.
    async fn handshake(&self, verifier: &Verifier) -> Option<Response<Bytes>> {
        let seen = Arc::new(Seen::default());
        let registration = Registration::closed();
        registration.open_until(self.now);
        let endpoint = Endpoint::new("default", "trial", verifier.clone())
            .with_registration(registration)
            .with_secret_sink(Arc::clone(&seen));
        let receiver = Receiver::builder()
            .endpoint(endpoint)
            .sink(seen)
            .clock(FixedClock::new(self.now))
            .build()
            .ok()?;
        let path = split(&self.url).map_or("/", |(_, path)| path);
        let mut request = Request::new(());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = path.parse::<Uri>().ok()?;
        *request.headers_mut() = self.headers.clone();
        let (parts, ()) = request.into_parts();
        let body = Bytes::copy_from_slice(&self.body);
        let response = receiver.receive_bytes("default", "trial", &parts, body).await;
        (receiver.counters().handshakes == 1).then_some(response)
    }
}

/// Origin, and path with query.
fn split(url: &str) -> Option<(&str, &str)> {
    let start = url.find("://")? + 3;
    let path = start + url.get(start..)?.find(['/', '?'])?;
    // A query without a path is not what a server gets to see.
    url.split_at_checked(path).filter(|(_, path)| path.starts_with('/'))
}

/// One word for what is wrong before anything is verified.
fn build_code(error: &BuildError) -> &'static str {
    match error {
        BuildError::NoSecret { .. }
        | BuildError::EmptySecret { .. }
        | BuildError::UnusableSecret { .. }
        | BuildError::MissingVariable { .. } => "invalid_secret",
        BuildError::InvalidScheme { .. } => "invalid_scheme",
        _ => "invalid_settings",
    }
}

/// Takes what comes, and keeps nothing of it.
#[derive(Default)]
struct Seen(Mutex<u32>);

#[async_trait]
impl Sink for Seen {
    async fn accept(&self, _: Verified<Delivery>) -> Result<Acceptance, SinkError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Ok(Acceptance::Accepted)
    }
}

#[async_trait]
impl SecretSink for Seen {
    async fn store(&self, _: &str, _: &str, _: SecretString) -> Result<(), SinkError> {
        Ok(())
    }
}
