//! What is found, what is left alone, and what always holds of a masked text.
//!
//! The credentials are put together here, so that no scanner takes this file for a leak.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::*;

mod cost;
mod data;
mod escapes;
mod forms;
mod pem;

fn every(_: Rule) -> bool {
    true
}

/// Characters of `alphabet` that look random and are the same every time.
fn random(alphabet: &str, length: usize) -> String {
    let mut rng = StdRng::seed_from_u64(7);
    let one = || char::from(*alphabet.as_bytes().choose(&mut rng).unwrap());
    std::iter::repeat_with(one).take(length).collect()
}

const WORD: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const HEX: &str = "0123456789abcdef";
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn word(length: usize) -> String {
    random(WORD, length)
}

/// A token with GitHub's checksum.
fn github(prefix: &str) -> String {
    let random = word(30);
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = crc32fast::hash(random.as_bytes());
    let mut check = Vec::new();
    for _ in 0..6 {
        let digit = usize::try_from(rest.checked_rem(62).unwrap()).unwrap();
        check.insert(0, char::from(digits[digit]));
        rest /= 62;
    }
    let check: String = check.into_iter().collect();
    format!("{prefix}{random}{check}")
}

fn framed(label: &str) -> String {
    let key = BASE64.encode(word(240).as_bytes());
    let lines: Vec<_> = key
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    let dashes = "-".repeat(5);
    format!(
        "{dashes}BEGIN {label}{dashes}\n{}\n{dashes}END {label}{dashes}",
        lines.join("\n")
    )
}

fn jwt(header: &str, claims: &str) -> String {
    let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    format!("{}.{}.{}", part(header), part(claims), word(43))
}

/// One of each, or several.
fn credentials() -> Vec<(Rule, String)> {
    [keys_and_clouds(), tokens()].concat()
}

fn keys_and_clouds() -> Vec<(Rule, String)> {
    let upper = random("023456789ACDEFGHJKLMNPQRSTUVWXYZ", 58);
    let all = [
        (Rule::PrivateKey, framed("PRIVATE KEY")),
        (Rule::PrivateKey, framed("RSA PRIVATE KEY")),
        (Rule::PrivateKey, framed("OPENSSH PRIVATE KEY")),
        (Rule::PrivateKey, framed("ENCRYPTED PRIVATE KEY")),
        (Rule::PrivateKey, framed("PGP PRIVATE KEY BLOCK")),
        (Rule::AgeKey, format!("AGE-SECRET-KEY-1{upper}")),
        (Rule::AwsAccessKey, format!("AKIA{}", random(BASE32, 16))),
        (Rule::AwsAccessKey, format!("ASIA{}", random(BASE32, 16))),
        (Rule::AwsSecretKey, word(40)),
        (Rule::GoogleApiKey, format!("AIza{}", word(35))),
        (Rule::GoogleOauth, format!("GOCSPX-{}", word(28))),
        (Rule::GoogleOauth, format!("ya29.{}", word(120))),
        (Rule::GoogleOauth, format!("ya29.{}", word(2_000))),
        (Rule::AzureStorageKey, format!("{}==", word(86))),
        (Rule::AzureSas, format!("{}%3D", word(43))),
        (Rule::AzureSas, format!("{}%3d", word(43))),
        (Rule::GithubToken, github("ghp_")),
        (Rule::GithubToken, github("ghs_")),
        (
            Rule::GithubToken,
            format!("github_pat_{}_{}", word(22), word(59)),
        ),
        (Rule::GitlabToken, format!("glpat-{}", word(20))),
        (
            Rule::SlackToken,
            format!("xoxb-123456789012-1234567890123-{}", word(24)),
        ),
        (Rule::SlackToken, format!("xoxs-123456789012-{}", word(40))),
        (
            Rule::SlackToken,
            format!(
                "hooks.slack.com/services/T{0}/B{0}/{1}",
                random(BASE32, 8),
                word(24)
            ),
        ),
    ];
    all.to_vec()
}

