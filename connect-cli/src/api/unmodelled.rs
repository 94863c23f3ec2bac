//! What an answer holds and its typed model does not: fields that the provider's description does not name.

use std::collections::BTreeSet;

use serde_json::Value;

/// Paths of the fields that the model has not kept, each once; `[]` stands for every item of a list. A `null` is no loss.
pub(super) fn unmodelled(answer: &Value, model: &Value) -> BTreeSet<String> {
    let mut lost = BTreeSet::new();
    compare(answer, model, "", &mut lost);
    lost
}

fn compare(answer: &Value, model: &Value, path: &str, lost: &mut BTreeSet<String>) {
    match (answer, model) {
        (Value::Object(answer), Value::Object(model)) => {
            for (name, value) in answer {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match model.get(name) {
                    Some(kept) => compare(value, kept, &path, lost),
                    None if value.is_null() => {}
                    None => {
                        lost.insert(path);
                    }
                }
            }
        }
        (Value::Array(answer), Value::Array(model)) => {
            let path = format!("{path}[]");
            answer.iter().zip(model).for_each(|(answer, model)| compare(answer, model, &path, lost));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_lost_is_named_once_with_its_path() {
        let answer =
            json!([{"id": 1, "new": 2, "user": {"login": "o", "odd": {}}}, {"new": 3, "none": null}]);
        let model = json!([{"id": 1, "user": {"login": "o"}, "absent": []}, {}]);
        let lost: Vec<String> = unmodelled(&answer, &model).into_iter().collect();
        assert_eq!(lost, ["[].new", "[].user.odd"]);
        assert!(unmodelled(&answer, &answer).is_empty());
    }
}
