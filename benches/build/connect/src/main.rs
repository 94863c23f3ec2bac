//! Prints the title of an issue.

use connect_github::{GitHub, issues};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let github = GitHub::builder().token(std::env::var("GITHUB_TOKEN")?).build()?;
    let issue = github.send(issues::Get::new("octo", "hello", 7)).await?;
    println!("{:?} {:?}", issue.number, issue.title);
    Ok(())
}
