use std::io::{self, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Global;
use super::destination::Destination;
use super::exit::{Exit, Failure};
use super::language::tr;
use super::output::{Output, note, write_line};
use super::progress::Progress;
use super::untrusted::Untrusted;
use crate::archive::record::Record;
use crate::conversations::Query;
use crate::peer::Peer;

/// What the names of the files begin with that a peer keeps.
const OURS: [&str; 4] = ["recado.", "identity.", "tokens.", "config."];

/// Write everything that is kept, one message a line
///
/// Each line is a JSON object, with what `peer history --json` has and what `peer import` needs besides; the oldest message comes
/// first. Keys and contacts are not in it: identity.pem in the data directory is what makes another machine this peer.
///
/// With the messages of each sender goes what was had from it, so that what was deleted does not come back there. Where all of
/// a sender's messages were deleted there is no line to say so: copy the whole data directory instead.
#[derive(Args)]
#[command(before_help = "Examples:
  peer export history.jsonl                a file that only you can read
  peer export | jq -r .body                all texts
  peer export | gzip > history.jsonl.gz")]
pub struct Export {
    /// Where to; standard output if there is none, or for `-`. What is there already is replaced when all is written
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Export {
    pub(super) fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let peer = global.open()?;
        match self.file.filter(|file| file != Path::new("-")) {
            None => {
                write_all(&peer, output, &Progress::hidden(), Failure::from)?;
                output.flush()?;
            }
            Some(file) => {
                let shown = Untrusted(&file.display().to_string()).to_string();
                let unwritable = |why: io::Error| {
                    Failure::new(Exit::Failed, tr!("export-unwritable", file = shown, why = why))
                };
                if is_one_of_ours(&file, &peer) {
                    return Err(
                        Failure::usage(tr!("export-ours", file = shown)).hint(tr!("export-ours-hint"))
                    );
                }
                let mut destination = Destination::open(&file).map_err(unwritable)?;
                let progress = Progress::new(None, tr!("export-progress"));
                let count = write_all(&peer, &mut destination, &progress, unwritable)?;
                progress.done();
                destination.finish().map_err(unwritable)?;
                note(&tr!("export-done", count = count, file = shown));
            }
        }
        Ok(Exit::Done)
    }
}

/// Whether it is a file that this peer keeps itself.
fn is_one_of_ours(file: &Path, peer: &Peer) -> bool {
    let identity = |path: &Path| path.metadata().ok().map(|there| (there.dev(), there.ino()));
    let Some(wanted) = identity(file) else { return false };
    let ours = peer.data_dir.read_dir().into_iter().flatten().flatten();
    ours.into_iter().any(|entry| {
        let is_kept = OURS.iter().any(|name| entry.file_name().to_string_lossy().starts_with(name));
        is_kept && identity(&entry.path()) == Some(wanted)
    })
}

/// Writes all messages; how many there were.
fn write_all(
    peer: &Peer,
    writer: &mut impl Write,
    progress: &Progress,
    unwritable: impl Fn(io::Error) -> Failure,
) -> Result<u64, Failure> {
    let (own_key, mut had) = (peer.fingerprint(), peer.archive().had()?);
    let mut count = 0;
    let stopped = peer.conversations.each(&Query::default(), |entry| {
        count += 1;
        progress.step(1);
        let had = had.remove(&entry.position);
        match write_line(writer, &Record::of(entry, own_key, had)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    })?;
    match stopped {
        Some(error) => Err(unwritable(error)),
        None => Ok(count),
    }
}
