//! Reading an object of parameters so that an error names the one at fault.

use serde::de::DeserializeOwned;

/// What is wrong with an object of parameters.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The parameter, as a path such as `context.selection.start_line`, where one can be named.
    pub(crate) field: Option<String>,
    /// What is wrong with it.
    pub(crate) message: String,
}

/// Reads an object from JSON text.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    // Serde would also take an array, by position; that would make the order of fields part of the protocol.
    if !text.trim_start().starts_with('{') {
        return Err(Fault {
            field: None,
            message: "they must be an object".to_owned(),
        });
    }
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text)).map_err(|error| {
        let path = error.path().to_string();
        let message = error.into_inner().to_string();
        Fault {
            field: field_at_fault(&path, &message),
            message,
        }
    })
}

/// Serde reports a missing field at the object that lacks it, and its name only in the message.
fn field_at_fault(path: &str, message: &str) -> Option<String> {
    let parent = (path != ".").then_some(path);
    let missing = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split('`').next());
    match (parent, missing) {
        (Some(parent), Some(missing)) => Some(format!("{parent}.{missing}")),
        (None, Some(field)) | (Some(field), None) => Some(field.to_owned()),
        (None, None) => None,
    }
}
