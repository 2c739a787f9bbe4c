//! Queues that would be long in the making by commands: copies of one message in the sender's database.

use std::ops::RangeInclusive;

use rusqlite::Connection;
use uuid::Uuid;

/// Has further messages wait behind this one, each like it but for its text, `TEXT/NUMBER`, its id and its count.
pub(crate) fn queue(database: &mut Connection, first: Uuid, text: &str, numbers: RangeInclusive<usize>) {
    let transaction = database.transaction().unwrap();
    let columns: Vec<String> = {
        let mut statement = transaction.prepare("SELECT name FROM pragma_table_info('sent')").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    // Whatever other columns there are keep the first one's values.
    let values = columns.iter().map(|column| match column.as_str() {
        "position" | "place" => "(SELECT last FROM positions) + nth",
        "seq" => "(SELECT last_seq FROM recipients WHERE name = to_name) + nth",
        "id" => "randomblob(16)",
        "body" => "?2 || '/' || (?3 + nth - 1)",
        same => same,
    });
    let copies = format!(
        "WITH RECURSIVE counted (nth) AS (SELECT 1 UNION ALL SELECT nth + 1 FROM counted WHERE nth < ?4)
         INSERT INTO sent ({}) SELECT {} FROM sent, counted WHERE id = ?1",
        columns.join(", "),
        values.collect::<Vec<_>>().join(", ")
    );
    let (begin, count) = (*numbers.start(), numbers.count());
    transaction.execute(&copies, (first.as_bytes(), text, begin, count)).unwrap();
    let counted = "UPDATE recipients SET last_seq = last_seq + ?1
                   WHERE name = (SELECT to_name FROM sent WHERE id = ?2)";
    transaction.execute(counted, (count, first.as_bytes())).unwrap();
    transaction.execute("UPDATE positions SET last = last + ?1", [count]).unwrap();
    transaction.commit().unwrap();
}
