//! The check at the start: do the keys of this process open what earlier processes stored?
//!
//! A known text is sealed at a reserved place and stored beside the tokens. A process that starts with a wrong list of
//! keys learns it there and then, before it has told a user to log in again.

use bytes::Bytes;
use connect_core::{Error, ErrorKind};

use super::{Place, Refusal, Seal};

/// The field that the check value is sealed for.
pub const CHECK_FIELD: &str = "seal-check";

/// The place that the check value is sealed for: of no tenant and no connection.
pub const CHECK_PLACE: Place<'static> = Place { tenant: "", connection: "", field: CHECK_FIELD };

/// Not a secret: what matters is that it comes out again.
const KNOWN_TEXT: &[u8] = b"connect seal check 1";

/// What to store for [`verify_check`], sealed under the current key.
///
/// # Errors
/// Those of [`Seal::seal`].
pub async fn make_check(seal: &dyn Seal) -> Result<Bytes, Error> {
    seal.seal(CHECK_PLACE, KNOWN_TEXT).await
}

/// Opens what [`make_check`] made. `true`: it is sealed under an older key, so store a new one in its place.
///
/// # Errors
/// [`ErrorKind::Config`] if these are not the keys that the stored tokens were sealed with; the message says which key
/// is missing. Other kinds as [`Seal::open`] returns them: a service that does not answer says nothing about the keys.
pub async fn verify_check(seal: &dyn Seal, sealed: &[u8]) -> Result<bool, Error> {
    let opened = match seal.open(CHECK_PLACE, sealed).await {
        Ok(opened) => opened,
        Err(error) if error.kind() == ErrorKind::Config => {
            let message = explanation(&error);
            return Err(error.with_message(message));
        }
        Err(error) => return Err(error),
    };
    if opened.expose() != KNOWN_TEXT {
        return Err(Error::new(
            ErrorKind::Config,
            "the value that checks the seal opened as something else: this seal returns other bytes than it was \
             given, or another program writes into this store; give every program a store of its own",
        ));
    }
    Ok(!seal.is_current(sealed))
}

fn explanation(error: &Error) -> String {
    const IF_LOST: &str = "If the old keys are lost, nobody can open the stored tokens: empty the store, and every \
                           account must be connected again";
    match error.details::<Refusal>() {
        Some(Refusal::UnknownKey { id }) => format!(
            "the stored tokens were sealed with key `{id}`, which is not in CONNECT_SEAL_KEYS: put it behind the new \
             one, as NEW_ID:NEW_KEY,{id}:OLD_KEY. {IF_LOST}"
        ),
        Some(Refusal::Failed { id }) => format!(
            "the stored tokens do not open with key `{id}` of CONNECT_SEAL_KEYS: they were sealed with another key of \
             this id, or the stored check was changed. Give this id its old key back, and a new key a new id. \
             {IF_LOST}"
        ),
        _ => format!("the stored tokens do not open: {}. {IF_LOST}", error.message()),
    }
}
