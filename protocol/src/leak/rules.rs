//! The rules: what each credential is called, how it begins, and what it must look like.
//!
//! Only formats that say themselves what they are: a prefix that nothing else has, a checksum, a
//! PEM block. Passwords and keys without any (`password=…`) are not found, and nor is anything by its
//! randomness alone: that would hit digests, ids and images.

use serde::{Deserialize, Serialize};

use super::shapes::checks::{GITHUB, MIXED, NUMBERED, OPENAI, PLAIN};
use super::shapes::{Alphabet, Shape, beside, custom, custom_in_run, custom_near, run};

/// Not the name of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such rule")]
pub struct UnknownRule;

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $text:literal;)*) => {
        /// What a credential looks like. The names are part of the configuration and of replies.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Rule {
            $($(#[$doc])* $variant,)*
            /// A rule that this version does not know: some newer daemon's.
            #[serde(other)]
            Unknown,
        }

        impl Rule {
            /// Every rule of this version.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Unknown => "unknown",
                }
            }
        }
    };
}

rules! {
    /// A private key between its dashes: PEM (RFC 7468), OpenSSH, PGP; a service account's too.
    PrivateKey = "private_key";
    /// An age identity.
    AgeKey = "age_key";
    /// The id of an AWS access key.
    AwsAccessKey = "aws_access_key";
    /// An AWS secret access key, beside its name.
    AwsSecretKey = "aws_secret_key";
    /// A Google API key.
    GoogleApiKey = "google_api_key";
    /// The secret of a Google OAuth client, or an access token.
    GoogleOauth = "google_oauth";
    /// The key of an Azure storage account, beside its name.
    AzureStorageKey = "azure_storage_key";
    /// An Azure shared access signature.
    AzureSas = "azure_sas";
    /// A GitHub token.
    GithubToken = "github_token";
    /// A GitLab token.
    GitlabToken = "gitlab_token";
    /// A Slack token, or the address of a webhook or of a workflow's trigger, which is as good as one.
    SlackToken = "slack_token";
    /// A Stripe key of the live mode, or the secret of a webhook.
    StripeKey = "stripe_key";
    /// An npm token.
    NpmToken = "npm_token";
    /// A `PyPI` token.
    PypiToken = "pypi_token";
    /// An `OpenAI` key.
    OpenaiKey = "openai_key";
    /// An Anthropic key.
    AnthropicKey = "anthropic_key";
    /// A Hugging Face token.
    HuggingFaceToken = "hugging_face_token";
    /// A `SendGrid` key.
    SendgridKey = "sendgrid_key";
    /// The token of a Telegram bot.
    TelegramToken = "telegram_token";
    /// A Docker Hub token.
    DockerToken = "docker_token";
    /// A `DigitalOcean` token.
    DigitaloceanToken = "digitalocean_token";
    /// A Vault token.
    VaultToken = "vault_token";
    /// A signed JSON Web Token (RFC 7519).
    Jwt = "jwt";
}

impl Rule {
    /// The rule of this name.
    ///
    /// # Errors
    /// [`UnknownRule`].
    pub fn parse(name: &str) -> Result<Self, UnknownRule> {
        let mut all = Self::ALL.iter().copied();
        all.find(|rule| rule.as_str() == name).ok_or(UnknownRule)
    }

    /// What stands in the place of a credential.
    pub fn mask(self) -> String {
        format!("[masked: {}]", self.as_str())
    }
}

use Alphabet::{Base32, Base64, Bech32, Hex, Letters, Word, WordDash, WordDashDot};
use Rule::{
    AgeKey, AnthropicKey, AwsAccessKey, AwsSecretKey, AzureSas, AzureStorageKey, DigitaloceanToken,
    DockerToken, GithubToken, GitlabToken, GoogleApiKey, GoogleOauth, HuggingFaceToken, Jwt,
    NpmToken, OpenaiKey, PrivateKey, PypiToken, SendgridKey, SlackToken, StripeKey, TelegramToken,
    VaultToken,
};

/// Longest token whose makers say no length, in bytes (Google says 2,048): longer runs are something else.
pub(super) const LONG: usize = 2_048;

/// How many of the `eyJ` in one run are tried: a word that a token is glued to may have one (`keyJwt`).
const JWTS: usize = 3;

