//! The table of methods, and reading a call.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

#[allow(
    clippy::wildcard_imports,
    reason = "the table below names nearly every type of the profile"
)]
use super::*;
use crate::error::{ErrorBody, ErrorCode};
use crate::params::{self, Fault};

/// A method, as a type: ties its name to the shapes of its parameters and result.
pub trait Method {
    /// Its name on the wire.
    const NAME: &'static str;
    /// What it takes.
    type Params: Serialize + DeserializeOwned + Send + 'static;
    /// What it gives.
    type Result: Serialize + DeserializeOwned + Send + 'static;
}

/// What the documentation says of a method.
#[derive(Debug, Clone, Copy)]
pub struct MethodInfo {
    /// Its name on the wire.
    pub name: &'static str,
    /// The name of its parameters' type.
    pub params: &'static str,
    /// The name of its result's type.
    pub result: &'static str,
    /// Whether it changes something, and therefore takes an `idempotency_key`.
    pub mutates: bool,
    /// What it does.
    pub summary: &'static str,
    /// The schemas of its parameters and result.
    pub schemas: fn(&mut schemars::SchemaGenerator) -> (schemars::Schema, schemars::Schema),
}

/// Why parameters could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// There is no such method.
    #[error("there is no method `{method}`")]
    UnknownMethod {
        /// What was asked for.
        method: String,
    },
    /// The parameters do not fit.
    #[error("the parameters do not fit: {message}")]
    InvalidParams {
        /// The parameter at fault, as a path such as `context.selection.start_line`, where one can be named.
        field: Option<String>,
        /// What is wrong with it.
        message: String,
    },
}

impl From<ParseError> for ErrorBody {
    fn from(error: ParseError) -> Self {
        let message = error.to_string();
        match error {
            ParseError::UnknownMethod { .. } => Self::new(ErrorCode::UnknownMethod, message),
            ParseError::InvalidParams { field, .. } => Self {
                field,
                ..Self::new(ErrorCode::InvalidParams, message)
            },
        }
    }
}

macro_rules! methods {
    ($(#[doc = $summary:literal] $variant:ident = $name:literal, $effect:ident, $params:ident => $result:ident;)+) => {
        $(
            #[doc = $summary]
            #[derive(Debug, Clone, Copy)]
            pub struct $variant;

            impl Method for $variant {
                const NAME: &'static str = $name;
                type Params = $params;
                type Result = $result;
            }
        )+

        /// Every method, in the order of the documentation.
        pub const METHODS: &[MethodInfo] = &[
            $(MethodInfo {
                name: $name,
                params: stringify!($params),
                result: stringify!($result),
                mutates: methods!(@mutates $effect),
                summary: $summary,
                schemas: |generator| (generator.subschema_for::<$params>(), generator.subschema_for::<$result>()),
            },)+
        ];

        /// A request whose method is known and whose parameters have been read.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Call {
            $(#[doc = $summary] $variant($params),)+
        }

        impl Call {
            /// Reads a call. Parameters that are left out are taken for an empty object.
            pub fn parse(method: &str, params: Option<&RawValue>) -> Result<Self, ParseError> {
                match method {
                    $($name => parse_params(params).map(Self::$variant),)+
                    _ => Err(ParseError::UnknownMethod { method: method.to_owned() }),
                }
            }

            /// The name of the method.
            pub fn method(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)+
                }
            }

            /// The key that makes repeating the call harmless, where it changes something and was given one.
            pub fn idempotency_key(&self) -> Option<&str> {
                match self {
                    $(Self::$variant(_params) => methods!(@key $effect _params),)+
                }
            }
        }

        #[cfg(feature = "ts")]
        pub(crate) fn visit_method_types(visitor: &mut impl ts_rs::TypeVisitor) {
            $(visitor.visit::<$params>(); visitor.visit::<$result>();)+
        }
    };
    (@mutates mutates) => { true };
    (@mutates reads) => { false };
    (@key mutates $params:ident) => { $params.idempotency_key.as_deref() };
    (@key reads $params:ident) => { None };
}

