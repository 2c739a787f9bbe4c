//! A key in words that are hard to mistake for each other when they are spoken: the PGP word list.

use protocol::Fingerprint;

use super::language::tr;

/// Words in a row: a listener does not get lost, and the longest fit into 80 columns.
const IN_A_ROW: usize = 4;

/// The 32 words of a fingerprint.
pub(super) fn words(fingerprint: &Fingerprint) -> Vec<&str> {
    pgp_words::to_words(fingerprint.as_bytes())
}

/// The words as people are shown them, in rows, each with what stands before it.
pub(super) fn rows_of_words(fingerprint: Fingerprint) -> Vec<(String, String)> {
    let words = words(&fingerprint);
    let rows = words.chunks(IN_A_ROW).map(|row| row.join(" "));
    let title = |number| if number == 0 { tr!("whoami-in-words") } else { String::new() };
    rows.enumerate().map(|(number, row)| (title(number), row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fingerprint that descriptions of the list take as their example, and the ends of both columns.
    #[test]
    fn the_words_are_those_of_the_pgp_word_list() {
        let mut bytes = [0; 32];
        let example = [
            0xE5, 0x82, 0x94, 0xF2, 0xE9, 0xA2, 0x27, 0x48, 0x6E, 0x8B, 0x06, 0x1B, 0x31, 0xCC, 0x52, 0x8F,
            0xD7, 0xFA, 0x3F, 0x19,
        ];
        bytes[..example.len()].copy_from_slice(&example);
        bytes[30..].copy_from_slice(&[0xFF, 0xFF]);
        let fingerprint = Fingerprint::from_bytes(bytes);
        let words = words(&fingerprint);
        assert_eq!(words.len(), 32);
        assert_eq!(
            words[..20].join(" "),
            "topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa afflict bravado \
             chatter revolver Dupont midsummer stopwatch whimsical cowbell bottomless"
                .to_lowercase()
        );
        assert_eq!(words[20..22], ["aardvark", "adroitness"]);
        assert_eq!(words[30..], ["zulu", "yucatan"]);
    }

    #[test]
    fn people_are_shown_rows() {
        let rows = rows_of_words(Fingerprint::from_bytes([0; 32]));
        assert_eq!(rows.iter().filter(|(title, _)| title.is_empty()).count(), 7);
        assert!(rows.iter().all(|(_, row)| row.split(' ').count() == 4));
        assert_eq!(rows[0].0, "in words");
    }
}
