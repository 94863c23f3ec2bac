//! Handshakes: requests that ask "are you there?" and want an answer instead of an acknowledgement.
//!
//! They are answered here, after verification, and never reach the sink. Which values a handshake needs is
//! told by [`pointers`], so that they are read in the same pass as the id and the event type; [`answer`]
//! turns them into the reply. An unsigned handshake is refused like any unsigned delivery: nobody can make
//! this endpoint echo text.

use crate::error::PayloadError;
use crate::scheme::Challenge;

/// The payload values that [`answer`] wants, in this order.
pub(crate) fn pointers(challenge: Challenge) -> &'static [&'static str] {
    match challenge {
        Challenge::None => &[],
        Challenge::SlackUrlVerification => &["/type", "/challenge"],
    }
}

/// The plain text to answer, or `None` for an ordinary event.
pub(crate) fn answer(
    challenge: Challenge,
    values: &mut [Option<String>],
) -> Result<Option<String>, PayloadError> {
    match (challenge, values) {
        (Challenge::SlackUrlVerification, [Some(kind), text]) if kind == "url_verification" => {
            text.take().map(Some).ok_or(PayloadError::MissingChallenge)
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_url_verification_is_a_slack_handshake() {
        let slack = Challenge::SlackUrlVerification;
        let text = |text: &str| Some(text.to_owned());
        let answered = answer(slack, &mut [text("url_verification"), text("3eZbr")]);
        assert_eq!(answered.unwrap(), text("3eZbr"));
        assert_eq!(answer(slack, &mut [text("event_callback"), text("x")]).unwrap(), None);
        assert_eq!(answer(slack, &mut [None, text("x")]).unwrap(), None);
        assert_eq!(answer(Challenge::None, &mut []).unwrap(), None);
        let bare = answer(slack, &mut [text("url_verification"), None]);
        assert!(matches!(bare, Err(PayloadError::MissingChallenge)));
    }
}
