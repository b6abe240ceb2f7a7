//! Deleting and sending messages in batches, each entry of which may fail on its own.

use std::collections::HashMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Sqs, md5_hex};
use crate::boss::error::tidy;
use crate::boss::{BossError, SigningKeys};

/// Entries that SQS takes in one request.
pub const MAX_BATCH: usize = 10;
/// Bytes that SQS takes in one message, and in all messages of one request.
pub const MAX_MESSAGE_BYTES: usize = 262_144;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Request<'a, T> {
    queue_url: &'a str,
    entries: Vec<T>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ToDelete<'a> {
    id: String,
    receipt_handle: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ToSend<'a> {
    id: String,
    message_body: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Reply {
    successful: Vec<Successful>,
    failed: Vec<Failed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Successful {
    id: String,
    #[serde(rename = "MD5OfMessageBody")]
    md5_of_message_body: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failed {
    id: String,
    #[serde(default)]
    sender_fault: bool,
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Sqs {
    /// Deletes up to 10 messages by their receipts. One result for each, in order.
    ///
    /// # Errors
    /// As [`Sqs::receive`], for all entries. For one: [`BossError::EntryFailed`].
    pub async fn delete_batch(
        &self,
        queue_url: &str,
        receipts: &[&str],
        keys: &SigningKeys,
    ) -> Result<Vec<Result<(), BossError>>, BossError> {
        let entries = receipts.iter().enumerate();
        let entries = entries.map(|(id, receipt_handle)| ToDelete { id: id.to_string(), receipt_handle }).collect();
        let request = Request { queue_url, entries };
        let reply: Reply = self.call("DeleteMessageBatch", queue_url, &request, keys).await?;
        Ok(reply.results(receipts.len(), |_, _| Ok(())))
    }

    /// Sends up to 10 messages of 262144 bytes together (see [`groups`]). One result for each, in order.
    ///
    /// # Errors
    /// As [`Sqs::receive`], for all entries. For one: [`BossError::EntryFailed`], or `Damaged` when the queue has
    /// another body.
    pub async fn send_batch(
        &self,
        queue_url: &str,
        bodies: &[&str],
        keys: &SigningKeys,
    ) -> Result<Vec<Result<(), BossError>>, BossError> {
        let entries = bodies.iter().enumerate();
        let entries = entries.map(|(id, message_body)| ToSend { id: id.to_string(), message_body }).collect();
        let request = Request { queue_url, entries };
        let reply: Reply = self.call("SendMessageBatch", queue_url, &request, keys).await?;
        Ok(reply.results(bodies.len(), |index, sent| match &sent.md5_of_message_body {
            Some(md5) if *md5 != md5_hex(bodies[index]) => {
                let message = "the queue names another checksum".to_owned();
                Err(BossError::Damaged { key: format!("index message {index}"), message })
            }
            _ => Ok(()),
        }))
    }
}

impl Reply {
    /// Puts the results in the order of the entries. An entry that the answer does not name may be tried again.
    fn results(
        self,
        count: usize,
        judge: impl Fn(usize, &Successful) -> Result<(), BossError>,
    ) -> Vec<Result<(), BossError>> {
        let successful: HashMap<_, _> = self.successful.iter().map(|sent| (sent.id.as_str(), sent)).collect();
        let mut failed: HashMap<_, _> = self.failed.into_iter().map(|entry| (entry.id.clone(), entry)).collect();
        let result = |index: usize| {
            let id = index.to_string();
            match (successful.get(id.as_str()), failed.remove(&id)) {
                (Some(sent), None) => judge(index, sent),
                (_, Some(entry)) => Err(entry.into_error()),
                (None, None) => Err(Failed::unnamed(id).into_error()),
            }
        };
        (0..count).map(result).collect()
    }
}

impl Failed {
    fn unnamed(id: String) -> Self {
        let (code, message) = ("NotNamed".to_owned(), "the answer does not tell what became of it".to_owned());
        Failed { id, sender_fault: false, code, message }
    }

    fn into_error(self) -> BossError {
        let Failed { sender_fault: our_fault, code, message, .. } = self;
        BossError::EntryFailed { code: tidy(&code, ""), message: tidy(&message, ""), our_fault }
    }
}

/// Cuts a row of messages, given by their sizes in bytes, into the fewest runs that [`Sqs::send_batch`] takes.
///
/// # Errors
/// [`BossError::MessageTooLarge`] when one message alone is too large.
pub fn groups(sizes: impl IntoIterator<Item = usize>) -> Result<Vec<Range<usize>>, BossError> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (index, size_bytes) in sizes.into_iter().enumerate() {
        if size_bytes > MAX_MESSAGE_BYTES {
            return Err(BossError::MessageTooLarge { size_bytes });
        }
        match groups.last_mut() {
            Some(group) if group.len() < MAX_BATCH && bytes + size_bytes <= MAX_MESSAGE_BYTES => group.end = index + 1,
            _ => {
                groups.push(index..index + 1);
                bytes = 0;
            }
        }
        bytes += size_bytes;
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{QUEUE, play};
    use super::*;
    use crate::boss::testing::keys;

    #[test]
    fn messages_are_grouped_by_number_and_size() {
        const MAX: usize = MAX_MESSAGE_BYTES;
        let table: [(&[usize], &[Range<usize>]); 5] = [
            (&[], &[]),
            (&[5; 23], &[0..10, 10..20, 20..23]),
            (&[MAX, MAX], &[0..1, 1..2]),
            (&[MAX - 5, 5, 1], &[0..2, 2..3]),
            (&[1, MAX, 1], &[0..1, 1..2, 2..3]),
        ];
        for (sizes, expected) in table {
            assert_eq!(groups(sizes.iter().copied()).unwrap(), expected, "{sizes:?}");
        }
        let error = groups([1, MAX + 1]).unwrap_err();
        assert!(matches!(error, BossError::MessageTooLarge { size_bytes } if size_bytes == MAX + 1));
    }

    #[tokio::test]
    async fn each_entry_has_its_own_outcome() {
        let answer = json!({
            "Successful": [{"Id": "0"}],
            "Failed": [
                {"Id": "2", "SenderFault": true, "Code": "ReceiptHandleIsInvalid", "Message": "stale"},
                {"Id": "1", "SenderFault": false, "Code": "InternalError"},
            ],
        });
        let queue = play(200, "", &answer.to_string()).await;
        let results = queue.sqs.delete_batch(QUEUE, &["r&0", "r1", "r2", "r3"], &keys()).await.unwrap();
        let ends: Vec<_> = results.iter().map(|result| result.as_ref().map_err(BossError::is_temporary)).collect();
        assert_eq!(ends, [Ok(&()), Err(true), Err(false), Err(true)]);
        let asked = queue.asked.lock().unwrap();
        assert_eq!(asked[0].0, "AmazonSQS.DeleteMessageBatch");
        assert_eq!(asked[0].1["QueueUrl"], QUEUE);
        assert_eq!(asked[0].1["Entries"][0], json!({"Id": "0", "ReceiptHandle": "r&0"}));
    }

    #[tokio::test]
    async fn a_sent_message_that_arrived_otherwise_is_damaged() {
        let answer = json!({"Successful": [
            {"Id": "0", "MessageId": "a", "MD5OfMessageBody": "5d41402abc4b2a76b9719d911017c592"},
            {"Id": "1", "MessageId": "b", "MD5OfMessageBody": "5d41402abc4b2a76b9719d911017c592"},
        ], "Failed": []});
        let queue = play(200, "", &answer.to_string()).await;
        let results = queue.sqs.send_batch(QUEUE, &["hello", "other"], &keys()).await.unwrap();
        assert!(results[0].is_ok());
        assert!(matches!(results[1], Err(BossError::Damaged { .. })));
        assert_eq!(queue.asked.lock().unwrap()[0].1["Entries"][1], json!({"Id": "1", "MessageBody": "other"}));
    }
}
