//! TLS for both transports: rustls with a named provider and the system's root certificates, or the system's own library.
//!
//! The provider is given to each configuration; none is installed for the whole process, which belongs to the host. With
//! several features on, `rustls-aws-lc` goes before `rustls`, and both before `native-tls`.

#[cfg(any(feature = "transport-reqwest", feature = "__rustls"))]
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::origins::Origins;

#[cfg(feature = "__rustls")]
mod with_rustls {
    use std::sync::Arc;

    use rustls::crypto::CryptoProvider;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    use rustls::{ClientConfig, RootCertStore};
    use rustls_platform_verifier::Verifier;

    use super::{Config, Error, ErrorKind, Origins};
    use crate::network::RootCertificates;

    #[cfg(feature = "rustls-aws-lc")]
    use rustls::crypto::aws_lc_rs as crypto;
    #[cfg(not(feature = "rustls-aws-lc"))]
    use rustls::crypto::ring as crypto;

    /// The configuration for these origins. Certificates are loaded only if one of them is `https`, so that plain http on
    /// loopback needs none on the machine.
    pub(in crate::transport) fn configuration(
        config: &Config,
        origins: &Origins,
    ) -> Result<ClientConfig, Error> {
        let extra = certificates(&config.root_certificates)?;
        let provider = Arc::new(crypto::default_provider());
        let versions = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        Ok(if origins.uses_tls() {
            versions
                .dangerous() // rustls' word for any verifier that is not its own; this one is the system's
                .with_custom_certificate_verifier(Arc::new(verifier(extra, provider)?))
                .with_no_client_auth()
        } else {
            versions.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
        })
    }

    #[cfg(not(target_os = "android"))]
    fn verifier(
        extra: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Verifier, Error> {
        Verifier::new_with_extra_roots(extra, provider).map_err(unusable)
    }

    #[cfg(target_os = "android")]
    fn verifier(
        extra: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Verifier, Error> {
        if !extra.is_empty() {
            let message = "Android takes extra root certificates from its own settings only";
            return Err(Error::new(ErrorKind::Config, message));
        }
        Verifier::new(provider).map_err(unusable)
    }

    fn certificates(pems: &[RootCertificates]) -> Result<Vec<CertificateDer<'static>>, Error> {
        let mut all = Vec::new();
        for pem in pems {
            let before = all.len();
            for certificate in CertificateDer::pem_slice_iter(pem.as_pem()) {
                all.push(certificate.map_err(|error| super::no_certificate().with_source(error))?);
            }
            if all.len() == before {
                return Err(super::no_certificate());
            }
        }
        // What is no certificate inside the PEM is found here, and not at the first connection.
        let mut probe = RootCertStore::empty();
        for certificate in &all {
            probe.add(certificate.clone()).map_err(|error| super::no_certificate().with_source(error))?;
        }
        Ok(all)
    }

    fn unusable(error: rustls::Error) -> Error {
        Error::new(
            ErrorKind::Config,
            "TLS cannot be set up: are root certificates (the package ca-certificates) installed?",
        )
        .with_source(error)
    }
}

#[cfg(feature = "__rustls")]
pub(super) use with_rustls::configuration;

#[cfg(any(feature = "__rustls", feature = "native-tls"))]
fn no_certificate() -> Error {
    Error::new(
        ErrorKind::Config,
        "`root_certificates` holds something that is no certificate: \
         give PEM, which starts with -----BEGIN CERTIFICATE-----",
    )
}

#[cfg(all(feature = "transport-reqwest", feature = "__rustls"))]
pub(super) fn for_reqwest(
    builder: reqwest::ClientBuilder,
    config: &Config,
    origins: &Origins,
) -> Result<reqwest::ClientBuilder, Error> {
    Ok(builder.tls_backend_preconfigured(configuration(config, origins)?))
}

#[cfg(all(feature = "transport-reqwest", feature = "native-tls", not(feature = "__rustls")))]
pub(super) fn for_reqwest(
    mut builder: reqwest::ClientBuilder,
    config: &Config,
    _origins: &Origins,
) -> Result<reqwest::ClientBuilder, Error> {
    for pem in &config.root_certificates {
        let certificates = reqwest::Certificate::from_pem_bundle(pem.as_pem())
            .map_err(|error| no_certificate().with_source(error.without_url()))?;
        if certificates.is_empty() {
            return Err(no_certificate());
        }
        builder = certificates.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate);
    }
    Ok(builder.tls_backend_native())
}

#[cfg(all(feature = "transport-reqwest", not(any(feature = "__rustls", feature = "native-tls"))))]
pub(super) fn for_reqwest(
    builder: reqwest::ClientBuilder,
    _config: &Config,
    origins: &Origins,
) -> Result<reqwest::ClientBuilder, Error> {
    without(origins).map(|()| builder)
}

/// Without TLS, only origins on this machine can be reached.
#[cfg(any(
    all(feature = "transport-reqwest", not(any(feature = "__rustls", feature = "native-tls"))),
    all(feature = "transport-hyper", not(feature = "__rustls")),
))]
pub(super) fn without(origins: &Origins) -> Result<(), Error> {
    if origins.uses_tls() {
        return Err(Error::new(
            ErrorKind::Config,
            "an https base URL needs TLS: enable the feature `rustls`, or give the builder a transport",
        ));
    }
    Ok(())
}
