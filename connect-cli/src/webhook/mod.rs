//! `connect webhook ..`: which schemes are known, whether a captured delivery verifies, deliveries to try a
//! receiver with, and files of test vectors.

use crate::arguments::{Arguments, unknown};
use crate::{Failure, World};

mod input;
mod schemes;
mod sign;
mod trial;
mod vectors;
mod verify;

const COMMANDS: &[&str] = &["schemes", "sign", "vectors", "verify"];

const HELP: &str = "\
usage: connect webhook schemes [NAME] [--json]
       connect webhook verify SCHEME [--header 'NAME: VALUE'].. [--body FILE] [--url URL] [--json]
       connect webhook sign SCHEME [--header 'NAME: VALUE'].. [--body FILE] [--url URL] [--json]
       connect webhook vectors FILE [--json]

options:
  --header 'NAME: VALUE'  a header of the request, once for each
  --body FILE             the raw body, byte by byte; standard input unless said
  --url URL               the whole URL as the provider calls it; some schemes sign it
  --method METHOD         POST unless said
  --now SECONDS           the time to verify or sign at, as a Unix time; the present unless said
  --scheme FILE           a scheme of your own, in TOML, instead of SCHEME
  --keys FILE             the provider's public keys: a JSON object of certificates and key sets by their URL
  --audience, --service-account, --webhook-id, --issuer, --topic
                          what some schemes compare; see the scheme's page

environment:
  WEBHOOK_SECRET          the signing secret, or the public key where the scheme has one
  WEBHOOK_SECRET_OLD      one that is being retired
  WEBHOOK_VERIFY_TOKEN    the token of a handshake, where the scheme has one

`verify` exits with 0 if the delivery is genuine and 1 if not, and says why; a handshake that nobody signs proves
nothing, and is a 1 too. `sign` writes the request as the provider
would send it. `vectors` prints a line for each vector that fails and exits with 1 if one does.
";

pub(crate) async fn run(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    let command = arguments.word();
    if arguments.flag("help") {
        return help(world);
    }
    match command.as_deref() {
        Some("help") => {
            arguments.finish()?;
            help(world)
        }
        Some("schemes") => schemes::run(arguments, world),
        Some("sign") => sign::run(arguments, world),
        Some("vectors") => vectors::run(arguments, world).await,
        Some("verify") => verify::run(arguments, world).await,
        Some(other) => Err(Failure::Usage(unknown("`connect webhook` command", other, COMMANDS))),
        None => Err(Failure::Usage(HELP.trim_end().to_owned())),
    }
}

pub(crate) fn help(world: &mut World) -> Result<u8, Failure> {
    world.say(HELP.trim_end());
    Ok(0)
}
