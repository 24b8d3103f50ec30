//! Points found, counted and listed.

use qdrant_client::qdrant::{
    CountPointsBuilder, PayloadIncludeSelector, PointId as ServerId, QueryBatchPointsBuilder, QueryPoints,
    QueryPointsBuilder, ScoredPoint, ScrollPointsBuilder, SearchParamsBuilder,
};

use super::filter::{in_head, passing};
use super::record::{self, version_field};
use super::{Filter, Head, Hit, PointId, QdrantVectors, Search, Unexpected, VectorError, check};

/// Points in one message of an inventory: about a megabyte.
const INVENTORY_PAGE: u32 = 10_000;

impl QdrantVectors {
    pub(super) async fn nearest(&self, searches: &[Search]) -> Result<Vec<Vec<Hit>>, VectorError> {
        let dimension = self.dimension()?;
        for search in searches {
            check(&search.vector, dimension)?;
        }
        // The server refuses a limit of zero.
        let queries: Vec<_> = searches
            .iter()
            .filter(|search| search.limit > 0)
            .map(|search| self.query(search))
            .collect();
        if queries.is_empty() {
            return Ok(vec![Vec::new(); searches.len()]);
        }
        let asked = queries.len();
        let request = QueryBatchPointsBuilder::new(&self.collection, queries);
        let answers = self.ask("search", self.client.query_batch(request)).await?.result;
        if answers.len() != asked {
            let found = answers.len();
            return Err(self.error("search", Unexpected::Answers { asked, found }));
        }
        let mut answers = answers.into_iter();
        searches
            .iter()
            .map(|search| match search.limit {
                0 => Ok(Vec::new()),
                _ => self.hits(answers.next().unwrap_or_default().result),
            })
            .collect()
    }

    fn query(&self, search: &Search) -> QueryPoints {
        QueryPointsBuilder::new(&self.collection)
            .query(search.vector.clone())
            .using(search.head.as_str())
            .filter(passing(&search.filter))
            .params(SearchParamsBuilder::default().exact(search.exact))
            .limit(u64::try_from(search.limit).unwrap_or(u64::MAX))
            .with_payload(false)
            .build()
    }

    fn hits(&self, points: Vec<ScoredPoint>) -> Result<Vec<Hit>, VectorError> {
        let hits = points.into_iter().map(|point| {
            Ok(Hit {
                id: self.own_id(point.id.as_ref())?,
                similarity: point.score,
            })
        });
        Ok(ranked(hits.collect::<Result<_, VectorError>>()?))
    }

    pub(super) async fn count_points(&self, head: Head, filter: &Filter) -> Result<u64, VectorError> {
        self.dimension()?;
        let request = CountPointsBuilder::new(&self.collection)
            .filter(in_head(head, filter))
            .exact(true);
        let answer = self.ask("count points", self.client.count(request)).await?;
        Ok(answer.result.unwrap_or_default().count)
    }

    pub(super) async fn list(&self, head: Head) -> Result<Vec<(PointId, i64)>, VectorError> {
        self.dimension()?;
        let everything = in_head(head, &Filter::default());
        let version = version_field(head);
        let mut inventory = Vec::new();
        let mut next = None;
        loop {
            let mut request = ScrollPointsBuilder::new(&self.collection)
                .filter(everything.clone())
                .limit(INVENTORY_PAGE)
                .with_payload(PayloadIncludeSelector::new(vec![version.clone()]))
                .with_vectors(false);
            if let Some(next) = next {
                request = request.offset::<ServerId>(next);
            }
            let page = self.ask("list points", self.client.scroll(request)).await?;
            for point in page.result {
                let version = record::version(&point.payload, head);
                inventory.push((self.own_id(point.id.as_ref())?, version));
            }
            next = page.next_page_offset;
            if next.is_none() {
                return Ok(inventory);
            }
        }
    }
}

/// Best first, equals by id. The server computes in half precision, which can come out beyond 1.
fn ranked(mut hits: Vec<Hit>) -> Vec<Hit> {
    for hit in &mut hits {
        hit.similarity = hit.similarity.clamp(-1.0, 1.0);
    }
    hits.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.id.cmp(&b.id)));
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_are_ordered_by_similarity_and_then_by_id() {
        let hit = |id: u128, similarity| Hit {
            id: PointId(id.into()),
            similarity,
        };
        assert_eq!(
            ranked(vec![hit(7, 0.5), hit(9, 1.0001), hit(3, 0.5), hit(8, 1.0)]),
            [hit(8, 1.0), hit(9, 1.0), hit(3, 0.5), hit(7, 0.5)],
        );
    }
}
