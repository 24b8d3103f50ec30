//! What only the store in the process does: files, and graphs over many points.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mira_store::Timestamp;
use mira_store::vector::{
    EmbeddedVectors, Filter, Head, Payload, Point, Search, Space, VectorError, VectorStore, f16,
};
use tempfile::TempDir;
use ulid::Ulid;

use crate::points::{id, ids, only, payload, point, project, search, session, space};

pub(crate) async fn open(folder: &TempDir, dimension: usize) -> EmbeddedVectors {
    let store = EmbeddedVectors::open(folder.path()).await.unwrap();
    store.ensure(&space(dimension), false).await.unwrap();
    store
}

fn file(folder: &TempDir, head: Head) -> PathBuf {
    folder.path().join(format!("{head}.vectors"))
}

/// Points that use every part of a payload, with the version of their number.
fn points() -> Vec<Point> {
    let point = |n: u8| Point {
        head: if n < 7 { Head::Semantic } else { Head::Code },
        version: n.into(),
        payload: Payload {
            kind: format!("kind {}", n % 2),
            session: (!n.is_multiple_of(3)).then(|| session(n.into())),
            project: (n % 3 > 1).then(|| project(n.into())),
            user: format!("user {n}"),
            role: (!n.is_multiple_of(2)).then(|| "rôle".to_owned()),
            time: Timestamp::from_ms(-i64::from(n)),
            tags: (0..n % 4).map(|tag| format!("tag {n} {tag}")).collect(),
            salience: f32::from(n) / 10.0,
        },
        ..point(n.into(), vec![1.0, f32::from(n), 3.0])
    };
    (0..10).map(point).collect()
}

/// All that can be asked of a store about those points.
async fn answers(store: &EmbeddedVectors) -> String {
    let mut said = Vec::new();
    for head in Head::ALL {
        let mut inventory = store.inventory(head).await.unwrap();
        inventory.sort_unstable();
        said.push(format!("{inventory:?}"));
        for point in points() {
            let of_user = Filter {
                user: Some(point.payload.user),
                ..Filter::default()
            };
            let of_tag = Filter {
                tag: point.payload.tags.first().cloned(),
                ..Filter::default()
            };
            let since = Filter {
                since: Some(point.payload.time),
                ..Filter::default()
            };
            for filter in [of_user, of_tag, since] {
                let search = Search {
                    head,
                    filter,
                    ..search(point.vector.clone())
                };
                said.push(format!("{:?}", store.search(&[search]).await.unwrap()));
            }
        }
    }
    said.join("\n")
}

#[tokio::test]
async fn a_flushed_store_opens_the_same_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, 3).await;
    store.upsert(points()).await.unwrap();
    store.delete(None, &only([2, 8])).await.unwrap();
    let before = answers(&store).await;
    store.flush().await.unwrap();
    drop(store);

    let store = open(&folder, 3).await;
    assert_eq!(store.damaged(), []);
    assert_eq!(answers(&store).await, before);
    store.upsert(points()).await.unwrap();
    store.close().await.unwrap();
    let store = open(&folder, 3).await;
    assert_eq!(
        store.count(Head::Semantic, &Filter::default()).await.unwrap(),
        7,
        "closing flushes"
    );
}

#[tokio::test]
async fn what_was_not_flushed_is_not_there_and_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, 3).await;
    store.upsert(points()).await.unwrap();
    drop(store);
    let store = open(&folder, 3).await;
    assert_eq!(store.damaged(), []);
    assert_eq!(store.inventory(Head::Semantic).await.unwrap(), []);
}

#[tokio::test]
async fn a_damaged_snapshot_is_an_empty_head_that_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, 3).await;
    store.upsert(points()).await.unwrap();
    store.close().await.unwrap();
    let path = file(&folder, Head::Semantic);
    let whole = fs::read(&path).unwrap();
    let is_refused = async |bytes: &[u8], what: String| {
        fs::write(&path, bytes).unwrap();
        let store = open(&folder, 3).await;
        assert_eq!(store.damaged(), [Head::Semantic], "{what}");
        assert_eq!(store.inventory(Head::Semantic).await.unwrap(), [], "{what}");
        assert_eq!(
            store.inventory(Head::Code).await.unwrap().len(),
            3,
            "other heads are whole"
        );
    };

    for length in (0..60).chain((60..whole.len()).step_by(37)) {
        is_refused(&whole[..length], format!("cut to {length}")).await;
    }
    for at in (0..whole.len()).step_by(13) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        is_refused(&flipped, format!("flipped at {at}")).await;
    }
    is_refused(
        &[whole.clone(), vec![0]].concat(),
        "with a byte too many".to_owned(),
    )
    .await;
    is_refused(
        &fs::read(file(&folder, Head::Code)).unwrap(),
        "of another head".to_owned(),
    )
    .await;

    // The next flush heals it, whether there is something to write or not.
    open(&folder, 3).await.flush().await.unwrap();
    assert_eq!(open(&folder, 3).await.damaged(), []);
    fs::remove_file(&path).unwrap();
    assert_eq!(
        open(&folder, 3).await.damaged(),
        [],
        "a head without a file is new"
    );
    fs::create_dir(&path).unwrap();
    assert_eq!(
        open(&folder, 3).await.damaged(),
        [Head::Semantic],
        "a directory in its place"
    );
}

