//! What to do about a refusal: GitHub's own words, then half a sentence for each thing that would help.

use connect_core::{Response, StatusCode};

use crate::problem::{Permission, Problem, Sso};

/// How long the whole sentence gets; core keeps no more of it.
const LONGEST_CHARS: usize = 300;

/// What GitHub's own words keep even beside long advice.
const SHORTEST_WORDS_CHARS: usize = 120;

/// By status, beside GitHub's words: a sentence for those who sent a credential, and one for those who sent none.
const BY_STATUS: &[(u16, &str, &str)] = &[
    (
        401,
        "the token is wrong, expired or revoked: give the client another",
        "the client has no token: give it one",
    ),
    (
        404,
        "there is no such thing, or the token may not see it: GitHub says the same of both",
        "there is no such thing, or it takes a token to see it",
    ),
    (410, "it was deleted, or its feature is switched off", "it was deleted, or its feature is switched off"),
    (451, "it is blocked for legal reasons", "it is blocked for legal reasons"),
];

/// What is said to an App whose id GitHub does not know, and what that means. The bare 404 would send people looking for
/// something else.
const UNKNOWN_APP: (&str, &str) = (
    "Integration not found",
    "GitHub knows no App of the id that the client signs in with: take the client ID from the App's settings page, and \
     check the base URL",
);

/// A page of HTML, where the API speaks JSON.
const HTML: &str =
    "the answer is a page of HTML: a proxy or a login page answered, or the base URL is not the API's";
const HTML_OF_A_FAILURE: &str = "GitHub, or a proxy before it, failed with a page of HTML";

/// What can be done about a refusal that is no rate limit.
pub(crate) fn advice(problem: &Problem, response: &Response) -> Vec<String> {
    let status = response.status();
    let mut advice = Vec::new();
    if problem.message.as_deref() == Some(UNKNOWN_APP.0) {
        return vec![UNKNOWN_APP.1.to_owned()];
    }
    let row = BY_STATUS.iter().find(|(known, _, _)| *known == status.as_u16());
    // A base URL that leads elsewhere is no matter of the token.
    if let Some((_, with_token, without)) = row.filter(|_| !is_html(response)) {
        advice.push((if response.is_authenticated() { *with_token } else { *without }).to_owned());
    }
    if let Some(reason) = &problem.block {
        advice.push(format!("GitHub's reason is {reason}"));
    }
    let says_empty = |message: &String| message.to_ascii_lowercase().contains("repository is empty");
    if status == StatusCode::CONFLICT && problem.message.as_ref().is_some_and(says_empty) {
        advice.push("push a first commit".to_owned());
    }
    if matches!(status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) {
        if matches!(problem.sso, Some(Sso::Required { .. })) {
            advice.push(SSO.to_owned());
        }
        advice.extend(missing_scopes(problem));
        // What a mere reader has anyway explains no 404.
        let is_told = status == StatusCode::FORBIDDEN || !is_mere_metadata(&problem.accepted_permissions);
        if !problem.accepted_permissions.is_empty() && is_told {
            advice.push(format!("GitHub would accept {}", any_of(&problem.accepted_permissions)));
        }
    }
    advice
}

/// The link itself is for one person: it stays in the payload.
pub(crate) const SSO: &str =
    "authorize the token for the organization's single sign-on; `Problem::sso` has the link";

pub(crate) fn missing_scopes(problem: &Problem) -> Option<String> {
    let (has, accepted) = (problem.scopes.as_ref()?, &problem.accepted_scopes);
    if accepted.is_empty() || accepted.iter().any(|scope| has.contains(scope)) {
        return None;
    }
    let has = if has.is_empty() { "no scopes".to_owned() } else { format!("the scopes {}", has.join(", ")) };
    Some(format!("the token has {has}, and GitHub would accept {}", accepted.join(" or ")))
}

fn is_mere_metadata(sets: &[Vec<Permission>]) -> bool {
    sets.iter().flatten().all(|permission| permission.name == "metadata")
}

fn any_of(sets: &[Vec<Permission>]) -> String {
    let sets = sets.iter().map(|set| set.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "));
    sets.collect::<Vec<_>>().join(", or ")
}

/// What is said of an answer without words: what it looks like, if that says something.
pub(crate) fn unspoken(response: &Response) -> Option<String> {
    let words = match response.status() {
        status if is_html(response) => match status.is_server_error() {
            true => HTML_OF_A_FAILURE,
            false => HTML,
        },
        StatusCode::UNAUTHORIZED => "the credentials are not accepted",
        StatusCode::NOT_FOUND => "Not Found",
        StatusCode::FORBIDDEN => "GitHub refuses the request without a word",
        _ => return None,
    };
    Some(words.to_owned())
}

fn is_html(response: &Response) -> bool {
    response.body().trim_ascii_start().starts_with(b"<")
}

/// One sentence. What is too long of it is cut out of GitHub's words, because the advice stands in no payload.
pub(crate) fn sentence(words: Option<String>, advice: &[String]) -> Option<String> {
    let advice = advice.join("; ");
    let Some(words) = words else { return (!advice.is_empty()).then_some(advice) };
    let taken = if advice.is_empty() { 0 } else { advice.chars().count() + 2 };
    let room = LONGEST_CHARS.saturating_sub(taken).max(SHORTEST_WORDS_CHARS);
    let mut line: String = words.chars().take(room).collect();
    if line.len() < words.len() {
        line.pop();
        line.push('…');
    }
    if advice.is_empty() {
        return Some(line);
    }
    Some([line.trim_end_matches('.'), &advice].join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_survives_long_words() {
        let advice = ["do this".to_owned()];
        let line = sentence(Some("x".repeat(1_000)), &advice).unwrap();
        assert_eq!(line.chars().count(), LONGEST_CHARS);
        assert!(line.ends_with("x…; do this"), "{line}");
        let line = sentence(Some("x".repeat(1_000)), &["y".repeat(280)]).unwrap();
        assert!(line.starts_with(&"x".repeat(SHORTEST_WORDS_CHARS - 1)), "{line}");
        assert_eq!(sentence(None, &advice).as_deref(), Some("do this"));
        assert_eq!(sentence(Some("Not Found.".to_owned()), &advice).as_deref(), Some("Not Found; do this"));
        assert_eq!(sentence(None, &[]), None);
    }
}
