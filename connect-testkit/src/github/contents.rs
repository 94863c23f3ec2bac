//! The files of a repository: get, create, change and delete them one by one, on one branch.
//!
//! A change names the version that it replaces by its `sha`; another one is 409, none is 422. A file that is asked for with
//! the media type `raw` comes as its bytes. Every change is a commit with a sha of its own.
//! Not git: shas are this fake's own and no hashes of git objects, there is one branch, and `ref` may name it only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::FakeGitHub;
use super::answer::{Failure, Success};
use super::issues::{body, optional_text};
use super::routes::{Access, Call, Route};
use super::shape::{self, sha};
use super::state::{Repository, State};
use crate::clock::iso_8601;
use crate::sign::hex;

const PATH: &str = "/repos/{owner}/{repo}/contents/{path*}";

const BRANCH: &str = "main";

pub(super) const ROUTES: &[Route] = &[
    Route::new("repos/get-content", Method::GET, PATH, Access::Anyone, get).query(&["ref"]),
    Route::new("repos/create-or-update-file-contents", Method::PUT, PATH, Access::Token, put)
        .fields(&["message", "content", "sha", "branch"]),
    Route::new("repos/delete-file", Method::DELETE, PATH, Access::Token, delete)
        .query(&["message", "sha", "branch"])
        .fields(&["message", "sha", "branch"]),
];

impl FakeGitHub {
    /// Puts a file into a repository, a new one if need be; one that is there is replaced.
    pub fn add_file(&self, owner: &str, repository: &str, path: &str, content: impl Into<Bytes>) {
        let content = content.into();
        self.provider.state.with(|state| {
            state.repository_or_new(owner, repository).files.insert(path.to_owned(), content);
        });
    }

    /// The bytes of a file of a repository, if there is one.
    pub fn file(&self, owner: &str, repository: &str, path: &str) -> Option<Bytes> {
        self.provider.state.with(|state| state.repository(owner, repository)?.files.get(path).cloned())
    }
}

/// As the fake tells versions of a file apart.
fn file_sha(content: &[u8]) -> String {
    use sha2::Digest as _;
    hex(&sha2::Sha256::digest(content))[..40].to_owned()
}

fn repository<'a>(state: &'a mut State, call: &Call<'_>) -> Result<&'a mut Repository, Failure> {
    state.repository(call.segment(0), call.segment(1)).ok_or_else(Failure::not_found)
}

fn on_branch(branch: Option<&str>) -> Result<(), Failure> {
    match branch {
        None | Some(BRANCH) => Ok(()),
        Some(other) => Err(Failure::new(StatusCode::NOT_FOUND, format!("Branch {other} not found"))),
    }
}

fn get(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    on_branch(call.query("ref").as_deref())?;
    let repository = repository(state, call)?;
    let path = call.segment(2);
    if let Some(content) = repository.files.get(path) {
        if call.request.header("accept").is_some_and(|accept| accept.contains(".raw")) {
            return Ok(Success::raw("application/vnd.github.raw+json; charset=utf-8", content.clone()));
        }
        let mut file = entry(call, repository, path, content);
        file["encoding"] = "base64".into();
        // GitHub breaks the lines, which a decoder has to bear.
        let encoded = STANDARD.encode(content);
        let lines: Vec<&str> =
            encoded.as_bytes().chunks(60).filter_map(|line| str::from_utf8(line).ok()).collect();
        file["content"] = lines.iter().map(|line| format!("{line}\n")).collect::<String>().into();
        return Ok(Success::ok(file));
    }
    let folder = if path.is_empty() { String::new() } else { format!("{path}/") };
    let mut entries: Vec<Value> = Vec::new();
    let mut folders: Vec<&str> = Vec::new();
    for (name, content) in &repository.files {
        let Some(rest) = name.strip_prefix(&folder) else { continue };
        match rest.split_once('/') {
            None => entries.push(entry(call, repository, name, content)),
            Some((sub, _)) if !folders.contains(&sub) => {
                folders.push(sub);
                entries.push(folder_entry(call, repository, &format!("{folder}{sub}")));
            }
            Some(_) => {}
        }
    }
    if entries.is_empty() { Err(Failure::not_found()) } else { Ok(Success::ok(Value::Array(entries))) }
}

