//! Four small programs on connect-github, each a file here and a thin `main` in `src/bin`:
//!
//! | program | shows |
//! |---|---|
//! | [`triage`] (`triage-bot`) | handles, lists as streams, polite pacing, writes that are done once |
//! | [`release`] (`release-upload`) | uploads as streams, a deadline, a look before a repetition |
//! | [`installations`] (`app-installations`) | an App, its installations, what is left of their limits |
//! | [`forward`] (`webhook-to-slack`) | a receiver of webhooks: verify, drop repetitions, answer, then work |
//!
//! They are to be read and copied. What several of them need is in [`command`].

pub mod command;
pub mod forward;
pub mod installations;
pub mod release;
pub mod triage;
