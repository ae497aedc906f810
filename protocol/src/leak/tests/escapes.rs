//! Credentials behind what is written for a character, and behind the name that they are part of.

use super::*;

fn behind(before: &str, rule: Rule, credential: &str) {
    let said = said(rule, credential);
    // Where what stands around it makes it a credential, that stays; else it comes right behind.
    let text = match rule {
        Rule::AwsSecretKey | Rule::AzureStorageKey => format!("{before}{said}"),
        Rule::AzureSas => format!("?sv=2024-11-04{before}sig={credential}&sp=r"),
        _ => format!("see{before}{credential}"),
    };
    let at = text.find(credential).unwrap();
    let at = at..at.checked_add(credential.len()).unwrap();
    assert_eq!(find(&text, every), Some(Found { rule, at }), "{text}");
    let masked = mask(&text, every).unwrap().unwrap().text;
    assert_eq!(masked, text.replace(credential, &rule.mask()));
}

#[test]
fn a_credential_right_behind_an_escape_is_found() {
    let escapes = [
        r"\n",
        r"\t",
        r"\r",
        r"\b",
        r"\f",
        "\\\"",
        r"\\n",
        r"\u0026",
        r"\u000a",
        r"\u000A",
        r"\x0a",
        "%20",
        "%0A",
        "%3d",
        "\x1b[m",
        "\x1b[31m",
        "\x1b[1;38;5;200m",
        "\x1b[2K",
        "\x1b[?25h",
        r"\u001b[31m",
        r"\u001B[0m",
        r"\x1b[31m",
        r"\033[31m",
        r"\e[1;31m",
    ];
    for escape in escapes {
        for (rule, credential) in credentials() {
            behind(escape, rule, &credential);
        }
    }
}

#[test]
fn a_credential_behind_the_rest_of_a_name_is_found_where_its_prefix_is_its_own() {
    let named = [
        (Rule::GoogleApiKey, format!("AIza{}", word(35))),
        (Rule::GoogleOauth, format!("GOCSPX-{}", word(28))),
        (Rule::GoogleOauth, format!("ya29.{}", word(120))),
        (Rule::AwsAccessKey, format!("AKIA{}", random(BASE32, 16))),
        (Rule::GithubToken, github("ghp_")),
        (Rule::GithubToken, format!("github_pat_{}", word(82))),
        (Rule::GitlabToken, format!("glpat-{}", word(20))),
        (Rule::SlackToken, format!("xoxb-123456789012-{}", word(24))),
        (
            Rule::PypiToken,
            format!("pypi-AgEIcHlwaS5vcmc{}", word(120)),
        ),
        (Rule::AnthropicKey, format!("sk-ant-api03-{}", word(90))),
        (
            Rule::OpenaiKey,
            format!("sk-{}T3BlbkFJ{}", word(20), word(20)),
        ),
        (Rule::DockerToken, format!("dckr_pat_{}", word(27))),
        (Rule::NpmToken, github("npm_")),
    ];
    for (rule, credential) in named {
        for before in ["GOOGLE_", "google-", "KEY=", "--key="] {
            behind(before, rule, &credential);
        }
    }
}

#[test]
fn a_name_that_has_the_letters_of_a_prefix_in_it_is_left_alone() {
    let google = format!("AIza{}", word(35));
    let aws = format!("AKIA{}", random(BASE32, 16));
    let texts = [
        // Behind a letter or a digit, whatever that follows.
        &format!("nAIza{} and x{aws}", word(35)),
        &format!("\\d{google} \\q{google} C:\\Users\\anna{google}"),
        &format!("5%2{aws} %zz{google} \\u00{aws} \\u00g1{google}"),
        &format!("[31m{google} a[0]m{google} list[m{google}"),
        // Longer or shorter than a key.
        &format!("GOOGLE_{google}0 MAPS_AIza{} new_{google}_old", word(34)),
        &format!("tf_{aws}ABC, my-{aws}Q"),
        "get_AIza_key_from_the_environment_of_a_build, with-AIza-prefix-checks-in-the-linter-01",
        "is_AKIA_or_ASIA and MATCHES_AKIAIOSFODNN7EXAMPLE",
        "adaptive-glrt-detector-for-radar-of-2024 and a_hvs.scaledByTheFactorOf2OverTheWindow",
        "libreoffice-xapp-builds-for-mint-20260101 and lib_xapp-portal-of-20260101-nightly",
        "in_hf_transformersandtheirattentionheads",
        "disk-sk-learn-pipeline-with-many-small-steps-and-a-model-0123456789",
        "read_ghp_token_from_the_environment_of_the_job and test-glpat-",
        "strip_dckr_pat_prefix and_github_pat_prefix",
    ];
    for text in texts {
        assert_eq!(find(text, every), None, "{text}");
    }
}
