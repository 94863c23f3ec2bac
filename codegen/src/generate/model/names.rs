//! A name for every type, all different, and the same after every run.
//!
//! - A named type has its name. The overlay's word is the last.
//! - An inline type has that of what it is in and of its field, one of many in the singular: `issue.labels[]` is
//!   `IssueLabel`. Where the two meet in the same words, these stand once: `Workflow` and `workflow_run` is
//!   `WorkflowRun`. One that is in several places has the shortest of their names.
//! - An answer's own is the operation's: `issues/list-for-repo` is `IssuesListForRepoResponse`, its items
//!   `IssuesListForRepoItem`. What several of a category's operations answer is named by its list (`ActionsRunnersResponse`).
//! - A set of words that several types have in a field of the same name has the words with which all their names begin
//!   and that of the field: `IssueState` for those of `Issue` and `IssueSearchItem`. If they begin differently, it has
//!   that of the field alone, if it is the set that most fields of this name have: `Visibility`. If it is in several
//!   fields of one type, it is one of its: `AppPermissions` has values `AppPermission`.
//! - What is taken gets the category in front, or the provider. Numbers are the last resort.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Content, Graph, Id, Item, Owner, Place, Ty};
use super::{GenerateError, Settings, event, words};
use crate::naming;

/// What generated files and Rust's prelude already call something.
const RESERVED: &[&str] = &[
    "AsMut",
    "AsRef",
    "BTreeMap",
    "Box",
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Deserialize",
    "Deserializer",
    "Drop",
    "Eq",
    "Err",
    "Extend",
    "Field",
    "Fn",
    "FnMut",
    "FnOnce",
    "From",
    "FromIterator",
    "Future",
    "Hash",
    "Into",
    "IntoFuture",
    "IntoIterator",
    "Iterator",
    "Kind",
    "Link",
    "Model",
    "None",
    "Ok",
    "Option",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Result",
    "Self_",
    "Send",
    "Serialize",
    "Serializer",
    "Sized",
    "Some",
    "String",
    "Sync",
    "Timestamp",
    "ToOwned",
    "ToString",
    "TryFrom",
    "TryInto",
    "Union",
    "Unknown",
    "Unpin",
    "Value",
    "Variant",
    "Vec",
    "Words",
];

/// A name that an item may have, and the path of the place that it comes from.
pub(super) type Candidate = (String, String);

pub(super) fn assign(graph: &mut Graph, settings: &Settings) -> Result<(), GenerateError> {
    let mut names = Names::new(settings)?;
    let mut named: Vec<Id> = (0..graph.items.len()).filter(|id| graph.items[*id].given.is_some()).collect();
    named.sort_by(|left, right| graph.items[*left].given.cmp(&graph.items[*right].given));
    for id in named {
        let path = graph.items[id].given.clone().unwrap_or_default();
        let name = match path.strip_suffix("[]") {
            Some(list) => one_of(list, "Item"),
            None => naming::type_name(&path),
        };
        names.give(&mut graph.items[id], vec![(name, path)])?;
    }
    name_inline(graph, &mut names)?;
    words::name(graph, &mut names)?;
    names.finish()
}

/// From the outside to the inside, because the name of the outer is part of the inner's.
fn name_inline(graph: &mut Graph, names: &mut Names) -> Result<(), GenerateError> {
    loop {
        let mut ready: Vec<(Vec<Candidate>, Id)> = Vec::new();
        for (id, item) in graph.items.iter().enumerate() {
            let is_open = item.name.is_empty() && !matches!(item.content, Content::Words(_));
            if is_open && item.places.iter().all(|place| is_named(graph, place)) {
                let mut found: Vec<Candidate> = answer_candidate(graph, item).into_iter().collect();
                found.extend(candidates(graph, item.places.iter()));
                ready.push((found, id));
            }
        }
        if ready.is_empty() {
            return Ok(());
        }
        ready.sort_by_key(|(candidates, _)| order(candidates.first()));
        for (candidates, id) in ready {
            names.give(&mut graph.items[id], candidates)?;
        }
    }
}

