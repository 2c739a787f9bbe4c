use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::time::Duration;

use clap::Args;
use protocol::Name;
use protocol::message::{Body, LONGEST_BODY};
use protocol::name::NameError;
use serde::Serialize;
use uuid::Uuid;

use super::exit::{Exit, Failure};
use super::faults::Told as _;
use super::language::{reasons::of_message, tr};
use super::output::{ERROR, GOOD, NAME, Output, WARNING, complain, note};
use super::progress::Progress;
use super::untrusted::shortened;
use super::{Global, suggest};
use crate::conversations::State;
use crate::outbound::errand::{Patience, SeeThroughError};
use crate::outbound::outbox::{Draft, Queued, Standing, Terms};
use crate::outbound::route::Route;
use crate::outbound::{Outbound, Unsendable};
use crate::peer::Peer;

/// Leave a message for others
///
/// The message is written down first. If a recipient cannot be reached now, or has not answered within 5 seconds, it
/// waits, and `peer serve` delivers it when they are back: that is exit code 0 too, and what became of it is printed.
///
/// A TIME is written 30s, 5m, 12h or 7d. A message has at most 65,536 bytes.
/// Exit codes: 0 delivered or queued, 2 bad input, 3 not delivered in time (--wait), 4 refused by the recipient,
/// 5 nobody has that name, 6 the directory cannot be reached and was needed, 7 another key than the recipient's answers at
/// its address. 5 and 6 store nothing; with 7 the message waits for the recipient's own key.
#[derive(Args)]
#[command(before_help = "Examples:
  peer send rui 'lunch at one?'
  peer send ana,rui 'the build is green'
  make 2>&1 | tail -5 | peer send rui          standard input is the text
  peer send --wait=1m rui 'are you there?'     fails (3) unless delivered in time
  peer send --all 'the server restarts at six'")]
pub struct Send {
    /// Who it is for; several names are separated by commas
    #[arg(value_name = "TO[,TO…]", required_unless_present = "all")]
    to: Option<String>,
    /// The text; if it is left out or `-`, what is piped into standard input
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    #[arg(hide = true)]
    further: Vec<String>,
    /// Everyone who is online
    #[arg(long)]
    all: bool,
    /// Wait until it is delivered, 30s if no time is given, and fail otherwise
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "30s", value_parser = wait)]
    wait: Option<Duration>,
    /// Give up if it could not be delivered for so long
    #[arg(long, env = "RECADO_EXPIRE", hide_env_values = true, value_name = "TIME", default_value = "7d", value_parser = protocol::duration::parse)]
    expire: Duration,
    /// Send even where it cannot be checked who answers: no key of the recipient is known, or every address known is an
    /// http:// one, whatever key is known. Whoever answers there may read the message, and change it. Where there is an
    /// https:// address, a key that is known is checked all the same, and http:// ones are left out
    #[arg(long)]
    insecure: bool,
    /// The name to send under; needed before the first `peer serve`
    #[arg(long, env = "RECADO_NAME", hide_env_values = true)]
    name: Option<Name>,
}

/// Seconds, or a duration with its unit.
pub(super) fn wait(text: &str) -> Result<Duration, protocol::duration::DurationError> {
    match text.parse::<u32>() {
        Ok(seconds) => Ok(Duration::from_secs(seconds.into())),
        Err(_) => protocol::duration::parse(text),
    }
}

/// The time that somebody meant for `--wait`, and that would be taken for a name or a text.
fn time_behind_a_bare_wait(words: impl Iterator<Item = OsString>) -> Option<String> {
    let behind = words.skip_while(|word| word != "--wait").nth(1)?;
    behind.into_string().ok().filter(|word| wait(word).is_ok())
}

/// What became of a message, for programs.
#[derive(Serialize)]
struct Fate<'a> {
    id: Uuid,
    to: &'a Name,
    state: &'static str,
    reason: Option<&'a str>,
}

