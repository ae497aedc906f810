//! The deployment key: what makes a row of credentials ours.
//!
//! Every row that can open the door carries a code over its fields under this key, and the key
//! lies outside the database and outside every backup. So whoever can only write the database can
//! neither mint nor extend a session nor plant a secret.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use ipc_protocol::paths::DataDir;
use ipc_protocol::private::{self, PrivateError};
use rand::CryptoRng;
use sha2::Sha256;

use crate::locked::Locked;

/// Length of the key, in bytes: a block of the hash.
const LENGTH: usize = 64;

/// The key, on a locked page where the system locks any.
pub(crate) struct DeploymentKey(Locked<[u8; LENGTH]>);

impl DeploymentKey {
    /// Reads `daemon.key`; `None` when there is none.
    ///
    /// # Errors
    /// [`PrivateError`] when the file cannot be trusted or has another length.
    pub(crate) fn read(data_dir: &DataDir) -> Result<Option<Self>, PrivateError> {
        let path = data_dir.daemon_key();
        match private::read_file(&path, 64) {
            Ok(bytes) if bytes.len() == LENGTH => Ok(Some(Self::made(|key| {
                key.copy_from_slice(&bytes);
            }))),
            Ok(_) => Err(PrivateError::Kind {
                path,
                wanted: "key of 64 bytes",
            }),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Draws a key and writes it to `daemon.key`.
    ///
    /// # Errors
    /// [`PrivateError`] when it cannot be written.
    pub(crate) fn create(
        data_dir: &DataDir,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, PrivateError> {
        let key = Self::random(rng);
        private::write_file(&data_dir.daemon_key(), key.0.expose())?;
        Ok(key)
    }

    /// Draws a key.
    pub(crate) fn random(rng: &mut impl CryptoRng) -> Self {
        Self::made(|key| rng.fill_bytes(key))
    }

    fn made(fill: impl FnOnce(&mut [u8; LENGTH])) -> Self {
        Self(Locked::or_unlocked([0; LENGTH], fill))
    }

    /// The code over the fields of a row of `table`.
    pub(crate) fn code(&self, table: &str, fields: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new(self.0.expose().into());
        for field in std::iter::once(&table.as_bytes()).chain(fields) {
            // SQLite holds no value of 4 GiB.
            let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
            mac.update(&length.to_be_bytes());
            mac.update(field);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for DeploymentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeploymentKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_code_depends_on_table_fields_and_their_borders() {
        let key = DeploymentKey::random(&mut rand::rngs::StdRng::seed_from_u64(1));
        let code = key.code("t", &[b"ab", b"c"]);
        assert_eq!(key.code("t", &[b"ab", b"c"]), code);
        for (table, fields) in [("u", [b"ab".as_slice(), b"c"]), ("t", [b"a", b"bc"])] {
            assert_ne!(key.code(table, &fields), code);
        }
    }
}
