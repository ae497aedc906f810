//! A daemon without a socket, whose writer and readers are tasks of a scheduler.

use std::sync::Arc;

use ipc_protocol::auth::{Kdf, Verifier};
use ipc_protocol::id::AgentId;
use ipc_protocol::message::Kind;
use ipc_protocol::name::Name;
use ipc_protocol::request::{Register, Sandbox, Send, WhenLive};
use ipc_protocol::time::Timestamp;
use ipc_protocol::token::Sid;
use jiff::tz::TimeZone;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, oneshot, watch};

use crate::actions::register::Enrolled;
use crate::caller::{Caller, Newcomer, Operator, Peer};
use crate::clock::Now;
use crate::connection::session::Session;
use crate::daemon::Daemon;
use crate::dispatch;
use crate::error::Done;
use crate::legacy::OldPort;
use crate::quota::Quotas;
use crate::scheduler::{Room, Scheduler};
use crate::shared::Shared;
use crate::store::credentials::Lifetime;
use crate::store::reader::Reader;
use crate::store::verifiers::{self, SecretVerifier};
use crate::store::writer::Writer;

/// Places for connections: fewer than there are connections, so that some wait for one.
pub(super) const ROOM_FOR: usize = 4;

/// The secret that every newcomer has proved.
const KID: &str = "k1";

/// A store with the secret's verifier in it, as a deployment has after its first start.
pub(super) fn template() -> Room {
    Room::new(|db| {
        let secret = SecretVerifier {
            kid: KID.to_owned(),
            kdf: Kdf::ARGON2ID,
            salt: vec![0; 16],
            verifier: Verifier {
                stored_key: [0; 32],
                server_key: [0; 32],
            },
        };
        let now = Now {
            wall: Timestamp::from_millis(0),
            boot_ms: 0,
        };
        verifiers::add(db, &Shared::for_tests().key, &secret, now).unwrap();
    })
}

/// The shared secret, proved.
pub(super) fn secret() -> Newcomer {
    Newcomer::Secret(Operator::new(KID.to_owned(), std::process::id()))
}

pub(super) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A message to `name`, without a text.
pub(super) fn to(name: &str) -> Send {
    Send {
        to: name.parse().unwrap(),
        text: String::new(),
        kind: Kind::Message,
        data: None,
        reply_to: None,
        idempotency_key: None,
        known_only: false,
    }
}

/// An agent that has enrolled.
pub(super) struct Agent {
    pub(super) caller: Caller,
    lifetime: Lifetime,
    resume: Sid,
}

impl Agent {
    /// The same agent, its resume credential proved.
    pub(super) fn again(&self) -> Newcomer {
        Newcomer::Agent {
            agent: self.caller.agent(),
            resume: self.resume,
            kid: KID.to_owned(),
        }
    }
}

pub(super) const fn agent(agent: &Agent) -> AgentId {
    agent.caller.agent()
}

/// Registers `name`, taking it over where somebody has it.
pub(super) async fn register(
    name: &str,
    newcomer: Newcomer,
    daemon: &Arc<Daemon>,
) -> Done<Enrolled> {
    let request = Register {
        name: self::name(name),
        when_live: WhenLive::TakeOver,
        automatic: false,
        host: None,
    };
    let peer = Peer {
        uid: 1,
        pid: 1,
        start_ticks: None,
        program: None,
    };
    dispatch::register(request, newcomer, peer, daemon).await
}

/// The daemon, and the scheduler that it lives in.
pub(super) struct House {
    pub(super) scheduler: Scheduler,
    pub(super) stop: watch::Sender<bool>,
    room: Room,
    /// Nothing once it has stopped.
    daemon: Option<Arc<Daemon>>,
    shared: Arc<Shared>,
    /// Whoever waits asks it for the time, which stands still.
    runtime: Runtime,
}