impl Send {
    pub(super) async fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        let (to, text) = self.to_and_text()?;
        let names = to.map(recipients).transpose()?;
        let body = read_body(text)?;
        let mut peer = global.open()?;
        peer.go_by(self.name.clone())?;
        let outbound = peer.outbound()?;
        let routes = match names {
            Some(names) => resolve(&peer, &outbound, &names, self.insecure).await?,
            None => everyone_online(&peer, &outbound, self.insecure).await?,
        };
        if routes.is_empty() {
            note(&tr!("send-nobody"));
            return Ok(Exit::Done);
        }
        let patience = self.wait.map_or(Patience::FirstTry, Patience::Settled);
        let fates = send(&outbound, routes, &body, self.terms(), patience).await?;
        report(&outbound, &fates, patience, output)
    }

    fn terms(&self) -> Terms {
        Terms { lifetime: self.expire, insecure: self.insecure }
    }

    /// With `--all` there is no recipient, so the first word is the text.
    fn to_and_text(&self) -> Result<(Option<&str>, Option<&str>), Failure> {
        let words: Vec<&str> =
            self.to.iter().chain(&self.text).chain(&self.further).map(String::as_str).collect();
        if let Some(time) = time_behind_a_bare_wait(std::env::args_os()) {
            return Err(Failure::usage(tr!("send-wait-blank", time = time.clone()))
                .hint(tr!("send-wait-hint", time = time)));
        }
        match (self.all, words.as_slice()) {
            (true, []) => Ok((None, None)),
            (true, [text]) => Ok((None, Some(text))),
            (false, [to]) => Ok((Some(to), None)),
            (false, [to, text]) => Ok((Some(to), Some(text))),
            (all, _) => {
                let hint = if all { tr!("send-quote-all-hint") } else { tr!("send-quote-hint") };
                Err(Failure::usage(tr!("send-words")).hint(hint))
            }
        }
    }
}

/// Finds the way to each recipient. Where there is nobody of a name, it is asked who was perhaps meant.
pub(super) async fn resolve(
    peer: &Peer,
    outbound: &Outbound,
    names: &[Name],
    insecure: bool,
) -> Result<BTreeMap<Name, Route>, Failure> {
    let error = match outbound.resolve(names, insecure).await {
        Ok(routes) => return Ok(routes),
        Err(error) => error,
    };
    let unknown = match &error {
        Unsendable::Unknown(names) => names.clone(),
        Unsendable::NeverMet(name) => vec![name.clone()],
        _ => return Err(error.into()),
    };
    Err(suggest::instead_of(&unknown, error.into(), peer).await)
}

/// Sends `body` to each of those whose routes were found, and sees it through.
pub(super) async fn send(
    outbound: &Outbound,
    routes: BTreeMap<Name, Route>,
    body: &Body,
    terms: Terms,
    patience: Patience,
) -> Result<Vec<(Queued, Standing)>, Failure> {
    let drafts = routes.keys().map(|to| Draft { to: to.clone(), body: body.clone() }).collect();
    let queued = outbound.post(drafts, &routes, terms).await?;
    let waiting = waiting(patience);
    let standings = outbound.see_through(&queued, routes, patience).await?;
    waiting.done();
    Ok(queued.into_iter().zip(standings).collect())
}

/// What is shown while the user waits for an end.
pub(super) fn waiting(patience: Patience) -> Progress {
    match patience {
        Patience::FirstTry => Progress::hidden(),
        Patience::Settled(_) => Progress::new(None, tr!("send-waiting")),
    }
}

/// Says what became of messages, and what there is to do.
pub(super) fn report(
    outbound: &Outbound,
    fates: &[(Queued, Standing)],
    patience: Patience,
    output: &mut Output,
) -> Result<Exit, Failure> {
    for (queued, standing) in fates {
        print(queued, standing, output)?;
    }
    output.flush()?;
    warn_of_other_keys(outbound, fates)?;
    if fates.iter().any(|(_, standing)| standing.state == State::Queued)
        && !outbound.daemon_runs().map_err(SeeThroughError::from)?
    {
        note(&tr!("send-no-peer-runs"));
    }
    Ok(fates.iter().map(|(_, standing)| exit_of(standing, patience)).max().unwrap_or(Exit::Done))
}

/// A state in the user's language.
pub(super) fn said(state: State) -> String {
    match state {
        State::Queued => tr!("state-queued"),
        State::Delivered => tr!("state-delivered"),
        State::Refused => tr!("state-refused"),
        State::Expired => tr!("state-expired"),
    }
}

/// Says what became of one message.
pub(super) fn print(queued: &Queued, standing: &Standing, output: &mut Output) -> Result<(), Failure> {
    let (state, reason) = (standing.state.word(), standing.reason.as_deref());
    if output.json {
        return output.line(&Fate { id: queued.id, to: &queued.to, state, reason });
    }
    let style = match standing.state {
        State::Delivered => GOOD,
        State::Queued => WARNING,
        State::Refused | State::Expired => ERROR,
    };
    write!(output, "{style}{}{style:#} {NAME}{}{NAME:#}", said(standing.state), queued.to)?;
    match (standing.state, reason) {
        (_, Some(reason)) => writeln!(output, ": {}", shortened(&of_message(queued.to.as_str(), reason)))?,
        (State::Queued, None) => writeln!(output, ": {}", tr!("send-first-try"))?,
        (_, None) => writeln!(output)?,
    }
    Ok(())
}

