//! Attacks on the real daemon, each with what must come of it: nothing.

mod crowds;
mod guessing;
mod others;
mod relay;

use serde_json::json;

use crate::harness::Home;
use crate::harness::stranger::{Stranger, secret};

/// An agent that was there before the attack, on a connection of its own.
struct Resident(Stranger);

impl Resident {
    /// Enrols.
    fn move_in(home: &Home) -> Self {
        let mut stranger = Stranger::proved(home, &secret(home));
        stranger.register("resident");
        Self(stranger)
    }

    /// It sends itself a message and gets it: the daemon is as it was.
    fn is_well(&mut self) {
        let sent = self
            .0
            .ask("send", &json!({"to": "resident", "text": "all is well"}));
        let sent = sent.unwrap();
        assert!(sent["error"].is_null(), "{sent}");
        let fetched = self.0.ask("fetch", &json!({})).unwrap();
        let mail = fetched["result"]["messages"].as_array().unwrap();
        assert_eq!(mail.len(), 1, "{fetched}");
        assert_eq!(mail[0]["text"], "all is well");
        let ids = json!({"message_ids": [mail[0]["id"]], "handover": "cli"});
        let acked = self.0.ask("ack", &ids).unwrap();
        assert_eq!(acked["result"]["delivered"], 1, "{acked}");
    }

    /// It waits for mail that does not come.
    fn waits_a_tenth_of_a_second(&mut self) {
        let fetched = self.0.ask("fetch", &json!({"wait_ms": 100})).unwrap();
        assert_eq!(fetched["result"]["messages"], json!([]), "{fetched}");
    }

    /// What `status` says.
    fn status(&mut self) -> serde_json::Value {
        self.0.ask("status", &json!({})).unwrap()["result"].take()
    }
}
