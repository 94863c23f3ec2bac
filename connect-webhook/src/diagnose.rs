//! Why a signature does not match: the few accidents that happen to everybody, tried out.
//!
//! Most mismatches are no attacks. A framework parsed the body and wrote it anew, a proxy cut a line break, the
//! URL is `http` behind a load balancer. [`Verifier::diagnose`] changes the request in these ways and says
//! which change would make it verify: a hint for the operator's log, and nothing more. **It never makes a
//! request acceptable**, and it costs a dozen verifications: a [`Receiver`](crate::Receiver) asks it at most
//! once in 10 s per endpoint, for bodies up to 64 KiB.

use std::fmt;

use serde::de::IgnoredAny;

use crate::clock::UnixTime;
use crate::error::VerifyError;
use crate::incoming::Incoming;
use crate::scheme::Algorithm;
use crate::verify::Verifier;

/// Beyond this size a hint costs more than it is worth.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

/// How much text a body may become when it is indented.
const MAX_REWRITTEN_BYTES: usize = 16 * MAX_BODY_BYTES;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What was probably done to a request on its way here. Its `Display` says what to do about it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diagnosis {
    /// The JSON was parsed and written anew.
    Reserialised,
    /// White space was added at an end of the body.
    Untrimmed,
    /// A line break at the end of the body was cut off or added.
    FinalNewline,
    /// Line ends were turned from CRLF into LF or back.
    LineEnds,
    /// A byte order mark was cut off or added.
    ByteOrderMark,
    /// The public URL says `http` where the provider calls `https`, or the other way round.
    UrlScheme,
    /// The public URL lacks the port that the provider signs, or has one that it does not.
    UrlPort,
    /// The URL lacks a slash at the end, or has one too many.
    UrlSlash,
    /// The provider calls the host that the request names, and not that of the public URL.
    UrlHost,
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reserialised => {
                "the signature matches the JSON in another layout; something in front parses the body and writes \
                 it anew: pass on the raw bytes"
            }
            Self::Untrimmed => {
                "the signature matches the body without the white space at its ends; pass on the raw bytes"
            }
            Self::FinalNewline => {
                "the signature matches the body with another line break at its end; pass on the raw bytes"
            }
            Self::LineEnds => {
                "the signature matches the body with other line ends; something in front converts text: pass on \
                 the raw bytes"
            }
            Self::ByteOrderMark => {
                "the signature matches the body but for its byte order mark; something in front decodes text: \
                 pass on the raw bytes"
            }
            Self::UrlScheme => {
                "the signature matches the URL with `http` and `https` exchanged; correct the public URL"
            }
            Self::UrlPort => "the signature matches the URL but for its port; correct the public URL",
            Self::UrlSlash => {
                "the signature matches the URL but for the slash at its end; correct the URL in the sender's \
                 settings, or what rewrites paths in front"
            }
            Self::UrlHost => {
                "the signature matches the host that the request names; correct the public URL if that host is \
                 yours"
            }
        })
    }
}

impl Verifier {
    /// What was probably done to a request whose signature does not match; `None` if nothing usual explains
    /// it, or if it matches. For logs only: a request that needs a diagnosis stays refused.
    ///
    /// ```
    /// use connect_webhook::{Diagnosis, Incoming, UnixTime, Verifier, schemes, sign};
    /// let verifier = Verifier::new(&schemes::GITHUB, ["s3cret".into()])?;
    /// let headers = sign(&schemes::GITHUB, &"s3cret".into(), b"{\"a\":1}", UnixTime(0))?;
    ///
    /// let rewritten = Incoming::post(&headers, b"{ \"a\": 1 }");
    /// assert!(verifier.verify_request(&rewritten, UnixTime(0)).is_err());
    /// assert_eq!(verifier.diagnose(&rewritten, UnixTime(0)), Some(Diagnosis::Reserialised));
    /// # Ok::<(), connect_webhook::BuildError>(())
    /// ```
    pub fn diagnose(&self, incoming: &Incoming<'_>, now: UnixTime) -> Option<Diagnosis> {
        let scheme = self.scheme();
        if scheme.algorithm == Algorithm::Token || !scheme.needs_secret() || self.matches(incoming, now) {
            return None;
        }
        let by_body = |(_, body): &(Diagnosis, Vec<u8>)| {
            body != incoming.body && self.matches(&Incoming { body, ..*incoming }, now)
        };
        if scheme.covers_body
            && let Some((diagnosis, _)) = bodies(incoming.body).find(by_body)
        {
            return Some(diagnosis);
        }
        if !scheme.needs_url() {
            return None;
        }
        let by_url = |(_, url): &(Diagnosis, String)| self.matches(&Incoming { url, ..*incoming }, now);
        urls(incoming).into_iter().find(by_url).map(|(diagnosis, _)| diagnosis)
    }

