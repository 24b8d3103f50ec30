//! Settings of parts that do not exist yet.

use mira_server::config::{Place, Problem, Warning};

use super::load;

/// The name of a setting, a value that is accepted, and one that is not where there is such a value.
pub(super) const CASES: &[(&str, &str, Option<&str>)] = &[
    ("GIT_ENABLED", "0", Some("maybe")),
    ("DEFAULT_REPO_PATH", "repos", None),
];

#[test]
fn settings_of_parts_to_come_are_checked_and_warned_about() {
    let without = format!("{:?}", load(&[]).unwrap());
    for &(name, accepted, refused) in CASES {
        let mut config = load(&[(name, accepted)]).unwrap_or_else(|problems| panic!("{problems}"));
        let warning = Warning::Later {
            name: name.to_owned(),
            place: Place::Environment,
        };
        let text = format!("{name} is set in the environment and has no effect in this version");
        assert_eq!(warning.to_string(), text);
        assert_eq!(std::mem::take(&mut config.warnings), [warning]);
        assert_eq!(format!("{config:?}"), without, "{name}");
        if let Some(refused) = refused {
            let problems = load(&[(name, refused)]).unwrap_err();
            assert!(
                matches!(&problems.0[..], [Problem::Invalid { name: found, .. }] if found == name),
                "{problems}"
            );
        }
    }
}
