//! What is recorded is found again, by whom it may be found, and what cannot be used is said clearly.

use std::time::{Duration, SystemTime};

use super::*;

fn job() -> JobOf {
    JobOf { boss: "https://api.bossdb.io".to_owned(), id: 7 }
}

fn edition(scripts: &str) -> Edition {
    Edition { config: "c".to_owned(), scripts: scripts.to_owned() }
}

fn open(folder: &Path) -> Ledger {
    Ledger::open(folder, &job(), &edition("s"), false).unwrap()
}

fn task(x: i64, message: &str) -> StoredTask {
    let index = Index::new(x, 0, 0, 0);
    let message = message.to_owned();
    StoredTask { index, message, checksums: vec![1, 2], sent_bytes: 10, sources: Vec::new(), filled: None }
}

fn bad(x: i64) -> Entry {
    Entry {
        kind: "tile".to_owned(),
        index: Index::new(x, 0, 0, 0),
        file: Some("a.png".to_owned()),
        reason: "it is gone".to_owned(),
        hint: None,
        tries: 3,
        fill: None,
    }
}

fn source(bytes: u64, seconds: u64) -> SourceFile {
    let modified = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    SourceFile { path: "a.png".to_owned(), bytes, modified }
}

const UUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

#[tokio::test]
async fn only_the_very_message_is_known_as_stored_also_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    for (x, message) in [(0, UUID), (1, "no uuid"), (2, "first")] {
        ledger.record(task(x, message)).await.unwrap();
    }
    ledger.record(task(2, "second")).await.unwrap();
    let asked = [(0, UUID), (0, "other"), (1, "no uuid"), (1, UUID), (2, "first"), (2, "second"), (3, UUID)];
    let asked: Vec<_> = asked.iter().map(|(x, message)| (Index::new(*x, 0, 0, 0), (*message).to_owned())).collect();
    let expected = [true, false, true, false, false, true, false];
    assert_eq!(ledger.are_stored(asked.clone()).await.unwrap(), expected);
    drop(ledger);
    assert_eq!(open(folder.path()).are_stored(asked).await.unwrap(), expected);
    let counts = Reader::open(folder.path(), &job()).unwrap().counts().unwrap();
    assert_eq!(counts, Counts { tasks: 3, objects: 6, sent_bytes: 30 });
}

#[tokio::test]
async fn other_scripts_are_refused_once_a_task_is_stored_unless_they_are_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let open = |scripts: &str, accept| Ledger::open(folder.path(), &job(), &edition(scripts), accept);
    drop(open("first", false).unwrap());
    let ledger = open("second", false).unwrap();
    ledger.record(task(0, UUID)).await.unwrap();
    drop(ledger);
    let refused = open("third", false).unwrap_err();
    assert!(matches!(&refused, LedgerError::Changed(changed) if changed.stored == 1), "{refused}");
    assert!(refused.to_string().starts_with("the scripts or their parameters changed since"), "{refused}");
    drop(open("second", false).unwrap());
    drop(open("third", true).unwrap());
    drop(open("third", false).unwrap());
    let (last, changes) = Reader::open(folder.path(), &job()).unwrap().edition().unwrap();
    assert_eq!((last.scripts.as_str(), changes), ("third", 2));
}

#[tokio::test]
async fn a_bad_task_is_listed_until_it_is_stored_and_a_filled_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    for x in 0..3 {
        ledger.quarantine(bad(x)).await.unwrap();
    }
    ledger.record(task(0, UUID)).await.unwrap();
    let filled = Entry { fill: Some(7.0), ..bad(1) };
    ledger.record(StoredTask { filled: Some(filled.clone()), ..task(1, UUID) }).await.unwrap();
    let reader = Reader::open(folder.path(), &job()).unwrap();
    assert_eq!((reader.quarantined().unwrap(), reader.filled().unwrap()), (vec![bad(2)], vec![filled]));
    ledger.record(task(1, "a new message")).await.unwrap();
    assert_eq!(reader.filled().unwrap(), [], "read at last");
}

#[tokio::test]
async fn a_source_that_changes_is_told_once_also_when_it_changed_between_runs() {
    let folder = tempfile::tempdir().unwrap();
    let record = async |ledger: &Ledger, x, file: SourceFile| {
        ledger.record(StoredTask { sources: vec![file], ..task(x, UUID) }).await.unwrap().len()
    };
    let ledger = open(folder.path());
    assert_eq!(record(&ledger, 0, source(10, 1)).await, 0);
    assert_eq!(record(&ledger, 1, source(10, 1)).await, 0);
    assert_eq!(record(&ledger, 2, source(10, 2)).await, 1);
    assert_eq!(record(&ledger, 3, source(10, 2)).await, 0);
    drop(ledger);
    let ledger = open(folder.path());
    assert_eq!(record(&ledger, 4, source(10, 2)).await, 0);
    assert_eq!(record(&ledger, 5, source(11, 2)).await, 1);
    let changed = Reader::open(folder.path(), &job()).unwrap().changed_sources().unwrap();
    assert_eq!(changed.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["a.png"]);
}

