//! Points written and deleted.

use std::collections::{BTreeMap, HashMap};

use qdrant_client::qdrant::{
    DeletePointsBuilder, GetPointsBuilder, PayloadIncludeSelector, PointsUpdateOperation, RetrievedPoint,
    UpdateBatchPointsBuilder, UpsertPointsBuilder, VectorsSelector,
    points_update_operation::{DeletePoints, DeleteVectors, Operation},
};

use super::filter::{in_head, in_no_head, passing};
use super::record::{merged, server_id, version_field};
use super::{Filter, Head, Point, PointId, QdrantVectors, VectorError, check};

/// Most bytes of vectors in one message of a write. gRPC peers and proxies commonly stop at 64 MB; a thing that has
/// vectors of other heads already is written with them, and its payload comes on top.
const WRITE_BYTES: usize = 16 << 20;
/// Most things in one message of a write, whose payloads would count otherwise when vectors are short.
const WRITE_POINTS: usize = 1000;

impl QdrantVectors {
    pub(super) async fn upsert_points(&self, points: Vec<Point>) -> Result<(), VectorError> {
        let dimension = self.dimension()?;
        for point in &points {
            check(&point.vector, dimension)?;
        }
        let mut things = BTreeMap::<PointId, Vec<Point>>::new();
        for point in points {
            things.entry(point.id).or_default().push(point);
        }

        let _writing = self.writing.lock().await;
        let most = points_per_write(dimension);
        while !things.is_empty() {
            let rest = things.keys().nth(most).copied();
            let later = rest.map_or_else(BTreeMap::new, |first| things.split_off(&first));
            let batch = std::mem::replace(&mut things, later);
            self.write(batch).await?;
        }
        Ok(())
    }

    /// One message's worth of things.
    async fn write(&self, things: BTreeMap<PointId, Vec<Point>>) -> Result<(), VectorError> {
        let mut stored = self.stored(things.keys().copied()).await?;
        let points: Vec<_> = things
            .into_iter()
            .map(|(id, points)| merged(id, stored.remove(&id), points))
            .collect();
        let request = UpsertPointsBuilder::new(&self.collection, points).wait(true);
        self.ask("write points", self.client.upsert_points(request))
            .await?;
        Ok(())
    }

    /// The vectors and versions that the server has of these things.
    async fn stored(
        &self,
        ids: impl Iterator<Item = PointId>,
    ) -> Result<HashMap<PointId, RetrievedPoint>, VectorError> {
        let versions = Head::ALL.map(version_field).to_vec();
        let request = GetPointsBuilder::new(&self.collection, ids.map(server_id).collect::<Vec<_>>())
            .with_payload(PayloadIncludeSelector::new(versions))
            .with_vectors(true);
        let answer = self.ask("read points", self.client.get_points(request)).await?;
        answer
            .result
            .into_iter()
            .map(|point| Ok((self.own_id(point.id.as_ref())?, point)))
            .collect()
    }

    pub(super) async fn delete_points(&self, head: Option<Head>, filter: &Filter) -> Result<(), VectorError> {
        self.dimension()?;
        let _writing = self.writing.lock().await;
        let Some(head) = head else {
            let request = DeletePointsBuilder::new(&self.collection)
                .points(passing(filter))
                .wait(true);
            self.ask("delete points", self.client.delete_points(request))
                .await?;
            return Ok(());
        };
        let operations = [
            Operation::DeleteVectors(DeleteVectors {
                points_selector: Some(in_head(head, filter).into()),
                vectors: Some(VectorsSelector {
                    names: vec![head.as_str().to_owned()],
                }),
                shard_key_selector: None,
            }),
            Operation::DeletePoints(DeletePoints {
                points: Some(in_no_head(filter).into()),
                shard_key_selector: None,
            }),
        ];
        let operations = operations
            .map(|operation| PointsUpdateOperation {
                operation: Some(operation),
            })
            .to_vec();
        let request = UpdateBatchPointsBuilder::new(&self.collection, operations).wait(true);
        self.ask("delete points", self.client.update_points_batch(request))
            .await?;
        Ok(())
    }
}

/// How many things fit into one write, each with a vector in every head.
fn points_per_write(dimension: usize) -> usize {
    let bytes = dimension
        .saturating_mul(size_of::<f32>())
        .saturating_mul(Head::ALL.len());
    (WRITE_BYTES / bytes.max(1)).clamp(1, WRITE_POINTS)
}

#[cfg(test)]
mod tests {
    use super::points_per_write;

    #[test]
    fn a_write_stays_below_its_bounds_and_is_never_empty() {
        assert_eq!(
            [1, 384, 3072, 16_384, usize::MAX].map(points_per_write),
            [1000, 1000, 273, 51, 1],
        );
    }
}
