//! The catalogues: which files there are, and a message of one of them. A file is parsed when its first message is said,
//! so that a command which is soon done pays for what it says.

use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};

use super::program::renamed;
use super::{Language, language};

/// The messages of one file, in both languages.
pub(super) struct Catalogue {
    pub(super) file: &'static str,
    pub(super) english: &'static str,
    pub(super) portuguese: &'static str,
    in_english: OnceLock<FluentBundle<FluentResource>>,
    in_portuguese: OnceLock<FluentBundle<FluentResource>>,
}

macro_rules! catalogues {
    ($($file:literal,)*) => {
        /// By the alphabet.
        pub(super) static CATALOGUES: [Catalogue; [$($file),*].len()] = [$(Catalogue {
            file: $file,
            english: include_str!(concat!("../../../locales/en/", $file, ".ftl")),
            portuguese: include_str!(concat!("../../../locales/pt/", $file, ".ftl")),
            in_english: OnceLock::new(),
            in_portuguese: OnceLock::new(),
        },)*];
    };
}

catalogues![
    "add", "block", "clock", "config", "confirm", "contact", "contacts", "delete", "demo", "doctor",
    "errors", "exit", "export", "faults", "forget", "help", "hook", "import", "invite", "language",
    "listing", "man", "menu", "online", "output", "part", "prune", "reason", "retry", "search", "send",
    "sent", "serve", "state", "suggest", "trust", "unblock", "usage", "watch", "whoami",
];

/// The message with that id, in the language of this process.
#[must_use]
pub fn find(id: &str, arguments: Option<&FluentArgs<'_>>) -> Option<String> {
    let file = id.split('-').next().unwrap_or_default();
    let catalogue = named(file)?;
    let language = language();
    let (read, source) = match language {
        Language::English => (&catalogue.in_english, catalogue.english),
        Language::Portuguese => (&catalogue.in_portuguese, catalogue.portuguese),
    };
    render(read.get_or_init(|| bundle(language, source)), id, arguments)
}

pub(super) fn bundle(language: Language, source: &str) -> FluentBundle<FluentResource> {
    // Plurals of Portuguese as they are written in both countries: the rules of `pt` alone say "0 mensagem".
    let rules = match language {
        Language::English => "en",
        Language::Portuguese => "pt-PT",
    };
    let mut bundle = FluentBundle::new_concurrent(vec![rules.parse().unwrap_or_default()]);
    // They would stand between characters in a terminal, where text is copied from.
    bundle.set_use_isolating(false);
    // What is wrong in a file of ours a test tells.
    let resource = FluentResource::try_new(renamed(source).into_owned()).unwrap_or_else(|(sound, _)| sound);
    bundle.add_resource_overriding(resource);
    bundle
}

pub(super) fn render(
    bundle: &FluentBundle<FluentResource>,
    id: &str,
    arguments: Option<&FluentArgs<'_>>,
) -> Option<String> {
    let pattern = bundle.get_message(id)?.value()?;
    Some(bundle.format_pattern(pattern, arguments, &mut Vec::new()).into_owned())
}

/// The English catalogue of that file, as it is written.
pub(super) fn english(file: &str) -> &'static str {
    named(file).map_or("", |catalogue| catalogue.english)
}

pub(super) fn named(file: &str) -> Option<&'static Catalogue> {
    let at = CATALOGUES.binary_search_by(|catalogue| catalogue.file.cmp(file)).ok()?;
    CATALOGUES.get(at)
}
