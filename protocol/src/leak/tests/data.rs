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
fn what_a_name_around_it_makes_a_credential_is_masked_however_deep_it_is() {
    let (aws, azure) = (word(40), format!("{}==", word(86)));
    let long = format!("{}/secret-access-key", "a ".repeat(500));
    for (rule, key, holding) in [
        (
            Rule::AwsSecretKey,
            &aws,
            json!({"aws_secret_access_key": {"sensitive": true, "type": "string", "value": aws}}),
        ),
        (
            Rule::AwsSecretKey,
            &aws,
            json!({"aws_secret_access_key": [aws]}),
        ),
        (
            Rule::AwsSecretKey,
            &aws,
            json!({"Item": {"SecretAccessKey": {"S": aws}}}),
        ),
        (
            Rule::AwsSecretKey,
            &aws,
            json!({"SecretAccessKey": [[{"a": {"b": [1, aws]}}]]}),
        ),
        (
            Rule::AwsSecretKey,
            &aws,
            json!({long: {"a": {"b": format!("'{aws}'")}}}),
        ),
        (
            Rule::AzureStorageKey,
            &azure,
            json!({"storageAccountKey": {"sensitive": true, "type": "string", "value": azure}}),
        ),
        (
            Rule::AzureStorageKey,
            &azure,
            json!({"SecretAccessKey": {"accountKey": {"primary": [azure, "b"]}}}),
        ),
    ] {
        let part = Part::Value;
        let found = Some(FoundIn { rule, part });
        assert_eq!(find_in(&data(holding.clone()), every), found, "{holding}");
        assert_eq!(find_in(&data(holding.clone()), |other| other != rule), None);
        let left = holding.to_string().replace(key.as_str(), &rule.mask());
        let left = serde_json::from_str(&left).unwrap();
        assert_eq!(masked(holding), Ok(Some(left)));
    }
}

#[test]
fn what_stands_below_the_name_of_a_key_and_looks_like_none_is_left_alone() {
    let (digest, sha512) = (random(HEX, 40), format!("sha512-{}==", word(86)));
    for holding in [
        json!({"SecretAccessKey": {"commit": digest, "file": "src/components/Widget/HeaderBarView2/xyz"}}),
        json!({"accountKey": {"integrity": sha512, "id": word(88)}}),
        json!({"SecretAccessKey": {"short": word(39), "long": word(41)}, "token": word(40)}),
    ] {
        assert_eq!(find_in(&data(holding.clone()), every), None, "{holding}");
        assert_eq!(masked(holding), Ok(None));
    }
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

#[test]
fn a_credential_over_several_values_is_found_and_not_masked() {
    let key = framed("PRIVATE KEY");
    let parts: Vec<&str> = key.lines().collect();
    let (begin, end) = (parts[0], parts[parts.len() - 1]);
    let body = parts[1..parts.len() - 1].concat();
    let rows: Vec<Value> = parts.iter().map(|line| json!({"line": line})).collect();
    let secret = word(40);
    for (rule, holding) in [
        (Rule::PrivateKey, json!({"a": begin, "b": body, "c": end})),
        (
            Rule::PrivateKey,
            json!({"begin": begin, "body": [body], "end": {"x": end}}),
        ),
        (Rule::PrivateKey, json!({"rows": rows})),
        (
            Rule::AwsSecretKey,
            json!({"env": [{"name": "AWS_SECRET_ACCESS_KEY", "value": secret}]}),
        ),
        (
            Rule::AwsSecretKey,
            json!({"name": "AWS_SECRET_ACCESS_KEY", "scope": "prod", "value": secret}),
        ),
        (
            Rule::AzureStorageKey,
            json!({"key": "AccountKey", "value": format!("{}==", word(86))}),
        ),
    ] {
        let part = Part::Value;
        let found = Some(FoundIn { rule, part });
        assert_eq!(find_in(&data(holding.clone()), every), found, "{holding}");
        assert_eq!(find_in(&data(holding.clone()), |other| other != rule), None);
        assert_eq!(masked(holding), Err(Unmaskable::Entangled(Entangled)));
    }
}

#[test]
fn values_that_only_stand_beside_each_other_are_left_alone() {
    let (begin, digest) = (
        format!("{0}BEGIN PRIVATE KEY{0}", "-".repeat(5)),
        random(HEX, 40),
    );
    let token = github("ghp_");
    let (first, second) = token.split_at(17);
    for holding in [
        json!({"about": format!("files that begin with {begin}"), "commit": digest}),
        json!({"a": begin, "b": {"c": ["prose", digest]}, "d": word(64)}),
        json!({"missing": "AWS_SECRET_ACCESS_KEY", "revision": digest}),
        json!({"missing": "AccountKey", "revision": digest, "sha512": word(88)}),
        json!({"a": first, "b": second}),
        json!({"a": "AKIA", "b": random(BASE32, 16)}),
    ] {
        assert_eq!(find_in(&data(holding.clone()), every), None, "{holding}");
        assert_eq!(masked(holding), Ok(None));
    }
}
