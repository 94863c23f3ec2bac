//! The files: plain Rust, one type after the other by name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::graph::{Content, Graph, Item, Member, Ty, Variant};
use super::{Settings, event};
use crate::naming;

/// As wide as the rest of the workspace.
const WIDTH: usize = 110;

/// All files of `src/model/`.
pub(super) fn files(graph: &Graph, settings: &Settings) -> BTreeMap<String, String> {
    let mut parts: BTreeMap<Option<&str>, Vec<&Item>> = BTreeMap::new();
    for item in &graph.items {
        parts.entry(item.category.as_deref()).or_default().push(item);
    }
    let mut files = BTreeMap::new();
    for (category, items) in &mut parts {
        items.sort_by(|left, right| left.name.cmp(&right.name));
        let file = File { graph, settings, category: *category, items };
        files.insert(format!("{}.rs", category.map_or("shared".to_owned(), naming::module)), file.text());
    }
    files.insert("mod.rs".to_owned(), front(graph, settings, parts.keys().copied()));
    files
}

fn header(settings: &Settings) -> String {
    crate::generate::header(&settings.provider.to_lowercase())
}

fn front<'a>(
    graph: &Graph,
    settings: &Settings,
    categories: impl Iterator<Item = Option<&'a str>>,
) -> String {
    let mut out = header(settings);
    let provider = &settings.provider;
    out += &if graph.is_events {
        format!(
            "//! What {provider} sends to webhooks, as Rust types: one for each event, with all of its actions. What several\n\
             //! events have in common is shared.\n"
        )
    } else {
        format!(
            "//! What {provider} answers, as Rust types. A type that one category of operations has to itself is behind\n\
             //! the feature of this category.\n"
        )
    };
    out += "#![allow(missing_docs, reason = \"the page that each type links to describes its fields\")]\n\n";
    for category in categories {
        let (gate, module) = match category {
            Some(category) if graph.is_events => (String::new(), naming::module(category)),
            Some(category) => (format!("#[cfg(feature = {category:?})]\n"), naming::module(category)),
            None => (String::new(), "shared".to_owned()),
        };
        out += &format!("{gate}mod {module};\n{gate}pub use {module}::*;\n");
    }
    if graph.items.iter().any(|item| matches!(item.content, Content::Struct(_))) {
        for (short, long) in [("req", "required"), ("opt", "optional")] {
            out += &format!(
                "\nconst fn {short}(name: &'static str) -> connect_model::Field {{\n    \
                 connect_model::Field::{long}(name)\n}}\n"
            );
        }
    }
    if graph.is_events {
        out += &event::text(graph);
    }
    out
}

/// The name of a type in the files of models.
pub(super) fn ty(graph: &Graph, settings: &Settings, ty: &Ty) -> String {
    let inner = |inner| self::ty(graph, settings, inner);
    match ty {
        Ty::Value => "Value".to_owned(),
        Ty::String => "String".to_owned(),
        Ty::Time => "Timestamp".to_owned(),
        Ty::Link => "Link".to_owned(),
        Ty::Secret => settings.secret.rsplit("::").next().unwrap_or_default().to_owned(),
        Ty::Integer => "i64".to_owned(),
        Ty::Number => "f64".to_owned(),
        Ty::Flag => "bool".to_owned(),
        Ty::List(item) => format!("Vec<{}>", inner(item)),
        Ty::Map(value) => format!("BTreeMap<String, {}>", inner(value)),
        Ty::Nullable(value) => format!("Option<{}>", inner(value)),
        Ty::Item(id) => graph.items[*id].name.clone(),
    }
}

/// How a field is written and read.
struct Shape {
    ty: String,
    /// `null`, or not to be there, is drift.
    is_required: bool,
    /// The function that reads it.
    reader: &'static str,
}

struct File<'a> {
    graph: &'a Graph,
    settings: &'a Settings,
    category: Option<&'a str>,
    items: &'a [&'a Item],
}

