//! Makes a token: `TOKEN_KEY=… cargo run -p authorize --example token -- ann 3600`
//! prints one for `ann`, good for an hour.

use authorize::{Claims, Key, sign};
use std::io::{Write, stdout};
use std::time::{SystemTime, UNIX_EPOCH};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let usage = "name the user and for how many seconds the token is good";
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or(usage)?;
    let seconds: u64 = arguments.next().ok_or(usage)?.parse()?;
    let key = std::env::var("TOKEN_KEY").map_err(|_| "TOKEN_KEY must hold the key")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let claims = Claims {
        sub: name,
        exp: now + seconds,
        nbf: None,
    };
    let token = sign(&claims, &Key::new(key.as_bytes())?);
    writeln!(stdout(), "{token}")?;
    Ok(())
}
