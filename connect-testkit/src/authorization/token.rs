//! The token endpoint: five grants, one row each, and the answer with tokens.
//!
//! A refused request consumes nothing. A code that comes twice revokes what it was redeemed for (RFC 6749 4.1.2).
//! Not for token exchange (RFC 8693) or the password grant; an unknown grant type is refused.

use serde_json::{Map, Value, json};

use super::answer::{Failure, Reason};
use super::arguments::Arguments;
use super::client::{self, Client};
use super::habits::{Shape, Terms};
use super::ledger::{Family, Issued};
use super::state::State;
use super::{assertion, device};
use crate::server::Received;

/// One request to the token endpoint or a neighbour, with everything that a handler may look at.
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Received,
    pub(crate) arguments: Arguments,
    pub(crate) terms: &'a Terms,
    pub(crate) shape: Shape,
    pub(crate) token_url: &'a str,
    pub(crate) now: u64,
}

impl Call<'_> {
    pub(crate) fn client(&self, state: &State) -> Result<Client, Failure> {
        client::authenticate(&state.clients, self.request, &self.arguments)
    }

    /// GitHub's device login takes the client's id alone.
    pub(crate) fn device_client(&self, state: &State) -> Result<Client, Failure> {
        let id = self.arguments.get("client_id");
        match id.and_then(|id| client::find(&state.clients, id)) {
            Some(client) if self.shape == Shape::GitHub => Ok(client.clone()),
            _ => self.client(state),
        }
    }
}

type Handler = fn(&mut State, &Call<'_>) -> Result<Issued, Failure>;

struct Grant {
    grant_type: &'static str,
    operation: &'static str,
    handler: Handler,
}

const GRANTS: &[Grant] = &[
    Grant {
        grant_type: "authorization_code",
        operation: "token/authorization_code",
        handler: authorization_code,
    },
    Grant { grant_type: "refresh_token", operation: "token/refresh_token", handler: refresh_token },
    Grant {
        grant_type: "client_credentials",
        operation: "token/client_credentials",
        handler: client_credentials,
    },
    Grant {
        grant_type: "urn:ietf:params:oauth:grant-type:device_code",
        operation: "token/device_code",
        handler: device::poll,
    },
    Grant {
        grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
        operation: "token/jwt_bearer",
        handler: jwt_bearer,
    },
];

pub(crate) fn grant_types() -> impl Iterator<Item = &'static str> {
    GRANTS.iter().map(|grant| grant.grant_type)
}

fn grant_of(arguments: &Arguments) -> Option<&'static Grant> {
    let grant_type = arguments.get("grant_type")?;
    GRANTS.iter().find(|grant| grant.grant_type == grant_type)
}

/// `token` alone for a request without a known grant.
pub(crate) fn operation(request: &Received) -> &'static str {
    let arguments = Arguments::of_body(request).ok();
    arguments.as_ref().and_then(grant_of).map_or("token", |grant| grant.operation)
}

pub(crate) fn exchange(state: &mut State, call: &Call<'_>) -> Result<Issued, Failure> {
    call.arguments.require("grant_type")?;
    let grant = grant_of(&call.arguments).ok_or_else(|| Failure::new(Reason::UnsupportedGrantType))?;
    (grant.handler)(state, call)
}

fn authorization_code(state: &mut State, call: &Call<'_>) -> Result<Issued, Failure> {
    let client = call.client(state)?;
    let text = call.arguments.require("code")?;
    let code = state
        .codes
        .iter_mut()
        .find(|code| code.text == text && code.client == client.id)
        .ok_or_else(|| Failure::new(Reason::InvalidCode))?;
    if let Some(login) = code.login {
        state.ledger.revoke_family(login);
        return Err(Failure::new(Reason::UsedCode));
    }
    if call.now >= code.expires_at {
        return Err(Failure::new(Reason::InvalidCode));
    }
    if code.redirect_uri.is_some() && code.redirect_uri.as_deref() != call.arguments.get("redirect_uri") {
        return Err(Failure::new(Reason::WrongRedirectUri));
    }
    if !code.accepts(call.arguments.get("code_verifier")) {
        return Err(Failure::new(Reason::WrongVerifier));
    }
    let family = Family {
        client: client.id,
        scopes: code.scopes.clone(),
        person: true,
        user_scope: code.user_scope,
        nonce: code.nonce.clone(),
        began_at: call.now,
        revoked: false,
    };
    let issued = state.ledger.open("authorization_code", family, call.now, call.terms);
    code.login = Some(issued.login);
    Ok(issued)
}

