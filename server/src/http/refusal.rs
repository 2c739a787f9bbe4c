//! What a client is told when the directory says no, or its database does.

use listener::{Refusal, Seldom};
use protocol::{Name, Problem, Slug};

use crate::directory::{self, Failure, Invitation, RegisterError};

/// After how long a database that failed is worth another try.
const RETRY_AFTER: u32 = 5;

/// A registration of `name` that came to nothing.
pub(super) fn unregistered(name: &Name, error: RegisterError) -> Refusal {
    match error {
        RegisterError::Refused(refusal) => refused(name, &refusal).into(),
        RegisterError::Failed(failure) => failed(failure),
    }
}

fn refused(name: &Name, refusal: &directory::Refusal) -> Problem {
    match refusal {
        directory::Refusal::NameTaken => Slug::NameTaken.because(format!(
            "Choose another name, or send the token with which \"{name}\" was claimed as `Authorization: Bearer \
             <token>`. If that is lost, the directory's operator can free the name: `server names release {name}`."
        )),
        directory::Refusal::TokenInUse(held) => Slug::TokenInUse.because(format!(
            "This token holds the name \"{held}\". Use another token for \"{name}\", or give \"{held}\" up first with \
             DELETE /register?forget=true."
        )),
        directory::Refusal::FingerprintChanged => Slug::FingerprintChanged.because(format!(
            "\"{name}\" is claimed with another fingerprint. If that key is lost, give the claim up with DELETE \
             /register?forget=true and claim the name anew."
        )),
        directory::Refusal::TooManyClaims(wait) => {
            let seconds = u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
            let detail = "Too many new names come from your network. Try again later; a name that you have \
                          already is not concerned.";
            Slug::RateLimited.because(detail).retry_after(seconds)
        }
        directory::Refusal::InviteRequired(invitation) => Slug::InviteRequired.because(match invitation {
            Invitation::Bad => {
                "This invite is unknown, expired or used up. Ask the directory's operator for another \
                 (`server invite`)."
            }
            _ => {
                "This directory is private. Ask its operator for an invite (`server invite`) and send it as \
                 \"invite\"; a name that is claimed already needs its token instead."
            }
        }),
        directory::Refusal::DirectoryFull => Slug::DirectoryFull.because(
            "The directory has as many names as it takes. Its operator can release some (`server names \
             release`) or raise --max-names.",
        ),
    }
}

/// The database failed. The client learns what to do, the log why.
pub(super) fn failed(failure: Failure) -> Refusal {
    match failure {
        Failure::Full => {
            let detail = "Nothing was kept. Try again when the directory's owner has made room on its disk.";
            Slug::StorageFull.because(detail).into()
        }
        Failure::Unavailable(why) => {
            static UNAVAILABLE: Seldom = Seldom::new();
            if let Some(silently) = UNAVAILABLE.happens() {
                tracing::warn!(why, silently, "the database is unavailable");
            } else {
                tracing::debug!(why, "the database is unavailable");
            }
            let detail = format!("Nothing was kept. Try again in {RETRY_AFTER} seconds.");
            Slug::Unavailable.because(detail).retry_after(RETRY_AFTER).into()
        }
        Failure::Internal(why) => Refusal::internal(why),
    }
}
