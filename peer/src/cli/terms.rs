//! On what terms a peer that runs takes messages, as flags.

use clap::{Args, ValueEnum};

use crate::inbound::inbox::Terms;
use crate::inbound::quota::{Quota, Quotas};
use crate::inbound::sender::Accept;

/// Whose messages are taken, and how many.
#[derive(Args)]
pub struct TermsFlags {
    /// Whose messages are taken; others are told so
    #[arg(
        long,
        env = "RECADO_ACCEPT",
        hide_env_values = true,
        value_enum,
        value_name = "WHOSE",
        default_value_t
    )]
    accept: Accepting,

    /// Messages and bytes of text kept of all senders without a certificate; more are answered 429. `none` for no limit, `0`
    /// to refuse them all
    #[arg(long, value_name = "COUNT,SIZE", default_value_t = Quotas::default().unverified, help_heading = "Limits")]
    unverified_limit: Quota,

    /// The same of each key that is no contact's
    #[arg(long, value_name = "COUNT,SIZE", default_value_t = Quotas::default().stranger, help_heading = "Limits")]
    stranger_limit: Quota,

    /// The same of all keys that are no contacts', together
    #[arg(long, value_name = "COUNT,SIZE", default_value_t = Quotas::default().strangers, help_heading = "Limits")]
    strangers_limit: Quota,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Accepting {
    /// Everybody's, but of a name that has a key only what proves it
    #[default]
    Everyone,
    /// Those whose sender proved the key of the name
    Verified,
    /// Those of contacts
    Contacts,
}

impl TermsFlags {
    pub(super) fn terms(&self) -> Terms {
        let accept = match self.accept {
            Accepting::Everyone => Accept::Everyone,
            Accepting::Verified => Accept::Verified,
            Accepting::Contacts => Accept::Contacts,
        };
        let quotas = Quotas {
            unverified: self.unverified_limit,
            stranger: self.stranger_limit,
            strangers: self.strangers_limit,
        };
        Terms { accept, quotas }
    }
}
