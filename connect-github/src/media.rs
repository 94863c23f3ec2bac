//! Other representations of what GitHub answers, for [`Call::accept`](connect_core::Call::accept).
//!
//! ```no_run
//! # async fn example(github: connect_github::GitHub) -> Result<(), connect_github::Error> {
//! # #[cfg(feature = "pulls")] {
//! use connect_github::{media, pulls};
//! let diff = github.send(pulls::Get::new("octo", "hello", 7)).accept(media::DIFF).text().await?;
//! # let _ = diff;
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! <https://docs.github.com/rest/using-the-rest-api/getting-started-with-the-rest-api#media-types>

/// The usual one: JSON, Markdown as it was written.
pub const JSON: &str = "application/vnd.github+json";
/// A file or blob as it is, up to 100 MB; of texts, `body` holds the Markdown.
pub const RAW: &str = "application/vnd.github.raw+json";
/// JSON with `body_text`: Markdown rendered to plain text.
pub const TEXT: &str = "application/vnd.github.text+json";
/// JSON with `body_html`; of a file, its rendered page.
pub const HTML: &str = "application/vnd.github.html+json";
/// JSON with all three: `body`, `body_text`, `body_html`.
pub const FULL: &str = "application/vnd.github.full+json";
/// Of a commit, a comparison or a pull request: the diff, as text.
pub const DIFF: &str = "application/vnd.github.diff";
/// The same as mails that `git am` applies.
pub const PATCH: &str = "application/vnd.github.patch";
/// Of a reference to a commit: nothing but its SHA, as text.
pub const SHA: &str = "application/vnd.github.sha";
/// Contents of a directory as one object instead of a list.
pub const OBJECT: &str = "application/vnd.github.object+json";
/// Lists of stars with the time of each.
pub const STAR: &str = "application/vnd.github.star+json";
/// Search results with the places that match.
pub const TEXT_MATCH: &str = "application/vnd.github.text-match+json";
/// A code scanning analysis as SARIF.
pub const SARIF: &str = "application/sarif+json";
/// A release asset itself instead of its description.
pub const OCTET_STREAM: &str = "application/octet-stream";