fn put(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    let fields = body(call)?;
    let message = required(&fields, "message")?;
    let content = required(&fields, "content")?;
    let content = STANDARD
        .decode(content.split_whitespace().collect::<String>())
        .map_err(|_| Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "content is not valid Base64"))?;
    on_branch(optional_text(&fields, "branch", "Content")?.as_deref())?;
    let given = optional_text(&fields, "sha", "Content")?;
    let path = call.segment(2).to_owned();
    let repository = repository(state, call)?;
    let is_new = match repository.files.get(&path) {
        None => true,
        Some(old) => {
            replaces(old, given.as_deref(), &path)?;
            false
        }
    };
    let content = Bytes::from(content);
    repository.files.insert(path.clone(), content.clone());
    let body = json!({
        "content": entry(call, repository, &path, &content),
        "commit": commit(call, repository, &message),
    });
    Ok(Success { status: if is_new { StatusCode::CREATED } else { StatusCode::OK }, ..Success::ok(body) })
}

fn delete(state: &mut State, call: &Call<'_>) -> Result<Success, Failure> {
    // GitHub takes them in the body and, for clients that cannot send one, in the query.
    let mut fields = if call.request.body.is_empty() { Map::new() } else { body(call)? };
    for name in ["message", "sha", "branch"] {
        if let Some(value) = call.query(name) {
            fields.insert(name.to_owned(), value.into());
        }
    }
    let message = required(&fields, "message")?;
    let given = required(&fields, "sha")?;
    on_branch(optional_text(&fields, "branch", "Content")?.as_deref())?;
    let path = call.segment(2).to_owned();
    let repository = repository(state, call)?;
    let old = repository.files.get(&path).ok_or_else(Failure::not_found)?;
    replaces(old, Some(&given), &path)?;
    repository.files.remove(&path);
    Ok(Success::ok(json!({ "content": null, "commit": commit(call, repository, &message) })))
}

/// Whether a change knows what it replaces.
fn replaces(old: &[u8], given: Option<&str>, path: &str) -> Result<(), Failure> {
    let current = file_sha(old);
    match given {
        Some(sha) if sha == current => Ok(()),
        Some(sha) => {
            Err(Failure::new(StatusCode::CONFLICT, format!("{path} is at {current} but expected {sha}")))
        }
        None => Err(Failure::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Invalid request.\n\n\"sha\" wasn't supplied.",
        )),
    }
}

fn required(fields: &Map<String, Value>, name: &str) -> Result<String, Failure> {
    optional_text(fields, name, "Content")?
        .ok_or_else(|| Failure::validation("Content", name, "missing_field"))
}

fn entry(call: &Call<'_>, repository: &Repository, path: &str, content: &[u8]) -> Value {
    let mut entry = folder_entry(call, repository, path);
    entry["type"] = "file".into();
    entry["size"] = content.len().into();
    entry["sha"] = file_sha(content).into();
    entry["download_url"] = format!("{}/raw/{path}", html(call, repository)).into();
    entry
}

fn folder_entry(call: &Call<'_>, repository: &Repository, path: &str) -> Value {
    let (api, html) = (call.links.api.as_str(), html(call, repository));
    let url = format!("{api}/repos/{}/{}/contents/{path}?ref={BRANCH}", repository.owner, repository.name);
    let tree = sha(path);
    let git = format!("{api}/repos/{}/{}/git/trees/{tree}", repository.owner, repository.name);
    let html_url = format!("{html}/blob/{BRANCH}/{path}");
    json!({
        "type": "dir",
        "size": 0,
        "name": path.rsplit('/').next().unwrap_or_default(),
        "path": path,
        "sha": tree,
        "url": url,
        "git_url": git,
        "html_url": html_url,
        "download_url": null,
        "_links": { "self": url, "git": git, "html": html_url },
    })
}

fn html(call: &Call<'_>, repository: &Repository) -> String {
    format!("{}/{}/{}", call.links.html, repository.owner, repository.name)
}

fn commit(call: &Call<'_>, repository: &mut Repository, message: &str) -> Value {
    repository.commits += 1;
    let full = format!("{}/{}", repository.owner, repository.name);
    let id = sha(&format!("{full}/commit/{}", repository.commits));
    let url = format!("{}/repos/{full}/git/commits/{id}", call.links.api);
    let who = json!({ "name": call.login, "email": format!("{}@host.example", call.login), "date": iso_8601(call.now) });
    let tree = sha(&format!("{id}/tree"));
    json!({
        "sha": id,
        "node_id": shape::node_id("C", shape::stable_id(&id)),
        "url": url,
        "html_url": format!("{}/commit/{id}", html(call, repository)),
        "author": who,
        "committer": who,
        "message": message,
        "tree": { "sha": tree, "url": format!("{}/repos/{full}/git/trees/{tree}", call.links.api) },
        "parents": [],
        "verification": { "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null },
    })
}
