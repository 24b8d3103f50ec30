//! Filters in the server's terms.

use qdrant_client::qdrant::{self, Condition, DatetimeRange, Range};

use super::record::{KIND, PROJECT, ROLE, SALIENCE, SESSION, TAGS, TIME, USER, server_id, server_time};
use super::{Filter, Head};

/// What passes the filter, in whichever head.
pub(super) fn passing(filter: &Filter) -> qdrant::Filter {
    // Taken apart so that a field that is added cannot be forgotten.
    let Filter {
        ids,
        sessions,
        not_sessions,
        project,
        user,
        roles,
        kinds,
        tag,
        since,
        until,
        min_salience,
    } = filter;
    let mut must = Vec::new();
    must.extend(
        ids.as_ref()
            .map(|ids| Condition::has_id(ids.iter().map(|id| server_id(*id)))),
    );
    must.extend(sessions.as_ref().map(|sessions| one_of(SESSION, sessions)));
    must.extend(project.map(|project| is(PROJECT, &project)));
    must.extend(user.as_ref().map(|user| is(USER, user)));
    must.extend(roles.as_ref().map(|roles| one_of(ROLE, roles)));
    must.extend(kinds.as_ref().map(|kinds| one_of(KIND, kinds)));
    must.extend(tag.as_ref().map(|tag| is(TAGS, tag)));
    if since.is_some() || until.is_some() {
        must.push(Condition::datetime_range(
            TIME,
            DatetimeRange {
                gte: since.map(server_time),
                lt: until.map(server_time),
                ..DatetimeRange::default()
            },
        ));
    }
    must.extend(min_salience.map(|least| {
        let gte = Some(f64::from(least));
        Condition::range(
            SALIENCE,
            Range {
                gte,
                ..Range::default()
            },
        )
    }));
    let mut must_not = Vec::new();
    if !not_sessions.is_empty() {
        must_not.push(one_of(SESSION, not_sessions));
    }
    qdrant::Filter {
        must,
        must_not,
        ..qdrant::Filter::default()
    }
}

/// What passes the filter and has a vector in the head.
pub(super) fn in_head(head: Head, filter: &Filter) -> qdrant::Filter {
    let mut passing = passing(filter);
    passing.must.push(Condition::has_vector(head.as_str()));
    passing
}

/// What passes the filter and has no vector left.
pub(super) fn in_no_head(filter: &Filter) -> qdrant::Filter {
    let mut passing = passing(filter);
    passing
        .must_not
        .extend(Head::ALL.map(|head| Condition::has_vector(head.as_str())));
    passing
}

fn is(field: &str, value: &impl ToString) -> Condition {
    Condition::matches(field, value.to_string())
}

fn one_of(field: &str, values: &[impl ToString]) -> Condition {
    Condition::matches(field, values.iter().map(ToString::to_string).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::PointId;
    use crate::{ProjectId, SessionId, Timestamp};
    use ulid::Ulid;

    #[test]
    fn each_part_becomes_a_condition() {
        let session = SessionId::from(Ulid(1));
        let other = SessionId::from(Ulid(2));
        let project = ProjectId::from(Ulid(3));
        let id = PointId(Ulid(4));
        let strings = |values: &[&str]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
        let cases = [
            (Filter::default(), qdrant::Filter::default()),
            (
                Filter {
                    ids: Some(vec![id]),
                    ..Filter::default()
                },
                qdrant::Filter::must([Condition::has_id(["00000000000000000000000000000004"])]),
            ),
            (
                // Nothing passes; the server must not take it for everything.
                Filter {
                    ids: Some(Vec::new()),
                    ..Filter::default()
                },
                qdrant::Filter::must([Condition::has_id(Vec::<String>::new())]),
            ),
            (
                Filter {
                    sessions: Some(vec![session, other]),
                    ..Filter::default()
                },
                qdrant::Filter::must([Condition::matches(
                    SESSION,
                    vec![session.to_string(), other.to_string()],
                )]),
            ),
            (
                Filter {
                    not_sessions: vec![other],
                    ..Filter::default()
                },
                qdrant::Filter::must_not([Condition::matches(SESSION, vec![other.to_string()])]),
            ),
            (
                Filter {
                    project: Some(project),
                    user: Some("ada".to_owned()),
                    roles: Some(strings(&["user"])),
                    kinds: Some(strings(&["message", "fact"])),
                    tag: Some("rust".to_owned()),
                    ..Filter::default()
                },
                qdrant::Filter::must([
                    Condition::matches(PROJECT, project.to_string()),
                    Condition::matches(USER, "ada".to_owned()),
                    Condition::matches(ROLE, strings(&["user"])),
                    Condition::matches(KIND, strings(&["message", "fact"])),
                    Condition::matches(TAGS, "rust".to_owned()),
                ]),
            ),
            (
                Filter {
                    since: Some(Timestamp::from_ms(1500)),
                    until: Some(Timestamp::from_ms(2000)),
                    min_salience: Some(0.25),
                    ..Filter::default()
                },
                qdrant::Filter::must([
                    Condition::datetime_range(
                        TIME,
                        DatetimeRange {
                            gte: Some(server_time(Timestamp::from_ms(1500))),
                            lt: Some(server_time(Timestamp::from_ms(2000))),
                            ..DatetimeRange::default()
                        },
                    ),
                    Condition::range(
                        SALIENCE,
                        Range {
                            gte: Some(0.25),
                            ..Range::default()
                        },
                    ),
                ]),
            ),
        ];
        for (filter, expected) in cases {
            assert_eq!(passing(&filter), expected, "{filter:?}");
        }
    }

    #[test]
    fn a_head_is_a_further_condition() {
        let filter = Filter {
            user: Some("ada".to_owned()),
            ..Filter::default()
        };
        let ada = Condition::matches(USER, "ada".to_owned());
        assert_eq!(
            in_head(Head::Code, &filter),
            qdrant::Filter::must([ada.clone(), Condition::has_vector("code")]),
        );
        assert_eq!(
            in_no_head(&filter),
            qdrant::Filter {
                must: vec![ada],
                must_not: ["semantic", "code", "summary", "documents", "relationship"]
                    .map(Condition::has_vector)
                    .to_vec(),
                ..qdrant::Filter::default()
            },
        );
    }
}
