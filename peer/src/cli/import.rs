use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::Global;
use super::exit::{Exit, Failure};
use super::faults::Told as _;
use super::language::tr;
use super::output::{Output, note};
use super::progress::Progress;
use super::untrusted::Untrusted;
use crate::archive::import::{Counts, Finding, Import as Importing};
use crate::archive::record::{BadRecord, Imported, Record};
use crate::database::Fault;

/// So many messages are imported in one commit, if they have no more bytes than that.
const AT_ONCE: usize = 1_000;
const BYTES_AT_ONCE: usize = 8 << 20;
/// No message needs a longer line, however it is written.
const LONGEST_LINE: usize = 1 << 20;

/// Bring in what `peer export` wrote
///
/// What is kept here already is skipped, and so is what was deleted here: the same file may be imported again. Imported messages
/// are listed before those that came or were written here, but each sender's in the order in which they were written. What still
/// waited to be delivered there is expired here; `peer retry` sends it.
///
/// A name that has no key here gets the one that the file says it proved last, and it is said which: import only files that you
/// trust as you trust yourself. A name that has another key here keeps it.
///
/// A line that is no message ends the import: what stands before it is imported. Once it is mended, the same command goes on.
#[derive(Args)]
#[command(before_help = "Examples:
  peer import history.jsonl
  ssh old-machine peer export | peer import -")]
pub struct Import {
    /// The file; `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// What some editors begin a file with.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// What is printed for programs.
#[derive(Serialize)]
struct Line {
    imported: u64,
    known: u64,
    deleted: u64,
}

impl Import {
    pub(super) async fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let shown = Untrusted(&self.file.display().to_string()).to_string();
        let unreadable =
            |why: io::Error| Failure::new(Exit::Failed, tr!("import-unreadable", file = shown, why = why));
        let (input, count): (Box<dyn BufRead>, _) = if self.file == Path::new("-") {
            if io::stdin().is_terminal() {
                return Err(Failure::usage(tr!("import-terminal")).hint(tr!("import-terminal-hint")));
            }
            (Box::new(BufReader::new(io::stdin())), None)
        } else {
            let file = File::open(&self.file).map_err(unreadable)?;
            if file.metadata().map_err(unreadable)?.is_dir() {
                return Err(unreadable(io::ErrorKind::IsADirectory.into()));
            }
            let lines = count_lines(&file).map_err(unreadable)?;
            (Box::new(BufReader::new(file)), lines)
        };
        let peer = global.open()?;
        let mut importing = Importing::new(peer.archive(), peer.name().cloned(), peer.fingerprint());
        let progress = Progress::new(count, tr!("import-progress"));
        let bad_line = self.import(&mut importing, Lines { input, number: 0 }, &progress).await?;
        progress.done();
        let counts = importing.counts();
        let findings = if bad_line.is_none() { importing.end().await? } else { Vec::new() };
        print(counts, output)?;
        output.flush()?;
        for finding in &findings {
            note(&said(finding));
        }
        bad_line.map_or(Ok(Exit::Done), Err)
    }

    /// Imports line by line, up to the first one that is no message; what is wrong with that one, if there is one.
    async fn import<R: BufRead>(
        &self,
        importing: &mut Importing,
        mut lines: Lines<R>,
        progress: &Progress,
    ) -> Result<Option<Failure>, Failure> {
        let (mut messages, mut bytes) = (Vec::with_capacity(AT_ONCE), 0);
        let ended = loop {
            let message = match lines.next() {
                Ok(Some((message, length))) => {
                    bytes += length;
                    message
                }
                Ok(None) => break None,
                Err(bad) => break Some(self.bad_line(lines.number, &bad)),
            };
            messages.extend(message);
            if messages.len() == AT_ONCE || bytes >= BYTES_AT_ONCE {
                progress.step(messages.len() as u64);
                importing.take(std::mem::take(&mut messages)).await.map_err(ended_early)?;
                bytes = 0;
            }
        };
        if !messages.is_empty() {
            importing.take(messages).await.map_err(ended_early)?;
        }
        Ok(ended)
    }

