//! The endpoints of the fake authorization server: one row each, and what they answer.
//!
//! The token endpoint's operation carries the grant (`token/refresh_token`), so that a fault can be planned for
//! one grant alone. Other methods are 405, other paths 404.
//! Not a router for a real server: it compares paths as text.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::answer::{self, Failure};
use super::arguments::Arguments;
use super::habits::{Shape, Terms};
use super::ledger::{Bearer, Issued};
use super::login::{self, Demands};
use super::state::State;
use super::token::{self, Call};
use super::{client, device, openid};
use crate::clock::{Clock, http_date};
use crate::fault::Refusal;
use crate::server::{Answer, Provider, Received};
use crate::shared::Shared;

type Handler = fn(&Authorization, &Received, u64) -> Answer;

struct Endpoint {
    operation: &'static str,
    method: Method,
    path: &'static str,
    handler: Handler,
}

const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        operation: "authorize",
        method: Method::GET,
        path: "/authorize",
        handler: Authorization::authorize,
    },
    Endpoint { operation: "token", method: Method::POST, path: "/token", handler: Authorization::token },
    Endpoint {
        operation: "device/code",
        method: Method::POST,
        path: "/device/code",
        handler: Authorization::device_code,
    },
    Endpoint { operation: "revoke", method: Method::POST, path: "/revoke", handler: Authorization::revoke },
    Endpoint {
        operation: "discovery",
        method: Method::GET,
        path: "/.well-known/openid-configuration",
        handler: Authorization::discovery,
    },
    Endpoint {
        operation: "discovery",
        method: Method::GET,
        path: "/.well-known/oauth-authorization-server",
        handler: Authorization::discovery,
    },
    Endpoint { operation: "jwks", method: Method::GET, path: "/jwks", handler: Authorization::jwks },
    Endpoint {
        operation: "userinfo",
        method: Method::GET,
        path: "/userinfo",
        handler: Authorization::userinfo,
    },
    Endpoint {
        operation: "resource",
        method: Method::GET,
        path: "/resource",
        handler: Authorization::resource,
    },
];

fn endpoint(request: &Received) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.method == request.method && endpoint.path == request.path)
}

pub(crate) struct Authorization {
    pub(crate) origin: String,
    pub(crate) issuer: String,
    pub(crate) token_url: String,
    pub(crate) shape: Shape,
    pub(crate) terms: Terms,
    pub(crate) demands: Demands,
    pub(crate) clock: Clock,
    pub(crate) state: Shared<State>,
}

impl Authorization {
    /// Where a login ends: the redirect, or the page of one that may not be redirected.
    pub(crate) fn log_in(&self, request: &Received, now: u64) -> Result<String, Failure> {
        let arguments = Arguments::of_query(request)?;
        self.state
            .with(|state| login::authorize(state, &arguments, self.demands, self.shape, &self.issuer, now))
    }

    fn authorize(&self, request: &Received, now: u64) -> Answer {
        match self.log_in(request, now) {
            Ok(location) => {
                let mut answer = Answer::new(StatusCode::FOUND, "");
                answer.set("location", location);
                answer
            }
            Err(failure) => answer::page(StatusCode::BAD_REQUEST, &failure.words().1),
        }
    }

    fn token(&self, request: &Received, now: u64) -> Answer {
        let answered = self.call(request, now).and_then(|call| {
            let (issued, user_scope, claims) = self.state.with(|state| {
                let issued = token::exchange(state, &call)?;
                let family = state.ledger.family(issued.login);
                let claims = family.and_then(|family| {
                    openid::claims(&issued, family, &state.person, &self.issuer, now, &self.terms)
                });
                let user_scope = family.is_some_and(|family| family.user_scope);
                Ok((issued, user_scope, claims.zip(state.sign_id_token.clone())))
            })?;
            // Outside of the lock, because the test's function may ask the fake something.
            let id_token = claims.map(|(claims, sign)| sign(&claims));
            Ok(token::fields(&issued, user_scope, id_token, &self.terms, self.shape))
        });
        self.secret(request, answered)
    }

    fn device_code(&self, request: &Received, now: u64) -> Answer {
        let begun = self
            .call(request, now)
            .and_then(|call| self.state.with(|state| device::begin(state, &call, &self.origin)));
        self.secret(request, begun)
    }

    /// An unknown token is fine: it is good for nothing already (RFC 7009 2.2).
    fn revoke(&self, request: &Received, now: u64) -> Answer {
        let revoked = self.call(request, now).and_then(|call| {
            self.state.with(|state| {
                let client = call.client(state)?;
                state.ledger.revoke(call.arguments.require("token")?, &client.id);
                Ok(Map::new())
            })
        });
        self.secret(request, revoked)
    }

