//! Under a service manager: the units, and what becomes of them.

mod activation;
mod strict;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::harness::{Home, Said, Systemctl, program};

fn service(home: &Home, path: &str, line: &[&str]) -> Said {
    let mut command = home.command(&[&["service"], line].concat());
    Said::of(&command.env("PATH", path).output().unwrap())
}

fn units(home: &Home) -> PathBuf {
    home.path().join(".config/systemd/user")
}

#[test]
fn the_service_is_installed_with_two_units_for_this_program_and_this_directory() {
    let home = Home::new();
    let systemctl = Systemctl::at(&home);
    let path = systemctl.search_path();
    let said = service(&home, &path, &["install"]);
    assert_eq!(said.status, 0, "{said:?}");
    let expected = [
        "--user show-environment",
        "--user daemon-reload",
        "--user enable --now ipc.socket",
    ];
    assert_eq!(systemctl.changes(), expected);
    let unit = |name: &str| std::fs::read_to_string(units(&home).join(name)).unwrap();
    let (root, program) = (home.data_dir().root().display().to_string(), program());
    let start = format!(
        "ExecStart=\"{}\" --data-dir \"{root}\" daemon run",
        program.display()
    );
    let (service_unit, socket_unit) = (unit("ipc.service"), unit("ipc.socket"));
    let has = |unit: &str, wanted: &str| unit.lines().any(|line| line == wanted);
    assert!(has(&service_unit, &start), "{service_unit}");
    assert!(has(&service_unit, "Type=notify"));
    assert!(has(&socket_unit, &format!("ListenStream={root}/ipc.sock")));
    assert!(has(&socket_unit, "SocketMode=0600"));
    let status = service(&home, &path, &["status", "--json"]).out;
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["installed"], true);
    assert_eq!(status["strict"], false);
    assert_eq!(status["socket"], "inactive");
}

#[test]
fn a_service_that_has_never_run_gets_the_secret_of_the_variable_and_no_other_does() {
    let home = Home::new();
    let systemctl = Systemctl::at(&home);
    let install = |secret: &str| {
        let mut command = home.command(&["service", "install"]);
        command.env("PATH", systemctl.search_path());
        let said = Said::of(&command.env("IPC_SHARED_SECRET", secret).output().unwrap());
        assert_eq!(said.status, 0, "{said:?}");
        std::fs::read_to_string(home.data_dir().secret()).unwrap()
    };
    assert_eq!(install("correct horse battery"), "correct horse battery");
    assert_eq!(install("another horse altogether"), "correct horse battery");
}

#[test]
fn uninstalling_takes_away_exactly_what_installing_put_there() {
    let home = Home::new();
    let systemctl = Systemctl::at(&home);
    let path = systemctl.search_path();
    assert_eq!(service(&home, &path, &["install"]).status, 0);
    let own = units(&home).join("own.service");
    std::fs::write(&own, "[Unit]\n").unwrap();
    systemctl.changes();
    let said = service(&home, &path, &["uninstall"]);
    assert!(said.out.contains("the data is still in"), "{said:?}");
    let left = std::fs::read_dir(units(&home)).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [own]);
    let expected = [
        "--user disable --now ipc.socket ipc.service",
        "--user daemon-reload",
    ];
    assert_eq!(systemctl.changes(), expected);
    assert_eq!(
        service(&home, &path, &["uninstall"]).status,
        0,
        "twice is harmless"
    );
    assert!(home.data_dir().root().exists());
}

#[test]
fn without_systemctl_or_with_one_that_fails_nothing_is_written() {
    let home = Home::new();
    let nothing = home.path().join("empty");
    std::fs::create_dir(&nothing).unwrap();
    let said = service(&home, nothing.to_str().unwrap(), &["install"]);
    said.refused(
        1,
        &[
            "systemctl cannot be run",
            "without systemd nothing is needed",
        ],
    );
    let failing = nothing.join("systemctl");
    std::fs::write(&failing, "#!/bin/sh\necho 'no bus' >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(&failing, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", nothing.display());
    let said = service(&home, &path, &["install"]);
    said.refused(1, &["no bus", "without systemd nothing is needed"]);
    assert!(!units(&home).exists() && !home.data_dir().root().exists());
    let said = service(&home, &path, &["status"]);
    assert!(said.out.contains("not installed"), "{said:?}");
    assert_eq!(service(&home, &path, &["uninstall"]).status, 0);
}
