//! The strict unit: tried before it stays, and taken back where it does not work.

use ipc_protocol::private;
use serde_json::Value;

use super::{service, units};
use crate::harness::{Home, Said, Systemctl};

const STRICT: &str = "ipc.service.d/strict.conf";

fn strictly(home: &Home, systemctl: &Systemctl) -> Said {
    service(home, &systemctl.search_path(), &["install", "--strict"])
}

fn status(home: &Home, systemctl: &Systemctl) -> Value {
    let said = service(home, &systemctl.search_path(), &["status", "--json"]);
    serde_json::from_str(&said.out).unwrap()
}

fn configure(home: &Home, text: &str) {
    let path = home.data_dir().config();
    drop(private::ensure_directory(home.data_dir().root()).unwrap());
    private::write_file(&path, text.as_bytes()).unwrap();
}

#[test]
fn the_strict_unit_is_started_and_asked_before_it_stays() {
    let home = Home::new();
    let systemctl = Systemctl::at(&home);
    let said = strictly(&home, &systemctl);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(said.out.contains("confined strictly: tried"), "{said:?}");
    let expected = [
        "--user show-environment",
        "--user daemon-reload",
        "--user enable --now ipc.socket",
        "--user restart ipc.service",
    ];
    assert_eq!(systemctl.changes(), expected);
    let drop_in = std::fs::read_to_string(units(&home).join(STRICT)).unwrap();
    let data = home.data_dir().root().display().to_string();
    let has = |line: &str| drop_in.lines().any(|found| found == line);
    assert!(has(&format!("ReadWritePaths=\"{data}\"")), "{drop_in}");
    let own = status(&home, &systemctl);
    assert_eq!(
        (&own["installed"], &own["strict"]),
        (&true.into(), &true.into())
    );
    assert_eq!(own["service"], "active");
    assert_eq!(home.json(&["status"])["pid"], systemctl.service());
}

#[test]
fn a_strict_unit_that_does_not_start_is_taken_back_and_the_portable_one_runs() {
    for (fate, why) in [
        ("226", "its view of the files cannot be made (status 226)"),
        ("218", "capabilities cannot be dropped (status 218)"),
        ("1", "the daemon ended with status 1"),
    ] {
        let home = Home::new();
        let systemctl = Systemctl::at(&home);
        let portable = service(&home, &systemctl.search_path(), &["install"]);
        assert_eq!(portable.status, 0, "{portable:?}");
        systemctl.strict_comes_to(fate);
        systemctl.changes();
        let said = strictly(&home, &systemctl);
        said.refused(
            1,
            &[why, "the portable unit is back and runs", "journalctl"],
        );
        let after_the_trial = systemctl.changes().split_off(4);
        let expected = [
            "--user daemon-reload",
            "--user stop ipc.service",
            "--user reset-failed ipc.socket ipc.service",
            "--user restart ipc.socket",
            "--user restart ipc.service",
        ];
        assert_eq!(after_the_trial, expected);
        assert!(!units(&home).join("ipc.service.d").exists());
        assert_eq!(status(&home, &systemctl)["strict"], false);
        assert_eq!(home.json(&["status"])["pid"], systemctl.service());
    }
}

#[test]
fn a_strict_service_that_starts_and_does_not_answer_is_taken_back() {
    let home = Home::new();
    let systemctl = Systemctl::at(&home);
    systemctl.strict_comes_to("mute");
    let said = strictly(&home, &systemctl);
    said.refused(1, &["no daemon", "the portable unit is back and runs"]);
    assert!(!units(&home).join(STRICT).exists());
    assert_eq!(home.json(&["status"])["pid"], systemctl.service());
}

#[test]
fn the_old_port_and_the_strict_unit_exclude_each_other_and_the_portable_one_opens_it() {
    let home = Home::new();
    let systemctl = Systemctl::at(&home);
    configure(&home, "[legacy]\ntcp = \"127.0.0.1:0\"\n");
    let said = strictly(&home, &systemctl);
    said.refused(
        2,
        &["has no network", "`[legacy] tcp`", "without `--strict`"],
    );
    assert!(systemctl.changes().is_empty() && !units(&home).exists());
    let path = systemctl.search_path();
    assert_eq!(service(&home, &path, &["install"]).status, 0);
    let old_port = units(&home).join("ipc.service.d/old-port.conf");
    let text = std::fs::read_to_string(&old_port).unwrap();
    assert!(
        text.contains("RestrictAddressFamilies=AF_INET AF_INET6"),
        "{text}"
    );
    configure(&home, "");
    assert_eq!(strictly(&home, &systemctl).status, 0);
    assert!(!old_port.exists() && units(&home).join(STRICT).exists());
}

#[test]
fn installing_without_strict_and_uninstalling_take_the_drop_in_away_and_leave_the_users_own() {
    let home = Home::new();
    let systemctl = Systemctl::at(&home);
    let path = systemctl.search_path();
    assert_eq!(strictly(&home, &systemctl).status, 0);
    let own = units(&home).join("ipc.service.d/own.conf");
    std::fs::write(&own, "[Service]\n").unwrap();
    assert_eq!(service(&home, &path, &["install"]).status, 0);
    assert!(own.exists() && !units(&home).join(STRICT).exists());
    let said = service(&home, &path, &["status"]);
    assert!(said.out.contains("installed, portable"), "{said:?}");
    assert_eq!(strictly(&home, &systemctl).status, 0);
    let said = service(&home, &path, &["status"]);
    assert!(said.out.contains("installed, strict"), "{said:?}");
    std::fs::remove_file(&own).unwrap();
    assert_eq!(service(&home, &path, &["uninstall"]).status, 0);
    assert_eq!(std::fs::read_dir(units(&home)).unwrap().count(), 0);
    assert_eq!(systemctl.service(), 0, "it does not run any more");
}
