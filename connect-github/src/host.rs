//! Where a GitHub lives: github.com, a tenant of GHE.com (data residency), or an Enterprise Server of one's own.
//!
//! Sources: <https://docs.github.com/enterprise-cloud@latest/admin/data-residency/about-github-enterprise-cloud-with-data-residency>,
//! <https://docs.github.com/enterprise-server/rest/using-the-rest-api/getting-started-with-the-rest-api>.

use connect_core::{Error, ErrorKind, Url};

/// Which hosts a row is for.
enum Hosts {
    /// github.com and the tenants of GHE.com: those that GitHub runs itself.
    Cloud,
    All,
}

/// The address of the API, by the host of the web pages. The first row that fits counts.
const APIS: &[(Hosts, &str)] = &[(Hosts::Cloud, "https://api.{host}"), (Hosts::All, "https://{host}/api/v3")];

impl Hosts {
    fn include(&self, host: &str) -> bool {
        match self {
            Self::Cloud => {
                host == "github.com" || host.strip_suffix(".ghe.com").is_some_and(|tenant| !tenant.is_empty())
            }
            Self::All => true,
        }
    }
}

/// The base URL of the API of the GitHub at this host: `git.example.com`, `octo.ghe.com`, `github.com`; a port may follow.
pub(crate) fn api_url(host: &str) -> Result<String, Error> {
    let host = web_host(host)?;
    let row = APIS.iter().find(|(hosts, _)| hosts.include(&host));
    Ok(row.map_or_else(String::new, |(_, api)| api.replace("{host}", &host)))
}

/// The host of the web pages, where people log in, in small letters. Of github.com and GHE.com the host of the API is taken
/// as well, since that is what stands in a setting next to this one.
pub(crate) fn web_host(host: &str) -> Result<String, Error> {
    let mistake = || {
        let message =
            "the host of GitHub is no host name: use one like git.example.com, without https:// and path";
        Error::new(ErrorKind::Config, message)
    };
    let host = host.trim().to_ascii_lowercase();
    let url = Url::parse(&format!("https://{host}/")).map_err(|_| mistake())?;
    // What the parser repairs, or takes for something else, is not what was meant.
    let read = match (url.host_str(), url.port()) {
        (Some(name), Some(port)) => format!("{name}:{port}"),
        (Some(name), None) => name.to_owned(),
        (None, _) => return Err(mistake()),
    };
    if read != host && format!("{read}:443") != host {
        return Err(mistake());
    }
    Ok(match read.strip_prefix("api.").or(read.strip_prefix("www.")) {
        Some(web) if Hosts::Cloud.include(web) => web.to_owned(),
        _ => read,
    })
}

/// The host of the web pages of the GitHub with this API, if GitHub runs it itself.
pub(crate) fn cloud_host(api: &Url) -> Option<&str> {
    api.host_str()?.strip_prefix("api.").filter(|host| Hosts::Cloud.include(host))
}

/// The web pages of the GitHub with this API: the other way round.
pub(crate) fn web_url(api: &Url) -> Url {
    let mut web = api.clone();
    web.set_path("/");
    if api.path().trim_end_matches('/').is_empty()
        && let Some(host) = cloud_host(api)
    {
        let _ = web.set_host(Some(host));
    }
    web
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn each_kind_of_github_has_its_api_and_its_web_pages_in_a_place_of_their_own() {
        let cases = [
            ("github.com", "https://api.github.com", "https://github.com/"),
            ("api.github.com", "https://api.github.com", "https://github.com/"),
            ("octo.ghe.com", "https://api.octo.ghe.com", "https://octo.ghe.com/"),
            ("API.Octo.GHE.com", "https://api.octo.ghe.com", "https://octo.ghe.com/"),
            ("git.example.com", "https://git.example.com/api/v3", "https://git.example.com/"),
            ("git.example.com:8443", "https://git.example.com:8443/api/v3", "https://git.example.com:8443/"),
            ("api.example.com", "https://api.example.com/api/v3", "https://api.example.com/"),
            ("ghe.com", "https://ghe.com/api/v3", "https://ghe.com/"),
            ("notghe.com", "https://notghe.com/api/v3", "https://notghe.com/"),
            (
                "github.com.evil.example",
                "https://github.com.evil.example/api/v3",
                "https://github.com.evil.example/",
            ),
        ];
        for (host, api, web) in cases {
            let found = api_url(host).unwrap();
            assert_eq!(found, api, "{host}");
            assert_eq!(web_url(&Url::parse(&found).unwrap()).as_str(), web, "{host}");
        }
        let loopback = Url::parse("http://127.0.0.1:3000/api/v3").unwrap();
        assert_eq!(web_url(&loopback).as_str(), "http://127.0.0.1:3000/");
    }

    #[test]
    fn what_is_no_host_name_is_refused_and_not_repeated() {
        for host in [
            "",
            "https://git.example.com",
            "git.example.com/api/v3",
            "canary@git.example.com",
            "git.example.com?x",
            "git example.com",
            "git.example.com#x",
            "a\\b.example",
            ":443",
            "[::1",
            "git.example.com:canary",
        ] {
            let error = web_host(host).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{host}");
            assert!(error.message().contains("git.example.com") && !error.message().contains("canary"));
        }
    }
}
