//! What Lambda gives a function beside memory and time: disk, traces, the form
//! of its logs. Always complete, because an update of a function leaves alone
//! what it doesn't name: clearing a setting is sending its default.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// MB of `/tmp` that every function has.
pub const DEFAULT_STORAGE_MB: u32 = 512;

/// Disk, traces and logs of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facilities {
    /// MB of `/tmp`.
    pub ephemeral_storage_mb: u32,
    /// Whether Lambda samples traces.
    pub tracing: Tracing,
    /// What the function's log looks like.
    pub logging: Logging,
}

impl Default for Facilities {
    fn default() -> Self {
        Self {
            ephemeral_storage_mb: DEFAULT_STORAGE_MB,
            tracing: Tracing::PassThrough,
            logging: Logging::Text,
        }
    }
}

impl Facilities {
    /// As Lambda gives them to whoever asks for nothing.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The form of a function's log. Levels exist in JSON only, and there always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Logging {
    /// Lines.
    Text,
    /// Objects, which Lambda can filter by level.
    Json {
        /// The lowest level of what the function itself writes that is kept.
        application: ApplicationLogLevel,
        /// The lowest level of what Lambda writes that is kept.
        system: SystemLogLevel,
    },
}

impl Logging {
    /// The format in the words of stage files.
    pub fn format(self) -> LogFormat {
        match self {
            Self::Text => LogFormat::Text,
            Self::Json { .. } => LogFormat::Json,
        }
    }

    /// The function's own level.
    pub fn application(self) -> Option<ApplicationLogLevel> {
        match self {
            Self::Text => None,
            Self::Json { application, .. } => Some(application),
        }
    }

    /// Lambda's level.
    pub fn system(self) -> Option<SystemLogLevel> {
        match self {
            Self::Text => None,
            Self::Json { system, .. } => Some(system),
        }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $file:literal = $aws:literal),+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[expect(
            missing_docs,
            reason = "documented variants would turn the schema's plain `enum` into alternatives"
        )]
        pub enum $name {
            $(#[serde(rename = $file)] $variant,)+
        }

        impl $name {
            /// AWS's word for it.
            pub fn as_aws(self) -> &'static str {
                match self { $(Self::$variant => $aws,)+ }
            }

            /// What AWS's word means; `None`: a word this version doesn't know.
            pub fn from_aws(word: &str) -> Option<Self> {
                match word { $($aws => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $file,)+ })
            }
        }
    };
}

words!(
    /// Whether Lambda samples traces and sends them to X-Ray.
    Tracing { Active = "active" = "Active", PassThrough = "pass_through" = "PassThrough" }
);
words!(
    /// The format of a function's log.
    LogFormat { Text = "text" = "Text", Json = "json" = "JSON" }
);
words!(
    /// Levels of what a function writes.
    ApplicationLogLevel {
        Trace = "trace" = "TRACE", Debug = "debug" = "DEBUG", Info = "info" = "INFO",
        Warn = "warn" = "WARN", Error = "error" = "ERROR", Fatal = "fatal" = "FATAL"
    }
);
words!(
    /// Levels of what Lambda writes about a function.
    SystemLogLevel { Debug = "debug" = "DEBUG", Info = "info" = "INFO", Warn = "warn" = "WARN" }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn awss_words_lead_there_and_back() {
        assert_eq!(LogFormat::from_aws("JSON"), Some(LogFormat::Json));
        assert_eq!(Tracing::Active.as_aws(), "Active");
        assert_eq!(Tracing::PassThrough.to_string(), "pass_through");
        assert_eq!(SystemLogLevel::from_aws("ERROR"), None);
    }
}
