//! The deployment's identity, and what proofs of the shared secret are checked with.

use ipc_protocol::auth::{Kdf, KdfName, Verifier};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use crate::clock::Now;
use crate::key::DeploymentKey;

/// What one derivation of the shared secret is checked with.
#[derive(Debug)]
pub(crate) struct SecretVerifier {
    /// Which secret: a new one after every rotation.
    pub(crate) kid: String,
    pub(crate) kdf: Kdf,
    pub(crate) salt: Vec<u8>,
    pub(crate) verifier: Verifier,
}

impl SecretVerifier {
    fn code(&self, key: &DeploymentKey, created_ms: i64) -> [u8; 32] {
        key.code(
            "verifiers",
            &[
                self.kid.as_bytes(),
                self.kdf.name().as_str().as_bytes(),
                self.kdf.to_string().as_bytes(),
                &self.salt,
                &self.verifier.stored_key,
                &self.verifier.server_key,
                &created_ms.to_be_bytes(),
            ],
        )
    }
}

/// The deployment's id, made at its first start.
pub(crate) fn deployment(db: &Connection) -> rusqlite::Result<Option<[u8; 16]>> {
    db.query_row("SELECT id FROM deployment", [], |row| row.get(0))
        .optional()
}

/// Writes the deployment's id.
pub(crate) fn found(db: &Connection, id: [u8; 16], now: Now) -> rusqlite::Result<()> {
    let sql = "INSERT INTO deployment (one, id, created_ms) VALUES (1, ?1, ?2)";
    db.execute(sql, params![id, now.wall.as_millis()])
        .map(|_| ())
}

/// Every verifier that this deployment wrote; a planted one is passed over.
pub(crate) fn all(db: &Connection, key: &DeploymentKey) -> rusqlite::Result<Vec<SecretVerifier>> {
    let sql = "SELECT kid, kdf, params, salt, stored_key, server_key, created_ms, row_mac
               FROM verifiers ORDER BY kdf";
    let mut query = db.prepare(sql)?;
    let rows = query.query_map([], |row| {
        let kdf = parse(row.get_ref(1)?, &row.get::<_, String>(2)?);
        let verifier = Verifier {
            stored_key: row.get(4)?,
            server_key: row.get(5)?,
        };
        let (kid, salt): (String, Vec<u8>) = (row.get(0)?, row.get(3)?);
        let code: [u8; 32] = row.get(7)?;
        let created_ms: i64 = row.get(6)?;
        Ok(kdf.map(|kdf| {
            (
                SecretVerifier {
                    kid,
                    kdf,
                    salt,
                    verifier,
                },
                created_ms,
                code,
            )
        }))
    })?;
    let mut verifiers = Vec::new();
    for row in rows {
        match row? {
            Some((verifier, created_ms, code))
                if bool::from(subtle::ConstantTimeEq::ct_eq(
                    &verifier.code(key, created_ms)[..],
                    &code[..],
                )) =>
            {
                verifiers.push(verifier);
            }
            Some(_) | None => {
                tracing::warn!("a verifier in the store was not written by this deployment");
            }
        }
    }
    Ok(verifiers)
}

/// Adds a verifier.
pub(crate) fn add(
    db: &Connection,
    key: &DeploymentKey,
    verifier: &SecretVerifier,
    now: Now,
) -> rusqlite::Result<()> {
    let created_ms = now.wall.as_millis();
    let sql = "INSERT OR REPLACE INTO verifiers
               (kid, kdf, params, salt, stored_key, server_key, created_ms, row_mac)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    db.prepare_cached(sql)?
        .execute(params![
            verifier.kid,
            verifier.kdf.name().as_str(),
            verifier.kdf.to_string(),
            verifier.salt,
            verifier.verifier.stored_key,
            verifier.verifier.server_key,
            created_ms,
            verifier.code(key, created_ms),
        ])
        .map(|_| ())
}

/// Whether `kid` is the secret in force.
pub(crate) fn is_current(db: &Connection, kid: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM verifiers WHERE kid = ?1")?
        .exists([kid])
}

/// Drops every verifier.
pub(crate) fn clear(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM verifiers")?
        .execute([])
        .map(|_| ())
}

fn parse(name: ValueRef<'_>, params: &str) -> Option<Kdf> {
    let name = match name.as_str().ok()? {
        "argon2id" => KdfName::Argon2id,
        "scrypt" => KdfName::Scrypt,
        _ => return None,
    };
    Kdf::parse(name, params).ok()
}
