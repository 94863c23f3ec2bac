//! The row of facts that every layer sees about an endpoint: name, method, path, safety, origin, paging, docs.
//!
//! Generic behaviour reads this row and nothing else, so a new endpoint brings no new code to the stack. Rows of
//! generated endpoints are `const`; a raw call makes its own at run time.

use std::borrow::Cow;

use http::Method;

use crate::argument::{Parameter, Payload};

/// How harmful is it to send the same request twice? This, not the status, decides about replays.
///
/// Four levels, because "idempotent" alone hides the difference between a read and a keyed write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Safety {
    /// Changes nothing: may be replayed at will.
    Safe,
    /// A second one finds the work done: may be replayed.
    Idempotent,
    /// The provider recognises a repetition by the idempotency key that all attempts share.
    Keyed,
    /// A second one does it twice: replayed only if the first was proven not sent, or definitely refused.
    Unsafe,
}

/// Which of the provider's hosts serves an operation. Credentials go only to the origins a client was built with.
///
/// Named by role, because the addresses differ between cloud, enterprise and data-residency installations.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The API itself: almost every operation.
    Api,
    /// A host that takes uploads.
    Uploads,
    /// A host that serves files.
    Files,
    /// A gateway in front of the API.
    Gateway,
    /// The API's GraphQL endpoint, where it does not stand below the API's own base.
    Graphql,
}

/// How a list goes on after its first page. Pointers are JSON pointers; `""` is the whole answer.
///
/// Data rather than code, so that one paging engine serves every provider.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// Not a list.
    None,
    /// The `Link` header names the next page (`rel="next"`).
    Link {
        /// Pointer to the array of items.
        items: &'static str,
    },
    /// The answer carries a cursor, which goes into a parameter of the next request.
    Cursor {
        /// Pointer to the array of items.
        items: &'static str,
        /// Pointer to the next cursor; absent, `null` or empty means the end.
        next: &'static str,
        /// The parameter of the request that takes it.
        param: &'static str,
        /// Pointer to a boolean that says "this was the last page", if the provider sends one.
        last: Option<&'static str>,
    },
    /// A parameter of the request says how many items to skip: this page's number and the items it brought. An empty
    /// page ends the list.
    Offset {
        /// Pointer to the array of items.
        items: &'static str,
        /// The parameter of the request that takes the number of items to skip (`startAt`); absent counts as 0.
        offset_param: &'static str,
        /// The parameter of the request that takes the page size (`maxResults`).
        limit_param: &'static str,
        /// Pointer to the number of items in the whole list, if the provider sends one.
        total: Option<&'static str>,
        /// Pointer to a boolean that says "this was the last page", if the provider sends one.
        last: Option<&'static str>,
    },
    /// Pages have numbers: the answer says which one it is and how many there are.
    Number {
        /// Pointer to the array of items.
        items: &'static str,
        /// The parameter of the request that takes the number of the page.
        param: &'static str,
        /// Pointer to this page's number.
        page: &'static str,
        /// Pointer to the number of pages.
        pages: &'static str,
    },
    /// A connection in the answer to a GraphQL query: items in `nodes` or in the `node` of `edges`, and `pageInfo` with
    /// `hasNextPage` and `endCursor`, all of which the query must ask for. The cursor goes into a variable of the query.
    /// Source: <https://relay.dev/graphql/connections.htm>.
    Connection {
        /// Pointer to the connection, within `data`: `/repository/issues`.
        at: &'static str,
        /// The variable of the query that takes the cursor, without its `$`.
        variable: &'static str,
    },
    /// The answer carries the URL of the next page, absolute or relative to this one.
    NextUrl {
        /// Pointer to the array of items.
        items: &'static str,
        /// Pointer to the URL; absent, `null` or empty means the end.
        next: &'static str,
    },
}

