//! Points and filters for tests, and what a filter means, said as plainly as possible.

use mira_store::vector::{Filter, Head, Hit, Payload, Point, PointId, Search, Space};
use mira_store::{ProjectId, SessionId, Timestamp};
use ulid::Ulid;

pub(crate) fn space(dimension: usize) -> Space {
    Space {
        embedder: "test".to_owned(),
        dimension,
        text_form: 1,
    }
}

pub(crate) fn id(n: u128) -> PointId {
    PointId(Ulid(n))
}

pub(crate) fn session(n: u128) -> SessionId {
    Ulid(1_000 + n).into()
}

pub(crate) fn project(n: u128) -> ProjectId {
    Ulid(2_000 + n).into()
}

pub(crate) fn payload() -> Payload {
    Payload {
        kind: "message".to_owned(),
        session: None,
        project: None,
        user: "ada".to_owned(),
        role: None,
        time: Timestamp::from_ms(0),
        tags: Vec::new(),
        salience: 0.5,
    }
}

/// Of version 1 in the first head.
pub(crate) fn point(n: u128, vector: Vec<f32>) -> Point {
    Point {
        id: id(n),
        head: Head::Semantic,
        version: 1,
        vector,
        payload: payload(),
    }
}

/// For the ten nearest of all points of the first head, exactly.
pub(crate) fn search(vector: Vec<f32>) -> Search {
    Search {
        head: Head::Semantic,
        vector,
        filter: Filter::default(),
        limit: 10,
        exact: true,
    }
}

pub(crate) fn ids(hits: &[Hit]) -> Vec<PointId> {
    hits.iter().map(|hit| hit.id).collect()
}

pub(crate) fn only(ids: impl IntoIterator<Item = u128>) -> Filter {
    Filter {
        ids: Some(ids.into_iter().map(id).collect()),
        ..Filter::default()
    }
}

pub(crate) fn passes(filter: &Filter, point: &Point) -> bool {
    let payload = &point.payload;
    let among = |wanted: &Option<Vec<String>>, found: Option<&String>| match (wanted, found) {
        (None, _) => true,
        (Some(wanted), Some(found)) => wanted.contains(found),
        (Some(_), None) => false,
    };
    let in_session =
        |sessions: &[SessionId]| payload.session.is_some_and(|session| sessions.contains(&session));
    filter.ids.as_ref().is_none_or(|ids| ids.contains(&point.id))
        && filter
            .sessions
            .as_ref()
            .is_none_or(|sessions| in_session(sessions))
        && !in_session(&filter.not_sessions)
        && (filter.project.is_none() || filter.project == payload.project)
        && filter.user.as_ref().is_none_or(|user| *user == payload.user)
        && among(&filter.roles, payload.role.as_ref())
        && among(&filter.kinds, Some(&payload.kind))
        && filter.tag.as_ref().is_none_or(|tag| payload.tags.contains(tag))
        && filter.since.is_none_or(|since| payload.time >= since)
        && filter.until.is_none_or(|until| payload.time < until)
        && filter.min_salience.is_none_or(|least| payload.salience >= least)
}
