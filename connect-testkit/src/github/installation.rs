//! What an App does: looks its installations up, and gets tokens for them.
//!
//! The operations of [`app`](super::app), which holds what they answer about.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::answer::{Failure, Success};
use super::app::{Apps, Installation, IssuedToken};
use super::links::Links;
use super::routes::{Access, Call, Handler, Route};
use super::shape;
use super::state::State;
use crate::clock::iso_8601;
use crate::unique;

/// How long an installation token lives.
const TOKEN_LIFE: u64 = 3600;

/// The most repositories that one token can name.
const MOST_REPOSITORIES: usize = 500;

const fn looking_up(operation: &'static str, path: &'static str, handler: Handler) -> Route {
    Route::new(operation, Method::GET, path, Access::App, handler)
}

pub(super) const ROUTES: &[Route] = &[
    looking_up("apps/get-authenticated", "/app", get_authenticated),
    looking_up("apps/list-installations", "/app/installations", list_installations)
        .query(&["per_page", "page"]),
    looking_up("apps/get-installation", "/app/installations/{installation_id}", get_installation),
    looking_up("apps/get-repo-installation", "/repos/{owner}/{repo}/installation", get_repo_installation),
    looking_up("apps/get-org-installation", "/orgs/{org}/installation", get_account_installation),
    looking_up("apps/get-user-installation", "/users/{username}/installation", get_account_installation),
    Route::new(
        "apps/create-installation-access-token",
        Method::POST,
        "/app/installations/{installation_id}/access_tokens",
        Access::App,
        create_token,
    )
    .fields(&["repositories", "repository_ids", "permissions"]),
    Route::new(
        "apps/list-repos-accessible-to-installation",
        Method::GET,
        "/installation/repositories",
        Access::Installation,
        list_repositories,
    )
    .query(&["per_page", "page"]),
    Route::new(
        "apps/revoke-installation-access-token",
        Method::DELETE,
        "/installation/token",
        Access::Installation,
        revoke_token,
    ),
];

impl Apps {
    fn installation(&self, id: &str) -> Result<&Installation, Failure> {
        let id: u64 = id.parse().map_err(|_| Failure::not_found())?;
        self.installations.iter().find(|installation| installation.id == id).ok_or_else(Failure::not_found)
    }

    fn on_account(&self, account: &str) -> Result<&Installation, Failure> {
        let found = self.installations.iter().find(|it| it.account.eq_ignore_ascii_case(account));
        found.ok_or_else(Failure::not_found)
    }

    fn installation_json(&self, installation: &Installation, links: &Links) -> Value {
        let (id, api) = (installation.id, &links.api);
        let (app_id, slug, permissions) = match &self.app {
            Some(app) => (app.id, app.slug.as_str(), app.permissions.clone()),
            None => (0, "", Map::new()),
        };
        json!({
            "id": id,
            "account": shape::user(links, &installation.account),
            "repository_selection": "selected",
            "access_tokens_url": format!("{api}/app/installations/{id}/access_tokens"),
            "repositories_url": format!("{api}/installation/repositories"),
            "html_url": format!("{}/settings/installations/{id}", links.html),
            "app_id": app_id,
            "app_slug": slug,
            "target_id": shape::stable_id(&installation.account),
            "target_type": "User",
            "permissions": permissions,
            "events": [],
            "single_file_name": null,
            "created_at": iso_8601(shape::LONG_AGO),
            "updated_at": iso_8601(shape::LONG_AGO),
            "suspended_by": null,
            "suspended_at": installation.suspended_at.map(iso_8601),
        })
    }
}

fn get_authenticated(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let app = state.apps.app.as_ref().ok_or_else(Failure::not_found)?;
    let mut body = app.json(call.links);
    body["installations_count"] = state.apps.installations.len().into();
    Ok(Success::ok(body))
}

fn list_installations(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let apps = &state.apps;
    let all = apps.installations.iter().map(|installation| apps.installation_json(installation, call.links));
    Ok(Success::ok(all.collect()))
}

fn get_installation(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let installation = state.apps.installation(call.segment(0))?;
    Ok(Success::ok(state.apps.installation_json(installation, call.links)))
}

