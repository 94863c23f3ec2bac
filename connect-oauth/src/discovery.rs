//! OpenID Connect Discovery 1.0: the endpoints that a preset does not name, from its issuer's own document.

use connect_core::{Error, ErrorKind, Url};
use serde_json::Value;

use crate::http::{Answer, Http};
use crate::preset::Preset;

/// Completes a preset with what its issuer says. What the preset names itself stays.
pub(crate) async fn complete(mut preset: Preset, http: &Http) -> Result<Preset, Error> {
    preset.check()?;
    let Some(issuer) = preset.issuer()? else {
        let message = format!("the preset `{}` has no issuer to ask: name its endpoints", preset.id);
        return Err(Error::new(ErrorKind::Config, message));
    };
    let url = document_url(&issuer)?;
    let answer = http.get(format!("{}/discovery", preset.id), &url, None).await?;
    let said = text(&answer, "issuer");
    // Discovery 4.3: a document that speaks for another issuer is not this one's.
    if said.map(|said| said.trim_end_matches('/')) != Some(issuer.as_str().trim_end_matches('/'))
        && !said.is_some_and(|said| said.contains("{tenantid}"))
    {
        let message = "the discovery document names another issuer: compare the preset's issuer with the provider's page";
        return Err(Error::new(ErrorKind::Config, message));
    }
    let rows = [
        (&mut preset.authorize_url, "authorization_endpoint"),
        (&mut preset.token_url, "token_endpoint"),
        (&mut preset.device_url, "device_authorization_endpoint"),
        (&mut preset.revoke_url, "revocation_endpoint"),
        (&mut preset.jwks_url, "jwks_uri"),
    ];
    for (field, name) in rows {
        if field.is_none() {
            *field = text(&answer, name).map(|url| url.to_owned().into());
        }
    }
    if preset.profile.is_none()
        && let Some(url) = text(&answer, "userinfo_endpoint")
    {
        preset.profile = Some(crate::preset::Profile::userinfo(url.to_owned()));
    }
    preset.check()?;
    Ok(preset)
}

fn document_url(issuer: &str) -> Result<Url, Error> {
    let text = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    Url::parse(&text).map_err(|_| Error::new(ErrorKind::Config, "the issuer is no URL"))
}

fn text<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.get(name).and_then(Value::as_str)
}
