//! What is masked, and what only looks like it.

use std::borrow::Cow;

use mira_memory::secret;

#[test]
fn secrets_are_masked_and_the_rest_of_the_text_stays() {
    let key = |prefix: &str, length: usize| -> String {
        prefix
            .chars()
            .chain("a1B2c3D4e5F6g7H8i9J0".chars().cycle().take(length))
            .collect()
    };
    let alone = [
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        key("ghp_", 36),
        key("github_pat_", 60),
        key("glpat-", 20),
        key("xoxb-", 40),
        key("xapp-1-", 40),
        key("https://hooks.slack.com/services/T000/B000/", 24),
        key("sk_live_", 24),
        key("rk_test_", 24),
        key("whsec_", 32),
        key("sk-", 48),
        key("sk-proj-", 60),
        key("sk-ant-api03-", 80),
        key("AIza", 35),
        key("ya29.", 60),
        key("npm_", 36),
        key("pypi-", 80),
        key("hf_", 34),
        format!("{}.{}.{}", key("eyJ", 20), key("eyJ", 40), key("", 43)),
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----".to_owned(),
    ];
    for secret in &alone {
        let text = format!("before {secret} after");
        assert_eq!(secret::mask(&text), "before [secret] after", "{secret}");
        assert!(secret::contains(secret), "{secret}");
    }

    let within = [
        (
            "postgres://mira:s3cr3t@db:5432/mira",
            "postgres://mira:[secret]@db:5432/mira",
        ),
        (
            "redis://:hunter@cache/0 and on",
            "redis://:[secret]@cache/0 and on",
        ),
        (
            "Authorization: Bearer abcdefgh12345678ijkl",
            "Authorization: Bearer [secret]",
        ),
        ("password = \"swordfish\"", "password = \"[secret]\""),
        ("DB_PASSWORD=hunter2", "DB_PASSWORD=[secret]"),
        ("my password is hunter2.", "my password is [secret]"),
        ("{\"apiKey\": \"9f86d081884c7d65\"}", "{\"apiKey\": \"[secret]\"}"),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "aws_secret_access_key = [secret]",
        ),
        ("token: 3f1c2a0e-8a65-4d0c-9f5e-0d6a1f6f0b11", "token: [secret]"),
        ("client_secret: 'Zx81Qp0Lk7Tn'", "client_secret: '[secret]'"),
        (
            "password: hunter2, token: a8Fk29dLq0Zm",
            "password: [secret], token: [secret]",
        ),
        ("-----BEGIN PRIVATE KEY-----\nMIIEow cut off", "[secret]"),
        ("naïve 🦀 password=hunter2 🦀", "naïve 🦀 password=[secret] 🦀"),
    ];
    for (text, masked) in within {
        assert_eq!(secret::mask(text), masked);
        assert_eq!(secret::mask(masked), masked, "masking twice changes nothing");
    }
}

#[test]
fn what_only_looks_like_a_secret_is_left_alone() {
    let texts = [
        "",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "3f1c2a0e-8a65-4d0c-9f5e-0d6a1f6f0b11",
        "![](data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk)",
        "sk-learn-contrib-and-other-packages-with-hyphens",
        "max_tokens: 4096",
        "tokens = 12345678",
        "fn login(token: &str, password: String) -> Result<Token, Error>",
        "let token = CancellationToken::new();",
        "let token = parser.next_token();",
        "password = os.environ[\"DB_PASSWORD\"]",
        "password: ${DB_PASSWORD}",
        "postgres://mira:${DB_PASSWORD}@db/mira",
        "the password is required",
        "the token is expired now",
        "token: string",
        "{\"password\": \"string\"}",
        "api_key: your-api-key-1234",
        "label: \"Password: choose a good one\"",
        "http://localhost:3000/path@2x.png",
        "basic authentication-with-a-long-word",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkq\n-----END PUBLIC KEY-----",
        "AKIA is the prefix of a key",
        "secret santa is on 24 December",
    ];
    for text in texts {
        assert_eq!(secret::mask(text), text);
        assert!(matches!(secret::mask(text), Cow::Borrowed(_)) && !secret::contains(text));
    }
}
