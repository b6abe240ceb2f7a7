//! The cutout service where nothing, or not everything, was stored.

use super::*;

#[tokio::test]
async fn what_was_never_stored_is_zero() {
    let boss = Boss::start().await;
    boss.make_channel(Dtype::Uint16, Size::new(2000, 1000, 50)).await;
    let region = Region::new(Span::new(3, 1999), Span::new(1, 600), Span::new(15, 33));
    for (times, samples) in [("", 1), ("/0:1", 1), ("/1:3", 2)] {
        let path = format!("/v1/cutout/c/e/ch/0/3:1999/1:600/15:33{times}");
        let response = boss.request(Method::GET, &path).send().await.unwrap();
        let voxels = codec::decompress(&response.bytes().await.unwrap(), 1 << 30).unwrap();
        assert_eq!(voxels.len() as u64, 2 * samples * region.size().voxels(), "{times}");
        assert!(voxels.iter().all(|byte| *byte == 0));
    }
}

#[tokio::test]
async fn wrong_cutouts_get_the_errors_of_the_boss() {
    let boss = Boss::start().await;
    boss.make_channel(Dtype::Uint8, Size::new(2000, 1000, 5000)).await;
    let cases = [
        ("x/e/ch/0/0:1/0:1/0:1", 404, 4000, "Collection x not found"),
        ("c/x/ch/0/0:1/0:1/0:1", 404, 4000, "Experiment x not found"),
        ("c/e/x/0/0:1/0:1/0:1", 404, 4000, "Channel x not found"),
        ("c/e/ch/3/0:1/0:1/0:1", 400, 1002, "Invalid resolution 3"),
        ("c/e/ch/0/0:1/0:1001/0:1", 400, 1001, "Incorrect cutout arguments 0/0:1/0:1001/0:1"),
        ("c/e/ch/0/0:1/0:1/0:1/6:7", 400, 1000, "Invalid time range 6..7"),
        ("c/e/ch/0/0:2000/0:1000/0:273", 413, 2000, "Cutout request is too large: more than 520 MiB"),
    ];
    for (path, status, code, message) in cases {
        let expected = json!({"status": status, "code": code, "message": message});
        assert_eq!(boss.get(&format!("/v1/cutout/{path}/")).await, (status, expected), "{path}");
    }
    let jpeg = boss.request(Method::GET, "/v1/cutout/c/e/ch/0/0:1/0:1/0:1/").header("Accept", "image/jpeg");
    assert_eq!(jpeg.send().await.unwrap().status(), 406);
}
