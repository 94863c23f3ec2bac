//! Endpoints, one module per category, named as GitHub names its operations (`issues/list-for-repo` is
//! `issues::ListForRepo`).

pub mod issues;
pub mod users;
