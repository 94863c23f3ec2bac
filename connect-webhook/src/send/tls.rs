//! TLS for the transport: rustls with a named provider and the system's root certificates, or the system's
//! own library.
//!
//! The provider is given to the client; none is installed for the whole process, which belongs to the host.
//! With several features on, `rustls-aws-lc` goes before `rustls`, and both before `native-tls`.

use super::error::SetupError;

#[cfg(feature = "__rustls")]
pub(super) fn configured(builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, SetupError> {
    use std::sync::Arc;

    #[cfg(feature = "rustls-aws-lc")]
    use rustls::crypto::aws_lc_rs as crypto;
    #[cfg(not(feature = "rustls-aws-lc"))]
    use rustls::crypto::ring as crypto;
    use rustls_platform_verifier::Verifier;

    let unusable = |error: rustls::Error| SetupError::Client(error.into());
    let provider = Arc::new(crypto::default_provider());
    let verifier = Verifier::new(Arc::clone(&provider)).map_err(unusable)?;
    let configuration = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .dangerous() // rustls' word for any verifier that is not its own; this one is the system's
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(builder.tls_backend_preconfigured(configuration))
}

#[cfg(all(feature = "native-tls", not(feature = "__rustls")))]
pub(super) fn configured(builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, SetupError> {
    Ok(builder.tls_backend_native())
}

/// Without a TLS feature of ours there is no client, not even for plain http: reqwest's would panic as soon as some
/// other crate of the program turns rustls on in it.
#[cfg(not(any(feature = "__rustls", feature = "native-tls")))]
pub(super) fn configured(_builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, SetupError> {
    Err(SetupError::NoTls)
}
