//! What is shown while something takes long: a line on standard error, after a second, at a terminal only. The one door
//! to indicatif.

use std::io::{self, IsTerminal as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What is done by then needs no line.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the line shows that there is life in it.
const TICK: Duration = Duration::from_millis(100);

/// Some work on its way. Its line goes away when it is dropped, whatever the end. Nothing else may be written to the
/// terminal meanwhile.
pub struct Progress {
    bar: ProgressBar,
    shower: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Begins `total` steps of work, or work whose end nobody knows. The label says what is done, without a full stop.
    pub fn new(total: Option<u64>, label: String) -> Self {
        let is_dumb = std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
        if is_dumb || !io::stderr().is_terminal() {
            return Self::hidden();
        }
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        bar.set_message(label);
        bar.set_style(match total {
            Some(_) => style("{msg} [{wide_bar}] {pos}/{len}"),
            None => style("{spinner} {msg} ({elapsed})"),
        });
        let (end, ended) = mpsc::channel();
        let shown = bar.clone();
        let shower = thread::spawn(move || {
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(TICK);
            }
        });
        Self { bar, shower: Some((end, shower)) }
    }

    /// Work that shows nothing of itself.
    pub fn hidden() -> Self {
        Self { bar: ProgressBar::hidden(), shower: None }
    }

    /// So many steps more are done.
    pub fn step(&self, steps: u64) {
        self.bar.inc(steps);
    }

    /// All is done: takes the line away.
    pub fn done(self) {
        drop(self);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let Some((end, shower)) = self.shower.take() else { return };
        // It has gone already where the line is shown.
        let _ = end.send(());
        let _ = shower.join();
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    // What is wrong with a template shows in the test below; a bar of another look is better than none.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_ones() {
        for template in ["{msg} [{wide_bar}] {pos}/{len}", "{spinner} {msg} ({elapsed})"] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
