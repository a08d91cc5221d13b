"""Where the server is, and who is calling."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Address:
    """`token` is an API token; `session` the value of the cookie `st_access`. Neither is shown by `repr`."""

    url: str
    token: str | None = field(default=None, repr=False)
    session: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError("url is not an http or https address")
        if self.token is not None and self.session is not None:
            raise ValueError("give a token or a session, not both")

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def base(self) -> str:
        """The path that the server is served under, without a slash at its end."""
        return urlsplit(self.url).path.rstrip("/")

    @property
    def headers(self) -> dict[str, str]:
        if self.token is not None:
            return {"Authorization": f"Bearer {self.token}"}
        if self.session is not None:
            return {"Cookie": f"st_access={self.session}", "Origin": self.origin}
        return {}
