//! The words of all texts, by which messages are found. Owns the tables `words` and `indexed`.

use rusqlite::Connection;

/// Takes the words of a message out that is deleted in this transaction, if they are in.
pub fn forget(connection: &Connection, position: i64, body: &str) -> rusqlite::Result<()> {
    let is_in: bool = connection
        .prepare_cached("SELECT ?1 <= CASE WHEN ?1 > 0 THEN stored ELSE imported END FROM indexed")?
        .query_row([position], |row| row.get(0))?;
    if is_in {
        connection
            .prepare_cached("INSERT INTO words (words, rowid, body) VALUES ('delete', ?1, ?2)")?
            .execute((position, body))?;
    }
    Ok(())
}
