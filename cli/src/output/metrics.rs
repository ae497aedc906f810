//! Metrics in Prometheus' text format, version 0.0.4.

use ipc_protocol::request::{Enrolment, OldPortReport, StatusReport};
use ipc_protocol::time::Timestamp;

use super::lines::Lines;

/// The metrics that `report` holds.
pub(crate) fn render(report: &StatusReport) -> String {
    let mut lines = Lines::default();
    for (name, help, value) in gauges(report) {
        metric(&mut lines, name, help, "gauge", value);
    }
    if let Some(time) = report.last_backup_ms {
        let help = "When the newest backup was made";
        metric(
            &mut lines,
            "last_backup_time_seconds",
            help,
            "gauge",
            seconds(time),
        );
    }
    for (name, help, value) in counters(report) {
        metric(&mut lines, name, help, "counter", value);
    }
    if let Some(port) = &report.old_port {
        old_port(&mut lines, port);
    }
    lines.into_text()
}

fn gauges(report: &StatusReport) -> [(&'static str, &'static str, u64); 12] {
    let is_open = match report.enrolment {
        Enrolment::Open | Enrolment::Unchecked => 1,
        Enrolment::SecretChanged => 0,
    };
    [
        (
            "start_time_seconds",
            "When the daemon started",
            seconds(report.started_ms),
        ),
        ("enrolment_open", "Whether new agents can enrol", is_open),
        (
            "sandbox_landlock",
            "Version of Landlock around the daemon, 0 for none",
            u64::from(report.sandbox.landlock),
        ),
        (
            "sandbox_system_calls",
            "Whether its system calls are filtered",
            u64::from(report.sandbox.system_calls),
        ),
        ("agents", "Agents that have a name", report.agents),
        ("agents_live", "Agents that are live", report.live),
        (
            "agents_frozen",
            "Agents that an operator has frozen",
            report.frozen.agents,
        ),
        (
            "everybody_frozen",
            "Whether everybody is frozen",
            u64::from(report.frozen.everybody_since_ms.is_some()),
        ),
        ("connections_open", "Open connections", report.connections),
        ("messages", "Messages in the store", report.messages),
        (
            "deliveries_waiting",
            "Deliveries not yet acknowledged",
            report.waiting,
        ),
        (
            "database_bytes",
            "Size of the database",
            report.database_bytes,
        ),
    ]
}

const fn counters(report: &StatusReport) -> [(&'static str, &'static str, u64); 9] {
    let c = &report.counters;
    [
        ("connections_total", "Connections accepted", c.connections),
        (
            "failed_authentications_total",
            "Proofs that were wrong",
            c.failed_authentications,
        ),
        ("sent_total", "Messages stored", c.sent),
        ("delivered_total", "Deliveries acknowledged", c.delivered),
        ("refused_total", "Requests refused", c.refused),
        (
            "rate_limited_total",
            "Refusals for going over a rate",
            c.rate_limited,
        ),
        ("faults_total", "Faults of the daemon's own", c.faults),
        ("commits_total", "Transactions committed", c.commits),
        ("looks_total", "Looks into the store by fetches", c.looks),
    ]
}

/// The old port: how one sees that nobody needs it any more.
fn old_port(lines: &mut Lines, port: &OldPortReport) {
    let open = u64::from(port.address.is_some() && port.trouble.is_none());
    let gauges = [
        ("old_port_open", "Whether the old port is served", open),
        ("old_port_agents", "Agents that used it", port.agents),
    ];
    for (name, help, value) in gauges {
        metric(lines, name, help, "gauge", value);
    }
    if let Some(time) = port.last_used_ms {
        let help = "When the old port was last used";
        metric(
            lines,
            "old_port_last_used_time_seconds",
            help,
            "gauge",
            seconds(time),
        );
    }
    let counters = [
        (
            "old_port_requests_total",
            "Requests over the old port",
            port.requests,
        ),
        (
            "old_port_closed_unread_total",
            "Its connections that were not this user's",
            port.closed_unread,
        ),
    ];
    for (name, help, value) in counters {
        metric(lines, name, help, "counter", value);
    }
}

fn metric(lines: &mut Lines, name: &str, help: &str, kind: &str, value: u64) {
    lines.add(format!("# HELP ipc_{name} {help}"));
    lines.add(format!("# TYPE ipc_{name} {kind}"));
    lines.add(format!("ipc_{name} {value}"));
}

fn seconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(0) / 1_000
}

#[cfg(test)]
mod tests {
    use ipc_protocol::request::{Counters, Freezes, Sandbox};

    use super::*;

    fn report() -> StatusReport {
        StatusReport {
            version: "0".to_owned(),
            protocol: 1,
            schema: 1,
            pid: 1,
            started_ms: Timestamp::from_millis(5_000),
            enrolment: Enrolment::Open,
            leaves_when_idle: false,
            agents: 2,
            live: 1,
            connections: 1,
            messages: 3,
            waiting: 0,
            database_bytes: 4_096,
            last_backup_ms: None,
            counters: Counters {
                sent: 3,
                ..Counters::default()
            },
            sandbox: Sandbox {
                landlock: 6,
                system_calls: true,
            },
            frozen: Freezes {
                agents: 2,
                ..Freezes::default()
            },
            old_port: Some(OldPortReport {
                address: None,
                trouble: None,
                requests: 7,
                agents: 2,
                last_used_ms: Some(Timestamp::from_millis(9_000)),
                closed_unread: 0,
            }),
        }
    }

    #[test]
    fn each_metric_has_help_type_and_value() {
        let text = render(&report());
        assert!(text.contains("\nipc_sent_total 3\n") && text.contains("\nipc_agents 2\n"));
        assert!(text.contains("\nipc_old_port_requests_total 7\n"));
        assert!(text.contains("\nipc_agents_frozen 2\n"));
        assert!(text.contains("\nipc_everybody_frozen 0\n"));
        assert!(text.starts_with("# HELP ipc_start_time_seconds"));
        for lines in text.lines().collect::<Vec<_>>().chunks(3) {
            let name = lines[2].split(' ').next().unwrap();
            assert!(
                lines[0].starts_with(&format!("# HELP {name} ")),
                "{lines:?}"
            );
            assert!(
                lines[1].starts_with(&format!("# TYPE {name} ")),
                "{lines:?}"
            );
        }
    }
}