#[tokio::test]
async fn runs_are_listed_with_their_endings_and_last_states() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    first.snapshot("{\"done\":1}".to_owned()).await.unwrap();
    first.end_run("stopped").await.unwrap();
    let _second = open(folder.path());
    let runs = Reader::open(folder.path(), &job()).unwrap().runs().unwrap();
    assert_eq!((runs[0].ending.as_deref(), runs[0].snapshot.as_deref()), (Some("stopped"), Some("{\"done\":1}")));
    assert_eq!((runs.len(), runs[1].pid, runs[1].ended_s), (2, std::process::id(), None));
}

#[test]
fn files_that_are_no_ledger_are_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = job().file(folder.path());
    let error = || Ledger::open(folder.path(), &job(), &edition("s"), false).unwrap_err();
    std::fs::write(&path, "no database, but a text that is long enough for a header of one".repeat(20)).unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(error(), LedgerError::Damaged { .. }), "{:?}", error());
    assert!(error().to_string().contains("api.bossdb.io_job7_"), "{}", error());
    assert_eq!(std::fs::read(&path).unwrap(), before);
    std::fs::remove_file(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE t (n); PRAGMA user_version = 1").unwrap();
    drop(other);
    assert!(matches!(error(), LedgerError::Damaged { .. }), "{:?}", error());
    std::fs::remove_file(&path).unwrap();
    drop(open(folder.path()));
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 2").unwrap();
    assert!(matches!(error(), LedgerError::Newer { found: 2, known: 1, .. }), "{:?}", error());
}

#[tokio::test]
async fn a_full_disk_is_an_error_of_every_record_and_loses_none_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = open(folder.path());
    ledger.record(task(0, UUID)).await.unwrap();
    // Another connection with a file that may not grow stands for a disk that is full.
    let connection = schema::open(ledger.path()).unwrap();
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
    ledger.writer = Writer::start(connection, ledger.path.clone());
    let large = |x| StoredTask { checksums: vec![7; 4000], ..task(x, UUID) };
    let (first, second) = tokio::join!(ledger.record(large(1)), ledger.record(large(2)));
    for error in [first.unwrap_err(), second.unwrap_err()] {
        assert!(matches!(error, LedgerError::Failed { .. }), "{error:?}");
        assert!(error.hint().unwrap().contains("nothing is lost"));
    }
    drop(ledger);
    let counts = Reader::open(folder.path(), &job()).unwrap().counts().unwrap();
    assert_eq!(counts.tasks, 1);
}

#[tokio::test]
async fn two_processes_share_a_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (open(folder.path()), open(folder.path()));
    for x in 0..20 {
        let (first, second) = tokio::join!(one.record(task(x, UUID)), other.record(task(100 + x, UUID)));
        first.and(second).unwrap();
    }
    let stored = one.are_stored(vec![(Index::new(119, 0, 0, 0), UUID.to_owned())]).await.unwrap();
    assert_eq!(stored, [true]);
}

#[test]
fn a_ledger_is_named_after_its_boss_and_job() {
    let stem = |boss: &str| JobOf { boss: boss.to_owned(), id: 7 }.file_stem();
    assert_eq!(stem("https://api.bossdb.io"), "api.bossdb.io_job7");
    assert_eq!(stem("http://127.0.0.1:8090/"), "127.0.0.1_8090_job7");
    let (one, other) = (stem("/data/my boss"), stem("/data/my_boss"));
    assert!(one.starts_with("data_my_boss-") && one.ends_with("_job7") && one != other, "{one} {other}");
    assert!(stem(&"/x".repeat(500)).len() < 100 && stem("/é").ends_with("_job7"));
}

#[test]
fn an_old_ledger_of_a_new_job_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    Ledger::put_aside(folder.path(), &job()).unwrap();
    drop(open(folder.path()));
    Ledger::put_aside(folder.path(), &job()).unwrap();
    assert!(!job().file(folder.path()).exists());
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().any(|name| name.to_str().unwrap().contains(".until_")), "{names:?}");
}

#[test]
fn the_ledger_of_another_machine_is_not_taken_but_named() {
    let folder = tempfile::tempdir().unwrap();
    let other = "api.bossdb.io_job7_node12.ledger";
    std::fs::write(folder.path().join(other), "").unwrap();
    let error = Reader::open(folder.path(), &job()).unwrap_err();
    assert!(error.hint().unwrap().contains(other), "{:?}", error.hint());
    drop(open(folder.path()));
    assert!(Reader::open(folder.path(), &job()).is_ok());
}

#[tokio::test]
async fn a_million_tasks_take_few_bytes_each() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let path = job().file(folder.path());
    let million = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999999)
        INSERT INTO stored
        SELECT 0, i / 10000, i / 100 % 100, i % 100, randomblob(16), randomblob(4), 200000, 1800000000 FROM n";
    Connection::open(&path).unwrap().execute_batch(&format!("PRAGMA synchronous = OFF; {million}")).unwrap();
    let bytes = std::fs::metadata(&path).unwrap().len();
    assert!(bytes < 55_000_000, "{bytes} bytes");
    let ledger = open(folder.path());
    assert_eq!(ledger.are_stored(vec![(Index::new(3, 2, 1, 0), UUID.to_owned())]).await.unwrap(), [false]);
}
