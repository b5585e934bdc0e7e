//! DynamoDB Local, Amazon's own, as a child process with its tables in memory.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

/// The version that `ci/install.sh` installs.
const FOLDER: &str = "../../.tools/dynamodb-local-10.3.0";
/// A Java machine beside a build takes its time.
const READY: Duration = Duration::from_secs(120);

/// A running DynamoDB Local, killed when the last test that uses it lets go of it.
pub(crate) struct DynamoDbLocal {
    /// Where it answers.
    pub(crate) url: String,
    child: Child,
}

/// The one of all tests that run at the same time: a Java machine each would be too much.
pub(crate) fn dynamodb_local() -> Arc<DynamoDbLocal> {
    static RUNNING: Mutex<Weak<DynamoDbLocal>> = Mutex::new(Weak::new());
    // A test that failed to start it fails the next one in the same words, not with a poisoned lock.
    let mut running = RUNNING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    running.upgrade().unwrap_or_else(|| {
        let started = Arc::new(DynamoDbLocal::start());
        *running = Arc::downgrade(&started);
        started
    })
}

impl DynamoDbLocal {
    /// One of its own, for a test that others would disturb.
    pub(crate) fn start() -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
        assert!(
            folder.join("DynamoDBLocal.jar").exists(),
            "DynamoDB Local is missing at {}; run ci/install.sh",
            folder.display()
        );
        // Another process may take the port in between; then this one ends, and the next is tried.
        (0..5)
            .find_map(|_| Self::on(&folder, free_port()))
            .expect("DynamoDB Local ends at once, on every port")
    }

    fn on(folder: &PathBuf, port: u16) -> Option<Self> {
        let mut command = Command::new("java");
        command.args(["-Xmx512m", "-XX:+UseSerialGC", "-Djava.library.path=DynamoDBLocal_lib", "-jar"]);
        command.args(["DynamoDBLocal.jar", "-inMemory", "-sharedDb", "-disableTelemetry", "-port"]);
        let command = command.arg(port.to_string()).current_dir(folder);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("java does not start: {error}; run ci/install.sh"));
        let mut local = Self { url: format!("http://127.0.0.1:{port}"), child };
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if local.child.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(begin.elapsed() < READY, "DynamoDB Local is not ready after {READY:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
        // Who answers may be somebody else, who was faster.
        local.child.try_wait().unwrap().is_none().then_some(local)
    }
}

impl Drop for DynamoDbLocal {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