/// Says for whom another key answers, and what to do: who is written to by a script hears of it too.
pub(super) fn warn_of_other_keys(outbound: &Outbound, fates: &[(Queued, Standing)]) -> Result<(), Failure> {
    for (queued, standing) in fates {
        let (to, Some(shown)) = (&queued.to, standing.other_key) else { continue };
        let Some(pinned) = outbound.pinned_key(to)? else { continue };
        let keys = tr!("send-other-key-keys", pinned = pinned, shown = shown);
        let hint = tr!("send-other-key-hint", name = to, shown = shown);
        complain(&Failure::new(Exit::OtherKey, tr!("send-other-key", name = to)).detail(keys).hint(hint));
    }
    Ok(())
}

fn exit_of(standing: &Standing, patience: Patience) -> Exit {
    match (standing.state, patience) {
        (State::Queued, _) if standing.other_key.is_some() => Exit::OtherKey,
        (State::Delivered, _) | (State::Queued, Patience::FirstTry) => Exit::Done,
        (State::Refused, _) => Exit::Refused,
        (State::Queued | State::Expired, _) => Exit::NotInTime,
    }
}

/// The names in a list, each once.
pub(super) fn recipients(list: &str) -> Result<Vec<Name>, Failure> {
    let mut names: Vec<Name> = Vec::new();
    for part in list.split(',') {
        let name = part.parse().map_err(|error| {
            Failure::usage(tr!("send-not-a-name", text = format!("{part:?}"), why = NameError::told(&error)))
        })?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

async fn everyone_online(
    peer: &Peer,
    outbound: &Outbound,
    insecure: bool,
) -> Result<BTreeMap<Name, Route>, Failure> {
    let mut others = super::online::directory_of(peer)?.peers().await?;
    others.said.retain(|record| Some(&record.name) != peer.name());
    let (routes, left_out) = outbound.routes_to(others, insecure)?;
    if !left_out.is_empty() {
        let names: Vec<_> = left_out.iter().map(Name::as_str).collect();
        note(&tr!("send-left-out", names = names.join(", ")));
    }
    Ok(routes)
}

/// The text from the command line, or from standard input without its last line end.
fn read_body(text: Option<&str>) -> Result<Body, Failure> {
    let text = match text {
        Some(text) if text != "-" => text.to_owned(),
        _ => read_standard_input()?,
    };
    Body::try_from(text).map_err(|error| Failure::usage(error.told()))
}

fn read_standard_input() -> Result<String, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Err(Failure::usage(tr!("send-no-text")).hint(tr!("send-no-text-hint")));
    }
    let mut bytes = Vec::new();
    // A line end more than a message may have, and one byte to tell that there is still more.
    let most = LONGEST_BODY + "\r\n".len();
    stdin.lock().take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(Failure::usage(tr!("send-too-long", most = LONGEST_BODY)).hint(tr!("send-too-long-hint")));
    }
    let mut text = String::from_utf8(bytes)
        .map_err(|_| Failure::usage(tr!("send-not-text")).hint(tr!("send-not-text-hint")))?;
    if text.ends_with('\n') {
        text.truncate(text.len() - if text.ends_with("\r\n") { 2 } else { 1 });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_once_and_checked() {
        let names =
            |list| recipients(list).map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(names("ana,RUI,ana").unwrap(), ["ana", "rui"]);
        for bad in ["", "ana,", "ana, rui", "a/b"] {
            assert_eq!(names(bad).unwrap_err().exit, Exit::Usage, "{bad}");
        }
    }

    #[test]
    fn a_time_that_is_set_off_from_its_flag_is_seen() {
        let time = |line: &str| time_behind_a_bare_wait(line.split(' ').map(OsString::from));
        assert_eq!(time("peer send rui --wait 5s").as_deref(), Some("5s"));
        assert_eq!(time("peer send --wait 1m rui").as_deref(), Some("1m"));
        for line in [
            "peer send --wait rui 5s",
            "peer send --wait=1m rui 5s",
            "peer send rui 5s --wait",
            "peer send --wait -- 5",
        ] {
            assert_eq!(time(line), None, "{line}");
        }
    }

    #[test]
    fn a_wait_is_seconds_or_a_duration() {
        assert_eq!(wait("5"), Ok(Duration::from_secs(5)));
        assert_eq!(wait("2m"), Ok(Duration::from_mins(2)));
        assert!(wait("soon").is_err());
    }
}
