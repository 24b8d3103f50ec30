//! What every vector store must do.

use mira_store::Timestamp;
use mira_store::vector::{Filter, Head, Payload, Point, PointId, Search, Space, VectorError, VectorStore};

use crate::points::{id, ids, only, passes, payload, point, project, search, session, space};

const DIMENSION: usize = 8;

#[cfg(feature = "embedded")]
#[tokio::test]
async fn the_embedded_store_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let store = mira_store::vector::EmbeddedVectors::open(folder.path())
        .await
        .unwrap();
    holds(&store).await;
}

#[cfg(feature = "qdrant")]
#[tokio::test]
async fn the_server_store_keeps_the_contract() {
    let Ok(url) = std::env::var("QDRANT_URL") else {
        eprintln!("skipped the contract of the Qdrant store: QDRANT_URL is not set");
        return;
    };
    let store = mira_store::vector::QdrantVectors::connect(mira_store::vector::QdrantOptions {
        url,
        api_key: None,
        collection: format!("mira-contract-{}", ulid::Ulid::generate()),
        timeout: std::time::Duration::from_secs(20),
    })
    .unwrap();
    holds(&store).await;
}

/// Runs every part against one store, which is closed in the end.
async fn holds(store: &dyn VectorStore) {
    refuses_before_it_is_told_the_space(store).await;
    store.ensure(&space(DIMENSION), false).await.unwrap();
    store.ensure(&space(DIMENSION), false).await.unwrap();
    assert!(store.health().await.ready);

    finds_the_nearest_first(store).await;
    replaces_points(store).await;
    keeps_heads_apart(store).await;
    filters(store).await;
    deletes_by_filter(store).await;
    refuses_bad_vectors(store).await;
    answers_odd_searches(store).await;
    store.flush().await.unwrap();
    refuses_another_space(store).await;
    closes(store).await;
}

/// A unit vector at an angle, in tenths of a radian, to that at 0.
fn at(angle: f32) -> Vec<f32> {
    let (sin, cos) = (angle / 10.0).sin_cos();
    let mut vector = vec![0.0; DIMENSION];
    (vector[1], vector[4]) = (cos, sin);
    vector
}

async fn clear(store: &dyn VectorStore) {
    store.delete(None, &Filter::default()).await.unwrap();
}

async fn found(store: &dyn VectorStore, search: Search) -> Vec<PointId> {
    let mut answers = store.search(&[search]).await.unwrap();
    assert_eq!(answers.len(), 1);
    ids(&answers.remove(0))
}

async fn inventory(store: &dyn VectorStore, head: Head) -> Vec<(PointId, i64)> {
    let mut inventory = store.inventory(head).await.unwrap();
    inventory.sort_unstable();
    inventory
}

async fn refuses_before_it_is_told_the_space(store: &dyn VectorStore) {
    assert!(!store.health().await.ready);
    let refused = store.upsert(vec![point(1, at(0.0))]).await;
    assert!(matches!(refused, Err(VectorError::NotReady)), "{refused:?}");
    let refused = store.search(&[search(at(0.0))]).await;
    assert!(matches!(refused, Err(VectorError::NotReady)), "{refused:?}");
}

async fn finds_the_nearest_first(store: &dyn VectorStore) {
    // Points 5 and 3 are at the same angle as 4; the lengths of vectors do not matter.
    let long = |angle| at(angle).into_iter().map(|x| x * 300.0).collect();
    let angles = [
        (1, at(9.0)),
        (2, at(1.0)),
        (5, at(3.0)),
        (4, long(3.0)),
        (3, at(3.0)),
        (6, at(31.4)),
    ];
    let points = angles.map(|(n, vector)| point(n, vector));
    store.upsert(points.to_vec()).await.unwrap();

    for exact in [true, false] {
        let search = Search {
            exact,
            ..search(long(0.0))
        };
        let answers = store
            .search(&[search.clone(), Search { limit: 3, ..search }])
            .await
            .unwrap();
        assert_eq!(ids(&answers[0]), [2, 3, 4, 5, 1, 6].map(id), "exact: {exact}");
        assert_eq!(answers[1], answers[0][..3], "a limit cuts");
        for (hit, angle) in answers[0].iter().zip([1.0_f32, 3.0, 3.0, 3.0, 9.0, 31.4]) {
            assert!(
                (hit.similarity - (angle / 10.0).cos()).abs() < 2e-3,
                "{hit:?} at {angle}"
            );
        }
    }
    assert_eq!(store.count(Head::Semantic, &Filter::default()).await.unwrap(), 6);
    clear(store).await;
    assert_eq!(found(store, search(at(0.0))).await, []);
}

