//! Stops in the middle of things. Nothing that was answered is lost.

use super::*;

const SIZE: Size = Size::new(600, 512, 18);

#[tokio::test]
async fn a_job_goes_on_after_a_restart() {
    let boss = Boss::quick().await;
    boss.make_channel(Dtype::Uint8, SIZE).await;
    let id = boss.create(&config("tile", &extent(SIZE.x, SIZE.y, SIZE.z))).await;
    let job = boss.join(id).await;
    let message = boss.receive(&job, 1).await.remove(0);
    let (token, old_origin) = (boss.server.token().to_owned(), boss.server.origin());
    boss.put_tile(&job, body(&message)["tile_key"].as_str().unwrap(), tile(Dtype::Uint8, SIZE, 0, 0, 0)).await;
    boss.announce(&job, &body(&message)).await;
    let boss = boss.restart().await;
    assert_eq!(boss.server.token(), token);
    boss.acknowledge(&job, &message).await;
    assert_eq!(boss.upload_tiles(&job, |x, y, z| tile(Dtype::Uint8, SIZE, x, y, z)).await, 35);
    let again = boss.join(id).await;
    assert_ne!(again.keys.access_key, job.keys.access_key, "each join has keys of its own");
    assert!(!again.reply.to_string().contains(&old_origin) || boss.server.origin() == old_origin);
    assert_eq!(boss.complete(id).await, [6, 5, 2]);
    let whole = Region::of_size(SIZE);
    assert!(boss.cutout(Dtype::Uint8, &whole, "").await == volume(Dtype::Uint8, SIZE, &whole));
}

#[tokio::test]
async fn a_queue_that_was_being_filled_is_filled_to_the_last_message() {
    let boss = Boss::quick().await;
    boss.make_channel(Dtype::Uint8, SIZE).await;
    let id = boss.create(&config("tile", &extent(512 * 50, 512 * 20, 16))).await;
    let (_, before) = boss.get(&format!("/latest/ingest/{id}/status")).await;
    let boss = boss.restart().await;
    boss.join(id).await;
    let (_, after) = boss.get(&format!("/latest/ingest/{id}/status")).await;
    assert!(before["current_message_count"].as_u64() <= Some(16_000));
    assert_eq!(after["current_message_count"], 16_000);
}

/// The first server's tasks are dropped wherever they are, as in a process that is killed.
#[test]
fn a_server_that_is_killed_takes_up_its_assemblies_and_completions() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let first = runtime();
    let (id, boss) = first.block_on(async {
        let boss = Boss::quick().await;
        boss.make_channel(Dtype::Uint8, SIZE).await;
        let id = boss.create(&config("tile", &extent(SIZE.x, SIZE.y, SIZE.z))).await;
        let job = boss.join(id).await;
        boss.upload_tiles(&job, |x, y, z| tile(Dtype::Uint8, SIZE, x, y, z)).await;
        while boss.ask_to_complete(id).await.1["job_status"] != 5 {}
        (id, boss)
    });
    first.shutdown_background();
    let Boss { server, folder, .. } = boss;
    drop(server);
    runtime().block_on(async {
        let boss = Boss { server: start_when_free(folder.path()).await, client: Client::new(), folder };
        while boss.status(id).await != 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let whole = Region::of_size(SIZE);
        assert!(boss.cutout(Dtype::Uint8, &whole, "").await == volume(Dtype::Uint8, SIZE, &whole));
    });
}

async fn start_when_free(folder: &std::path::Path) -> Server {
    for _ in 0..500 {
        if let Ok(server) = Server::start(quick(ServerOptions::new(folder))).await {
            return server;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the folder of a killed server stays locked");
}
