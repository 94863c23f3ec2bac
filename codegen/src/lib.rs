//! Makes typed clients from the providers' descriptions: `import` turns a description into compact [tables of facts](facts),
//! `generate` turns tables and an [overlay] of corrections into Rust.

pub mod command;
pub mod facts;
pub mod generate;
pub mod import;
pub mod naming;
pub mod overlay;
pub mod tables;
