//! Errors of SQS, with the names that the AWS programs look for.

use axum::http::StatusCode;

use crate::server::error::StoreError;
use crate::server::sigv4::Refusal;

#[derive(Debug, thiserror::Error)]
pub enum SqsError {
    #[error("The specified queue does not exist.")]
    NoSuchQueue,
    #[error("Access to the resource is denied.")]
    AccessDenied,
    #[error("{}", told(.0))]
    Refused(#[from] Refusal),
    #[error("The action or operation requested is invalid. Verify that the action is typed correctly.")]
    UnknownAction,
    #[error("The request cannot be read.")]
    Unreadable,
    #[error("The request must contain the parameter {name}.")]
    Missing { name: &'static str },
    #[error("Value {value} for parameter {name} is invalid. Reason: Must be between {least} and {most}.")]
    OutOfRange { name: &'static str, value: i64, least: i64, most: i64 },
    #[error("Unknown Attribute {name}.")]
    UnknownAttribute { name: String },
    #[error("The input receipt handle \"{receipt}\" is not a valid receipt handle.")]
    Receipt { receipt: String },
    #[error("There should be at least one entry in the request.")]
    EmptyBatch,
    #[error("Maximum number of entries per request are 10. You have sent {found}.")]
    TooManyEntries { found: usize },
    #[error("Id {id} repeated.")]
    RepeatedId { id: String },
    #[error("One or more parameters are invalid. Reason: Message must be shorter than 262144 bytes.")]
    MessageTooLong,
    #[error("Batch requests cannot be longer than 262144 bytes. You have sent {found} bytes.")]
    BatchTooLong { found: usize },
    #[error("We encountered an internal error. Please try again.")]
    Store(#[from] StoreError),
}

/// SQS's words, where they are not those of all services.
fn told(refusal: &Refusal) -> String {
    match refusal {
        Refusal::UnknownKey => "The security token included in the request is invalid.".to_owned(),
        other => other.to_string(),
    }
}

impl SqsError {
    pub fn status(&self) -> StatusCode {
        match self {
            SqsError::Refused(Refusal::Malformed { .. } | Refusal::NoDate) => StatusCode::BAD_REQUEST,
            SqsError::AccessDenied | SqsError::Refused(_) => StatusCode::FORBIDDEN,
            SqsError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// The `__type` of the JSON protocol.
    pub fn json_type(&self) -> &'static str {
        match self {
            SqsError::NoSuchQueue => "com.amazonaws.sqs#QueueDoesNotExist",
            SqsError::AccessDenied => "com.amazon.coral.service#AccessDeniedException",
            SqsError::Refused(refusal) => match refusal {
                Refusal::NotSigned => "com.amazon.coral.service#MissingAuthenticationTokenException",
                Refusal::Malformed { .. } | Refusal::NoDate => "com.amazon.coral.service#IncompleteSignatureException",
                Refusal::UnknownKey => "com.amazon.coral.service#UnrecognizedClientException",
                Refusal::Expired => "com.amazon.coral.service#ExpiredTokenException",
                Refusal::Skewed { .. } | Refusal::HeaderNotSigned { .. } | Refusal::Mismatch => {
                    "com.amazon.coral.service#InvalidSignatureException"
                }
            },
            SqsError::UnknownAction => "com.amazon.coral.service#UnknownOperationException",
            SqsError::Unreadable => "com.amazon.coral.service#SerializationException",
            SqsError::Missing { .. } => "com.amazonaws.sqs#MissingRequiredParameterException",
            SqsError::OutOfRange { .. } | SqsError::MessageTooLong => {
                "com.amazonaws.sqs#InvalidParameterValueException"
            }
            SqsError::UnknownAttribute { .. } => "com.amazonaws.sqs#InvalidAttributeName",
            SqsError::Receipt { .. } => "com.amazonaws.sqs#ReceiptHandleIsInvalid",
            SqsError::EmptyBatch => "com.amazonaws.sqs#EmptyBatchRequest",
            SqsError::TooManyEntries { .. } => "com.amazonaws.sqs#TooManyEntriesInBatchRequest",
            SqsError::RepeatedId { .. } => "com.amazonaws.sqs#BatchEntryIdsNotDistinct",
            SqsError::BatchTooLong { .. } => "com.amazonaws.sqs#BatchRequestTooLong",
            SqsError::Store(_) => "com.amazon.coral.service#InternalFailure",
        }
    }

    /// The name that the older query protocol has for it, which boto3 shows.
    pub fn query_code(&self) -> &'static str {
        match self {
            SqsError::NoSuchQueue => "AWS.SimpleQueueService.NonExistentQueue",
            SqsError::AccessDenied => "AccessDenied",
            SqsError::Refused(refusal) => match refusal {
                Refusal::NotSigned => "MissingAuthenticationToken",
                Refusal::Malformed { .. } | Refusal::NoDate => "IncompleteSignature",
                Refusal::UnknownKey => "InvalidClientTokenId",
                Refusal::Expired => "ExpiredToken",
                Refusal::Skewed { .. } | Refusal::HeaderNotSigned { .. } | Refusal::Mismatch => "SignatureDoesNotMatch",
            },
            SqsError::UnknownAction => "InvalidAction",
            SqsError::Unreadable => "MalformedInput",
            SqsError::Missing { .. } => "MissingParameter",
            SqsError::OutOfRange { .. } | SqsError::MessageTooLong => "InvalidParameterValue",
            SqsError::UnknownAttribute { .. } => "InvalidAttributeName",
            SqsError::Receipt { .. } => "ReceiptHandleIsInvalid",
            SqsError::EmptyBatch => "AWS.SimpleQueueService.EmptyBatchRequest",
            SqsError::TooManyEntries { .. } => "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            SqsError::RepeatedId { .. } => "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
            SqsError::BatchTooLong { .. } => "AWS.SimpleQueueService.BatchRequestTooLong",
            SqsError::Store(_) => "InternalError",
        }
    }

    pub fn is_senders_fault(&self) -> bool {
        !matches!(self, SqsError::Store(_))
    }
}
