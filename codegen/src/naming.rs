//! From the providers' spellings to Rust's identifiers: one rule for types, fields, words, modules and features.
//!
//! A spelling is cut into [words](split) and put together again in the case that is wanted. What that loses (`+1`, `*`,
//! `Open` beside `open`) comes back by [names of characters](spelled) where two spellings would meet.

use std::collections::BTreeSet;

use crate::facts::Operation;

/// Keywords that can be written raw: `r#type`.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Keywords that cannot: they get a trailing underscore.
const PATHS: &[&str] = &["self", "Self", "super", "crate"];

/// How a character is called where its word would not be one without it.
const CHARACTERS: &[(char, &str)] = &[
    ('+', "plus"),
    ('-', "minus"),
    ('*', "star"),
    ('/', "slash"),
    ('.', "dot"),
    (',', "comma"),
    (':', "colon"),
    (';', "semicolon"),
    ('_', "underscore"),
    (' ', "space"),
    ('@', "at"),
    ('#', "hash"),
    ('$', "dollar"),
    ('%', "percent"),
    ('&', "and"),
    ('|', "or"),
    ('!', "not"),
    ('=', "equal"),
    ('<', "less"),
    ('>', "greater"),
    ('~', "like"),
    ('?', "question"),
    ('^', "caret"),
    ('\\', "backslash"),
    ('\'', "quote"),
    ('"', "quote"),
];

const DIGITS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/// The words of a spelling, in small letters: at separators, at humps (`htmlUrl`, `HTMLUrl`), and a sign in front
/// (`+1`, `-created`) or behind (`c++`) by its name. An apostrophe is nothing.
pub fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    if let Some(sign) = rest.strip_prefix(['+', '-'])
        && sign.starts_with(char::is_alphanumeric)
    {
        words.push(if rest.starts_with('+') { "plus" } else { "minus" }.to_owned());
        rest = sign;
        if let [digit @ b'0'..=b'9'] = rest.as_bytes() {
            words.push(DIGITS[usize::from(digit - b'0')].to_owned());
            return words;
        }
    }
    let (rest, behind) = match rest.find(['+', '#']) {
        Some(at) if at > 0 && rest[at..].chars().all(|sign| "+#".contains(sign)) => rest.split_at(at),
        _ => (rest, ""),
    };
    let letters: Vec<char> = rest.chars().filter(|letter| *letter != '\'').collect();
    let mut word = String::new();
    for (at, letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            words.push(std::mem::take(&mut word));
            continue;
        }
        let before = at.checked_sub(1).map(|at| letters[at]);
        let after_small = before.is_some_and(|before| before.is_lowercase() || before.is_numeric());
        let ends_capitals = before.is_some_and(char::is_uppercase)
            && letters.get(at + 1).is_some_and(|next| next.is_lowercase())
            // `IDs` and `URLs` are plurals.
            && !(letters[at + 1] == 's' && letters.get(at + 2).is_none_or(|next| !next.is_lowercase()));
        if letter.is_uppercase() && (after_small || ends_capitals) {
            words.push(std::mem::take(&mut word));
        }
        word.extend(letter.to_lowercase());
    }
    words.push(word);
    words.extend(behind.chars().filter_map(name_of).map(str::to_owned));
    words.retain(|word| !word.is_empty());
    words
}

fn name_of(letter: char) -> Option<&'static str> {
    CHARACTERS.iter().find(|(known, _)| *known == letter).map(|(_, name)| *name)
}

/// Every character that is no letter or digit by its name: `>=` is `greater equal`.
pub fn spelled(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match name_of(letter) {
            Some(name) => {
                out.push(' ');
                out.push_str(name);
                out.push(' ');
            }
            None if letter.is_alphanumeric() => out.push(letter),
            None => out.push(' '),
        }
    }
    out
}

/// `html_url`; not yet an identifier, see [`field`].
pub fn snake(text: &str) -> String {
    split(text).join("_")
}

/// `html-url`: the name of a feature.
pub fn kebab(text: &str) -> String {
    split(text).join("-")
}

