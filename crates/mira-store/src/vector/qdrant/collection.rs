//! The collection: how it is laid out, and the stamp that says which vectors are in it.

use std::collections::HashMap;
use std::sync::PoisonError;

use futures_util::FutureExt;
use qdrant_client::qdrant::{
    CollectionInfo, CollectionStatus, CreateCollection, CreateFieldIndexCollectionBuilder, Datatype,
    Distance, FieldType, Memory, Value, VectorParams, VectorParamsBuilder, VectorParamsMap,
    vectors_config::Config,
};

use super::record::{KIND, PROJECT, ROLE, SALIENCE, SESSION, TAGS, TIME, USER};
use super::{Head, QdrantVectors, Space, State, Unexpected, VectorError};

/// Fields of the payload by which points are filtered.
const INDEXES: [(&str, FieldType); 8] = [
    (KIND, FieldType::Keyword),
    (SESSION, FieldType::Keyword),
    (PROJECT, FieldType::Keyword),
    (USER, FieldType::Keyword),
    (ROLE, FieldType::Keyword),
    (TAGS, FieldType::Keyword),
    (TIME, FieldType::Datetime),
    (SALIENCE, FieldType::Float),
];

const EMBEDDER: &str = "mira_embedder";
const DIMENSION: &str = "mira_dimension";
const TEXT_FORM: &str = "mira_text_form";

impl QdrantVectors {
    /// See [`super::VectorStore::ensure`]. When dropped, the next call goes on from where this one was.
    pub(super) async fn prepare(&self, space: &Space, replace: bool) -> Result<(), VectorError> {
        match self.dimension() {
            Ok(_) | Err(VectorError::NotReady) => {}
            Err(error) => return Err(error),
        }
        let _writing = self.writing.lock().await;
        let mut existing = self.info().await?;
        if let Some(info) = &existing {
            // Not even `replace` throws away what somebody else has put there.
            let found = stamped(info).ok_or_else(|| {
                self.error(
                    "use its collection",
                    Unexpected::ForeignCollection(self.collection.clone()),
                )
            })?;
            if found != *space {
                if !replace {
                    return Err(VectorError::OtherSpace {
                        found,
                        wanted: space.clone(),
                    });
                }
                self.ask(
                    "delete its collection",
                    self.client.delete_collection(&self.collection),
                )
                .await?;
                existing = None;
            }
        }
        let indexed = if let Some(info) = existing {
            info.payload_schema
        } else {
            // In a box, because a request of this kind makes a future of 18 kB.
            let request = self
                .client
                .create_collection(layout(&self.collection, space))
                .boxed();
            self.ask("make a collection", request).await?;
            HashMap::new()
        };
        // The graph gets its links for filtering from the indexes that exist when it is built, so they come before points.
        for (field, kind) in INDEXES {
            if !indexed.contains_key(field) {
                let request =
                    CreateFieldIndexCollectionBuilder::new(&self.collection, field, kind).wait(true);
                self.ask("index a field", self.client.create_field_index(request))
                    .await?;
            }
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match *state {
            State::Closed => Err(VectorError::Closed),
            State::Unprepared | State::Ready { .. } => {
                *state = State::Ready {
                    dimension: space.dimension,
                };
                Ok(())
            }
        }
    }

    /// How many points the collection has and what is wrong with it; nothing when it does not exist.
    pub(super) async fn describe(&self) -> Result<Option<(u64, Option<String>)>, VectorError> {
        Ok(self.info().await?.map(|info| {
            let fault = match info.status() {
                CollectionStatus::Red => Some(info.optimizer_status.clone().unwrap_or_default().error),
                CollectionStatus::UnknownCollectionStatus
                | CollectionStatus::Green
                | CollectionStatus::Yellow
                | CollectionStatus::Grey => None,
            };
            (info.points_count.unwrap_or_default(), fault)
        }))
    }

    async fn info(&self) -> Result<Option<CollectionInfo>, VectorError> {
        const ATTEMPTED: &str = "describe its collection";
        let exists = self.client.collection_exists(&self.collection);
        if !self.ask(ATTEMPTED, exists).await? {
            return Ok(None);
        }
        let info = self
            .ask(ATTEMPTED, self.client.collection_info(&self.collection))
            .await?
            .result;
        match info {
            Some(info) => Ok(Some(info)),
            None => Err(self.error(ATTEMPTED, Unexpected::NoDescription)),
        }
    }
}

/// Five named vectors. The server keeps a place in each for every point, so they stay on disk, where places that are
/// empty or rarely asked for cost no memory.
fn layout(collection: &str, space: &Space) -> CreateCollection {
    let vectors = Head::ALL.map(|head| (head.as_str().to_owned(), vector(space.dimension)));
    let vectors = Config::ParamsMap(VectorParamsMap { map: vectors.into() });
    CreateCollection {
        collection_name: collection.to_owned(),
        vectors_config: Some(vectors.into()),
        metadata: stamp(space),
        ..CreateCollection::default()
    }
}

fn vector(dimension: usize) -> VectorParams {
    VectorParamsBuilder::new(u64::try_from(dimension).unwrap_or(u64::MAX), Distance::Cosine)
        .datatype(Datatype::Float16)
        .memory(Memory::Cold)
        .build()
}

fn stamp(space: &Space) -> HashMap<String, Value> {
    HashMap::from([
        (EMBEDDER.to_owned(), space.embedder.as_str().into()),
        (
            DIMENSION.to_owned(),
            i64::try_from(space.dimension).unwrap_or(i64::MAX).into(),
        ),
        (TEXT_FORM.to_owned(), i64::from(space.text_form).into()),
    ])
}

fn stamped(info: &CollectionInfo) -> Option<Space> {
    let metadata = &info.config.as_ref()?.metadata;
    Some(Space {
        embedder: metadata.get(EMBEDDER)?.as_str()?.clone(),
        dimension: metadata.get(DIMENSION)?.as_integer()?.try_into().ok()?,
        text_form: metadata.get(TEXT_FORM)?.as_integer()?.try_into().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use qdrant_client::qdrant::CollectionConfig;

    use super::*;

    fn space() -> Space {
        Space {
            embedder: "openai/text-embedding-3-large".to_owned(),
            dimension: 1024,
            text_form: 2,
        }
    }

    fn info(metadata: HashMap<String, Value>) -> CollectionInfo {
        CollectionInfo {
            config: Some(CollectionConfig {
                metadata,
                ..CollectionConfig::default()
            }),
            ..CollectionInfo::default()
        }
    }

    #[test]
    fn the_stamp_tells_the_space() {
        assert_eq!(stamped(&info(stamp(&space()))), Some(space()));
    }

    #[test]
    fn a_collection_with_no_stamp_or_a_part_of_one_is_foreign() {
        for missing in [EMBEDDER, DIMENSION, TEXT_FORM] {
            let mut part = stamp(&space());
            part.remove(missing);
            assert_eq!(stamped(&info(part)), None);
        }
        let mut negative = stamp(&space());
        negative.insert(DIMENSION.to_owned(), (-1).into());
        assert_eq!(stamped(&info(negative)), None);
        assert_eq!(stamped(&CollectionInfo::default()), None);
    }

    #[test]
    fn a_collection_has_a_vector_of_half_precision_on_disk_for_each_head() {
        let request = layout("mira", &space());
        let Some(Config::ParamsMap(vectors)) = request.vectors_config.unwrap().config else {
            panic!("a vector without a name");
        };
        assert_eq!(
            vectors.map,
            Head::ALL.map(|head| (head.to_string(), vector(1024))).into()
        );
        assert_eq!(request.metadata, stamp(&space()));
    }
}
