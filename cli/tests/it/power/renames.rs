//! The process killed in the middle of a rename: the agent has one of the two names, the other
//! leads to it or to nobody, and its mail is its own.

use ipc_protocol::auth::Credential;
use ipc_protocol::client::ClientError;
use ipc_protocol::name::Name;
use ipc_protocol::request::{Rename, Send, Whoami};
use ipc_protocol::token::Token;

use super::library::Library;
use crate::harness::{Home, copy, enrol, letter, prove, report, take_all};

/// The two names between which an agent goes to and fro.
const NAMES: [&str; 2] = ["here", "there"];

/// Where it is killed, each time one call later until a rename gets through.
const POINTS: [&str; 3] = ["write:wal", "written:wal", "flush:wal"];

/// An agent that renames itself, and one that writes to it.
struct Pair {
    mover: Token,
    witness: Token,
}

#[test]
fn killed_in_the_middle_of_a_rename_an_agent_has_one_name_and_all_its_mail() {
    let home = Home::new();
    home.configure("[limits]\nrename_cooldown_s = 0\n");
    let plain = Library::new(&home).silent();
    let mut daemon = plain.start(&home);
    let pair = Pair {
        mover: enrol(&home, NAMES[0]),
        witness: enrol(&home, "witness"),
    };
    daemon.kill();
    let (mut kills, mut at) = (0, 0);
    for point in POINTS {
        for time in 1.. {
            let fault = format!("{point}:{time}:{time}:kill");
            let Ok(mut daemon) = Library::with_fault(&home, &fault).try_start(&home) else {
                // It was reached before the daemon was ready.
                continue;
            };
            let renamed = pair.rename(&home, NAMES[1 - at]);
            daemon.kill();
            let mut daemon = plain.start(&home);
            let now = pair.look(&home);
            if renamed.is_ok() {
                assert_eq!(now, 1 - at, "{fault}: it was acknowledged");
            }
            at = now;
            daemon.kill();
            if renamed.is_ok() {
                break;
            }
            kills += 1;
        }
    }
    assert!(kills > POINTS.len(), "{kills} kills were in no rename");
    report(&format!("{kills} kills in the middle of a rename"));
}

impl Pair {
    fn rename(&self, home: &Home, to: &str) -> Result<(), ClientError> {
        let new_name = Name::parse(to).unwrap();
        let mut client = prove(home, &Credential::Token(copy(&self.mover)))?;
        client.call(&Rename { new_name }).map(|_| ())
    }

    /// Which of the names the agent has; mail to it arrives, and to the other as well or nowhere.
    fn look(&self, home: &Home) -> usize {
        let mut client = prove(home, &Credential::Token(copy(&self.mover))).unwrap();
        let name = client.call(&Whoami {}).unwrap().name;
        let at = NAMES.iter().position(|known| name.as_str() == *known);
        let at = at.unwrap();
        drop(client);
        let mut witness = prove(home, &Credential::Token(copy(&self.witness))).unwrap();
        let mut expected = Vec::new();
        for to in [NAMES[at], NAMES[1 - at]] {
            let known = Send {
                known_only: true,
                ..letter(to, to)
            };
            match witness.call(&known) {
                Ok(_) => expected.push(to.to_owned()),
                // The other name: nobody has had it yet.
                Err(error) => assert!(to != NAMES[at], "{error}"),
            }
        }
        let texts = take_all(home, &self.mover)
            .into_iter()
            .map(|(_, text)| text);
        assert_eq!(texts.collect::<Vec<_>>(), expected, "at {name}");
        at
    }
}
