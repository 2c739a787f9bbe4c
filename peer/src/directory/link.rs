//! The header `Link` (RFC 8288, 3): where the page behind this one is. Whether one goes there is for `list`.

/// The target of the first link in a header's value whose relation is `next`.
///
/// A link with an `anchor` speaks of another page than this one; what is malformed ends the search.
pub(super) fn next_page(value: &str) -> Option<&str> {
    let mut rest = value;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (target, parameters) = rest.strip_prefix('<')?.split_once('>')?;
        let (is_next, behind) = is_next(parameters)?;
        if is_next {
            return Some(target);
        }
        rest = behind;
    }
}

/// Whether a link's parameters make it the next page, and what stands behind the link.
fn is_next(mut rest: &str) -> Option<(bool, &str)> {
    let (mut relation, mut anchored) = (None, false);
    loop {
        rest = blank(rest);
        let Some(parameter) = rest.strip_prefix(';') else { break };
        let (name, behind) = token(blank(parameter));
        rest = blank(behind);
        let mut value = String::new();
        if let Some(given) = rest.strip_prefix('=') {
            (value, rest) = value_of(blank(given))?;
        }
        anchored |= name.eq_ignore_ascii_case("anchor");
        // RFC 8288, 3.3: only the first one counts.
        if name.eq_ignore_ascii_case("rel") && relation.is_none() {
            relation = Some(value);
        }
    }
    let is_next = relation.is_some_and(|relation| {
        relation.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("next"))
    });
    (rest.is_empty() || rest.starts_with(',')).then_some((is_next && !anchored, rest))
}

/// A token, or a quoted string without its quotes and escapes; and what stands behind it.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, behind) = token(text);
        return Some((value.to_owned(), behind));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}

fn token(text: &str) -> (&str, &str) {
    let end = text.find([';', ',', '=', ' ', '\t', '"', '<', '>']).unwrap_or(text.len());
    text.split_at(end)
}

fn blank(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_next_page_is_found_among_others() {
        for value in [
            "</peers?after=rui>; rel=\"next\"",
            "</peers?after=rui>;rel=next",
            "</peers?after=rui> ; REL = \"Next\"",
            "</peers?after=rui>; title=\"a, b; c\\\" <x>\"; rel=\"last next\"",
            "</peers>; rel=first, </peers?after=rui>; rel=next; x, </other>; rel=next",
            ",, </peers>; rel=\"prev\" ,\t</peers?after=rui>; rel=next; rel=last",
        ] {
            assert_eq!(next_page(value), Some("/peers?after=rui"), "{value}");
        }
    }

    #[test]
    fn what_is_no_next_page_is_none() {
        for value in [
            "",
            "</peers>",
            "</peers>; rel=prev",
            "</peers>; rel=prev; rel=next",
            "</peers>; rel=nextdoor",
            "</peers>; title=next",
            "</peers>; anchor=\"/other\"; rel=next",
            "/peers; rel=next",
            "</peers; rel=next",
            "</peers>; rel=\"next",
            "</peers>; rel=\"next\\",
            "</peers>; rel=\"next\"x",
            "</peers> rel=next",
        ] {
            assert_eq!(next_page(value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_value_is_read_to_an_end(value in "[<>;,=\"\\\\ relnxtéa]{0,40}") {
            let _ = next_page(&value);
        }

        #[test]
        fn any_target_is_found(target in "[^<>]*", before in "[a-z]{1,8}") {
            let value = format!("</x>; rel=\"{before}-\", <{target}>; rel=next");
            prop_assert_eq!(next_page(&value), Some(target.as_str()));
        }
    }
}
