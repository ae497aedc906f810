//! What has happened since the start, for `status`.

use std::sync::atomic::{AtomicU64, Ordering};

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::request::Counters;

/// Counts; each is correct by itself, they need not agree with one another.
#[derive(Debug, Default)]
pub(crate) struct CounterCells {
    connections: AtomicU64,
    /// Connections that are open now.
    open: AtomicU64,
    failed_authentications: AtomicU64,
    sent: AtomicU64,
    delivered: AtomicU64,
    refused: AtomicU64,
    rate_limited: AtomicU64,
    faults: AtomicU64,
    commits: AtomicU64,
    looks: AtomicU64,
}

fn add(cell: &AtomicU64, number: u64) {
    cell.fetch_add(number, Ordering::Relaxed);
}

impl CounterCells {
    pub(crate) fn connected(&self) {
        add(&self.connections, 1);
        add(&self.open, 1);
    }

    pub(crate) fn disconnected(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Connections that are open now.
    pub(crate) fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    pub(crate) fn failed_authentication(&self) {
        add(&self.failed_authentications, 1);
    }

    pub(crate) fn sent(&self) {
        add(&self.sent, 1);
    }

    pub(crate) fn delivered(&self, number: u64) {
        add(&self.delivered, number);
    }

    pub(crate) fn refused(&self, refusal: &Refusal) {
        add(&self.refused, 1);
        if refusal.code == ErrorCode::RateLimited {
            add(&self.rate_limited, 1);
        }
    }

    pub(crate) fn fault(&self) {
        add(&self.faults, 1);
    }

    pub(crate) fn committed(&self) {
        add(&self.commits, 1);
    }

    /// A fetch looks into the store.
    pub(crate) fn looked(&self) {
        add(&self.looks, 1);
    }

    /// Transactions committed so far.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// All of them, as `status` reports them.
    pub(crate) fn read(&self) -> Counters {
        let of = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        Counters {
            connections: of(&self.connections),
            failed_authentications: of(&self.failed_authentications),
            sent: of(&self.sent),
            delivered: of(&self.delivered),
            refused: of(&self.refused),
            rate_limited: of(&self.rate_limited),
            faults: of(&self.faults),
            commits: of(&self.commits),
            looks: of(&self.looks),
        }
    }
}