#[tokio::test]
async fn snapshots_of_another_space_are_refused_until_they_are_replaced_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, 3).await;
    store.upsert(points()).await.unwrap();
    store.close().await.unwrap();

    let other = Space {
        embedder: "another".to_owned(),
        ..space(3)
    };
    let store = EmbeddedVectors::open(folder.path()).await.unwrap();
    let refused = store.ensure(&other, false).await;
    assert!(
        matches!(&refused, Err(VectorError::OtherSpace { found, wanted }) if *found == space(3) && *wanted == other),
        "{refused:?}"
    );
    assert!(!store.health().await.ready);
    store.ensure(&other, true).await.unwrap();
    drop(store);

    let store = EmbeddedVectors::open(folder.path()).await.unwrap();
    store.ensure(&other, false).await.unwrap();
    for head in Head::ALL {
        assert_eq!(store.inventory(head).await.unwrap(), []);
    }
}

#[tokio::test]
async fn nothing_of_what_was_deleted_is_left_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, 3).await;
    let secret = Point {
        payload: Payload {
            kind: "secret kind".to_owned(),
            session: Some(Ulid(0x1234_5678_9abc_def0_1234).into()),
            user: "secret user".to_owned(),
            tags: vec!["secret tag".to_owned()],
            ..payload()
        },
        ..point(0xfeed_beef_cafe, vec![0.2, -0.9, 0.4])
    };
    let traces = [
        b"secret".to_vec(),
        0x1234_5678_9abc_def0_1234_u128.to_le_bytes()[..9].to_vec(),
        0xfeed_beef_cafe_u128.to_le_bytes()[..6].to_vec(),
        f16::encode(&secret.vector),
    ];
    let mut all = points();
    all.push(secret.clone());
    store.upsert(all).await.unwrap();
    store.flush().await.unwrap();
    for trace in &traces {
        assert!(
            is_on_disk(folder.path(), trace),
            "the test knows how a point is kept: {trace:?}"
        );
    }
    fs::write(
        folder.path().join("semantic.vectors.new"),
        "secret, left by a crash",
    )
    .unwrap();

    let user = Filter {
        user: Some(secret.payload.user),
        ..Filter::default()
    };
    store.delete(None, &user).await.unwrap();
    store.flush().await.unwrap();
    for trace in &traces {
        assert!(!is_on_disk(folder.path(), trace), "{trace:?}");
    }
    fs::write(
        folder.path().join("semantic.vectors.new"),
        "secret, left by a crash",
    )
    .unwrap();
    open(&folder, 3).await;
    assert!(!is_on_disk(folder.path(), b"secret"));
}

fn is_on_disk(folder: &Path, trace: &[u8]) -> bool {
    let mut files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.any(|bytes| bytes.windows(trace.len()).any(|window| window == trace))
}

#[tokio::test]
async fn a_vanished_directory_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, 3).await;
    store.upsert(points()).await.unwrap();
    store.flush().await.unwrap();
    fs::remove_dir_all(folder.path()).unwrap();
    let before = answers(&store).await;
    store.flush().await.unwrap();
    drop(store);
    assert_eq!(answers(&open(&folder, 3).await).await, before);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_fails_the_flush_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, 3).await;
    store.upsert(points()).await.unwrap();
    let path = file(&folder, Head::Semantic);
    fs::create_dir_all(path.join("in the way")).unwrap();
    let before = answers(&store).await;
    for failed in [store.flush().await, store.close().await] {
        assert!(
            matches!(&failed, Err(VectorError::File { path: at, .. }) if *at == path),
            "{failed:?}"
        );
    }
    assert_eq!(answers(&store).await, before);
    let other = EmbeddedVectors::open(folder.path()).await.unwrap();
    assert_eq!(other.damaged(), [Head::Semantic], "the other heads were written");

    fs::remove_dir_all(&path).unwrap();
    store.close().await.unwrap();
    assert_eq!(answers(&open(&folder, 3).await).await, before);
}

const MANY: u16 = 20_500;
const WIDE: usize = 32;

/// Vectors around many centres, as texts have topics.
fn clustered(random: &mut fastrand::Rng) -> Vec<Vec<f32>> {
    let mut gauss = || (0..12).map(|_| random.f32()).sum::<f32>() - 6.0;
    let centres: Vec<Vec<f32>> = (0..400).map(|_| (0..WIDE).map(|_| gauss()).collect()).collect();
    let mut around = |n: u16| {
        let centre = &centres[usize::from(n) % centres.len()];
        centre.iter().map(|x| x + 0.6 * gauss()).collect()
    };
    (0..MANY).map(&mut around).collect()
}

fn walk(vector: &[f32]) -> Search {
    Search {
        exact: false,
        ..search(vector.to_vec())
    }
}

