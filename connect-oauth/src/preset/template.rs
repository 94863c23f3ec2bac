//! URLs with `{variables}`: which there are, and filling them so that no value gets out of its place.
//!
//! A tenant's name comes from the tenant. Were it pasted in as it is, `evil.example/` for a domain would send the client
//! secret to somebody else. So the place of a variable decides what may stand there, and everything else is refused;
//! nothing is escaped, since no provider has names that need it.

use std::borrow::Cow;

use url::{Host, Url};

/// What may stand where a variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `{issuer}` or `{api}/user`: a URL, without query and fragment.
    Base,
    /// `https://{domain}/`: a host name, with or without a port.
    Host,
    /// `https://idp.{region}.example/`: labels of a host name.
    PartOfHost,
    /// `https://a.example/{tenant}/token`, or a value in the query.
    Segment,
}

impl Place {
    /// Something that may stand there.
    pub(super) fn example(self) -> &'static str {
        match self {
            Self::Base => "https://login.example.com",
            Self::Host => "login.example.com",
            Self::PartOfHost => "eu-west-1",
            Self::Segment => "acme",
        }
    }

    fn expects(self) -> &'static str {
        match self {
            Self::Base => "an https URL without query and fragment, like https://login.example.com",
            Self::Host => "a host name, like login.example.com",
            Self::PartOfHost => "a part of a host name, like eu-west-1",
            Self::Segment => "letters, digits, `-`, `.`, `_` and `~`, like acme",
        }
    }

    fn accepts(self, value: &str) -> bool {
        match self {
            Self::Base => is_base(value),
            Self::Host => match value.split_once(':') {
                Some((host, port)) => is_host(host) && is_port(port),
                None => is_host(value),
            },
            Self::PartOfHost => is_host(value),
            Self::Segment => is_segment(value),
        }
    }
}

/// A variable in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Variable<'a> {
    pub(super) name: &'a str,
    pub(super) place: Place,
    start: usize,
    end: usize,
}

/// Why a URL cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The text itself is none.
    Text(&'static str),
    /// Nobody filled this variable.
    Missing(String),
    /// This variable's value does not fit.
    Value(String, Place),
}

impl Flaw {
    pub(super) fn explain(&self) -> Cow<'static, str> {
        match self {
            Self::Text(why) => Cow::Borrowed(why),
            Self::Missing(name) => format!("needs the variable `{name}`: fill it with `with`").into(),
            // The value is not repeated: it comes from wherever the host got it.
            Self::Value(name, place) => {
                format!("has something else in the variable `{name}` than {}", place.expects()).into()
            }
        }
    }
}

/// The variables of a URL, in order; one may come twice.
pub(super) fn variables(text: &str) -> Result<Vec<Variable<'_>>, Flaw> {
    const BRACES: Flaw =
        Flaw::Text("has braces that are no variable: write `{name}`, in small letters and digits");
    let authority = authority(text);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = text.get(at..).and_then(|rest| rest.find(['{', '}'])) {
        let start = at + offset;
        let inside = text.get(start..).and_then(|rest| rest.strip_prefix('{')).ok_or(BRACES)?;
        let name = inside.split_once('}').ok_or(BRACES)?.0;
        if !is_name(name) {
            return Err(BRACES);
        }
        let end = start + name.len() + 2;
        let place = match &authority {
            _ if start == 0 => Place::Base,
            Some(host) if *host == (start..end) => Place::Host,
            Some(host) if host.contains(&start) => Place::PartOfHost,
            Some(host) if host.end <= start => Place::Segment,
            _ => {
                return Err(Flaw::Text(
                    "has a variable in its scheme: begin with https:// or with the variable",
                ));
            }
        };
        let rest = text.get(end..).unwrap_or_default();
        if place == Place::Base && !rest.is_empty() && !rest.starts_with('/') {
            return Err(Flaw::Text("begins with a variable that no slash follows"));
        }
        found.push(Variable { name, place, start, end });
        at = end;
    }
    Ok(found)
}

/// The text with its variables filled, which is a URL that secrets may be sent to.
pub(super) fn fill<'v>(
    text: &str,
    value: impl Fn(&Variable<'_>) -> Option<&'v str>,
) -> Result<(String, Url), Flaw> {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut at = 0;
    for variable in variables(text)? {
        let value = value(&variable).ok_or_else(|| Flaw::Missing(variable.name.to_owned()))?;
        if !variable.place.accepts(value) {
            return Err(Flaw::Value(variable.name.to_owned(), variable.place));
        }
        filled.push_str(text.get(at..variable.start).unwrap_or_default());
        // `https://a.example/` before `/user` must not become two slashes.
        let joins = variable.place == Place::Base && variable.end < text.len();
        filled.push_str(if joins { value.trim_end_matches('/') } else { value });
        at = variable.end;
    }
    filled.push_str(text.get(at..).unwrap_or_default());
    let url = parse(&filled)?;
    Ok((filled, url))
}

/// A URL that secrets may be sent to: https, or http to this machine, as connect-core's `Origins` has it.
fn parse(text: &str) -> Result<Url, Flaw> {
    // The parser would drop or repair these in silence.
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(Flaw::Text("has blanks, control characters or backslashes"));
    }
    let url = Url::parse(text)
        .map_err(|_| Flaw::Text("is not an absolute URL: use one like https://a.example/b"))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err(Flaw::Text("is plain http to a host that is not this machine: use https")),
        _ => return Err(Flaw::Text("is not https")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Flaw::Text("carries a user name or password"));
    }
    if url.fragment().is_some() {
        return Err(Flaw::Text("carries a fragment"));
    }
    // `https:///a.example`, `https://a%2eexample` and `https://2130706433` are repaired in silence too: the host must be
    // written as it is meant.
    let host = authority(text).and_then(|place| text.get(place)).map(without_port);
    if !host.zip(url.host_str()).is_some_and(|(written, meant)| written.eq_ignore_ascii_case(meant)) {
        return Err(Flaw::Text("does not write its host as it is: use one like https://login.example.com"));
    }
    Ok(url)
}

