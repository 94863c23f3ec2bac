//! Rows of your own out of a TOML file.

use std::collections::BTreeMap;
use std::ops::Range;

use ::toml::Spanned;
use connect_core::{Error, ErrorKind};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Preset;

/// The built-in row that a row of the file starts from.
const EXTENDS: &str = "extends";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    preset: Vec<Row>,
}

/// Every value with its place in the text, for the errors.
type Row = Spanned<BTreeMap<String, Spanned<::toml::Value>>>;

impl Preset {
    /// The rows of a file with `[[preset]]` tables. Keys are the fields of [`Preset`] with `-` for `_`; whatever is
    /// left out is as the standards say.
    ///
    /// `extends = "auth0"` starts from a built-in row: what the file says replaces it, and tables (`variables`,
    /// `profile`) are merged key by key. A row may have the id of a built-in one; [`Preset::find`] still has that.
    /// Variables may stay open, to be filled by [`Preset::with`].
    ///
    /// ```
    /// use connect_oauth::Preset;
    /// let presets = Preset::from_toml(
    ///     r#"
    ///     [[preset]]
    ///     id = "intranet"
    ///     name = "Our own login"
    ///     authorize-url = "https://login.example.com/authorize"
    ///     token-url = "https://login.example.com/token"
    ///     rotation = "single-use"
    ///
    ///     [[preset]]
    ///     id = "customers"
    ///     extends = "auth0"
    ///     variables = { domain = "acme.eu.auth0.com" }
    ///     "#,
    /// )?;
    /// assert_eq!(presets[1].token_url()?.as_str(), "https://acme.eu.auth0.com/oauth/token");
    /// # Ok::<(), connect_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`] with the line and the row: no TOML, an unknown key, a missing one, a value of another
    /// kind, an id given twice, or a row that [`Preset::check`] would refuse for something else than an open variable.
    pub fn from_toml(text: &str) -> Result<Vec<Self>, Error> {
        let file: File = ::toml::from_str(text).map_err(|error| {
            refuse(text, error.span(), format!("it is not such a file: {}", error.message()))
        })?;
        if file.preset.is_empty() {
            return Err(refuse(text, None, "there is no [[preset]] table in it"));
        }
        let mut presets: Vec<Self> = Vec::with_capacity(file.preset.len());
        for (index, row) in file.preset.into_iter().enumerate() {
            let span = row.span();
            let preset = read_row(text, index, row)?;
            if presets.iter().any(|earlier| earlier.id == preset.id) {
                let message = format!("the preset `{}` is there already: give each its own id", preset.id);
                return Err(refuse(text, Some(span), message));
            }
            presets.push(preset);
        }
        Ok(presets)
    }
}

fn read_row(text: &str, index: usize, row: Row) -> Result<Preset, Error> {
    let span = row.span();
    let mut fields = row.into_inner();
    let label = match fields.get("id").map(|id| id.get_ref()) {
        Some(::toml::Value::String(id)) => format!("the preset `{id}`"),
        _ => format!("the preset number {}", index + 1),
    };
    let mut object = match fields.remove(EXTENDS) {
        None => Map::new(),
        Some(base) => base_row(base.get_ref()).ok_or_else(|| {
            let message = format!("{label} has an `{EXTENDS}` that is not the id of a built-in preset");
            refuse(text, Some(base.span()), message)
        })?,
    };
    for (name, value) in fields {
        let place = value.span();
        let flawed = |why: &dyn std::fmt::Display| {
            refuse(text, Some(place.clone()), format!("{label} has a wrong `{name}`: {why}"))
        };
        let value = serde_json::to_value(value.into_inner()).map_err(|error| flawed(&error))?;
        match (object.get_mut(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
            (_, value) => {
                object.insert(name.clone(), value);
            }
        }
        // Each by itself: only so the line of a wrong one is known.
        let mut alone = Map::from_iter(["id", "name"].map(|field| (field.to_owned(), Value::from("x"))));
        alone.extend(object.get(&name).map(|value| (name.clone(), value.clone())));
        serde_json::from_value::<Preset>(Value::Object(alone)).map_err(|error| flawed(&error))?;
    }
    let flawed = |why: &str| refuse(text, Some(span.clone()), why.to_owned());
    let preset: Preset = serde_json::from_value(Value::Object(object))
        .map_err(|error| flawed(&format!("{label}: {error}")))?;
    preset.check_row().map_err(|error| flawed(error.message()))?;
    Ok(preset)
}

/// A built-in row without its id, which is no one else's.
fn base_row(id: &::toml::Value) -> Option<Map<String, Value>> {
    let base = Preset::find(id.as_str()?)?;
    let Ok(Value::Object(mut object)) = serde_json::to_value(base) else { return None };
    object.remove("id");
    Some(object)
}

fn refuse(text: &str, place: Option<Range<usize>>, why: impl Into<String>) -> Error {
    let why = why.into();
    let message = match place.and_then(|place| text.get(..place.start)) {
        Some(before) => format!("presets in TOML, line {}: {why}", before.matches('\n').count() + 1),
        None => format!("presets in TOML: {why}"),
    };
    Error::new(ErrorKind::Config, message)
}