/// `HtmlUrl`; not yet an identifier, see [`type_name`].
pub fn pascal(text: &str) -> String {
    let mut out = String::new();
    for word in split(text) {
        // `2.0` and `2.1.0` stay apart.
        if out.ends_with(|end: char| end.is_ascii_digit())
            && word.starts_with(|start: char| start.is_ascii_digit())
        {
            out.push('_');
        }
        let mut letters = word.chars();
        out.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        out.push_str(letters.as_str());
    }
    out
}

/// The identifier of a field, an argument or a method.
pub fn field(text: &str) -> String {
    let mut name = ascii(&snake(text));
    if name.is_empty() {
        name = ascii(&snake(&spelled(text)));
    }
    match name {
        name if name.is_empty() => "empty".to_owned(),
        name if name.starts_with(|start: char| start.is_ascii_digit()) => format!("_{name}"),
        name if KEYWORDS.contains(&name.as_str()) => format!("r#{name}"),
        name if PATHS.contains(&name.as_str()) => format!("{name}_"),
        name => name,
    }
}

/// The identifier of a module: a field's.
pub fn module(text: &str) -> String {
    field(text)
}

/// The identifier of a type or of the variant of an enum.
pub fn type_name(text: &str) -> String {
    let mut name = ascii(&pascal(text));
    if name.is_empty() {
        name = ascii(&pascal(&spelled(text)));
    }
    match name {
        name if name.is_empty() => "Empty".to_owned(),
        name if name.starts_with(|start: char| start.is_ascii_digit()) => format!("V{name}"),
        name if PATHS.contains(&name.as_str()) => format!("{name}_"),
        name => name,
    }
}

/// Letters outside ASCII are allowed in identifiers and a nuisance in them.
fn ascii(name: &str) -> String {
    name.chars().filter(char::is_ascii).collect()
}

/// Identifiers of the fields of one object, all different; the first of two that meet keeps the plain one.
pub fn fields<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    distinct(names, &[], field)
}

/// Identifiers of the words of one set, all different and none of them `Unknown`.
pub fn variants<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    distinct(words, &["Unknown"], |word| match type_name(word) {
        name if name == "Unknown" => "UnknownWord".to_owned(),
        name => name,
    })
}

fn distinct<'a>(
    spellings: impl IntoIterator<Item = &'a str>,
    taken: &[&str],
    identifier: impl Fn(&str) -> String,
) -> Vec<String> {
    let mut taken: BTreeSet<String> = taken.iter().map(|&name| name.to_owned()).collect();
    let mut out = Vec::new();
    for text in spellings {
        let case = match text {
            _ if text.chars().any(char::is_uppercase) && text.chars().any(char::is_lowercase) => "mixed",
            _ if text.chars().any(char::is_uppercase) => "upper",
            _ => "lower",
        };
        let candidates = [text.to_owned(), spelled(text), format!("{} {case}", spelled(text))];
        let numbered = (2..).map(|number| format!("{text} {number}"));
        let name = candidates.into_iter().chain(numbered).map(|text| identifier(&text));
        // The numbers never end, so there always is one.
        let name = name.into_iter().find(|name| !taken.contains(name)).unwrap_or_default();
        taken.insert(name.clone());
        out.push(name);
    }
    out
}

/// What serde calls a field with this identifier.
pub fn serde_name(identifier: &str) -> &str {
    identifier.strip_prefix("r#").unwrap_or(identifier)
}

/// The provider's category of an operation: a cargo feature, a module of models.
pub fn category(operation: &Operation) -> String {
    let category = operation.category.as_deref();
    kebab(category.unwrap_or_else(|| {
        match segments(operation).and_then(|op| op.split_once('/').or_else(|| op.split_once('.'))) {
            Some((category, _)) => category,
            None => first_of_path(operation),
        }
    }))
}