/// How they look, each with where that is said. Of two that begin alike the first that fits counts.
pub(super) const SHAPES: &[Shape] = &[
    custom(PrivateKey, "-----BEGIN ", custom::private_key),
    run(AgeKey, "AGE-SECRET-KEY-1", Bech32, 58..=58, PLAIN),
    // docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html: what follows is base32.
    run(AwsAccessKey, "AKIA", Base32, 16..=16, PLAIN),
    run(AwsAccessKey, "ASIA", Base32, 16..=16, PLAIN),
    // As variables, configurations and JSON have it; as `aws configure` asks; as the console's table does.
    beside(AwsSecretKey, "ecret_access_key", custom::aws_secret_key),
    beside(AwsSecretKey, "ECRET_ACCESS_KEY", custom::aws_secret_key),
    beside(AwsSecretKey, "ecret-access-key", custom::aws_secret_key),
    beside(AwsSecretKey, "ecretAccessKey", custom::aws_secret_key),
    beside(AwsSecretKey, "ecret Access Key", custom::aws_secret_key),
    beside(AwsSecretKey, "ecret access key", custom::aws_secret_key),
    run(GoogleApiKey, "AIza", WordDash, 35..=35, MIXED).in_names(),
    run(GoogleOauth, "GOCSPX-", WordDash, 28..=28, MIXED).in_names(),
    run(GoogleOauth, "ya29.", WordDash, 40..=LONG, MIXED).in_names(),
    // `AccountKey`, `accountKey`, `storageAccountKey`; as variables have it; as `az` wants it.
    beside(AzureStorageKey, "ccountKey", custom::azure_storage_key),
    beside(AzureStorageKey, "account_key", custom::azure_storage_key),
    beside(AzureStorageKey, "ACCOUNT_KEY", custom::azure_storage_key),
    beside(
        AzureStorageKey,
        "AZURE_STORAGE_KEY",
        custom::azure_storage_key,
    ),
    custom_near(
        AzureSas,
        "sig=",
        custom::azure_sas,
        b"sv=20",
        custom::SAS_QUERY,
    ),
    // github.blog/2021-04-05-behind-githubs-new-authentication-token-formats.
    run(GithubToken, "ghp_", Word, 36..=36, GITHUB),
    run(GithubToken, "gho_", Word, 36..=36, GITHUB),
    run(GithubToken, "ghu_", Word, 36..=36, GITHUB),
    run(GithubToken, "ghs_", Word, 36..=36, GITHUB),
    run(GithubToken, "ghr_", Word, 36..=36, GITHUB),
    run(GithubToken, "github_pat_", WordDash, 82..=82, MIXED).in_names(),
    // docs.gitlab.com/security/tokens, "Token prefixes".
    run(GitlabToken, "glpat-", WordDashDot, 20..=LONG, MIXED).in_names(),
    run(GitlabToken, "gldt-", WordDashDot, 20..=LONG, MIXED),
    run(GitlabToken, "glrt-", WordDashDot, 20..=LONG, MIXED),
    run(GitlabToken, "glptt-", WordDashDot, 20..=LONG, MIXED),
    run(GitlabToken, "glcbt-", WordDashDot, 20..=LONG, MIXED),
    // api.slack.com/concepts/token-types.
    run(SlackToken, "xoxb-", WordDash, 24..=LONG, NUMBERED).in_names(),
    run(SlackToken, "xoxp-", WordDash, 24..=LONG, NUMBERED).in_names(),
    run(SlackToken, "xoxa-", WordDash, 24..=LONG, NUMBERED).in_names(),
    run(SlackToken, "xoxe-", WordDash, 24..=LONG, NUMBERED).in_names(),
    run(SlackToken, "xoxc-", WordDash, 24..=LONG, NUMBERED).in_names(),
    run(SlackToken, "xoxr-", WordDash, 24..=LONG, NUMBERED).in_names(),
    run(SlackToken, "xoxs-", WordDash, 24..=LONG, NUMBERED).in_names(),
    run(SlackToken, "xapp-", WordDash, 24..=LONG, NUMBERED),
    custom(SlackToken, "hooks.slack.com/", custom::slack_address),
    custom(SlackToken, "hooks.slack-gov.com/", custom::slack_address),
    // docs.stripe.com/keys: the keys of the test mode open nothing.
    run(StripeKey, "sk_live_", Word, 24..=LONG, MIXED),
    run(StripeKey, "rk_live_", Word, 24..=LONG, MIXED),
    run(StripeKey, "whsec_", Base64, 32..=88, MIXED),
    // github.blog/2021-09-23-announcing-npms-new-access-token-format: GitHub's checksum.
    run(NpmToken, "npm_", Word, 36..=36, GITHUB),
    // A macaroon for pypi.org or test.pypi.org, in base64.
    run(
        PypiToken,
        "pypi-AgEIcHlwaS5vcmc",
        WordDash,
        50..=LONG,
        MIXED,
    )
    .in_names(),
    run(
        PypiToken,
        "pypi-AgENdGVzdC5weXBpLm9yZw",
        WordDash,
        50..=LONG,
        MIXED,
    )
    .in_names(),
    run(AnthropicKey, "sk-ant-", WordDash, 40..=LONG, MIXED).in_names(),
    run(OpenaiKey, "sk-", WordDash, 40..=LONG, OPENAI).in_names(),
    run(HuggingFaceToken, "hf_", Letters, 34..=34, MIXED),
    custom(SendgridKey, "SG.", custom::sendgrid_key),
    custom(TelegramToken, ":AA", custom::telegram_token),
    run(DockerToken, "dckr_pat_", WordDash, 27..=27, MIXED).in_names(),
    run(DigitaloceanToken, "dop_v1_", Hex, 64..=64, PLAIN),
    run(DigitaloceanToken, "dor_v1_", Hex, 64..=64, PLAIN),
    run(VaultToken, "hvs.", WordDash, 24..=LONG, MIXED),
    run(VaultToken, "hvb.", WordDash, 24..=LONG, MIXED),
    custom_in_run(Jwt, "eyJ", custom::jwt, WordDash, JWTS),
];
