/** Where the server is, and who is calling. */
export interface Address {
  /** The server's address, such as `https://tasks.example.com`; a path in front of `/api` and `/socket.io` counts. */
  readonly url: string | URL;
  /** An API token (`st_…`). */
  readonly token?: string | undefined;
  /**
   * A web session instead of a token: `true` in a browser, where the cookie is sent along; elsewhere the value of the
   * cookie `st_access`.
   */
  readonly session?: true | string | undefined;
}

/** An address, taken apart. */
export interface Target {
  readonly origin: string;
  /** Its path, without a slash at the end. */
  readonly base: string;
  readonly token: string | undefined;
  /** Whether the browser is to send its cookies. */
  readonly cookies: boolean;
  /** Of a session that is not the browser's. */
  readonly headers: Readonly<Record<string, string>>;
}

export function targetOf({ url, token, session }: Address): Target {
  if (token !== undefined && session !== undefined) throw new TypeError('give a token or a session, not both');
  const { origin, pathname } = new URL(url);
  const base = pathname.replace(/\/+$/, '');
  // A mutation by cookie needs the Origin of the server itself.
  const headers: Record<string, string> = typeof session === 'string' ? { Cookie: `st_access=${session}`, Origin: origin } : {};
  return { origin, base, token, cookies: session === true, headers };
}