methods! {
    /// Starts the connection; must be the first request on it.
    Initialize = "initialize", reads, InitializeParams => InitializeResult;
    /// Opens or creates a session and follows its events.
    SessionOpen = "session.open", reads, SessionOpenParams => SessionOpenResult;
    /// Replays what was missed in a session and follows its events.
    SessionResume = "session.resume", reads, SessionResumeParams => SessionResumeResult;
    /// Lists sessions.
    SessionList = "session.list", reads, SessionListParams => SessionListResult;
    /// Stops following a session's events; cancels nothing.
    SessionClose = "session.close", reads, SessionRef => Empty;
    /// Accepts a user's turn; the answer comes as events.
    ChatSend = "chat.send", mutates, ChatSendParams => ChatSendResult;
    /// Gets an operation as it is now.
    OperationGet = "operation.get", reads, OperationRef => OperationResult;
    /// Lists a session's operations.
    OperationList = "operation.list", reads, OperationListParams => OperationListResult;
    /// Cancels an operation that has not ended; harmless on one that has.
    OperationCancel = "operation.cancel", reads, OperationRef => OperationResult;
    /// Pages through a session's events without following them.
    OperationEvents = "operation.events", reads, OperationEventsParams => OperationEventsResult;
    /// Gets an artifact with its text.
    ArtifactGet = "artifact.get", reads, ArtifactRef => ArtifactGetResult;
    /// Lists artifacts of a session, project or operation.
    ArtifactList = "artifact.list", reads, ArtifactListParams => ArtifactListResult;
    /// Compares an artifact with the file on disk now.
    ArtifactDiff = "artifact.diff", reads, ArtifactRef => ArtifactDiffResult;
    /// Writes an artifact to its project.
    ArtifactApply = "artifact.apply", mutates, ArtifactApplyParams => ArtifactApplyResult;
    /// Puts the file back to before the artifact was applied.
    ArtifactUndo = "artifact.undo", mutates, ArtifactUndoParams => ArtifactUndoResult;
    /// Creates a project.
    ProjectCreate = "project.create", mutates, ProjectCreateParams => ProjectResult;
    /// Lists projects.
    ProjectList = "project.list", reads, Empty => ProjectListResult;
    /// Gets a project.
    ProjectGet = "project.get", reads, ProjectRef => ProjectResult;
    /// Changes a project's name, description or tags.
    ProjectUpdate = "project.update", mutates, ProjectUpdateParams => ProjectResult;
    /// Deletes a project; its directory stays.
    ProjectDelete = "project.delete", mutates, ProjectDeleteParams => Empty;
    /// Attaches a directory on the server to a project.
    ProjectAttachLocal = "project.attach_local", mutates, ProjectAttachLocalParams => ProjectResult;
    /// Undoes Mira's last change of a file.
    ProjectUndoFile = "project.undo_file", mutates, ProjectUndoFileParams => ProjectUndoFileResult;
    /// Lists Mira's changes of a file.
    ProjectFileHistory = "project.file_history", reads, ProjectFileHistoryParams => ProjectFileHistoryResult;
    /// Lists the files that Mira changed.
    ProjectModifiedFiles = "project.modified_files", reads, ProjectRef => ProjectModifiedFilesResult;
    /// Reads a text file.
    FilesRead = "files.read", reads, FileRef => FilesReadResult;
    /// Writes a text file, with undo.
    FilesWrite = "files.write", mutates, FilesWriteParams => WrittenFile;
    /// Writes several text files, all or none, with undo.
    FilesWriteMany = "files.write_many", mutates, FilesWriteManyParams => FilesWriteManyResult;
    /// Lists a directory.
    FilesList = "files.list", reads, FilesListParams => FilesListResult;
    /// Gets a directory with all that is below it.
    FilesTree = "files.tree", reads, FilesTreeParams => FilesTreeResult;
    /// Deletes a file, with undo.
    FilesDelete = "files.delete", mutates, FilesDeleteParams => FilesDeleteResult;
    /// Tells whether something stands at a path.
    FilesExists = "files.exists", reads, FileRef => FilesExistsResult;
    /// Searches the text of files.
    FilesSearch = "files.search", reads, FilesSearchParams => FilesSearchResult;
    /// Creates a directory.
    DirectoryCreate = "directory.create", mutates, DirectoryCreateParams => DirectoryCreateResult;
    /// Gets a session's latest messages.
    MemoryGetRecent = "memory.get_recent", reads, MemoryGetRecentParams => MemoryGetRecentResult;
    /// Stores a message without answering it.
    MemorySave = "memory.save", mutates, MemorySaveParams => MessageResult;
    /// Finds messages, by meaning and by words.
    MemorySearch = "memory.search", reads, MemorySearchParams => MemorySearchResult;
    /// Tells why a search finds a message, or that it does not.
    MemoryExplain = "memory.explain", reads, MemoryExplainParams => MemoryExplainResult;
    /// Gets what memory has for a turn.
    MemoryGetContext = "memory.get_context", reads, MemoryGetContextParams => MemoryGetContextResult;
    /// Keeps a message above others, and from fading.
    MemoryPin = "memory.pin", mutates, MessageChangeParams => MessageResult;
    /// Takes that back.
    MemoryUnpin = "memory.unpin", mutates, MessageChangeParams => MessageResult;
    /// Says how much a message matters.
    MemoryUpdateSalience = "memory.update_salience", mutates, MemoryUpdateSalienceParams => MessageResult;
    /// Deletes a message and the summaries that were written with it in view.
    MemoryDelete = "memory.delete", mutates, MessageChangeParams => MemoryDeleteResult;
    /// Summarises now what no rolling summary covers yet.
    MemoryTriggerRollingSummary = "memory.trigger_rolling_summary", mutates, MemoryTriggerRollingSummaryParams => SummaryResult;
    /// Summarises the latest messages.
    MemoryTriggerSnapshotSummary = "memory.trigger_snapshot_summary", mutates, MemoryTriggerSnapshotSummaryParams => SummaryResult;
    /// Lists a session's summaries.
    MemorySummaries = "memory.summaries", reads, MemorySummariesParams => MemorySummariesResult;
    /// Counts what is remembered.
    MemoryGetStats = "memory.get_stats", reads, MemoryGetStatsParams => MemoryGetStatsResult;
    /// Takes messages from elsewhere, or lines of an export.
    MemoryImport = "memory.import", mutates, MemoryImportParams => MemoryImportResult;
    /// Gives what is remembered as lines, without loss.
    MemoryExport = "memory.export", reads, MemoryExportParams => MemoryExportResult;
    /// Erases what is remembered of a session, project or user, for good.
    MemoryErase = "memory.erase", mutates, MemoryEraseParams => MemoryEraseResult;
    /// Lists what is known of a user, now or at another time.
    FactsList = "facts.list", reads, FactsListParams => FactsListResult;
    /// Enters a fact by hand.
    FactsAdd = "facts.add", mutates, FactsAddParams => FactResult;
    /// Says what the value of a fact really was.
    FactsCorrect = "facts.correct", mutates, FactsCorrectParams => FactResult;
    /// Keeps a fact in every prompt.
    FactsPin = "facts.pin", mutates, FactChangeParams => FactResult;
    /// Takes that back.
    FactsUnpin = "facts.unpin", mutates, FactChangeParams => FactResult;
    /// Removes a fact in all its states.
    FactsForget = "facts.forget", mutates, FactsForgetParams => FactsForgetResult;
    /// Tells where a fact comes from and what became of it.
    FactsExplain = "facts.explain", reads, FactRef => FactsExplainResult;
    /// Gets what a user prefers.
    ProfileGet = "profile.get", reads, UserRef => ProfileGetResult;
    /// Changes what a user prefers.
    ProfileSet = "profile.set", mutates, ProfileSetParams => ProfileResult;
    /// Lists how a user works.
    PatternsList = "patterns.list", reads, UserRef => PatternsListResult;
    /// Tells how the server is, and how its background work keeps up.
    SystemStatus = "system.status", reads, Empty => SystemStatusResult;
}

/// Reads parameters; those that are left out are an empty object.
pub(super) fn parse_params<T: DeserializeOwned>(params: Option<&RawValue>) -> Result<T, ParseError> {
    params::read(params.map_or("{}", RawValue::get))
        .map_err(|Fault { field, message }| ParseError::InvalidParams { field, message })
}
