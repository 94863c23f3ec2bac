//! Brings the provider's public keys before a request is verified: the one step that may wait for the network.

use crate::clock::UnixTime;
use crate::code::{graph_tokens, paypal, pubsub, sns};
use crate::incoming::Incoming;
use crate::keys::{KeysError, Wanted};
use crate::scheme::{Algorithm, Code};
use crate::verify::Verifier;

impl Verifier {
    /// Fetches the public keys that this request names, unless [`Keys`](crate::keys::Keys) has them. Call it before
    /// [`Verifier::verify_request`], with the same request and time.
    ///
    /// Does nothing for schemes with secrets, and for requests that will be refused anyway: whether a request is
    /// genuine, only verifying tells.
    ///
    /// # Errors
    /// The keys are needed and cannot be had now. Answer 503, not 401: the delivery may be genuine, and the
    /// provider should send it again.
    ///
    /// ```
    /// use connect_webhook::keys::Keys;
    /// use connect_webhook::{Incoming, UnixTime, VerifyError, Verifier, schemes};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let verifier = Verifier::builder(&schemes::AWS_SNS)
    ///     .topic("arn:aws:sns:eu-west-1:123456789012:orders")
    ///     .keys(Keys::fixed([] as [(&str, &str); 0]))
    ///     .build()?;
    /// let headers = http::HeaderMap::new();
    /// let incoming = Incoming::post(&headers, b"{}");
    ///
    /// verifier.ready(&incoming, UnixTime(1_750_000_000)).await?;
    /// assert!(verifier.verify_request(&incoming, UnixTime(1_750_000_000)).is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self, incoming: &Incoming<'_>, now: UnixTime) -> Result<(), KeysError> {
        let settings = &self.inner().settings;
        let (Algorithm::Code(rule), Some(keys)) = (self.inner().scheme.algorithm, &settings.keys) else {
            return Ok(());
        };
        let sns_url;
        let wanted = match rule {
            Code::AwsSns => {
                sns_url = sns::wanted(settings, incoming.body);
                sns_url.as_deref().map(|url| Wanted::Certificate { url })
            }
            Code::PayPal => paypal::wanted(incoming).map(|url| Wanted::Certificate { url }),
            Code::GooglePubSub => pubsub::wanted(incoming),
            Code::MicrosoftGraph => graph_tokens::wanted(incoming.body),
            Code::Twilio
            | Code::Mandrill
            | Code::AdyenPayments
            | Code::Contentful
            | Code::AtlassianConnect => None,
        };
        match wanted {
            Some(wanted) => keys.ready(&wanted, now).await,
            None => Ok(()),
        }
    }
}
