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
    /// It is a handshake; this is the answer. `verified` if it is signed like any delivery too: then it proves its
    /// sender, otherwise it was only answered because a registration is open here.
    Challenge { answer: Response<Bytes>, verified: Option<Box<Outcome>> },
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
        match self.handshake(&verifier).await {
            Some(Handshake::Answered(answer)) => {
                let verified = self.verdict(&verifier, &incoming).await;
                let verified = matches!(verified, Outcome::Verified { .. }).then(|| Box::new(verified));
                return Outcome::Challenge { answer, verified };
            }
            Some(Handshake::Refused(code)) => {
                let message =
                    "the handshake is refused; compare the verify token with the provider's settings";
                return Outcome::Refused { code, message: message.to_owned() };
            }
            None => {}
        }
        self.verdict(&verifier, &incoming).await
    }

    /// What verifying says.
    async fn verdict(&self, verifier: &Verifier, incoming: &Incoming<'_>) -> Outcome {
        if let Err(error) = verifier.ready(incoming, self.now).await {
            return Outcome::Refused { code: "keys", message: error.to_string() };
        }
        match verifier.verify_request(incoming, self.now) {
            Ok(verification) => {
                let description = verifier.describe(incoming, self.now);
                Outcome::Verified { verification, id: description.id, event: description.event }
            }
            Err(error) => {
                let hint = verifier.diagnose(incoming, self.now).map(|hint| format!("; {hint}"));
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
        // What is not given matches nothing, so that what else is wrong still shows.
        let or_nothing = |text: &Option<String>| text.clone().unwrap_or_else(|| NOTHING.to_owned());
        builder = builder
            .audience(or_nothing(&settings.audience))
            .service_account(or_nothing(&settings.service_account))
            .webhook_id(or_nothing(&settings.webhook_id));
        if settings.topics.is_empty() {
            builder = builder.topic(NOTHING);
        }
        if let Some(text) = &settings.issuer {
            builder = builder.issuer(text);
        }
        for topic in &settings.topics {
            builder = builder.topic(topic);
        }
        builder.keys(Keys::fixed(settings.keys.clone())).build()
    }

    /// What a receiver says, if this is a handshake.
    async fn handshake(&self, verifier: &Verifier) -> Option<Handshake> {
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
        let counters = receiver.counters();
        let refused = ["wrong_verify_token", "registration_closed"];
        match refused.into_iter().find(|code| counters.refused(code) > 0) {
            Some(code) => Some(Handshake::Refused(code)),
            None => (counters.handshakes == 1).then_some(Handshake::Answered(response)),
        }
    }
}

/// Equal to nothing that a provider sends.
const NOTHING: &str = "not set on the command line";

/// How a handshake ended.
enum Handshake {
    Answered(Response<Bytes>),
    Refused(&'static str),
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