fn tokens() -> Vec<(Rule, String)> {
    let hs256 = jwt(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"sub":"7","exp":1}"#);
    let all = [
        (Rule::StripeKey, format!("sk_live_{}", word(24))),
        (Rule::StripeKey, format!("whsec_{}", word(32))),
        (Rule::NpmToken, github("npm_")),
        (
            Rule::PypiToken,
            format!("pypi-AgEIcHlwaS5vcmc{}", word(120)),
        ),
        (
            Rule::OpenaiKey,
            format!("sk-proj-{}T3BlbkFJ{}", word(58), word(58)),
        ),
        (
            Rule::OpenaiKey,
            format!("sk-{}T3BlbkFJ{}", word(20), word(20)),
        ),
        (
            Rule::AnthropicKey,
            format!("sk-ant-api03-{}-{}AA", word(60), word(30)),
        ),
        (
            Rule::HuggingFaceToken,
            format!("hf_{}", random(LETTERS, 34)),
        ),
        (Rule::SendgridKey, format!("SG.{}.{}", word(22), word(43))),
        (Rule::TelegramToken, format!("1102015432:AA{}", word(33))),
        (Rule::DockerToken, format!("dckr_pat_{}", word(27))),
        (
            Rule::DigitaloceanToken,
            format!("dop_v1_{}", random(HEX, 64)),
        ),
        (Rule::VaultToken, format!("hvs.{}", word(90))),
        (Rule::Jwt, hs256),
        (Rule::Jwt, jwt(r#"{"kid":"1","alg":"RS256"}"#, "{}")),
    ];
    all.to_vec()
}

/// A sentence in which the credential would stand.
fn said(rule: Rule, credential: &str) -> String {
    match rule {
        Rule::AwsSecretKey => format!("AWS_SECRET_ACCESS_KEY=\"{credential}\" and more"),
        Rule::AzureStorageKey => format!("AccountName=a;AccountKey={credential};Endpoint=b"),
        Rule::AzureSas => {
            format!("https://a.example.net/b?sv=2024-11-04&se=1&sig={credential}&sp=r")
        }
        Rule::PrivateKey
        | Rule::AgeKey
        | Rule::AwsAccessKey
        | Rule::GoogleApiKey
        | Rule::GoogleOauth
        | Rule::GithubToken
        | Rule::GitlabToken
        | Rule::SlackToken
        | Rule::StripeKey
        | Rule::NpmToken
        | Rule::PypiToken
        | Rule::OpenaiKey
        | Rule::AnthropicKey
        | Rule::HuggingFaceToken
        | Rule::SendgridKey
        | Rule::TelegramToken
        | Rule::DockerToken
        | Rule::DigitaloceanToken
        | Rule::VaultToken
        | Rule::Jwt
        | Rule::Unknown => format!("use «{credential}» — it is the new one"),
    }
}

#[test]
fn every_rule_finds_its_credential_where_it_stands_and_nothing_else_there() {
    let credentials = credentials();
    for rule in Rule::ALL {
        assert!(
            credentials.iter().any(|(of, _)| of == rule),
            "{rule} is not tried"
        );
    }
    for (rule, credential) in credentials {
        let text = said(rule, &credential);
        let start = text.find(&credential).unwrap();
        let at = start..start + credential.len();
        assert_eq!(find(&text, every), Some(Found { rule, at }), "{text}");
        assert_eq!(find(&text, |wanted| wanted != rule), None, "{text}");
        let masked = mask(&text, every).unwrap().unwrap();
        assert_eq!(masked.text, text.replace(&credential, &rule.mask()));
        assert_eq!(masked.rules, BTreeSet::from([rule]));
    }
}

#[test]
fn a_credential_is_found_however_it_was_pasted() {
    let key = github("ghp_");
    for around in [
        ("", ""),
        ("GITHUB_TOKEN=", "\n"),
        ("https://", "@example.org/a.git"),
        ("{\\\"token\\\": \\\"", "\\\"}"),
        ("`", "`."),
        ("日本", "日本"),
    ] {
        let text = format!("{}{key}{}", around.0, around.1);
        assert_eq!(
            find(&text, every).map(|found| found.rule),
            Some(Rule::GithubToken),
            "{text}"
        );
    }
    let key = word(40);
    for written in [
        format!("aws_secret_access_key                = {key}"),
        format!("secretAccessKey:\n    {key}\n"),
        format!("| SecretAccessKey |  {key} |"),
    ] {
        let found = find(&written, every).map(|found| found.rule);
        assert_eq!(found, Some(Rule::AwsSecretKey), "{written}");
    }
    let pem = framed("PRIVATE KEY");
    let in_json = serde_json::json!({"type": "service_account", "private_key": pem}).to_string();
    let quoted = pem.lines().flat_map(|line| ["> ", line, "\n"]).collect();
    let cut: String = pem.chars().take(120).collect();
    for text in [in_json, quoted, cut] {
        assert_eq!(
            find(&text, every).map(|found| found.rule),
            Some(Rule::PrivateKey),
            "{text}"
        );
        let masked = mask(&text, every).unwrap().unwrap().text;
        assert!(!masked.contains(pem.get(40..60).unwrap()), "{masked}");
    }
}

#[test]
fn what_only_looks_like_one_is_left_alone() {
    let image = format!(
        "data:image/png;base64,{}",
        BASE64.encode(word(60_000).as_bytes())
    );
    let dashes = "-".repeat(5);
    let broken = github("ghp_").replace("ghp_", "ghp_X");
    let wrong_check = format!("ghp_{}000000", word(30));
    let unsigned = jwt(r#"{"alg":"none"}"#, "{}");
    let no_json = format!("eyJ{}.{}.{}", word(20), word(20), word(43));
    let texts = [
        "AKIAIOSFODNN7EXAMPLE and wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AWS_SECRET_ACCESS_KEY is set in the environment of the builder, see the wiki",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, glpat-xxxxxxxxxxxxxxxxxxxx, hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "sk_test_4eC39HqLyjWDarjtT1zdp7dc",
        "sk-YOUR-KEY-HERE, sk-ant-YOUR-KEY-GOES-HERE-AND-NOT-ANYWHERE-ELSE",
        "glpat-is-the-prefix-of-personal-access-tokens, and npm_config_registry one of a variable",
        "550e8400-e29b-41d4-a716-446655440000 da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "\"integrity\": \"sha512-1mNwkN9Ag9KbTg3qXg4yF9pSrLpCKWnzGQ5eYx1tDKKfTHx4ZWn8e0lh+9Ckm8oV3VjM1mQwW6zJt7Jc1qPZqA==\"",
        "checksum = \"b87bc54a4629b4294d0b3ef041b64c40c611097a677d9dc07b2c67739fe39dba\"",
        "!function(e,t){\"object\"==typeof exports?module.exports=t():e.sk=t()}(this,(function(){return eyJ}))",
        "hvs. is how they begin; ya29. too; SG. is a country; :AA is a battery; sig= is a parameter",
        "desk-organiser-with-many-small-drawers-and-a-lamp-0123456789",
        "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
        &image,
        &format!(
            "a file that begins with {dashes}BEGIN PRIVATE KEY{dashes} holds a key, and one with {dashes}BEGIN CERTIFICATE{dashes} none"
        ),
        &framed("CERTIFICATE"),
        &framed("PUBLIC KEY"),
        &broken,
        &wrong_check,
        &unsigned,
        &no_json,
        "https://example.org/?sig=c2hvcnQ%3D&sv=2024-11-04",
    ];
    for text in texts {
        let shown: String = text.chars().take(200).collect();
        assert_eq!(find(text, every), None, "{shown}");
        assert_eq!(mask(text, every), Ok(None), "{shown}");
    }
}

#[test]
fn two_that_touch_are_both_masked() {
    let (key, token) = (framed("PRIVATE KEY"), format!("glpat-{}", word(20)));
    let google = format!("AIza{}", word(35));
    for text in [
        format!("{key}{token}"),
        format!("{google}{key}"),
        format!("{token}{key}{google}"),
    ] {
        let masked = mask(&text, every).unwrap().unwrap();
        assert_eq!(find(&masked.text, every), None, "{}", masked.text);
        assert!(masked.rules.len() >= 2, "{}", masked.text);
    }
}

#[test]
fn rules_are_called_as_they_are_written_in_the_configuration() {
    for rule in Rule::ALL {
        assert_eq!(serde_json::to_value(rule).unwrap(), rule.as_str());
        assert_eq!(Rule::parse(rule.as_str()), Ok(*rule));
    }
    assert_eq!(Rule::parse("unknown"), Err(UnknownRule));
    let from_the_future: Rule = serde_json::from_str("\"quantum_key\"").unwrap();
    assert_eq!(from_the_future, Rule::Unknown);
}

/// Texts of pieces of credentials and of what stands around them, so that shapes meet.
fn entangled() -> impl Strategy<Value = String> {
    let pieces: Vec<String> = credentials()
        .into_iter()
        .flat_map(|(rule, credential)| {
            let half = credential.chars().take(credential.len() / 2).collect();
            [said(rule, &credential), credential, half]
        })
        .chain(
            [
                "-----", "eyJ", "sk-", "AKIA", ".", "\n", " ", "é", "=", "_", "-", "\\n", "%20",
                "\x1b[31m",
            ]
            .map(str::to_owned),
        )
        .collect();
    let piece = prop_oneof![
        proptest::sample::select(pieces),
        "[ -~]{0,12}",
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_masked_text_has_no_match_and_keeps_what_is_beside(text in entangled(), which in proptest::collection::vec(any::<bool>(), Rule::ALL.len())) {
        let wanted = &|rule: Rule| which.get(Rule::ALL.iter().position(|of| *of == rule).unwrap()) == Some(&true);
        if let Some(found) = find(&text, wanted) {
            prop_assert!(wanted(found.rule) && text.get(found.at).is_some());
        }
        match mask(&text, wanted) {
            Ok(Some(masked)) => {
                prop_assert_eq!(find(&masked.text, wanted), None);
                prop_assert!(masked.rules.iter().all(|rule| masked.text.contains(&rule.mask())));
            }
            Ok(None) => prop_assert_eq!(find(&text, wanted), None),
            Err(Entangled) => prop_assert!(find(&text, wanted).is_some()),
        }
    }
}
