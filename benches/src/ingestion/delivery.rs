//! What is sent: one signed webhook of GitHub's, under a new delivery id each time.

use connect_webhook::{UnixTime, schemes, sign};

use crate::Failure;

/// Shared by sender and servers.
pub(crate) const SECRET: &str = "It's a Secret to Everybody";

/// Where all servers take webhooks.
pub(crate) const PATH: &str = "/webhooks/github";

/// What GitHub tells.
pub(crate) struct Event {
    /// As `X-GitHub-Event` names it.
    pub(crate) name: &'static str,
    /// JSON.
    pub(crate) body: &'static str,
}

/// What is ingested; every value is invented.
pub(crate) const ISSUES: Event = Event { name: "issues", body: include_str!("issues.json") };

/// A whole request, ready to be written. GitHub does not sign the id, so a new id needs no new signature.
#[derive(Clone)]
pub(crate) struct Message {
    bytes: Vec<u8>,
    id_at: usize,
}

impl Message {
    /// Signs the body, once for all deliveries.
    pub(crate) fn new(host: &str, event: &Event) -> Result<Self, Failure> {
        let Event { name, body } = event;
        let signed = sign(&schemes::GITHUB, &SECRET.into(), body.as_bytes(), UnixTime(0))?;
        let signature = signed.get("x-hub-signature-256").ok_or("nothing was signed")?.to_str()?;
        let before = format!("POST {PATH} HTTP/1.1\r\nHost: {host}\r\nX-GitHub-Delivery: ");
        let after = format!(
            "\r\nUser-Agent: GitHub-Hookshot/0c1d2e3\r\n\
             Accept: */*\r\n\
             Content-Type: application/json\r\n\
             X-GitHub-Event: {name}\r\n\
             X-GitHub-Hook-ID: 292430182\r\n\
             X-GitHub-Hook-Installation-Target-ID: 724712\r\n\
             X-GitHub-Hook-Installation-Target-Type: repository\r\n\
             X-Hub-Signature-256: {signature}\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        let bytes = format!("{before}{}{after}{body}", id(0)).into_bytes();
        Ok(Self { bytes, id_at: before.len() })
    }

    /// The request of the delivery with this number.
    pub(crate) fn numbered(&mut self, number: u64) -> &[u8] {
        for (byte, digit) in self.bytes.iter_mut().skip(self.id_at).zip(id(number).bytes()) {
            *byte = digit;
        }
        &self.bytes
    }
}

/// A UUID. Scattered like GitHub's, since ids in order would be kind to the index they are kept in.
fn id(number: u64) -> String {
    // Odd, so that no two numbers give the same; the golden ratio's digits, so that neighbours end up far apart.
    let scattered = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let (high, low) = (scattered >> 32, scattered & 0xFFFF_FFFF);
    format!("{high:08x}-{:04x}-4000-8000-{:012x}", low >> 16, low & 0xFFFF)
}
