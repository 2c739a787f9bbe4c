//! Chance that can be repeated: the seed is printed with a failing story and taken from `RECADO_SEED`.

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

/// A stream of random numbers (`SplitMix64`), good enough to pick moments.
pub(crate) struct Chance(u64);

impl Chance {
    /// From `RECADO_SEED`, or from the clock. The test's captured output says which.
    pub(crate) fn new() -> Self {
        let seed = match std::env::var("RECADO_SEED") {
            Ok(text) => text.parse().expect("RECADO_SEED is a number"),
            Err(_) => u64::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos()),
        };
        eprintln!("to repeat: RECADO_SEED={seed}");
        Self(seed)
    }

    /// A number of the range.
    pub(crate) fn pick(&mut self, range: Range<usize>) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        let width = u64::try_from(range.len()).unwrap();
        range.start + usize::try_from(bits % width).unwrap()
    }
}
