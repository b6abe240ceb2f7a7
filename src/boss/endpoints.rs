//! Where S3 and SQS are: AWS itself, a service that stands in for it, or a local Boss.

use reqwest::Url;

use super::{BossError, http::parse_address};

/// The addresses of S3 and SQS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    s3: Url,
    /// `None`: at the origin of each queue's URL.
    sqs: Option<Url>,
}

/// S3 in the Boss's region.
const AWS_S3: &str = "https://s3.us-east-1.amazonaws.com";
/// SQS in the Boss's region, for queue URLs with the host of old.
const AWS_SQS: &str = "https://sqs.us-east-1.amazonaws.com";
const AWS_SQS_OF_OLD: [&str; 2] = ["queue.amazonaws.com", "us-east-1.queue.amazonaws.com"];

impl Endpoints {
    /// AWS, unless `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL_SQS` or `AWS_ENDPOINT_URL` say otherwise; blank is unset.
    ///
    /// # Errors
    /// [`BossError::BadAddress`] when one of them is no URL.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Self, BossError> {
        let set = |name: &str| env(name).filter(|value| !value.trim().is_empty());
        let either = |name: &str| set(name).or_else(|| set("AWS_ENDPOINT_URL"));
        let s3 = parse_address(either("AWS_ENDPOINT_URL_S3").as_deref().unwrap_or(AWS_S3).trim())?;
        let sqs = either("AWS_ENDPOINT_URL_SQS").map(|address| parse_address(address.trim())).transpose()?;
        Ok(Endpoints { s3, sqs })
    }

    /// A local Boss, which serves everything at one origin.
    ///
    /// # Errors
    /// [`BossError::BadAddress`] when `origin` is no URL.
    pub fn local(origin: &str) -> Result<Self, BossError> {
        let url = parse_address(origin)?;
        Ok(Endpoints { s3: url.clone(), sqs: Some(url) })
    }

    /// The address of an object whose bucket and key are already encoded; path style, as bucket names contain dots.
    pub(super) fn object(&self, bucket: &str, key: &str) -> Result<Url, BossError> {
        parse_address(&format!("{}/{bucket}/{key}", self.s3.as_str().trim_end_matches('/')))
    }

    /// Where requests for a queue are sent. The queue's own URL travels in the body.
    pub(super) fn queue(&self, queue_url: &str) -> Result<Url, BossError> {
        if let Some(sqs) = &self.sqs {
            return Ok(sqs.clone());
        }
        let url = parse_address(queue_url)?;
        if url.host_str().is_some_and(|host| AWS_SQS_OF_OLD.contains(&host)) {
            return parse_address(AWS_SQS);
        }
        parse_address(&url.origin().ascii_serialization())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: &str = "http://10.0.0.1:9324/000000000000/boss-upload-7";

    /// An environment, a queue's URL, and where an object and the queue's requests go.
    type Row<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str, &'a str);

    /// The object's and the queue's address under an environment.
    fn addresses(env: &[(&str, &str)], queue: &str) -> (String, String) {
        let look_up = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string());
        let endpoints = Endpoints::from_env(look_up).unwrap();
        (endpoints.object("tiles.b.io", "k%26").unwrap().into(), endpoints.queue(queue).unwrap().into())
    }

    #[test]
    fn the_environment_overrides_aws_and_the_special_overrides_the_general() {
        let aws = "https://s3.us-east-1.amazonaws.com/tiles.b.io/k%26";
        let table: [Row; 6] = [
            (&[], QUEUE, aws, "http://10.0.0.1:9324/"),
            (&[], "https://queue.amazonaws.com/123/q", aws, "https://sqs.us-east-1.amazonaws.com/"),
            (&[], "https://sqs.eu-west-1.amazonaws.com/123/q", aws, "https://sqs.eu-west-1.amazonaws.com/"),
            (&[("AWS_ENDPOINT_URL", "http://a:1/")], QUEUE, "http://a:1/tiles.b.io/k%26", "http://a:1/"),
            (
                &[("AWS_ENDPOINT_URL", "http://a:1"), ("AWS_ENDPOINT_URL_S3", "http://s3:2/p")],
                QUEUE,
                "http://s3:2/p/tiles.b.io/k%26",
                "http://a:1/",
            ),
            (&[("AWS_ENDPOINT_URL", ""), ("AWS_ENDPOINT_URL_SQS", "http://q:3")], QUEUE, aws, "http://q:3/"),
        ];
        for (env, queue, object, sqs) in table {
            assert_eq!(addresses(env, queue), (object.to_owned(), sqs.to_owned()), "{env:?}");
        }
    }

    #[test]
    fn a_local_boss_serves_both_at_its_origin() {
        let endpoints = Endpoints::local("http://127.0.0.1:8090").unwrap();
        assert_eq!(endpoints.object("b", "k").unwrap().as_str(), "http://127.0.0.1:8090/b/k");
        assert_eq!(endpoints.queue("http://other/0/q").unwrap().as_str(), "http://127.0.0.1:8090/");
    }

    #[test]
    fn a_wrong_address_is_an_error() {
        assert!(Endpoints::from_env(|_| Some("localhost:4566".to_owned())).is_err());
        assert!(Endpoints::local("").is_err());
        assert!(Endpoints::from_env(|_| None).unwrap().queue("no url").is_err());
    }
}
