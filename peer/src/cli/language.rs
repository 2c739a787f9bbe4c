//! The words of the menu, in English and Portuguese. Everything else speaks English for now.

/// What the menu says.
pub struct Words {
    /// The choices, one a line.
    pub choices: &'static str,
    /// Asks for a choice.
    pub prompt: &'static str,
    /// Answers a choice that is none.
    pub unknown_choice: &'static str,
    /// Asks for the name of this peer.
    pub own_name: &'static str,
    /// Asks for recipients.
    pub to: &'static str,
    /// Asks for the text.
    pub text: &'static str,
    /// There are no messages to list.
    pub no_messages: &'static str,
    /// Only the end of a long list is shown.
    pub only_the_last: &'static str,
    /// Precedes who this peer is and where it listens.
    pub you_are: &'static str,
    /// Another process runs the peer.
    pub runs_already: &'static str,
    /// Precedes what came in while the menu waited.
    pub arrived: &'static str,
    /// The last word.
    pub goodbye: &'static str,
}

const ENGLISH: Words = Words {
    choices: "1) Send a message\n2) List messages\n3) List peers\n0) Quit",
    prompt: "> ",
    unknown_choice: "Please type 1, 2, 3 or 0.",
    own_name: "Your name: ",
    to: "To: ",
    text: "Text: ",
    no_messages: "No messages yet.",
    only_the_last: "The last 20; `peer history` shows all.",
    you_are: "You are",
    runs_already: "This peer runs in another process; this menu uses it.",
    arrived: "New:",
    goodbye: "Goodbye.",
};

const PORTUGUESE: Words = Words {
    choices: "1) Enviar uma mensagem\n2) Listar mensagens\n3) Listar pares\n0) Sair",
    prompt: "> ",
    unknown_choice: "Escreva 1, 2, 3 ou 0.",
    own_name: "O seu nome: ",
    to: "Para: ",
    text: "Texto: ",
    no_messages: "Ainda não há mensagens.",
    only_the_last: "As últimas 20; `peer history` mostra todas.",
    you_are: "Este é",
    runs_already: "Este par já corre noutro processo; este menu usa-o.",
    arrived: "Nova:",
    goodbye: "Até logo.",
};

/// The words for the locale of the environment.
#[must_use]
pub fn words() -> &'static Words {
    words_for(["LC_ALL", "LC_MESSAGES", "LANG"].map(|variable| std::env::var(variable).unwrap_or_default()))
}

/// POSIX: the first of the three that is set decides.
fn words_for(locales: [String; 3]) -> &'static Words {
    let locale = locales.into_iter().find(|locale| !locale.is_empty()).unwrap_or_default();
    let language = locale.split(['_', '.', '@', '-']).next().unwrap_or_default();
    if language.eq_ignore_ascii_case("pt") { &PORTUGUESE } else { &ENGLISH }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_decides() {
        for (all, messages, lang, to) in [
            ("", "", "pt_PT.UTF-8", "Para: "),
            ("", "", "pt_BR", "Para: "),
            ("", "pt", "en_GB.UTF-8", "Para: "),
            ("C", "pt_PT", "pt_PT", "To: "),
            ("", "", "ptx", "To: "),
            ("", "", "", "To: "),
        ] {
            assert_eq!(words_for([all, messages, lang].map(str::to_owned)).to, to);
        }
    }
}
