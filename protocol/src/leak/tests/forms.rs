//! The forms that a credential of one rule comes in, and what resembles them.

use super::*;

/// `text` with its credential masked, which is the only one.
fn masked(text: &str, rule: Rule) -> String {
    let masked = mask(text, every).unwrap();
    let masked = masked.unwrap_or_else(|| panic!("nothing found in {text}"));
    assert_eq!(masked.rules, BTreeSet::from([rule]), "{text}");
    masked.text
}

fn left_alone<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) {
    for text in texts {
        assert_eq!(find(text.as_ref(), every), None, "{}", text.as_ref());
    }
}

#[test]
fn the_key_of_a_storage_account_is_found_however_it_is_assigned_to_its_name() {
    let key = format!("{}==", word(86));
    for (before, behind) in [
        ("AccountName=a;AccountKey=", ";Endpoint=b"),
        ("{\"AccountKey\": \"", "\"}"),
        ("{\\\"AccountKey\\\":\\\"", "\\\"}"),
        ("\"storageAccountKey\": \"", "\","),
        ("accountKey: ", "\n"),
        ("account_key = '", "'"),
        ("export AZURE_STORAGE_ACCOUNT_KEY=\"", "\""),
        ("AZURE_STORAGE_KEY=", ""),
        ("<AccountKey>", "</AccountKey>"),
        ("| `AccountKey` | `", "` |"),
        ("**AccountKey**: ", "."),
        ("os.getenv(\"AZURE_STORAGE_KEY\", \"", "\")"),
        ("${AZURE_STORAGE_KEY:-", "}"),
    ] {
        let text = format!("{before}{key}{behind}");
        let left = format!("{before}{}{behind}", Rule::AzureStorageKey.mask());
        assert_eq!(masked(&text, Rule::AzureStorageKey), left);
    }
    left_alone([
        // A name, and no key; a key, and no name; a digest of as many bytes.
        format!(
            "set AccountKey to what the portal shows; sha512-{}",
            word(86)
        ),
        format!("\"integrity\": \"sha512-{key}\", \"AccountKey\": \"\""),
        format!("AccountKey{key}"),
        format!("AccountKey: {}", word(88)),
        format!("AccountKey={}==", "A".repeat(86)),
    ]);
}

#[test]
fn an_aws_key_is_found_in_every_form_in_which_it_stands_beside_its_name() {
    let (key, mask) = (word(40), Rule::AwsSecretKey.mask());
    for (before, behind) in [
        ("`AWS_SECRET_ACCESS_KEY`: `", "`"),
        ("**AWS_SECRET_ACCESS_KEY**: ", "."),
        ("- *AWS_SECRET_ACCESS_KEY* - ", "\n"),
        ("| `AWS_SECRET_ACCESS_KEY` | `", "` |"),
        ("os.getenv(\"AWS_SECRET_ACCESS_KEY\", \"", "\")"),
        ("os.environ['AWS_SECRET_ACCESS_KEY'] = '", "'"),
        ("process.env[\"AWS_SECRET_ACCESS_KEY\"] ?? \"", "\""),
        ("setenv(\"AWS_SECRET_ACCESS_KEY\", \"", "\", 1)"),
        ("AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY:-", "}"),
        ("secret_access_key: ", "\n"),
        ("secret-access-key: \"", "\"\n"),
        ("<SecretAccessKey>", "</SecretAccessKey>"),
        ("<td>SecretAccessKey</td><td>", "</td>"),
        ("the secret access key is now ", ", until Monday"),
        ("Secret access key → ", " (prod)"),
        ("the secret access key — ", " — is new"),
        ("SecretAccessKey=’", "’"),
        ("Access key ID;Secret access key;", ";"),
        (
            "AWS Secret Access Key [None]: ",
            "\nDefault region name [None]: ",
        ),
        ("{\"SecretAccessKey\": {\"S\": \"", "\"}}"),
        (
            "  \"aws_secret_access_key\": {\r\n    \"sensitive\": true,\r\n    \"type\": \"string\",\r\n    \"value\": \"",
            "\"\r\n  }",
        ),
    ] {
        let text = format!("{before}{key}{behind}");
        let left = format!("{before}{mask}{behind}");
        assert_eq!(masked(&text, Rule::AwsSecretKey), left);
    }
    let id = format!("AKIA{}", random(BASE32, 16));
    for text in [
        format!("Access key ID,Secret access key\n{id},{key}\n"),
        format!("User name,Access key ID,Secret access key,Console login link\nbob,{id},{key},a"),
        format!("AWS Access Key ID [None]: {id}\nAWS Secret Access Key [None]: {key}\n"),
    ] {
        let left = mask_of(&text);
        let both = text.replace(&id, &Rule::AwsAccessKey.mask());
        assert_eq!(left, both.replace(&key, &mask));
    }
}

