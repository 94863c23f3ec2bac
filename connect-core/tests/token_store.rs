//! The stores in memory do what every store must.

use std::sync::Arc;

use connect_core::auth::store::{MemoryLoginStore, MemoryTokenStore};
use connect_core::simulation::token_store::{check_logins, check_tokens};

#[tokio::test]
async fn tokens_in_memory() {
    check_tokens(Arc::new(MemoryTokenStore::default())).await;
}

#[tokio::test]
async fn logins_in_memory() {
    check_logins(Arc::new(MemoryLoginStore::default())).await;
}