    /// Whether the signature is right, however old it is.
    fn matches(&self, incoming: &Incoming<'_>, now: UnixTime) -> bool {
        let verdict = self.verify_request(incoming, now);
        matches!(
            verdict,
            Ok(_) | Err(VerifyError::TimestampTooOld { .. } | VerifyError::TimestampInFuture { .. })
        )
    }
}

/// The body as it may have been sent, one at a time.
fn bodies(body: &[u8]) -> impl Iterator<Item = (Diagnosis, Vec<u8>)> {
    let is_json = serde_json::from_slice::<IgnoredAny>(body).is_ok();
    let layouts = [Layout::Compact, Layout::Spaced, Layout::Indented];
    let layouts = layouts.into_iter().filter(move |_| is_json).filter_map(|layout| {
        let written = rewrite(body, layout)?;
        Some((Diagnosis::Reserialised, written))
    });
    let cut = body.strip_suffix(b"\n").map(|cut| cut.strip_suffix(b"\r").unwrap_or(cut));
    let others = [
        (Diagnosis::FinalNewline, cut.map(<[u8]>::to_vec)),
        (Diagnosis::FinalNewline, Some([body, b"\n"].concat())),
        (Diagnosis::FinalNewline, Some([body, b"\r\n"].concat())),
        (Diagnosis::Untrimmed, Some(body.trim_ascii().to_vec())),
        (Diagnosis::LineEnds, Some(unix_lines(body))),
        (Diagnosis::LineEnds, Some(windows_lines(body))),
        (Diagnosis::ByteOrderMark, body.strip_prefix(BYTE_ORDER_MARK).map(<[u8]>::to_vec)),
        (Diagnosis::ByteOrderMark, Some([BYTE_ORDER_MARK, body].concat())),
    ];
    let others = others.into_iter().filter_map(|(diagnosis, body)| Some((diagnosis, body?)));
    // Trimming first, so that a line break too many is not taken for a change of layout.
    others.chain(layouts)
}

fn unix_lines(body: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(body.len());
    for (index, byte) in body.iter().enumerate() {
        if *byte != b'\r' || body.get(index + 1) != Some(&b'\n') {
            lines.push(*byte);
        }
    }
    lines
}

fn windows_lines(body: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(body.len() + body.len() / 16);
    for byte in unix_lines(body) {
        if byte == b'\n' {
            lines.push(b'\r');
        }
        lines.push(byte);
    }
    lines
}

/// How JSON is usually written.
#[derive(Clone, Copy, PartialEq)]
enum Layout {
    /// Without white space, as JavaScript and most others do.
    Compact,
    /// A blank after comma and colon, as Python does.
    Spaced,
    /// Two blanks per level.
    Indented,
}

/// The same well-formed JSON in another layout; strings, numbers and the order of keys stay.
fn rewrite(json: &[u8], layout: Layout) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    // Indenting waits for what follows: an empty object stays in one piece.
    let mut has_opened = false;
    for byte in json.iter().copied() {
        if in_string {
            out.push(byte);
            (in_string, is_escaped) = match byte {
                _ if is_escaped => (true, false),
                b'\\' => (true, true),
                other => (other != b'"', false),
            };
            continue;
        }
        if byte.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(byte, b'}' | b']');
        if closes {
            depth = depth.saturating_sub(1);
        }
        if has_opened != closes && layout == Layout::Indented {
            line(&mut out, depth);
        }
        has_opened = matches!(byte, b'{' | b'[');
        out.push(byte);
        match byte {
            b'{' | b'[' => depth += 1,
            b'"' => in_string = true,
            b',' if layout == Layout::Indented => line(&mut out, depth),
            b',' | b':' if layout != Layout::Compact => out.push(b' '),
            _ => {}
        }
        if out.len() > MAX_REWRITTEN_BYTES {
            return None;
        }
    }
    Some(out)
}

fn line(out: &mut Vec<u8>, depth: usize) {
    out.push(b'\n');
    // Nothing sane nests deeper, and indentation grows with the square of the depth.
    out.resize(out.len() + 2 * depth.min(128), b' ');
}

