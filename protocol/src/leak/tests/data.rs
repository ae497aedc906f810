//! Credentials in the names and the values of attached data.

use serde_json::{Value, json};

use super::*;
use crate::message::Data;

fn data(json: Value) -> Data {
    serde_json::from_value(json).unwrap()
}

fn masked(json: Value) -> Result<Option<Value>, Unmaskable> {
    let masked = mask_in(&data(json), every)?;
    Ok(masked.map(|masked| json!(masked.data)))
}

#[test]
fn every_rule_finds_its_credential_in_a_value_however_deep_and_behind_a_line_break() {
    for (rule, credential) in credentials() {
        let said = said(rule, &credential);
        let holding = json!({"a": 1, "b": [null, {"c": format!("tokens:\n{said}")}]});
        let found = Some(FoundIn {
            rule,
            part: Part::Value,
        });
        assert_eq!(find_in(&data(holding.clone()), every), found, "{said}");
        assert_eq!(find_in(&data(holding.clone()), |other| other != rule), None);
        let left = said.replace(&credential, &rule.mask());
        let left = json!({"a": 1, "b": [null, {"c": format!("tokens:\n{left}")}]});
        assert_eq!(masked(holding), Ok(Some(left)));
    }
}

#[test]
fn what_a_name_makes_a_credential_is_masked_beside_it() {
    let key = json!({"deep": {"aws_secret_access_key": word(40), "SecretAccessKey": word(40)}});
    let mask = Rule::AwsSecretKey.mask();
    let left = json!({"deep": {"aws_secret_access_key": mask, "SecretAccessKey": mask}});
    assert_eq!(masked(key), Ok(Some(left)));
}

#[test]
fn a_credential_in_a_name_is_never_masked() {
    let (one, other) = (github("ghp_"), format!("AKIA{}", random(BASE32, 16)));
    let begin = format!("{0}BEGIN PRIVATE KEY{0}", "-".repeat(5));
    for (rule, holding) in [
        (
            Rule::GithubToken,
            json!({one.clone(): 1, github("gho_"): 2}),
        ),
        (
            Rule::GithubToken,
            json!({"a": [{format!("a\n{one}"): "b"}]}),
        ),
        (
            Rule::AwsAccessKey,
            json!({"a": {other.clone(): {"b": other}}}),
        ),
        (
            Rule::PrivateKey,
            json!({begin: "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC".repeat(2)}),
        ),
    ] {
        let found = Some(FoundIn {
            rule,
            part: Part::Name,
        });
        assert_eq!(find_in(&data(holding.clone()), every), found, "{holding}");
        assert_eq!(
            masked(holding.clone()),
            Err(Unmaskable::Name(rule)),
            "{holding}"
        );
    }
}

#[test]
fn half_a_key_in_a_frame_ends_with_its_own_string() {
    let half: String = framed("PRIVATE KEY").chars().take(120).collect();
    let holding = json!({"a": format!("key: {half}"), "b": [1, "beside"], "c": half});
    let mask = Rule::PrivateKey.mask();
    let left = json!({"a": format!("key: {mask}"), "b": [1, "beside"], "c": mask});
    assert_eq!(masked(holding), Ok(Some(left)));
}

#[test]
fn data_without_a_credential_is_left_as_it_is() {
    let one = github("ghp_");
    let (first, second) = one.split_at(20);
    let split = json!({"a": [first, second], first: second, "n": [1.5, null, true, {}]});
    assert_eq!(find_in(&data(split.clone()), every), None);
    assert_eq!(masked(split), Ok(None));
}

#[test]
fn a_key_that_is_cut_into_its_lines_is_found_and_not_masked() {
    let key = framed("PRIVATE KEY");
    let lines = json!({"key": key.lines().collect::<Vec<_>>(), "a": 1});
    let found = FoundIn {
        rule: Rule::PrivateKey,
        part: Part::Value,
    };
    assert_eq!(find_in(&data(lines.clone()), every), Some(found));
    assert_eq!(masked(lines), Err(Unmaskable::Entangled(Entangled)));
}
