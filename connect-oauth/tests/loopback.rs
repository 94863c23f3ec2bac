//! The browser's way back to a program in a terminal.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use connect_core::Method;
use connect_oauth::{Login, LoginRefusal, LoopbackListener};
use connect_testkit::FakeAuthorization;
use serde_json::json;
use support::app;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

async fn fake() -> FakeAuthorization {
    let builder = FakeAuthorization::builder().redirect_uri("http://127.0.0.1/callback").any_loopback_port();
    builder.require_pkce().start().await.unwrap()
}

async fn get(url: &str) -> (u16, String) {
    const NONE: &[(&str, &str)] = &[];
    let answer = connect_testkit::send(Method::GET, url, NONE, "").await.unwrap();
    (answer.status.as_u16(), String::from_utf8_lossy(&answer.body).into_owned())
}

#[tokio::test]
async fn a_browser_that_opens_connections_ahead_and_asks_for_an_icon_is_waited_for() {
    let fake = fake().await;
    let logins = app(&fake, json!({})).build().unwrap().logins();
    let listener = LoopbackListener::bind(0, "/callback").await.unwrap();
    let address = listener.redirect_uri().clone();
    let (tell, told) = oneshot::channel();
    let login = listener.login(&logins, Login::new("acme", "crm"), |begun| {
        tell.send(begun.url.clone()).unwrap();
    });
    let browser = async {
        let url = told.await.unwrap();
        let port = address.port().unwrap();
        let silent = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        assert_eq!(get(address.join("/favicon.ico").unwrap().as_str()).await.0, 404);
        assert_eq!(get(&format!("{address}?code=c&state=forged")).await.0, 400);
        assert_eq!(get(&format!("{address}?state=a&state=b")).await.0, 400);
        let (status, page) = get(&fake.authorize(url.as_str()).unwrap()).await;
        assert!(status == 200 && page.contains("Close this page"), "{page}");
        drop(silent);
    };
    let (finished, ()) = tokio::join!(login, browser);
    assert!(fake.is_alive(finished.unwrap().tokens.access.expose()));
}

#[tokio::test]
async fn it_listens_where_the_redirect_uri_leads_and_nowhere_else() {
    for good in ["http://127.0.0.1/callback", "http://localhost/a/b"] {
        let listener = LoopbackListener::at(&good.parse().unwrap()).await.unwrap();
        let uri = listener.redirect_uri().as_str();
        assert!(
            uri.starts_with(&good[..good.rfind('1').unwrap_or(16)])
                && listener.redirect_uri().port().is_some(),
            "{uri}"
        );
    }
    for bad in ["https://127.0.0.1/callback", "http://app.example/callback", "http://127.0.0.1.evil.example/"]
    {
        assert!(LoopbackListener::at(&bad.parse().unwrap()).await.is_err(), "{bad}");
    }
    let taken = LoopbackListener::bind(0, "/").await.unwrap();
    let again = LoopbackListener::bind(taken.redirect_uri().port().unwrap(), "/").await.unwrap_err();
    assert!(again.to_string().contains("another port"), "{again}");
    assert!(LoopbackListener::bind(0, "callback?x").await.is_err());
}

#[tokio::test]
async fn a_refused_login_ends_the_waiting_and_names_the_refusal() {
    let fake = fake().await;
    let logins = app(&fake, json!({})).build().unwrap().logins();
    let listener = LoopbackListener::bind(0, "/callback").await.unwrap();
    let (tell, told) = oneshot::channel();
    let login = listener.login(&logins, Login::new("acme", "crm").session("cookie"), |begun| {
        tell.send(begun.url.clone()).unwrap();
    });
    let browser = async {
        // A terminal has no session to show, so a login that is tied to one cannot end here.
        let (status, _) = get(&fake.authorize(told.await.unwrap().as_str()).unwrap()).await;
        assert_eq!(status, 400);
    };
    let (finished, ()) = tokio::join!(login, browser);
    assert_eq!(finished.unwrap_err().details(), Some(&LoginRefusal::ForeignSession));
}
