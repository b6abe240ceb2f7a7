//! SQS's JSON protocol: `POST /` with `X-Amz-Target: AmazonSQS.ACTION` (botocore from 1.31.81 on, all newer SDKs).

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Value, json};

use super::error::SqsError;
use super::{Action, Entry, Message, Reply, Sent, md5_hex};

const MEDIA_TYPE: &str = "application/x-amz-json-1.0";
/// The longest wait of a receive and the longest time-out, in seconds (SQS's limits).
const MAX_WAIT_S: i64 = 20;
const MAX_VISIBILITY_S: i64 = 43_200;

/// Reads the queue's name and what is asked of it.
pub fn read(parts: &Parts, body: &[u8]) -> Result<(String, Action), SqsError> {
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let action = target.strip_prefix("AmazonSQS.").ok_or(SqsError::UnknownAction)?;
    let fields: Value = serde_json::from_slice(body).map_err(|_| SqsError::Unreadable)?;
    let action = read_action(action, &fields)?;
    let url = fields["QueueUrl"].as_str().unwrap_or(parts.uri.path());
    let name = url.rsplit('/').find(|segment| !segment.is_empty());
    Ok((name.ok_or(SqsError::Missing { name: "QueueUrl" })?.to_owned(), action))
}

fn read_action(action: &str, fields: &Value) -> Result<Action, SqsError> {
    Ok(match action {
        "ReceiveMessage" => Action::Receive {
            limit: number(fields, "MaxNumberOfMessages", 1, 10)?.unwrap_or(1) as u32,
            wait_s: number(fields, "WaitTimeSeconds", 0, MAX_WAIT_S)?.unwrap_or(0) as u64,
            visibility_s: number(fields, "VisibilityTimeout", 0, MAX_VISIBILITY_S)?.map(|seconds| seconds as u64),
        },
        "DeleteMessage" => Action::Delete { receipt: text(fields, "ReceiptHandle")? },
        "DeleteMessageBatch" => Action::DeleteBatch(entries(fields, "ReceiptHandle")?),
        "SendMessage" => Action::Send { body: text(fields, "MessageBody")? },
        "SendMessageBatch" => Action::SendBatch(entries(fields, "MessageBody")?),
        "GetQueueAttributes" => {
            let names = fields["AttributeNames"].as_array().into_iter().flatten();
            Action::Attributes { names: names.filter_map(|name| name.as_str().map(str::to_owned)).collect() }
        }
        "ChangeMessageVisibility"
        | "ChangeMessageVisibilityBatch"
        | "CreateQueue"
        | "DeleteQueue"
        | "GetQueueUrl"
        | "ListQueues"
        | "PurgeQueue"
        | "SetQueueAttributes" => Action::Forbidden,
        _ => return Err(SqsError::UnknownAction),
    })
}

fn number(fields: &Value, name: &'static str, least: i64, most: i64) -> Result<Option<i64>, SqsError> {
    match &fields[name] {
        Value::Null => Ok(None),
        value => {
            let value = value.as_i64().ok_or(SqsError::Unreadable)?;
            let is_inside = (least..=most).contains(&value);
            is_inside.then_some(Some(value)).ok_or(SqsError::OutOfRange { name, value, least, most })
        }
    }
}

fn text(fields: &Value, name: &'static str) -> Result<String, SqsError> {
    Ok(fields[name].as_str().ok_or(SqsError::Missing { name })?.to_owned())
}

fn entries(fields: &Value, content: &'static str) -> Result<Vec<Entry>, SqsError> {
    let entries = fields["Entries"].as_array().ok_or(SqsError::Missing { name: "Entries" })?;
    entries.iter().map(|entry| Ok(Entry { id: text(entry, "Id")?, text: text(entry, content)? })).collect()
}

pub fn reply(reply: Reply) -> Response {
    let body = match reply {
        Reply::Messages(messages) if messages.is_empty() => json!({}),
        Reply::Messages(messages) => json!({"Messages": messages.iter().map(message).collect::<Vec<_>>()}),
        Reply::Deleted => json!({}),
        Reply::DeletedBatch(entries) => {
            let (done, failed): (Vec<_>, Vec<_>) = entries.iter().partition(|(_, outcome)| outcome.is_ok());
            let done: Vec<_> = done.into_iter().map(|(id, _)| json!({"Id": id})).collect();
            let failed: Vec<_> =
                failed.into_iter().filter_map(|(id, outcome)| Some(failure(id, outcome.as_ref().err()?))).collect();
            json!({"Successful": done, "Failed": failed})
        }
        Reply::Sent(Sent { id, body_md5 }) => json!({"MessageId": id, "MD5OfMessageBody": body_md5}),
        Reply::SentBatch(entries) => {
            let done: Vec<_> = entries
                .iter()
                .map(|(id, sent)| json!({"Id": id, "MessageId": sent.id, "MD5OfMessageBody": sent.body_md5}))
                .collect();
            json!({"Successful": done, "Failed": []})
        }
        Reply::Attributes(attributes) => {
            let map: serde_json::Map<_, _> = attributes.into_iter().map(|(k, v)| (k.to_owned(), v.into())).collect();
            json!({"Attributes": map})
        }
    };
    response().body(Body::from(body.to_string())).expect("the reply's headers are well formed")
}

fn message(message: &Message) -> Value {
    json!({
        "MessageId": message.id, "ReceiptHandle": message.receipt,
        "MD5OfBody": md5_hex(&message.body), "Body": message.body,
    })
}

fn failure(id: &str, error: &SqsError) -> Value {
    json!({
        "Id": id, "SenderFault": error.is_senders_fault(), "Code": error.query_code(), "Message": error.to_string(),
    })
}

pub fn error(error: &SqsError) -> Response {
    if let SqsError::Store(cause) = error {
        tracing::error!(%cause, "a queue request failed");
    }
    let fault = if error.is_senders_fault() { "Sender" } else { "Receiver" };
    let body = json!({"__type": error.json_type(), "message": error.to_string()});
    response()
        .status(error.status())
        .header("x-amzn-query-error", format!("{};{fault}", error.query_code()))
        .body(Body::from(body.to_string()))
        .expect("the reply's headers are well formed")
}

fn response() -> axum::http::response::Builder {
    Response::builder().header(CONTENT_TYPE, MEDIA_TYPE).header("x-amzn-requestid", uuid::Uuid::new_v4().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_the_limits_are_refused() {
        let cases = [
            (json!({"MaxNumberOfMessages": 0}), false),
            (json!({"MaxNumberOfMessages": 11}), false),
            (json!({"MaxNumberOfMessages": 10, "WaitTimeSeconds": 20, "VisibilityTimeout": 43200}), true),
            (json!({"WaitTimeSeconds": 21}), false),
            (json!({"VisibilityTimeout": "x"}), false),
            (json!({}), true),
        ];
        for (fields, good) in cases {
            assert_eq!(read_action("ReceiveMessage", &fields).is_ok(), good, "{fields}");
        }
    }
}
