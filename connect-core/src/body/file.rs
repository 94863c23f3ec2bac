//! A file as a request's body.

use std::path::Path;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::fs::File;
use tokio::io::{AsyncRead, ReadBuf};

use super::outgoing::TransportBody;
use crate::error::{Error, ErrorKind};
use crate::response::BoxError;

/// One read: enough that a file is not read in crumbs, little enough that a hundred uploads fit into memory.
const CHUNK_BYTES: usize = 64 * 1024;

pub(super) async fn open(path: &Path) -> Result<TransportBody, Error> {
    // Without the path: it says much about a machine, and the host knows what it sends.
    let unreadable = |error: std::io::Error| {
        Error::new(ErrorKind::Invalid, "the file of the request's body cannot be opened").with_source(error)
    };
    let file = File::open(path).await.map_err(unreadable)?;
    let metadata = file.metadata().await.map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Error::new(ErrorKind::Invalid, "the request's body names something that is not a file"));
    }
    let length = metadata.len();
    Ok(TransportBody::streamed(
        Some(length),
        Box::pin(Chunks { file, left: length, buffer: BytesMut::new() }),
    ))
}

/// The file up to the length it had when it was opened.
struct Chunks {
    file: File,
    left: u64,
    /// Kept while a read is under way.
    buffer: BytesMut,
}

impl Stream for Chunks {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let wanted = usize::try_from(this.left).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES));
        if wanted == 0 {
            return Poll::Ready(None);
        }
        if this.buffer.is_empty() {
            this.buffer = BytesMut::zeroed(wanted);
        }
        let mut buffer = ReadBuf::new(&mut this.buffer);
        if let Err(error) = ready!(Pin::new(&mut this.file).poll_read(cx, &mut buffer)) {
            return Poll::Ready(Some(Err(error.into())));
        }
        let read = buffer.filled().len();
        if read == 0 {
            // Shorter than it was: whoever counts the bytes says so.
            return Poll::Ready(None);
        }
        let mut chunk = std::mem::take(&mut this.buffer);
        chunk.truncate(read);
        this.left = this.left.saturating_sub(read as u64);
        Poll::Ready(Some(Ok(chunk.freeze())))
    }
}

#[cfg(test)]
mod tests {
    use crate::body::Body;
    use crate::error::{Error, ErrorKind, Sent};

    #[tokio::test]
    async fn a_file_is_sent_whole_and_again() {
        let path = std::env::temp_dir().join(format!("connect-core-body-{}", std::process::id()));
        let content = vec![7_u8; 3 * super::CHUNK_BYTES + 1];
        std::fs::write(&path, &content).unwrap();
        let body = Body::file(&path);
        let again = body.replay().unwrap();
        assert_eq!(body.open().await.unwrap().length(), Some(content.len() as u64));
        assert_eq!(again.collect().await.unwrap(), content);
        std::fs::remove_file(&path).unwrap();
    }

    #[tokio::test]
    async fn a_missing_file_is_an_error_that_sent_nothing_and_names_no_path() {
        let error = Body::file("/nowhere/canary").open().await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Invalid, Sent::No));
        assert!(!format!("{error:#} {error:?}").contains("canary"), "{error:#}");
        let error = Body::file("/").collect().await.unwrap_err();
        assert!(error.downcast_ref::<Error>().is_some());
    }
}
