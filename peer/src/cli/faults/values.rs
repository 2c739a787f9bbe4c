//! What is wrong with a value that somebody typed.

use std::error::Error;
use std::num::{IntErrorKind, ParseIntError};

use protocol::address::AddressError;
use protocol::duration::DurationError;
use protocol::fingerprint::FingerprintError;
use protocol::link::LinkError;
use protocol::message::{BodyError, LONGEST_BODY};
use protocol::name::{LONGEST, NameError};
use protocol::size::SizeError;

use super::Told;
use crate::cli::NoServer;
use crate::cli::language::tr;
use crate::directory::DirectoryUrlError;
use crate::inbound::quota::QuotaError;

impl Told for NameError {
    fn told(&self) -> String {
        match self {
            Self::Empty => tr!("errors-name-empty"),
            Self::TooLong => tr!("errors-name-too-long", most = LONGEST),
            Self::Reserved(character) => {
                tr!("errors-name-reserved", character = format_args!("{character:?}"))
            }
            Self::WhiteSpace => tr!("errors-name-white-space"),
            Self::Control => tr!("errors-name-control"),
            Self::Dots => tr!("errors-name-dots"),
            Self::NotAUsername => tr!("errors-name-not-a-username"),
            Self::LookAlike => tr!("errors-name-look-alike"),
        }
    }
}

impl Told for AddressError {
    fn told(&self) -> String {
        match self {
            Self::Scheme => tr!("errors-address-scheme"),
            Self::Shape => tr!("errors-address-shape"),
            Self::Port => tr!("errors-address-port"),
            Self::Host => tr!("errors-address-host"),
            Self::Unspecified => tr!("errors-address-unspecified"),
            Self::Loopback => tr!("errors-address-loopback"),
            Self::LinkLocal => tr!("errors-address-link-local"),
            Self::Multicast => tr!("errors-address-multicast"),
        }
    }
}

impl Told for LinkError {
    fn told(&self) -> String {
        match self {
            Self::Scheme => tr!("errors-link-scheme"),
            Self::Shape => tr!("errors-link-shape"),
            Self::Percent => tr!("errors-link-percent"),
            Self::Unencrypted => tr!("errors-link-unencrypted"),
            Self::Name(error) => error.told(),
            Self::Address(error) => error.told(),
            Self::Fingerprint(error) => error.told(),
        }
    }
}

impl Told for BodyError {
    fn told(&self) -> String {
        match self {
            Self::Empty => tr!("errors-body-empty"),
            Self::TooLong(bytes) => tr!("errors-body-too-long", most = LONGEST_BODY, bytes = bytes),
            Self::Nul => tr!("errors-body-nul"),
        }
    }
}

impl Told for DirectoryUrlError {
    fn told(&self) -> String {
        match self {
            Self::Shape => tr!("errors-directory-shape"),
            Self::Fingerprint => tr!("errors-directory-fingerprint"),
            Self::PinWithoutTls => tr!("errors-directory-pin-without-tls"),
        }
    }
}

impl Told for NoServer {
    fn told(&self) -> String {
        tr!("errors-no-server", url = self.0.told())
    }
}

impl Told for ParseIntError {
    fn told(&self) -> String {
        match self.kind() {
            IntErrorKind::PosOverflow => tr!("errors-number-too-large"),
            IntErrorKind::Zero => tr!("errors-number-zero"),
            _ => tr!("errors-number"),
        }
    }
}

impl Told for FingerprintError {
    fn told(&self) -> String {
        tr!("errors-fingerprint")
    }
}

impl Told for DurationError {
    fn told(&self) -> String {
        tr!("errors-duration")
    }
}

impl Told for SizeError {
    fn told(&self) -> String {
        tr!("errors-size")
    }
}

impl Told for QuotaError {
    fn told(&self) -> String {
        tr!("errors-quota")
    }
}

/// What is wrong with a value, as its parser says: in the user's language where the error is one of ours, as it says
/// itself where it is not.
#[must_use]
pub fn of_value(error: &(dyn Error + 'static)) -> String {
    fn told<T: Told + Error + 'static>(error: &(dyn Error + 'static)) -> Option<String> {
        error.downcast_ref::<T>().map(Told::told)
    }
    told::<NameError>(error)
        .or_else(|| told::<AddressError>(error))
        .or_else(|| told::<LinkError>(error))
        .or_else(|| told::<BodyError>(error))
        .or_else(|| told::<DirectoryUrlError>(error))
        .or_else(|| told::<NoServer>(error))
        .or_else(|| told::<ParseIntError>(error))
        .or_else(|| told::<FingerprintError>(error))
        .or_else(|| told::<DurationError>(error))
        .or_else(|| told::<SizeError>(error))
        .or_else(|| told::<QuotaError>(error))
        .unwrap_or_else(|| error.to_string())
}
