//! What tells the objects of a union apart.

use std::collections::BTreeSet;

use super::GenerateError;
use super::reduce::Reducer;
use crate::facts::{Field, Type};
use crate::naming;

/// Fields whose words say which object it is: promised by at least two objects, and no word in two of them.
///
/// Words that overlap would refuse an object only because a word in it is new, so they do not count.
pub(super) fn discriminators(
    reducer: &Reducer<'_>,
    objects: &[&[Field]],
) -> Result<Vec<String>, GenerateError> {
    let mut names: Vec<&str> = Vec::new();
    for field in objects.iter().flat_map(|fields| fields.iter()) {
        if !names.contains(&field.name.as_str()) {
            names.push(&field.name);
        }
    }
    let mut found = Vec::new();
    for name in names {
        let mut all = BTreeSet::new();
        let (mut sets, mut overlap) = (0, false);
        for fields in objects {
            if let Some(words) = promised_words(reducer, fields, name)? {
                sets += 1;
                overlap |= words.iter().any(|word| !all.insert(word.clone()));
            }
        }
        if sets > 1 && !overlap {
            found.push(name.to_owned());
        }
    }
    Ok(found)
}

/// The words of a field that an object promises.
pub(super) fn promised_words<'t>(
    reducer: &'t Reducer<'_>,
    fields: &'t [Field],
    name: &str,
) -> Result<Option<&'t [String]>, GenerateError> {
    let Some(field) = fields.iter().find(|field| field.name == name && field.required) else {
        return Ok(None);
    };
    Ok(match reducer.resolve(&field.shape)? {
        Type::Words(words) => Some(words),
        _ => None,
    })
}

/// What an object without a name is called among the others: by its only word in a discriminating field, by the first
/// field that only it promises, by the first that only it has.
pub(super) fn suffix(
    reducer: &Reducer<'_>,
    objects: &[&[Field]],
    discriminators: &[String],
    at: usize,
) -> Result<String, GenerateError> {
    let fields = objects[at];
    for name in discriminators {
        if let Some([word]) = promised_words(reducer, fields, name)? {
            return Ok(naming::type_name(word));
        }
    }
    let others: BTreeSet<&str> = objects
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != at)
        .flat_map(|(_, fields)| fields.iter().map(|field| field.name.as_str()))
        .collect();
    let own = |field: &&Field| !others.contains(field.name.as_str());
    let found = fields.iter().filter(|field| field.required).find(own).or_else(|| fields.iter().find(own));
    Ok(match found {
        Some(field) if objects.len() > 1 => naming::type_name(&field.name),
        _ => "Object".to_owned(),
    })
}
