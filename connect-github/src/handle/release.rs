//! Releases and the files that are attached to them.

use connect_core::upload::{Content, Uploading};
use connect_core::{Call, DownloadCall, Items};

use super::RepoHandle;
use crate::{media, repos};

impl RepoHandle {
    /// A release, by its id. Sends nothing.
    pub fn release(&self, id: i64) -> ReleaseHandle {
        ReleaseHandle { repo: self.clone(), id }
    }

    /// [`GET ../releases`](https://docs.github.com/rest/releases/releases#list-releases): newest first.
    pub fn releases(&self) -> Items<repos::ListReleases> {
        self.client().stream(repos::ListReleases::new(self.owner(), self.name()))
    }

    /// [`GET ../releases/latest`](https://docs.github.com/rest/releases/releases#get-the-latest-release): neither a draft nor
    /// a prerelease.
    pub fn latest_release(&self) -> Call<repos::GetLatestRelease> {
        self.client().send(repos::GetLatestRelease::new(self.owner(), self.name()))
    }

    /// [`GET ../releases/tags/{tag}`](https://docs.github.com/rest/releases/releases#get-a-release-by-tag-name).
    pub fn release_by_tag(&self, tag: impl Into<String>) -> Call<repos::GetReleaseByTag> {
        self.client().send(repos::GetReleaseByTag::new(self.owner(), self.name(), tag))
    }

    /// [`POST ../releases`](https://docs.github.com/rest/releases/releases#create-a-release): makes the tag, too, if it is
    /// not there.
    pub fn create_release(&self, tag: impl Into<String>) -> Call<repos::CreateRelease> {
        self.client().send(repos::CreateRelease::new(self.owner(), self.name(), tag))
    }

    /// [`GET ../releases/assets/{id}`](https://docs.github.com/rest/releases/assets#get-a-release-asset): an attached file, as a
    /// stream. GitHub sends it from another host, which gets no credential.
    pub fn download_asset(&self, asset_id: i64) -> DownloadCall<repos::GetReleaseAsset> {
        let asset = repos::GetReleaseAsset::new(self.owner(), self.name(), asset_id);
        self.client().download(asset).accept(media::OCTET_STREAM)
    }
}

/// A release of a repository, by its id.
///
/// From [`RepoHandle::release`].
///
/// ```no_run
/// # async fn example(github: connect_github::GitHub, archive: Vec<u8>) -> Result<(), connect_github::Error> {
/// let repo = github.repo("octo", "hello")?;
/// let release = repo.create_release("v1.2.0").with(|release| release.generate_release_notes(true)).await?;
/// let upload = repo.release(release.id).upload_asset("hello.tar.gz", archive);
/// upload.with(|upload| upload.with(|asset| asset.label("Sources"))).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ReleaseHandle {
    repo: RepoHandle,
    id: i64,
}

impl ReleaseHandle {
    /// Its id, which is not the tag.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// [`GET ../releases/{id}`](https://docs.github.com/rest/releases/releases#get-a-release).
    pub fn get(&self) -> Call<repos::GetRelease> {
        self.repo.client().send(repos::GetRelease::new(self.repo.owner(), self.repo.name(), self.id))
    }

    /// [`GET ../releases/{id}/assets`](https://docs.github.com/rest/releases/assets#list-release-assets): the attached files.
    pub fn assets(&self) -> Items<repos::ListReleaseAssets> {
        self.repo.client().stream(repos::ListReleaseAssets::new(self.repo.owner(), self.repo.name(), self.id))
    }

    /// [`POST ../releases/{id}/assets`](https://docs.github.com/rest/releases/assets#upload-a-release-asset): attaches bytes, a
    /// file or a [stream](connect_core::Body::stream), which goes to GitHub's host for uploads. Its type is
    /// `application/octet-stream`, unless the [`Content`] names another.
    pub fn upload_asset(
        &self,
        name: impl Into<String>,
        content: impl Into<Content>,
    ) -> Call<Uploading<repos::UploadReleaseAsset>> {
        let (owner, repo) = (self.repo.owner(), self.repo.name());
        self.repo.client().upload(repos::UploadReleaseAsset::new(owner, repo, self.id, name), content)
    }
}
