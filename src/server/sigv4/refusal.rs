//! Why a request is not taken for that of a job's key. Each service has its own codes for these.

use std::time::{Duration, UNIX_EPOCH};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("Request is missing Authentication Token")]
    NotSigned,
    #[error("AWS authentication requires a valid Date or x-amz-date header")]
    NoDate,
    #[error("The authorization header is malformed; {what}.")]
    Malformed { what: &'static str },
    /// No job has this key, or the job is over, or the key is so new that it is not known everywhere.
    #[error("The key in the request is not known.")]
    UnknownKey,
    #[error("The provided token has expired.")]
    Expired,
    #[error("{}", told_skew(.sent, *.sent_ms, *.now_ms))]
    Skewed { sent: String, sent_ms: i64, now_ms: i64 },
    #[error("There were headers present in the request which were not signed: {name}")]
    HeaderNotSigned { name: String },
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your key and signing method."
    )]
    Mismatch,
}

/// AWS's words, by which clients tell a wrong clock from a wrong signature.
fn told_skew(sent: &str, sent_ms: i64, now_ms: i64) -> String {
    let now =
        humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(now_ms.try_into().unwrap_or_default()));
    let now = now.to_string().replace(['-', ':'], "");
    if sent_ms < now_ms {
        format!("Signature expired: {sent} is now earlier than {now} - 15 min.")
    } else {
        format!("Signature not yet current: {sent} is still later than {now} + 15 min.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_told_in_the_words_of_aws() {
        let skewed =
            |sent_ms| Refusal::Skewed { sent: "20210503T123456Z".to_owned(), sent_ms, now_ms: 1_620_050_000_000 };
        let told = "Signature expired: 20210503T123456Z is now earlier than 20210503T135320Z - 15 min.";
        assert_eq!(skewed(1_620_045_296_000).to_string(), told);
        assert!(skewed(1_620_060_000_000).to_string().starts_with("Signature not yet current: "));
    }
}
