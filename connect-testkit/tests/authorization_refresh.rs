//! Refresh tokens of the fake authorization server: rotation, reuse, leeway, revocation, clocks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop, in its helpers too")]

mod authorization_support;

use std::time::Duration;

use authorization_support::{FORM, body, builder, get, refresh, server, text, token};
use connect_testkit::authorization::Rotation;
use connect_testkit::{FakeAuthorization, post};

async fn revoke(server: &FakeAuthorization, token: &str) -> u16 {
    let body = body(server, "none", &[("token", token)]);
    post(&format!("{}/revoke", server.url()), &[FORM], body).await.unwrap().status.as_u16()
}

#[tokio::test]
async fn a_refresh_replaces_the_refresh_token_and_leaves_the_old_access_token() {
    let server = server().await;
    let (access, old) = server.issue(server.client_id(), &["read"]);
    let reply = refresh(&server, &old).await;
    let new = text(&reply, "refresh_token");
    assert_ne!(old, new);
    assert!(server.honours(&new) && !server.honours(&old));
    assert!(server.is_alive(&access) && server.is_alive(&text(&reply, "access_token")));
    assert_eq!((server.refreshes(), server.reuses()), (1, 0), "asking is no use");
    let issued = server.issued();
    assert_eq!((issued[0].grant, issued[1].grant), ("issue", "refresh_token"));
    assert_eq!(issued[0].login, issued[1].login);
}

#[tokio::test]
async fn a_reused_refresh_token_revokes_the_newest_tokens_too() {
    let server = server().await;
    let (first, old) = server.issue(server.client_id(), &["read"]);
    let (bystander, _) = server.issue(server.client_id(), &["read"]);
    let newest = refresh(&server, &old).await;
    let reused = refresh(&server, &old).await;
    assert_eq!((reused.status.as_u16(), text(&reused, "error")), (400, "invalid_grant".to_owned()));
    assert_eq!((server.refreshes(), server.reuses()), (1, 1));
    assert!(!server.honours(&text(&newest, "refresh_token")));
    for access in [&first, &text(&newest, "access_token")] {
        assert!(!server.is_alive(access));
        assert_eq!(get(&server, "/resource", access).await.status, 401);
    }
    assert!(server.is_alive(&bystander), "another login is not touched");
}

#[tokio::test]
async fn two_refreshes_at_once_lose_the_login() {
    let server = server().await;
    let (_, token) = server.issue(server.client_id(), &["read"]);
    let (one, two) = tokio::join!(refresh(&server, &token), refresh(&server, &token));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    assert!(server.issued().iter().all(|issued| !server.is_alive(&issued.access_token)));
}

#[tokio::test]
async fn a_refresh_token_that_is_kept_works_again_and_is_not_repeated() {
    let server = builder().rotation(Rotation::None).start().await.unwrap();
    let (_, token) = server.issue(server.client_id(), &["read"]);
    for _ in 0..2 {
        let reply = refresh(&server, &token).await;
        assert_eq!(reply.status, 200);
        assert!(reply.json().get("refresh_token").is_none());
    }
    assert_eq!((server.refreshes(), server.reuses()), (2, 0));
}

#[tokio::test]
async fn a_replaced_refresh_token_works_within_the_leeway_and_not_after_it() {
    let leeway = Rotation::Leeway(Rotation::TEN_MINUTES);
    let server = builder().rotation(leeway).start().await.unwrap();
    let (_, old) = server.issue(server.client_id(), &["read"]);
    let first = refresh(&server, &old).await;
    server.advance_clock(Duration::from_secs(600));
    assert!(server.honours(&old));
    let second = refresh(&server, &old).await;
    assert_eq!(second.status, 200);
    assert_ne!(text(&first, "refresh_token"), text(&second, "refresh_token"));
    server.advance_clock(Duration::from_secs(1));
    assert!(!server.honours(&old), "the leeway counts from the first use");
    assert_eq!(text(&refresh(&server, &old).await, "error"), "invalid_grant");
    assert_eq!((server.refreshes(), server.reuses()), (2, 2));
    for pair in [first, second] {
        assert!(server.honours(&text(&pair, "refresh_token")), "nothing else is revoked");
    }
}

