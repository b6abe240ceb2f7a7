//! Queues with SQS's rules: at least once, hidden while somebody works on a message, back after the time-out.
//!
//! Amazon SQS Developer Guide, "Standard queues" and "Visibility timeout".

use rusqlite::{Connection, OptionalExtension, params};

use super::StoreError;

/// What a queue of a job is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueRole {
    /// Tasks for clients.
    Upload,
    /// Full chunks. The local Boss keeps these as states of its index; the queue exists for its name.
    Ingest,
    /// Clients tell of uploaded tiles.
    Index,
    /// Index messages that mean nothing.
    DeadLetter,
    /// Tiles that were stored black.
    Error,
}

impl QueueRole {
    pub const ALL: [QueueRole; 5] =
        [QueueRole::Upload, QueueRole::Ingest, QueueRole::Index, QueueRole::DeadLetter, QueueRole::Error];

    /// The queue's name, as ndingest builds it from the domain and the job's id.
    pub fn queue_name(self, job: u64) -> String {
        match self {
            QueueRole::Upload => format!("boss-local-upload-{job}"),
            QueueRole::Ingest => format!("boss-local-ingest-{job}"),
            QueueRole::Index => format!("boss-local-{job}-index"),
            QueueRole::DeadLetter => format!("boss-local-{job}-index-dlq"),
            QueueRole::Error => format!("boss-local-{job}-error"),
        }
    }

    fn word(self) -> &'static str {
        match self {
            QueueRole::Upload => "upload",
            QueueRole::Ingest => "ingest",
            QueueRole::Index => "index",
            QueueRole::DeadLetter => "dead letter",
            QueueRole::Error => "error",
        }
    }
}

/// What a message says: a task whose body is written on receipt, or a body as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Task(String),
    Body(String),
}

/// A message in somebody's hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub receipt: Receipt,
    pub content: Content,
}

/// One receipt of one message. Only the newest receipt of a message deletes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub message: i64,
    pub secret: i64,
}

/// What a receive found.
#[derive(Debug)]
pub struct Received {
    pub deliveries: Vec<Delivery>,
    /// When the next hidden message comes back, if nothing was found.
    pub next_ms: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub visible: u64,
    pub in_flight: u64,
    /// When the last of the messages in flight comes back.
    pub last_back_ms: Option<i64>,
}

/// Makes a queue and gives its id.
pub fn create(connection: &Connection, job: u64, role: QueueRole) -> Result<i64, StoreError> {
    connection.prepare_cached("INSERT INTO queues (name, job, role) VALUES (?1, ?2, ?3)")?.execute(params![
        role.queue_name(job),
        job,
        role.word()
    ])?;
    Ok(connection.last_insert_rowid())
}

/// The id of a job's queue, while the job runs.
pub fn find(connection: &Connection, job: u64, role: QueueRole) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id FROM queues WHERE name = ?1")?;
    Ok(statement.query_row([role.queue_name(job)], |row| row.get(0)).optional()?)
}

/// Puts a message at the end of a queue, visible at once. False when the queue has ended; then nothing is kept.
pub fn push(connection: &Connection, queue: i64, content: &Content, now_ms: i64) -> Result<bool, StoreError> {
    let (task, body) = match content {
        Content::Task(task) => (Some(task), None),
        Content::Body(body) => (None, Some(body)),
    };
    let pushed = connection
        .prepare_cached(
            "INSERT INTO messages (queue, visible_ms, task, body)
             SELECT ?1, ?2, ?3, ?4 FROM queues WHERE id = ?1 AND ended = 0",
        )?
        .execute(params![queue, now_ms, task, body])?;
    Ok(pushed > 0)
}

/// Takes up to `limit` messages, hidden from others until `back_ms`. Each gets a new receipt.
pub fn receive(
    connection: &Connection,
    queue: i64,
    limit: u32,
    now_ms: i64,
    back_ms: i64,
) -> Result<Received, StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT id, task, body FROM messages WHERE queue = ?1 AND visible_ms <= ?2 ORDER BY visible_ms, id LIMIT ?3",
    )?;
    let found = select.query_map(params![queue, now_ms, limit], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?, row.get::<_, Option<String>>(2)?))
    })?;
    let found: Vec<_> = found.collect::<Result<_, _>>()?;
    let mut hide = connection.prepare_cached("UPDATE messages SET visible_ms = ?2, receipt = ?3 WHERE id = ?1")?;
    let mut deliveries = Vec::with_capacity(found.len());
    for (message, task, body) in found {
        let secret = fastrand::i64(..);
        hide.execute(params![message, back_ms, secret])?;
        let content = task.map(Content::Task).or(body.map(Content::Body));
        let content = content.ok_or(StoreError::Damaged { what: "a message" })?;
        deliveries.push(Delivery { receipt: Receipt { message, secret }, content });
    }
    let next_ms = if deliveries.is_empty() { next_visible(connection, queue)? } else { None };
    Ok(Received { deliveries, next_ms })
}

/// Makes every hidden message visible. Receipts given out before still delete.
pub fn free_all(connection: &Connection, now_ms: i64) -> Result<(), StoreError> {
    connection.prepare_cached("UPDATE messages SET visible_ms = ?1 WHERE visible_ms > ?1")?.execute([now_ms])?;
    Ok(())
}