impl File<'_> {
    fn text(&self) -> String {
        let mut out = header(self.settings);
        let provider = &self.settings.provider;
        out += &match self.category {
            Some(category) if self.graph.is_events => {
                format!("//! The event `{}`, and what only it has in it.\n\n", category.replace('-', "_"))
            }
            Some(category) => format!("//! What only operations of `{category}` answer.\n\n"),
            None if self.graph.is_events => "//! What several events have in them.\n\n".to_owned(),
            None => format!("//! What operations of several of {provider}'s categories answer.\n\n"),
        };
        out += &self.imports();
        for item in self.items {
            out.push('\n');
            match &item.content {
                Content::Struct(members) => self.model(&mut out, item, members),
                Content::Words(words) => self.words(&mut out, item, words),
                Content::Union(variants) => self.union(&mut out, item, variants),
            }
        }
        let is_model = |item: &&&Item| matches!(item.content, Content::Struct(_));
        let is_union = |item: &&&Item| matches!(item.content, Content::Union(_));
        for (list, items) in [
            ("models", self.items.iter().filter(is_model).collect::<Vec<_>>()),
            ("unions", self.items.iter().filter(is_union).collect()),
        ] {
            if !items.is_empty() {
                out.push('\n');
                let names = items.into_iter().map(|item| item.name.clone());
                between(&mut out, 0, &format!("connect_model::{list}!("), names, ");");
            }
        }
        out
    }

    /// What the file needs, and nothing else.
    fn imports(&self) -> String {
        let mut used: BTreeSet<&str> = BTreeSet::new();
        let (mut helpers, mut others) = (BTreeSet::new(), BTreeSet::new());
        let mut has_shared = false;
        let mut types = Vec::new();
        for item in self.items {
            match &item.content {
                Content::Struct(members) => {
                    used.extend(["Deserializer", "Field", "Model", "skip"]);
                    others.insert("Serialize");
                    for member in members {
                        let shape = self.shape(member);
                        used.insert(shape.reader);
                        helpers.insert(if shape.is_required { "req" } else { "opt" });
                        types.push(&member.ty);
                    }
                }
                Content::Union(variants) => {
                    used.extend(["Deserialize", "Deserializer", "Kind", "Union", "Value", "Variant"]);
                    others.insert("Serialize");
                    types.extend(variants.iter().map(|variant| &variant.ty));
                }
                Content::Words(_) => {}
            }
        }
        while let Some(ty) = types.pop() {
            match ty {
                Ty::Value => _ = used.insert("Value"),
                Ty::Time => _ = used.insert("Timestamp"),
                Ty::Link => _ = used.insert("Link"),
                Ty::Secret => _ = others.insert("Secret"),
                Ty::Map(inner) => {
                    others.insert("BTreeMap");
                    types.push(inner);
                }
                Ty::List(inner) | Ty::Nullable(inner) => types.push(inner),
                Ty::Item(id) => {
                    has_shared |= self.category.is_some() && self.graph.items[*id].category.is_none()
                }
                Ty::String | Ty::Integer | Ty::Number | Ty::Flag => {}
            }
        }
        let mut out = String::new();
        if others.contains("BTreeMap") {
            out += "use std::collections::BTreeMap;\n\n";
        }
        if others.contains("Secret") {
            out += &format!("use {};\n", self.settings.secret);
        }
        if others.contains("Serialize") {
            out += "#[cfg(feature = \"serialize\")]\nuse connect_model::Serialize;\n";
        }
        if !used.is_empty() {
            between(&mut out, 0, "use connect_model::{", used.into_iter().map(str::to_owned), "};");
        }
        if has_shared {
            out += "\nuse super::shared::*;\n";
        }
        if !helpers.is_empty() {
            out += if has_shared { "" } else { "\n" };
            out += &match helpers.len() {
                1 => format!("use super::{};\n", helpers.into_iter().collect::<String>()),
                _ => "use super::{opt, req};\n".to_owned(),
            };
        }
        out
    }

    fn shape(&self, member: &Member) -> Shape {
        let mut ty = ty(self.graph, self.settings, &member.ty);
        if member.boxed {
            ty = format!("Box<{ty}>");
        }
        match member.ty {
            // Empty says it all.
            Ty::List(_) | Ty::Map(_) => Shape { ty, is_required: member.promised, reader: "required" },
            // `null` is as good a value as any other.
            Ty::Value if member.promised => Shape { ty, is_required: false, reader: "required" },
            // A plain one would have no default: it would contain itself without an end.
            _ if member.promised && !member.recursive => Shape { ty, is_required: true, reader: "required" },
            _ => Shape { ty: format!("Option<{ty}>"), is_required: member.promised, reader: "optional" },
        }
    }

    fn model(&self, out: &mut String, item: &Item, members: &[Member]) {
        let name = &item.name;
        let identifiers = naming::fields(members.iter().map(|member| member.wire.as_str()));
        let shapes: Vec<Shape> = members.iter().map(|member| self.shape(member)).collect();
        *out += &format!(
            "{}#[non_exhaustive]\n#[derive(Clone, Debug, Default)]\n\
             #[cfg_attr(feature = \"serialize\", derive(Serialize))]\npub struct {name} {{\n",
            doc(item, "")
        );
        for ((member, identifier), shape) in members.iter().zip(&identifiers).zip(&shapes) {
            if naming::serde_name(identifier) != member.wire {
                *out +=
                    &format!("    #[cfg_attr(feature = \"serialize\", serde(rename = {:?}))]\n", member.wire);
            }
            *out += &format!("    pub {identifier}: {},\n", shape.ty);
        }
        *out += &format!("}}\n\nimpl Model for {name} {{\n    const NAME: &'static str = {name:?};\n");
        let entries = members.iter().zip(&shapes).map(|(member, shape)| {
            format!("{}({:?})", if shape.is_required { "req" } else { "opt" }, member.wire)
        });
        between(out, 4, "const FIELDS: &'static [Field] = &[", entries, "];");
        *out += "\n    \
             fn read<'de, D: Deserializer<'de>>(&mut self, field: usize, value: D) -> Result<bool, D::Error> {\n        \
             match field {\n";
        for (at, (identifier, shape)) in identifiers.iter().zip(&shapes).enumerate() {
            *out += &format!("            {at} => {}(&mut self.{identifier}, value),\n", shape.reader);
        }
        *out += "            _ => skip(value),\n        }\n    }\n}\n";
    }

    fn words(&self, out: &mut String, item: &Item, words: &[String]) {
        *out += &format!("connect_model::words! {{\n{}    {} {{\n", doc(item, "    "), item.name);
        let variants = naming::variants(words.iter().map(String::as_str));
        wrap(out, 8, variants.iter().zip(words).map(|(variant, word)| format!("{variant} {word:?}")));
        *out += "    }\n}\n";
    }

    fn union(&self, out: &mut String, item: &Item, variants: &[Variant]) {
        let name = &item.name;
        let mut names: Vec<&str> = variants.iter().map(|variant| self.variant_name(variant)).collect();
        // `RepositoryRule::Creation` rather than `RepositoryRule::RepositoryRuleCreation`.
        let rests: Option<Vec<&str>> =
            names.iter().map(|variant| variant.strip_prefix(name.as_str())).collect();
        let is_name = |rest: &&str| rest.starts_with(|letter: char| letter.is_ascii_uppercase());
        if let Some(rests) = rests.filter(|rests| rests.iter().all(is_name)) {
            names = rests;
        }
        let names = naming::variants(names);
        *out += &format!(
            "{}#[non_exhaustive]\n#[derive(Clone, Debug)]\n\
             #[cfg_attr(feature = \"serialize\", derive(Serialize), serde(untagged))]\npub enum {name} {{\n",
            doc(item, "")
        );
        for (variant, name) in variants.iter().zip(&names) {
            let ty = ty(self.graph, self.settings, &variant.ty);
            let ty = if self.members(variant).is_some() { format!("Box<{ty}>") } else { ty };
            *out += &format!("    {name}({ty}),\n");
        }
        *out += &format!(
            "    /// A shape that this version does not know, as it came.\n    Unknown(Value),\n}}\n\n\
             impl Default for {name} {{\n    fn default() -> Self {{\n        Self::Unknown(Value::Null)\n    }}\n}}\n\n\
             impl Union for {name} {{\n    const VARIANTS: &'static [Variant] = &[\n"
        );
        let objects = variants.iter().filter(|variant| self.kind(variant) == "Object").count();
        for variant in variants {
            self.variant(out, variant, objects);
        }
        *out += "    ];\n\n    \
            fn read<'de, D: Deserializer<'de>>(variant: Option<usize>, value: D) -> Result<Self, D::Error> {\n        \
            Ok(match variant {\n";
        for (at, name) in names.iter().enumerate() {
            *out += &format!("            Some({at}) => Self::{name}(Deserialize::deserialize(value)?),\n");
        }
        *out += "            _ => Self::Unknown(Deserialize::deserialize(value)?),\n        })\n    }\n}\n";
    }

    /// How one shape is recognised.
    fn variant(&self, out: &mut String, variant: &Variant, objects: usize) {
        let kind = self.kind(variant);
        let members = self.members(variant).filter(|_| objects > 1);
        let Some(members) = members else {
            *out += &format!("        Variant::of(Kind::{kind}),\n");
            return;
        };
        *out += &format!("        Variant {{\n            kind: Kind::{kind},\n");
        let words = variant.words.iter().map(|(field, words)| {
            let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
            format!("({field:?}, &[{}])", words.join(", "))
        });
        between(out, 12, "words: &[", words, "],");
        for (before, promised) in [("required: &[", true), ("optional: &[", false)] {
            let fields = members.iter().filter(|member| member.promised == promised);
            between(out, 12, before, fields.map(|member| format!("{:?}", member.wire)), "],");
        }
        *out += "        },\n";
    }

    fn variant_name<'v>(&'v self, variant: &'v Variant) -> &'v str {
        match (&variant.name, &variant.ty) {
            (Some(name), _) => name,
            (None, Ty::Item(id)) => &self.graph.items[*id].name,
            (None, _) => "Object",
        }
    }

    fn kind(&self, variant: &Variant) -> &'static str {
        match &variant.ty {
            Ty::Map(_) => "Object",
            Ty::List(_) => "List",
            Ty::Integer | Ty::Number => "Number",
            Ty::Flag => "Flag",
            Ty::Item(_) if self.members(variant).is_some() => "Object",
            _ => "Text",
        }
    }

    fn members(&self, variant: &Variant) -> Option<&[Member]> {
        let Ty::Item(id) = variant.ty else { return None };
        match &self.graph.items[id].content {
            Content::Struct(members) => Some(members),
            _ => None,
        }
    }
}

