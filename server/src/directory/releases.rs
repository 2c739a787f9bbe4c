//! Names that were released by hand, by another process: whoever held one is taken off the list within a second.

use std::sync::Arc;
use std::time::Duration;

use store::WriteError;
use tokio::time::{MissedTickBehavior, interval};

use super::{Directory, Failure, claims, leases, lock};

const LOOK_EVERY: Duration = Duration::from_millis(250);

impl Directory {
    /// Looks again and again whether names were released. Never returns.
    pub(super) async fn follow_releases(&self) {
        let mut seen = self.shared.releases;
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.look_for_releases(seen).await {
                Ok(now) => seen = now,
                Err(error) => tracing::warn!(%error, "released names could not be looked for; trying again"),
            }
        }
    }

    async fn look_for_releases(&self, seen: u64) -> Result<u64, Failure> {
        if self.look_up(|conn, _| claims::releases(conn)).await? == seen {
            return Ok(seen);
        }
        let shared = Arc::clone(&self.shared);
        // A write, though it writes nothing: what others join, change and leave is published before it or after it.
        let dropped = self.store.write_then(
            |conn| Ok((claims::releases(conn)?, leases::holders(conn)?)),
            move |(_, holders)| {
                lock(&shared.online).keep_held(holders);
                shared.gone.send_replace(());
            },
        );
        let (now, _) = dropped.await.map_err(|error: WriteError<rusqlite::Error>| Failure::from(error))?;
        tracing::info!("names were released; who held them is offline");
        Ok(now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Options, Request, TokenHash};
    use super::*;

    fn request(name: &str, token: u8) -> Request {
        Request {
            name: name.parse().unwrap(),
            address: "http://192.0.2.7:1".parse().unwrap(),
            fingerprint: None,
            token: TokenHash::of(&[token; 40]).unwrap(),
            fresh: false,
            invite: None,
            network: None,
        }
    }

    #[tokio::test]
    async fn who_held_a_released_name_goes_and_whoever_claimed_it_since_stays() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::open(&Options::new(folder.path().join("directory.db"))).await.unwrap();
        for (name, token) in [("ana", b'a'), ("rui", b'r'), ("zeca", b'z')] {
            directory.register(request(name, token)).await.unwrap();
        }
        let seen = directory.shared.releases;
        assert_eq!(directory.look_for_releases(seen).await, Ok(seen));
        let released = ["ana", "rui"].map(|name| name.parse().unwrap());
        let release = move |conn: &rusqlite::Connection| {
            released.iter().try_for_each(|name| claims::release(conn, name).map(drop))
        };
        directory.store.write(release).await.unwrap();
        directory.register(request("rui", b'x')).await.unwrap();
        let now = directory.look_for_releases(seen).await.unwrap();
        assert_eq!(now, seen + 2);
        let online = |name: &str| lock(&directory.shared.online).ends(&name.parse().unwrap()).is_some();
        assert_eq!([online("ana"), online("rui"), online("zeca")], [false, true, true]);
        assert_eq!(directory.look_for_releases(now).await, Ok(now));
    }
}
