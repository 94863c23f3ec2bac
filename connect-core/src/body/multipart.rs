//! Forms with files in them: `multipart/form-data` (RFC 7578).

use bytes::{Bytes, BytesMut};
use http::HeaderValue;

use super::Body;
use crate::error::{Error, ErrorKind};

/// A form whose fields may be files.
///
/// The boundary between the parts is drawn from a seed, because all randomness of this family replays; it is drawn again
/// while it occurs in a part that is in memory. Where parts are streams of somebody else's making, draw the seed from
/// where it cannot be foreseen.
///
/// ```
/// use connect_core::{Method, Operation, Request, Safety};
/// use connect_core::body::{Multipart, Part};
/// const ATTACH: Operation = Operation::new("addAttachment", Method::POST, "/attachments", Safety::Unsafe);
/// let form = Multipart::new(7).text("comment", "as promised").part(
///     Part::new("file", "a,b\n1,2\n").file_name("table.csv").content_type("text/csv"),
/// );
/// let request = Request::builder(&ATTACH).multipart(form).build()?;
/// assert!(request.headers()["content-type"].to_str().unwrap().starts_with("multipart/form-data; boundary="));
/// # Ok::<(), connect_core::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a form does nothing until it is put into a request"]
pub struct Multipart {
    seed: u64,
    parts: Vec<Part>,
}

/// One field of a form, a file among them. Its name and file name may be anything.
///
/// See [`Multipart`] for an example.
#[derive(Debug)]
#[must_use = "a part does nothing until it is put into a form"]
pub struct Part {
    name: String,
    file_name: Option<String>,
    content_type: Option<String>,
    body: Body,
}

impl Part {
    /// A part of this name: bytes, a file, a stream.
    pub fn new(name: impl Into<String>, body: impl Into<Body>) -> Self {
        Self { name: name.into(), file_name: None, content_type: None, body: body.into() }
    }

    /// The name of the file that it is.
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }

    /// What it is, as a media type: `text/csv`.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    fn head(&self, boundary: &str) -> Result<Bytes, Error> {
        let mut head =
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", escape(&self.name));
        if let Some(name) = &self.file_name {
            head.push_str(&format!("; filename=\"{}\"", escape(name)));
        }
        if let Some(content_type) = &self.content_type {
            if HeaderValue::from_str(content_type).is_err() {
                return Err(Error::new(
                    ErrorKind::Invalid,
                    "the content type of a form's part has characters a header cannot carry",
                ));
            }
            head.push_str("\r\nContent-Type: ");
            head.push_str(content_type);
        }
        head.push_str("\r\n\r\n");
        Ok(head.into())
    }
}

impl Multipart {
    /// An empty form, with the seed of its boundary.
    pub fn new(seed: u64) -> Self {
        Self { seed, parts: Vec::new() }
    }

    /// Adds a field of text.
    pub fn text(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.part(Part::new(name, value.into()))
    }

    /// Adds a part.
    pub fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// The content type, which names the boundary, and the body. It is one piece of memory if all parts are in memory; its
    /// length is known if all parts know theirs, and it may be sent again if all parts may.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a part's content type that no header can carry.
    pub fn into_body(self) -> Result<(HeaderValue, Body), Error> {
        let boundary = self.boundary();
        let content_type = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"))
            .map_err(|_| Error::new(ErrorKind::Invalid, "the boundary fits into no header"))?;
        let mut bodies = Vec::new();
        // What is in memory grows here, until a stream comes.
        let mut memory = BytesMut::new();
        for part in self.parts {
            memory.extend_from_slice(&part.head(&boundary)?);
            match part.body.as_bytes() {
                Some(bytes) => memory.extend_from_slice(bytes),
                None if part.body.is_streamed() => {
                    bodies.push(Body::from(memory.split().freeze()));
                    bodies.push(part.body);
                }
                None => {}
            }
            memory.extend_from_slice(b"\r\n");
        }
        memory.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        let rest = Body::from(memory.freeze());
        if bodies.is_empty() {
            return Ok((content_type, rest));
        }
        bodies.push(rest);
        Ok((content_type, Body::sequence(bodies)))
    }

    fn boundary(&self) -> String {
        let mut random = fastrand::Rng::with_seed(self.seed);
        loop {
            let boundary = format!("connect-{:016x}{:016x}", random.u64(..), random.u64(..));
            let occurs = |part: &Part| {
                part.body.as_bytes().is_some_and(|bytes| {
                    bytes.windows(boundary.len()).any(|window| window == boundary.as_bytes())
                })
            };
            if !self.parts.iter().any(occurs) {
                return boundary;
            }
        }
    }
}

/// The three characters that would end a name early, as browsers write them (HTML standard, "multipart/form-data
/// encoding algorithm": <https://html.spec.whatwg.org/multipage/form-control-infrastructure.html>).
fn escape(name: &str) -> String {
    name.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22")
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    async fn text(form: Multipart) -> (String, String) {
        let (content_type, body) = form.into_body().unwrap();
        let boundary = content_type.to_str().unwrap().rsplit_once('=').unwrap().1.to_owned();
        (boundary, String::from_utf8(body.collect().await.unwrap().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_form_is_written_as_the_standard_says() {
        let file = Part::new("file", "a,b").file_name("t.csv").content_type("text/csv");
        let (boundary, text) = text(Multipart::new(1).text("note", "ü").part(file)).await;
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nü\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"t.csv\"\r\n\
             Content-Type: text/csv\r\n\r\na,b\r\n--{boundary}--\r\n"
        );
        assert_eq!(text, expected);
    }

    #[tokio::test]
    async fn a_name_cannot_smuggle_a_header_or_a_part_in() {
        let evil = "a\"\r\nX-Evil: 1\r\n\r\n";
        let (_, text) = text(Multipart::new(1).part(Part::new(evil, "").file_name(evil))).await;
        assert!(
            text.contains("name=\"a%22%0D%0AX-Evil: 1%0D%0A%0D%0A\"; filename=\"a%22%0D%0AX-Evil"),
            "{text}"
        );
        let error = Multipart::new(1).part(Part::new("a", "").content_type("a/b\r\nX: 1")).into_body();
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Invalid);
    }

    #[tokio::test]
    async fn a_boundary_that_occurs_in_a_part_is_drawn_again() {
        let first = Multipart::new(7).boundary();
        let form = Multipart::new(7).text("a", format!("x{first}y"));
        assert_ne!(form.boundary(), first);
        assert_eq!(Multipart::new(7).boundary(), first, "the same seed draws the same boundary");
    }

    #[tokio::test]
    async fn a_form_with_streams_knows_its_length_and_replays_if_they_do() {
        let make = || -> crate::response::ByteStream {
            Box::pin(stream::iter([Ok(Bytes::from_static(b"12")), Ok(Bytes::from_static(b"3"))]))
        };
        let form = |body| Multipart::new(1).text("n", "v").part(Part::new("f", body)).into_body().unwrap().1;
        let body = form(Body::factory(Some(3), make));
        let again = body.replay().unwrap();
        let length = body.content_length().unwrap();
        let sent = body.collect().await.unwrap();
        assert_eq!(sent.len() as u64, length);
        assert_eq!(again.collect().await.unwrap(), sent);
        assert!(form(Body::stream(Some(3), make())).replay().is_none());
        assert_eq!(form(Body::factory(None, make)).content_length(), None);
    }
}
