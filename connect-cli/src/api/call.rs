//! `connect call`: one operation through the whole stack, or the pages of a list.

use std::ops::Deref;

use connect_core::argument::Payload;
use connect_core::by_name::{Entry, Named};
use connect_core::upload::Content;
use connect_core::{Api, Body, Call, Client, Endpoint, Error, Paging};
use futures_util::TryStreamExt;
use serde_json::value::RawValue;

use super::client::Settings;
use super::given;
use super::layout::{Layout, lay_out};
use super::provider::Provider;
use crate::arguments::Arguments;
use crate::{Failure, World};

/// What was asked for beside the operation and its arguments.
struct Wishes {
    pages: Option<u64>,
    has_report: bool,
    layout: Layout,
    /// The file of an upload.
    content: Option<Content>,
}

pub(super) async fn run(mut arguments: Arguments, world: &mut World) -> Result<u8, Failure> {
    let provider = Provider::named(&mut arguments)?;
    let id = provider.catalog().provider();
    let name = arguments
        .word()
        .ok_or_else(|| Failure::Usage(format!("which operation? `connect ops {id}` lists them")))?;
    let entry = provider.find(&name)?;
    let pages = pages(&mut arguments, entry)?;
    let has_report = arguments.flag("explain");
    if has_report && pages.is_some() {
        let message = "--explain tells of one call: leave out --pages, or --explain";
        return Err(Failure::Usage(message.to_owned()));
    }
    let layout = if arguments.flag("json") { Layout::OneLine } else { Layout::Indented };
    let (args, body) = (arguments.value("args")?, arguments.value("body")?);
    if args.as_deref() == Some("-") && body.as_deref() == Some("-") {
        let message = "standard input cannot be both the arguments and the file: name a file for one of them";
        return Err(Failure::Usage(message.to_owned()));
    }
    // Before a token store is opened: a slip of the pen needs none.
    let given = given::arguments(args.as_deref(), entry, world)?;
    let content = content(entry, body.as_deref(), world)?;
    let wishes = Wishes { pages, has_report, layout, content };
    match provider {
        Provider::GitHub => {
            exchange(provider, entry, given, wishes, arguments, Settings::github, world).await
        }
        Provider::Slack => exchange(provider, entry, given, wishes, arguments, Settings::slack, world).await,
    }
}

async fn exchange<A: Api, C: Deref<Target = Client<A>>>(
    provider: Provider,
    entry: &Entry,
    given: serde_json::Value,
    wishes: Wishes,
    mut arguments: Arguments,
    client: fn(&Settings, &World) -> Result<C, Failure>,
    world: &mut World,
) -> Result<u8, Failure> {
    let named = checked::<A>(entry, given)?;
    let settings = Settings::take(provider, &mut arguments, world).await?;
    arguments.finish()?;
    let result = match client(&settings, world) {
        Ok(client) => answer(&client, named, wishes, world).await,
        Err(failure) => Err(failure),
    };
    settings.settle().await;
    result
}

/// How many pages, if this many are asked for.
fn pages(arguments: &mut Arguments, entry: &Entry) -> Result<Option<u64>, Failure> {
    let Some(text) = arguments.value("pages")? else { return Ok(None) };
    if entry.operation.paging == Paging::None {
        let message = format!("{} answers without pages: leave out --pages", entry.operation.name);
        return Err(Failure::Usage(message));
    }
    match text.as_str() {
        "all" => Ok(Some(u64::MAX)),
        text => match text.parse() {
            Ok(0) | Err(_) => Err(Failure::Usage("--pages is a number from 1 on, or `all`".to_owned())),
            Ok(pages) => Ok(Some(pages)),
        },
    }
}

/// The file that an upload sends.
fn content(entry: &Entry, body: Option<&str>, world: &mut World) -> Result<Option<Content>, Failure> {
    let name = &entry.operation.name;
    match (entry.operation.payload, body) {
        (Payload::File(_), None) => Err(Failure::Usage(format!(
            "{name} sends a file: say which by --body FILE, or - for standard input"
        ))),
        // A form may go without its file; where it may not, the provider says so.
        (_, None) => Ok(None),
        (Payload::File(_) | Payload::Multipart(_), Some("-")) => {
            Ok(Some(Content::from(given::input(world)?)))
        }
        (Payload::File(_) | Payload::Multipart(_), Some(path)) => {
            let path = std::path::Path::new(path);
            // Opened once now, so that a slip of the pen is not found at the end of a wait for the quota.
            std::fs::File::open(path)
                .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
            let content = Content::from(Body::file(path));
            let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            Ok(Some(file_name.into_iter().fold(content, Content::file_name)))
        }
        (_, Some(_)) => {
            Err(Failure::Usage(format!("{name} sends no file: what it takes as its body goes into --args")))
        }
    }
}

/// The operation with its arguments; what is wrong with them shows before anything is opened or sent.
fn checked<A: Api>(entry: &Entry, given: serde_json::Value) -> Result<Named<A>, Failure> {
    let id = A::ID;
    let usage = |error: Error| {
        let name = &entry.operation.name;
        Failure::Usage(format!("{name}: {}; see `connect ops {id} {name}`", error.message()))
    };
    let named = Named::of(entry, given).map_err(usage)?;
    named.request().map_err(usage)?;
    Ok(named)
}

async fn answer<A: Api>(
    client: &Client<A>,
    named: Named<A>,
    wishes: Wishes,
    world: &mut World,
) -> Result<u8, Failure> {
    let Wishes { pages, has_report, layout, content } = wishes;
    let answer = match (pages, content) {
        (Some(pages), _) => list(client, named, pages, world).await?,
        (None, Some(content)) => once(client.upload(named, content), has_report, world).await?,
        (None, None) => once(client.send(named), has_report, world).await?,
    };
    world.say(lay_out(&answer, layout));
    Ok(0)
}

async fn once<E>(call: Call<E>, has_report: bool, world: &mut World) -> Result<String, Failure>
where
    E: Endpoint<Output = Box<RawValue>>,
{
    let answer = if has_report {
        let (answer, report) = call.explain().await;
        world.tell(report);
        answer?
    } else {
        call.await?
    };
    Ok(answer.get().to_owned())
}

/// The items of up to this many pages, as one array; nothing at all if a page fails, so that no half is taken for the whole.
async fn list<A: Api>(
    client: &Client<A>,
    named: Named<A>,
    limit: u64,
    world: &mut World,
) -> Result<String, Failure> {
    let mut pages = client.pages(named).limit(limit);
    let mut items: Vec<Box<RawValue>> = Vec::new();
    let mut read = 0_u64;
    let mut has_more = false;
    loop {
        let page = match pages.try_next().await {
            Ok(Some(page)) => page,
            Ok(None) => break,
            Err(error) if read > 0 => {
                return Err(Failure::Failed(format!("after {read} pages: {error:#}")));
            }
            Err(error) => return Err(error.into()),
        };
        read += 1;
        has_more = page.next().is_some();
        items.extend(page.into_items()?);
    }
    if has_more {
        world.tell(format_args!(
            "connect: the list goes on: {} items are all of {read} pages; --pages all fetches the rest",
            items.len()
        ));
    }
    let texts: Vec<&str> = items.iter().map(|item| item.get()).collect();
    Ok(format!("[{}]", texts.join(",")))
}
