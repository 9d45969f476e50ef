//! The embedded PostgreSQL: it starts, is shared, survives and stops.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use latchkey::db::embedded::{Durability, Embedded, EmbeddedError};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};

use crate::support::{DataDir, LATCHKEY, PATIENCE, eventually};

async fn start(data: &DataDir) -> Embedded {
    try_start(&data.cluster()).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn try_start(cluster: &Path) -> Result<Embedded, EmbeddedError> {
    Embedded::start(cluster, Durability::Durable, Path::new(LATCHKEY)).await
}

async fn connect(embedded: &Embedded) -> PgConnection {
    embedded.connect_options("postgres").connect().await.expect("connects")
}

async fn ask(conn: &mut PgConnection, question: &str) -> String {
    sqlx::query_scalar(AssertSqlSafe(question.to_owned())).fetch_one(conn).await.expect("an answer")
}

/// Number of the server process.
fn server(data: &DataDir) -> Pid {
    let file = data.cluster().join("data/postmaster.pid");
    loop {
        let text = fs::read_to_string(&file).expect("a server runs");
        // One that is starting has made the file and may not have written it yet.
        if let Some(line) = text.lines().next() {
            return Pid::from_raw(line.parse().expect("a number")).expect("a process");
        }
        std::thread::yield_now();
    }
}

fn socket(embedded: &Embedded) -> PathBuf {
    embedded.connect_options("postgres").get_socket().expect("a folder").join(".s.PGSQL.5432")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[tokio::test]
async fn a_new_cluster_is_durable_private_and_has_no_tcp_port() {
    let data = DataDir::new();
    let embedded = start(&data).await;
    let mut conn = connect(&embedded).await;
    for (setting, value) in [
        ("data_checksums", "on"),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("listen_addresses", ""),
        ("deadlock_timeout", "50ms"),
        ("server_encoding", "UTF8"),
    ] {
        assert_eq!(ask(&mut conn, &format!("SHOW {setting}")).await, value, "{setting}");
    }
    assert_eq!(ask(&mut conn, "SELECT lower('Ü') || (SELECT max(n) FROM (VALUES ('a'), ('Z')) AS v (n))").await, "üa");
    assert_eq!(mode(&data.cluster().join("data")), 0o700);
    assert_eq!(mode(&data.cluster().join("socket")), 0o700);
}

#[tokio::test]
async fn data_survive_the_stop_that_follows_the_last_user() {
    let data = DataDir::new();
    let embedded = start(&data).await;
    let socket = socket(&embedded);
    sqlx::raw_sql("CREATE TABLE kept ()").execute(&mut connect(&embedded).await).await.expect("a table");
    drop(embedded);
    data.wait_for_stop();
    assert!(UnixStream::connect(socket).is_err());

    let again = start(&data).await;
    assert_eq!(ask(&mut connect(&again).await, "SELECT to_regclass('kept')::text").await, "kept");
}

#[tokio::test]
async fn a_throw_away_cluster_leaves_nothing_but_its_locks() {
    let data = DataDir::new();
    let embedded = Embedded::start(&data.cluster(), Durability::ThrowAway, Path::new(LATCHKEY)).await.expect("started");
    assert_eq!(ask(&mut connect(&embedded).await, "SHOW fsync").await, "off");
    drop(embedded);
    data.wait_for_stop();
    let left = fs::read_dir(data.cluster()).expect("the folder").map(|entry| entry.expect("an entry").file_name());
    assert!(left.into_iter().all(|name| name.to_string_lossy().ends_with(".lock")));
}

#[tokio::test]
async fn processes_share_a_server_and_it_stops_with_the_last_of_them() {
    let data = DataDir::new();
    data.print(&["migrate"]);
    let embedded = start(&data).await;
    let before = server(&data);
    data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
    assert!(data.print(&["hotel", "list"]).contains("\ngrand-hotel "));
    assert_eq!(server(&data), before);
    let mut conn = embedded.connect_options("latchkey").connect().await.expect("connects");
    assert_eq!(ask(&mut conn, "SELECT slug FROM hotels").await, "grand-hotel");
}

#[tokio::test]
async fn ten_processes_that_start_at_once_start_one_server() {
    let data = DataDir::new();
    let starting: Vec<_> = (0..10)
        .map(|number| {
            let slug = format!("hotel-{number}");
            let args = ["hotel", "create", &slug, "--name", "Hotel", "--time-zone", "Europe/Berlin"];
            data.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
        })
        .collect();
    for mut process in starting {
        assert!(process.wait().expect("it ends").success());
    }
    assert_eq!(data.print(&["hotel", "list"]).lines().count(), 11, "a header row and ten hotels");
}

#[tokio::test]
async fn a_killed_user_takes_the_server_with_it() {
    let data = DataDir::new();
    let serving = data.serve();
    assert!(data.cluster().join("data/postmaster.pid").exists());
    serving.end(Signal::KILL);
    data.wait_for_stop();
    assert!(!data.cluster().join("data/postmaster.pid").exists());
}

#[tokio::test]
async fn an_interrupted_user_ends_well_and_then_the_server() {
    for signal in [Signal::INT, Signal::TERM] {
        let data = DataDir::new();
        let (status, log) = data.serve().end(signal);
        assert!(status.success(), "{log}");
        data.wait_for_stop();
        assert!(!data.cluster().join("data/postmaster.pid").exists());
    }
}

#[tokio::test]
async fn a_killed_server_comes_back_under_its_users() {
    let data = DataDir::new();
    let embedded = start(&data).await;
    sqlx::raw_sql("CREATE TABLE kept ()").execute(&mut connect(&embedded).await).await.expect("a table");
    let killed = server(&data);
    // A process of it that is too busy to notice, and keeps its shared memory in use meanwhile.
    let mut busy = connect(&embedded).await;
    let counting = tokio::spawn(async move {
        sqlx::query("SELECT count(*) FROM generate_series(1, 10000000)").execute(&mut busy).await.is_err()
    });
    kill_process(killed, Signal::KILL).expect("it runs");
    // Waits for a server that is being started again.
    embedded.ensure_database("other").await.expect("the server is back");
    assert_ne!(server(&data), killed);
    assert_eq!(ask(&mut connect(&embedded).await, "SELECT to_regclass('kept')::text").await, "kept");
    counting.await.expect("it ends");
}

#[tokio::test]
async fn a_server_without_its_keeper_is_replaced_at_the_next_start() {
    let data = DataDir::new();
    let embedded = start(&data).await;
    let orphan = server(&data);
    kill_process(keeper(&data), Signal::KILL).expect("it runs");
    data.wait_for_stop();
    drop(embedded);

    let again = start(&data).await;
    assert_ne!(server(&data), orphan);
    ask(&mut connect(&again).await, "SELECT 'reached'").await;
}

/// Waits until a server answers that is not one of those that were killed.
async fn answers(data: &DataDir, embedded: &Embedded, killed: &[Pid]) {
    eventually(PATIENCE, "another server answers", async || {
        let other = data.cluster().join("data/postmaster.pid").exists() && !killed.contains(&server(data));
        other && embedded.connect_options("postgres").connect().await.is_ok()
    })
    .await;
}

fn keeper(data: &DataDir) -> Pid {
    let keeper = fs::read_to_string(data.cluster().join("keeper.lock")).expect("its number");
    Pid::from_raw(keeper.trim().parse().expect("a number")).expect("a process")
}

/// The server process and all of its own.
fn with_children(server: Pid) -> Vec<Pid> {
    let parent = server.as_raw_nonzero().to_string();
    let output = Command::new("ps").args(["-o", "pid=", "--ppid", &parent]).output().expect("ps is there");
    let children = String::from_utf8(output.stdout).expect("text");
    let children = children.lines().filter_map(|line| Pid::from_raw(line.trim().parse().ok()?));
    [server].into_iter().chain(children).collect()
}

#[tokio::test]
async fn g40_a_server_that_keeps_dying_comes_back_as_long_as_it_has_users() {
    let data = DataDir::new();
    let embedded = start(&data).await;
    let mut killed = Vec::new();
    // One more than it once was started again.
    for _ in 0..6 {
        killed.push(server(&data));
        kill_process(server(&data), Signal::KILL).expect("it runs");
        answers(&data, &embedded, &killed).await;
    }

    // It cannot even start: as with a full disk, until there is space again.
    let settings = data.cluster().join("data/postgresql.conf");
    let good = fs::read_to_string(&settings).expect("text");
    fs::write(&settings, "no_such_setting = on\n").expect("spoilt");
    killed.push(server(&data));
    kill_process(server(&data), Signal::KILL).expect("it runs");
    let log = data.cluster().join("server.log");
    eventually(PATIENCE, "the setting is refused", async || {
        fs::read_to_string(&log).unwrap_or_default().contains("no_such_setting")
    })
    .await;
    fs::write(&settings, good).expect("mended");
    answers(&data, &embedded, &killed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_serves_replaces_a_keeper_that_was_killed() {
    let data = DataDir::new();
    let serving = data.serve();
    let embedded = start(&data).await;
    for alone in [false, true] {
        let (keeper, server) = (keeper(&data), server(&data));
        kill_process(keeper, Signal::KILL).expect("it runs");
        if !alone {
            kill_process(server, Signal::KILL).expect("it runs");
        }
        answers(&data, &embedded, &[server]).await;
    }
    eventually(PATIENCE, "it is ready", async || {
        reqwest::get(format!("{}/readyz", serving.url)).await.expect("an answer").status() == 200
    })
    .await;
    drop(embedded);
    let (status, log) = serving.end(Signal::TERM);
    assert!(status.success(), "{log}");
    data.wait_for_stop();
    assert!(!data.cluster().join("data/postmaster.pid").exists(), "the new keeper stops it");
}

#[tokio::test]
async fn g41_a_start_right_after_everything_was_killed_at_once_succeeds() {
    let data = DataDir::new();
    for _ in 0..3 {
        let serving = data.serve();
        let mut all = with_children(server(&data));
        all.push(keeper(&data));
        for process in all {
            let _ = kill_process(process, Signal::KILL);
        }
        serving.end(Signal::KILL);
        data.print(&["hotel", "list"]);
        data.wait_for_stop();
    }
}

#[tokio::test]
async fn files_that_name_a_process_which_is_dead_or_somebody_elses_are_no_obstacle() {
    let data = DataDir::new();
    drop(start(&data).await);
    data.wait_for_stop();
    // Dead, and its status is still to be asked for.
    let mut dead = Command::new("true").spawn().expect("it runs");
    for process in [dead.id(), std::process::id()] {
        let text = format!("{process}\n{}\n0\n5432\n\n\n\nready\n", data.cluster().join("data").display());
        let sockets = data.cluster().join("socket");
        fs::create_dir_all(&sockets).expect("a folder");
        fs::set_permissions(&sockets, Permissions::from_mode(0o700)).expect("closed");
        fs::write(data.cluster().join("data/postmaster.pid"), &text).expect("written");
        fs::write(sockets.join(".s.PGSQL.5432.lock"), &text).expect("written");
        let embedded = start(&data).await;
        ask(&mut connect(&embedded).await, "SELECT 'reached'").await;
        drop(embedded);
        data.wait_for_stop();
    }
    dead.wait().expect("it ends");
}

#[tokio::test]
async fn a_stale_pid_file_that_names_another_process_is_no_obstacle() {
    let data = DataDir::new();
    drop(start(&data).await);
    data.wait_for_stop();
    let stale = data.cluster().join("data/postmaster.pid");
    let text = format!("{}\n{}\n0\n5432\n\n\n\nready\n", std::process::id(), data.cluster().join("data").display());
    fs::write(&stale, text).expect("written");
    let again = start(&data).await;
    ask(&mut connect(&again).await, "SELECT 'reached'").await;
    assert_ne!(server(&data), Pid::from_raw(std::process::id().try_into().expect("small")).expect("a process"));
}

#[tokio::test]
async fn an_interrupted_initdb_is_begun_anew() {
    let data = DataDir::new();
    let unfinished = data.cluster().join("data.unfinished");
    fs::create_dir_all(&unfinished).expect("a folder");
    fs::write(unfinished.join("PG_VERSION"), "15\n").expect("written");
    start(&data).await;
    assert!(!unfinished.exists());
}

#[tokio::test]
async fn data_of_another_major_version_are_left_alone() {
    let data = DataDir::new();
    drop(start(&data).await);
    data.wait_for_stop();
    let version = data.cluster().join("data/PG_VERSION");
    fs::write(&version, "9999\n").expect("written");
    let error = try_start(&data.cluster()).await.expect_err("refused").to_string();
    assert!(error.contains("was made by PostgreSQL 9999"), "{error}");
    assert!(error.contains("LATCHKEY_DATA_DIR"), "{error}");
    assert_eq!(fs::read_to_string(&version).expect("still there"), "9999\n");
    assert!(!data.cluster().join("data/postmaster.pid").exists());
}

#[tokio::test]
async fn a_folder_that_is_too_deep_for_a_socket_gets_a_short_one() {
    let data = DataDir::new();
    let deep = data.path().join("d".repeat(120));
    let embedded = try_start(&deep).await.unwrap_or_else(|error| panic!("{error}"));
    let folder = socket(&embedded).parent().expect("a folder").to_owned();
    assert!(socket(&embedded).as_os_str().len() <= 103);
    assert_eq!(mode(&folder), 0o700);
    ask(&mut connect(&embedded).await, "SELECT 'reached'").await;
    drop(embedded);
    fs::File::open(deep.join("keeper.lock")).expect("a lock").lock().expect("the keeper ends");
    assert!(!folder.exists());
}

#[tokio::test]
async fn somebody_elses_socket_folder_is_not_used() {
    let data = DataDir::new();
    fs::create_dir_all(data.cluster().join("socket")).expect("a folder");
    fs::set_permissions(data.cluster().join("socket"), Permissions::from_mode(0o777)).expect("opened");
    let error = try_start(&data.cluster()).await.expect_err("refused").to_string();
    assert!(error.contains("is open to others"), "{error}");
}

#[test]
fn named_binaries_that_are_not_there_are_told() {
    let data = DataDir::new();
    let output = data.command(&["hotel", "list"]).env("LATCHKEY_POSTGRES_BIN", data.path()).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("latchkey: LATCHKEY_POSTGRES_BIN: "), "{said}");
    assert_eq!((said.lines().count(), output.status.code()), (1, Some(1)));
}

/// As root this is another account than the other tests use; elsewhere it is the same one.
#[test]
fn an_ordinary_user_runs_it_as_itself() {
    let data = DataDir::new();
    let home = data.path().join("home");
    fs::create_dir(&home).expect("a folder");
    let program = data.path().join("latchkey");
    fs::copy(LATCHKEY, &program).expect("a copy that the user may run");
    let mut command = Command::new(&program);
    command.args(["hotel", "list"]).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", &home);
    let user = if geteuid().is_root() { 65534 } else { geteuid().as_raw() };
    if geteuid().is_root() {
        chown(&home, Some(user), Some(user)).expect("given away");
        command.uid(user).gid(user);
    }
    let output = command.output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let folder = home.join(if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/share" });
    assert_eq!(fs::metadata(folder.join("latchkey/postgres/data")).expect("the data").uid(), user);
    let keeper = fs::File::open(folder.join("latchkey/postgres/keeper.lock")).expect("a lock");
    keeper.lock().expect("the keeper ends");
}

#[tokio::test]
async fn root_is_told_which_folder_is_closed_to_postgres() {
    if !geteuid().is_root() {
        return;
    }
    let data = DataDir::new();
    fs::set_permissions(data.path(), Permissions::from_mode(0o700)).expect("closed");
    let error = try_start(&data.cluster()).await.expect_err("refused").to_string();
    assert!(error.contains(&format!("may not enter {}", data.path().display())), "{error}");
}
