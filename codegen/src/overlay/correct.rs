//! Applies the corrections of an overlay to facts.

use std::collections::BTreeSet;

use super::place::{Spot, visit};
use super::{Correction, Overlay};
use crate::facts::{Facts, Type};

/// A correction that corrects nothing: the description has changed, or the place is misspelt.
#[derive(Debug, thiserror::Error)]
pub enum CorrectError {
    /// There is no such place.
    #[error("the overlay corrects `{0}`, which is not there: the description may have changed")]
    NoSuchPlace(String),
    /// There is no such operation.
    #[error(
        "the overlay speaks of the operation `{0}`, which is not there: the description may have changed"
    )]
    NoSuchOperation(String),
    /// Only a field or a parameter can be that.
    #[error("`{0}` is no field: only a field can be optional, promised or dropped")]
    NoField(String),
    /// Only a field or a parameter is written in a style.
    #[error("`{0}` is a type: only a parameter or a field has a style")]
    NoStyle(String),
    /// A correction that says nothing.
    #[error(
        "the correction of `{0}` says nothing: set `is`, `optional`, `promised`, `nullable`, `drop` or `style`"
    )]
    Nothing(String),
    /// A parameter that nothing has.
    #[error("the overlay speaks of `{0}`, which no operation takes: the description may have changed")]
    NoSuchParameter(String),
    /// A blank reason.
    #[error("an entry of the overlay has no reason: {0}")]
    NoReason(String),
    /// A correction of nothing.
    #[error("a correction names no place")]
    Nowhere,
}

impl Overlay {
    /// Corrects facts, and leaves out the operations that are to be skipped.
    ///
    /// # Errors
    /// The first entry that fits nothing any more.
    pub fn correct(&self, facts: &mut Facts) -> Result<(), CorrectError> {
        for rule in &self.operation {
            if !facts
                .operations
                .iter()
                .any(|operation| rule.op.iter().any(|pattern| pattern.matches(&operation.op)))
            {
                return Err(CorrectError::NoSuchOperation(format!("{:?}", rule.op)));
            }
        }
        for op in self.names.operations.keys() {
            if !facts.operations.iter().any(|operation| operation.op == *op) {
                return Err(CorrectError::NoSuchOperation(op.clone()));
            }
        }
        self.reasons()?;
        self.parameters(facts)?;
        facts
            .operations
            .retain(|operation| !self.rule(&operation.op, |rule| rule.skip.then_some(true)).unwrap_or(false));
        apply_all(facts, &self.correct)
    }
}

pub(super) fn apply_all(facts: &mut Facts, corrections: &[Correction]) -> Result<(), CorrectError> {
    for correction in corrections {
        if correction.at.is_empty() {
            return Err(CorrectError::Nowhere);
        }
        for place in &correction.at {
            apply(facts, correction, place)?;
        }
    }
    Ok(())
}

impl Overlay {
    fn reasons(&self) -> Result<(), CorrectError> {
        let paging = self.paging.iter().map(|rule| (&rule.reason, rule.when.clone()));
        let corrections = self.correct.iter().map(|entry| (&entry.reason, format!("{:?}", entry.at)));
        let operations = self.operation.iter().map(|rule| (&rule.reason, format!("{:?}", rule.op)));
        match paging.chain(corrections).chain(operations).find(|(reason, _)| reason.trim().is_empty()) {
            Some((_, entry)) => Err(CorrectError::NoReason(entry)),
            None => Ok(()),
        }
    }

    /// Every parameter that is spoken of is there.
    fn parameters(&self, facts: &Facts) -> Result<(), CorrectError> {
        let mut known: BTreeSet<&str> = BTreeSet::new();
        for operation in &facts.operations {
            known.extend(operation.params.iter().map(|parameter| parameter.name.as_str()));
            if let Some(body) = &operation.body {
                collect(&body.shape, facts, &mut known);
            }
        }
        let provider = &self.provider;
        let spoken = provider.path_names.iter().chain(&provider.empty_paths).chain(provider.defaults.keys());
        match spoken
            .chain(self.paging.iter().map(|rule| &rule.when))
            .find(|name| !known.contains(name.as_str()))
        {
            Some(name) => Err(CorrectError::NoSuchParameter(name.clone())),
            None => Ok(()),
        }
    }
}

/// The fields of a body.
fn collect<'a>(shape: &'a Type, facts: &'a Facts, names: &mut BTreeSet<&'a str>) {
    match shape {
        Type::Object(fields) => names.extend(fields.iter().map(|field| field.name.as_str())),
        Type::Null(inner) => collect(inner, facts, names),
        Type::OneOf(variants) => variants.iter().for_each(|variant| collect(variant, facts, names)),
        // A body that is a name is an object, never a name again.
        Type::Ref(name) => {
            if let Some(shape @ (Type::Object(_) | Type::OneOf(_))) = facts.types.get(name) {
                collect(shape, facts, names);
            }
        }
        _ => {}
    }
}

