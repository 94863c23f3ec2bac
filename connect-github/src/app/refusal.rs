//! Why GitHub gives an App no token, and what its owner can do.

use connect_core::{Error, ErrorKind};

use super::AppId;
use crate::Problem;

/// Why an App, or one of its installations, is not accepted: `error.details::<AppRefusal>()`.
///
/// These are final until somebody changes something, so they are told with the App's id and what to change.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AppRefusal {
    /// What the private key signs is not accepted: the key was deleted on the App's page, or is another App's.
    KeyNotAccepted,
    /// There is no App with this client ID or app id on this GitHub.
    UnknownApp,
    /// GitHub says that the times in the signed token are wrong, though its clock was taken into account.
    ClockWrong,
    /// There is no such installation of this App: it was uninstalled, or the id is another App's.
    NoInstallation,
    /// The owner of the account, or of the App, has suspended the installation.
    Suspended,
    /// The token was asked for a repository or permission that the installation does not have.
    NotGranted,
}

use AppRefusal as R;

/// What a refusal of GitHub means: by status and by a part of its words; an empty part fits all.
const MEANINGS: &[(u16, &str, AppRefusal)] = &[
    (401, "('exp')", R::ClockWrong),
    (401, "('iat')", R::ClockWrong),
    // An Enterprise Server that takes no client ID yet.
    (401, "('iss')", R::UnknownApp),
    (401, "Integration not found", R::UnknownApp),
    (401, "", R::KeyNotAccepted),
    (404, "Integration not found", R::UnknownApp),
    // Without these words it is another server's page: the base URL is wrong.
    (404, "Not Found", R::NoInstallation),
    (403, "suspended", R::Suspended),
    (422, "", R::NotGranted),
];

impl AppRefusal {
    fn of(error: &Error) -> Option<Self> {
        let status = error.status()?.as_u16();
        let said =
            error.details::<Problem>().and_then(|problem| problem.message.as_deref()).unwrap_or_default();
        let fits = |(known, part, _): &&(u16, &str, Self)| *known == status && said.contains(part);
        MEANINGS.iter().find(fits).map(|(_, _, refusal)| *refusal)
    }

    fn kind(self) -> ErrorKind {
        match self {
            Self::NotGranted => ErrorKind::Forbidden,
            _ => ErrorKind::Auth,
        }
    }

    /// What it means, and what to do.
    fn explain(self, app: &AppId, installation: &str) -> String {
        match self {
            Self::KeyNotAccepted => format!(
                "GitHub does not accept what the private key of App {app} signs: the key was deleted or is another \
                 App's; make a new one on the App's settings page"
            ),
            Self::UnknownApp => format!(
                "GitHub knows no App {app}: take the client ID from the App's settings page (the app id, if an older \
                 Enterprise Server takes no other), and check the base URL"
            ),
            Self::ClockWrong => format!(
                "GitHub says that the token of App {app} has a wrong time: set the clock of this machine right"
            ),
            Self::NoInstallation => format!(
                "App {app} has no {installation}: it was uninstalled, or the id is another App's; look it up anew"
            ),
            Self::Suspended => format!(
                "the {installation} of App {app} is suspended: its owner has to resume it in the settings"
            ),
            Self::NotGranted => format!(
                "the {installation} of App {app} does not have what the token is for: grant the permissions and \
                 repositories in the installation's settings, or ask for less"
            ),
        }
    }
}

/// A failure of getting a token for an installation, as those should hear of it who only wanted to use the token: its
/// status is not theirs (a deleted installation must not look like a deleted issue).
pub(super) fn of_token(error: Error, app: &AppId, installation: u64) -> Error {
    let installation = format!("installation {installation}");
    match AppRefusal::of(&error) {
        Some(refusal) => refused(refusal, error, app, &installation),
        None => {
            let message = format!("App {app} got no token for {installation}: {}", error.message());
            match error.kind() {
                // It passes, or is about the program itself.
                ErrorKind::Transport
                | ErrorKind::Timeout
                | ErrorKind::Unavailable
                | ErrorKind::RateLimited
                | ErrorKind::CircuitOpen
                | ErrorKind::Decode
                | ErrorKind::Config => error.with_message(message),
                _ => Error::new(ErrorKind::Auth, message).with_source(error),
            }
        }
    }
}

/// A failure of a question that the App asked about itself or its installations. `what` it looked for.
pub(super) fn of_question(error: Error, app: &AppId, what: &str) -> Error {
    match AppRefusal::of(&error) {
        Some(R::NoInstallation) => error.with_message(format!(
            "App {app} has no {what}: install it there, or give the installation this repository"
        )),
        Some(refusal @ (R::KeyNotAccepted | R::UnknownApp | R::ClockWrong)) => {
            refused(refusal, error, app, what)
        }
        _ => error,
    }
}

fn refused(refusal: AppRefusal, error: Error, app: &AppId, installation: &str) -> Error {
    let mut message = refusal.explain(app, installation);
    // Which permission or repository it is stands in GitHub's own words only.
    if refusal == R::NotGranted {
        message.push_str(" (");
        message.push_str(error.message());
        message.push(')');
    }
    Error::new(refusal.kind(), message).with_details(refusal).with_source(error)
}
