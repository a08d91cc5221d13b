//! The access log: one line for each request. Nothing in a line is the client's own text: paths and operations are
//! those of the table, so no line has a public token, a key or a line break that a client chose.

use graph::UserId;
use std::net::IpAddr;
use std::time::Duration;

/// The target of the lines.
pub const TARGET: &str = "synaptask::access";

/// One request that was answered.
#[derive(Clone, Copy, Debug)]
pub struct AccessLine<'a> {
    pub transport: &'static str,
    /// Over REST, the method; another than HTTP's own is `other`.
    pub method: Option<&'static str>,
    /// Over REST, the path as the table has it; `None` if there is no such path.
    pub path: Option<&'static str>,
    pub operation: &'static str,
    pub status: u16,
    /// Of a request that was refused or failed.
    pub code: Option<&'static str>,
    pub time: Duration,
    /// How large the answer is, before it is compressed; `None` if it is not known in advance.
    pub bytes: Option<u64>,
    pub user: Option<UserId>,
    pub client: IpAddr,
    pub trace_id: &'a str,
}

impl AccessLine<'_> {
    /// Writes the line.
    pub fn note(&self) {
        let AccessLine { transport, method, path, operation, status, code, bytes, trace_id, .. } = *self;
        let ms = self.time.as_secs_f64() * 1e3;
        let (client, user) = (self.client, self.user);
        tracing::info!(
            target: TARGET,
            transport,
            method,
            path,
            operation,
            status,
            code,
            ms = format_args!("{ms:.3}"),
            bytes,
            user = user.map(tracing::field::display),
            %client,
            trace_id,
        );
    }
}
