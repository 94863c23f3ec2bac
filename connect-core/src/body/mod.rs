//! What a request carries. A body that cannot be replayed says so, and is then sent once.
//!
//! | body | length | may be sent again |
//! |---|---|---|
//! | [`Body::empty`], bytes | known | yes, for the price of a reference count |
//! | [`Body::factory`] | if it is said | yes: the factory makes the stream anew |
//! | [`Body::file`] (feature `file`) | read when it is sent | yes: the file is opened anew |
//! | [`Body::stream`] | if it is said | no: a call is attempted once, and its error says why |
//! | [`Multipart`] | if all parts know theirs | if all parts may |
//!
//! A stream that ends too early or runs on too long for the length that was said is an error, never a shorter request.

use std::fmt;
#[cfg(feature = "file")]
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};

use crate::error::Error;
use crate::response::{BoxError, ByteStream};

#[cfg(feature = "file")]
mod file;
mod multipart;
mod outgoing;
mod parts;

pub use multipart::{Multipart, Part};
pub use outgoing::TransportBody;

/// The body of a request.
///
/// ```
/// use connect_core::Body;
/// let body = Body::from("{}");
/// assert_eq!(body.as_bytes().map(|bytes| bytes.len()), Some(2));
/// assert!(body.replay().is_some());
/// ```
#[derive(Default)]
pub struct Body(Inner);

#[derive(Default)]
enum Inner {
    #[default]
    Empty,
    Bytes(Bytes),
    Factory(Arc<Factory>),
    #[cfg(feature = "file")]
    File(Arc<Path>),
    Once(Box<Once>),
    /// One after the other. Not nested deeper than a multipart body needs.
    Sequence(Vec<Body>),
}

struct Factory {
    length: Option<u64>,
    make: Box<dyn Fn() -> ByteStream + Send + Sync>,
}

struct Once {
    length: Option<u64>,
    /// In a lock that nobody waits for, so that a request may be shared between threads.
    stream: Mutex<ByteStream>,
}

impl Body {
    /// No body at all.
    pub const fn empty() -> Self {
        Self(Inner::Empty)
    }

    /// A stream that can be made anew for every attempt, with its length in bytes if that is known.
    ///
    /// ```
    /// use connect_core::{Body, Bytes};
    /// let body = Body::factory(Some(2), || Box::pin(futures_util::stream::iter([Ok(Bytes::from_static(b"{}"))])));
    /// assert_eq!(body.content_length(), Some(2));
    /// assert!(body.replay().is_some());
    /// ```
    pub fn factory(length: Option<u64>, make: impl Fn() -> ByteStream + Send + Sync + 'static) -> Self {
        Self(Inner::Factory(Arc::new(Factory { length, make: Box::new(make) })))
    }

    /// A file, opened when it is sent and opened anew for every attempt. Its length is what it is then; what is written to
    /// it meanwhile is not sent.
    #[cfg(feature = "file")]
    pub fn file(path: impl AsRef<Path>) -> Self {
        Self(Inner::File(Arc::from(path.as_ref())))
    }

    /// A stream that can be sent only once, with its length in bytes if that is known. A call that carries it is never
    /// attempted twice: prefer [`Body::factory`] where the bytes can be had again.
    ///
    /// ```
    /// use connect_core::{Body, Bytes};
    /// let body = Body::stream(None, Box::pin(futures_util::stream::iter([Ok(Bytes::from_static(b"{}"))])));
    /// assert!(body.replay().is_none());
    /// ```
    pub fn stream(length: Option<u64>, stream: ByteStream) -> Self {
        Self(Inner::Once(Box::new(Once { length, stream: Mutex::new(stream) })))
    }

    /// Several bodies, one after the other.
    fn sequence(bodies: Vec<Body>) -> Self {
        Self(Inner::Sequence(bodies))
    }