/// The URL as the sender may know it. The `Host` header is the sender's to choose, which is why this is a hint.
fn urls(incoming: &Incoming<'_>) -> Vec<(Diagnosis, String)> {
    let Some((scheme, rest)) = incoming.url.split_once("://") else { return Vec::new() };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (other, standard) = if scheme == "https" { ("http", "443") } else { ("https", "80") };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let port = authority.rsplit_once(':').filter(|(_, port)| is_port(port));
    let without_port = port.map_or(authority, |(host, _)| host);
    let with_port = format!("{without_port}:{standard}");
    let (before, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    let slashed = match before.strip_suffix('/') {
        Some(cut) => format!("{cut}{query}"),
        None => format!("{before}/{query}"),
    };
    let mut urls = vec![
        (Diagnosis::UrlScheme, format!("{other}://{authority}{path}")),
        (Diagnosis::UrlPort, format!("{scheme}://{without_port}{path}")),
        (Diagnosis::UrlPort, format!("{scheme}://{with_port}{path}")),
        (Diagnosis::UrlSlash, format!("{scheme}://{authority}{slashed}")),
    ];
    if let Some(host) = incoming.text("host").filter(|host| *host != authority) {
        urls.push((Diagnosis::UrlHost, format!("{scheme}://{host}{path}")));
        urls.push((Diagnosis::UrlHost, format!("{other}://{host}{path}")));
    }
    urls.retain(|(_, url)| url != incoming.url);
    urls
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemes;
    use crate::sign::{Signer, sign};
    use bytes::Bytes;

    const NOW: UnixTime = UnixTime(1_750_000_000);

    fn of_body(sent: &[u8], arrived: &[u8]) -> Option<Diagnosis> {
        let secret = "s3cret".into();
        let verifier = Verifier::new(&schemes::SLACK, [secret]).unwrap();
        let headers = sign(&schemes::SLACK, &"s3cret".into(), sent, NOW).unwrap();
        // Hours later, as captured requests are.
        verifier.diagnose(&Incoming::post(&headers, arrived), UnixTime(NOW.0 + 9999))
    }

    #[test]
    fn what_usually_happens_to_bodies_is_recognised() {
        use Diagnosis::{ByteOrderMark, FinalNewline, LineEnds, Reserialised, Untrimmed};
        let cases: [(&[u8], &[u8], Option<Diagnosis>); 15] = [
            (br#"{"a":[1,{}],"b":"x: \" y"}"#, b"{\"a\": [1, {}], \"b\": \"x: \\\" y\"}", Some(Reserialised)),
            (b"{\"a\": [1, 2], \"b\": {}}", br#"{"a":[1,2],"b":{}}"#, Some(Reserialised)),
            (b"{\n  \"a\": [\n    1,\n    []\n  ]\n}", br#"{"a":[1,[]]}"#, Some(Reserialised)),
            (b"{}", b"{}\n", Some(FinalNewline)),
            (b"{}\n", b"{}", Some(FinalNewline)),
            (b"{}\r\n", b"{}", Some(FinalNewline)),
            (b"{}", b"  {} ", Some(Untrimmed)),
            (b"[1,\r\n2]\r\n", b"[1,\n2]\n", Some(LineEnds)),
            (b"[1,\n2]\n", b"[1,\r\n2]\r\n", Some(LineEnds)),
            (b"\xEF\xBB\xBF{}", b"{}", Some(ByteOrderMark)),
            (b"{}", b"\xEF\xBB\xBF{}", Some(ByteOrderMark)),
            // Another body is another body.
            (b"{\"a\":1}", b"{\"a\":2}", None),
            (b"{\"a\":1,\"b\":2}", b"{\"b\":2,\"a\":1}", None),
            (b"{}", b"{}", None),
            (b"\xFF", b"\xFE", None),
        ];
        for (sent, arrived, expected) in cases {
            assert_eq!(of_body(sent, arrived), expected, "{}", String::from_utf8_lossy(arrived));
        }
    }

    #[test]
    fn what_usually_happens_to_urls_is_recognised() {
        let here = "https://hooks.example.com/square?x=1";
        let secret = "s3cret".into();
        for (called, expected) in [
            ("http://hooks.example.com/square?x=1", Some(Diagnosis::UrlScheme)),
            ("https://hooks.example.com:443/square?x=1", Some(Diagnosis::UrlPort)),
            ("https://hooks.example.com/square/?x=1", Some(Diagnosis::UrlSlash)),
            ("https://other.example.com/square?x=1", Some(Diagnosis::UrlHost)),
            ("http://other.example.com/square?x=1", Some(Diagnosis::UrlHost)),
            ("https://evil.example.com/square?x=1", None),
            ("https://hooks.example.com/square?x=2", None),
        ] {
            let request = http::Request::post(called).body(Bytes::from("{}")).unwrap();
            let signed = Signer::new(&schemes::SQUARE, &secret).unwrap().sign(request, NOW).unwrap();
            let (mut parts, body) = signed.into_parts();
            parts.headers.insert("host", "other.example.com".parse().unwrap());
            let incoming = Incoming::post(&parts.headers, &body).with_url(here);
            let verifier = Verifier::builder(&schemes::SQUARE).secret(secret.clone()).build().unwrap();
            assert!(verifier.verify_request(&incoming, NOW).is_err());
            assert_eq!(verifier.diagnose(&incoming, NOW), expected, "{called}");
        }
    }

    #[test]
    fn deep_nesting_is_no_way_to_fill_the_memory() {
        let deep = [vec![b'['; MAX_BODY_BYTES / 2], vec![b']'; MAX_BODY_BYTES / 2]].concat();
        for layout in [Layout::Compact, Layout::Spaced, Layout::Indented] {
            let length = rewrite(&deep, layout).map_or(0, |written| written.len());
            assert!(length <= 2 * MAX_REWRITTEN_BYTES);
        }
    }
}
