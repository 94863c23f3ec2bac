//! The release uploader: finds or makes the release of a tag, and attaches what is not attached yet.
//!
//! A file counts as attached if one of the same name and size is there. What an interrupted upload left behind is removed
//! first. An upload whose fate is unknown is looked for before anybody repeats it: GitHub may have it.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use connect_core::Body;
use connect_github::handle::{ReleaseHandle, RepoHandle};
use connect_github::model::{Release, ReleaseAsset};
use connect_github::{Error, ErrorKind, Sent, repos};
use futures_util::TryStreamExt;

use crate::command::Failure;

/// How long one file may take; a call's own deadline of a minute is meant for answers and not for gigabytes.
const LONGEST_UPLOAD: Duration = Duration::from_secs(3_600);

/// A file on its way to a release.
///
/// [`check`] makes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// Its name in the release.
    pub name: String,
    /// In bytes.
    pub size: u64,
}

/// What became of the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Was the release made?
    pub created: bool,
    /// Attached now.
    pub uploaded: Vec<String>,
    /// Attached before.
    pub skipped: Vec<String>,
}

/// Looks at the files before anything is sent: are they there, and will they have the names that they have?
///
/// # Errors
/// [`Failure::Usage`] naming the file and what to do about it.
pub fn check(paths: &[impl AsRef<Path>]) -> Result<Vec<File>, Failure> {
    let mut names = BTreeSet::new();
    paths.iter().map(|path| one(path.as_ref(), &mut names)).collect()
}

fn one(path: &Path, names: &mut BTreeSet<String>) -> Result<File, Failure> {
    let refuse = |why: &str| Err(Failure::Usage(format!("{}: {why}", path.display())));
    let size = match std::fs::metadata(path) {
        Ok(found) if found.is_file() => found.len(),
        Ok(_) => return refuse("is no file; pack directories first"),
        Err(error) => return refuse(&error.to_string()),
    };
    // GitHub renames what has other characters, and it would not be found again.
    let is_plain = |name: &&str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        name.chars().all(fits) && !name.starts_with('.') && !name.ends_with('.')
    };
    let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(is_plain) else {
        return refuse("GitHub would rename it: use letters, digits, `-`, `_`, and `.` within the name");
    };
    if !names.insert(name.to_owned()) {
        return refuse("another file has the same name, and a release has a name once");
    }
    Ok(File { path: path.to_owned(), name: name.to_owned(), size })
}

/// Attaches the files to the release of this tag. `progress` gets a line for each file that begins or is skipped.
///
/// # Errors
/// The first call that failed; what is attached stays, and the next run goes on. [`Failure::Failed`] if a file of the same
/// name and another size is there: which of the two is right is for people to say.
pub async fn run(
    repo: &RepoHandle,
    tag: &str,
    files: &[File],
    progress: &mut impl Write,
) -> Result<Outcome, Failure> {
    let (release, created) = find_or_create(repo, tag).await?;
    let release = repo.release(release.id);
    let mut outcome = Outcome { created, ..Outcome::default() };
    for (at, file) in files.iter().enumerate() {
        let step = format!("[{}/{}] {}", at + 1, files.len(), file.name);
        // Asked anew for each file: others may be at it, too.
        match attached(&release, &file.name).await? {
            Some(asset) if is_complete(&asset) && asset.size == signed(file.size) => {
                writeln!(progress, "{step}: there already")?;
                outcome.skipped.push(file.name.clone());
                continue;
            }
            Some(asset) if is_complete(&asset) => {
                let (name, there, here) = (&file.name, asset.size, file.size);
                return Err(Failure::Failed(format!(
                    "{name} is there with {there} bytes, and has {here} here: delete the one that is wrong"
                )));
            }
            Some(leftover) => {
                let delete = repos::DeleteReleaseAsset::new(repo.owner(), repo.name(), leftover.id);
                repo.client().send(delete).await?;
            }
            None => {}
        }
        writeln!(progress, "{step}: {} bytes", file.size)?;
        upload(&release, file).await?;
        outcome.uploaded.push(file.name.clone());
    }
    Ok(outcome)
}

async fn find_or_create(repo: &RepoHandle, tag: &str) -> Result<(Release, bool), Error> {
    match repo.release_by_tag(tag).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        found => return Ok((found?, false)),
    }
    match repo.create_release(tag).await {
        Ok(release) => Ok((release, true)),
        // Somebody else was faster, or GitHub made it and the answer got lost.
        Err(error) if error.kind() == ErrorKind::Conflict || error.sent() == Sent::Maybe => {
            repo.release_by_tag(tag).await.map(|release| (release, false)).map_err(|_| error)
        }
        Err(error) => Err(error),
    }
}

async fn upload(release: &ReleaseHandle, file: &File) -> Result<(), Error> {
    let body = Body::file(&file.path); // read while it is sent: no file is in memory
    match release.upload_asset(&file.name, body).deadline(LONGEST_UPLOAD).await {
        Ok(_) => Ok(()),
        Err(error) if error.sent() == Sent::Maybe => match attached(release, &file.name).await? {
            Some(asset) if is_complete(&asset) && asset.size == signed(file.size) => Ok(()),
            _ => Err(error),
        },
        Err(error) => Err(error),
    }
}

async fn attached(release: &ReleaseHandle, name: &str) -> Result<Option<ReleaseAsset>, Error> {
    let mut assets = release.assets();
    while let Some(asset) = assets.try_next().await? {
        if asset.name == name {
            return Ok(Some(asset));
        }
    }
    Ok(None)
}

/// An upload that was interrupted leaves an asset in the state `starter`, which cannot be downloaded.
fn is_complete(asset: &ReleaseAsset) -> bool {
    asset.state.as_str() == "uploaded"
}

/// GitHub's sizes are signed.
fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