    fn bad_line(&self, number: u64, bad: &BadLine) -> Failure {
        let file = if self.file == Path::new("-") {
            tr!("import-standard-input")
        } else {
            Untrusted(&self.file.display().to_string()).to_string()
        };
        let why = match bad {
            BadLine::Unreadable(why) => tr!("import-bad-read", why = why),
            BadLine::TooLong => tr!("import-bad-long", most = LONGEST_LINE),
            BadLine::Record(bad) => why(bad),
        };
        Failure::new(Exit::Failed, tr!("import-bad-line", file = file, line = number.to_string(), why = why))
            .hint(tr!("import-bad-line-hint"))
    }
}

/// The database could not keep what came next.
fn ended_early(fault: Fault) -> Failure {
    Failure::from(fault).hint(tr!("import-again-hint"))
}

/// The lines of a file, one after the other.
struct Lines<R> {
    input: R,
    number: u64,
}

/// Why a line is no message.
enum BadLine {
    Unreadable(io::Error),
    TooLong,
    Record(BadRecord),
}

impl<R: BufRead> Lines<R> {
    /// The message on the next line, none if it is blank, and how many bytes the line has; nothing at the end.
    fn next(&mut self) -> Result<Option<(Option<Imported>, usize)>, BadLine> {
        self.number += 1;
        let mut line = Vec::new();
        let mut limited = self.input.by_ref().take(LONGEST_LINE as u64 + 1);
        let length = limited.read_until(b'\n', &mut line).map_err(BadLine::Unreadable)?;
        if length == 0 {
            return Ok(None);
        }
        if length > LONGEST_LINE {
            return Err(BadLine::TooLong);
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(Some((None, length)));
        }
        let line = line.strip_prefix(BYTE_ORDER_MARK).filter(|_| self.number == 1).unwrap_or(&line);
        let message = Record::parse(line).map_err(BadLine::Record)?;
        Ok(Some((Some(message), length)))
    }
}

/// How many lines a file has, if somebody is there who may see how far it is and it can be read twice.
fn count_lines(file: &File) -> io::Result<Option<u64>> {
    if !io::stderr().is_terminal() || !file.metadata()?.is_file() {
        return Ok(None);
    }
    let (mut reader, mut lines) = (BufReader::with_capacity(1 << 16, file), 0);
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        lines += bytes.split(|byte| *byte == b'\n').skip(1).count() as u64;
        let length = bytes.len();
        reader.consume(length);
    }
    (&*file).rewind()?;
    Ok(Some(lines))
}

fn why(bad: &BadRecord) -> String {
    match bad {
        BadRecord::Json(why) if why.is_data() => tr!("import-bad-json", why = Untrusted(&without_place(why))),
        BadRecord::Json(_) => tr!("import-bad-syntax"),
        BadRecord::Member { member, value } => {
            tr!("import-bad-member", member = member, value = Untrusted(value))
        }
        BadRecord::Missing(member) => tr!("import-bad-missing", member = member),
        BadRecord::Name(member, why) => tr!("import-bad-name", member = member, why = why.told()),
        BadRecord::Body(why) => tr!("import-bad-name", member = "body", why = why.told()),
    }
}

/// What is wrong, without the place in a text that is one line of many.
fn without_place(why: &serde_json::Error) -> String {
    let said = why.to_string();
    said.rsplit_once(" at line ").map_or(said.clone(), |(what, _)| what.to_owned())
}

fn said(finding: &Finding) -> String {
    match finding {
        Finding::Pinned(name, key) => tr!("import-pinned", name = name, key = key),
        Finding::OtherKey(name, here, there) => {
            tr!("import-other-key", name = name, here = here, there = there)
        }
    }
}

fn print(counts: Counts, output: &mut Output) -> Result<(), Failure> {
    let Counts { imported, known, deleted } = counts;
    if output.json {
        return output.line(&Line { imported, known, deleted });
    }
    writeln!(output, "{}", tr!("import-done", count = imported, known = known, deleted = deleted))?;
    Ok(())
}
