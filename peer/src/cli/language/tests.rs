//! Every message is in both languages and says what its calls give it; and which language is chosen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use fluent_syntax::parser;

use super::catalogue::{CATALOGUES, bundle, named, render};
use super::*;
use protocol::Slug;

/// Messages that are the same in both languages, and have letters all the same.
const ALIKE: &[&str] = &[];

/// What a message is, by what can be compared: the variables and the terms in it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Message {
    variables: BTreeSet<String>,
    terms: BTreeSet<String>,
    letters: String,
}

/// The messages of a file by their ids; its terms with their `-`.
fn messages(file: &str, source: &str) -> BTreeMap<String, Message> {
    let resource =
        parser::parse(source).unwrap_or_else(|(_, errors)| panic!("{file} does not parse: {errors:?}"));
    let mut messages = BTreeMap::new();
    for entry in resource.body {
        let (id, pattern) = match entry {
            Entry::Message(message) => (message.id.name.to_owned(), message.value),
            Entry::Term(term) => (format!("-{}", term.id.name), Some(term.value)),
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => continue,
            Entry::Junk { content } => panic!("{file} does not parse: {content}"),
        };
        let mut message = Message::default();
        read_pattern(&pattern.unwrap_or_else(|| panic!("{id} of {file} says nothing")), &mut message);
        assert!(messages.insert(id.clone(), message).is_none(), "{id} is in {file} twice");
    }
    messages
}

fn read_pattern(pattern: &Pattern<&str>, message: &mut Message) {
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { value } => message.letters.push_str(value),
            PatternElement::Placeable { expression } => read_expression(expression, message),
        }
    }
}

fn read_expression(expression: &Expression<&str>, message: &mut Message) {
    match expression {
        Expression::Inline(inline) => read_inline(inline, message),
        Expression::Select { selector, variants } => {
            read_inline(selector, message);
            for variant in variants {
                read_pattern(&variant.value, message);
            }
        }
    }
}

fn read_inline(inline: &InlineExpression<&str>, message: &mut Message) {
    match inline {
        InlineExpression::VariableReference { id } => drop(message.variables.insert(id.name.to_owned())),
        InlineExpression::TermReference { id, .. } => drop(message.terms.insert(id.name.to_owned())),
        InlineExpression::MessageReference { id, .. } => panic!("{} is no term", id.name),
        InlineExpression::FunctionReference { id, .. } => panic!("there is no function {}", id.name),
        InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. } => {}
        InlineExpression::Placeable { expression } => read_expression(expression, message),
    }
}

/// What the sources say by `tr!`: each id with what every one of its calls gives it.
fn said() -> Vec<(String, BTreeSet<String>)> {
    let mut said = Vec::new();
    for (_, source) in sources() {
        let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
        calls(&code.collect::<Vec<_>>().join("\n"), &mut said);
    }
    said
}

/// All files of this crate with their texts.
fn sources() -> Vec<(PathBuf, String)> {
    let mut sources = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                sources.push((path, source));
            }
        }
    }
    sources
}

fn calls(code: &str, said: &mut Vec<(String, BTreeSet<String>)>) {
    for (at, call) in code.match_indices(concat!("tr", "!(")) {
        // `include_str!` and its like end alike.
        if code[..at].ends_with(|before: char| before == '_' || before.is_alphanumeric()) {
            continue;
        }
        let Some(quoted) = code[at + call.len()..].trim_start().strip_prefix('"') else { continue };
        let Some((id, rest)) = quoted.split_once('"') else { continue };
        said.push((id.to_owned(), given(rest)));
    }
}

/// The names before the `=` of a call's further arguments: those that stand outside all brackets and strings.
fn given(rest: &str) -> BTreeSet<String> {
    let (mut names, mut depth, mut quoted, mut escaped) = (BTreeSet::new(), 0, false, false);
    let mut word = String::new();
    let mut begun = false;
    for character in rest.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => (begun, word) = (true, String::new()),
            '=' if depth == 0 && begun => {
                names.insert(word.trim().to_owned());
                begun = false;
            }
            other if begun && depth == 0 => word.push(other),
            _ => {}
        }
    }
    names
}