async fn replaces_points(store: &dyn VectorStore) {
    store
        .upsert((1..4).map(|n| point(n, at(1.0))).collect())
        .await
        .unwrap();
    let turned = Point {
        version: 2,
        ..point(2, at(15.0))
    };
    let renamed = Point {
        version: 7,
        payload: Payload {
            user: "grace".to_owned(),
            ..payload()
        },
        ..point(3, at(1.0))
    };
    store.upsert(vec![turned, renamed]).await.unwrap();

    assert_eq!(found(store, search(at(0.0))).await, [1, 3, 2].map(id));
    let of = |user: &str| Filter {
        user: Some(user.to_owned()),
        ..Filter::default()
    };
    assert_eq!(store.count(Head::Semantic, &of("ada")).await.unwrap(), 2);
    assert_eq!(store.count(Head::Semantic, &of("grace")).await.unwrap(), 1);
    let versions = [(id(1), 1), (id(2), 2), (id(3), 7)];
    assert_eq!(inventory(store, Head::Semantic).await, versions);

    let twice = [at(2.0), at(0.0)].map(|vector| point(9, vector));
    store.upsert(twice.to_vec()).await.unwrap();
    assert_eq!(
        found(store, search(at(0.0))).await[0],
        id(9),
        "the later one of a batch holds"
    );
    clear(store).await;
}

async fn keeps_heads_apart(store: &dyn VectorStore) {
    let of = |head, angle, version| Point {
        head,
        version,
        ..point(1, at(angle))
    };
    let mut points = vec![of(Head::Semantic, 0.0, 1), of(Head::Code, 15.0, 2)];
    points.push(Point {
        head: Head::Code,
        ..point(2, at(0.0))
    });
    store.upsert(points).await.unwrap();
    store.upsert(vec![of(Head::Summary, 5.0, 3)]).await.unwrap();

    let searches = Head::ALL.map(|head| Search {
        head,
        ..search(at(0.0))
    });
    let answers = store.search(&searches).await.unwrap();
    let answers: Vec<_> = answers.iter().map(|hits| ids(hits)).collect();
    assert_eq!(
        answers,
        [vec![id(1)], vec![id(2), id(1)], vec![id(1)], vec![], vec![]]
    );
    assert_eq!(inventory(store, Head::Code).await, [(id(1), 2), (id(2), 1)]);
    assert_eq!(inventory(store, Head::Summary).await, [(id(1), 3)]);

    store.delete(Some(Head::Code), &only([1])).await.unwrap();
    assert_eq!(inventory(store, Head::Code).await, [(id(2), 1)]);
    assert_eq!(
        inventory(store, Head::Semantic).await,
        [(id(1), 1)],
        "other heads keep theirs"
    );
    store.delete(None, &only([1])).await.unwrap();
    for head in [Head::Semantic, Head::Summary] {
        assert_eq!(inventory(store, head).await, []);
    }
    assert_eq!(inventory(store, Head::Code).await, [(id(2), 1)]);
    clear(store).await;
}

