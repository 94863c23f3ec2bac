//! What stands in a box: fields that lead back to their struct, and large structs.
//!
//! A struct of a kilobyte in a field makes every move of what holds it that much longer, also where the field is empty.

use super::graph::{Content, Graph, Id, Ty};

/// In bytes.
const LARGE: usize = 1024;

pub(super) fn boxes(graph: &mut Graph) {
    let mut recursive = Vec::new();
    for id in 0..graph.items.len() {
        for (at, target) in direct(graph, id) {
            if leads_to(graph, target, id) {
                recursive.push((id, at));
            }
        }
    }
    for (id, at) in recursive {
        if let Content::Struct(members) = &mut graph.items[id].content {
            members[at].boxed = true;
            members[at].recursive = true;
        }
    }
    let mut sizes = vec![None; graph.items.len()];
    for id in 0..graph.items.len() {
        size(graph, id, &mut sizes);
    }
}

/// The structs that stand in fields of a struct, with nothing between.
fn direct(graph: &Graph, id: Id) -> Vec<(usize, Id)> {
    let Content::Struct(members) = &graph.items[id].content else { return Vec::new() };
    let fields = members.iter().enumerate().filter(|(_, member)| !member.boxed);
    fields.filter_map(|(at, member)| Some((at, target(&member.ty)?))).collect()
}

fn target(ty: &Ty) -> Option<Id> {
    match ty {
        Ty::Nullable(inner) => target(inner),
        Ty::Item(id) => Some(*id),
        _ => None,
    }
}

fn leads_to(graph: &Graph, from: Id, to: Id) -> bool {
    let mut open = vec![from];
    let mut seen = Vec::new();
    while let Some(id) = open.pop() {
        if id == to {
            return true;
        }
        if !seen.contains(&id) {
            seen.push(id);
            open.extend(direct(graph, id).into_iter().map(|(_, target)| target));
        }
    }
    false
}

/// The size of an item, with large fields boxed on the way. Estimated for 64 bits, in steps of 8.
fn size(graph: &mut Graph, id: Id, sizes: &mut Vec<Option<usize>>) -> usize {
    if let Some(known) = sizes[id] {
        return known;
    }
    let count = match &graph.items[id].content {
        Content::Struct(members) => members.len(),
        // Text with a niche; a value of JSON with a tag.
        Content::Words(_) => return *sizes[id].insert(24),
        Content::Union(_) => return *sizes[id].insert(32),
    };
    let mut total = 0;
    let mut flags = 0;
    for at in 0..count {
        let Content::Struct(members) = &graph.items[id].content else { continue };
        let member = &members[at];
        total += match (&member.ty, target(&member.ty)) {
            _ if member.boxed => 8,
            (_, Some(target)) => {
                let size = size(graph, target, sizes);
                let large = size > LARGE;
                if let Content::Struct(members) = &mut graph.items[id].content {
                    members[at].boxed = large;
                }
                if large { 8 } else { size }
            }
            (Ty::Flag, _) => {
                flags += 1;
                0
            }
            (Ty::Integer | Ty::Number, _) => 8 + if member.promised { 0 } else { 8 },
            (Ty::Secret, _) => 16,
            (Ty::Value, _) => 32,
            _ => 24,
        };
    }
    total += usize::div_ceil(flags, 8) * 8;
    *sizes[id].insert(total)
}
