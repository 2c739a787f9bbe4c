//! Why something came to nothing, told in English by the rooms (`reason!`): it is kept with a message, logged, and
//! given to programs as it is. For people who read Portuguese it is recognised by the English catalogue, of which each line
//! is the shape of one reason, and said by the other. What others wrote inside a reason stays as they wrote it.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentValue};
use protocol::Slug;

use super::catalogue::{english, find};
use super::program::packaged;
use super::{Language, language, tr};

/// The variable that holds what is a reason itself.
const INNER: &str = "why";

/// One shape: literal texts with variables between them.
struct Shape {
    id: &'static str,
    /// What stands before the first variable.
    begin: &'static str,
    /// Each variable with what stands behind it.
    rest: Vec<(&'static str, &'static str)>,
}

/// The most particular first: those with most letters of their own.
static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let mut shapes: Vec<Shape> = english("reason").lines().filter_map(shape).collect();
    shapes.sort_by_key(|shape| std::cmp::Reverse(shape.letters()));
    shapes
});

/// A reason in the language of this process; whatever else it is, as it is.
#[must_use]
pub fn translated(reason: &str) -> String {
    if language() == Language::English && !packaged() {
        return reason.to_owned();
    }
    recognised(reason)
        .and_then(|(id, arguments)| find(id, Some(&arguments)))
        .unwrap_or_else(|| reason.to_owned())
}

/// Why a message to somebody came to nothing, in the language of this process: what their peer said against it is told
/// as its answer, lest it be taken for something about this peer.
#[must_use]
pub fn of_message(to: &str, reason: &str) -> String {
    let Some((_, said)) =
        reason.split_once(": ").filter(|(slug, _)| Slug::ALL.iter().any(|known| known.word() == *slug))
    else {
        return translated(reason);
    };
    let said = if language() == Language::English { said.to_owned() } else { translated(reason) };
    tr!("listing-peer-answered", name = to, said = said)
}

/// The key that answers where the recipient's was expected, if that is the reason.
#[must_use]
pub fn other_key(reason: &str) -> Option<&str> {
    let why = within("reason-not-the-recipient", INNER, reason)?;
    within("reason-other-key", "presented", why)
}

/// Whether the recipient's address does not answer at all.
#[must_use]
pub fn is_no_answer(reason: &str) -> bool {
    within("reason-no-answer", INNER, reason).is_some()
}

/// What a variable stands for in a reason, if it is this one.
fn within<'a>(id: &str, variable: &str, reason: &'a str) -> Option<&'a str> {
    let shape = SHAPES.iter().find(|shape| shape.id == id)?;
    let taken = shape.taken_from(reason)?;
    taken.into_iter().find_map(|(name, value)| (name == variable).then_some(value))
}

/// Which reason it is, and what is in it.
pub(super) fn recognised(reason: &str) -> Option<(&'static str, FluentArgs<'static>)> {
    SHAPES.iter().find_map(|shape| {
        let mut arguments = FluentArgs::new();
        for (name, value) in shape.taken_from(reason)? {
            let value = if name == INNER { translated(value) } else { value.to_owned() };
            arguments.set(name, FluentValue::from(value));
        }
        Some((shape.id, arguments))
    })
}

/// A line of the catalogue.
fn shape(line: &'static str) -> Option<Shape> {
    let (id, text) = line.split_once(" = ")?;
    let mut parts = text.split("{ $");
    let begin = parts.next()?;
    let rest = parts.map(|part| part.split_once(" }")).collect::<Option<_>>()?;
    Some(Shape { id, begin, rest })
}

impl Shape {
    fn letters(&self) -> usize {
        self.begin.len() + self.rest.iter().map(|(_, text)| text.len()).sum::<usize>()
    }

    /// What the variables stand for in a text, if it has this shape.
    fn taken_from<'a>(&self, text: &'a str) -> Option<Vec<(&'static str, &'a str)>> {
        let mut left = text.strip_prefix(self.begin)?;
        let mut taken = Vec::new();
        for (at, (name, behind)) in self.rest.iter().enumerate() {
            let last = at + 1 == self.rest.len();
            let value = if last { left.strip_suffix(behind)? } else { left.split_once(behind)?.0 };
            left = &left[value.len() + behind.len()..];
            taken.push((*name, value));
        }
        (left.is_empty() && taken.iter().all(|(_, value)| !value.is_empty())).then_some(taken)
    }
}
