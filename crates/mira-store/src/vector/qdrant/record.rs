//! What the server keeps of one thing: a vector and its version for each head, and one payload.

use std::collections::HashMap;

use qdrant_client::qdrant::{
    PointId as ServerId, PointStruct, RetrievedPoint, Timestamp as ServerTime, Value,
    point_id::PointIdOptions, vector_output::Vector,
};
use ulid::Ulid;

use super::{Head, Payload, Point, PointId};
use crate::Timestamp;

pub(super) const KIND: &str = "kind";
pub(super) const SESSION: &str = "session";
pub(super) const PROJECT: &str = "project";
pub(super) const USER: &str = "user";
pub(super) const ROLE: &str = "role";
pub(super) const TIME: &str = "time";
pub(super) const TAGS: &str = "tags";
pub(super) const SALIENCE: &str = "salience";

/// The thing as it is to be stored: its new points, and what it had for other heads.
pub(super) fn merged(id: PointId, stored: Option<RetrievedPoint>, points: Vec<Point>) -> PointStruct {
    let mut payload = points
        .last()
        .map(|point| fields(&point.payload))
        .unwrap_or_default();
    let mut vectors = HashMap::new();
    if let Some(stored) = stored {
        for head in Head::ALL {
            if let Some(vector) = vector(&stored, head) {
                vectors.insert(head.as_str().to_owned(), vector);
                payload.insert(version_field(head), version(&stored.payload, head).into());
            }
        }
    }
    for point in points {
        vectors.insert(point.head.as_str().to_owned(), point.vector);
        payload.insert(version_field(point.head), point.version.into());
    }
    PointStruct {
        id: Some(server_id(id)),
        payload,
        vectors: Some(vectors.into()),
    }
}

fn vector(stored: &RetrievedPoint, head: Head) -> Option<Vec<f32>> {
    match stored.vectors.as_ref()?.get_vector_by_name(head.as_str())? {
        Vector::Dense(vector) => Some(vector.data),
        Vector::Sparse(_) | Vector::MultiDense(_) => None,
    }
}

fn fields(payload: &Payload) -> HashMap<String, Value> {
    // Taken apart so that a field that is added cannot be forgotten.
    let Payload {
        kind,
        session,
        project,
        user,
        role,
        time,
        tags,
        salience,
    } = payload;
    [
        Some((KIND, kind.as_str().into())),
        session.map(|session| (SESSION, session.to_string().into())),
        project.map(|project| (PROJECT, project.to_string().into())),
        Some((USER, user.as_str().into())),
        role.as_ref().map(|role| (ROLE, role.as_str().into())),
        Some((TIME, time.to_string().into())),
        Some((TAGS, tags.clone().into())),
        Some((SALIENCE, f64::from(*salience).into())),
    ]
    .into_iter()
    .flatten()
    .map(|(field, value): (&str, Value)| (field.to_owned(), value))
    .collect()
}

/// The field of the payload with the version of a head's vector.
pub(super) fn version_field(head: Head) -> String {
    format!("version_{head}")
}

/// The version of a head's vector. One that the payload does not tell is older than every other.
pub(super) fn version(payload: &HashMap<String, Value>, head: Head) -> i64 {
    payload
        .get(&version_field(head))
        .and_then(Value::as_integer)
        .unwrap_or(i64::MIN)
}

/// The id as the server has it, a UUID of the same 128 bits.
pub(super) fn server_id(PointId(ulid): PointId) -> ServerId {
    format!("{:032x}", u128::from(ulid)).into()
}

/// The inverse of [`server_id`], for an id in any of the forms of a UUID.
pub(super) fn own_id(id: &ServerId) -> Option<PointId> {
    match id.point_id_options.as_ref()? {
        PointIdOptions::Uuid(uuid) => {
            let number = u128::from_str_radix(&uuid.replace('-', ""), 16).ok()?;
            Some(PointId(Ulid::from(number)))
        }
        PointIdOptions::Num(_) => None,
    }
}