#[tokio::test]
async fn a_refresh_token_that_nobody_uses_dies() {
    let server = builder().refresh_expires_in(Duration::from_secs(100)).start().await.unwrap();
    let (_, token) = server.issue(server.client_id(), &["read"]);
    server.advance_clock(Duration::from_secs(99));
    let next = text(&refresh(&server, &token).await, "refresh_token");
    server.advance_clock(Duration::from_secs(99));
    assert!(server.honours(&next));
    server.advance_clock(Duration::from_secs(1));
    assert_eq!(text(&refresh(&server, &next).await, "error"), "invalid_grant");
}

#[tokio::test]
async fn a_refresh_may_ask_for_fewer_scopes_and_not_for_more() {
    let server = server().await;
    let (_, refresh_token) = server.issue(server.client_id(), &["read", "write"]);
    let more = [("refresh_token", refresh_token.as_str()), ("scope", "read admin")];
    assert_eq!(text(&token(&server, "refresh_token", &more).await, "error"), "invalid_scope");
    let fewer = [("refresh_token", refresh_token.as_str()), ("scope", "read")];
    let narrow = token(&server, "refresh_token", &fewer).await;
    assert_eq!(text(&narrow, "scope"), "read");
    let all = refresh(&server, &text(&narrow, "refresh_token")).await;
    assert_eq!(text(&all, "scope"), "read write");
}

#[tokio::test]
async fn a_refresh_token_of_another_client_is_refused_and_stays_good() {
    let server = server().await;
    let (_, token) = server.issue("other", &["read"]);
    assert_eq!(text(&refresh(&server, &token).await, "error"), "invalid_grant");
    assert!(server.honours(&token));
}

#[tokio::test]
async fn revoking_an_access_token_spares_its_login_and_revoking_a_refresh_token_ends_it() {
    let server = server().await;
    let (access, token) = server.issue(server.client_id(), &["read"]);
    assert_eq!(revoke(&server, &access).await, 200);
    assert!(!server.is_alive(&access) && server.honours(&token));
    let renewed = text(&refresh(&server, &token).await, "access_token");
    assert_eq!(revoke(&server, &token).await, 200);
    assert!(!server.is_alive(&renewed));
    assert_eq!(revoke(&server, "unknown").await, 200);
    let (foreign, _) = server.issue("other", &["read"]);
    assert_eq!(revoke(&server, &foreign).await, 200);
    assert!(server.is_alive(&foreign), "a client revokes its own tokens only");
}

#[tokio::test]
async fn a_person_who_removes_the_app_ends_the_login() {
    let server = server().await;
    let (access, token) = server.issue(server.client_id(), &["read"]);
    assert!(server.withdraw(&access));
    assert!(!server.withdraw("unknown"));
    assert!(!server.is_alive(&access) && !server.honours(&token));
    assert_eq!(text(&refresh(&server, &token).await, "error"), "invalid_grant");
    assert_eq!(server.reuses(), 0);
}

#[tokio::test]
async fn a_skewed_server_says_so_in_its_date_and_expires_by_its_own_clock() {
    let server = builder().clock_skew(-3600).expires_in(Duration::from_secs(60)).start().await.unwrap();
    let (access, _) = server.issue(server.client_id(), &["read"]);
    let date = |reply: connect_testkit::Reply| reply.header("date").unwrap().to_owned();
    assert_eq!(date(get(&server, "/resource", &access).await), "Tue, 14 Nov 2023 21:13:20 GMT");
    server.set_clock_skew(0);
    assert_eq!(date(get(&server, "/resource", &access).await), "Tue, 14 Nov 2023 22:13:20 GMT");
    assert!(!server.is_alive(&access), "an hour has passed for the server");
}

#[tokio::test]
async fn an_answer_without_expires_in_is_a_token_that_ends_all_the_same() {
    let server = builder().expires_in(Duration::from_secs(60)).without_expires_in().start().await.unwrap();
    let reply = token(&server, "client_credentials", &[]).await;
    assert!(reply.json().get("expires_in").is_none());
    server.advance_clock(Duration::from_secs(60));
    assert!(!server.is_alive(&text(&reply, "access_token")));
}
