//! Turning a shared secret into a key, slowly, with floors and ceilings.
//!
//! A false server chooses the parameters it asks for. Under the floors the proof would be cheap to
//! crack; over the ceilings the client would work without end. Either way the client refuses.

use std::fmt;

use super::keys::SaltedKey;
use super::words::KdfName;
use crate::secret::SharedSecret;

/// A key derivation for shared secrets with parameters inside the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kdf {
    /// Argon2id version 0x13: memory in KiB, passes, lanes.
    Argon2id {
        /// Memory in KiB, 19,456 to 262,144.
        m: u32,
        /// Passes, 2 to 10.
        t: u32,
        /// Lanes, 1 to 4.
        p: u32,
    },
    /// scrypt with block size 8: cost as a power of two, parallelism.
    Scrypt {
        /// Binary logarithm of the cost N, 15 to 17.
        log_n: u8,
        /// Parallelism, 1 to 5.
        p: u32,
    },
}

/// The parameters are not understood, cheap to crack, or too much work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key derivation asked for is outside what this client accepts")]
pub struct OutOfRange;

impl Kdf {
    /// What new verifiers are made with: the OWASP minimum of Argon2id.
    pub const ARGON2ID: Self = Self::Argon2id {
        m: 19_456,
        t: 2,
        p: 1,
    };
    /// What new verifiers are made with for clients that have only scrypt.
    pub const SCRYPT: Self = Self::Scrypt { log_n: 15, p: 3 };

    /// Parses the parameters of the derivation `name` as they stand on the wire.
    ///
    /// # Errors
    /// [`OutOfRange`] unless each parameter is there, in order, and within its bounds.
    pub fn parse(name: KdfName, params: &str) -> Result<Self, OutOfRange> {
        let kdf = match name {
            KdfName::Argon2id => {
                let [m, t, p] = numbers(params, ["m=", "t=", "p="])?;
                Self::Argon2id { m, t, p }
            }
            KdfName::Scrypt => {
                let [n, r, p] = numbers(params, ["n=", "r=", "p="])?;
                let log_n = u8::try_from(n.checked_ilog2().ok_or(OutOfRange)?);
                if !n.is_power_of_two() || r != 8 {
                    return Err(OutOfRange);
                }
                Self::Scrypt {
                    log_n: log_n.map_err(|_| OutOfRange)?,
                    p,
                }
            }
            KdfName::None => return Err(OutOfRange),
        };
        // One spelling only: what was parsed must be what is proved.
        if kdf.is_in_range() && kdf.to_string() == params {
            Ok(kdf)
        } else {
            Err(OutOfRange)
        }
    }

    /// Its name.
    pub const fn name(self) -> KdfName {
        match self {
            Self::Argon2id { .. } => KdfName::Argon2id,
            Self::Scrypt { .. } => KdfName::Scrypt,
        }
    }

    /// Derives the key. Takes 65 ms (Argon2id) or 335 ms (scrypt) with the default parameters.
    ///
    /// # Errors
    /// [`OutOfRange`] when the salt is not 16 to 32 bytes.
    pub fn derive(self, secret: &SharedSecret, salt: &[u8]) -> Result<SaltedKey, OutOfRange> {
        if !(16..=32).contains(&salt.len()) {
            return Err(OutOfRange);
        }
        let mut key = SaltedKey::zero();
        match self {
            Self::Argon2id { m, t, p } => {
                let params = argon2::Params::new(m, t, p, Some(32)).map_err(|_| OutOfRange)?;
                argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
                    .hash_password_into(secret.expose(), salt, key.bytes_mut())
                    .map_err(|_| OutOfRange)?;
            }
            Self::Scrypt { log_n, p } => {
                let params = scrypt::Params::new(log_n, 8, p).map_err(|_| OutOfRange)?;
                scrypt::scrypt(secret.expose(), salt, &params, key.bytes_mut())
                    .map_err(|_| OutOfRange)?;
            }
        }
        Ok(key)
    }

    fn is_in_range(self) -> bool {
        match self {
            Self::Argon2id { m, t, p } => {
                (19_456..=262_144).contains(&m) && (2..=10).contains(&t) && (1..=4).contains(&p)
            }
            Self::Scrypt { log_n, p } => (15..=17).contains(&log_n) && (1..=5).contains(&p),
        }
    }
}

impl fmt::Display for Kdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argon2id { m, t, p } => write!(f, "m={m},t={t},p={p}"),
            Self::Scrypt { log_n, p } => {
                let n = 1_u32.checked_shl(u32::from(*log_n)).ok_or(fmt::Error)?;
                write!(f, "n={n},r=8,p={p}")
            }
        }
    }
}

fn numbers<const N: usize>(params: &str, keys: [&str; N]) -> Result<[u32; N], OutOfRange> {
    let mut parts = params.split(',');
    let mut values = [0; N];
    for (value, key) in values.iter_mut().zip(keys) {
        let text = parts
            .next()
            .and_then(|part| part.strip_prefix(key))
            .ok_or(OutOfRange)?;
        *value = text.parse().map_err(|_| OutOfRange)?;
    }
    if parts.next().is_some() {
        Err(OutOfRange)
    } else {
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_parse_as_themselves() {
        for kdf in [Kdf::ARGON2ID, Kdf::SCRYPT] {
            assert_eq!(Kdf::parse(kdf.name(), &kdf.to_string()), Ok(kdf));
        }
    }

    #[test]
    fn cheap_and_endless_parameters_are_refused() {
        for params in [
            "m=19455,t=2,p=1",
            "m=262145,t=2,p=1",
            "m=19456,t=1,p=1",
            "m=19456,t=11,p=1",
            "m=19456,t=2,p=0",
            "m=19456,t=2,p=5",
            "m=+19456,t=2,p=1",
            "m=019456,t=2,p=1",
            "m=19456,t=2,p=1,x=1",
            "t=2,m=19456,p=1",
            "m=19456,t=2",
            "",
        ] {
            assert_eq!(
                Kdf::parse(KdfName::Argon2id, params),
                Err(OutOfRange),
                "{params}"
            );
        }
        for params in [
            "n=16384,r=8,p=1",
            "n=262144,r=8,p=1",
            "n=32769,r=8,p=1",
            "n=32768,r=1,p=1",
            "n=32768,r=16,p=1",
            "n=32768,r=8,p=0",
            "n=32768,r=8,p=6",
            "n=0,r=8,p=1",
        ] {
            assert_eq!(
                Kdf::parse(KdfName::Scrypt, params),
                Err(OutOfRange),
                "{params}"
            );
        }
        assert_eq!(Kdf::parse(KdfName::None, ""), Err(OutOfRange));
    }

    #[test]
    fn salts_outside_16_to_32_bytes_are_refused() {
        let secret = SharedSecret::new(b"correct horse".to_vec()).unwrap();
        for bytes in [0, 15, 33] {
            assert!(
                Kdf::ARGON2ID.derive(&secret, &vec![0; bytes]).is_err(),
                "{bytes}"
            );
        }
    }
}
