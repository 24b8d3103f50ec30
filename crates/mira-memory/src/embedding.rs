//! The table of embeddings: the truth about vectors, whatever becomes of the place where they are searched.

use std::collections::{HashMap, HashSet};

use mira_llm::embedding::Embedder;
use mira_store::vector::{Head, Payload, Point, PointId, Space, f16};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use ulid::Ulid;

use crate::Error;
use crate::outbox::Subject;
use crate::row::{json, named, to_json};

/// Whether an embedder gave what it promises: as many vectors as texts, of its dimension, of finite numbers.
pub(crate) fn are_promised(embedder: &dyn Embedder, texts: usize, vectors: &[Vec<f32>]) -> bool {
    let is_whole = |vector: &Vec<f32>| {
        vector.len() == embedder.dimension() && vector.iter().all(|number| number.is_finite())
    };
    vectors.len() == texts && vectors.iter().all(is_whole)
}

/// What to say when it did not.
pub(crate) fn broken_promise(embedder: &dyn Embedder) -> String {
    format!("{} gave other vectors than it promises", embedder.name())
}

/// What the embeddings were made with; none before the first.
pub(crate) async fn space(connection: &mut SqliteConnection) -> Result<Option<Space>, Error> {
    sqlx::query("SELECT embedder, dimension, text_form FROM embedding_space")
        .try_map(|row: SqliteRow| {
            let dimension: i64 = row.try_get("dimension")?;
            Ok(Space {
                embedder: row.try_get("embedder")?,
                dimension: usize::try_from(dimension).map_err(|error| sqlx::Error::Decode(error.into()))?,
                text_form: row.try_get("text_form")?,
            })
        })
        .fetch_optional(connection)
        .await
        .map_err(Error::from)
}

/// Declares what embeddings are made with from now on.
pub(crate) async fn set_space(connection: &mut SqliteConnection, space: &Space) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO embedding_space (one, embedder, dimension, text_form) VALUES (1, ?1, ?2, ?3)
         ON CONFLICT (one) DO UPDATE SET embedder = ?1, dimension = ?2, text_form = ?3",
    )
    .bind(&space.embedder)
    .bind(i64::try_from(space.dimension).unwrap_or(i64::MAX))
    .bind(space.text_form)
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps the vector of a thing for some heads, in place of what they had.
pub(crate) async fn put(
    connection: &mut SqliteConnection,
    subject: Subject,
    heads: &[Head],
    vector: &[f32],
) -> Result<(), Error> {
    let blob = f16::encode(vector);
    remove(connection, &[subject.point()]).await?;
    for head in heads {
        sqlx::query("INSERT INTO embeddings (subject, kind, head, vector) VALUES (?1, ?2, ?3, ?4)")
            .bind(subject.to_string())
            .bind(subject.kind())
            .bind(head.as_str())
            .bind(&blob)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Removes the vectors of things that go away.
pub(crate) async fn remove(connection: &mut SqliteConnection, points: &[PointId]) -> Result<(), Error> {
    let ids: Vec<String> = points.iter().map(|point| point.0.to_string()).collect();
    sqlx::query("DELETE FROM embeddings WHERE subject IN (SELECT value FROM json_each(?1))")
        .bind(to_json(&ids))
        .execute(connection)
        .await?;
    Ok(())
}

/// Every embedding of a head with its version.
pub(crate) async fn inventory(
    connection: &mut SqliteConnection,
    head: Head,
) -> Result<HashMap<PointId, i64>, Error> {
    let rows = sqlx::query("SELECT subject, version FROM embeddings WHERE head = ?1")
        .bind(head.as_str())
        .try_map(|row: SqliteRow| Ok((point(row.try_get("subject")?)?, row.try_get("version")?)))
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().collect())
}

/// The points of a head as they belong into a vector store. Embeddings whose thing is gone are left out.
pub(crate) async fn points(
    connection: &mut SqliteConnection,
    ids: &[PointId],
    head: Option<Head>,
) -> Result<Vec<Point>, Error> {
    let texts: Vec<String> = ids.iter().map(|id| id.0.to_string()).collect();
    sqlx::query(
        "SELECT e.version, e.subject, e.kind, e.head, e.vector,
             coalesce(m.session_id, y.session_id) AS session_id, coalesce(m.project_id, f.project_id) AS project_id,
             coalesce(s.user_id, f.user_id) AS user_id, m.role,
             coalesce(m.time_ms, y.created_ms, f.valid_from_ms) AS time_ms,
             coalesce(m.tags, '[]') AS tags, coalesce(a.salience, f.confidence, 1.0) AS salience
         FROM json_each(?1) ids CROSS JOIN embeddings e ON e.subject = ids.value
         LEFT JOIN messages m ON e.kind = 'message' AND m.id = e.subject
         LEFT JOIN summaries y ON e.kind = 'summary' AND y.id = e.subject
         LEFT JOIN facts f ON e.kind = 'fact' AND f.id = e.subject
         LEFT JOIN sessions s ON s.id = coalesce(m.session_id, y.session_id)
         LEFT JOIN analyses a ON a.message = m.number
         WHERE (?2 IS NULL OR e.head = ?2) AND coalesce(s.user_id, f.user_id) IS NOT NULL",
    )
    .bind(to_json(&texts))
    .bind(head.map(Head::as_str))
    .try_map(|row: SqliteRow| {
        let vector: &[u8] = row.try_get("vector")?;
        let salience: f64 = row.try_get("salience")?;
        Ok(Point {
            id: point(row.try_get("subject")?)?,
            head: named(&row, "head", |name| Head::ALL.into_iter().find(|head| head.as_str() == name))?,
            version: row.try_get("version")?,
            vector: f16::decode(vector)
                .ok_or_else(|| sqlx::Error::Decode("a vector has half a number".into()))?,
            payload: Payload {
                kind: row.try_get("kind")?,
                session: row.try_get("session_id")?,
                project: row.try_get("project_id")?,
                user: row.try_get("user_id")?,
                role: row.try_get("role")?,
                time: row.try_get("time_ms")?,
                tags: json(&row, "tags")?,
                #[expect(clippy::cast_possible_truncation, reason = "0 to 1")]
                salience: salience as f32,
            },
        })
    })
    .fetch_all(connection)
    .await
    .map_err(Error::from)
}

/// What has to change in an index that holds `found` so that it holds `wanted`: what to add or renew, what to remove.
pub(crate) fn difference(
    wanted: &HashMap<PointId, i64>,
    found: &[(PointId, i64)],
) -> (Vec<PointId>, Vec<PointId>) {
    let mut stale = Vec::new();
    let mut current = HashSet::new();
    for (id, version) in found {
        match wanted.get(id) {
            Some(wanted) if wanted == version => {
                current.insert(*id);
            }
            Some(_) => {}
            None => stale.push(*id),
        }
    }
    let mut missing: Vec<PointId> = wanted
        .keys()
        .filter(|id| !current.contains(id))
        .copied()
        .collect();
    missing.sort_unstable();
    (missing, stale)
}

fn point(text: &str) -> Result<PointId, sqlx::Error> {
    Ulid::from_string(text)
        .map(PointId)
        .map_err(|error| sqlx::Error::Decode(error.into()))
}
