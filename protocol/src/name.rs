//! A name: what a peer is called. One type on both sides of every API, so that what looks the same is the same.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::{PrecisFastInvocation as _, Rules as _};
use serde::{Deserialize, Serialize};
use unicode_security::RestrictionLevel;
use unicode_security::restriction_level::RestrictionLevelDetection as _;

/// A name of 1 to 64 characters in its one spelling: RFC 8265 `UsernameCaseMapped`, then UTS #39 "highly restrictive".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(Arc<str>);

/// The most characters that a name may have.
pub const LONGEST: usize = 64;
/// No name is longer than this before it is normalised: four bytes a character, and room for combining marks.
const LONGEST_INPUT_BYTES: usize = 1024;
/// These stand for something in paths, addresses, links and lists of names.
const RESERVED: &[char] = &['/', '\\', ':', '@', '?', '#', '%', ','];
/// RFC 8264, section 7: a profile that has not settled after so many applications refuses the string.
const APPLICATIONS: usize = 4;

/// Why a text is not a name, in words for whoever typed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is left of it.
    #[error("a name has at least one character")]
    Empty,
    /// More than 64 characters.
    #[error("a name has at most {LONGEST} characters")]
    TooLong,
    /// One of the characters that mean something elsewhere.
    #[error("a name cannot contain {0:?}")]
    Reserved(char),
    /// White space of any kind.
    #[error("a name cannot contain white space")]
    WhiteSpace,
    /// A control character.
    #[error("a name cannot contain control characters")]
    Control,
    /// `.` or `..`.
    #[error("\".\" and \"..\" are not names")]
    Dots,
    /// Refused by RFC 8265.
    #[error(
        "a name is made of letters, digits and simple marks, without symbols or mixed writing directions (RFC 8265)"
    )]
    NotAUsername,
    /// Refused by UTS #39.
    #[error(
        "a name cannot mix scripts that look alike or use characters that are not for identifiers (UTS #39)"
    )]
    LookAlike,
}

impl Name {
    /// The name as text, in its one spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Part of a name, as it would stand in one: width, case and composition are those of names. It need not be a name.
    #[must_use]
    pub fn fold(part: &str) -> String {
        let profile = UsernameCaseMapped::new();
        let folded = profile.width_mapping_rule(part);
        let folded = folded.and_then(|folded| profile.case_mapping_rule(folded));
        let folded = folded.and_then(|folded| profile.normalization_rule(folded));
        folded.map_or_else(|_| part.to_owned(), String::from)
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        refuse_plainly_bad(text)?;
        let mut name = UsernameCaseMapped::enforce(text).map_err(|_| NameError::NotAUsername)?.into_owned();
        for _ in 1..APPLICATIONS {
            let again = UsernameCaseMapped::enforce(name.as_str()).map_err(|_| NameError::NotAUsername)?;
            if again == name.as_str() {
                break;
            }
            name = again.into_owned();
        }
        // Width mapping turns look-alikes such as U+FF0F into the reserved characters themselves.
        refuse_plainly_bad(&name)?;
        if name.chars().count() > LONGEST {
            return Err(NameError::TooLong);
        }
        if !name.as_str().check_restriction_level(RestrictionLevel::HighlyRestrictive) {
            return Err(NameError::LookAlike);
        }
        Ok(Self(name.into()))
    }
}

fn refuse_plainly_bad(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > LONGEST_INPUT_BYTES {
        return Err(NameError::TooLong);
    }
    if text == "." || text == ".." {
        return Err(NameError::Dots);
    }
    for character in text.chars() {
        if RESERVED.contains(&character) {
            return Err(NameError::Reserved(character));
        }
        if character.is_whitespace() {
            return Err(NameError::WhiteSpace);
        }
        if character.is_control() {
            return Err(NameError::Control);
        }
    }
    Ok(())
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> Result<String, NameError> {
        text.parse::<Name>().map(String::from)
    }

    #[test]
    fn names_in_many_scripts_have_one_spelling() {
        for (typed, spelt) in [
            ("ana", "ana"),
            ("JOÃO", "joão"),
            ("joa\u{303}o", "joão"),
            ("ana.lima", "ana.lima"),
            ("worker-7", "worker-7"),
            ("太郎", "太郎"),
            ("ａｎａ", "ana"),
            ("Αθηνά", "αθηνά"),
            ("дмитрий", "дмитрий"),
            ("דוד", "דוד"),
            ("a_b", "a_b"),
        ] {
            assert_eq!(name(typed), Ok(spelt.to_owned()), "{typed:?}");
        }
    }

    #[test]
    fn what_is_no_name_says_why() {
        for (typed, why) in [
            ("", NameError::Empty),
            (".", NameError::Dots),
            ("..", NameError::Dots),
            ("．．", NameError::Dots),
            ("ana lima", NameError::WhiteSpace),
            ("ana\u{a0}lima", NameError::WhiteSpace),
            ("ana\u{3000}", NameError::WhiteSpace),
            ("a/b", NameError::Reserved('/')),
            ("a／b", NameError::Reserved('/')),
            ("a,b", NameError::Reserved(',')),
            ("a@b", NameError::Reserved('@')),
            ("a%b", NameError::Reserved('%')),
            ("a\u{1b}[2J", NameError::Control),
            ("a\u{0}", NameError::Control),
            ("a\u{202e}b", NameError::NotAUsername),
            ("a\u{200b}b", NameError::NotAUsername),
            ("ana\u{1f600}", NameError::NotAUsername),
            ("pаypal", NameError::LookAlike),
            ("ana!", NameError::LookAlike),
        ] {
            assert_eq!(name(typed), Err(why), "{typed:?}");
        }
        assert_eq!(name(&"a".repeat(65)), Err(NameError::TooLong));
        assert_eq!(name(&"太".repeat(64)), Ok("太".repeat(64)));
        assert_eq!(name(&"a".repeat(100_000)), Err(NameError::TooLong));
    }

    #[test]
    fn a_part_of_a_name_is_folded_as_the_whole_is() {
        for (typed, folded) in [
            ("JOÃ", "joã"),
            ("oa\u{303}", "oã"),
            ("Ａｎ", "an"),
            ("-7", "-7"),
            ("太", "太"),
            ("", ""),
            ("A b", "a b"),
        ] {
            assert_eq!(Name::fold(typed), folded, "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn a_name_folds_to_itself(text in "\\PC{1,70}") {
            if let Ok(name) = text.parse::<Name>() {
                prop_assert_eq!(Name::fold(name.as_str()), name.as_str());
            }
        }

        #[test]
        fn a_name_is_its_own_spelling(text in "\\PC{1,70}") {
            if let Ok(first) = text.parse::<Name>() {
                prop_assert_eq!(first.as_str().parse::<Name>(), Ok(first.clone()));
                let characters = first.as_str().chars().count();
                prop_assert!((1..=64).contains(&characters));
                prop_assert!(!first.as_str().contains(|c: char| RESERVED.contains(&c) || c.is_control() || c.is_whitespace()));
            }
        }

        #[test]
        fn case_never_tells_two_names_apart(text in "[a-zà-öø-ÿ0-9]{1,64}") {
            prop_assert_eq!(text.to_uppercase().parse::<Name>().ok(), text.parse::<Name>().ok());
        }
    }
}
