//! A budget: how often strangers may make this peer ask its directory, which counts each question against this peer. By
//! tokio's clock, as all that waits for an answer. Programs on this machine are no strangers.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use listener::Source;
use tokio::time::Instant;

/// All strangers together: a tenth of what a directory grants one source.
const ALL: Share = Share { pause: Duration::from_millis(20), at_once: 100 };
/// One IPv4 address, or one IPv6 /64.
const EACH: Share = Share { pause: Duration::from_millis(100), at_once: 20 };

/// What may be taken at once, and the pause after which one more may.
#[derive(Debug, Clone, Copy)]
struct Share {
    pause: Duration,
    at_once: u32,
}

/// What was taken of the shares, each as the moment at which it is whole again.
#[derive(Debug, Default)]
pub(super) struct Budget {
    all: Option<Instant>,
    each: HashMap<IpAddr, Instant>,
}

impl Budget {
    /// Takes a question for somebody at this source, if there is one left.
    pub(super) fn take(&mut self, source: Source, now: Instant) -> bool {
        if source.is_loopback() {
            return true;
        }
        let network = source.network();
        let (all, each) = (ALL.take(self.all, now), EACH.take(self.each.get(&network).copied(), now));
        let (Some(all), Some(each)) = (all, each) else { return false };
        self.all = Some(all);
        // Who is remembered has taken something lately, of which there is not much.
        self.each.retain(|_, whole_at| now < *whole_at);
        self.each.insert(network, each);
        true
    }
}

impl Share {
    /// When it is whole again if one more is taken; none if nothing is left.
    fn take(self, whole_at: Option<Instant>, now: Instant) -> Option<Instant> {
        let whole_at = whole_at.map_or(now, |whole_at| whole_at.max(now)) + self.pause;
        (whole_at <= now + self.pause * self.at_once).then_some(whole_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(ip: impl Into<IpAddr>) -> Source {
        Source::connected((ip.into(), 1).into(), &[])
    }

    /// How many of so many are granted, from one network each or all from one.
    fn granted(budget: &mut Budget, networks: impl Iterator<Item = Source>, now: Instant) -> usize {
        networks.filter(|network| budget.take(*network, now)).count()
    }

    fn networks(count: u8) -> impl Iterator<Item = Source> {
        (0..count).map(|last| source([192, 0, 2, last]))
    }

    #[test]
    fn strangers_share_one_budget_and_each_network_has_a_part_of_it() {
        let (mut budget, now) = (Budget::default(), Instant::now());
        let one = || std::iter::repeat_n(source([198, 51, 100, 7]), 50);
        assert_eq!(granted(&mut budget, one(), now), 20);
        assert_eq!(granted(&mut budget, networks(200), now), 80, "20 of 100 are gone");
        let later = now + Duration::from_secs(1);
        assert_eq!(granted(&mut budget, one(), later), 10, "ten a second");
        assert_eq!(granted(&mut budget, networks(200), later), 40, "fifty a second, of which ten are gone");
        let whole = now + Duration::from_mins(1);
        assert_eq!(granted(&mut budget, networks(200), whole), 100, "never more at once");
    }

    #[test]
    fn an_ipv6_host_has_one_share_for_all_its_addresses_and_this_machine_needs_none() {
        let (mut budget, now) = (Budget::default(), Instant::now());
        let host = |last| source([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        assert_eq!(granted(&mut budget, (0..50).map(host), now), 20);
        assert_eq!(granted(&mut budget, (0..200).map(|_| source([127, 0, 0, 1])), now), 200);
        assert_eq!(
            granted(&mut budget, networks(200), now),
            80,
            "what was not granted costs nobody anything"
        );
    }

    #[test]
    fn who_has_its_whole_share_again_is_forgotten() {
        let mut budget = Budget::default();
        let start = Instant::now();
        for second in 0..200_u8 {
            budget.take(source([192, 0, 2, second]), start + Duration::from_secs(second.into()));
        }
        assert_eq!(budget.each.len(), 1);
    }
}