fn refresh_token(state: &mut State, call: &Call<'_>) -> Result<Issued, Failure> {
    let client = call.client(state)?;
    let text = call.arguments.require("refresh_token")?;
    state.ledger.refresh(text, &client.id, call.arguments.scopes("scope"), call.now, call.terms)
}

fn client_credentials(state: &mut State, call: &Call<'_>) -> Result<Issued, Failure> {
    let client = call.client(state)?;
    if client.secret.is_none() {
        return Err(Failure::new(Reason::UnauthorizedClient));
    }
    Ok(open_for_itself(state, call, "client_credentials", client.id, call.arguments.scopes("scope")))
}

fn jwt_bearer(state: &mut State, call: &Call<'_>) -> Result<Issued, Failure> {
    // The assertion says who asks; a client that names itself all the same must do it right (RFC 7523 3.1).
    let names_itself =
        call.arguments.get("client_id").is_some() || call.request.header("authorization").is_some();
    let client = if names_itself { Some(call.client(state)?.id) } else { None };
    let claims = assertion::claims(call.arguments.require("assertion")?, call.token_url, call.now)?;
    let issuer = claims["iss"].as_str().unwrap_or_default().to_owned();
    let mut scopes = call.arguments.scopes("scope");
    if scopes.is_empty() {
        // Google's service accounts say it in the assertion.
        scopes = claims["scope"].as_str().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    }
    state.assertions.push(claims);
    Ok(open_for_itself(state, call, "jwt_bearer", client.unwrap_or(issuer), scopes))
}

fn open_for_itself(
    state: &mut State,
    call: &Call<'_>,
    grant: &'static str,
    client: String,
    scopes: Vec<String>,
) -> Issued {
    let family = Family {
        client,
        scopes,
        person: false,
        user_scope: false,
        nonce: None,
        began_at: call.now,
        revoked: false,
    };
    state.ledger.open(grant, family, call.now, call.terms)
}

/// The fields of an answer with tokens.
pub(crate) fn fields(
    issued: &Issued,
    user_scope: bool,
    id_token: Option<String>,
    terms: &Terms,
    shape: Shape,
) -> Map<String, Value> {
    let separator = if matches!(shape, Shape::GitHub | Shape::Slack) { "," } else { " " };
    let token_type = match shape {
        Shape::Slack if user_scope => "user",
        Shape::Slack => "bot",
        Shape::GitHub => "bearer",
        Shape::Standard | Shape::Atlassian => "Bearer",
    };
    let mut fields = Map::from_iter([
        ("access_token".to_owned(), Value::from(issued.access_token.as_str())),
        ("token_type".to_owned(), token_type.into()),
        ("scope".to_owned(), issued.scopes.join(separator).into()),
    ]);
    let mut add = |name: &str, value: Option<Value>| {
        fields.extend(value.map(|value| (name.to_owned(), value)));
    };
    add("expires_in", terms.says_expires_in.then(|| terms.expires_in.into()));
    add("refresh_token", issued.refresh_token.as_deref().map(Value::from));
    if shape == Shape::GitHub && issued.refresh_token.is_some() {
        add("refresh_token_expires_in", terms.refresh_lifetime.map(Value::from));
    }
    add("id_token", id_token.map(Value::from));
    if shape == Shape::Slack { slack_fields(fields, user_scope, issued.grant) } else { fields }
}

/// A login with a user's scopes alone has its tokens below `authed_user`; a refresh has them at the top.
fn slack_fields(mut tokens: Map<String, Value>, user_scope: bool, grant: &str) -> Map<String, Value> {
    let mut fields = if user_scope && grant == "authorization_code" {
        tokens.insert("id".to_owned(), "U0FAKEPERSON".into());
        Map::from_iter([("authed_user".to_owned(), Value::Object(tokens))])
    } else {
        tokens.insert("authed_user".to_owned(), json!({ "id": "U0FAKEPERSON" }));
        tokens
    };
    fields.insert("app_id".to_owned(), "A0FAKEAPP".into());
    fields.insert("team".to_owned(), json!({ "id": "T0FAKETEAM", "name": "Testkit" }));
    fields.insert("enterprise".to_owned(), Value::Null);
    fields
}
