//! Durations as users write them: `500ms`, `2s`, `10m`, `1h`, `2d`.

use std::time::Duration;

/// Longest that is taken: a year and a day.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// The duration, or what is wrong with it.
pub fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let wrong = || format!("`{text}` is no duration: write `500ms`, `2s`, `10m`, `1h` or `2d`");
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let total = number.checked_mul(milliseconds).map(Duration::from_millis);
    total
        .filter(|it| *it <= LONGEST)
        .ok_or_else(|| format!("`{text}` is too long"))
}

/// A duration for people: `12 ms`, `1.2 s`.
pub fn shown(duration: Duration) -> String {
    match duration.as_millis() {
        0 => "<1 ms".to_owned(),
        milliseconds @ 1..1_000 => format!("{milliseconds} ms"),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(parse("2d"), Ok(Duration::from_secs(172_800)));
        for wrong in [
            "",
            "10",
            "m",
            "1.5s",
            "-1s",
            "1 s",
            "99999999999999999999s",
            "400d",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn they_are_shown_with_as_many_digits_as_one_reads() {
        assert_eq!(shown(Duration::from_micros(10)), "<1 ms");
        assert_eq!(shown(Duration::from_millis(12)), "12 ms");
        assert_eq!(shown(Duration::from_millis(1_234)), "1.2 s");
    }
}