    /// Was none given? A file without bytes is a body.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self.0, Inner::Empty)
    }

    /// The same body once more for another attempt; `None` if it can be sent only once.
    pub fn replay(&self) -> Option<Self> {
        Some(Self(match &self.0 {
            Inner::Empty => Inner::Empty,
            Inner::Bytes(bytes) => Inner::Bytes(bytes.clone()),
            Inner::Factory(factory) => Inner::Factory(Arc::clone(factory)),
            #[cfg(feature = "file")]
            Inner::File(path) => Inner::File(Arc::clone(path)),
            Inner::Once(_) => return None,
            Inner::Sequence(bodies) => {
                Inner::Sequence(bodies.iter().map(Self::replay).collect::<Option<_>>()?)
            }
        }))
    }

    /// The bytes, if they are in memory; an empty body has none.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match &self.0 {
            Inner::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Is there no body at all?
    pub fn is_empty(&self) -> bool {
        matches!(self.0, Inner::Empty)
    }

    /// Is it made while it is sent, so that sending takes as long as its size?
    pub fn is_streamed(&self) -> bool {
        !matches!(self.0, Inner::Empty | Inner::Bytes(_))
    }

    /// Its length in bytes, as far as it is known before it is opened: a file's is not.
    pub fn content_length(&self) -> Option<u64> {
        match &self.0 {
            Inner::Empty => Some(0),
            Inner::Bytes(bytes) => Some(bytes.len() as u64),
            Inner::Factory(factory) => factory.length,
            #[cfg(feature = "file")]
            Inner::File(_) => None,
            Inner::Once(once) => once.length,
            Inner::Sequence(bodies) => bodies
                .iter()
                .try_fold(0_u64, |sum, body| body.content_length().map(|length| sum.saturating_add(length))),
        }
    }

    /// The body as a transport sends it; opens files, and waits for nothing else.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid), proven not sent, if a file cannot be opened.
    pub async fn open(self) -> Result<TransportBody, Error> {
        Ok(match self.0 {
            Inner::Empty => TransportBody::default(),
            Inner::Bytes(bytes) => bytes.into(),
            Inner::Factory(factory) => TransportBody::streamed(factory.length, (factory.make)()),
            Inner::Once(once) => {
                let stream = once.stream.into_inner().unwrap_or_else(PoisonError::into_inner);
                TransportBody::streamed(once.length, stream)
            }
            #[cfg(feature = "file")]
            Inner::File(path) => file::open(&path).await?,
            Inner::Sequence(bodies) => {
                let mut opened = Vec::with_capacity(bodies.len());
                for body in bodies {
                    // Boxed, because a future cannot contain itself.
                    opened.push(Box::pin(body.open()).await?);
                }
                parts::chain(opened)
            }
        })
    }

    /// All of it in memory: for transports of tests, and for hosts that sign what they send.
    ///
    /// # Errors
    /// As [`Body::open`], or what the stream failed with.
    pub async fn collect(self) -> Result<Bytes, BoxError> {
        if let Inner::Bytes(bytes) = self.0 {
            return Ok(bytes);
        }
        let mut body = self.open().await?;
        let mut all = BytesMut::new();
        while let Some(chunk) = body.chunk().await {
            all.extend_from_slice(&chunk?);
        }
        Ok(all.freeze())
    }
}

/// The kind and the length; never the bytes.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            Inner::Empty => "empty",
            Inner::Bytes(_) => "bytes",
            Inner::Factory(_) => "factory",
            #[cfg(feature = "file")]
            Inner::File(_) => "file",
            Inner::Once(_) => "stream",
            Inner::Sequence(_) => "sequence",
        };
        f.debug_struct("Body").field("kind", &kind).field("bytes", &self.content_length()).finish()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Inner::Bytes(bytes))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Inner::Bytes(bytes.into()))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self(Inner::Bytes(text.into()))
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self(Inner::Bytes(Bytes::from_static(text.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn chunks(texts: &'static [&'static str]) -> ByteStream {
        Box::pin(stream::iter(texts.iter().map(|text| Ok(Bytes::from_static(text.as_bytes())))))
    }

    #[test]
    fn is_no_bigger_than_its_bytes_and_a_tag_and_may_be_shared() {
        fn shared<T: Send + Sync>() {}
        shared::<Body>();
        assert!(size_of::<Body>() <= size_of::<Bytes>() + size_of::<usize>());
    }

    #[tokio::test]
    async fn a_factory_is_asked_again_for_every_replay() {
        let body = Body::factory(Some(4), || chunks(&["ab", "cd"]));
        let again = body.replay().unwrap();
        assert_eq!(body.collect().await.unwrap(), "abcd");
        assert_eq!(again.collect().await.unwrap(), "abcd");
    }

    #[tokio::test]
    async fn a_stream_is_sent_once_and_never_empties_into_a_replay() {
        let body = Body::stream(None, chunks(&["ab"]));
        assert!(body.replay().is_none());
        assert_eq!(body.collect().await.unwrap(), "ab");
    }

    #[tokio::test]
    async fn a_stream_that_breaks_its_promise_of_a_length_is_an_error() {
        for (length, what) in [(3, "shorter"), (1, "longer")] {
            let error = Body::stream(Some(length), chunks(&["ab"])).collect().await.unwrap_err();
            assert!(error.to_string().contains(what), "{error}");
        }
    }

    #[tokio::test]
    async fn a_sequence_is_replayed_and_measured_only_as_a_whole() {
        let body = Body::sequence(vec![Body::from("a"), Body::factory(Some(2), || chunks(&["b", "c"]))]);
        assert_eq!(body.content_length(), Some(3));
        assert_eq!(body.replay().unwrap().collect().await.unwrap(), "abc");
        let body = Body::sequence(vec![Body::from("a"), Body::stream(None, chunks(&["b"]))]);
        assert!(body.replay().is_none() && body.content_length().is_none());
        assert_eq!(body.collect().await.unwrap(), "ab");
    }

    #[test]
    fn debug_shows_no_bytes() {
        assert!(!format!("{:?}", Body::from("canary")).contains("canary"));
    }
}
