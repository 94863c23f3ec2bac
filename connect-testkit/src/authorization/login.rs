//! The authorization endpoint: a login that the person decides at once, and the code that it ends with.
//!
//! A wrong client or redirect is answered with a page and no redirect; everything else goes back to the client,
//! with `state` and `iss` (RFC 9207). By default PKCE is checked when it is sent and not demanded.
//! Not a login page: nobody types anything. `prompt`, `login_hint` and the like are recorded and change nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::answer::{Failure, Reason};
use super::arguments::Arguments;
use super::client;
use super::habits::Shape;
use super::state::State;
use crate::unique;

/// RFC 6749 4.1.2 recommends ten minutes at most.
const CODE_LIFETIME: u64 = 600;

/// A code that was handed out.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) text: String,
    pub(crate) client: String,
    /// As the login had it.
    pub(crate) redirect_uri: Option<String>,
    challenge: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) user_scope: bool,
    pub(crate) nonce: Option<String>,
    pub(crate) expires_at: u64,
    /// The login that it was redeemed for.
    pub(crate) login: Option<usize>,
}

impl Code {
    /// A verifier without a challenge is refused too: somebody may have taken the challenge out (RFC 9700 2.1.1).
    pub(crate) fn accepts(&self, verifier: Option<&str>) -> bool {
        match (&self.challenge, verifier) {
            (None, None) => true,
            (Some(challenge), Some(verifier)) => {
                (43..=128).contains(&verifier.len())
                    && verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
                    && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == *challenge
            }
            _ => false,
        }
    }
}

/// What the server was built to demand of a login.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Demands {
    pub(crate) pkce: bool,
    pub(crate) any_loopback_port: bool,
}

/// The URL that the browser is sent to; an error is a page without a redirect.
pub(crate) fn authorize(
    state: &mut State,
    arguments: &Arguments,
    demands: Demands,
    shape: Shape,
    issuer: &str,
    now: u64,
) -> Result<String, Failure> {
    let client = client::find(&state.clients, arguments.require("client_id")?)
        .ok_or_else(|| Failure::new(Reason::UnknownClient))?;
    let sent = arguments.get("redirect_uri");
    let target = match (sent, client.redirect_uris.as_slice()) {
        (Some(uri), _) if client.redirects_to(uri, demands.any_loopback_port) => uri.to_owned(),
        (None, [only]) => only.clone(),
        _ => return Err(Failure::because(Reason::InvalidRequest, "the redirect_uri is not registered")),
    };
    let client = client.id.clone();
    let mut answer = match decide(state, arguments, demands) {
        Ok(challenge) => {
            let scopes = arguments.scopes("scope");
            let user_scope = shape == Shape::Slack && scopes.is_empty();
            let code = Code {
                text: format!("fake-code-{:06}", unique::number()),
                client,
                redirect_uri: sent.map(str::to_owned),
                challenge,
                scopes: if user_scope { arguments.scopes("user_scope") } else { scopes },
                user_scope,
                nonce: arguments.get("nonce").map(str::to_owned),
                expires_at: now.saturating_add(CODE_LIFETIME),
                login: None,
            };
            let answer = vec![("code", code.text.clone())];
            state.codes.push(code);
            answer
        }
        Err((word, why)) => vec![("error", word.to_owned()), ("error_description", why.to_owned())],
    };
    answer.extend(arguments.get("state").map(|state| ("state", state.to_owned())));
    answer.push(("iss", issuer.to_owned()));
    let pairs = form_urlencoded::Serializer::new(String::new()).extend_pairs(answer).finish();
    let joint = if target.contains('?') { '&' } else { '?' };
    Ok(format!("{target}{joint}{pairs}"))
}

/// The challenge of a login that is granted; an error goes back to the client.
fn decide(
    state: &State,
    arguments: &Arguments,
    demands: Demands,
) -> Result<Option<String>, (&'static str, &'static str)> {
    if arguments.get("response_type") != Some("code") {
        return Err(("unsupported_response_type", "Only the response type code is known."));
    }
    let challenge = arguments.get("code_challenge");
    match (challenge, arguments.get("code_challenge_method")) {
        (None, _) if demands.pkce => return Err(("invalid_request", "PKCE is required.")),
        (None, None) => {}
        // A SHA-256 in base64url without padding has 43 characters.
        (Some(challenge), Some("S256")) if challenge.len() == 43 => {}
        _ => return Err(("invalid_request", "The code_challenge must be one of S256.")),
    }
    if !state.consents {
        return Err(("access_denied", "The person said no."));
    }
    Ok(challenge.map(str::to_owned))
}
