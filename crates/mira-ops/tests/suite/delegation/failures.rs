//! A coder that does not deliver.

use mira_llm::scripted::{Endpoint as Route, Fault, Step};
use mira_ops::Binding;
use mira_ops::failure::FailureCode;
use mira_ops::operation::{DelegationStatus, Kind};
use serde_json::json;

use super::{USAGE, asked, delegating, submit, told};
use crate::harness::{Mira, Setup, brief, coder};

#[tokio::test]
async fn an_unusable_delivery_is_sent_back_once_with_the_reason() {
    let good = submit("src/a.rs", "fn a() {}\n");
    let cases = [
        (
            coder("prose").text("I would rather not."),
            "there is neither a call of submit_file nor a JSON object",
        ),
        (
            coder("broken").step(Step::tool_call_text("submit_file", "{\"path\":")),
            "the arguments cannot be read",
        ),
        (
            coder("elsewhere").tool_call("submit_file", &submit("src/b.rs", "fn b() {}\n")),
            "the path is \"src/b.rs\" instead of \"src/a.rs\"",
        ),
        (
            coder("empty").tool_call("submit_file", &submit("src/a.rs", "\n")),
            "the content is empty",
        ),
        (
            coder("cut")
                .text("{\"path\": \"src/a.rs\"")
                .fault(Fault::Incomplete("length".to_owned())),
            "the answer was cut off",
        ),
        (
            coder("other tool").tool_call("write_file", &good),
            "there is neither a call of submit_file",
        ),
    ];
    for (bad, reason) in cases {
        let name = bad.name.clone();
        let rules = [
            bad.once().usage(USAGE),
            coder("good").tool_call("submit_file", &good).usage(USAGE),
        ];
        let mira = Mira::start(delegating(
            "generate_code",
            &brief("src/a.rs", "Anything."),
            rules,
        ))
        .await;
        let turned = mira.run(mira.project_turn("Write it.")).await;
        assert_eq!(turned.end(), "completed", "{name}");
        let complaint = asked(&mira);
        assert!(
            complaint.starts_with("This cannot be used: ") && complaint.contains(reason),
            "{name}: {complaint}"
        );
        let detail = turned.detail;
        assert_eq!(detail.artifacts.len(), 1, "{name}");
        assert_eq!(
            detail.delegations[0].status,
            DelegationStatus::Completed,
            "{name}"
        );
        assert_eq!(
            detail.delegations[0].usage.total(),
            160,
            "{name}: both calls count"
        );
        assert_eq!(detail.usage[1].calls, 2, "{name}");
        mira.close().await;
    }
}

#[tokio::test]
async fn a_coder_that_fails_twice_is_the_reasoners_to_deal_with() {
    let rules = [coder("prose").text("No.").usage(USAGE)];
    let mira = Mira::start(delegating(
        "generate_code",
        &brief("src/a.rs", "Anything."),
        rules,
    ))
    .await;
    let turned = mira.run(mira.project_turn("Write it.")).await;
    assert_eq!(turned.end(), "completed");
    assert_eq!(mira.requests(Route::ChatCompletions).len(), 2);
    assert_eq!(
        told(&mira)["error"],
        "the coder did not deliver: deepseek-v4-flash delivered nothing usable, twice: there is neither a call of \
         submit_file nor a JSON object with path and content; write a clearer or smaller brief, or use \
         create_artifact"
    );
    let detail = turned.detail;
    assert_eq!(detail.artifacts, []);
    let delegation = &detail.delegations[0];
    assert_eq!(delegation.status, DelegationStatus::Failed);
    assert_eq!(
        delegation.failure.as_ref().unwrap().code,
        FailureCode::DelegationFailed
    );
    assert_eq!(delegation.usage.total(), 160);
    mira.close().await;
}

