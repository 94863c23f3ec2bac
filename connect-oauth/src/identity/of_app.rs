//! Who somebody is at an app's provider, by whichever way the provider has.

use connect_core::{Error, ErrorKind, Identity, Secret};

use super::profile::profile;
use super::{IdTokenVerifier, Keys};
use crate::client::OAuth;
use crate::tokens::Tokens;

impl OAuth {
    /// Who the tokens are of: by the id token where the provider signs one, else by its profile call.
    ///
    /// `nonce` is that of the login ([`FinishedLogin::nonce`](crate::FinishedLogin::nonce)); `None` for tokens that come
    /// from elsewhere, such as a refresh.
    ///
    /// ```no_run
    /// # async fn who(oauth: connect_oauth::OAuth, finished: connect_oauth::FinishedLogin) -> Result<(), connect_core::Error> {
    /// let identity = oauth.identity(&finished.tokens, finished.nonce.as_ref()).await?;
    /// println!("{} at {}", identity.account.as_deref().unwrap_or(&identity.subject), identity.issuer);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Auth`] with an [`IdTokenProblem`](super::IdTokenProblem) if the id token is not what it should be;
    /// [`ErrorKind::Config`] if the provider has neither id tokens nor profiles; what the call fails with.
    pub async fn identity(&self, tokens: &Tokens, nonce: Option<&Secret>) -> Result<Identity, Error> {
        if let Some(token) = &tokens.id_token
            && let Some(verifier) = self.verifier()?
        {
            let verified = verifier.verify(token.expose(), nonce.map(Secret::expose)).await?;
            return Ok(verified.into_identity());
        }
        let preset = self.preset();
        match (&preset.profile, preset.profile_url()?) {
            (Some(row), Some(url)) => profile(self.http(), &preset.id, &url, row, &tokens.access).await,
            _ => {
                let message =
                    format!("{} does not say who a token is of: name a profile in its preset", preset.name);
                Err(Error::new(ErrorKind::Config, message))
            }
        }
    }

    /// The verifier of this app's id tokens, made once so that its keys are kept; `None` where there are none.
    fn verifier(&self) -> Result<Option<&IdTokenVerifier>, Error> {
        let preset = self.preset();
        let Some(issuer) = preset.issuer()?.filter(|_| preset.jwks_url.is_some()) else { return Ok(None) };
        let keys = preset.jwks_url()?;
        Ok(Some(self.id_tokens().get_or_init(|| {
            let keys = Keys::shared(&preset.id, keys, std::sync::Arc::clone(self.http()));
            let clock = self.clock();
            IdTokenVerifier::new(issuer, self.client_id(), keys).with_clock(move || clock.now())
        })))
    }
}