fn get_repo_installation(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let installation = state.apps.on_account(call.segment(0))?;
    let is_there = installation.repositories.iter().any(|name| name.eq_ignore_ascii_case(call.segment(1)));
    if !is_there {
        return Err(Failure::not_found());
    }
    Ok(Success::ok(state.apps.installation_json(installation, call.links)))
}

fn get_account_installation(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let installation = state.apps.on_account(call.segment(0))?;
    Ok(Success::ok(state.apps.installation_json(installation, call.links)))
}

fn create_token(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let asked: Value = serde_json::from_slice(&call.request.body).unwrap_or_default();
    let apps = &state.apps;
    let installation = apps.installation(call.segment(0))?;
    if installation.suspended_at.is_some() {
        return Err(Failure::new(StatusCode::FORBIDDEN, "This installation has been suspended"));
    }
    let unprocessable = |why: &str| Failure::new(StatusCode::UNPROCESSABLE_ENTITY, why);
    let granted = apps.app.as_ref().map(|app| app.permissions.clone()).unwrap_or_default();
    let permissions = match asked["permissions"].as_object() {
        Some(permissions) => permissions.clone(),
        None => granted.clone(),
    };
    let covers = |name: &String, access: &Value| {
        granted.get(name).is_some_and(|most| most == access || (most != "read" && access == "read"))
    };
    if !permissions.iter().all(|(name, access)| covers(name, access)) {
        return Err(unprocessable("The permissions requested are not granted to this installation."));
    }
    let repositories = named_repositories(&asked, &installation.repositories)?;
    let number = unique::number();
    let issued = IssuedToken {
        token: format!("ghs_fake-testkit-installation-{number}"),
        installation: installation.id,
        expires_at: call.now.saturating_add(TOKEN_LIFE),
        refusals_left: apps.settling_uses,
        repositories: repositories.clone().unwrap_or_else(|| installation.repositories.clone()),
    };
    let mut body = json!({
        "token": issued.token,
        "expires_at": iso_8601(issued.expires_at),
        "permissions": permissions,
        "repository_selection": "selected",
    });
    if let Some(names) = repositories {
        let account = &installation.account;
        body["repositories"] =
            names.iter().map(|name| shape::repository(call.links, account, name)).collect();
    }
    state.apps.tokens.push(issued);
    Ok(Success { status: StatusCode::CREATED, ..Success::ok(body) })
}

/// The repositories that a token is asked for; `None` for all of them.
fn named_repositories(asked: &Value, installed: &[String]) -> Result<Option<Vec<String>>, Failure> {
    let names = asked["repositories"].as_array().cloned().unwrap_or_default();
    let ids = asked["repository_ids"].as_array().cloned().unwrap_or_default();
    if names.is_empty() && ids.is_empty() {
        return Ok(None);
    }
    let count = names.len() + ids.len();
    let known = installed.iter().filter(|repository| {
        names.iter().any(|name| name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(repository)))
            || ids.iter().any(|id| id.as_u64() == Some(shape::stable_id(repository)))
    });
    let known: Vec<String> = known.cloned().collect();
    if known.len() < count || count > MOST_REPOSITORIES {
        return Err(Failure::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        ));
    }
    Ok(Some(known))
}

fn list_repositories(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let credential = call.request.authorization().map(|(_, credential)| credential).unwrap_or_default();
    let token = state.apps.tokens.iter().find(|token| token.token == credential);
    let token = token.ok_or_else(Failure::bad_credentials)?;
    let installation = state.apps.installation(&token.installation.to_string())?;
    let repositories: Vec<Value> = token
        .repositories
        .iter()
        .map(|name| shape::repository(call.links, &installation.account, name))
        .collect();
    Ok(Success::ok(json!({
        "total_count": repositories.len(),
        "repository_selection": "selected",
        "repositories": repositories,
    })))
}

fn revoke_token(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let credential = call.request.authorization().map(|(_, credential)| credential).unwrap_or_default();
    state.apps.tokens.retain(|token| token.token != credential);
    Ok(Success::no_content())
}
