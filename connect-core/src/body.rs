//! What a request carries. A body that cannot be replayed says so, and is then sent once.

use bytes::Bytes;

/// The body of a request: nothing, or bytes that can be sent again for the price of a reference count.
///
/// Opaque, so that streams and files join without breaking anybody.
///
/// ```
/// use connect_core::Body;
/// let body = Body::from("{}");
/// assert_eq!(body.as_bytes().map(|bytes| bytes.len()), Some(2));
/// assert!(body.replay().is_some());
/// ```
#[derive(Debug, Default)]
pub struct Body(Inner);

#[derive(Debug, Default)]
enum Inner {
    #[default]
    Empty,
    Bytes(Bytes),
}

impl Body {
    /// No body at all.
    pub const fn empty() -> Self {
        Self(Inner::Empty)
    }

    /// The same body once more for another attempt; `None` if it can be sent only once.
    pub fn replay(&self) -> Option<Self> {
        match &self.0 {
            Inner::Empty => Some(Self::empty()),
            Inner::Bytes(bytes) => Some(Self(Inner::Bytes(bytes.clone()))),
        }
    }

    /// The bytes, if they are in memory; an empty body has none.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match &self.0 {
            Inner::Empty => None,
            Inner::Bytes(bytes) => Some(bytes),
        }
    }

    /// Takes the bytes out; empty for an empty body.
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Inner::Empty => Bytes::new(),
            Inner::Bytes(bytes) => bytes,
        }
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
