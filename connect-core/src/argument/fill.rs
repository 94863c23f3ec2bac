//! From arguments to a request, as the operation's row says.

use std::borrow::Cow;

use http::{HeaderName, HeaderValue};
use serde::{Serialize, Serializer};

use super::input::Exposed;
use super::{Arguments, Input, Parameter, Payload, Place, Style};
use crate::body::Multipart;
use crate::error::{Error, ErrorKind};
use crate::request::{Request, RequestBuilder};

impl Arguments {
    /// The request. Values go where the row says: encoded into the path, into query, headers or body.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`], naming the argument: missing, unknown, empty, a name with a space or a slash, a `..` in a
    /// path, a character that no header carries.
    pub fn request(&self) -> Result<Request, Error> {
        self.check()?;
        let mut builder = Request::builder(self.operation);
        let mut body = None;
        for parameter in self.operation.parameters {
            let Some(value) = self.get(parameter.name) else {
                if !parameter.default.is_empty() && parameter.place == Place::Query {
                    builder = builder.query(parameter.wire_name(), Some(parameter.default));
                }
                continue;
            };
            builder = match parameter.place {
                Place::Path => builder.path(parameter.name, joined(value)),
                Place::Name => {
                    let text = value.to_text();
                    check_name(parameter.name, &text)?;
                    builder.path(parameter.name, text)
                }
                Place::Tail => match value.to_text() {
                    text if parameter.may_be_empty && matches!(&*text, "" | "/") => {
                        builder.without_tail(parameter.name)
                    }
                    text => builder.tail(parameter.name, &text),
                },
                Place::Query => pairs(parameter, value)
                    .into_iter()
                    .fold(builder, |builder, (name, value)| builder.query(&name, Some(value))),
                Place::Header => match HeaderName::try_from(parameter.wire_name()) {
                    Ok(name) => match value {
                        Input::Secret(secret) => builder.secret_header(name, secret),
                        value => builder.header(name, &joined(value)),
                    },
                    Err(_) => return Err(invalid(format!("`{}` is no name of a header", parameter.name))),
                },
                Place::Body => {
                    body = Some(value);
                    builder
                }
                Place::Field => builder,
            };
        }
        if let Some(media_type) = self.accept {
            builder = builder.header(http::header::ACCEPT, media_type);
        }
        self.payload(builder, body)?.build()
    }

    /// The fields of a form, for a body that also has a file.
    pub fn form(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for parameter in self.operation.parameters.iter().filter(|row| row.place == Place::Field) {
            if let Some(value) = self.get(parameter.name) {
                all.extend(
                    pairs(parameter, value)
                        .into_iter()
                        .map(|(name, text)| (name.into_owned(), text.into_owned())),
                );
            }
        }
        all
    }

    fn check(&self) -> Result<(), Error> {
        let rows = self.operation.parameters;
        for (name, _) in &self.values {
            if !rows.iter().any(|row| row.name == *name) {
                return Err(invalid(format!("there is no argument `{name}`")));
            }
        }
        match rows.iter().find(|row| row.is_missing(self)) {
            Some(row) => Err(invalid(format!("the argument `{}` is missing", row.name))),
            None => Ok(()),
        }
    }

    fn payload(&self, builder: RequestBuilder, body: Option<&Input>) -> Result<RequestBuilder, Error> {
        Ok(match self.operation.payload {
            Payload::None | Payload::File(_) => builder,
            Payload::Json(media_type) | Payload::SomeJson(media_type) => match body {
                Some(body) => builder.json_as(media_type, &Exposed(body)),
                None if self.has_fields() || matches!(self.operation.payload, Payload::SomeJson(_)) => {
                    builder.json_as(media_type, &Object(self))
                }
                None => builder,
            },
            Payload::Raw(media_type) => match body {
                Some(body) => {
                    let bytes = body.to_text().into_owned().into_bytes();
                    builder.body(HeaderValue::from_static(media_type), bytes)
                }
                None => builder,
            },
            Payload::Form if self.has_fields() => {
                let form = self.form();
                builder.form(
                    form.iter().map(|(name, value)| (name.as_str(), Some(Cow::Borrowed(value.as_str())))),
                )
            }
            Payload::Form => builder,
            // Without its file; `client.upload` adds it.
            Payload::Multipart(_) => {
                let form = self
                    .form()
                    .into_iter()
                    .fold(Multipart::new(0), |form, (name, text)| form.text(name, text));
                builder.multipart(form)
            }
        })
    }

    fn has_fields(&self) -> bool {
        self.operation.parameters.iter().any(|row| row.place == Place::Field && self.get(row.name).is_some())
    }
}

/// The fields of a JSON body, in the order of the row.
struct Object<'a>(&'a Arguments);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = self.0.operation.parameters.iter().filter(|row| row.place == Place::Field);
        let fields =
            rows.filter_map(|row| self.0.get(row.name).map(|value| (row.wire_name(), Exposed(value))));
        serializer.collect_map(fields)
    }
}

/// As text; a list with commas, which is how paths and headers write it.
fn joined(value: &Input) -> Cow<'_, str> {
    match value {
        Input::List(items) => Cow::Owned(items.iter().map(Input::to_text).collect::<Vec<_>>().join(",")),
        other => other.to_text(),
    }
}

