//! Objects and unions inside bodies, as Rust.

use crate::generate::endpoint::argument::{Taken, give, owned, parameter_type, setter};
use crate::generate::endpoint::input::{Input, Kind, Member};
use crate::naming;

/// A type that an endpoint brings for its arguments.
pub(super) fn input(input: &Input, endpoint: &str) -> String {
    match &input.kind {
        Kind::Object(members) => object(&input.name, members, endpoint),
        Kind::Union(variants) => union(&input.name, variants, endpoint),
    }
}

fn object(name: &str, members: &[Member], endpoint: &str) -> String {
    let mut text = format!(
        "\n/// Part of [`{endpoint}`].\n#[derive(Clone, Debug, PartialEq)]\npub struct {name}(Fields);\n\nimpl {name} {{\n"
    );
    let (required, others): (Vec<_>, Vec<_>) = members.iter().partition(|member| member.required);
    let parameters: Vec<String> = required
        .iter()
        .filter(|member| member.constant.is_none())
        .map(|member| match member.nullable && member.taken != Taken::Any {
            true => format!("{}: Option<{}>", member.ident, owned(&member.taken)),
            false => format!("{}: {}", member.ident, parameter_type(&member.taken)),
        })
        .collect();
    text.push_str(&format!(
        "    /// With what it cannot do without.\n    pub fn new({}) -> Self {{\n        Self(Fields::new()",
        parameters.join(", ")
    ));
    for member in required {
        text.push_str(&match &member.constant {
            Some(word) => format!(".set({:?}, {word:?})", member.name),
            None if member.nullable => format!(".set({:?}, {})", member.name, member.ident),
            None => give_field(member),
        });
    }
    text.push_str(")\n    }\n");
    for member in &others {
        text.push_str(&format!(
            "\n    /// Field `{}`.\n    pub fn {}(self, {}: {}) -> Self {{\n        Self(self.0{})\n    }}\n",
            member.name,
            setter(&member.ident),
            member.ident,
            parameter_type(&member.taken),
            give_field(member)
        ));
    }
    for member in others.iter().filter(|member| member.nullable) {
        text.push_str(&format!(
            "\n    /// Sends `null` as `{}`, which clears it.\n    pub fn clear_{}(self) -> Self {{\n        \
             Self(self.0.set({:?}, Input::Null))\n    }}\n",
            member.name,
            naming::serde_name(&member.ident),
            member.name
        ));
    }
    text.push_str(&format!(
        "}}\n\nimpl From<{name}> for Input {{\n    fn from(object: {name}) -> Self {{\n        object.0.into()\n    }}\n}}\n"
    ));
    text
}

/// As [`give`], for the fields of an object, which know no texts and no secrets.
fn give_field(member: &Member) -> String {
    let Member { name, ident, .. } = member;
    match &member.taken {
        Taken::Text => format!(".set({name:?}, Into::<String>::into({ident}))"),
        Taken::Secret => format!(".set({name:?}, Into::<Secret>::into({ident}))"),
        other => give(other, name, ident),
    }
}

fn union(name: &str, variants: &[(String, Taken)], endpoint: &str) -> String {
    let mut text = format!(
        "\n/// One of several: part of [`{endpoint}`].\n#[derive(Clone, Debug, PartialEq)]\npub enum {name} {{\n"
    );
    for (variant, taken) in variants {
        text.push_str(&format!("    /// {}\n    {variant}({}),\n", about(taken), owned(taken)));
    }
    text.push_str(&format!("}}\n\nimpl From<{name}> for Input {{\n    fn from(value: {name}) -> Self {{\n        match value {{\n"));
    for (variant, _) in variants {
        text.push_str(&format!("            {name}::{variant}(value) => value.into(),\n"));
    }
    text.push_str("        }\n    }\n}\n");
    for (variant, taken) in variants {
        let own = owned(taken);
        text.push_str(&format!(
            "\nimpl From<{own}> for {name} {{\n    fn from(value: {own}) -> Self {{\n        Self::{variant}(value)\n    }}\n}}\n"
        ));
        // What a literal is, where its type is not said.
        let literal = match taken {
            Taken::Text => Some(("&str", "value.to_owned()")),
            Taken::Integer | Taken::Number => Some(("i32", "value.into()")),
            _ => None,
        };
        if let Some((from, into)) = literal {
            text.push_str(&format!(
                "\nimpl From<{from}> for {name} {{\n    fn from(value: {from}) -> Self {{\n        Self::{variant}({into})\n    }}\n}}\n"
            ));
        }
    }
    text
}

fn about(taken: &Taken) -> &'static str {
    match taken {
        Taken::Text => "Text.",
        Taken::Secret => "A secret.",
        Taken::Integer => "A whole number.",
        Taken::Number => "A number.",
        Taken::Flag => "Yes or no.",
        Taken::Object(_) => "An object.",
        Taken::List(_) => "A list.",
        Taken::Union(_) | Taken::Any => "Something else.",
    }
}