/// What several operations of a category answer is named by what is in it: its only list, or else its only type.
fn answer_candidate(graph: &Graph, item: &Item) -> Option<Candidate> {
    let is_answer = |place: &Place| matches!(place.owner, Owner::Answer(_)) && !place.many;
    let Content::Struct(members) = &item.content else { return None };
    if item.places.len() < 2 || !item.places.iter().all(is_answer) {
        return None;
    }
    let only = |kind: fn(&Ty) -> bool| {
        let mut found = members.iter().filter(|member| kind(&member.ty));
        found.next().filter(|_| found.next().is_none())
    };
    let field = match only(|ty| matches!(ty, Ty::List(_))).or_else(|| only(|ty| matches!(ty, Ty::Item(_)))) {
        Some(member) => naming::type_name(&member.wire),
        None if members.len() < 3 => String::new(),
        None => return None,
    };
    let category = naming::type_name(item.category.as_deref()?);
    Some((join(&category, &format!("{field}Response")), path(graph, &item.places[0])))
}

fn is_named(graph: &Graph, place: &Place) -> bool {
    match place.owner {
        Owner::Field(id) | Owner::Variant(id) => !graph.items[id].name.is_empty(),
        Owner::Answer(_) => true,
    }
}

/// Shorter first, then by the alphabet.
pub(super) fn order(candidate: Option<&Candidate>) -> (usize, Candidate) {
    candidate.map_or_else(Default::default, |candidate| (candidate.0.len(), candidate.clone()))
}

/// The names by place, those before the others in which no words are left out.
pub(super) fn candidates<'a>(graph: &Graph, places: impl Iterator<Item = &'a Place>) -> Vec<Candidate> {
    let (mut short, mut full) = (Vec::new(), Vec::new());
    for place in places {
        let path = path(graph, place);
        let (owner, step) = (stem(graph, place), step(place));
        short.push((join(&owner, &step), path.clone()));
        full.push((owner + &step, path));
    }
    short.sort_by_key(|candidate| order(Some(candidate)));
    full.sort_by_key(|candidate| order(Some(candidate)));
    short.extend(full);
    short
}

/// Where a place is, in the provider's words.
pub(super) fn path(graph: &Graph, place: &Place) -> String {
    let many = if place.many { "[]" } else { "" };
    match (&place.owner, place.step.as_str()) {
        (Owner::Field(id), step) => format!("{}.{step}{many}", graph.items[*id].path),
        (Owner::Variant(id), "") => format!("{}{many}", graph.items[*id].path),
        (Owner::Variant(id), step) => format!("{}|{step}{many}", graph.items[*id].path),
        (Owner::Answer(at), "Response") => format!("{}{many}", graph.operations[*at].op),
        (Owner::Answer(at), step) => format!("{}|{step}{many}", graph.operations[*at].op),
    }
}

/// The first part of the name of what is in this place.
pub(super) fn stem(graph: &Graph, place: &Place) -> String {
    match place.owner {
        Owner::Answer(at) => {
            let (module, name) = naming::operation_name(&graph.operations[at]);
            join(&naming::type_name(&module), &name)
        }
        Owner::Field(id) | Owner::Variant(id) => {
            let Item { name, places, given, .. } = &graph.items[id];
            let is_event = given.as_ref().is_some_and(|given| graph.is_events && given.ends_with("-event"));
            if let Some(name) = name.strip_suffix("Event").filter(|_| is_event) {
                return name.to_owned();
            }
            let is_answer = places.iter().any(|place| matches!(place.owner, Owner::Answer(_)));
            name.strip_suffix("Response").filter(|_| is_answer).unwrap_or(name).to_owned()
        }
    }
}

/// The last part of the name of what is in this place.
pub(super) fn step(place: &Place) -> String {
    match (&place.owner, place.step.as_str()) {
        (Owner::Answer(_), "Response") if place.many => "Item".to_owned(),
        (Owner::Variant(_), "") => "Item".to_owned(),
        (Owner::Field(_), step) if place.many => one_of(step, ""),
        // Within a name, `Self` needs no underscore.
        (_, step) => naming::type_name(step).trim_end_matches('_').to_owned(),
    }
}