    fn discovery(&self, _: &Received, _: u64) -> Answer {
        answer::json_answer(StatusCode::OK, &openid::discovery(&self.issuer, &self.origin))
    }

    fn jwks(&self, _: &Received, _: u64) -> Answer {
        answer::json_answer(StatusCode::OK, &self.state.with(|state| state.jwks.clone()))
    }

    fn userinfo(&self, request: &Received, now: u64) -> Answer {
        let person = self.state.with(|state| state.person.clone());
        self.protected(request, now, |_| person)
    }

    fn resource(&self, request: &Received, now: u64) -> Answer {
        self.protected(
            request,
            now,
            |bearer| json!({ "client_id": bearer.client, "scope": bearer.scopes.join(" ") }),
        )
    }

    fn protected(&self, request: &Received, now: u64, body: impl FnOnce(Bearer) -> Value) -> Answer {
        let bearer = request
            .authorization()
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .and_then(|(_, token)| self.state.with(|state| state.ledger.bearer(token, now)));
        if let Some(bearer) = bearer {
            return answer::json_answer(StatusCode::OK, &body(bearer));
        }
        let body = json!({ "error": "invalid_token", "error_description": "The access token is no good." });
        let mut answer = answer::json_answer(StatusCode::UNAUTHORIZED, &body);
        let named = request.header("authorization").is_some();
        // A request without a token is told no error, only how to log in (RFC 6750 3.1).
        answer.set("www-authenticate", if named { "Bearer error=\"invalid_token\"" } else { "Bearer" });
        answer
    }

    fn call<'a>(&'a self, request: &'a Received, now: u64) -> Result<Call<'a>, Failure> {
        Ok(Call {
            request,
            arguments: Arguments::of_body(request)?,
            terms: &self.terms,
            shape: self.shape,
            token_url: &self.token_url,
            now,
        })
    }

    /// An answer that no cache may keep (RFC 6749 5.1).
    fn secret(&self, request: &Received, answered: Result<Map<String, Value>, Failure>) -> Answer {
        let mut answer = match answered {
            Ok(fields) => answer::success(fields, self.shape, request),
            Err(failure) => failure.into_answer(self.shape, request),
        };
        answer.set("cache-control", "no-store");
        answer.set("pragma", "no-cache");
        answer
    }

    fn finish(&self, now: u64, mut answer: Answer) -> Answer {
        answer.set("server", "connect-testkit");
        answer.set("date", http_date(now));
        answer
    }

    /// A grant without a login, for a test that begins with one.
    pub(crate) fn issue(&self, family: super::ledger::Family) -> Issued {
        let now = self.clock.now();
        // The test asked for a refresh token, whatever a login would have needed for one.
        let terms = Terms { offline_scope: None, ..self.terms.clone() };
        self.state.with(|state| state.ledger.open("issue", family, now, &terms))
    }
}

impl Provider for Authorization {
    fn operation(&self, request: &Received) -> Option<String> {
        let operation = endpoint(request)?.operation;
        Some(if operation == "token" { token::operation(request) } else { operation }.to_owned())
    }

    fn accepts(&self, scheme: &str, credential: &str) -> bool {
        let now = self.clock.now();
        self.state.with(|state| match scheme.to_ascii_lowercase().as_str() {
            "bearer" => state.ledger.bearer(credential, now).is_some(),
            "basic" => client::knows(&state.clients, credential),
            _ => false,
        })
    }

    fn answer(&self, request: &Received) -> Answer {
        let now = self.clock.now();
        let known = ENDPOINTS.iter().any(|endpoint| endpoint.path == request.path);
        let answer = match endpoint(request) {
            Some(endpoint) => (endpoint.handler)(self, request, now),
            None if known => answer::page(StatusCode::METHOD_NOT_ALLOWED, "Not with this method."),
            None => answer::page(StatusCode::NOT_FOUND, "There is nothing here."),
        };
        self.finish(now, answer)
    }

    fn refuse(&self, request: &Received, refusal: &Refusal) -> Answer {
        self.finish(self.clock.now(), answer::refusal(refusal, self.shape, request))
    }

    fn problems(&self, request: &Received) -> Vec<String> {
        // RFC 6749 2.3.1: credentials have no place in a URL, where logs keep them.
        let secrets = ["client_secret", "refresh_token", "access_token", "code_verifier", "assertion"];
        let query: Vec<String> = request.query_pairs().map(|(name, _)| name).collect();
        let found = secrets.into_iter().filter(|secret| query.iter().any(|name| name == secret));
        found.map(|secret| format!("`{secret}` is in the URL")).collect()
    }
}
