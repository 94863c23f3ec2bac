//! Slack's text markup, as far as foreign text needs it.
//!
//! Text from elsewhere (a pull request's title, say) must not turn into mentions or links of somebody else's making:
//! `<!channel>` in a title would wake everybody. Slack asks to escape exactly three characters
//! (<https://docs.slack.dev/messaging/formatting-message-text#escaping>).

use std::borrow::Cow;

/// Escapes `&`, `<` and `>`, so that text shows as it is.
///
/// ```
/// use connect_slack::mrkdwn;
/// assert_eq!(mrkdwn::escape("a < b & <!channel>"), "a &lt; b &amp; &lt;!channel&gt;");
/// assert_eq!(mrkdwn::escape("plain"), "plain");
/// ```
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// A link with a text. A URL that would break out of the markup is shown as text instead.
///
/// ```
/// use connect_slack::mrkdwn;
/// assert_eq!(mrkdwn::link("https://a.example/1", "One | <1>"), "<https://a.example/1|One / &lt;1&gt;>");
/// assert_eq!(mrkdwn::link("javascript:x|<!here>", "One"), "One");
/// ```
pub fn link(url: &str, text: &str) -> String {
    // The bar separates address and text; inside the text it would end the address early in some clients.
    let text = escape(text).replace('|', "/");
    let harmless = (url.starts_with("https://") || url.starts_with("http://"))
        && !url.contains(['<', '>', '|'])
        && !url.chars().any(|character| character.is_whitespace() || character.is_control());
    if harmless { format!("<{url}|{text}>") } else { text }
}