fn varied() -> Vec<Point> {
    let choose = |n: u128, from: &[&str]| from[usize::try_from(n).unwrap() % from.len()].to_owned();
    let vary = |n: u128| {
        let step = u16::try_from(n).unwrap();
        Point {
            payload: Payload {
                kind: choose(n, &["message", "summary", "fact"]),
                session: (!n.is_multiple_of(4)).then(|| session(n % 4)),
                project: (n % 5 < 3).then(|| project(n % 5)),
                user: choose(n / 2, &["ada", "grace"]),
                role: (!n.is_multiple_of(3)).then(|| choose(n, &["user", "assistant"])),
                time: Timestamp::from_ms(1_700_000_000_000 + i64::from(step)),
                tags: ["rust", "sql", "web"][..usize::from(step) % 4]
                    .iter()
                    .map(|&tag| tag.to_owned())
                    .collect(),
                salience: f32::from(step) / 16.0,
            },
            ..point(n, at(f32::from(step)))
        }
    };
    (1..17).map(vary).collect()
}

fn every_filter() -> Vec<Filter> {
    let none = Filter::default;
    let texts = |texts: &[&str]| Some(texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
    let time = |ms: i64| Some(Timestamp::from_ms(1_700_000_000_000 + ms));
    vec![
        Filter {
            ids: Some(vec![id(3), id(99), id(3), id(12)]),
            ..none()
        },
        Filter {
            ids: Some(Vec::new()),
            ..none()
        },
        Filter {
            sessions: Some(vec![session(1), session(3)]),
            ..none()
        },
        Filter {
            sessions: Some(Vec::new()),
            ..none()
        },
        Filter {
            not_sessions: vec![session(2), session(9)],
            ..none()
        },
        Filter {
            project: Some(project(0)),
            ..none()
        },
        Filter {
            user: Some("grace".to_owned()),
            ..none()
        },
        Filter {
            user: Some("nobody".to_owned()),
            ..none()
        },
        Filter {
            roles: texts(&["assistant"]),
            ..none()
        },
        Filter {
            roles: texts(&["assistant", "user"]),
            ..none()
        },
        Filter {
            kinds: texts(&["fact", "summary"]),
            ..none()
        },
        Filter {
            tag: Some("sql".to_owned()),
            ..none()
        },
        Filter {
            tag: Some("unheard of".to_owned()),
            ..none()
        },
        Filter {
            since: time(5),
            ..none()
        },
        Filter {
            until: time(5),
            ..none()
        },
        Filter {
            since: time(5),
            until: time(6),
            ..none()
        },
        Filter {
            min_salience: Some(0.5),
            ..none()
        },
        Filter {
            sessions: Some(vec![session(1), session(2)]),
            not_sessions: vec![session(2)],
            ..none()
        },
        Filter {
            user: Some("ada".to_owned()),
            kinds: texts(&["message"]),
            tag: Some("rust".to_owned()),
            ..none()
        },
        Filter {
            not_sessions: vec![session(1)],
            roles: texts(&["user"]),
            since: time(4),
            ..none()
        },
        Filter {
            ids: Some((1..9).map(id).collect()),
            project: Some(project(1)),
            min_salience: Some(0.1),
            ..none()
        },
        none(),
    ]
}

async fn filters(store: &dyn VectorStore) {
    let points = varied();
    store.upsert(points.clone()).await.unwrap();
    for filter in every_filter() {
        let expected: Vec<PointId> = points
            .iter()
            .filter(|&point| passes(&filter, point))
            .map(|point| point.id)
            .collect();
        let count = store.count(Head::Semantic, &filter).await.unwrap();
        assert_eq!(count, expected.len() as u64, "{filter:?}");
        for exact in [true, false] {
            let search = Search {
                filter: filter.clone(),
                limit: 20,
                exact,
                ..search(at(0.0))
            };
            assert_eq!(found(store, search).await, expected, "{filter:?}");
        }
    }
    clear(store).await;
}

async fn deletes_by_filter(store: &dyn VectorStore) {
    let points = varied();
    for filter in every_filter() {
        store.upsert(points.clone()).await.unwrap();
        store.delete(Some(Head::Semantic), &filter).await.unwrap();
        let left = points.iter().filter(|&point| !passes(&filter, point));
        let left: Vec<_> = left.map(|point| (point.id, point.version)).collect();
        assert_eq!(inventory(store, Head::Semantic).await, left, "{filter:?}");
    }
    clear(store).await;
}

async fn refuses_bad_vectors(store: &dyn VectorStore) {
    store.upsert(vec![point(1, at(0.0))]).await.unwrap();
    let with = |number| {
        let mut vector = at(0.0);
        vector[3] = number;
        vector
    };
    for vector in [vec![], at(0.0)[1..].to_vec(), with(f32::NAN), with(f32::INFINITY)] {
        let found = vector.len();
        let points = vec![point(2, at(0.0)), point(1, at(9.0)), point(3, vector.clone())];
        let is_refused =
            |error| matches!(error, VectorError::BadVector { expected: DIMENSION, found: n } if n == found);
        assert!(store.upsert(points).await.is_err_and(is_refused), "{vector:?}");
        assert!(store.search(&[search(vector)]).await.is_err_and(is_refused));
    }
    assert_eq!(
        inventory(store, Head::Semantic).await,
        [(id(1), 1)],
        "nothing was changed"
    );
    let hit = store.search(&[search(at(0.0))]).await.unwrap()[0][0];
    assert!(hit.similarity > 0.999, "{hit:?}");
    clear(store).await;
}

async fn answers_odd_searches(store: &dyn VectorStore) {
    store
        .upsert(vec![point(1, at(0.0)), point(2, at(1.0))])
        .await
        .unwrap();
    assert_eq!(store.search(&[]).await.unwrap(), Vec::<Vec<_>>::new());
    let with = |limit| Search {
        limit,
        ..search(at(0.0))
    };
    assert_eq!(found(store, with(0)).await, []);
    assert_eq!(found(store, with(1_000)).await, [id(1), id(2)]);
    store.upsert(Vec::new()).await.unwrap();
    clear(store).await;
}

async fn refuses_another_space(store: &dyn VectorStore) {
    store.upsert(vec![point(1, at(0.0))]).await.unwrap();
    let kept = space(DIMENSION);
    let others = [
        Space {
            embedder: "another".to_owned(),
            ..kept.clone()
        },
        Space {
            text_form: 2,
            ..kept.clone()
        },
        Space {
            dimension: 4,
            ..kept.clone()
        },
    ];
    for other in &others {
        let refused = store.ensure(other, false).await;
        let is_told = |error| matches!(error, VectorError::OtherSpace { found, wanted } if found == kept && wanted == *other);
        assert!(refused.is_err_and(is_told), "{other}");
    }
    assert_eq!(
        found(store, search(at(0.0))).await,
        [id(1)],
        "a refusal changes nothing"
    );

    store.ensure(&others[2], true).await.unwrap();
    assert_eq!(inventory(store, Head::Semantic).await, []);
    store.upsert(vec![point(2, vec![1.0; 4])]).await.unwrap();
    assert_eq!(found(store, search(vec![1.0; 4])).await, [id(2)]);
    let refused = store.upsert(vec![point(3, at(0.0))]).await;
    assert!(
        matches!(
            refused,
            Err(VectorError::BadVector {
                expected: 4,
                found: 8
            })
        ),
        "{refused:?}"
    );
    store.ensure(&others[2], true).await.unwrap();
    assert_eq!(
        inventory(store, Head::Semantic).await,
        [(id(2), 1)],
        "the same space is kept"
    );
    clear(store).await;
}

async fn closes(store: &dyn VectorStore) {
    store.close().await.unwrap();
    assert!(!store.health().await.ready);
    let is_closed = |error| matches!(error, VectorError::Closed);
    assert!(store.upsert(vec![point(1, at(0.0))]).await.is_err_and(is_closed));
    assert!(store.search(&[]).await.is_err_and(is_closed));
    assert!(
        store
            .count(Head::Code, &Filter::default())
            .await
            .is_err_and(is_closed)
    );
    assert!(store.inventory(Head::Code).await.is_err_and(is_closed));
    assert!(store.delete(None, &Filter::default()).await.is_err_and(is_closed));
    assert!(store.flush().await.is_err_and(is_closed));
    assert!(store.ensure(&space(DIMENSION), true).await.is_err_and(is_closed));
    assert!(store.close().await.is_err_and(is_closed));
}
