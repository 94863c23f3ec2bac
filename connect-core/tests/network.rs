//! TLS, proxies and compression over real sockets on this machine.
#![cfg(all(feature = "transport-reqwest", feature = "rustls"))]
#![allow(clippy::unwrap_used, reason = "tests")]

mod weather;

use std::sync::Arc;

use base64::Engine;
use connect_core::transport::{HyperTransport, ReqwestTransport};
use connect_core::{Client, Config, Error, ErrorKind, Origins, RetryPolicy, Sent, Transport};
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto, pki_types::PrivateKeyDer};
use weather::{Ask, Weather};

type Make = fn(&Config, &Origins) -> Result<Arc<dyn Transport>, Error>;

const TRANSPORTS: [(&str, Make); 2] = [
    ("reqwest", |config, origins| Ok(Arc::new(ReqwestTransport::new(config, origins)?))),
    ("hyper", |config, origins| Ok(Arc::new(HyperTransport::new(config, origins)?))),
];

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 12\r\n\r\n{\"sun\":true}";

fn client(make: Make, url: &str, config: Config) -> Result<Client<Weather>, Error> {
    let config = config.with_retry(RetryPolicy::never());
    let transport = make(&config, &Origins::new(url)?)?;
    Client::<Weather>::builder().base_url(url).config(config).transport(transport).build()
}

/// Answers one connection, after TLS if there is an acceptor; yields the request's head.
async fn serve(tls: Option<TlsAcceptor>, answer: Vec<u8>) -> (u16, tokio::task::JoinHandle<String>) {
    async fn answer_one(mut socket: impl AsyncReadExt + AsyncWriteExt + Unpin, answer: &[u8]) -> String {
        let mut request = Vec::new();
        while !request.windows(4).any(|window| window == b"\r\n\r\n") {
            if socket.read_buf(&mut request).await.unwrap() == 0 {
                break;
            }
        }
        socket.write_all(answer).await.unwrap();
        socket.shutdown().await.unwrap();
        String::from_utf8(request).unwrap()
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        match tls {
            Some(tls) => match tls.accept(socket).await {
                Ok(socket) => answer_one(socket, &answer).await,
                Err(error) => error.to_string(),
            },
            None => answer_one(socket, &answer).await,
        }
    });
    (port, server)
}

/// A root that no machine trusts, and a server that it vouches for.
fn authority() -> (String, TlsAcceptor) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &root).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        base64::engine::general_purpose::STANDARD.encode(root.der())
    );
    (pem, TlsAcceptor::from(Arc::new(config)))
}

#[tokio::test]
async fn an_extra_root_is_trusted_and_without_it_nothing_is_sent() {
    let (root, tls) = authority();
    for (name, make) in TRANSPORTS {
        let (port, server) = serve(Some(tls.clone()), OK.to_vec()).await;
        let config = Config::default().with_root_certificate_pem(root.clone());
        let trusting = client(make, &format!("https://localhost:{port}"), config).unwrap();
        assert_eq!(trusting.send(Ask::write()).await.unwrap()["sun"], true, "{name}");
        assert!(server.await.unwrap().starts_with("POST /reports HTTP/1.1"), "{name}");

        let (port, _server) = serve(Some(tls.clone()), OK.to_vec()).await;
        let wary = client(make, &format!("https://localhost:{port}"), Config::default()).unwrap();
        let error = wary.send(Ask::write()).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Transport, Sent::No), "{name}");
        assert!(format!("{error:#}").contains("certificate"), "{name}: {error:#}");
    }
}

#[tokio::test]
async fn a_server_that_never_speaks_tls_is_given_up_before_anything_is_sent() {
    for (name, make) in TRANSPORTS {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let config = Config::default().with_connect_timeout(std::time::Duration::from_millis(20));
        let error = client(make, &url, config).unwrap().send(Ask::write()).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Timeout, Sent::No), "{name}");
    }
}

#[tokio::test]
async fn roots_that_are_no_certificates_are_found_when_the_client_is_built() {
    let no_certificate = "-----BEGIN CERTIFICATE-----\nY2FuYXJ5\n-----END CERTIFICATE-----\n";
    for (name, make) in TRANSPORTS {
        for garbage in ["", "canary", "-----BEGIN CERTIFICATE-----\n%%%\n", no_certificate] {
            let config = Config::default().with_root_certificate_pem(garbage);
            let error = client(make, "https://localhost", config).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{name}: {garbage}");
            assert!(error.to_string().contains("root_certificates"), "{name}: {error}");
        }
    }
}

#[tokio::test]
async fn a_proxy_is_told_its_own_credentials_and_refusing_it_sends_nothing() {
    let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
    let (port, server) = serve(None, refusal.to_vec()).await;
    let config = Config::default().with_proxy(&format!("http://me:canary@127.0.0.1:{port}")).unwrap();
    let (_, make) = TRANSPORTS[0];
    let error =
        client(make, "https://api.weather.example", config).unwrap().send(Ask::write()).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Transport, Sent::No));
    assert!(!format!("{error:#} {error:?}").contains("canary"), "{error:#}");
    let request = server.await.unwrap().to_ascii_lowercase();
    assert!(request.starts_with("connect api.weather.example:443 "), "{request}");
    assert!(request.contains("proxy-authorization: basic bwu6y2fuyxj5\r\n"), "{request}");
}

#[tokio::test]
async fn this_machine_is_not_asked_for_through_a_proxy() {
    let (_, make) = TRANSPORTS[0];
    for host in ["127.0.0.1", "localhost"] {
        let (port, _server) = serve(None, OK.to_vec()).await;
        let config = Config::default().with_proxy("http://127.0.0.1:1").unwrap();
        let client = client(make, &format!("http://{host}:{port}"), config).unwrap();
        assert_eq!(client.send(Ask::read()).await.unwrap()["sun"], true, "{host}");
    }
}

#[test]
fn the_hyper_transport_refuses_to_ignore_a_proxy() {
    let origins = Origins::new("http://127.0.0.1").unwrap();
    let proxied = Config::default().with_proxy("http://proxy.example.com").unwrap();
    for config in [proxied, Config::default().with_proxy_from_env()] {
        let error = HyperTransport::new(&config, &origins).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("transport-reqwest"), "{error}");
    }
}

mod gzip {
    use std::io::Write;

    use super::*;

    fn compressed(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(content).unwrap();
        let body = encoder.finish().unwrap();
        let head = format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), &body].concat()
    }

    #[tokio::test]
    async fn compressed_answers_are_asked_for_and_read() {
        let (port, server) = serve(None, compressed(br#"{"sun":true}"#)).await;
        let (_, make) = TRANSPORTS[0];
        let client = client(make, &format!("http://127.0.0.1:{port}"), Config::default()).unwrap();
        assert_eq!(client.send(Ask::read()).await.unwrap()["sun"], true);
        assert!(server.await.unwrap().contains("accept-encoding: gzip\r\n"));
    }

    #[tokio::test]
    async fn a_small_answer_cannot_unfold_above_the_limit() {
        let bomb = compressed(&vec![b' '; 1024 * 1024]);
        assert!(bomb.len() < 4096);
        let (port, _server) = serve(None, bomb).await;
        let config = Config::default().with_body_limit_bytes(64 * 1024);
        let (_, make) = TRANSPORTS[0];
        let client = client(make, &format!("http://127.0.0.1:{port}"), config).unwrap();
        let error = client.send(Ask::read()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("65536 bytes"), "{error}");
    }
}