#[test]
fn of_several_aws_keys_behind_one_name_none_stays_readable() {
    let (one, two) = (word(40), word(42).split_off(2));
    let masked = Rule::AwsSecretKey.mask();
    for (before, between) in [
        ("AWS_SECRET_ACCESS_KEY old ", " new "),
        ("AWS_SECRET_ACCESS_KEY: ", "\n(old: "),
        (
            "| name | Secret access key |\n|---|---|\n| bob | ",
            " |\n| eve | ",
        ),
    ] {
        let text = format!("{before}{one}{between}{two}");
        assert_eq!(mask_of(&text), format!("{before}{masked}{between}{masked}"));
    }
}

fn mask_of(text: &str) -> String {
    mask(text, every).unwrap().unwrap().text
}

#[test]
fn digests_paths_and_words_behind_the_name_of_an_aws_key_are_left_alone() {
    left_alone([
        format!("AWS_SECRET_ACCESS_KEY = {}", random(HEX, 40)),
        format!("AWS_SECRET_ACCESS_KEY is missing, see {}", random(HEX, 40)),
        "missing AWS_SECRET_ACCESS_KEY:\nsrc/components/Widget/HeaderBarView2/xyz".to_owned(),
        "AWS_SECRET_ACCESS_KEY: shouldRefuseSecretKeysWithoutTheirName01".to_owned(),
        // Longer, shorter, glued, behind the end of a sentence, far away.
        format!("AWS_SECRET_ACCESS_KEY={}", word(41)),
        format!("AWS_SECRET_ACCESS_KEY={}", word(39)),
        format!("AWS_SECRET_ACCESS_KEY{}", word(40)),
        format!("Secret access key: rotate it. The id is {}", word(40)),
        format!("Secret access key: {}{}", "a, b ".repeat(20), word(40)),
    ]);
}

#[test]
fn a_signed_token_is_found_whatever_word_it_is_glued_to() {
    let token = jwt(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"sub":"7","exp":1}"#);
    for before in [
        "Bearer:",
        "Bearer ",
        "token=",
        "token:",
        "jwt",
        "jwt-",
        "jwt_",
        "jwt.",
        "v1.",
        "Bearer",
        "base64url.bearer.authorization.",
        "sb-access-token-",
        "session_é",
        "keyJwt_",
        "keyJwt.monkeyJuice_keyJson-",
        "eyJhbGciOiJub25lIn0.",
        "eyJhbGciOiJub25lIn0.eyJ9.",
    ] {
        let (text, mask) = (format!("a {before}{token}, b"), Rule::Jwt.mask());
        assert_eq!(masked(&text, Rule::Jwt), format!("a {before}{mask}, b"));
    }
}

