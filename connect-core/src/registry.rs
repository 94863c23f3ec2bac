//! The connectors of a host by tenant and name, and how all of a tenant's are.
//!
//! For hosts whose connections are configuration: an operator adds `crm` and `tracker`, code asks for them by name.
//! Typed calls stay on the concrete client; a program with one fixed client needs no registry. Nothing here waits while
//! it holds a lock.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::connector::{Connector, Health};
use crate::context::Context;
use crate::deadline::after;
use crate::error::{Error, ErrorKind, Sent};

/// Whoever looks at a page of lights does not wait longer; a provider that takes longer is down for practical purposes.
const HEALTH_DEADLINE: Duration = Duration::from_secs(10);

type Named = BTreeMap<String, Arc<dyn Connector>>;

/// Connectors by tenant and name. Share it behind an [`Arc`].
///
/// ```
/// use std::sync::Arc;
/// use connect_core::{Connector, Context, Registry};
/// async fn connect(registry: &Registry, tracker: Arc<dyn Connector>) {
///     registry.insert("acme", "tracker", tracker);
///     assert!(registry.get("acme", "tracker").is_some());
///     assert!(registry.get("other", "tracker").is_none(), "another tenant does not see it");
///     for (name, health) in registry.health(&Context::for_tenant("acme")).await {
///         println!("{name}: {health:?}");
///     }
/// }
/// ```
#[derive(Default)]
pub struct Registry {
    tenants: RwLock<HashMap<String, Named>>,
}

impl Registry {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connector under a name of the tenant's; returns the one it replaces.
    pub fn insert(
        &self,
        tenant: &str,
        name: impl Into<String>,
        connector: Arc<dyn Connector>,
    ) -> Option<Arc<dyn Connector>> {
        self.write().entry(tenant.to_owned()).or_default().insert(name.into(), connector)
    }

    /// The tenant's connector of this name.
    pub fn get(&self, tenant: &str, name: &str) -> Option<Arc<dyn Connector>> {
        self.read().get(tenant)?.get(name).cloned()
    }

    /// Takes a connector out. Calls under way keep theirs.
    pub fn remove(&self, tenant: &str, name: &str) -> Option<Arc<dyn Connector>> {
        let mut tenants = self.write();
        let named = tenants.get_mut(tenant)?;
        let removed = named.remove(name);
        if named.is_empty() {
            tenants.remove(tenant);
        }
        removed
    }

    /// The tenant's connectors, in the order of their names.
    pub fn list(&self, tenant: &str) -> Vec<(String, Arc<dyn Connector>)> {
        let tenants = self.read();
        let named = tenants.get(tenant).into_iter().flatten();
        named.map(|(name, connector)| (name.clone(), Arc::clone(connector))).collect()
    }

    /// The tenants that have connectors, sorted.
    pub fn tenants(&self) -> Vec<String> {
        let mut tenants: Vec<_> = self.read().keys().cloned().collect();
        tenants.sort();
        tenants
    }

