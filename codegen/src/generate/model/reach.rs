//! Which operations reach a type: that says where it is described, in which file it stands, and whether it is there at
//! all.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Content, Graph, Id, Item, Owner, Ty};
use crate::facts::Operation;
use crate::naming;

/// Which operations answer with what, and where that is described.
pub(super) fn mark(graph: &mut Graph) {
    let places: BTreeMap<&str, usize> =
        graph.operations.iter().enumerate().map(|(at, operation)| (operation.op.as_str(), at)).collect();
    let mut roots: Vec<(usize, Vec<Id>)> = Vec::new();
    for ((operation, _), ty) in &graph.answers {
        let mut found = Vec::new();
        ty.items(&mut found);
        roots.push((places[operation.as_str()], found));
    }
    // The pages of direct answers come first.
    for (operation, roots) in &roots {
        for id in roots {
            describe(&mut graph.items[*id], &graph.operations[*operation]);
        }
    }
    for (operation, mut open) in roots {
        while let Some(id) = open.pop() {
            if graph.items[id].operations.insert(operation) {
                describe(&mut graph.items[id], &graph.operations[operation]);
                open.extend(graph.children(id));
            }
        }
    }
    for at in 0..graph.items.len() {
        let mut categories: BTreeSet<String> = BTreeSet::new();
        categories
            .extend(graph.items[at].operations.iter().map(|at| naming::category(&graph.operations[*at])));
        graph.items[at].category = categories.pop_first().filter(|_| categories.is_empty());
    }
}

fn describe(item: &mut Item, operation: &Operation) {
    if item.docs.is_empty() {
        item.docs.clone_from(&operation.docs);
    }
}

/// Without the items that no answer reaches any more.
pub(super) fn prune(graph: Graph) -> Graph {
    let mut next = 0;
    let moved: Vec<Option<Id>> = graph
        .items
        .iter()
        .map(|item| {
            let kept = (!item.operations.is_empty()).then_some(next);
            next += usize::from(kept.is_some());
            kept
        })
        .collect();
    let mut items: Vec<Item> = graph.items.into_iter().filter(|item| !item.operations.is_empty()).collect();
    for item in &mut items {
        item.places.retain_mut(|place| match &mut place.owner {
            Owner::Field(id) | Owner::Variant(id) => moved[*id].map(|to| *id = to).is_some(),
            Owner::Answer(_) => true,
        });
        match &mut item.content {
            Content::Struct(members) => members.iter_mut().for_each(|member| shift(&mut member.ty, &moved)),
            Content::Union(variants) => {
                variants.iter_mut().for_each(|variant| shift(&mut variant.ty, &moved))
            }
            Content::Words(_) => {}
        }
    }
    let mut answers = graph.answers;
    answers.values_mut().for_each(|ty| shift(ty, &moved));
    Graph { items, operations: graph.operations, answers, is_events: graph.is_events }
}

fn shift(ty: &mut Ty, moved: &[Option<Id>]) {
    match ty {
        Ty::List(inner) | Ty::Map(inner) | Ty::Nullable(inner) => shift(inner, moved),
        // What is reached reaches nothing that is not.
        Ty::Item(id) => *id = moved[*id].unwrap_or(*id),
        _ => {}
    }
}
