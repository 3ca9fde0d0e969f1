//! Good tokens, and every way of not being one.

use super::*;
use proptest::prelude::{any, prop_assert, prop_assert_eq, prop_assume, proptest};
use proptest::sample::Index;

const NOW: u64 = 1_800_000_000;

fn key() -> Key {
    Key::new(b"a key of thirty-two bytes or more").unwrap()
}

fn claims(sub: &str) -> Claims {
    Claims {
        sub: sub.to_owned(),
        exp: NOW + 60,
        nbf: None,
    }
}

/// A token with any header and claims, signed with the key.
fn signed(header: &str, claims: &str) -> String {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let mut mac = key().mac();
    mac.update(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{signed}.{signature}")
}

fn refusal(token: &str) -> Refusal {
    verify(token, &key(), NOW).expect_err(token)
}

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

#[test]
fn a_signed_token_says_who_it_is() {
    for name in ["ann", "Zoë", "李雷", "O'Neil", "a.b-c_d@e+f"] {
        let token = sign(&claims(name), &key());
        assert_eq!(verify(&token, &key(), NOW), Ok(claims(name)), "{name}");
    }
}

#[test]
fn the_example_of_the_standard_has_the_standards_signature() {
    // RFC 7515, appendix A.1: its claims are others than ours, its signature is good.
    let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let key =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let key = Key::new(&URL_SAFE_NO_PAD.decode(key).unwrap()).unwrap();
    assert_eq!(verify(token, &key, NOW), Err(Refusal::Claims));
    assert_eq!(refusal(token), Refusal::Signature);
}

#[test]
fn the_token_that_the_documents_make_with_openssl_is_the_same() {
    let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4iLCJleHAiOjE4MDAwMDAwNjB9.DcITn-VKwjIkpGSL5rQ08E-3MWzZ2aSrb5ALpYkgDjo";
    assert_eq!(sign(&claims("ann"), &key()), token);
}

#[test]
fn a_token_is_good_before_it_expires_and_not_much_before_it_begins() {
    let at = |exp, nbf| {
        let claims = Claims {
            sub: "ann".to_owned(),
            exp,
            nbf,
        };
        verify(&sign(&claims, &key()), &key(), NOW).map(|claims| claims.sub)
    };
    assert_eq!(at(NOW + 1, None), Ok("ann".to_owned()));
    assert_eq!(at(NOW, None), Err(Refusal::Expired));
    assert_eq!(at(0, None), Err(Refusal::Expired));
    assert_eq!(at(NOW + 900, Some(NOW + 60)), Ok("ann".to_owned()));
    assert_eq!(at(NOW + 900, Some(NOW + 61)), Err(Refusal::Early));
    assert_eq!(at(NOW + 900, Some(u64::MAX)), Err(Refusal::Early));
}

#[test]
fn a_token_never_chooses_how_it_is_checked() {
    let claims = format!(r#"{{"sub":"ann","exp":{}}}"#, NOW + 60);
    assert!(verify(&signed(HEADER, &claims), &key(), NOW).is_ok());
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"HS512","typ":"JWT"}"#,
        r#"{"alg":"hs256","typ":"JWT"}"#,
        r#"{"alg":"HS256","alg":"none"}"#,
        r#"{"alg":"HS256","typ":"JWE"}"#,
        r#"{"alg":"HS256","crit":["exp"]}"#,
        r#"{"typ":"JWT"}"#,
        r#""HS256""#,
    ] {
        assert_eq!(
            refusal(&signed(header, &claims)),
            Refusal::Header,
            "{header}"
        );
    }
    let unsigned = format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
        URL_SAFE_NO_PAD.encode(&claims)
    );
    assert_eq!(refusal(&unsigned), Refusal::Signature);
}

#[test]
fn claims_are_a_name_and_a_time() {
    for claims in [
        r#"{"sub":"ann"}"#,
        r#"{"exp":1900000000}"#,
        r#"{"sub":7,"exp":1900000000}"#,
        r#"{"sub":"ann","exp":"1900000000"}"#,
        r#"{"sub":"ann","exp":1900000000.5}"#,
        r#"{"sub":"ann","exp":-1}"#,
        r#"{"sub":"ann","exp":1900000000,"exp":1}"#,
        r#"{"sub":"ann","exp":1900000000,"nbf":"soon"}"#,
        "[]",
        "",
    ] {
        assert_eq!(
            refusal(&signed(HEADER, claims)),
            Refusal::Claims,
            "{claims}"
        );
    }
    let more = r#"{"sub":"ann","exp":1900000000,"iat":1,"admin":true}"#;
    assert!(verify(&signed(HEADER, more), &key(), NOW).is_ok());
}

#[test]
fn names_are_bounded_and_can_be_read() {
    let long = "x".repeat(NAME_LIMIT + 1);
    for name in [
        "",
        " ann",
        "ann ",
        "a  b",
        "a\nb",
        "a\u{0}",
        "a\u{202e}nn",
        "a\u{200b}n",
        "<ann>",
        &long,
    ] {
        let token = sign(&claims(name), &key());
        assert_eq!(refusal(&token), Refusal::Name, "{name:?}");
    }
    let longest = "x".repeat(NAME_LIMIT);
    assert!(verify(&sign(&claims(&longest), &key()), &key(), NOW).is_ok());
}

#[test]
fn what_has_another_shape_is_no_token() {
    let good = sign(&claims("ann"), &key());
    assert_eq!(refusal(""), Refusal::Malformed);
    assert_eq!(refusal("a.b"), Refusal::Malformed);
    assert_eq!(refusal(&format!("{good}.x")), Refusal::Malformed);
    assert_eq!(refusal(&format!("{good}=")), Refusal::Malformed);
    assert_eq!(refusal(&good.replace('.', " . ")), Refusal::Malformed);
    let long = format!("{}.{good}", "x".repeat(TOKEN_LIMIT));
    assert_eq!(refusal(&long), Refusal::TooLong);
}

#[test]
fn keys_that_could_be_guessed_are_refused_and_none_is_ever_shown() {
    let error = Key::new(b"secret").unwrap_err().to_string();
    assert!(error.starts_with("the key has 6 bytes"), "{error}");
    assert_eq!(format!("{:?}", key()), "Key(hidden)");
}

proptest! {
    #[test]
    fn a_token_changed_in_any_character_is_refused(at in any::<Index>(), to in "[A-Za-z0-9_.=-]") {
        let token = sign(&claims("ann"), &key());
        let at = at.index(token.len());
        let mut changed = token.clone();
        changed.replace_range(at..=at, &to);
        prop_assume!(changed != token);
        let refused = verify(&changed, &key(), NOW);
        prop_assert!(
            matches!(refused, Err(Refusal::Signature | Refusal::Malformed)),
            "{changed}: {refused:?}"
        );
    }

    #[test]
    fn a_token_cut_anywhere_is_refused(at in any::<Index>()) {
        let token = sign(&claims("ann"), &key());
        let cut = &token[..at.index(token.len())];
        prop_assert!(verify(cut, &key(), NOW).is_err());
    }

    #[test]
    fn a_token_of_another_key_is_refused(bytes in proptest::collection::vec(any::<u8>(), 32..80)) {
        let other = Key::new(&bytes).unwrap();
        let token = sign(&claims("ann"), &other);
        prop_assert_eq!(verify(&token, &key(), NOW), Err(Refusal::Signature));
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,80}") {
        prop_assert!(verify(&text, &key(), NOW).is_err());
    }
}
