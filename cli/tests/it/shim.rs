//! The Python package in `python-shim/`, held to its own tests: one file of them each, against the
//! program of this build.

use std::process::Command;

use crate::harness::{Said, program};
use crate::tidy::texts::{files, root};

/// Runs one file of tests.
fn run(module: &str) {
    let mut command = Command::new("python3");
    command
        .args(["-m", "unittest", "discover", "-p"])
        .arg(format!("{module}.py"))
        .current_dir(root().join("python-shim/tests"))
        .env("IPC_PROGRAM", program())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let said = Said::of(&command.output().unwrap());
    assert_eq!(said.status, 0, "{}", said.err);
    // A run that finds nothing ends well too, before Python 3.12.
    assert!(!said.err.contains("Ran 0 tests"), "{}", said.err);
    assert!(!said.err.contains("skipped="), "{}", said.err);
}

macro_rules! modules {
    ($($test:ident runs $module:ident;)*) => {
        const MODULES: &[&str] = &[$(stringify!($module),)*];

        $(
            #[test]
            fn $test() {
                run(stringify!($module));
            }
        )*
    };
}

modules! {
    the_python_client_does_the_published_arithmetic runs test_vectors;
    the_python_client_believes_nothing_loose runs test_wire;
    the_python_client_withstands_false_servers runs test_false_server;
    the_python_client_has_every_method runs test_client;
    the_python_client_asks_and_answers runs test_asking;
    the_python_client_talks_in_groups_remembers_and_has_boundaries runs test_talks;
    the_python_client_shares_its_agent_with_ipc runs test_shared;
    the_python_client_stands_beside_others_of_its_agent runs test_beside;
    the_python_client_loses_and_doubles_nothing runs test_lost;
    the_python_client_waits_with_asyncio runs test_async;
    the_scripts_of_version_2_say_what_they_always_said runs test_scripts;
    the_examples_for_python_run runs test_readme;
}

#[test]
fn every_file_of_python_tests_is_run() {
    let found = files("python-shim/tests", ".py");
    let stems = found.iter().filter_map(|path| path.file_stem()?.to_str());
    let mut tests: Vec<_> = stems.filter(|stem| stem.starts_with("test_")).collect();
    let mut run = MODULES.to_vec();
    tests.sort_unstable();
    run.sort_unstable();
    assert_eq!(tests, run);
}
