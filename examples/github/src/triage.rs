//! The triage bot: greets people who report for the first time, and labels issues by the words in their titles.
//!
//! It does nothing twice. An issue is on its list as long as it has no label, and the label comes last: a run that stops
//! half way is finished by the next one. The greeting carries a mark that people do not see, and is looked for before it is
//! written. So a comment whose fate is unknown needs no thought here: the next run looks.

use std::io::Write;

use connect_github::handle::{IssueHandle, RepoHandle};
use connect_github::model::Issue;
use connect_github::{Error, Sent};
use futures_util::TryStreamExt;
use futures_util::future::ready;

use crate::command::Failure;

/// Tells the bot's own comments from others; Markdown does not show it.
const MARK: &str = "<!-- triage-bot: greeting -->";

/// What an issue gets whose title says nothing.
const FALLBACK: &str = "needs-triage";

/// Which words in a title earn which label, unless the variable names others.
const LABELS: &str = "bug=crash panic error broken fails; documentation=docs documentation typo readme; \
                      enhancement=feature request support; question=how why question";

/// What people read who report for the first time.
const GREETING: &str = "Thank you for your first report here! Somebody will look at it soon.";

/// What the bot goes by.
///
/// [`Rules::from_vars`] has the example.
#[derive(Clone, Debug)]
pub struct Rules {
    /// A label, and the words in small letters that earn it.
    labels: Vec<(String, Vec<String>)>,
    greeting: String,
}

/// What a run did, or would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Issues that got labels.
    pub labelled: usize,
    /// People who got a greeting.
    pub greeted: usize,
}

impl Rules {
    /// From `TRIAGE_LABELS` (`bug=crash panic; docs=typo readme`) and `TRIAGE_GREETING`; each has a default.
    ///
    /// ```
    /// use connect_examples_github::triage::Rules;
    /// let rules = Rules::from_vars(|_| None)?;
    /// assert_eq!(rules.labels("The parser panics: is there an error in the docs?"), ["bug", "documentation"]);
    /// assert_eq!(rules.labels("Hm"), ["needs-triage"]);
    /// # Ok::<(), connect_examples_github::command::Failure>(())
    /// ```
    ///
    /// # Errors
    /// [`Failure::Usage`] showing what a rule looks like.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let given = |name| lookup(name).filter(|text| !text.trim().is_empty());
        let labels = given("TRIAGE_LABELS").unwrap_or_else(|| LABELS.to_owned());
        let labels: Option<Vec<_>> =
            labels.split(';').filter(|rule| !rule.trim().is_empty()).map(rule).collect();
        let Some(labels) = labels else {
            let message = "TRIAGE_LABELS is like `bug=crash panic; docs=typo readme`";
            return Err(Failure::Usage(message.to_owned()));
        };
        Ok(Self { labels, greeting: given("TRIAGE_GREETING").unwrap_or_else(|| GREETING.to_owned()) })
    }

    /// The labels that a title earns, at least one.
    pub fn labels(&self, title: &str) -> Vec<String> {
        let title = title.to_lowercase();
        let words: Vec<&str> = title.split(|c: char| !c.is_alphanumeric()).collect();
        // `panic` is meant by `panics` and `panicked`, too.
        let says = |wanted: &String| words.iter().any(|word| word.starts_with(wanted));
        let earned = self.labels.iter().filter(|(_, wanted)| wanted.iter().any(says));
        let earned: Vec<String> = earned.map(|(label, _)| label.clone()).collect();
        if earned.is_empty() { vec![FALLBACK.to_owned()] } else { earned }
    }
}

/// `bug=crash panic`
fn rule(text: &str) -> Option<(String, Vec<String>)> {
    let (label, words) = text.split_once('=')?;
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    (!label.trim().is_empty() && !words.is_empty()).then(|| (label.trim().to_owned(), words))
}

/// Goes through the open issues without labels, oldest first. Each thing that is done is a line in `out`; with `dry_run`
/// each thing that would be done.
///
/// # Errors
/// The first call that failed. What was done stays done; the next run goes on.
pub async fn run(
    repo: &RepoHandle,
    rules: &Rules,
    dry_run: bool,
    out: &mut impl Write,
) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let would = if dry_run { "would be " } else { "" };
    // Collected first: labels given meanwhile would shift the pages of the list.
    let all = repo.issues().with(|list| list.direction("asc"));
    let is_bare = |issue: &Issue| ready(issue.labels.is_empty() && issue.pull_request.is_none());
    let bare: Vec<Issue> = all.try_filter(is_bare).try_collect().await?;
    for issue in &bare {
        let (number, handle) = (issue.number, repo.issue(issue.number));
        if let Some(reporter) = first_reporter(repo, issue).await?
            && !is_greeted(&handle, issue).await?
        {
            if !dry_run {
                greet(&handle, &rules.greeting).await?;
            }
            writeln!(out, "#{number} {reporter} {would}greeted")?;
            tally.greeted += 1;
        }
        let labels = rules.labels(&issue.title);
        if !dry_run {
            handle.add_labels(labels.clone()).await?;
        }
        writeln!(out, "#{number} {would}labelled {}: {}", labels.join(", "), issue.title)?;
        tally.labelled += 1;
    }
    Ok(tally)
}

/// Who reported it, if nothing older here is theirs.
async fn first_reporter(repo: &RepoHandle, issue: &Issue) -> Result<Option<String>, Error> {
    // The account may be gone.
    let Some(login) = issue.user.as_ref().map(|user| user.login.clone()) else { return Ok(None) };
    let theirs = |list: connect_github::issues::ListForRepo| {
        list.creator(login.clone()).state("all").direction("asc").per_page(1)
    };
    let oldest = repo.issues().with(theirs).try_next().await?;
    Ok(oldest.is_none_or(|oldest| oldest.number == issue.number).then_some(login))
}

async fn is_greeted(handle: &IssueHandle, issue: &Issue) -> Result<bool, Error> {
    if issue.comments == 0 {
        return Ok(false);
    }
    let mut comments = handle.comments();
    while let Some(comment) = comments.try_next().await? {
        if comment.body.is_some_and(|body| body.contains(MARK)) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn greet(handle: &IssueHandle, greeting: &str) -> Result<(), Failure> {
    match handle.comment(format!("{greeting}\n\n{MARK}")).await {
        Ok(_) => Ok(()),
        Err(error) if error.sent() == Sent::Maybe => {
            Err(Failure::Failed(format!("{error:#}; run it again: it looks before it greets")))
        }
        Err(error) => Err(error.into()),
    }
}
