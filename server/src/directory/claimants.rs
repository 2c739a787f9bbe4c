//! How fast one network may claim new names: as many as it is allowed at once, then one whenever its share of a minute
//! has passed. Renewals and names that are claimed already never come here.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use super::clock::Moment;

/// Networks that are remembered at most. None is forgotten before it may claim as much as a stranger.
const NETWORKS: usize = 65_536;
const WINDOW: Duration = Duration::from_mins(1);

/// Those who claimed lately.
#[derive(Debug)]
pub(super) struct Claimants {
    /// What one claim costs.
    share: Duration,
    /// When each network will have paid for all that it claimed (the generic cell rate algorithm), in running time.
    paid: HashMap<IpAddr, Duration>,
    /// Looking for those who have paid takes a while, so it is not done for each who comes.
    looked: Duration,
}

impl Claimants {
    pub(super) fn new(a_minute: NonZeroU32) -> Self {
        Self { share: WINDOW / a_minute.get(), paid: HashMap::new(), looked: Duration::ZERO }
    }

    /// Counts a claim from this network, or says how long it has to wait.
    pub(super) fn claim(&mut self, network: IpAddr, now: Moment) -> Result<(), Duration> {
        let now = Moment::from_sql(0).until(now);
        let paid = self.paid.get(&network).map_or(now, |paid| (*paid).max(now)) + self.share;
        let wait = paid.saturating_sub(now + WINDOW);
        if !wait.is_zero() {
            return Err(wait);
        }
        if self.paid.len() >= NETWORKS && !self.paid.contains_key(&network) {
            self.make_room(now)?;
        }
        self.paid.insert(network, paid);
        Ok(())
    }

    fn make_room(&mut self, now: Duration) -> Result<(), Duration> {
        const PAUSE: Duration = Duration::from_secs(1);
        if now >= self.looked + PAUSE {
            self.looked = now;
            self.paid.retain(|_, paid| *paid > now);
        }
        if self.paid.len() < NETWORKS { Ok(()) } else { Err(PAUSE) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimants(a_minute: u32) -> Claimants {
        Claimants::new(NonZeroU32::new(a_minute).unwrap())
    }

    fn host(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from(number).into()
    }

    fn at(ms: i64) -> Moment {
        Moment::from_sql(ms)
    }

    #[test]
    fn a_network_claims_its_minute_at_once_and_then_its_share() {
        let mut claimants = claimants(3);
        for _ in 0..3 {
            assert_eq!(claimants.claim(host(1), at(1000)), Ok(()));
        }
        assert_eq!(claimants.claim(host(1), at(1000)), Err(Duration::from_secs(20)));
        assert_eq!(claimants.claim(host(2), at(1000)), Ok(()), "another network is another");
        assert_eq!(claimants.claim(host(1), at(15_000)), Err(Duration::from_secs(6)));
        assert_eq!(claimants.claim(host(1), at(21_000)), Ok(()));
        assert_eq!(
            claimants.claim(host(1), at(21_000)),
            Err(Duration::from_secs(20)),
            "waiting earns no more"
        );
        for _ in 0..3 {
            assert_eq!(claimants.claim(host(1), at(200_000)), Ok(()));
        }
        assert!(claimants.claim(host(1), at(200_000)).is_err());
    }

    #[test]
    fn memory_is_bounded_and_who_still_owes_is_not_forgotten() {
        let mut claimants = claimants(1);
        for number in 0..100_000 {
            let turn = claimants.claim(host(number), at(0));
            assert_eq!(turn.is_ok(), (number as usize) < NETWORKS, "{number}");
        }
        assert!(claimants.claim(host(0), at(30_000)).is_err(), "it claimed half a minute ago");
        assert!(claimants.claim(host(99_999), at(30_000)).is_err());
        assert_eq!(claimants.claim(host(99_999), at(60_000)), Ok(()));
        assert_eq!(claimants.paid.len(), 1);
    }
}
