//! Endpoints: one module per category, one struct per operation, each a newtype round core's `Arguments`.
//!
//! | file | what |
//! |---|---|
//! | `plan` | what an operation takes, answers and promises: facts and overlay in one place |
//! | `argument` | one argument: its setter, its row |
//! | `input` | objects and unions inside bodies, as types of their own |
//! | `answer` | the type of an answer, when one status has one and when several have several |
//! | `paging` | how a list goes on |
//! | `schema` | JSON Schema of the arguments, for calls by name |
//! | `render` | all of that as Rust |

use std::collections::{BTreeMap, BTreeSet};

use super::model::Models;
use super::{GenerateError, header};
use crate::facts::Facts;
use crate::naming;
use crate::overlay::Overlay;

mod answer;
mod argument;
mod input;
mod paging;
mod plan;
mod render;
mod schema;
#[cfg(test)]
mod tests;

use plan::Endpoint;

/// The files of `src/api/`, by name.
///
/// # Errors
/// An operation that cannot be generated, by name, with what to put into the overlay.
pub(super) fn files(
    facts: &Facts,
    overlay: &Overlay,
    models: &Models,
) -> Result<BTreeMap<String, String>, GenerateError> {
    let mut modules: BTreeMap<String, (String, Vec<Endpoint>)> = BTreeMap::new();
    // Endpoints have their names first; what they bring takes what is left.
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for operation in &facts.operations {
        let (module, name) = plan::name(operation, overlay)?;
        if render::is_imported(&name) {
            let why =
                format!("`{name}` is the name of a type that every endpoint needs: name it in the overlay");
            return Err(GenerateError::operation(&operation.op, why));
        }
        names.entry(module).or_default().insert(name);
    }
    for operation in &facts.operations {
        let (module, _) = plan::name(operation, overlay)?;
        let taken = names.entry(module).or_default();
        let endpoint = plan::endpoint(operation, facts, overlay, models, taken)?;
        taken.extend(endpoint.inputs.types.iter().map(|input| input.name.clone()));
        taken.extend(endpoint.answer.several.iter().map(|(output, _)| output.clone()));
        let category = naming::category(operation);
        let module = modules.entry(endpoint.module.clone()).or_insert_with(|| (category.clone(), Vec::new()));
        if module.0 != category {
            return Err(GenerateError::operation(
                &operation.op,
                format!(
                    "the module `{}` belongs to the category `{}` already: name it in the overlay",
                    endpoint.module, module.0
                ),
            ));
        }
        if module.1.iter().any(|other| other.name == endpoint.name) {
            return Err(GenerateError::operation(
                &operation.op,
                "another operation has this name: name it in the overlay",
            ));
        }
        module.1.push(endpoint);
    }
    let mut files = BTreeMap::new();
    for (module, (_, endpoints)) in &modules {
        // `pub mod r#type;` is `type.rs`.
        let file = naming::serde_name(module);
        if file == "mod" {
            let why = "`mod.rs` is the index: name it in the overlay";
            let operation = endpoints.first().map_or("", |endpoint| endpoint.operation.op.as_str());
            return Err(GenerateError::operation(operation, why));
        }
        files.insert(format!("{file}.rs"), render::module(endpoints, overlay));
    }
    files.insert("mod.rs".to_owned(), index(&modules, overlay));
    Ok(files)
}

/// `api/mod.rs`: the modules behind their features, and the catalogue.
fn index(modules: &BTreeMap<String, (String, Vec<Endpoint>)>, overlay: &Overlay) -> String {
    let mut text = format!(
        "{}\n//! Endpoints, one module per category, named as {} names its operations.\n\n",
        header(&overlay.provider.id),
        overlay.provider.name
    );
    text.push_str(MACROS);
    for (module, (category, _)) in modules {
        text.push_str(&format!("#[cfg(feature = \"{category}\")]\npub mod {module};\n"));
    }
    let mut categories: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (module, (category, _)) in modules {
        categories.entry(category).or_default().push(module);
    }
    text.push_str(&format!(
        "\n/// Every operation that this crate was built with, by name.\n#[cfg(feature = \"by-name\")]\n\
         pub static CATALOG: connect_core::by_name::Catalog = connect_core::by_name::Catalog::new(\"{}\", &[\n",
        overlay.provider.id
    ));
    for (category, modules) in categories {
        for module in modules {
            text.push_str(&format!(
                "    #[cfg(feature = \"{category}\")]\n    \
                 connect_core::by_name::Category::new(\"{category}\", {module}::ENTRIES),\n"
            ));
        }
    }
    text.push_str("]);\n");
    text
}

/// An entry of the catalogue knows how to read its answer only if models can be written.
const MACROS: &str = r#"#[cfg(all(feature = "by-name", feature = "serialize"))]
macro_rules! entry {
    ($endpoint:ident, $schema:literal) => {
        connect_core::by_name::Entry::new($endpoint::OPERATION, $schema).decoded_by(|response, cx| {
            let endpoint = $endpoint(connect_core::argument::Arguments::new($endpoint::OPERATION));
            connect_core::by_name::typed(connect_core::Endpoint::decode(&endpoint, response, cx))
        })
    };
}
#[cfg(all(feature = "by-name", not(feature = "serialize")))]
macro_rules! entry {
    ($endpoint:ident, $schema:literal) => {
        connect_core::by_name::Entry::new($endpoint::OPERATION, $schema)
    };
}

"#;
