//! Where a value goes, and what it must look like: the rows that generated endpoints are made of.

use super::Arguments;

/// What an operation takes as a body.
///
/// Part of [`Operation`](crate::Operation).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Payload {
    /// Nothing.
    #[default]
    None,
    /// JSON, under this media type; nothing, if no argument for it is given.
    Json(&'static str),
    /// The same, and `{}` if no argument for it is given: the provider insists on a body.
    SomeJson(&'static str),
    /// A form.
    Form,
    /// Text or bytes as they are, under this media type; the argument is called `body`.
    Raw(&'static str),
    /// A body that is given beside the endpoint, [`Client::upload`](crate::Client::upload), of this media type if it names
    /// none itself.
    File(&'static str),
    /// A form whose file, of this name, is given beside the endpoint.
    Multipart(&'static str),
}

/// Where a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// One segment of the path, encoded: a slash in it stays inside the segment.
    Path,
    /// One segment that is a name (an owner, a repository): a space or a slash in it is a mistake, and refused.
    Name,
    /// The rest of the path: slashes stay, everything else is encoded.
    Tail,
    /// The query.
    Query,
    /// A header.
    Header,
    /// A field of the body.
    Field,
    /// The body itself.
    Body,
}

/// What a value looks like; the details are the provider's to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// Anything, unions among them.
    Any,
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Flag,
    /// A list.
    List,
    /// An object.
    Object,
}

/// How lists and objects are written in a query or a form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Style {
    /// `a=1&a=2`
    #[default]
    Repeated,
    /// `a=1,2`
    Comma,
    /// `x=1&y=2`: the fields of an object, without its name.
    Exploded,
    /// `a[x]=1&a[y]=2`
    Deep,
    /// `a=[1,2]`: as JSON text.
    Json,
}

/// One argument of an operation.
///
/// The module's page has a table of them.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Parameter {
    /// The argument's name: the provider's spelling.
    pub name: &'static str,
    /// The provider's spelling, where another parameter of the operation has the same: a field called `name` beside a
    /// segment of the path called `name` is the argument `body_name`. Empty if it is the argument's name.
    pub wire: &'static str,
    /// Where it goes.
    pub place: Place,
    /// What it looks like.
    pub shape: Shape,
    /// Must it be given?
    pub required: bool,
    /// How lists and objects are written.
    pub style: Style,
    /// What is sent when it is not given; empty for nothing.
    pub default: &'static str,
    /// Dotted paths of the secrets in it; `""` is the value itself.
    pub secrets: &'static [&'static str],
    /// At the end of a path: empty, it means what is above.
    pub may_be_empty: bool,
}

impl Parameter {
    const fn new(name: &'static str, place: Place, shape: Shape, required: bool) -> Self {
        Self {
            name,
            wire: "",
            place,
            shape,
            required,
            style: Style::Repeated,
            default: "",
            secrets: &[],
            may_be_empty: false,
        }
    }

    /// One segment of the path; always needed.
    pub const fn path(name: &'static str, shape: Shape) -> Self {
        Self::new(name, Place::Path, shape, true)
    }

    /// One segment of the path that is a name; always needed.
    pub const fn name(name: &'static str) -> Self {
        Self::new(name, Place::Name, Shape::Text, true)
    }

    /// The rest of the path; always needed.
    pub const fn tail(name: &'static str) -> Self {
        Self::new(name, Place::Tail, Shape::Text, true)
    }

    /// A parameter of the query.
    pub const fn query(name: &'static str, shape: Shape) -> Self {
        Self::new(name, Place::Query, shape, false)
    }

    /// A header, in lower case.
    pub const fn header(name: &'static str, shape: Shape) -> Self {
        Self::new(name, Place::Header, shape, false)
    }

    /// A field of the body.
    pub const fn field(name: &'static str, shape: Shape) -> Self {
        Self::new(name, Place::Field, shape, false)
    }

    /// The body itself; its argument is called `body`.
    pub const fn body(shape: Shape) -> Self {
        Self::new("body", Place::Body, shape, false)
    }

    /// The provider's spelling, where it is not the argument's name.
    #[must_use]
    pub const fn wire(mut self, name: &'static str) -> Self {
        self.wire = name;
        self
    }

    /// What the provider calls it.
    pub const fn wire_name(&self) -> &'static str {
        if self.wire.is_empty() { self.name } else { self.wire }
    }

    /// Must it be given, and is not?
    pub(crate) fn is_missing(&self, arguments: &Arguments) -> bool {
        self.required && self.default.is_empty() && arguments.get(self.name).is_none()
    }

    /// It must be given.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// How lists and objects are written.
    #[must_use]
    pub const fn style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }

    /// At the end of a path: empty, it means what is above, as the root of a repository.
    #[must_use]
    pub const fn may_be_empty(mut self) -> Self {
        self.may_be_empty = true;
        self
    }

    /// What is sent when it is not given.
    #[must_use]
    pub const fn default(mut self, text: &'static str) -> Self {
        self.default = text;
        self
    }

    /// Where secrets are in it.
    #[must_use]
    pub const fn secrets(mut self, paths: &'static [&'static str]) -> Self {
        self.secrets = paths;
        self
    }
}