/// The static row of an endpoint.
///
/// ```
/// use connect_core::{Method, Operation, Paging, Safety};
/// const LIST: Operation =
///     Operation::new("issues/list-for-repo", Method::GET, "/repos/{owner}/{repo}/issues", Safety::Safe)
///         .paged(Paging::Link { items: "" })
///         .docs("https://docs.github.com/rest/issues/issues#list-repository-issues");
/// assert_eq!(LIST.name, "issues/list-for-repo");
/// ```
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Operation {
    /// The provider's own spelling; also the label in logs and metrics.
    pub name: Cow<'static, str>,
    /// The HTTP method.
    pub method: Method,
    /// Path template below the origin, with `{name}` for each path parameter.
    pub path: Cow<'static, str>,
    /// May it be sent twice?
    pub safety: Safety,
    /// Which host serves it.
    pub origin: Origin,
    /// How its list goes on.
    pub paging: Paging,
    /// The provider's page about it; empty for raw calls.
    pub docs: &'static str,
    /// What it takes, where that is known: path parameters in the order of the template.
    pub parameters: &'static [Parameter],
    /// What it takes as a body, where that is known.
    pub payload: Payload,
    /// What it draws on besides the provider's general quota, in the words of the provider's quota model (`tier3`,
    /// `search`).
    pub draws: &'static [&'static str],
}

impl Operation {
    /// A row for a generated or hand-written endpoint: served by [`Origin::Api`], not paged.
    pub const fn new(name: &'static str, method: Method, path: &'static str, safety: Safety) -> Self {
        Self {
            name: Cow::Borrowed(name),
            method,
            path: Cow::Borrowed(path),
            safety,
            origin: Origin::Api,
            paging: Paging::None,
            docs: "",
            parameters: &[],
            payload: Payload::None,
            draws: &[],
        }
    }

    /// A row made at run time, for a call this family has no endpoint for. The safety follows from the method as
    /// HTTP defines it (RFC 9110, 9.2): GET, HEAD and OPTIONS are [`Safety::Safe`], PUT and DELETE
    /// [`Safety::Idempotent`], everything else [`Safety::Unsafe`].
    pub fn raw(name: impl Into<String>, method: Method, path: impl Into<String>) -> Self {
        let safety = match method {
            Method::GET | Method::HEAD | Method::OPTIONS => Safety::Safe,
            Method::PUT | Method::DELETE => Safety::Idempotent,
            _ => Safety::Unsafe,
        };
        Self {
            name: Cow::Owned(name.into()),
            path: Cow::Owned(path.into()),
            safety,
            ..Self::new("", method, "", safety)
        }
    }

    /// Says how the list goes on.
    #[must_use]
    pub const fn paged(mut self, paging: Paging) -> Self {
        self.paging = paging;
        self
    }

    /// Says which host serves it.
    #[must_use]
    pub const fn origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// Overrides the safety, for a raw call whose meaning the method does not tell.
    #[must_use]
    pub const fn safety(mut self, safety: Safety) -> Self {
        self.safety = safety;
        self
    }

    /// Names the provider's page about it.
    #[must_use]
    pub const fn docs(mut self, page: &'static str) -> Self {
        self.docs = page;
        self
    }

    /// Says what it takes. Path parameters come first, in the order of the template.
    #[must_use]
    pub const fn takes(mut self, payload: Payload, parameters: &'static [Parameter]) -> Self {
        self.payload = payload;
        self.parameters = parameters;
        self
    }

    /// Says what it draws on besides the general quota.
    #[must_use]
    pub const fn draws(mut self, buckets: &'static [&'static str]) -> Self {
        self.draws = buckets;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_operations_take_their_safety_from_the_method() {
        let cases = [
            (Method::GET, Safety::Safe),
            (Method::PUT, Safety::Idempotent),
            (Method::DELETE, Safety::Idempotent),
            (Method::POST, Safety::Unsafe),
            (Method::PATCH, Safety::Unsafe),
        ];
        for (method, safety) in cases {
            assert_eq!(Operation::raw("raw", method, "/").safety, safety);
        }
    }
}
