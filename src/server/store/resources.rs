//! Collections, coordinate frames, experiments and channels: each a name, an id and the JSON that describes it.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use super::StoreError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    Collection,
    CoordFrame,
    Experiment,
    Channel,
}

impl ResourceKind {
    fn word(self) -> &'static str {
        match self {
            ResourceKind::Collection => "collection",
            ResourceKind::CoordFrame => "coord",
            ResourceKind::Experiment => "experiment",
            ResourceKind::Channel => "channel",
        }
    }
}

/// One resource. `body` holds what its user set, with the names of the Boss's replies.
#[derive(Clone, Debug)]
pub struct Resource {
    pub id: u64,
    pub body: Value,
}

/// Names are unique below one parent, which is 0 for collections and coordinate frames.
pub fn find(
    connection: &Connection,
    kind: ResourceKind,
    parent: u64,
    name: &str,
) -> Result<Option<Resource>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, body FROM resources WHERE kind = ?1 AND parent = ?2 AND name = ?3")?;
    let row = statement
        .query_row(params![kind.word(), parent, name], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    let Some((id, body)) = row else { return Ok(None) };
    let body = serde_json::from_str(&body).map_err(|_| StoreError::Damaged { what: "a resource" })?;
    Ok(Some(Resource { id, body }))
}

/// Adds a resource and gives its id; `None` when the name is taken.
pub fn insert(
    connection: &Connection,
    kind: ResourceKind,
    parent: u64,
    name: &str,
    body: &Value,
) -> Result<Option<u64>, StoreError> {
    if find(connection, kind, parent, name)?.is_some() {
        return Ok(None);
    }
    let id: u64 = connection
        .prepare_cached("SELECT ifnull(max(id), 0) + 1 FROM resources WHERE kind = ?1")?
        .query_row([kind.word()], |row| row.get(0))?;
    connection
        .prepare_cached("INSERT INTO resources (kind, id, parent, name, body) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![kind.word(), id, parent, name, body.to_string()])?;
    Ok(Some(id))
}

/// The names below a parent, in the order of their creation.
pub fn names(connection: &Connection, kind: ResourceKind, parent: u64) -> Result<Vec<String>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT name FROM resources WHERE kind = ?1 AND parent = ?2 ORDER BY id")?;
    let names = statement.query_map(params![kind.word(), parent], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}
