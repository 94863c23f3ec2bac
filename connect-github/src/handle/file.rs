//! Files of a repository: read and written as bytes.
//!
//! GitHub's JSON has a file as base64 with line breaks, and nothing at all of one above 1 MB; asked for the raw media type,
//! it sends the bytes, up to 100 MB. Source: <https://docs.github.com/rest/repos/contents#get-repository-content>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use connect_core::{AsBytes, Call, DownloadCall};

use super::RepoHandle;
use crate::{media, repos};

impl RepoHandle {
    /// A file on the default branch, or a folder for [`FileHandle::get`]. Sends nothing.
    pub fn file(&self, path: impl Into<String>) -> FileHandle {
        FileHandle { repo: self.clone(), path: path.into(), r#ref: None }
    }
}

/// A file of a repository, by its path.
///
/// From [`RepoHandle::file`].
///
/// ```no_run
/// # async fn example(github: connect_github::GitHub) -> Result<(), connect_github::Error> {
/// let file = github.repo("octo", "hello")?.file("docs/weather.md").at("main");
/// let bytes = file.read().await?;
/// let wetter = [&bytes[..], b"More rain.\n"].concat();
/// // Who has written in between wins: GitHub answers 409 to an older `sha`.
/// let connect_github::model::ReposGetContentResponse::ContentFile(now) = file.get().await? else { return Ok(()) };
/// file.update("More rain", wetter, now.sha).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FileHandle {
    repo: RepoHandle,
    path: String,
    r#ref: Option<String>,
}

impl FileHandle {
    /// On this branch. For reading, a tag or a commit will do as well.
    #[must_use]
    pub fn at(mut self, r#ref: impl Into<String>) -> Self {
        self.r#ref = Some(r#ref.into());
        self
    }

    /// Its path from the root of the repository.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// [`GET ../contents/{path}`](https://docs.github.com/rest/repos/contents#get-repository-content): what it is, its size and
    /// its `sha`; of a folder, its entries.
    pub fn get(&self) -> Call<repos::GetContent> {
        self.repo.client().send(self.content())
    }

    /// [`GET ../contents/{path}`](https://docs.github.com/rest/repos/contents#get-repository-content): its bytes, in memory.
    pub fn read(&self) -> Call<AsBytes<repos::GetContent>> {
        self.repo.client().send(self.content()).accept(media::RAW).bytes()
    }

    /// [`GET ../contents/{path}`](https://docs.github.com/rest/repos/contents#get-repository-content): its bytes, as a stream.
    pub fn download(&self) -> DownloadCall<repos::GetContent> {
        self.repo.client().download(self.content()).accept(media::RAW)
    }

    /// [`PUT ../contents/{path}`](https://docs.github.com/rest/repos/contents#create-or-update-file-contents): writes a file that
    /// is not there yet, with a commit of this message. GitHub refuses it with 422 if it is there:
    /// [`FileHandle::update`] is for that.
    pub fn create(
        &self,
        message: impl Into<String>,
        content: impl AsRef<[u8]>,
    ) -> Call<repos::CreateOrUpdateFileContents> {
        let (owner, repo, path) = (self.repo.owner(), self.repo.name(), self.path.as_str());
        let content = STANDARD.encode(content);
        let put = repos::CreateOrUpdateFileContents::new(owner, repo, path, message, content);
        self.repo.client().send(match &self.r#ref {
            Some(branch) => put.branch(branch),
            None => put,
        })
    }

    /// [`PUT ../contents/{path}`](https://docs.github.com/rest/repos/contents#create-or-update-file-contents): replaces a file
    /// with a commit of this message. `sha` is that of the file it replaces, out of [`FileHandle::get`]: GitHub refuses
    /// another with 409, so nobody's change is lost.
    pub fn update(
        &self,
        message: impl Into<String>,
        content: impl AsRef<[u8]>,
        sha: impl Into<String>,
    ) -> Call<repos::CreateOrUpdateFileContents> {
        self.create(message, content).with(|put| put.sha(sha))
    }

    /// [`DELETE ../contents/{path}`](https://docs.github.com/rest/repos/contents#delete-a-file): with a commit of this message.
    /// `sha` is as for [`FileHandle::update`].
    pub fn delete(&self, message: impl Into<String>, sha: impl Into<String>) -> Call<repos::DeleteFile> {
        let (owner, repo, path) = (self.repo.owner(), self.repo.name(), self.path.as_str());
        let delete = repos::DeleteFile::new(owner, repo, path, message, sha);
        self.repo.client().send(match &self.r#ref {
            Some(branch) => delete.branch(branch),
            None => delete,
        })
    }

    fn content(&self) -> repos::GetContent {
        let content = repos::GetContent::new(self.repo.owner(), self.repo.name(), self.path.as_str());
        match &self.r#ref {
            Some(at) => content.r#ref(at),
            None => content,
        }
    }
}