/// Puts one message at the head of its queue, if this is its newest receipt, which still deletes it.
pub fn free(connection: &Connection, receipt: Receipt) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE messages SET visible_ms = 0 WHERE id = ?1 AND receipt = ?2")?
        .execute(params![receipt.message, receipt.secret])?;
    Ok(())
}

fn next_visible(connection: &Connection, queue: i64) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT min(visible_ms) FROM messages WHERE queue = ?1")?;
    Ok(statement.query_row([queue], |row| row.get(0))?)
}

/// Deletes a message. A receipt that is not the message's newest deletes nothing, which is no error (as in SQS).
pub fn delete(connection: &Connection, queue: i64, receipt: Receipt) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM messages WHERE id = ?1 AND queue = ?2 AND receipt = ?3")?
        .execute(params![receipt.message, queue, receipt.secret])?;
    Ok(())
}

pub fn counts(connection: &Connection, queue: i64, now_ms: i64) -> Result<Counts, StoreError> {
    let count = "SELECT count(*), max(visible_ms) FROM messages WHERE queue = ?1 AND visible_ms";
    let visible: u64 =
        connection.prepare_cached(&format!("{count} <= ?2"))?.query_row(params![queue, now_ms], |row| row.get(0))?;
    let (in_flight, last_back_ms) = connection
        .prepare_cached(&format!("{count} > ?2"))?
        .query_row(params![queue, now_ms], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Counts { visible, in_flight, last_back_ms })
}

/// Ends all queues of a job: their names mean nothing from now on. Their messages are swept away later, by [`sweep`].
pub fn end_queues(connection: &Connection, job: u64) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE queues SET name = 'ended ' || id, ended = 1 WHERE job = ?1 AND ended = 0")?
        .execute([job])?;
    Ok(())
}

/// Deletes up to `limit` messages of one ended queue, or the queue itself when it is empty. False when there is none.
pub fn sweep(connection: &Connection, limit: usize) -> Result<bool, StoreError> {
    let mut ended = connection.prepare_cached("SELECT id FROM queues WHERE ended = 1 LIMIT 1")?;
    let Some(queue) = ended.query_row([], |row| row.get::<_, i64>(0)).optional()? else { return Ok(false) };
    let mut delete = connection
        .prepare_cached("DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE queue = ?1 LIMIT ?2)")?;
    if delete.execute(params![queue, limit])? == 0 {
        connection.prepare_cached("DELETE FROM queues WHERE id = ?1")?.execute([queue])?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::super::schema;
    use super::*;

    fn queue_of(bodies: &[&str]) -> (Connection, i64) {
        let connection = schema::in_memory();
        let queue = create(&connection, 7, QueueRole::Upload).unwrap();
        for body in bodies {
            push(&connection, queue, &Content::Body((*body).to_owned()), 0).unwrap();
        }
        (connection, queue)
    }

    fn bodies(received: &Received) -> Vec<&str> {
        let mut bodies = Vec::new();
        for delivery in &received.deliveries {
            let (Content::Body(body) | Content::Task(body)) = &delivery.content;
            bodies.push(body.as_str());
        }
        bodies
    }

    #[test]
    fn a_message_is_hidden_until_its_time_out_and_then_comes_back() {
        let (connection, queue) = queue_of(&["a", "b", "c"]);
        let first = receive(&connection, queue, 2, 10, 110).unwrap();
        assert_eq!(bodies(&first), ["a", "b"]);
        assert_eq!(bodies(&receive(&connection, queue, 10, 20, 120).unwrap()), ["c"]);
        let none = receive(&connection, queue, 10, 109, 209).unwrap();
        assert_eq!((none.deliveries.len(), none.next_ms), (0, Some(110)));
        assert_eq!(bodies(&receive(&connection, queue, 10, 110, 210).unwrap()), ["a", "b"]);
        let counts = counts(&connection, queue, 115).unwrap();
        assert_eq!(counts, Counts { visible: 0, in_flight: 3, last_back_ms: Some(210) });
    }

    #[test]
    fn only_the_newest_receipt_deletes() {
        let (connection, queue) = queue_of(&["a"]);
        let old = receive(&connection, queue, 1, 0, 10).unwrap().deliveries[0].receipt;
        let new = receive(&connection, queue, 1, 10, 20).unwrap().deliveries[0].receipt;
        delete(&connection, queue, old).unwrap();
        assert_eq!(counts(&connection, queue, 10).unwrap().in_flight, 1);
        delete(&connection, queue + 1, new).unwrap();
        assert_eq!(counts(&connection, queue, 10).unwrap().in_flight, 1);
        delete(&connection, queue, new).unwrap();
        assert_eq!(counts(&connection, queue, 10).unwrap().in_flight, 0);
    }

    #[test]
    fn messages_of_ended_queues_are_swept_in_parts() {
        let (connection, queue) = queue_of(&["a", "b", "c"]);
        assert!(!sweep(&connection, 10).unwrap());
        end_queues(&connection, 7).unwrap();
        assert_eq!(find(&connection, 7, QueueRole::Upload).unwrap(), None);
        let mut left = Vec::new();
        while sweep(&connection, 2).unwrap() {
            left.push(counts(&connection, queue, i64::MAX).unwrap().visible);
        }
        assert_eq!(left, [1, 0, 0]);
        assert!(!push(&connection, queue, &Content::Body("late".to_owned()), 0).unwrap());
    }
}