#[test]
fn a_signed_token_is_found_however_many_groups_it_names() {
    for count in [100, 200, 1_000] {
        let group = |n: u32| format!("\"3f2504e0-4f89-11d3-9a0c-0305e82c{n:04}\"");
        let groups: Vec<String> = (0..count).map(group).collect();
        let claims = format!(r#"{{"aud":"a","groups":[{}]}}"#, groups.join(","));
        let text = format!("Bearer {}", jwt(r#"{"alg":"RS256"}"#, &claims));
        let left = format!("Bearer {}", Rule::Jwt.mask());
        assert_eq!(masked(&text, Rule::Jwt), left);
    }
}

#[test]
fn words_with_the_beginning_of_a_token_in_them_are_left_alone() {
    let unsigned = jwt(r#"{"alg":"none"}"#, "{}");
    let no_header = jwt(r#"{"typ":"JWT"}"#, r#"{"sub":"7"}"#);
    let example = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";
    left_alone([
        "keyJson.parse.stringifyAllOfTheMembersOfIt0123".to_owned(),
        "monkeyJuice.donkeyJump.turkeyJerkyWithManySpices2024".to_owned(),
        "//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozfQ".to_owned(),
        // The signature is elsewhere, and that of an encrypted one is none.
        format!(
            "jws_{}..{}",
            BASE64URL_NOPAD.encode(br#"{"alg":"HS256"}"#),
            word(43)
        ),
        format!(
            "jwe_{}.{}.{}",
            BASE64URL_NOPAD.encode(br#"{"alg":"dir"}"#),
            word(40),
            word(43)
        ),
        format!("x{unsigned} x-{no_header} token_{example} Bearer.{example}"),
    ]);
}

#[test]
fn every_address_that_starts_something_in_slack_is_found() {
    let (id, secret) = (random(BASE32, 8), word(24));
    let hex = random(HEX, 32);
    for address in [
        format!("hooks.slack.com/services/T{id}/B{id}/{secret}"),
        format!("hooks.slack-gov.com/services/T{id}/B{id}/{secret}"),
        format!("hooks.slack.com/workflows/T{id}/A{id}/442660231806210747/{secret}"),
        format!("hooks.slack.com/triggers/T{id}/7018552123456/{hex}"),
        format!("hooks.slack.com/triggers/E{id}/7018552123456/{hex}"),
    ] {
        for behind in ["", ".", "/", "\"", " and", "?a=b"] {
            let text = format!("https://{address}{behind}");
            let left = format!("https://{}{behind}", Rule::SlackToken.mask());
            assert_eq!(masked(&text, Rule::SlackToken), left);
        }
    }
    left_alone([
        "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX".to_owned(),
        "https://hooks.slack.com/triggers/T00000000/0000000000000/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            .to_owned(),
        "hooks.slack.com/services/, hooks.slack.com/workflows/T/A/1/x".to_owned(),
        format!("https://hooks.slack.com/other/T{id}/B{id}/{secret}"),
        format!("https://hooks.slack.com/services/T{id}/B{id}/{secret}0"),
        format!("https://hooks.slack.com/triggers/T{id}/{id}/{hex}"),
    ]);
}

/// A key in a frame with lines of so many bytes, and something before them and behind each.
fn written(width: usize, headers: &str, before: &str, behind: &str) -> String {
    let key = BASE64.encode(word(120).as_bytes());
    let lines = key.as_bytes().chunks(width).map(String::from_utf8_lossy);
    let lines: Vec<String> = lines
        .map(|line| format!("{before}{line}{behind}"))
        .collect();
    let lines = lines.concat();
    let dashes = "-".repeat(5);
    format!(
        "{dashes}BEGIN PRIVATE KEY{dashes}{behind}{headers}{lines}{before}{dashes}END PRIVATE KEY{dashes}"
    )
}

#[test]
fn a_key_in_a_frame_is_found_however_short_its_lines_are_down_to_eight_bytes() {
    let around = [
        ("", "\n"),
        ("", "\r\n"),
        ("> ", "\n"),
        ("", "\\n"),
        ("", "\\r\\n"),
        ("  \"", "\",\n"),
    ];
    for width in [8, 16, 20, 24, 31, 32, 64] {
        for (before, behind) in around {
            let text = format!("see {} below", written(width, "", before, behind));
            let left = masked(&text, Rule::PrivateKey);
            assert_eq!(left, format!("see {} below", Rule::PrivateKey.mask()));
        }
    }
}

#[test]
fn a_key_is_found_behind_headers_with_dashes_in_them() {
    let headers = [
        "Comment: ----- mine -----\n\n",
        "Comment: -----\nVersion: ------------ 1 -----\n\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,-----\n\n",
    ];
    for header in headers {
        for width in [16, 64] {
            let text = format!("a {} b", written(width, header, "", "\n"));
            let left = masked(&text, Rule::PrivateKey);
            assert_eq!(left, format!("a {} b", Rule::PrivateKey.mask()));
        }
        let escaped = header.replace('\n', "\\n");
        let text = format!("a {} b", written(64, &escaped, "", "\\n"));
        let left = masked(&text, Rule::PrivateKey);
        assert_eq!(left, format!("a {} b", Rule::PrivateKey.mask()));
    }
}

#[test]
fn prose_and_lists_behind_the_name_of_a_frame_are_left_alone() {
    let dashes = "-".repeat(5);
    let begin = format!("{dashes}BEGIN PRIVATE KEY{dashes}");
    left_alone([
        format!("{begin}\n<base64>\n{dashes}END PRIVATE KEY{dashes}"),
        format!("{begin}\n...\n...\n{dashes}END PRIVATE KEY{dashes}"),
        format!("{begin}\nxxxxxxxxxxxxxxxx\nXXXXXXXXXXXXXXXX\n0000000000000000\n"),
        format!(
            "{begin}\nKeyFactory\nPrivateKeyInfo\nAlgorithmIdentifier\nsecp256k1\nEd25519\nSha256Hash\n"
        ),
        format!("{begin}\nsecp256k1\nsecp256r1\nprime256v1\nsecp384r1\nsecp521r1\n"),
        format!(
            "{begin} is how they begin; 550e8400-e29b-41d4-a716-446655440000 was the build,\n808f7f1a\n0fe2667b\n45c55c9c\n7578a58d\na3ec072e\n"
        ),
        format!(
            "{begin} ::= PrivateKeyInfo {{ version, privateKeyAlgorithm AlgorithmIdentifier }}"
        ),
        // A rule across a page ends it, and so does what is no header.
        format!("{begin}\nholds a key\n{dashes}\n{}\n", random(HEX, 40)),
        format!("{begin}\nNote: a key\n\n{dashes}\n{}\n", random(HEX, 40)),
        format!(
            "{begin}\nNote: -----\na key\n{dashes}\n{}\n",
            random(HEX, 40)
        ),
        format!(
            "{begin}\nNote: {dashes}BEGIN CERTIFICATE{dashes}\n{}\n",
            random(HEX, 40)
        ),
    ]);
}