fn without_port(authority: &str) -> &str {
    let name = authority.rfind(']').map_or(0, |end| end + 1); // an IPv6 address has colons of its own
    let port = authority.get(name..).and_then(|rest| rest.find(':'));
    port.and_then(|port| authority.get(..name + port)).unwrap_or(authority)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Where the host and port of a text stand.
fn authority(text: &str) -> Option<std::ops::Range<usize>> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme))?;
    let rest = text.get(scheme.len()..)?;
    let length = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    Some(scheme.len()..scheme.len() + length)
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
}

/// A host name of RFC 1123, an IPv4 address among them.
fn is_host(value: &str) -> bool {
    value.len() <= 253
        && value.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

fn is_port(value: &str) -> bool {
    value.bytes().all(|b| b.is_ascii_digit()) && value.parse::<u16>().is_ok_and(|port| port != 0)
}

/// The unreserved characters of RFC 3986, and no way up.
fn is_segment(value: &str) -> bool {
    !matches!(value, "" | "." | "..")
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

fn is_base(value: &str) -> bool {
    let Ok(url) = parse(value) else { return false };
    let path = authority(value).and_then(|host| value.get(host.end..)).unwrap_or_default();
    url.query().is_none()
        && authority(value).is_some()
        && path.split('/').all(|segment| !matches!(segment, "." | "..") && !segment.contains('%'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, value: &str) -> Result<String, Flaw> {
        fill(text, |_| Some(value)).map(|(text, _)| text)
    }

    #[test]
    fn the_place_of_a_variable_decides_what_may_fill_it() {
        let cases = [
            ("https://{domain}/oauth/token", "acme.eu.auth0.com", "https://acme.eu.auth0.com/oauth/token"),
            (
                "https://{domain}/oauth/token",
                "ghe.acme.example:8443",
                "https://ghe.acme.example:8443/oauth/token",
            ),
            ("https://idp.{region}.aws.example/x", "eu-west-1", "https://idp.eu-west-1.aws.example/x"),
            ("https://a.example/{pool}", "eu-west-1_AbC123", "https://a.example/eu-west-1_AbC123"),
            ("{issuer}", "https://a.example/realms/acme", "https://a.example/realms/acme"),
            ("{issuer}", "https://a.example/", "https://a.example/"),
            ("{issuer}", "http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("{api}/user", "https://ghe.example/api/v3/", "https://ghe.example/api/v3/user"),
        ];
        for (text, value, expected) in cases {
            assert_eq!(filled(text, value).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_value_that_would_leave_its_place_is_refused() {
        let everywhere =
            ["", " ", "a b", "a\nb", "a\tb", "..", ".", "a\\b", "{x}", "a?b", "a#b", "\u{e9}.example"];
        let hosts = [
            "evil.example/",
            "a.example@evil.example",
            "a.example:pw@evil.example",
            "https://evil.example",
            "evil.example?",
            "evil.example#",
            "a..example",
            ".example",
            "example.",
            "-a.example",
            "a.example:",
            "a.example:0",
            "a.example:99999",
            "a.example:+1",
            "a_b.example",
            "a%2eexample",
            "[::1]",
        ];
        let segments = ["a/b", "/", "../x", "%2e%2e", "a%2fb", "a&scope=x", "a@b", "a;b"];
        let bases = [
            "a.example",
            "http://a.example",
            "ftp://a.example",
            "https://user:pw@a.example",
            "https://a.example?x=1",
            "https://a.example#x",
            "https://a.example/x/../..",
            "https://a.example/%2e%2e/x",
            "https:a.example",
            "https:///a.example",
            "https://a%2eexample",
            "https://2130706433",
            "https://127.1",
            "https://\u{ff41}.example",
            "javascript:alert(1)",
        ];
        let places = [
            ("https://{v}/x", &hosts[..]),
            ("https://a.{v}.example/x", &hosts[..]),
            ("https://a.example/{v}/x", &segments[..]),
            ("https://a.example/x?v={v}", &segments[..]),
            ("{v}", &bases[..]),
            ("{v}/x", &bases[..]),
        ];
        for (text, values) in places {
            for value in values.iter().chain(&everywhere) {
                let flaw = filled(text, value).unwrap_err();
                assert!(matches!(flaw, Flaw::Value(..)), "{text} {value:?}: {flaw:?}");
            }
        }
        // A port is for whole hosts: elsewhere it would stand in the middle.
        assert!(filled("https://a.{v}.example/x", "b:80").is_err());
        for fine in [
            "http://[::1]:8080",
            "https://A.Example:443",
            "https://xn--bcher-kva.example",
            "http://127.0.0.1",
        ] {
            assert!(filled("{v}/x", fine).is_ok(), "{fine}");
        }
    }

    #[test]
    fn a_text_that_is_no_template_is_refused() {
        let texts = [
            "https://{/x",
            "https://}/x",
            "https://{}/x",
            "https://{A}/x",
            "https://{a b}/x",
            "https://{{a}}/x",
            "{scheme}://a.example",
            "ht{x}ps://a.example",
            "http://{host}/x",
            "ftp://{host}/x",
            "https://me@{host}/x",
            "https://{host}/x#y",
            "https://{host}/x y",
        ];
        for text in texts {
            assert!(filled(text, "a.example").is_err(), "{text}");
        }
    }
}
