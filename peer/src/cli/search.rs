use std::io::Write as _;

use clap::Args;
use protocol::Name;

use super::exit::{Exit, Failure};
use super::language::tr;
use super::listing::Listing;
use super::output::Output;
use super::part::Part;
use super::progress::Progress;
use super::{Global, listing};
use crate::conversations::words::{NoPattern, Pattern, SearchError};
use crate::conversations::{Conversations, Direction, Query};
use crate::database::Fault;

/// Find messages by their words
///
/// In everything that is kept, both ways, oldest first. All of the words have to be in a message, in any order, each as a whole;
/// case and accents do not matter: `reuniao` finds "Reunião". What is typed is taken as it is: nothing in it means anything.
///
/// A word is letters and digits next to each other; everything else stands between words, so that `ana@lima` is two that have
/// to be next to each other. What has neither letters nor digits (🎉, %), and what is written without blanks, as Chinese and
/// Japanese are, is looked for as it stands, anywhere in the text. Accents are those of Latin letters: ё, ß, ø and ligatures are
/// letters of their own.
///
/// With --query it is a query of SQLite's FTS5: AND, OR, NOT, NEAR(a b, 5), "a phrase", begin*.
#[derive(Args)]
#[command(before_help = "Examples:
  peer search lunch saturday
  peer search report --from ana --since 2026-10 --before 2026-11
  peer search --query 'meet* NOT cancelled' --limit 5")]
pub struct Search {
    /// The words
    #[arg(value_name = "WORDS", required = true)]
    words: Vec<String>,
    /// Take WORDS as a query in FTS5's language
    #[arg(long)]
    query: bool,
    /// Only what was received from this name
    #[arg(long, value_name = "NAME", conflicts_with_all = ["to", "with"])]
    from: Option<Name>,
    /// Only what was sent to this name
    #[arg(long, value_name = "NAME", conflicts_with = "with")]
    to: Option<Name>,
    /// Only with this name on the other side
    #[arg(long, value_name = "NAME")]
    with: Option<Name>,
    #[command(flatten)]
    part: Part,
}

impl Search {
    pub(super) async fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let typed = self.words.join(" ");
        let pattern = if self.query {
            Pattern::query(&typed)
        } else {
            Pattern::words(&typed).map_err(|nothing| match nothing {
                NoPattern::Blank => Failure::usage(tr!("search-blank")).hint(tr!("search-blank-hint")),
                NoPattern::TooMany => {
                    let failure = Failure::usage(tr!("search-too-many", most = Pattern::MOST));
                    failure.hint(tr!("search-too-many-hint"))
                }
            })?
        };
        let direction = match (&self.from, &self.to) {
            (Some(_), _) => Some(Direction::Received),
            (_, Some(_)) => Some(Direction::Sent),
            _ => None,
        };
        let partner = self.from.or(self.to).or(self.with);
        let trust = listing::trust(false, partner.as_ref());
        let conversations = global.open()?.conversations;
        self.part.show(output);
        let query = self.part.of(Query { direction, partner, trust, ..Query::default() }, &conversations)?;
        bring_in(&conversations).await?;
        let found = conversations.search(&query, &pattern).map_err(|error| match error {
            SearchError::Query(why) => {
                Failure::usage(tr!("search-bad-query", why = why)).hint(tr!("search-bad-query-hint"))
            }
            SearchError::Fault(fault) => fault.into(),
        })?;
        if found.is_empty() && !output.json {
            // Who writes a query, or asks for a part only, may have asked for nothing else.
            let may_be_the_words = !self.query && query.since.is_none() && query.before.is_none();
            let said = if may_be_the_words { tr!("search-nothing-whole") } else { tr!("search-nothing") };
            super::output::note(&said);
        }
        let mut listing = Listing::at_once(output);
        for position in found {
            if let Some(entry) = conversations.at(position)? {
                listing.take(entry, output)?;
            }
        }
        listing.end(output)?;
        output.flush()?;
        Ok(Exit::Done)
    }
}

/// Has what was not ready to be searched made ready, though not what comes in meanwhile: what is not ready is read.
async fn bring_in(conversations: &Conversations) -> Result<(), Failure> {
    let mut left = conversations.unindexed()?;
    let progress = Progress::new(Some(left), tr!("search-progress"));
    while left > 0 {
        let texts = match conversations.index().await {
            // Reading needs no room.
            Err(Fault::Full | Fault::Unavailable(_)) => 0,
            indexed => indexed? as u64,
        };
        if texts == 0 {
            break;
        }
        progress.step(texts);
        left = left.saturating_sub(texts);
    }
    Ok(())
}