/// The module and the type of an operation's endpoint: all but the last segment of its name are the module. Where the name
/// has but one segment, or is a method and a path (`GET /pets/{id}`), the module is the category.
pub fn operation_name(operation: &Operation) -> (String, String) {
    let split = segments(operation).and_then(|op| op.rsplit_once('/').or_else(|| op.rsplit_once('.')));
    let (path, last) = split.unwrap_or_else(|| {
        (operation.category.as_deref().unwrap_or_else(|| first_of_path(operation)), operation.op.as_str())
    });
    (module(path), type_name(last))
}

/// The name of an operation that has one of its own.
fn segments(operation: &Operation) -> Option<&str> {
    (!operation.op.contains(' ')).then_some(operation.op.as_str())
}

/// What stands for the category of an operation that has neither that nor a name with segments: `pets` of
/// `/v1/pets/{id}`.
fn first_of_path(operation: &Operation) -> &str {
    let is_version = |part: &str| {
        part.strip_prefix('v').is_some_and(|rest| rest.starts_with(|start: char| start.is_ascii_digit()))
    };
    let mut parts = operation.path.split('/').filter(|part| !part.is_empty() && !part.starts_with('{'));
    // `api` would be the name of the module that all the others are in.
    parts.find(|part| *part != "api" && !is_version(part)).unwrap_or("root")
}

/// Plurals that no rule meets.
const PLURALS: &[(&str, &str)] = &[
    ("people", "person"),
    ("children", "child"),
    ("indices", "index"),
    ("vertices", "vertex"),
    ("caches", "cache"),
    ("aliases", "alias"),
    ("series", "series"),
    ("movies", "movie"),
    ("dependencies", "dependency"),
    ("uses", "use"),
    ("causes", "cause"),
    ("pauses", "pause"),
    ("news", "news"),
    ("cookies", "cookie"),
];

