//! Which web pages may connect.
//!
//! A browser sends `Origin` with every WebSocket handshake and no page can forge it, so this list is what keeps a page
//! somewhere on the web from driving a server on the visitor's own machine. It also covers DNS rebinding: the rebound
//! page still names its own host here, which is why the `Host` header is not examined.

use std::str::FromStr;

/// The keyword that stands for every page served from this machine, whatever its port.
const LOOPBACK: &str = "loopback";

/// A list of origins, `loopback` among them unless it was left out on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedOrigins {
    loopback: bool,
    exact: Vec<String>,
}

/// An entry that is neither `loopback` nor an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{entry}` is not an origin such as https://mira.example.com")]
pub struct InvalidOrigin {
    /// The entry as it was given.
    pub entry: String,
}

impl Default for AllowedOrigins {
    fn default() -> Self {
        Self {
            loopback: true,
            exact: Vec::new(),
        }
    }
}

impl FromStr for AllowedOrigins {
    type Err = InvalidOrigin;

    /// Reads a comma-separated list of `loopback` and origins (`scheme://host[:port]`, no path).
    fn from_str(list: &str) -> Result<Self, InvalidOrigin> {
        let mut origins = Self {
            loopback: false,
            exact: Vec::new(),
        };
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            if entry == LOOPBACK {
                origins.loopback = true;
            } else {
                let invalid = || InvalidOrigin {
                    entry: entry.to_owned(),
                };
                let entry = entry.strip_suffix('/').unwrap_or(entry);
                let (scheme, authority) = entry.split_once("://").ok_or_else(invalid)?;
                if scheme.is_empty()
                    || authority.is_empty()
                    || authority.contains(['/', '?', '#', '*', '@', ' '])
                {
                    return Err(invalid());
                }
                origins.exact.push(entry.to_ascii_lowercase());
            }
        }
        Ok(origins)
    }
}

impl AllowedOrigins {
    /// Whether a page of this origin may connect. `null`, which sandboxed and local pages send, never may.
    pub fn allows(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        (self.loopback && is_loopback(&origin)) || self.exact.contains(&origin)
    }
}

fn is_loopback(origin: &str) -> bool {
    let Some(authority) = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"))
    else {
        return false;
    };
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|host| {
        authority.strip_prefix(host).is_some_and(|rest| {
            rest.is_empty()
                || rest
                    .strip_prefix(':')
                    .is_some_and(|port| port.parse::<u16>().is_ok())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_allows_pages_of_this_machine_and_no_others() {
        let allowed = AllowedOrigins::default();
        for origin in [
            "http://localhost",
            "https://localhost",
            "http://localhost:5173",
            "http://127.0.0.1:3000",
            "http://[::1]:8080",
            "HTTP://LocalHost:80",
        ] {
            assert!(allowed.allows(origin), "{origin}");
        }
        for origin in [
            "null",
            "",
            "localhost",
            "http://localhost.evil.example",
            "http://evil.example",
            "http://localhost:port",
            "http://localhost:99999",
            "http://localhost@evil.example",
            "http://127.0.0.1.evil.example",
            "http://127.0.0.2",
            "file://localhost",
            "ws://localhost",
        ] {
            assert!(!allowed.allows(origin), "{origin}");
        }
    }

    #[test]
    fn a_list_replaces_the_default() {
        let allowed: AllowedOrigins = "https://Mira.example.com, tauri://localhost/".parse().unwrap();
        assert!(allowed.allows("https://mira.example.com"));
        assert!(allowed.allows("tauri://localhost"));
        assert!(!allowed.allows("https://mira.example.com:8443"));
        assert!(!allowed.allows("http://localhost"));
        let both: AllowedOrigins = "loopback,https://mira.example.com".parse().unwrap();
        assert!(both.allows("http://localhost:1") && both.allows("https://mira.example.com"));
    }

    #[test]
    fn entries_that_are_no_origins_are_refused() {
        for entry in [
            "*",
            "mira.example.com",
            "https://",
            "https://*.example.com",
            "https://example.com/app",
            "null",
        ] {
            assert_eq!(
                entry.parse::<AllowedOrigins>(),
                Err(InvalidOrigin {
                    entry: entry.to_owned()
                })
            );
        }
    }
}
