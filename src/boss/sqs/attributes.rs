//! What a queue says of itself.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Sqs;
use crate::boss::{BossError, SigningKeys};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Request<'a> {
    queue_url: &'a str,
    attribute_names: [&'static str; 1],
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reply {
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

const VISIBILITY_TIMEOUT: &str = "VisibilityTimeout";

impl Sqs {
    /// How long a message that was received is hidden from others; `None` when the queue does not tell.
    ///
    /// # Errors
    /// As [`Sqs::receive`].
    pub async fn visibility_timeout(&self, queue_url: &str, keys: &SigningKeys) -> Result<Option<Duration>, BossError> {
        let request = Request { queue_url, attribute_names: [VISIBILITY_TIMEOUT] };
        let reply: Reply = self.call("GetQueueAttributes", queue_url, &request, keys).await?;
        Ok(reply.attributes.get(VISIBILITY_TIMEOUT).and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{QUEUE, play};
    use super::*;
    use crate::boss::testing::keys;

    #[tokio::test]
    async fn the_time_out_is_a_text_of_seconds() {
        for (body, expected) in [(r#"{"Attributes":{"VisibilityTimeout":"120"}}"#, Some(120)), ("{}", None)] {
            let played = play(200, "", body).await;
            let found = played.sqs.visibility_timeout(QUEUE, &keys()).await.unwrap();
            assert_eq!(found, expected.map(Duration::from_secs));
            let asked = played.asked.lock().unwrap().clone();
            assert_eq!(asked[0].0, "AmazonSQS.GetQueueAttributes");
            assert_eq!(asked[0].1["AttributeNames"], serde_json::json!(["VisibilityTimeout"]));
        }
    }
}
