//! What to do: with a record that was read, and with an exchange that failed. Pure, so that every case is one line of a
//! test.

use std::time::{Duration, SystemTime};

use connect_core::auth::TokenReason;
use connect_core::auth::store::TokenState;
use connect_core::{Error, ErrorKind, Secret, Sent};

use crate::problem::{ErrorCode, Problem};
use crate::tokens::Tokens;

/// How long before its end a token that somebody else refreshed is too old to begin with; a tenth of its life where that
/// is less.
const MARGIN: Duration = Duration::from_secs(60);

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is what was asked for.
    Use,
    /// It must be refreshed first.
    Refresh,
    /// Only a person can help.
    NeedsReauth,
}

/// What somebody asks for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) reason: TokenReason,
    /// The access token that is to be replaced.
    pub(super) previous: Option<Secret>,
}

/// What to do with the record, seen by somebody who wants a token.
pub(super) fn step(state: TokenState, tokens: Option<&Tokens>, wanted: &Wanted, now: SystemTime) -> Step {
    let Some(tokens) = tokens.filter(|_| state == TokenState::Active) else { return Step::NeedsReauth };
    let is_the_replaced =
        wanted.previous.as_ref().is_some_and(|previous| previous.expose() == tokens.access.expose());
    if is_the_replaced {
        return Step::Refresh;
    }
    let Some(left) = tokens.remaining(now) else { return Step::Use };
    let life =
        tokens.expires_at.and_then(|end| end.duration_since(tokens.obtained_at).ok()).unwrap_or_default();
    if left > MARGIN.min(life / 10) {
        return Step::Use;
    }
    // The last minute of a token that cannot be refreshed is still a minute.
    if tokens.refresh.is_none() && !left.is_zero() { Step::Use } else { Step::Refresh }
}

/// What to do about a failed exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The provider does not accept the refresh token: look at the record once more, then believe it.
    Refused,
    /// The answer was lost, and with it perhaps the new tokens: look at the record, then ask once more.
    Lost,
    /// Nothing is known to be lost; whoever asks later tries again.
    Passing,
}

pub(super) fn failure(error: &Error) -> Failure {
    let code = error.details::<Problem>().map(|problem| problem.code);
    match (code, error.kind()) {
        (
            Some(
                ErrorCode::InvalidGrant
                | ErrorCode::InvalidToken
                | ErrorCode::InteractionRequired
                | ErrorCode::ExpiredToken,
            ),
            _,
        ) => Failure::Refused,
        (None, ErrorKind::Transport | ErrorKind::Timeout) if error.sent() == Sent::Maybe => Failure::Lost,
        (None, ErrorKind::Decode | ErrorKind::Unsupported) => Failure::Lost,
        _ => Failure::Passing,
    }
}

/// When to refresh a token though nobody asks: at half of the time after which it dies unused.
pub(super) fn refresh_by(tokens: &Tokens, idle: Option<Duration>) -> Option<SystemTime> {
    tokens.refresh.as_ref()?;
    let told = tokens.refresh_expires_at.and_then(|end| end.duration_since(tokens.obtained_at).ok());
    let life = [idle, told].into_iter().flatten().min()?;
    tokens.obtained_at.checked_add(life / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect_core::RetryAdvice;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
    }

    fn tokens(life: Option<u64>) -> Tokens {
        let tokens = Tokens::new("a", at(0)).with_refresh("r");
        match life {
            Some(seconds) => tokens.with_expires_at(at(seconds)),
            None => tokens,
        }
    }

    #[test]
    fn a_record_is_used_refreshed_or_given_up() {
        use TokenReason::*;
        let hour = tokens(Some(3600));
        let unrefreshable = Tokens { refresh: None, ..tokens(Some(3600)) };
        let cases: [(&Tokens, TokenReason, Option<&str>, u64, Step); 12] = [
            (&hour, First, None, 0, Step::Use),
            (&hour, First, None, 3539, Step::Use),
            (&hour, First, None, 3541, Step::Refresh),
            (&hour, Expired, Some("older"), 10, Step::Use),
            (&hour, Expired, Some("a"), 3600, Step::Refresh),
            (&hour, Refused, Some("a"), 10, Step::Refresh),
            (&hour, Refused, Some("older"), 10, Step::Use),
            (&hour, Early, Some("a"), 3000, Step::Refresh),
            (&tokens(None), First, None, 1 << 40, Step::Use),
            (&tokens(Some(10)), First, None, 8, Step::Use),
            (&unrefreshable, First, None, 3599, Step::Use),
            (&unrefreshable, First, None, 3600, Step::Refresh),
        ];
        for (tokens, reason, previous, now, expected) in cases {
            let wanted = Wanted { reason, previous: previous.map(Secret::new) };
            assert_eq!(
                step(TokenState::Active, Some(tokens), &wanted, at(now)),
                expected,
                "{wanted:?} at {now}"
            );
            assert_eq!(step(TokenState::NeedsReauth, Some(tokens), &wanted, at(now)), Step::NeedsReauth);
            assert_eq!(step(TokenState::Active, None, &wanted, at(now)), Step::NeedsReauth);
        }
    }

    #[test]
    fn only_a_refusal_of_the_grant_is_the_grants_end() {
        let refused = |word: &str| {
            let problem = Problem::new(word, None);
            Error::new(problem.code.kind(), "no").with_details(problem).with_sent(Sent::Yes)
        };
        let sent = |kind, sent| Error::new(kind, "no").with_sent(sent).with_retry(RetryAdvice::Later);
        let cases = [
            (refused("invalid_grant"), Failure::Refused),
            (refused("bad_refresh_token"), Failure::Refused),
            (refused("interaction_required"), Failure::Refused),
            (refused("invalid_client"), Failure::Passing),
            (refused("temporarily_unavailable"), Failure::Passing),
            (refused("brand_new"), Failure::Passing),
            (sent(ErrorKind::Transport, Sent::Maybe), Failure::Lost),
            (sent(ErrorKind::Timeout, Sent::Maybe), Failure::Lost),
            (sent(ErrorKind::Decode, Sent::Yes), Failure::Lost),
            (sent(ErrorKind::Transport, Sent::No), Failure::Passing),
            (sent(ErrorKind::Unavailable, Sent::Maybe), Failure::Passing),
            (sent(ErrorKind::RateLimited, Sent::Yes), Failure::Passing),
            (sent(ErrorKind::CircuitOpen, Sent::No), Failure::Passing),
        ];
        for (error, expected) in cases {
            assert_eq!(failure(&error), expected, "{error:?}");
        }
    }

    #[test]
    fn a_token_that_would_die_unused_is_refreshed_at_half_time() {
        let idle = Some(Duration::from_secs(1000));
        assert_eq!(refresh_by(&tokens(None), idle), Some(at(500)));
        assert_eq!(refresh_by(&tokens(None), None), None);
        assert_eq!(refresh_by(&Tokens { refresh: None, ..tokens(None) }, idle), None);
        let told = Tokens { refresh_expires_at: Some(at(400)), ..tokens(None) };
        assert_eq!(refresh_by(&told, idle), Some(at(200)));
        assert_eq!(refresh_by(&told, None), Some(at(200)));
    }
}