impl House {
    pub(super) fn new(template: &Room, seed: u64) -> Self {
        let room = template.copy();
        let mut scheduler = Scheduler::new(seed);
        let shared = Arc::new(Shared::for_tests());
        let (db, guard) = room.open();
        let (writer, _, work) = Writer::unstarted(db, guard, Arc::clone(&shared), 4);
        scheduler.spawn("writer", work);
        let (reader, work) = Reader::unstarted(room.reader(), Arc::clone(&shared));
        scheduler.spawn("reader", work);
        let (searcher, work) = Reader::unstarted(room.reader(), Arc::clone(&shared));
        scheduler.spawn("searcher", work);
        let (stop, stopping) = watch::channel(false);
        let daemon = Daemon {
            writer,
            reader,
            searcher,
            quotas: Quotas::new(&shared.limits),
            inbound: Arc::new(Semaphore::new(1_024)),
            places: Arc::new(Semaphore::new(ROOM_FOR)),
            stopping,
            started: Timestamp::from_millis(0),
            leaves_when_idle: false,
            sandbox: Sandbox::default(),
            old_port: OldPort::prepare(None, None, TimeZone::UTC).0,
            data_dir: room.data_dir(),
            backup: tokio::sync::Mutex::default(),
            shared: Arc::clone(&shared),
        };
        let runtime = tokio::runtime::Builder::new_current_thread();
        Self {
            scheduler,
            stop,
            room,
            daemon: Some(Arc::new(daemon)),
            shared,
            runtime: { runtime }.enable_time().build().unwrap(),
        }
    }

    pub(super) fn daemon(&self) -> Arc<Daemon> {
        Arc::clone(self.daemon.as_ref().unwrap())
    }

    /// Enrols an agent, before anything else happens.
    pub(super) fn enrol(&mut self, name: &'static str) -> Agent {
        let (tell, mut told) = oneshot::channel();
        let daemon = self.daemon();
        self.scheduler.spawn("enrolling", async move {
            drop(tell.send(register(name, secret(), &daemon).await));
        });
        self.run();
        let enrolled = told.try_recv().unwrap().unwrap();
        Agent {
            resume: enrolled.reply.resume.as_ref().unwrap().sid(),
            caller: enrolled.caller,
            lifetime: enrolled.lifetime,
        }
    }

    /// A session of `agent` that is served.
    pub(super) fn session(&self, agent: &Agent) -> Session {
        Session::given(&agent.caller, agent.lifetime.clone(), &self.daemon()).unwrap()
    }

    pub(super) fn run(&mut self) {
        let _time = self.runtime.enter();
        self.scheduler.run();
    }

    /// How many deliveries are on a lease.
    pub(super) fn leases(&self) -> i64 {
        let sql = "SELECT count(*) FROM deliveries WHERE lease_until_ms IS NOT NULL";
        let db = self.room.reader();
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// With nothing more to happen: who is served has a session, and who is not is not counted.
    pub(super) fn check_served(&self, served: &[Caller], agent: AgentId) {
        let db = self.room.reader();
        for caller in served {
            let sql = "SELECT count(*) FROM credentials WHERE sid = ?1";
            let sid = caller.session();
            let there: i64 = db
                .query_row(sql, [sid.as_bytes()], |row| row.get(0))
                .unwrap();
            assert_eq!(there, 1, "served under a session that is over");
        }
        let is_served = served.iter().any(|caller| caller.agent() == agent);
        assert_eq!(self.shared.presence.is_connected(agent), is_served);
        let daemon = self.daemon.as_ref().unwrap();
        let taken = ROOM_FOR.checked_sub(daemon.places.available_permits());
        assert_eq!(taken, Some(served.len()), "places are lost");
    }

    /// The daemon stops as `run` stops it: nobody is left, nothing is left of anybody.
    pub(super) fn stop(mut self) {
        self.stop.send_replace(true);
        self.run();
        assert_eq!(self.scheduler.waiting(), ["writer", "reader", "searcher"]);
        let daemon = self.daemon.take().unwrap();
        assert_eq!(daemon.places.available_permits(), ROOM_FOR);
        assert_eq!(daemon.inbound.available_permits(), 1_024);
        drop(daemon);
        self.run();
        assert!(
            self.scheduler.waiting().is_empty(),
            "{:?}",
            self.scheduler.waiting()
        );
        assert!(self.shared.presence.is_empty(), "somebody is still counted");
    }
}