/// The share of the true neighbours that are found by walking the graph.
async fn recall(store: &EmbeddedVectors, queries: &[Vec<f32>], filter: &Filter) -> f64 {
    let (mut found, mut wanted) = (0, 0);
    for query in queries {
        let walk = Search {
            filter: filter.clone(),
            ..walk(query)
        };
        let exact = Search {
            exact: true,
            ..walk.clone()
        };
        let answers = store.search(&[walk, exact]).await.unwrap();
        found += answers[1].iter().filter(|hit| answers[0].contains(hit)).count();
        wanted += answers[1].len();
    }
    assert_eq!(wanted, queries.len() * 10);
    f64::from(u32::try_from(found).unwrap()) / f64::from(u32::try_from(wanted).unwrap())
}

/// One test, because the graph takes seconds to build.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_head_is_walked_changed_erased_from_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, Head::Semantic);
    let store = open(&folder, WIDE).await;
    let vectors = clustered(&mut fastrand::Rng::with_seed(3));
    let of = |n: u16| Point {
        payload: Payload {
            role: Some(format!("role {}", n % 8)),
            ..payload()
        },
        ..point(n.into(), vectors[usize::from(n)].clone())
    };
    store.upsert((0..MANY).map(of).collect()).await.unwrap();
    let queries: Vec<Vec<f32>> = vectors
        .iter()
        .step_by(700)
        .map(|vector| vector.iter().map(|x| x + 0.3).collect())
        .collect();

    // A flush that is given up leaves everything findable, and the next one takes up its work. Searches go on meanwhile.
    let given_up = tokio::time::timeout(Duration::from_millis(200), store.flush()).await;
    assert!(given_up.is_err(), "the graph was built too quickly for this test");
    let (flushed, ()) = tokio::join!(store.flush(), async {
        for n in (0..MANY).step_by(500) {
            let hits = &store.search(&[walk(&vectors[usize::from(n)])]).await.unwrap()[0];
            assert_eq!(hits[0].id, id(n.into()));
        }
        assert!(
            !path.exists(),
            "the graph was built before it could be searched meanwhile"
        );
    });
    flushed.unwrap();
    assert!(recall(&store, &queries, &Filter::default()).await >= 0.95);

    let most = Filter {
        not_sessions: vec![session(1)],
        min_salience: Some(0.1),
        ..Filter::default()
    };
    assert!(recall(&store, &queries, &most).await >= 0.95);

    // The same vector with a new payload does not grow the graph; another vector does.
    let before = fs::metadata(&path).unwrap().len();
    let renamed = Point {
        payload: Payload {
            user: "eve".to_owned(),
            ..payload()
        },
        ..of(5)
    };
    store.upsert(vec![renamed]).await.unwrap();
    store.flush().await.unwrap();
    assert!(fs::metadata(&path).unwrap().len().abs_diff(before) < 64);
    let eve = Filter {
        user: Some("eve".to_owned()),
        ..Filter::default()
    };
    assert_eq!(store.count(Head::Semantic, &eve).await.unwrap(), 1);
    let moved: Vec<f32> = vectors[6].iter().map(|x| -x).collect();
    store.upsert(vec![point(6, moved.clone())]).await.unwrap();
    for query in [&moved, &vectors[6]] {
        let hits = &store.search(&[walk(query)]).await.unwrap()[0];
        assert_eq!(hits[0].id == id(6), *query == moved);
    }

    // Deleting a few of many erases their vectors from the graph, and that of the vector that was replaced.
    store.delete(None, &only((100..200).chain([3]))).await.unwrap();
    store.flush().await.unwrap();
    let bytes = fs::read(&path).unwrap();
    let is_kept = |vector: &[f32]| {
        let trace = f16::encode(vector);
        bytes.windows(trace.len()).any(|window| window == trace)
    };
    for n in [3, 6, 100, 150, 199] {
        assert!(!is_kept(&vectors[n]), "{n}");
    }
    assert!(is_kept(&vectors[2]) && is_kept(&vectors[200]) && is_kept(&moved));
    drop(store);

    let store = open(&folder, WIDE).await;
    assert_eq!(store.damaged(), []);
    assert_eq!(
        store.count(Head::Semantic, &Filter::default()).await.unwrap(),
        u64::from(MANY) - 101
    );
    assert!(recall(&store, &queries, &Filter::default()).await >= 0.95);
    let hits = &store.search(&[walk(&vectors[150]), walk(&moved)]).await.unwrap();
    assert!(!ids(&hits[0]).contains(&id(150)));
    assert_eq!(hits[1][0].id, id(6));

    // Deleting many of many leaves a head without a graph, exact and small.
    let roles = (0..3).map(|n| format!("role {n}")).collect();
    store
        .delete(
            None,
            &Filter {
                roles: Some(roles),
                ..Filter::default()
            },
        )
        .await
        .unwrap();
    store.flush().await.unwrap();
    assert!(fs::metadata(&path).unwrap().len() < before * 2 / 3);
    assert_eq!(
        ids(&store.search(&[walk(&vectors[7])]).await.unwrap()[0])[0],
        id(7)
    );
    assert!((recall(&store, &queries, &Filter::default()).await - 1.0).abs() < f64::EPSILON);
}