/// One of many, for English words in small letters: `labels` is `label`, `branches` is `branch`; `data` stays.
pub fn singular(word: &str) -> String {
    if let Some((_, one)) = PLURALS.iter().find(|(many, _)| *many == word) {
        return (*one).to_owned();
    }
    let ends = |ending: &str| word.len() > ending.len() + 1 && word.ends_with(ending);
    let cut = |letters: usize| word[..word.len() - letters].to_owned();
    if ends("ies") {
        return cut(3) + "y";
    }
    if ["sses", "shes", "ches", "xes", "uses"].into_iter().any(ends) {
        return cut(2);
    }
    if ends("s") && !["ss", "us", "is"].into_iter().any(ends) {
        return cut(1);
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn spellings_of_all_providers_are_cut_into_words() {
        let cases = [
            ("simple-user", "simple_user", "SimpleUser"),
            ("html_url", "html_url", "HtmlUrl"),
            ("htmlURL", "html_url", "HtmlUrl"),
            ("JQLQueryBean", "jql_query_bean", "JqlQueryBean"),
            ("issueIDs", "issue_ids", "IssueIds"),
            ("userIDsOrKeys", "user_ids_or_keys", "UserIdsOrKeys"),
            ("chat.postMessage", "chat_post_message", "ChatPostMessage"),
            ("_links", "links", "Links"),
            ("image_24", "image_24", "Image24"),
            ("sha256", "sha256", "Sha256"),
            ("x509Cert", "x509_cert", "X509Cert"),
            ("won't fix", "wont_fix", "WontFix"),
            ("application/vnd.github+json", "application_vnd_github_json", "ApplicationVndGithubJson"),
        ];
        for (text, small, capital) in cases {
            assert_eq!((snake(text).as_str(), pascal(text).as_str()), (small, capital), "{text}");
        }
        assert_eq!(kebab("Issue comments"), "issue-comments");
    }

    #[test]
    fn fields_are_identifiers() {
        let cases = [
            ("type", "r#type"),
            ("gen", "r#gen"),
            ("self", "self_"),
            ("crate", "crate_"),
            ("+1", "plus_one"),
            ("-1", "minus_one"),
            ("2fa", "_2fa"),
            ("@type", "r#type"),
            ("$ref", "r#ref"),
            ("created-at", "created_at"),
            ("files.max", "files_max"),
            ("*", "star"),
            ("", "empty"),
            ("größe", "gre"),
        ];
        for (text, expected) in cases {
            assert_eq!(field(text), expected, "{text}");
        }
        assert_eq!(serde_name("r#type"), "type");
    }

    #[test]
    fn fields_that_would_meet_stay_apart() {
        assert_eq!(fields(["a-b", "a_b", "aB", "AB"]), ["a_b", "a_underscore_b", "a_b_mixed", "ab"]);
        assert_eq!(fields(["links", "_links"]), ["links", "underscore_links"]);
    }

    #[test]
    fn words_are_variants() {
        assert_eq!(
            variants([
                "", "+1", "-1", "2.0", "20", "*", "self", "unknown", "c", "c++", "C#", "-created", "created"
            ]),
            [
                "Empty",
                "PlusOne",
                "MinusOne",
                "V2_0",
                "V20",
                "Star",
                "Self_",
                "UnknownWord",
                "C",
                "CPlusPlus",
                "CHash",
                "MinusCreated",
                "Created"
            ]
        );
        assert_eq!(variants(["=", "!=", ">="]), ["Equal", "NotEqual", "GreaterEqual"]);
    }

    #[test]
    fn words_that_would_meet_stay_apart() {
        assert_eq!(
            variants(["open", "Open", "OPEN", "oPEN", "not-set", "not_set"]),
            ["Open", "OpenMixed", "OpenUpper", "OPen", "NotSet", "NotUnderscoreSet"]
        );
    }

    #[test]
    fn operations_have_a_module_and_a_type() {
        let cases = [
            ("issues/list-for-repo", None, ("issues", "ListForRepo"), "issues"),
            ("chat.postMessage", None, ("chat", "PostMessage"), "chat"),
            ("admin.apps.config.set", None, ("admin_apps_config", "Set"), "admin"),
            ("addComment", Some("Issue comments"), ("issue_comments", "AddComment"), "issue-comments"),
        ];
        for (op, given, (module, name), feature) in cases {
            let operation =
                Operation { op: op.to_owned(), category: given.map(str::to_owned), ..Operation::default() };
            assert_eq!(operation_name(&operation), (module.to_owned(), name.to_owned()), "{op}");
            assert_eq!(category(&operation), feature, "{op}");
        }
    }

    #[test]
    fn operations_without_a_name_are_called_by_method_and_path() {
        let cases = [
            ("GET /pets/{id}", Some("Pets"), ("pets", "GetPetsId"), "pets"),
            ("POST /pets", Some("Pet shop"), ("pet_shop", "PostPets"), "pet-shop"),
            ("GET /v2/pets/{id}/toys", None, ("pets", "GetV2PetsIdToys"), "pets"),
            ("GET /api/v1/files.list", None, ("files_list", "GetApiV1FilesList"), "files-list"),
            ("GET /{id}", None, ("root", "GetId"), "root"),
        ];
        for (op, given, (module, name), feature) in cases {
            let operation = Operation {
                op: op.to_owned(),
                path: op.split_once(' ').unwrap().1.to_owned(),
                category: given.map(str::to_owned),
                ..Operation::default()
            };
            assert_eq!(operation_name(&operation), (module.to_owned(), name.to_owned()), "{op}");
            assert_eq!(category(&operation), feature, "{op}");
        }
    }

    #[test]
    fn one_of_many_is_singular() {
        let cases = [
            ("labels", "label"),
            ("branches", "branch"),
            ("repositories", "repository"),
            ("statuses", "status"),
            ("licenses", "license"),
            ("releases", "release"),
            ("addresses", "address"),
            ("caches", "cache"),
            ("boxes", "box"),
            ("sizes", "size"),
            ("status", "status"),
            ("analysis", "analysis"),
            ("access", "access"),
            ("data", "data"),
            ("files", "file"),
            ("types", "type"),
        ];
        for (many, one) in cases {
            assert_eq!(singular(many), one);
        }
    }
}
