//! Filters of the embedded store against the plain meaning of a filter.

use mira_store::Timestamp;
use mira_store::vector::{Filter, Payload, Point, Search, VectorStore};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use crate::embedded::open;
use crate::points::{id, ids, passes, point, project, search, session};

fn any_text() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c"]).prop_map(str::to_owned)
}

prop_compose! {
    fn any_payload()(
        kind in any_text(),
        sessions in of(0_u128..3),
        projects in of(0_u128..3),
        user in any_text(),
        role in of(any_text()),
        time in 0_i64..4,
        tags in vec(any_text(), 0..3),
        salience in 0_u8..4,
    ) -> Payload {
        Payload {
            kind,
            session: sessions.map(session),
            project: projects.map(project),
            user,
            role,
            time: Timestamp::from_ms(time),
            tags,
            salience: f32::from(salience),
        }
    }
}

prop_compose! {
    fn any_filter()(
        only in of(vec(0_u128..40, 0..30)),
        sessions in of(vec(0_u128..3, 0..3)),
        not_sessions in vec(0_u128..3, 0..2),
        projects in of(0_u128..3),
        texts in (of(any_text()), of(vec(any_text(), 0..3)), of(vec(any_text(), 0..3)), of(any_text())),
        times in (of(0_i64..4), of(0_i64..5)),
        salience in of(0_u8..4),
    ) -> Filter {
        let (user, roles, kinds, tag) = texts;
        Filter {
            ids: only.map(|only| only.into_iter().map(id).collect()),
            sessions: sessions.map(|sessions| sessions.into_iter().map(session).collect()),
            not_sessions: not_sessions.into_iter().map(session).collect(),
            project: projects.map(project),
            user,
            roles,
            kinds,
            tag,
            since: times.0.map(Timestamp::from_ms),
            until: times.1.map(Timestamp::from_ms),
            min_salience: salience.map(f32::from),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn filters_mean_what_they_say(payloads in vec(any_payload(), 40), filters in vec(any_filter(), 12), removed in any_filter()) {
        let points = (0_u128..).zip(payloads).map(|(n, payload)| Point { payload, ..point(n, vec![1.0]) });
        let mut points: Vec<Point> = points.collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let store = open(&folder, 1).await;
            store.upsert(points.clone()).await.unwrap();
            store.delete(None, &removed).await.unwrap();
            points.retain(|point| !passes(&removed, point));
            for filter in filters {
                let expected: Vec<_> = points.iter().filter(|point| passes(&filter, point)).map(|point| point.id).collect();
                let search = Search { filter, limit: 100, ..search(vec![1.0]) };
                prop_assert_eq!(ids(&store.search(std::slice::from_ref(&search)).await.unwrap()[0]), expected, "{:?}", search);
            }
            Ok(())
        })?;
    }
}