    /// How the connectors of the context's tenant are, in the order of their names. All are asked at once, on the
    /// caller's task; whoever has not answered after 10 s, or at the context's deadline if that is earlier, is
    /// [`Health::Down`].
    pub async fn health(&self, cx: &Context) -> Vec<(String, Health)> {
        let mut cx = cx.clone();
        cx.limit_deadline(after(Instant::now(), HEALTH_DEADLINE));
        let asked = self.list(cx.tenant()).into_iter().map(|(name, connector)| {
            let cx = cx.for_next_operation();
            let health = async move { (name, ask(&*connector, &cx).await) };
            Box::pin(health) as Pin<Box<dyn Future<Output = (String, Health)> + Send>>
        });
        join(asked.collect()).await
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<String, Named>> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<String, Named>> {
        self.tenants.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenants = self.read();
        f.debug_struct("Registry")
            .field("tenants", &tenants.len())
            .field("connectors", &tenants.values().map(BTreeMap::len).sum::<usize>())
            .finish()
    }
}

/// A connector should keep the deadline itself; one that does not must not keep the others from being seen.
async fn ask(connector: &dyn Connector, cx: &Context) -> Health {
    let answer = connector.health(cx);
    let Some(deadline) = cx.deadline() else { return answer.await };
    timeout_at(deadline, answer).await.unwrap_or_else(|_| Health::Down {
        error: Error::new(ErrorKind::Timeout, "no answer about its health in time").with_sent(Sent::Maybe),
    })
}

/// All results, in order. Polls everybody on each wake-up: right for the handful of connectors a tenant has.
async fn join<T>(mut running: Vec<Pin<Box<dyn Future<Output = T> + Send>>>) -> Vec<T> {
    let mut done: Vec<Option<T>> = running.iter().map(|_| None).collect();
    poll_fn(|cx| {
        for (future, result) in running.iter_mut().zip(&mut done) {
            if result.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(cx)
            {
                *result = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::{AuthKind, Descriptor, Identity};
    use async_trait::async_trait;

    /// Answers about its health after this long, whatever the deadline.
    struct Slow(Duration);

    #[async_trait]
    impl Connector for Slow {
        fn descriptor(&self) -> &'static Descriptor {
            const SLOW: Descriptor = Descriptor::new("slow", "Slow", "0", &[AuthKind::Anonymous], "");
            &SLOW
        }

        async fn validate_credentials(&self, _cx: &Context) -> Result<Identity, Error> {
            Ok(Identity::new("slow", "nobody"))
        }

        async fn health(&self, _cx: &Context) -> Health {
            tokio::time::sleep(self.0).await;
            Health::Up { latency: self.0 }
        }

        fn quota(&self, _cx: &Context) -> Vec<crate::quota::QuotaStatus> {
            Vec::new()
        }
    }

    fn slow(seconds: u64) -> Arc<dyn Connector> {
        Arc::new(Slow(Duration::from_secs(seconds)))
    }

    #[test]
    fn a_name_belongs_to_one_tenant() {
        let registry = Registry::new();
        assert!(registry.insert("acme", "tracker", slow(1)).is_none());
        assert!(registry.insert("acme", "crm", slow(1)).is_none());
        assert!(registry.insert("zeta", "tracker", slow(1)).is_none());
        let (acme, zeta) =
            (registry.get("acme", "tracker").unwrap(), registry.get("zeta", "tracker").unwrap());
        assert!(!Arc::ptr_eq(&acme, &zeta));
        let names = |tenant| registry.list(tenant).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names("acme"), ["crm", "tracker"]);
        assert_eq!((names("nobody").len(), registry.tenants()), (0, vec!["acme".into(), "zeta".into()]));
        let replaced = registry.insert("acme", "tracker", slow(2)).unwrap();
        assert!(Arc::ptr_eq(&replaced, &acme));
        assert!(registry.remove("zeta", "tracker").is_some());
        assert!(registry.remove("zeta", "tracker").is_none() && registry.get("zeta", "tracker").is_none());
        assert_eq!(registry.tenants(), ["acme"]);
    }

    #[tokio::test(start_paused = true)]
    async fn all_are_asked_at_once_and_nobody_holds_up_the_others() {
        let registry = Registry::new();
        for (name, seconds) in [("a", 2), ("b", 3_600), ("c", 3)] {
            registry.insert("acme", name, slow(seconds));
        }
        registry.insert("other", "d", slow(1));
        let begun = Instant::now();
        let health = registry.health(&Context::for_tenant("acme")).await;
        assert_eq!(begun.elapsed(), HEALTH_DEADLINE);
        assert_eq!(health.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert!(matches!(health[0].1, Health::Up { .. }) && matches!(health[2].1, Health::Up { .. }));
        assert!(matches!(&health[1].1, Health::Down { error } if error.kind() == ErrorKind::Timeout));
    }

    #[tokio::test(start_paused = true)]
    async fn an_earlier_deadline_of_the_caller_counts() {
        let registry = Registry::new();
        registry.insert("acme", "a", slow(3_600));
        let mut cx = Context::for_tenant("acme");
        let begun = Instant::now();
        cx.limit_deadline(begun + Duration::from_secs(1));
        assert_eq!(registry.health(&cx).await.len(), 1);
        assert_eq!(begun.elapsed(), Duration::from_secs(1));
        assert!(registry.health(&Context::default()).await.is_empty());
    }

    #[test]
    fn is_shared_between_threads_and_its_questions_between_tasks() {
        fn sendable<T: Send>(_: &T) {}
        fn shared<T: Send + Sync>(_: &T) {}
        let (registry, cx) = (Registry::new(), Context::default());
        shared(&registry);
        sendable(&registry.health(&cx));
    }
}
