mod telling;

use std::io::Write as _;

use anstyle::Style;
use clap::{Args, CommandFactory as _};
use serde::Serialize;

use self::telling::{Told, tell};
use super::exit::{Exit, Failure};
use super::language::tr;
use super::output::{ERROR, FAINT, GOOD, Output, WARNING};
use super::settings;
use super::untrusted::Untrusted;
use super::width::{cell, width, wrapped};
use super::{Arguments, Global};
use crate::doctor::{self, Check, Patient, Status};

/// The variables by which other programs find a proxy.
const PROXIES: [&str; 6] =
    ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/// Check the set-up, and say what to do
///
/// Looks at the data directory, the disk, the key, the database, config.toml, the peer that runs, its port, the directory,
/// whether others can reach this peer, the clocks, and what waits to be delivered. Nothing is changed, and neither a name nor
/// a data directory is needed. Exits with 0 if nothing failed, else with 1; warnings alone are 0. --json prints `check`,
/// `status` (ok, warning, failed or skipped), `detail` and `advice` of each finding, in English.
#[derive(Args)]
#[command(before_help = "Examples:
  peer doctor                                       everything, and what to do about it
  peer doctor --json | grep -v '\"status\":\"ok\"'      what is not as it should be
  peer doctor --server http://192.168.1.10:7100     with another directory")]
pub struct Doctor {}

/// A finding, for programs.
#[derive(Serialize)]
struct Line<'a> {
    check: &'a str,
    status: &'a str,
    detail: &'a str,
    advice: Option<&'a str>,
}

impl Doctor {
    pub(super) async fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let patient = Patient {
            data_dir: std::path::absolute(global.data_dir()?)?,
            server: global.server.0.clone(),
            proxies: set_proxies(),
        };
        let findings = doctor::examine(&patient).await;
        let mut all: Vec<Told> = findings.iter().map(tell).collect();
        all.push(config(global));
        all.sort_by_key(|told| told.check);
        let checks = all.iter().map(|told| width(&telling::title(told.check))).max().unwrap_or(0);
        let words = STATUSES.map(|status| width(&word(status))).into_iter().max().unwrap_or(0);
        for told in &all {
            if output.json {
                output.line(&told.line())?;
            } else {
                print(told, [words, checks], output)?;
            }
        }
        let failed = all.iter().any(|told| told.status == Status::Failed);
        Ok(if failed { Exit::Failed } else { Exit::Done })
    }
}

const STATUSES: [Status; 4] = [Status::Ok, Status::Warning, Status::Failed, Status::Skipped];

fn set_proxies() -> Vec<String> {
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    PROXIES.into_iter().filter(is_set).map(str::to_owned).collect()
}

/// What is wrong with config.toml and the variables, if anything is.
fn config(global: &Global) -> Told {
    let file = &global.settings.file;
    let fault = match &global.settings.broken {
        Some(failure) => Some(failure.clone()),
        None => settings::check_values(&Arguments::command(), file, None).err(),
    };
    let path = || Untrusted(&file.path.to_string_lossy()).to_string();
    match fault {
        Some(Failure { message, hint, .. }) => Told {
            check: Check::Config,
            status: Status::Failed,
            detail: Untrusted(&message.unwrap_or_default()).to_string(),
            advice: hint,
        },
        None if file.exists => Told::new(Check::Config, Status::Ok, tr!("doctor-config", path = path())),
        None => Told::new(Check::Config, Status::Ok, tr!("doctor-no-config")),
    }
}

fn print(told: &Told, [words, checks]: [usize; 2], output: &mut Output) -> Result<(), Failure> {
    let style = match told.status {
        Status::Ok => GOOD,
        Status::Warning => WARNING,
        Status::Failed => ERROR,
        Status::Skipped => FAINT,
    };
    let (word, title) = (word(told.status), telling::title(told.check));
    let indent = words + checks + 4;
    let mut texts = block(&told.detail, indent, output, Style::new());
    if let Some(advice) = &told.advice {
        texts.extend(block(&format!("→ {advice}"), indent, output, FAINT));
    }
    let rest = " ".repeat(words - width(&word));
    let mut head = format!("{style}{word}{style:#}{rest}  {}  ", cell(&title, checks));
    for text in texts {
        writeln!(output, "{head}{text}")?;
        head = " ".repeat(indent);
    }
    Ok(())
}

/// A text in lines that fit behind so many columns of the terminal.
fn block(text: &str, indent: usize, output: &Output, style: Style) -> Vec<String> {
    const NARROWEST: usize = 20;
    let columns =
        output.columns().map_or(usize::MAX, |columns| columns.saturating_sub(indent).max(NARROWEST));
    let lines = text.lines().flat_map(|line| wrapped(line, columns));
    lines.map(|line| format!("{style}{line}{style:#}")).collect()
}

fn word(status: Status) -> String {
    match status {
        Status::Ok => tr!("doctor-ok"),
        Status::Warning => tr!("doctor-warning"),
        Status::Failed => tr!("doctor-failed"),
        Status::Skipped => tr!("doctor-skipped"),
    }
}

impl Told {
    fn line(&self) -> Line<'_> {
        let status = match self.status {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Failed => "failed",
            Status::Skipped => "skipped",
        };
        Line {
            check: telling::name(self.check),
            status,
            detail: &self.detail,
            advice: self.advice.as_deref(),
        }
    }
}