/// The time as a filter has it; the payload has it as text.
pub(super) fn server_time(time: Timestamp) -> ServerTime {
    let nanos = time.ms().rem_euclid(1000) * 1_000_000;
    ServerTime {
        seconds: time.seconds(),
        nanos: i32::try_from(nanos).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use qdrant_client::qdrant::{
        DenseVector, NamedVectorsOutput, VectorOutput, VectorsOutput, vectors_output::VectorsOptions,
    };

    use super::*;
    use crate::{ProjectId, SessionId};

    const ID: PointId = PointId(Ulid(0x0198_0000_0000_0000_0000_0000_0000_00ff));
    const SESSION_ID: Ulid = Ulid(7);

    fn payload() -> Payload {
        Payload {
            kind: "message".to_owned(),
            session: Some(SessionId::from(SESSION_ID)),
            project: None,
            user: "ada".to_owned(),
            role: Some("user".to_owned()),
            time: Timestamp::from_ms(1_769_853_600_250),
            tags: vec!["rust".to_owned(), "io".to_owned()],
            salience: 0.5,
        }
    }

    fn point(head: Head, version: i64, vector: [f32; 2]) -> Point {
        Point {
            id: ID,
            head,
            version,
            vector: vector.to_vec(),
            payload: payload(),
        }
    }

    fn json(point: PointStruct) -> serde_json::Value {
        let qdrant_client::qdrant::vectors::VectorsOptions::Vectors(named) =
            point.vectors.unwrap().vectors_options.unwrap()
        else {
            panic!("vectors without names");
        };
        let vectors: HashMap<_, _> = named
            .vectors
            .into_iter()
            .map(|(name, vector)| match vector.vector.unwrap() {
                qdrant_client::qdrant::vector::Vector::Dense(dense) => (name, dense.data),
                other => panic!("{other:?}"),
            })
            .collect();
        serde_json::json!({
            "id": own_id(&point.id.unwrap()).unwrap(),
            "payload": point.payload,
            "vectors": vectors,
        })
    }

    #[test]
    fn a_new_thing_is_one_point_with_all_its_heads() {
        let points = vec![
            point(Head::Semantic, 1, [1.0, 0.0]),
            point(Head::Code, 2, [0.0, 1.0]),
            point(Head::Semantic, 3, [0.5, 0.5]),
        ];
        assert_eq!(
            json(merged(ID, None, points)),
            serde_json::json!({
                "id": ID,
                "payload": {
                    "kind": "message",
                    "session": SessionId::from(SESSION_ID).to_string(),
                    "user": "ada",
                    "role": "user",
                    "time": "2026-01-31T10:00:00.25Z",
                    "tags": ["rust", "io"],
                    "salience": 0.5,
                    "version_semantic": 3,
                    "version_code": 2,
                },
                "vectors": {"semantic": [0.5, 0.5], "code": [0.0, 1.0]},
            }),
        );
    }

    #[test]
    fn a_stored_thing_keeps_its_other_heads_and_takes_the_new_payload() {
        let stored = RetrievedPoint {
            id: Some(server_id(ID)),
            payload: HashMap::from([
                (version_field(Head::Code), 4.into()),
                (version_field(Head::Semantic), 1.into()),
                (version_field(Head::Summary), 1.into()),
                (PROJECT.to_owned(), "gone".into()),
            ]),
            vectors: Some(VectorsOutput {
                vectors_options: Some(VectorsOptions::Vectors(NamedVectorsOutput {
                    vectors: [("code", [0.0, 1.0]), ("semantic", [0.0, -1.0])]
                        .map(|(name, data)| {
                            let dense = Vector::Dense(DenseVector { data: data.to_vec() });
                            let output = VectorOutput {
                                vector: Some(dense),
                                ..VectorOutput::default()
                            };
                            (name.to_owned(), output)
                        })
                        .into(),
                })),
            }),
            ..RetrievedPoint::default()
        };
        let mut without_session = point(Head::Semantic, 5, [1.0, 0.0]);
        without_session.payload.session = None;
        without_session.payload.role = None;
        without_session.payload.project = Some(ProjectId::from(Ulid(9)));
        assert_eq!(
            json(merged(ID, Some(stored), vec![without_session])),
            serde_json::json!({
                "id": ID,
                "payload": {
                    "kind": "message",
                    "project": ProjectId::from(Ulid(9)).to_string(),
                    "user": "ada",
                    "time": "2026-01-31T10:00:00.25Z",
                    "tags": ["rust", "io"],
                    "salience": 0.5,
                    "version_semantic": 5,
                    "version_code": 4,
                },
                "vectors": {"semantic": [1.0, 0.0], "code": [0.0, 1.0]},
            }),
        );
    }

    #[test]
    fn ids_go_to_the_server_and_back() {
        for number in [0, 1, ID.0.0, u128::MAX] {
            let id = PointId(Ulid(number));
            assert_eq!(own_id(&server_id(id)), Some(id));
        }
        let hyphenated = ServerId::from("01980000-0000-0000-0000-0000000000ff");
        assert_eq!(own_id(&hyphenated), Some(ID));
        for foreign in [ServerId::from(7), ServerId::from("a name"), ServerId::default()] {
            assert_eq!(own_id(&foreign), None);
        }
    }

    #[test]
    fn times_are_split_into_seconds_and_what_is_above_them() {
        let cases = [
            (0, 0, 0),
            (1_769_853_600_250, 1_769_853_600, 250_000_000),
            (-1, -1, 999_000_000),
        ];
        for (ms, seconds, nanos) in cases {
            assert_eq!(server_time(Timestamp::from_ms(ms)), ServerTime { seconds, nanos });
        }
    }
}
