//! How far the commands have come, on the disk. Owns the tables `commands` and `commands_ahead`.

use rusqlite::OptionalExtension as _;
use store::Store;

use super::queue::{Progress, Step};
use crate::conversations;
use crate::database::Fault;

/// How far they had come the last time; if there was none, everything that is stored by now is behind.
pub async fn begin(store: &Store) -> Result<Progress, Fault> {
    let write = store.write(|connection| {
        let last = conversations::last_position(connection)?;
        connection.execute(
            "INSERT INTO commands (one, behind) VALUES (1, ?1) ON CONFLICT (one) DO NOTHING",
            [last],
        )?;
        let behind = connection.query_row("SELECT behind FROM commands", [], |row| row.get(0))?;
        let mut ahead = connection.prepare("SELECT name, position FROM commands_ahead")?;
        let ahead = ahead.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        Ok::<_, rusqlite::Error>(Progress { behind, ahead })
    });
    Ok(write.await?)
}

/// Writes how far they have come now.
pub async fn write(store: &Store, step: Step) -> Result<(), Fault> {
    let write = store.write(move |connection| {
        connection
            .prepare_cached("UPDATE commands SET behind = ?1 WHERE behind < ?1")?
            .execute([step.behind])?;
        connection
            .prepare_cached("DELETE FROM commands_ahead WHERE position <= ?1")?
            .execute([step.behind])?;
        if let Some((name, position)) = step.ahead {
            connection
                .prepare_cached(
                    "INSERT INTO commands_ahead (name, position) VALUES (?1, ?2)
                     ON CONFLICT (name) DO UPDATE SET position = excluded.position",
                )?
                .execute((name, position))?;
        }
        Ok::<_, rusqlite::Error>(())
    });
    Ok(write.await?)
}

/// Forgets all of it.
pub async fn forget(store: &Store) -> Result<(), Fault> {
    let is_there = store
        .read(|connection| connection.query_row("SELECT one FROM commands", [], |_| Ok(())).optional())?;
    if is_there.is_none() {
        return Ok(());
    }
    let write = store.write(|connection| {
        connection.execute("DELETE FROM commands", [])?;
        connection.execute("DELETE FROM commands_ahead", [])
    });
    write.await?;
    Ok(())
}
