//! References: ARNs of parameters and secrets, and where their service answers.

/// Where a value is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub arn: String,
    pub store: Store,
    pub region: String,
    dns_suffix: &'static str,
}

/// Which service keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Parameters,
    Secrets,
}

impl Store {
    /// In signatures and host names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parameters => "ssm",
            Self::Secrets => "secretsmanager",
        }
    }

    /// Overrides the address, as in every AWS SDK.
    pub fn endpoint_variable(self) -> &'static str {
        match self {
            Self::Parameters => "AWS_ENDPOINT_URL_SSM",
            Self::Secrets => "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        }
    }
}

impl Reference {
    /// `None`: not an ARN of either service.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, region, _account, resource] = parts.as_slice() else {
            return None;
        };
        let store = match *service {
            "ssm" if resource.starts_with("parameter/") => Store::Parameters,
            "secretsmanager" if resource.starts_with("secret:") => Store::Secrets,
            _ => return None,
        };
        let dns_suffix = match *partition {
            "aws-cn" => "amazonaws.com.cn",
            _ => "amazonaws.com",
        };
        Some(Self {
            arn: text.to_owned(),
            store,
            region: (*region).to_owned(),
            dns_suffix,
        })
    }

    /// The service's own address.
    pub fn endpoint(&self) -> String {
        let service = self.store.name();
        format!("https://{service}.{}.{}", self.region, self.dns_suffix)
    }
}

#[cfg(test)]
mod tests {
    use super::{Reference, Store};

    #[test]
    fn an_arn_says_which_service_of_which_region_to_ask() {
        let arn = "arn:aws:ssm:eu-central-1:123456789012:parameter/chat/key";
        let reference = Reference::parse(arn).unwrap();
        assert_eq!(reference.store, Store::Parameters);
        assert_eq!(
            reference.endpoint(),
            "https://ssm.eu-central-1.amazonaws.com"
        );
        let arn = "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:key-AbCdEf";
        let reference = Reference::parse(arn).unwrap();
        assert_eq!(
            reference.endpoint(),
            "https://secretsmanager.cn-north-1.amazonaws.com.cn"
        );
    }

    #[test]
    fn a_value_is_no_reference() {
        assert_eq!(Reference::parse("hunter2"), None);
        assert_eq!(Reference::parse("arn:aws:s3:::bucket"), None);
    }
}
