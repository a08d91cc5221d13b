//! Points in time: milliseconds since 1970-01-01T00:00:00Z, written as RFC 3339 in UTC.

use ::time::OffsetDateTime;
use ::time::format_description::well_known::Rfc3339;
use serde::{Deserialize, Serialize};

/// A point in time in milliseconds since the Unix epoch. The domain never reads a clock; it is given one of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// 9999-12-31T23:59:59.999Z, the last time that a four-digit year can express.
const LAST_MS: i64 = 253_402_300_799_999;

impl Timestamp {
    /// The time `ms` milliseconds after the epoch, limited to the range from the epoch to the end of the year 9999.
    pub fn from_ms(ms: i64) -> Self {
        Self(ms.clamp(0, LAST_MS))
    }

    /// Milliseconds since the epoch.
    pub fn ms(self) -> i64 {
        self.0
    }

    /// The same time without its fraction of a second.
    pub fn whole_seconds(self) -> Self {
        Self(self.0 - self.0.rem_euclid(1000))
    }

    /// `ms` milliseconds later.
    pub fn plus_ms(self, ms: i64) -> Self {
        Self::from_ms(self.0.saturating_add(ms))
    }

    /// Parses RFC 3339 in any offset; `None` for anything else and for years before 1970.
    pub fn parse(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        let ms = i64::try_from(moment.unix_timestamp_nanos().div_euclid(1_000_000)).ok()?;
        (0..=LAST_MS).contains(&ms).then_some(Self(ms))
    }

    /// RFC 3339 with `Z`. A fraction is written only if there is one.
    pub fn rfc3339(self) -> String {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .ok()
            .and_then(|moment| moment.format(&Rfc3339).ok())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn n6_times_are_rfc_3339_in_utc() {
        let cases = [
            ("2025-09-13T10:00:00Z", Some("2025-09-13T10:00:00Z")),
            ("2025-09-13T12:00:00+02:00", Some("2025-09-13T10:00:00Z")),
            ("2025-09-13T10:00:00.5Z", Some("2025-09-13T10:00:00.5Z")),
            ("2025-09-13t10:00:00z", Some("2025-09-13T10:00:00Z")),
            ("1969-12-31T23:59:59Z", None),
            ("2025-09-13", None),
            ("2025-02-30T00:00:00Z", None),
            ("", None),
        ];
        for (text, want) in cases {
            let got = Timestamp::parse(text).map(Timestamp::rfc3339);
            assert_eq!(got.as_deref(), want, "{text}");
        }
    }
}