#[tokio::test]
async fn a_coder_whose_key_is_refused_is_asked_once() {
    let rules = [coder("refuses").fault(Fault::http(401))];
    let mira = Mira::start(delegating(
        "generate_code",
        &brief("src/a.rs", "Anything."),
        rules,
    ))
    .await;
    let turned = mira.run(mira.project_turn("Write it.")).await;
    assert_eq!(turned.end(), "completed");
    assert_eq!(mira.requests(Route::ChatCompletions).len(), 1);
    let error = told(&mira)["error"].as_str().unwrap().to_owned();
    assert!(
        error.contains("refused the credentials") && error.contains("check the API key"),
        "{error}"
    );
    let delegation = &turned.detail.delegations[0];
    assert_eq!(delegation.status, DelegationStatus::Failed);
    assert_eq!(
        delegation.failure.as_ref().unwrap().code,
        FailureCode::ModelAuthentication
    );
    mira.close().await;
}

#[tokio::test]
async fn without_a_coder_the_reasoner_learns_which_variable_to_set() {
    let missing = Binding::Missing {
        variable: "DEEPSEEK_API_KEY".to_owned(),
    };
    let setup = Setup {
        coder: Some(missing),
        ..Setup::default()
    };
    let script = delegating("generate_code", &brief("src/a.rs", "Anything."), []);
    let mira = Mira::start_with(script, &setup).await;
    let turned = mira.run(mira.project_turn("Write it.")).await;
    assert_eq!(turned.end(), "completed");
    assert_eq!(
        told(&mira)["error"],
        "the coder did not deliver: no model is configured as the coder; set DEEPSEEK_API_KEY and restart the server"
    );
    assert_eq!(
        (turned.detail.operation.kind, turned.detail.delegations),
        (Kind::Chat, vec![])
    );
    mira.close().await;
}

#[tokio::test]
async fn a_brief_that_cannot_be_followed_never_reaches_the_coder() {
    let context = |name: &str| {
        let mut arguments = brief("src/a.rs", "Anything.");
        arguments["context_files"] = json!([name]);
        arguments
    };
    let cases = [
        (brief("../a.rs", "Anything."), "../a.rs"),
        (brief("src", "Anything."), "src is a directory"),
        (context("src/missing.rs"), "src/missing.rs does not exist"),
    ];
    for (arguments, reason) in cases {
        let mira = Mira::start(delegating("generate_code", &arguments, [])).await;
        mira.put("src/main.rs", "fn main() {}\n");
        let turned = mira.run(mira.project_turn("Write it.")).await;
        assert_eq!(turned.end(), "completed");
        let error = told(&mira)["error"].as_str().unwrap().to_owned();
        assert!(error.contains(reason), "{error}");
        assert_eq!(mira.requests(Route::ChatCompletions).len(), 0);
        assert_eq!(turned.detail.delegations, []);
        mira.close().await;
    }
}

#[tokio::test]
async fn a_file_that_becomes_unreadable_while_the_coder_writes_fails_the_delegation_alone() {
    let writes = coder("writes")
        .hold("writing")
        .tool_call("submit_file", &submit("src/a.rs", "fn b() {}\n"))
        .usage(USAGE);
    let mira = Mira::start(delegating(
        "generate_code",
        &brief("src/a.rs", "Anything."),
        [writes],
    ))
    .await;
    mira.put("src/a.rs", "fn a() {}\n");
    let accepted = mira.send(mira.project_turn("Write it.")).await;
    mira.arrived("writing").await;
    mira.put("src/a.rs", [0xff, 0x00]);
    mira.upstream.release("writing");
    let turned = mira.ended(accepted.operation).await;
    assert_eq!(turned.end(), "completed");
    assert_eq!(
        told(&mira)["error"],
        "the coder did not deliver: src/a.rs is not UTF-8 text"
    );
    let delegation = &turned.detail.delegations[0];
    assert_eq!(delegation.status, DelegationStatus::Failed);
    assert_eq!(delegation.usage.total(), 80);
    mira.close().await;
}