fn apply(facts: &mut Facts, correction: &Correction, place: &str) -> Result<(), CorrectError> {
    let Correction { optional, promised, nullable, is, drop, style, .. } = correction;
    if !(*optional || *promised || *nullable || *drop || is.is_some() || style.is_some()) {
        return Err(CorrectError::Nothing(place.to_owned()));
    }
    let change = |shape: &mut Type| {
        if let Some(is) = is {
            *shape = is.clone();
        }
        if *promised && let Type::Null(inner) = shape {
            *shape = std::mem::replace(inner, Type::Any);
        }
        if *nullable && !matches!(shape, Type::Null(_)) {
            *shape = Type::Null(Box::new(std::mem::replace(shape, Type::Any)));
        }
    };
    let mut is_field = true;
    let mut has_style = true;
    visit(facts, place, |spot| match spot {
        Spot::Field(fields, at) if *drop => {
            fields.remove(at);
        }
        Spot::Field(fields, at) => {
            change(&mut fields[at].shape);
            fields[at].required = (fields[at].required || *promised) && !optional;
            fields[at].gap &= !promised;
            fields[at].style = style.or(fields[at].style);
        }
        Spot::Parameter(parameters, at) if *drop => {
            parameters.remove(at);
        }
        Spot::Parameter(parameters, at) => {
            let parameter = &mut parameters[at];
            change(&mut parameter.shape);
            parameter.required &= !optional;
            parameter.style = style.or(parameter.style);
        }
        Spot::Type(shape) => {
            is_field &= !(*optional || *promised || *drop);
            has_style &= style.is_none();
            change(shape);
        }
    })
    .ok_or_else(|| CorrectError::NoSuchPlace(place.to_owned()))?;
    match (is_field, has_style) {
        (true, true) => Ok(()),
        (false, _) => Err(CorrectError::NoField(place.to_owned())),
        (true, false) => Err(CorrectError::NoStyle(place.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::facts::Style;
    use serde_json::json;

    fn facts() -> Facts {
        let operation = json!({
            "op": "issues/get", "method": "GET", "path": "/issues/{id}",
            "params": [{"name": "id", "in": "path", "type": "integer", "required": true}],
            "answers": [{"status": 200, "media": "application/json", "type": {"ref": "issue"}}],
        });
        let issue = json!({"object": [
            {"n": "id", "t": "integer", "req": true},
            {"n": "labels", "t": {"list": {"one_of": ["text", {"ref": "label"}]}}, "req": true},
        ]});
        let label = json!({"object": [{"n": "name", "t": {"null": "text"}, "req": true}]});
        Facts {
            operations: vec![serde_json::from_value(operation).unwrap()],
            types: [("issue", issue), ("label", label)]
                .map(|(name, shape)| (name.to_owned(), serde_json::from_value(shape).unwrap()))
                .into(),
        }
    }

    fn corrected(toml: &str) -> Result<Facts, CorrectError> {
        let head = "[provider]\nid = \"x\"\nname = \"X\"\napi = \"crate::X\"\n";
        let mut facts = facts();
        Overlay::parse(&format!("{head}{toml}")).unwrap().correct(&mut facts)?;
        Ok(facts)
    }

    #[test]
    fn a_place_leads_through_lists_variants_and_names() {
        let facts = corrected(
            "[[correct]]\nat = [\"issues/get answer.labels[]|2.name\"]\nis = \"integer\"\nreason = \"r\"",
        );
        assert_eq!(
            facts.unwrap().types["label"],
            serde_json::from_value(json!({"object": [{"n": "name", "t": "integer", "req": true}]})).unwrap()
        );
        let facts =
            corrected("[[correct]]\nat = [\"issue.id\"]\noptional = true\nnullable = true\nreason = \"r\"")
                .unwrap();
        let Type::Object(fields) = &facts.types["issue"] else { unreachable!() };
        assert_eq!((fields[0].required, &fields[0].shape), (false, &Type::Null(Box::new(Type::Integer))));
        let facts =
            corrected("[[correct]]\nat = [\"issues/get params.id\"]\nis = \"text\"\nreason = \"r\"").unwrap();
        assert_eq!(facts.operations[0].params[0].shape, Type::Text);
    }

    #[test]
    fn what_is_promised_is_never_null() {
        let promised = |place: &str| {
            corrected(&format!("[[correct]]\nat = [\"{place}\"]\npromised = true\nreason = \"r\""))
        };
        let facts = promised("label.name").unwrap();
        let Type::Object(fields) = &facts.types["label"] else { unreachable!() };
        assert_eq!((fields[0].required, &fields[0].shape), (true, &Type::Text));
        let error = promised("issue.labels[]").unwrap_err().to_string();
        assert_eq!(error, "`issue.labels[]` is no field: only a field can be optional, promised or dropped");
    }

    #[test]
    fn parameters_and_fields_have_a_style_and_types_have_none() {
        let styled = |place: &str| {
            corrected(&format!("[[correct]]\nat = [\"{place}\"]\nstyle = \"comma\"\nreason = \"r\""))
        };
        let Type::Object(fields) = &styled("issue.labels").unwrap().types["issue"] else { unreachable!() };
        assert_eq!((fields[0].style, fields[1].style), (None, Some(Style::Comma)));
        assert_eq!(styled("issues/get params.id").unwrap().operations[0].params[0].style, Some(Style::Comma));
        let error = styled("issue.labels[]").unwrap_err().to_string();
        assert_eq!(error, "`issue.labels[]` is a type: only a parameter or a field has a style");
    }

    #[test]
    fn a_correction_that_fits_nothing_any_more_is_an_error() {
        for place in
            ["issue.gone", "gone", "issues/get answer.gone", "issues/gone answer", "issues/get params.gone"]
        {
            let error = corrected(&format!("[[correct]]\nat = [\"{place}\"]\nis = \"text\"\nreason = \"r\""))
                .unwrap_err();
            assert!(error.to_string().contains(place), "{error}");
        }
        assert!(corrected("[[operation]]\nop = [\"gone/*\"]\nsafety = \"safe\"\nreason = \"r\"").is_err());
        assert!(corrected("[[correct]]\nat = [\"issue.id\"]\nreason = \"r\"").is_err());
    }
}
