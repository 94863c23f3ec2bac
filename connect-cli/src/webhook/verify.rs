//! `connect webhook verify`: is a captured delivery genuine, and if not, why?

use connect_webhook::UnixTime;
use serde_json::json;

use super::input::trial;
use super::trial::Outcome;
use crate::arguments::Arguments;
use crate::output::{alarming, harmless};
use crate::{Failure, World};

pub(super) async fn run(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    let as_json = arguments.flag("json");
    let trial = trial(&mut arguments, world)?;
    arguments.finish()?;
    let is_weak = trial.scheme.weak;
    match trial.run().await {
        Outcome::Verified { verification, id, event } => {
            let signed = verification.signed_at.map(|UnixTime(seconds)| seconds);
            if as_json {
                world.say(json!({
                    "verified": true, "secret": verification.key_index, "signed_at": signed, "id": id, "event": event,
                    "weak": is_weak,
                }));
            } else {
                let age =
                    signed.map(|seconds| format!(", signed {} s ago", trial.now.0.saturating_sub(seconds)));
                world.say(format_args!(
                    "genuine{}: secret {}{}, id {}, event {}",
                    if is_weak { " by a weak scheme, which the provider has replaced" } else { "" },
                    verification.key_index,
                    age.unwrap_or_default(),
                    harmless(&id),
                    harmless(event.as_deref().unwrap_or("none"))
                ));
            }
            Ok(0)
        }
        Outcome::Challenge { answer, verified } => {
            let body = String::from_utf8_lossy(answer.body()).into_owned();
            let is_signed = verified.is_some();
            if as_json {
                world.say(json!({
                    "verified": is_signed, "handshake": { "status": answer.status().as_u16(), "body": body },
                }));
            } else {
                let kind = if is_signed { "a signed handshake" } else { "a handshake that nobody signed" };
                world.say(format_args!("{kind}: answer {} {}", answer.status(), harmless(&body)));
            }
            Ok(u8::from(!is_signed))
        }
        Outcome::Refused { code, message } => {
            if as_json {
                world.say(json!({ "verified": false, "code": code, "message": message }));
            } else {
                let verdict = alarming("refused", world.has_colours);
                world.say(format_args!("{verdict}: {code}: {}", harmless(&message)));
            }
            Ok(1)
        }
    }
}
