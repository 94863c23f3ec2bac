//! Names for sets of words, whose identity is the set and not the place: one set may be in many fields.

use std::collections::BTreeMap;

use super::GenerateError;
use super::graph::{Content, Graph, Id, Place};
use super::names::{Candidate, Names, candidates, join, one_of, order, path, stem, step};
use crate::naming;

/// Names of fields that say nothing without their type.
const BLANK: &[&str] = &["Action", "Id", "Key", "Kind", "Name", "Type", "Value"];

pub(super) fn name(graph: &mut Graph, names: &mut Names) -> Result<(), GenerateError> {
    // By field, how many types have it with the same words.
    let mut fields: BTreeMap<&str, Vec<(usize, Id)>> = BTreeMap::new();
    for (id, item) in graph.items.iter().enumerate() {
        if matches!(item.content, Content::Words(_)) {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            item.places.iter().for_each(|place| *counts.entry(&place.step).or_default() += 1);
            counts.into_iter().for_each(|(field, count)| fields.entry(field).or_default().push((count, id)));
        }
    }
    let mut ready: Vec<(Vec<Candidate>, Id)> = Vec::new();
    for (id, item) in graph.items.iter().enumerate().filter(|(_, item)| item.name.is_empty()) {
        let first = |field: &str| {
            let others = fields.get(field).into_iter().flatten().filter(|(_, other)| *other != id);
            others.map(|(count, _)| *count).max().unwrap_or_default()
        };
        let mut found = word_candidates(graph, &item.places, first);
        found.extend(candidates(graph, item.places.iter()));
        ready.push((found, id));
    }
    ready.sort_by_key(|(candidates, _)| order(candidates.first()));
    for (candidates, id) in ready {
        names.give(&mut graph.items[id], candidates)?;
    }
    Ok(())
}

/// The names of a set of words that come before those of its places. `rival` says how many types have a field with
/// another set of words, namely the most common one.
fn word_candidates(graph: &Graph, places: &[Place], rival: impl Fn(&str) -> usize) -> Vec<Candidate> {
    let Some((field, _)) = most_common(places.iter().map(|place| place.step.as_str())) else {
        return Vec::new();
    };
    let same: Vec<&Place> = places.iter().filter(|place| place.step == field).collect();
    let first = path(graph, same[0]);
    if 2 * same.len() > places.len() {
        let name = step(same[0]);
        let owner = common_start(same.iter().map(|place| stem(graph, place)));
        let is_bare = owner.is_empty();
        if !is_bare || same.len() > 2 && same.len() > rival(field) && !BLANK.contains(&name.as_str()) {
            return vec![(join(&owner, &name), first)];
        }
        return candidates(graph, same.into_iter());
    }
    let owner = most_common(places.iter().map(|place| stem(graph, place)));
    let owner = owner.filter(|(_, count)| 2 * count > places.len());
    let ending = common_ending(places);
    match owner {
        Some((owner, _)) if !ending.is_empty() => vec![(join(&owner, &ending), first)],
        Some((owner, count)) if 2 * count > fields_of(graph, &owner) => {
            vec![(one_of(&owner, "Setting"), first.clone()), (owner + "Setting", first)]
        }
        Some((owner, _)) => vec![(owner + "Setting", first)],
        None if naming::split(&ending).len() > 1 => vec![(ending, first)],
        None => Vec::new(),
    }
}

fn fields_of(graph: &Graph, name: &str) -> usize {
    let item = graph.items.iter().find(|item| item.name == name);
    item.map_or(0, |item| match &item.content {
        Content::Struct(members) => members.len(),
        _ => 0,
    })
}

/// The words with which all names begin, if they say something.
fn common_start(names: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = names.collect();
    let Some(first) = all.first() else { return String::new() };
    let ends = first.char_indices().map(|(at, letter)| (at, letter.is_uppercase()));
    let ends = ends.filter(|(at, is_start)| *is_start && *at > 0).map(|(at, _)| at).chain([first.len()]);
    let is_common = |end: &usize| {
        all.iter().all(|name| {
            let rest = name.strip_prefix(&first[..*end]);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(|letter: char| letter.is_uppercase()))
        })
    };
    let start = &first[..ends.take_while(is_common).last().unwrap_or_default()];
    // One word is too little to say whose it is, if it is nobody's name.
    if naming::split(start).len() > 1 || all.iter().any(|name| name == start) {
        start.to_owned()
    } else {
        String::new()
    }
}

fn most_common<T: Ord + Clone>(all: impl Iterator<Item = T>) -> Option<(T, usize)> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    all.for_each(|one| *counts.entry(one).or_default() += 1);
    counts.into_iter().rev().max_by_key(|(_, count)| *count)
}

/// The words with which all fields end.
fn common_ending(places: &[Place]) -> String {
    let all: Vec<Vec<String>> = places.iter().map(|place| naming::split(&step(place))).collect();
    let count = (1..).take_while(|count| {
        let word = |words: &Vec<String>| words.len().checked_sub(*count).map(|at| words[at].clone());
        let first = all.first().and_then(word);
        first.is_some() && all.iter().all(|words| word(words) == first)
    });
    let count = count.last().unwrap_or_default();
    all.first().map(|words| naming::pascal(&words[words.len() - count..].join("-"))).unwrap_or_default()
}
