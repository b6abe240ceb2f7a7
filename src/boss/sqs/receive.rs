//! Taking messages from a queue.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{MAX_BATCH, Sqs, md5_hex};
use crate::boss::{BossError, SigningKeys};

/// A message that is ours until its queue hands it out again (120 s for upload messages).
#[derive(Clone, Debug)]
pub struct Message {
    pub id: String,
    /// What deletes it. Another receipt is given each time the message is handed out.
    pub receipt: String,
    pub body: String,
    /// When the answer arrived that holds it.
    pub received_at: Instant,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Request<'a> {
    queue_url: &'a str,
    max_number_of_messages: usize,
    wait_time_seconds: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reply {
    #[serde(default)]
    messages: Vec<Received>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Received {
    message_id: String,
    receipt_handle: String,
    #[serde(rename = "MD5OfBody")]
    md5_of_body: Option<String>,
    body: String,
}

/// The longest time that SQS holds a request open.
const MAX_WAIT: Duration = Duration::from_secs(20);

impl Sqs {
    /// Takes up to `max` messages (at most 10), waiting up to `wait` (at most 20 s) for the first. Empty when there are none.
    ///
    /// A message whose body was damaged on the way is left out; its queue hands it out again.
    ///
    /// # Errors
    /// `QueueGone`, `Keys`, `WrongClock`, `BadSignature`, `Throttled`, `Server`, and those of the network.
    pub async fn receive(
        &self,
        queue_url: &str,
        max: usize,
        wait: Duration,
        keys: &SigningKeys,
    ) -> Result<Vec<Message>, BossError> {
        let request = Request {
            queue_url,
            max_number_of_messages: max.clamp(1, MAX_BATCH),
            wait_time_seconds: wait.min(MAX_WAIT).as_secs(),
        };
        let reply: Reply = self.call("ReceiveMessage", queue_url, &request, keys).await?;
        let received_at = Instant::now();
        Ok(reply.messages.into_iter().filter_map(|received| accept(received, received_at)).collect())
    }
}

fn accept(received: Received, received_at: Instant) -> Option<Message> {
    let Received { message_id, receipt_handle, md5_of_body, body } = received;
    if md5_of_body.is_some_and(|md5| md5 != md5_hex(&body)) {
        tracing::warn!(message_id, "a message was damaged on the way and is left to come again");
        return None;
    }
    Some(Message { id: message_id, receipt: receipt_handle, body, received_at })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{QUEUE, play};
    use super::*;
    use crate::boss::testing::keys;

    #[tokio::test]
    async fn messages_are_taken_and_damaged_ones_left() {
        let answer = json!({"Messages": [
            {"MessageId": "m1", "ReceiptHandle": "r1", "MD5OfBody": "5d41402abc4b2a76b9719d911017c592", "Body": "hello"},
            {"MessageId": "m2", "ReceiptHandle": "r2", "MD5OfBody": "5d41402abc4b2a76b9719d911017c592", "Body": "hellO"},
            {"MessageId": "m3", "ReceiptHandle": "r3", "Body": "no checksum"},
        ]});
        let queue = play(200, "", &answer.to_string()).await;
        let messages = queue.sqs.receive(QUEUE, 99, Duration::from_secs(60), &keys()).await.unwrap();
        let got: Vec<_> = messages.iter().map(|m| (m.id.as_str(), m.receipt.as_str(), m.body.as_str())).collect();
        assert_eq!(got, [("m1", "r1", "hello"), ("m3", "r3", "no checksum")]);
        let asked = queue.asked.lock().unwrap();
        assert_eq!(asked[0].0, "AmazonSQS.ReceiveMessage");
        assert_eq!(asked[0].1, json!({"QueueUrl": QUEUE, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 20}));
    }

    #[tokio::test]
    async fn an_empty_queue_gives_nothing_and_nonsense_is_an_error() {
        let receive = async |body: &str| {
            let queue = play(200, "", body).await;
            queue.sqs.receive(QUEUE, 10, Duration::ZERO, &keys()).await
        };
        assert!(receive("{}").await.unwrap().is_empty());
        assert!(receive(r#"{"Messages": []}"#).await.unwrap().is_empty());
        for nonsense in ["", "<html>", "7", r#"{"Messages": [{"Body": "x"}]}"#] {
            assert!(matches!(receive(nonsense).await.unwrap_err(), BossError::BadAnswer { .. }), "{nonsense}");
        }
    }
}
