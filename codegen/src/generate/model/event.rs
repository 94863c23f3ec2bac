//! The enum of all events, and what one can ask any of them.

use std::fmt::Write as _;

use super::graph::{Content, Graph, Member, Ty};
use crate::facts::Operation;
use crate::naming;

/// What the generated files themselves define beside the types of payloads.
pub(super) const RESERVED: &[&str] = &["Delivery", "DeliveryError", "Event", "EventName", "Secret"];

/// A question to every event: the method, the field of the payload, what comes of it, and what it is.
struct Accessor {
    method: &'static str,
    field: &'static str,
    answer: Answer,
    doc: &'static str,
}

enum Answer {
    /// The text of a word.
    Word,
    /// The field, if it is of this type.
    Part(&'static str),
    /// The `id` of the field, whatever its type.
    Id,
}

const ACCESSORS: &[Accessor] = &[
    Accessor {
        method: "action",
        field: "action",
        answer: Answer::Word,
        doc: "What happened, in the provider's word; none for an event without actions.",
    },
    Accessor {
        method: "repository",
        field: "repository",
        answer: Answer::Part("Repository"),
        doc: "Where it happened, if that is a repository and described in full.",
    },
    Accessor {
        method: "sender",
        field: "sender",
        answer: Answer::Part("SimpleUser"),
        doc: "Who did it, if somebody did.",
    },
    Accessor {
        method: "organization",
        field: "organization",
        answer: Answer::Part("Organization"),
        doc: "The organisation whose webhook this is, or where it happened.",
    },
    Accessor {
        method: "installation_id",
        field: "installation",
        answer: Answer::Id,
        doc: "The installation of the GitHub App that this is sent to: whose token to answer with.",
    },
];

/// Below the modules of `src/webhook/event/mod.rs`.
pub(super) fn text(graph: &Graph) -> String {
    let events: Vec<(String, &Operation)> =
        graph.operations.iter().map(|event| (naming::type_name(&event.op), event)).collect();
    let mut out = String::new();
    out += "\nconnect_model::words! {\n    /// The name of an event, as in the header `X-GitHub-Event`.\n    EventName {\n";
    for (name, event) in &events {
        _ = writeln!(out, "        {name} {:?},", event.op);
    }
    out += "    }\n}\n\n";
    out += "/// An event with its payload, by the header `X-GitHub-Event`.\n///\n\
            /// Boxed, because payloads are big and most programs look at few.\n\
            #[non_exhaustive]\n#[derive(Clone, Debug)]\n\
            #[cfg_attr(feature = \"serialize\", derive(connect_model::Serialize), serde(untagged))]\npub enum Event {\n";
    for (name, event) in &events {
        _ = writeln!(out, "    /// `{}` · <{}>\n    {name}(Box<{name}Event>),", event.op, event.docs);
    }
    out += "    /// An event that this version does not know.\n    Other {\n        /// Its name.\n        event: String,\n        \
            /// What happened, if the payload says.\n        action: Option<String>,\n    },\n}\n\n";
    out += "impl Event {\n    /// The names of all events that are typed.\n    pub const NAMES: &'static [&'static str] = &[\n";
    for (_, event) in &events {
        _ = writeln!(out, "        {:?},", event.op);
    }
    out += "    ];\n\n    /// Reads the payload of an event that is known; none if it is not.\n    \
            pub(super) fn known(event: &str, payload: &str) -> Option<Result<Self, serde_json::Error>> {\n        \
            Some(match event {\n";
    for (name, event) in &events {
        _ = writeln!(out, "            {:?} => super::read(payload).map(Self::{name}),", event.op);
    }
    out += "            _ => return None,\n        })\n    }\n\n    /// The event's name, as in the header.\n    \
            pub fn name(&self) -> &str {\n        match self {\n";
    for (name, event) in &events {
        _ = writeln!(out, "            Self::{name}(_) => {:?},", event.op);
    }
    out += "            Self::Other { event, .. } => event,\n        }\n    }\n";
    for accessor in ACCESSORS {
        self::accessor(&mut out, graph, &events, accessor);
    }
    out += "}\n";
    out
}

fn accessor(out: &mut String, graph: &Graph, events: &[(String, &Operation)], accessor: &Accessor) {
    let Accessor { method, field, answer, doc } = accessor;
    let ty = match answer {
        Answer::Word => "&str".to_owned(),
        Answer::Part(ty) => format!("&{ty}"),
        Answer::Id => "i64".to_owned(),
    };
    let mut arms = String::new();
    for (name, event) in events {
        let Some(member) = member(graph, event, field) else { continue };
        let Some(value) = value(graph, member, answer) else { continue };
        _ = writeln!(arms, "            Self::{name}(event) => {value},");
    }
    if let Answer::Word = answer {
        arms += "            Self::Other { action, .. } => action.as_deref(),\n";
    }
    // A provider without any such field has no such question.
    if arms.is_empty() {
        return;
    }
    *out += &format!(
        "\n    /// {doc}\n    pub fn {method}(&self) -> Option<{ty}> {{\n        match self {{\n{arms}            \
         _ => None,\n        }}\n    }}\n"
    );
}

fn value(graph: &Graph, member: &Member, answer: &Answer) -> Option<String> {
    let field = format!("event.{}", naming::field(&member.wire));
    let item = match &member.ty {
        Ty::Item(id) => Some(&graph.items[*id]),
        _ => None,
    };
    let is_plain = member.promised && !member.recursive;
    Some(match answer {
        Answer::Word if is_plain => format!("Some(event.{}.as_str())", naming::field(&member.wire)),
        Answer::Word if item.is_some() => format!("{field}.as_ref().map(|word| word.as_str())"),
        Answer::Word => format!("{field}.as_deref()"),
        Answer::Part(ty) if item?.name != *ty => return None,
        Answer::Part(_) if is_plain => format!("Some(&{field})"),
        Answer::Part(_) if member.boxed => format!("{field}.as_deref()"),
        Answer::Part(_) => format!("{field}.as_ref()"),
        Answer::Id => {
            let Content::Struct(members) = &item?.content else { return None };
            let id = members.iter().find(|member| member.wire == "id" && member.ty == Ty::Integer)?;
            match (is_plain, id.promised) {
                (true, true) => format!("Some({field}.id)"),
                (true, false) => format!("{field}.id"),
                (false, true) => format!("{field}.as_ref().map(|part| part.id)"),
                (false, false) => format!("{field}.as_ref().and_then(|part| part.id)"),
            }
        }
    })
}

/// A field of an event's payload.
fn member<'g>(graph: &'g Graph, event: &Operation, field: &str) -> Option<&'g Member> {
    let Ty::Item(id) = graph.answer(&event.op, super::DELIVERED)? else { return None };
    let Content::Struct(members) = &graph.items[*id].content else { return None };
    members.iter().find(|member| member.wire == field)
}
