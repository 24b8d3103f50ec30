//! What memory is helped by: an embedder, a place for vectors, a small model.

use std::path::Path;
use std::sync::Arc;

use mira_llm::Endpoint;
use mira_llm::embedding::{Embedder, EmbeddingOptions, OpenAiEmbeddings};
use mira_memory::{Helpers, Memory, Options};
use mira_ops::Binding;
use mira_proto::native::{ModelBinding, ModelRole};
use mira_store::vector::{EmbeddedVectors, QdrantOptions, QdrantVectors, VectorStore};
use mira_store::{Clock, Database};

use super::StartError;
use super::models::{about, endpoint};
use crate::config;
use crate::metrics::Embeddings;

/// The folder of the vectors in the data directory.
const VECTORS: &str = "vectors";

/// What to set for an embedder.
pub(super) const EMBEDDER_HINT: &str = "set OPENAI_API_KEY or MIRA_EMBED_DIRECTORY";

/// A memory with its helpers, and what to say of them.
pub(super) struct Opened {
    pub memory: Memory,
    pub vectors: Option<Arc<dyn VectorStore>>,
    pub embeddings: Option<Arc<Embeddings>>,
}

/// Opens memory. The vectors are not looked at yet: what is wrong with them keeps nobody from starting.
pub(super) async fn open(
    configured: &config::Memory,
    calls: &config::Calls,
    utility: Option<&Binding>,
    storage: (&Database, &Path),
    clock: Arc<dyn Clock>,
) -> Result<Opened, StartError> {
    let (database, data_dir) = storage;
    let embeddings = match &configured.embedder {
        Some(configured) => Some(Arc::new(Embeddings::new(embedder(configured, calls)?))),
        None => None,
    };
    let vectors = match &embeddings {
        Some(_) => Some(vectors(&configured.vectors, data_dir).await?),
        None => None,
    };
    let helpers = Helpers {
        embedder: embeddings
            .clone()
            .map(|embeddings| embeddings as Arc<dyn Embedder>),
        vectors,
        utility: match utility {
            Some(Binding::Model(model)) => Some(model.clone()),
            Some(Binding::Missing { .. }) | None => None,
        },
    };
    let options = Options {
        heads: configured.heads.clone(),
        embed_min_salience: configured.embed_min_salience,
        query_embedding_timeout: configured.query_embedding_timeout,
        summaries: configured.summaries,
        summary_every: configured.summary_every,
    };
    let vectors = helpers.vectors.clone();
    let memory = Memory::open_with(database.clone(), clock, helpers, options).await?;
    Ok(Opened {
        memory,
        vectors,
        embeddings,
    })
}

fn embedder(configured: &config::Embedder, calls: &config::Calls) -> Result<Arc<dyn Embedder>, StartError> {
    match configured {
        config::Embedder::Server {
            endpoint: server,
            model,
            dimension,
            timeout,
        } => {
            let mut endpoint: Endpoint = endpoint(server, calls);
            endpoint.timeouts.request = *timeout;
            let options = EmbeddingOptions::new(model, *dimension);
            let embedder = OpenAiEmbeddings::new(endpoint, options).map_err(|source| StartError::Model {
                role: "embedder",
                source,
            })?;
            Ok(Arc::new(embedder))
        }
        config::Embedder::Local(directory) => local(directory),
    }
}

#[cfg(feature = "local-embeddings")]
fn local(directory: &Path) -> Result<Arc<dyn Embedder>, StartError> {
    let embedder = mira_llm::embedding::LocalEmbeddings::open(directory)?;
    Ok(Arc::new(embedder))
}

#[cfg(not(feature = "local-embeddings"))]
fn local(directory: &Path) -> Result<Arc<dyn Embedder>, StartError> {
    Err(StartError::NoLocalEmbeddings(directory.to_owned()))
}

async fn vectors(configured: &config::Vectors, data_dir: &Path) -> Result<Arc<dyn VectorStore>, StartError> {
    Ok(match configured {
        config::Vectors::Embedded => Arc::new(EmbeddedVectors::open(&data_dir.join(VECTORS)).await?),
        config::Vectors::Qdrant(server) => Arc::new(QdrantVectors::connect(QdrantOptions {
            url: server.url.clone(),
            api_key: server.api_key.clone(),
            collection: server.collection.clone(),
            timeout: server.timeout,
        })?),
    })
}

/// What is told of the models that help memory: of the utility model when it was asked for, of the embedder unless it was
/// switched off.
pub(super) fn bindings(
    configured: &config::Models,
    utility: Option<&Binding>,
    embeddings: Option<&Arc<Embeddings>>,
) -> Vec<ModelBinding> {
    let named = configured.utility.as_ref().zip(utility);
    let utility = named.map(|(named, binding)| about(ModelRole::Utility, &named.model, binding));
    let embedder = match embeddings {
        Some(embeddings) => Some(ModelBinding {
            role: ModelRole::Embedder,
            model: Some(embeddings.name().to_owned()),
            configured: true,
            hint: None,
        }),
        // With this key there is one, unless it was switched off.
        None if configured.reasoner.endpoint.api_key.is_some() => None,
        None => Some(ModelBinding {
            role: ModelRole::Embedder,
            model: None,
            configured: false,
            hint: Some(format!(
                "{EMBEDDER_HINT} and restart the server, to find messages by meaning"
            )),
        }),
    };
    utility.into_iter().chain(embedder).collect()
}
