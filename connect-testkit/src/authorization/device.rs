//! The device login of RFC 8628: a code to show, and a client that polls until the person decides elsewhere.
//!
//! A device code lives 15 minutes and may be polled every five seconds on the fake's clock; each poll that comes
//! earlier is told to slow down and adds five seconds. A decision counts at once, however fast the poll.
//! Not a verification page: the test decides, with `approve` and `deny`.

use serde_json::{Map, Value, json};

use super::answer::{Failure, Reason};
use super::ledger::{Family, Issued};
use super::state::State;
use super::token::Call;
use crate::unique;

const LIFETIME: u64 = 900;
/// Also what each "slow down" adds (RFC 8628 3.5).
const INTERVAL: u64 = 5;

#[derive(Clone, Copy, PartialEq)]
enum Decision {
    None,
    Approved,
    Denied,
    Redeemed,
}

pub(crate) struct Device {
    device_code: String,
    user_code: String,
    client: String,
    scopes: Vec<String>,
    expires_at: u64,
    interval: u64,
    polled_at: Option<u64>,
    decision: Decision,
}

/// Begins a device login.
pub(crate) fn begin(state: &mut State, call: &Call<'_>, origin: &str) -> Result<Map<String, Value>, Failure> {
    let client = call.device_client(state)?;
    let number = unique::number();
    let device = Device {
        device_code: format!("fake-device-code-{number:06}"),
        user_code: format!("FAKE-{number:04}"),
        client: client.id,
        scopes: call.arguments.scopes("scope"),
        expires_at: call.now.saturating_add(LIFETIME),
        interval: INTERVAL,
        polled_at: None,
        decision: Decision::None,
    };
    let uri = format!("{origin}/device");
    let fields = json!({
        "device_code": device.device_code,
        "user_code": device.user_code,
        "verification_uri_complete": format!("{uri}?user_code={}", device.user_code),
        "verification_uri": uri,
        "expires_in": LIFETIME,
        "interval": INTERVAL,
    });
    state.devices.push(device);
    Ok(fields.as_object().cloned().unwrap_or_default())
}

/// Decides for the person; whether a login waits under this user code.
pub(crate) fn decide(state: &mut State, user_code: &str, approves: bool, now: u64) -> bool {
    let waiting = state.devices.iter_mut().find(|device| {
        device.user_code == user_code && device.decision == Decision::None && now < device.expires_at
    });
    let decision = if approves { Decision::Approved } else { Decision::Denied };
    waiting.map(|device| device.decision = decision).is_some()
}

/// One poll at the token endpoint.
pub(crate) fn poll(state: &mut State, call: &Call<'_>) -> Result<Issued, Failure> {
    let client = call.device_client(state)?;
    let text = call.arguments.require("device_code")?;
    let device = state
        .devices
        .iter_mut()
        .find(|device| device.device_code == text && device.client == client.id)
        .ok_or_else(|| Failure::new(Reason::InvalidDeviceCode))?;
    match device.decision {
        Decision::Redeemed => return Err(Failure::new(Reason::InvalidDeviceCode)),
        _ if call.now >= device.expires_at => return Err(Failure::new(Reason::ExpiredDeviceCode)),
        Decision::Denied => return Err(Failure::new(Reason::AccessDenied)),
        Decision::None => {
            let last = device.polled_at.replace(call.now);
            if last.is_some_and(|last| call.now.saturating_sub(last) < device.interval) {
                device.interval += INTERVAL;
                return Err(Failure::slow_down(device.interval));
            }
            return Err(Failure::new(Reason::AuthorizationPending));
        }
        Decision::Approved => device.decision = Decision::Redeemed,
    }
    let family = Family {
        client: client.id,
        scopes: device.scopes.clone(),
        person: true,
        user_scope: false,
        nonce: None,
        began_at: call.now,
        revoked: false,
    };
    Ok(state.ledger.open("device_code", family, call.now, call.terms))
}
