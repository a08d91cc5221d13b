//! Paths with parameters: `/api/oidc/{name}/start` matches `/api/oidc/google/start`.

use percent_encoding::percent_decode_str;

/// A parameter of a path: its name and its value.
pub type Parameter = (&'static str, String);

/// The parameters of a path, if a row's path matches it. A parameter is one segment, percent-decoded, and not empty.
pub(super) fn parameters(of_row: &'static str, path: &str) -> Option<Vec<Parameter>> {
    if !of_row.contains('{') {
        return (of_row == path).then(Vec::new);
    }
    let (mut segments, mut parameters) = (path.split('/'), Vec::new());
    for of_row in of_row.split('/') {
        let segment = segments.next()?;
        match name(of_row) {
            Some(name) => {
                let value = percent_decode_str(segment).decode_utf8().ok()?;
                if value.is_empty() {
                    return None;
                }
                parameters.push((name, value.into_owned()));
            }
            None if of_row == segment => {}
            None => return None,
        }
    }
    segments.next().is_none().then_some(parameters)
}

/// The name of a segment that is a parameter.
fn name(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    // Rules: K1.
    #[test]
    fn k1_a_parameter_is_one_segment_of_the_path() {
        let row = "/api/oidc/{name}/start";
        let named =
            |path| parameters(row, path).map(|found| found.into_iter().map(|one| one.1).collect::<Vec<_>>());
        assert_eq!(named("/api/oidc/google/start"), Some(vec!["google".to_owned()]));
        assert_eq!(named("/api/oidc/my%20own%2Fone/start"), Some(vec!["my own/one".to_owned()]));
        for other in [
            "/api/oidc//start",
            "/api/oidc/google",
            "/api/oidc/google/start/",
            "/api/oidc/a/b/start",
            "/api/oidc/%ff/start",
            "/api/oidc/google/stop",
            "",
        ] {
            assert_eq!(named(other), None, "{other}");
        }
        assert_eq!(parameters("/api/login", "/api/login"), Some(Vec::new()));
        assert_eq!(parameters("/api/login", "/api/Login"), None);
    }
}
