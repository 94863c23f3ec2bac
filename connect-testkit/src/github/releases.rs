//! Releases and their files: a file goes up in one request, and comes down from another origin.
//!
//! Files go to the address in the release's `upload_url`: on GitHub a host of its own, here the same host, under
//! `/api/uploads` where the API is under `/api/v3`. A download asks for `application/octet-stream` and is answered 302, to a
//! storage on another port with a signature in the query. That storage refuses whoever brings an `Authorization` header, as
//! object storages do: a client that leaks its token to another host fails here.
//! Not here: editing and deleting, ranges, and signatures that expire.

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::FakeGitHub;
use super::answer::{Failure, Success};
use super::issues::{body, optional_text};
use super::page::Page;
use super::routes::{Access, Call, Route};
use super::shape;
use super::state::{Repository, State};
use crate::clock::iso_8601;
use crate::fault::Refusal;
use crate::record::Recorded;
use crate::server::{Answer, Provider, Received};
use crate::shared::Shared;
use crate::unique;

pub(super) struct Release {
    id: u64,
    tag: String,
    name: Option<String>,
    text: Option<String>,
    created_at: u64,
    is_draft: bool,
    is_prerelease: bool,
    assets: Vec<Asset>,
}

struct Asset {
    id: u64,
    name: String,
    label: Option<String>,
    content_type: String,
    size: usize,
    created_at: u64,
}

pub(super) const UPLOAD: &str = "repos/upload-release-asset";

pub(super) const ROUTES: &[Route] = &[
    Route::new("repos/list-releases", Method::GET, "/repos/{owner}/{repo}/releases", Access::Anyone, list)
        .query(&["page", "per_page"]),
    Route::new("repos/create-release", Method::POST, "/repos/{owner}/{repo}/releases", Access::Token, create)
        .fields(&["tag_name", "name", "body", "draft", "prerelease"]),
    Route::new(
        "repos/get-release",
        Method::GET,
        "/repos/{owner}/{repo}/releases/{release_id}",
        Access::Anyone,
        get,
    ),
    // Its body is whatever the file holds.
    Route::new(
        UPLOAD,
        Method::POST,
        "/repos/{owner}/{repo}/releases/{release_id}/assets",
        Access::Token,
        upload,
    )
    .query(&["name", "label"])
    .fields(&["*"]),
    Route::new(
        "repos/get-release-asset",
        Method::GET,
        "/repos/{owner}/{repo}/releases/assets/{asset_id}",
        Access::Anyone,
        get_asset,
    ),
];

impl FakeGitHub {
    /// Every request so far to the storage that downloads lead to: another origin, which must see no token.
    pub fn storage_requests(&self) -> Vec<Recorded> {
        self.storage.journal.all()
    }
}

fn repository<'a>(state: &'a mut State, call: &Call<'_>) -> Result<&'a mut Repository, Failure> {
    state.repository(call.segment(0), call.segment(1)).ok_or_else(Failure::not_found)
}

fn id(call: &Call<'_>) -> Result<u64, Failure> {
    call.segment(2).parse().map_err(|_| Failure::not_found())
}

fn list(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let repository = repository(state, call)?;
    let newest_first: Vec<&Release> = repository.releases.iter().rev().collect();
    let page = Page::of(call.request);
    let link = page.link(&call.url(), call.request, newest_first.len());
    let items = page.slice(&newest_first).iter().map(|release| release_json(call, repository, release));
    Ok(Success { link, ..Success::ok(Value::Array(items.collect())) })
}

fn create(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let fields = body(call)?;
    let tag = optional_text(&fields, "tag_name", "Release")?
        .filter(|tag| !tag.trim().is_empty())
        .ok_or_else(|| Failure::validation("Release", "tag_name", "missing_field"))?;
    let (name, text) =
        (optional_text(&fields, "name", "Release")?, optional_text(&fields, "body", "Release")?);
    let flag = |name: &str| fields.get(name).and_then(Value::as_bool).unwrap_or_default();
    let new_id = state.file_id();
    let repository = repository(state, call)?;
    if repository.releases.iter().any(|release| release.tag == tag) {
        return Err(Failure::validation("Release", "tag_name", "already_exists"));
    }
    let release = Release {
        id: new_id,
        tag,
        name,
        text,
        created_at: call.now,
        is_draft: flag("draft"),
        is_prerelease: flag("prerelease"),
        assets: Vec::new(),
    };
    let json = release_json(call, repository, &release);
    repository.releases.push(release);
    Ok(Success::created(json))
}

fn get(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let (repository, id) = (repository(state, call)?, id(call)?);
    let release =
        repository.releases.iter().find(|release| release.id == id).ok_or_else(Failure::not_found)?;
    Ok(Success::ok(release_json(call, repository, release)))
}

fn upload(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let release_id = id(call)?;
    let name = call.query("name").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Failure::validation("ReleaseAsset", "name", "missing_field"))?;
    let content_type = call.request.header("content-type").unwrap_or_default().to_owned();
    if content_type.is_empty() {
        return Err(Failure::validation("ReleaseAsset", "content_type", "missing_field"));
    }
    if call.request.body.is_empty() {
        return Err(Failure::bad_request("Bad Content-Length"));
    }
    let (asset_id, storage) = (state.file_id(), state.storage.clone());
    let repository = repository(state, call)?;
    let release = repository.releases.iter_mut().find(|release| release.id == release_id);
    let release = release.ok_or_else(Failure::not_found)?;
    if release.assets.iter().any(|asset| asset.name == name) {
        return Err(Failure::validation("ReleaseAsset", "name", "already_exists"));
    }
    let content = call.request.body.clone();
    let (label, size) = (call.query("label"), content.len());
    storage.keep(asset_id, content);
    release.assets.push(Asset { id: asset_id, name, label, content_type, size, created_at: call.now });
    let json = asset_json(call, repository, asset_id).ok_or_else(Failure::not_found)?;
    Ok(Success::created(json))
}

