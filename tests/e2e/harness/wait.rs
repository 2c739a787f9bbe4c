//! Waiting for a condition: the one place where a test pauses.

use std::thread;
use std::time::{Duration, Instant};

/// What has not happened by then will not happen. Generous: it is only ever waited for in full by a failing test.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Asks again and again until there is an answer, and gives it. Fails, naming `what`, when the deadline passes.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(begin.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        thread::sleep(Duration::from_millis(15));
    }
}