#[test]
fn every_message_is_in_both_languages_and_says_what_it_is_given() {
    let mut wrong = Vec::new();
    let said = said();
    assert!(said.len() > 10, "the sources were read");
    let mut known = BTreeMap::new();
    for catalogue in CATALOGUES.iter().filter(|catalogue| catalogue.file != "help") {
        let file = catalogue.file;
        let english = messages(&format!("en/{file}.ftl"), catalogue.english);
        let portuguese = messages(&format!("pt/{file}.ftl"), catalogue.portuguese);
        // The English help stands beside the flags, and a test of its own walks those.
        if file == "help" {
            continue;
        }
        for id in english.keys().chain(portuguese.keys()).collect::<BTreeSet<_>>() {
            if id.split('-').next() != Some(file) && !id.starts_with('-') {
                wrong.push(format!("{id} is in {file}.ftl, where nobody looks for it"));
            }
            let (Some(ours), Some(theirs)) = (english.get(id), portuguese.get(id)) else {
                wrong.push(format!("{id} is in one language only"));
                continue;
            };
            if (&ours.variables, &ours.terms) != (&theirs.variables, &theirs.terms) {
                wrong.push(format!("{id} says another thing in each language: {ours:?}, {theirs:?}"));
            }
            let has_letters = ours.letters.chars().any(char::is_alphabetic);
            if (has_letters && ours.letters == theirs.letters) != ALIKE.contains(&id.as_str()) {
                wrong.push(format!(
                    "{id} is the same in both languages, or is in the list of those without being it"
                ));
            }
        }
        known.extend(english.into_iter().filter(|(id, _)| !id.starts_with('-')));
    }
    for (id, given) in &said {
        match known.get(id) {
            None => wrong.push(format!("{id} is said, and in no catalogue")),
            Some(message) if message.variables != *given => {
                wrong.push(format!("{id} has {:?}, and is given {given:?}", message.variables));
            }
            Some(_) => {}
        }
    }
    let said: BTreeSet<&str> = said.iter().map(|(id, _)| id.as_str()).collect();
    // Reasons are looked for by what they say in English: see below.
    let unsaid = known.keys().filter(|id| !id.starts_with("reason-") && !said.contains(id.as_str()));
    wrong.extend(unsaid.map(|id| format!("{id} is said nowhere")));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The text literals that stand behind `before` in a source, as formatting would leave them with something in each place.
fn formatted(source: &str, before: &str) -> Vec<String> {
    let behind = source.match_indices(before).map(|(at, _)| source[at + before.len()..].trim_start());
    let literals = behind.filter_map(|behind| behind.strip_prefix('"')?.split_once('"'));
    literals.map(|(literal, _)| filled(literal)).collect()
}

fn filled(literal: &str) -> String {
    let mut pieces = literal.split('{');
    let begin = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(begin, |text, piece| text + "some(1)" + piece.split_once('}').map_or("", |(_, text)| text))
}

#[test]
fn every_reason_of_the_rooms_is_known_in_portuguese() {
    let bundle = bundle(Language::Portuguese, named("reason").unwrap().portuguese);
    let known = |reason: &str| {
        let (id, arguments) = reasons::recognised(reason)?;
        render(&bundle, id, Some(&arguments)).filter(|said| said != reason)
    };
    // Where errors are reasons as well.
    let errors = ["client/dial.rs", "client/verifier.rs", "directory.rs", "directory/frames.rs"];
    let mut told: Vec<String> = Slug::ALL.iter().map(|slug| format!("{}: some(1)", slug.word())).collect();
    for (path, source) in sources().iter().filter(|(path, _)| !path.ends_with("language/tests.rs")) {
        told.extend(formatted(source, concat!("reason", "!(")));
        if errors.iter().any(|file| path.ends_with(Path::new("src").join(file))) {
            told.extend(formatted(source, "#[error("));
        }
    }
    let told: Vec<&String> = told.iter().filter(|reason| *reason != "some(1): some(1)").collect();
    assert!(told.len() > Slug::ALL.len() + 40, "the sources were read: {told:#?}");
    let unknown: Vec<&&String> = told.iter().filter(|reason| known(reason).is_none()).collect();
    assert!(unknown.is_empty(), "without a line in locales/*/reason.ftl:\n{unknown:#?}");
    let expired = "the recipient was not reached in time";
    assert!(sources().iter().any(|(path, source)| path.ends_with("outbox.rs") && source.contains(expired)));
    assert!(known(expired).is_some());
}

#[test]
fn every_file_is_read() {
    let files: Vec<&str> = CATALOGUES.iter().map(|catalogue| catalogue.file).collect();
    assert!(files.is_sorted(), "a file is looked for by halves");
    for language in ["en", "pt"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales").join(language);
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let names: BTreeSet<String> =
            names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        assert!(names.iter().eq(files.iter().copied()), "{language} has {names:?}");
    }
}

#[test]
fn integers_choose_plurals_and_all_else_is_shown() {
    let source = "a-b = { $count ->\n    [one] one of {$name}\n   *[other] {$count} of {$name}\n}";
    for (language, none) in [(Language::English, "0 of 5"), (Language::Portuguese, "0 of 5")] {
        let bundle = bundle(language, source);
        let said = |count: u32| {
            let mut arguments = FluentArgs::new();
            arguments.set("count", Given(&count).value());
            arguments.set("name", (&Given(&"5")).value());
            render(&bundle, "a-b", Some(&arguments)).unwrap()
        };
        assert_eq!(
            (said(0).as_str(), said(1).as_str(), said(70_000).as_str()),
            (none, "one of 5", "70000 of 5")
        );
    }
}

#[test]
fn the_locale_decides() {
    for (all, messages, lang, language) in [
        ("", "", "pt_PT.UTF-8", Language::Portuguese),
        ("", "", "pt_BR", Language::Portuguese),
        ("", "pt", "en_GB.UTF-8", Language::Portuguese),
        ("C", "pt_PT", "pt_PT", Language::English),
        ("", "", "ptx", Language::English),
        ("", "", "", Language::English),
    ] {
        assert_eq!(of_locales([all, messages, lang].map(str::to_owned)), language);
    }
}

#[test]
fn a_flag_is_known_before_anything_is_parsed() {
    for (line, word) in [
        ("peer --lang pt inbox", Some("pt")),
        ("peer inbox --lang=pt", Some("pt")),
        ("peer inbox --lang=pt --lang en", Some("en")),
        ("peer send rui -- --lang=pt", None),
        ("peer inbox --language pt", None),
        ("peer inbox --lang", None),
        ("peer inbox", None),
    ] {
        let words: Vec<_> = line.split(' ').map(OsString::from).collect();
        assert_eq!(written(&words, "--lang"), word, "{line}");
    }
}

#[test]
fn what_the_other_side_said_is_told_as_its_answer_and_another_key_is_found() {
    let said = reasons::of_message("rui", "storage-full: This peer's disk is full.");
    assert_eq!(said, "rui's peer answered: This peer's disk is full.");
    assert_eq!(reasons::of_message("rui", "rui is offline"), "rui is offline");
    let other = "https://192.0.2.7:7101 is not the recipient: it has the key abc, where def was expected";
    assert_eq!((reasons::other_key(other), reasons::is_no_answer(other)), (Some("abc"), false));
    let none = "no answer from https://192.0.2.7:7101: it did not answer in time";
    assert_eq!((reasons::other_key(none), reasons::is_no_answer(none)), (None, true));
}