fn get_asset(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let (storage, id) = (state.storage.clone(), id(call)?);
    let repository = repository(state, call)?;
    let json = asset_json(call, repository, id).ok_or_else(Failure::not_found)?;
    if call.request.header("accept").is_some_and(|accept| accept.contains("application/octet-stream")) {
        let location = Some(storage.address_of(id));
        return Ok(Success {
            status: StatusCode::FOUND,
            location,
            ..Success::raw("text/html;charset=utf-8", "")
        });
    }
    Ok(Success::ok(json))
}

fn release_json(call: &Call<'_>, repository: &Repository, release: &Release) -> Value {
    let full = format!("{}/{}", repository.owner, repository.name);
    let html = format!("{}/{full}", call.links.html);
    let api = format!("{}/repos/{full}", call.links.api);
    let url = format!("{api}/releases/{}", release.id);
    let at = iso_8601(release.created_at);
    let assets: Vec<Value> =
        release.assets.iter().filter_map(|asset| asset_json(call, repository, asset.id)).collect();
    let mut json = json!({
        "url": url,
        "html_url": format!("{html}/releases/tag/{}", release.tag),
        "assets_url": format!("{url}/assets"),
        "upload_url": format!("{}/repos/{full}/releases/{}/assets{{?name,label}}", call.links.uploads(), release.id),
        "tarball_url": format!("{api}/tarball/{}", release.tag),
        "zipball_url": format!("{api}/zipball/{}", release.tag),
        "id": release.id,
        "node_id": shape::node_id("RE", release.id),
        "tag_name": release.tag,
        "target_commitish": "main",
        "name": release.name,
        "body": release.text,
        "draft": release.is_draft,
        "prerelease": release.is_prerelease,
        "created_at": at,
        "published_at": (!release.is_draft).then_some(&at),
        "author": shape::user(call.links, call.login),
        "assets": assets,
    });
    json["immutable"] = false.into();
    json
}

fn asset_json(call: &Call<'_>, repository: &Repository, id: u64) -> Option<Value> {
    let (release, asset) = repository.releases.iter().find_map(|release| {
        release.assets.iter().find(|asset| asset.id == id).map(|asset| (release, asset))
    })?;
    let full = format!("{}/{}", repository.owner, repository.name);
    let at = iso_8601(asset.created_at);
    Some(json!({
        "url": format!("{}/repos/{full}/releases/assets/{id}", call.links.api),
        "browser_download_url": format!("{}/{full}/releases/download/{}/{}", call.links.html, release.tag, asset.name),
        "id": id,
        "node_id": shape::node_id("RA", id),
        "name": asset.name,
        "label": asset.label,
        "state": "uploaded",
        "content_type": asset.content_type,
        "size": asset.size,
        "digest": null,
        "download_count": 0,
        "created_at": at,
        "updated_at": at,
        "uploader": shape::user(call.links, call.login),
    }))
}

/// Where files lie: another origin, which knows no tokens.
#[derive(Clone)]
pub(super) struct Storage {
    base: String,
    signature: String,
    files: Shared<Vec<(u64, Bytes)>>,
}

impl Storage {
    pub(super) fn at(address: std::net::SocketAddr) -> Self {
        let signature = format!("fake-signature-{}", unique::number());
        Self { base: format!("http://{address}"), signature, files: Shared::new(Vec::new()) }
    }

    fn keep(&self, id: u64, content: Bytes) {
        self.files.with(|files| files.push((id, content)));
    }

    fn address_of(&self, id: u64) -> String {
        format!("{}/files/{id}?signature={}", self.base, self.signature)
    }
}

impl Provider for Storage {
    fn operation(&self, request: &Received) -> Option<String> {
        request.path.starts_with("/files/").then(|| "storage/get".to_owned())
    }

    fn accepts(&self, _: &str, _: &str) -> bool {
        false
    }

    fn answer(&self, request: &Received) -> Answer {
        if request.header("authorization").is_some() {
            return Answer::new(StatusCode::BAD_REQUEST, "Only one way to sign in is allowed.");
        }
        if !request.query_pairs().any(|(name, value)| name == "signature" && value == self.signature) {
            return Answer::new(StatusCode::FORBIDDEN, "The signature does not fit.");
        }
        let id = request.path.strip_prefix("/files/").and_then(|id| id.parse::<u64>().ok());
        let found = self.files.with(|files| files.iter().find(|(known, _)| Some(*known) == id).cloned());
        let Some((_, content)) = found else {
            return Answer::new(StatusCode::NOT_FOUND, "There is no such file.");
        };
        let mut answer = Answer::new(StatusCode::OK, content);
        answer.set("content-type", "application/octet-stream");
        answer
    }

    fn refuse(&self, _: &Received, refusal: &Refusal) -> Answer {
        let status =
            if let Refusal::Status(status) = refusal { *status } else { StatusCode::SERVICE_UNAVAILABLE };
        Answer::new(status, "")
    }

    fn problems(&self, _: &Received) -> Vec<String> {
        Vec::new()
    }
}
