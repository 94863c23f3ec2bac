//! Prints the title of an issue.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let github = octocrab::Octocrab::builder().personal_token(std::env::var("GITHUB_TOKEN")?).build()?;
    let issue = github.issues("octo", "hello").get(7).await?;
    println!("{:?} {:?}", issue.number, issue.title);
    Ok(())
}
