//! Numbered pages with a `Link` header, as most of GitHub's lists have them.
//!
//! `per_page` is 30 by default and at most 100; larger numbers are cut, and page 0 is page 1. The links are
//! absolute and keep every other parameter of the request; a list that fits one page has no `Link` at all.
//! Not for the cursor-paged lists (`before`, `after`), which this fake does not have.

use crate::server::Received;

const DEFAULT_PER_PAGE: usize = 30;
const MAX_PER_PAGE: usize = 100;

pub(crate) struct Page {
    number: usize,
    size: usize,
}

impl Page {
    pub(crate) fn of(request: &Received) -> Self {
        let number = |name: &str| {
            request.query_pairs().find(|(key, _)| key == name).and_then(|(_, value)| value.parse().ok())
        };
        Self {
            number: number("page").unwrap_or(1).max(1),
            size: number("per_page").filter(|&size| size > 0).unwrap_or(DEFAULT_PER_PAGE).min(MAX_PER_PAGE),
        }
    }

    pub(crate) fn slice<'a, T>(&self, items: &'a [T]) -> &'a [T] {
        let start = (self.number - 1).saturating_mul(self.size).min(items.len());
        let end = start.saturating_add(self.size).min(items.len());
        &items[start..end]
    }

    /// The `Link` header for a list of this length at this absolute URL.
    pub(crate) fn link(&self, url: &str, request: &Received, length: usize) -> Option<String> {
        let last = length.div_ceil(self.size).max(1);
        let mut targets = Vec::new();
        if self.number > 1 {
            // Behind the end there is no page before this one but the last.
            targets.push((self.number.min(last + 1) - 1, "prev"));
        }
        if self.number < last {
            targets.extend([(self.number + 1, "next"), (last, "last")]);
        }
        if self.number > 1 {
            targets.push((1, "first"));
        }
        let links: Vec<String> = targets
            .into_iter()
            .map(|(page, relation)| format!("<{url}?{}>; rel=\"{relation}\"", query(request, page)))
            .collect();
        (!links.is_empty()).then(|| links.join(", "))
    }
}

fn query(request: &Received, page: usize) -> String {
    let others = request.query_pairs().filter(|(name, _)| name != "page");
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(others)
        .append_pair("page", &page.to_string())
        .finish()
}
