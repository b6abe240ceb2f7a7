//! GetQueueAttributes.

use super::error::SqsError;
use super::{MAX_MESSAGE_BYTES, Reply, Target};
use crate::server::site::Site;
use crate::server::store::now_ms;
use crate::server::store::queue;

/// The attributes that were asked for, all of them for `All`; values are texts.
pub async fn run(site: &Site, target: &Target, names: &[String]) -> Result<Reply, SqsError> {
    let queue = target.queue;
    let counts = site.store.read(move |connection| queue::counts(connection, queue, now_ms())).await?;
    let all = [
        ("ApproximateNumberOfMessages", counts.visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", "0".to_owned()),
        ("DelaySeconds", "0".to_owned()),
        ("MaximumMessageSize", MAX_MESSAGE_BYTES.to_string()),
        ("MessageRetentionPeriod", "1209600".to_owned()),
        ("QueueArn", format!("arn:aws:sqs:us-east-1:000000000000:{}", target.role.queue_name(target.job.id))),
        ("ReceiveMessageWaitTimeSeconds", "0".to_owned()),
        ("VisibilityTimeout", site.visibility.as_secs().to_string()),
    ];
    let is_known = |name: &&String| *name == "All" || all.iter().any(|(known, _)| known == name);
    if let Some(name) = names.iter().find(|name| !is_known(name)) {
        return Err(SqsError::UnknownAttribute { name: name.clone() });
    }
    let is_asked = |(name, _): &(&'static str, String)| names.iter().any(|asked| asked == "All" || asked == name);
    Ok(Reply::Attributes(all.into_iter().filter(is_asked).collect()))
}
