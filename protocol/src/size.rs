//! Sizes as flags write them, the same for both programs: `16KiB`, `1MiB`, or plain bytes.

use std::fmt;
use std::str::FromStr;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub usize);

/// The text is not a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a size such as 16KiB, 1MiB or 4096, more than zero")]
pub struct SizeError;

const UNITS: [(&str, usize); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let with_unit = UNITS.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)));
        let (number, unit) = with_unit.unwrap_or((text, 1));
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number: usize = number.parse().ok().filter(|number| digits && *number > 0).ok_or(SizeError)?;
        number.checked_mul(unit).map(Self).ok_or(SizeError)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, bytes)| self.0 >= *bytes && self.0.is_multiple_of(*bytes)) {
            Some((unit, bytes)) => write!(f, "{}{unit}", self.0 / bytes),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_are_binary_and_bounds_hold() {
        for (text, bytes) in
            [("1", 1), ("4096", 4096), ("16KiB", 16 << 10), ("1MiB", 1 << 20), ("2GiB", 2 << 30)]
        {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for bad in
            ["", "0", "0KiB", "KiB", "1KB", "1kib", "+1", "-1", "1.5KiB", "1 KiB", "99999999999999999999"]
        {
            assert_eq!(bad.parse::<Size>(), Err(SizeError), "{bad}");
        }
        assert_eq!("99999999999999999GiB".parse::<Size>(), Err(SizeError));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(bytes in 1_usize.., unit in 0_u32..31) {
            let size = Size((bytes >> unit << unit).max(1));
            prop_assert_eq!(size.to_string().parse(), Ok(size));
        }
    }
}