/// The name of one of many; with the ending, if it is the same.
pub(super) fn one_of(many: &str, ending: &str) -> String {
    let mut words = naming::split(many);
    let Some(last) = words.pop() else { return naming::type_name(many) };
    let one = naming::singular(&last);
    let ending = if one == last { ending } else { "" };
    words.push(one);
    naming::type_name(&words.join("-")) + ending
}

/// Both names as one; words that end the first and begin the second stand once.
pub(super) fn join(first: &str, second: &str) -> String {
    let (left, right) = (naming::split(first), naming::split(second));
    let most = left.len().min(right.len().saturating_sub(1));
    let same = (1..=most).rev().find(|count| {
        let (before, last) = right[..*count].split_at(count - 1);
        let (tail, end) = left[left.len() - count..].split_at(count - 1);
        tail == before
            && end.iter().zip(last).all(|(end, last)| naming::singular(end) == naming::singular(last))
    });
    // The second's spelling stays: `Checks` and `check_runs` is `CheckRuns`.
    let cut: usize = same.map_or(0, |count| left[left.len() - count..].iter().map(String::len).sum());
    let kept = first
        .len()
        .checked_sub(cut)
        .filter(|at| first[*at..].starts_with(|start: char| start.is_uppercase()));
    format!("{}{second}", kept.map_or(first, |at| &first[..at]))
}

pub(super) struct Names {
    provider: String,
    taken: BTreeSet<String>,
    /// From paths to names: the overlay's.
    pins: BTreeMap<String, String>,
    used: BTreeSet<String>,
}

impl Names {
    fn new(settings: &Settings) -> Result<Self, GenerateError> {
        let mut taken: BTreeSet<String> = RESERVED.iter().map(|&name| name.to_owned()).collect();
        let secret = settings.secret.rsplit("::").next().unwrap_or_default();
        taken.insert(secret.to_owned());
        if settings.is_events {
            taken.extend(event::RESERVED.iter().map(|&name| name.to_owned()));
        }
        for (path, name) in &settings.names {
            if naming::type_name(name) != *name || !taken.insert(name.clone()) {
                return Err(GenerateError::BadName { path: path.clone(), name: name.clone() });
            }
        }
        Ok(Self {
            provider: naming::type_name(&settings.provider),
            taken,
            pins: settings.names.clone(),
            used: BTreeSet::new(),
        })
    }

    /// Gives an item the first of the names that is free.
    pub(super) fn give(&mut self, item: &mut Item, candidates: Vec<Candidate>) -> Result<(), GenerateError> {
        if let Some((path, name)) = candidates.iter().find_map(|(_, path)| self.pins.get_key_value(path)) {
            if !self.used.insert(path.clone()) {
                return Err(GenerateError::BadName { path: path.clone(), name: name.clone() });
            }
            (item.path, item.name) = (path.clone(), name.clone());
            return Ok(());
        }
        let front = item.category.as_deref().map(naming::type_name);
        let fronts = [front.unwrap_or_else(|| self.provider.clone()), self.provider.clone()];
        let plain = candidates.iter().cloned();
        let Some((first, path)) = candidates.first() else { return Ok(()) };
        let prefixed = fronts.iter().map(|front| (format!("{front}{first}"), path.clone()));
        let numbered = (2..).map(|number| (format!("{first}{number}"), path.clone()));
        let free = plain.chain(prefixed).chain(numbered).find(|(name, _)| !self.taken.contains(name));
        // The numbers never end, so there always is one.
        let (name, path) = free.unwrap_or_default();
        self.taken.insert(name.clone());
        (item.path, item.name) = (path, name);
        Ok(())
    }

    fn finish(self) -> Result<(), GenerateError> {
        match self.pins.into_keys().find(|path| !self.used.contains(path)) {
            Some(path) => Err(GenerateError::UnknownName(path)),
            None => Ok(()),
        }
    }
}
