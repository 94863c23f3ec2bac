//! Endpoints, one module per tag of Jira's description, named as Jira names its operations (`createIssue` is
//! `issues::CreateIssue`; its JQL search is `issue_search::Search`).

pub mod issue_comments;
pub mod issue_search;
pub mod issues;
pub mod myself;