fn doc(item: &Item, indent: &str) -> String {
    match item.docs.as_str() {
        "" => format!("{indent}/// `{}`\n", item.path),
        docs => format!("{indent}/// `{}` · <{docs}>\n", item.path),
    }
}

/// Entries between two texts: all on one line, or on lines of their own.
fn between(
    out: &mut String,
    indent: usize,
    before: &str,
    entries: impl Iterator<Item = String>,
    after: &str,
) {
    let entries: Vec<String> = entries.collect();
    let line = format!("{:indent$}{before}{}{after}\n", "", entries.join(", "));
    if line.len() <= WIDTH {
        *out += &line;
        return;
    }
    *out += &format!("{:indent$}{before}\n", "");
    wrap(out, indent + 4, entries.into_iter());
    *out += &format!("{:indent$}{after}\n", "");
}

/// Entries with commas, as many to a line as fit.
fn wrap(out: &mut String, indent: usize, entries: impl Iterator<Item = String>) {
    let mut line = String::new();
    for entry in entries {
        if !line.is_empty() && indent + line.len() + entry.len() + 2 > WIDTH {
            // Writing to a string cannot fail.
            _ = writeln!(out, "{:indent$}{line}", "");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += &entry;
        line.push(',');
    }
    if !line.is_empty() {
        _ = writeln!(out, "{:indent$}{line}", "");
    }
}
