//! `config.toml`, for the daemon and for the commands that do its work while none runs.

use ipc_daemon::config::{Config, ConfigError};

use crate::context::Context;
use crate::failure::Failure;

/// Reads the configuration.
pub(crate) fn load(context: &Context) -> Result<Config, Failure> {
    Config::load(context.data_dir.clone()).map_err(|error| match error {
        ConfigError::Private(error) => error.into(),
        other @ (ConfigError::Io { .. } | ConfigError::Content { .. }) => {
            Failure::usage(other.to_string()).hint("docs/CONFIGURATION.md lists every key")
        }
    })
}