/// The names and texts that a value becomes in a query or a form.
fn pairs<'a>(parameter: &'a Parameter, value: &'a Input) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
    let name = || Cow::Borrowed(parameter.wire_name());
    match (value, parameter.style) {
        (Input::Null, _) => Vec::new(),
        (Input::List(_), Style::Comma) => vec![(name(), joined(value))],
        (Input::List(items), Style::Repeated) => items.iter().map(|item| (name(), item.to_text())).collect(),
        (Input::Object(fields), Style::Exploded) => {
            fields.iter().map(|(field, value)| (Cow::Borrowed(&**field), value.to_text())).collect()
        }
        (Input::Object(fields), Style::Deep) => {
            let key = |field: &str| Cow::Owned(format!("{}[{field}]", parameter.wire_name()));
            fields.iter().map(|(field, value)| (key(field), value.to_text())).collect()
        }
        (value, _) => vec![(name(), value.to_text())],
    }
}

/// A name that would address something else, or nothing, is refused before it is sent; the provider's answer would be a
/// bare 404.
fn check_name(parameter: &str, text: &str) -> Result<(), Error> {
    let mistake = match text.chars().find(|c| c.is_whitespace() || c.is_control() || "/\\?#%".contains(*c)) {
        None => return Ok(()),
        Some('/') => "a slash: give the parts of `owner/name` one by one",
        Some(c) if c.is_whitespace() => "a space: names are written with `-` or `_` instead",
        Some(_) => "a character that no name has",
    };
    Err(invalid(format!("path parameter `{parameter}` has {mistake}")))
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::super::Shape;
    use super::*;
    use crate::operation::{Operation, Safety};
    use crate::secret::Secret;
    use http::Method;

    const GET: &Operation = &Operation::new("get", Method::GET, "/{owner}/files/{path}", Safety::Safe).takes(
        Payload::None,
        &[
            Parameter::name("owner"),
            Parameter::tail("path").may_be_empty(),
            Parameter::query("per_page", Shape::Integer).default("100"),
            Parameter::query("ids", Shape::List).style(Style::Comma),
            Parameter::query("tags", Shape::List),
            Parameter::query("where", Shape::Object).style(Style::Deep),
            Parameter::query("box", Shape::Object).style(Style::Exploded),
            Parameter::query("types", Shape::List).style(Style::Json),
            Parameter::header("x-mode", Shape::Text),
        ],
    );
    const POST: &Operation = &Operation::new("post", Method::POST, "/post", Safety::Unsafe).takes(
        Payload::Json("application/json"),
        &[
            Parameter::field("title", Shape::Text).required(),
            Parameter::field("key", Shape::Text).secrets(&[""]),
        ],
    );

    fn get() -> Arguments {
        Arguments::new(GET).text("owner", "octo").text("path", "src/a b.rs")
    }

    #[test]
    fn every_style_of_query_is_written_as_it_is_called() {
        let object = || Fields2::from([("x", 1), ("y", 2)]);
        let request = get()
            .list("ids", [1, 2])
            .list("tags", ["a", "b&c"])
            .set("where", object())
            .set("box", object())
            .list("types", ["t"])
            .text("x-mode", "fast")
            .request()
            .unwrap();
        assert_eq!(
            request.path_and_query(),
            "/octo/files/src/a%20b.rs?per_page=100&ids=1%2C2&tags=a&tags=b%26c&where%5Bx%5D=1&where%5By%5D=2&x=1&y=2\
             &types=%5B%22t%22%5D"
        );
        assert_eq!(request.headers()["x-mode"], "fast");
        assert_eq!(
            get().set("per_page", 5).request().unwrap().path_and_query(),
            "/octo/files/src/a%20b.rs?per_page=5"
        );
    }

    struct Fields2(Vec<(&'static str, i64)>);
    impl From<[(&'static str, i64); 2]> for Fields2 {
        fn from(fields: [(&'static str, i64); 2]) -> Self {
            Self(fields.to_vec())
        }
    }
    impl From<Fields2> for Input {
        fn from(fields: Fields2) -> Self {
            fields
                .0
                .into_iter()
                .fold(super::super::Fields::new(), |all, (name, value)| all.set(name, value))
                .into()
        }
    }

    #[test]
    fn no_value_of_a_path_addresses_something_else() {
        let cases = [
            (get().text("owner", "a/b"), "`owner` has a slash"),
            (get().text("owner", "a b"), "`owner` has a space"),
            (get().text("owner", "a%2fb"), "`owner` has a character"),
            (get().text("owner", ".."), "`owner` is a relative path segment"),
            (get().text("owner", ""), "`owner` is empty"),
            (get().text("path", "a/../../b"), "`path` has a relative path segment"),
            (get().text("path", "a//b"), "`path` has an empty segment"),
        ];
        for (arguments, expected) in cases {
            let error = arguments.request().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains(expected), "{error} / {expected}");
        }
        // The root of a tree has no path, and a trailing slash addresses nothing.
        assert_eq!(get().text("path", "").request().unwrap().path_and_query(), "/octo/files?per_page=100");
        assert_eq!(
            get().text("path", "/a/b").request().unwrap().path_and_query(),
            "/octo/files/a/b?per_page=100"
        );
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        let missing = Arguments::new(POST).request().unwrap_err().to_string();
        assert!(missing.contains("`title` is missing"), "{missing}");
        let unknown =
            Arguments::new(POST).text("title", "t").text("titel", "t").request().unwrap_err().to_string();
        assert!(unknown.contains("`titel`"), "{unknown}");
    }

    #[test]
    fn secrets_are_sent_and_nowhere_shown() {
        let post = Arguments::new(POST).text("title", "t").secret("key", Secret::new("canary"));
        assert_eq!(format!("{post:?}"), r#"post { title: "t", key: [redacted] }"#);
        assert_eq!(serde_json::to_string(&post).unwrap(), r#"{"title":"t","key":"[redacted]"}"#);
        let request = post.request().unwrap();
        assert_eq!(request.body().as_bytes().unwrap().as_ref(), br#"{"title":"t","key":"canary"}"#);
    }
}
