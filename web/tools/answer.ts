/** The web server's answers, independent of the connection. */

/** The parts of a request that decide the answer. */
export interface PageRequest {
  readonly method: string;
  /** The target after the method: `/main.js`, with a query if there is one. */
  readonly target: string;
  /** Every `Host` of the request. */
  readonly hosts: readonly string[];
}

/** An answer. `body` is left out if the method is HEAD. */
export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** The page's files by name. */
export type PageFiles = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

const mediaTypes: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  gz: "application/gzip",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  jsonl: "text/plain; charset=utf-8",
  png: "image/png",
  svg: "image/svg+xml",
};

/** Names of this computer. Any other `Host` belongs to a site that points to it, to read the page as its own. */
const ownNames = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Answers a request from the files alone. No path leads out of them, because nothing is looked up on the disk.
 * @param port the server's port
 */
export function answer(files: PageFiles, request: PageRequest, port: number): PageAnswer {
  const answers = new Answers(files);
  const refused = answers.refusal(request, port);
  if (refused) return refused;
  const name = request.target.slice(1).replace(/[?#].*$/s, "") || "index.html";
  const bytes = files.get(name);
  return bytes ? answers.found(name, bytes) : answers.refuse(404, "not found");
}

/** Makes answers under the policy of a page. */
export class Answers {
  readonly #headers: Readonly<Record<string, string>>;

  /** @throws {RangeError} if the page names no policy. */
  constructor(files: PageFiles) {
    this.#headers = commonHeaders(files);
  }

  /**
   * The answer to a request that is for another host, would change something, or names no path; undefined for any
   * other.
   */
  refusal({ method, target, hosts }: PageRequest, port: number): PageAnswer | undefined {
    if (hosts.length !== 1 || !isOwnHost(hosts[0]!, port)) {
      return this.refuse(400, `this server answers for localhost:${port} only`);
    }
    if (method !== "GET" && method !== "HEAD") {
      return this.refuse(405, "this server answers GET and HEAD only", { allow: "GET, HEAD" });
    }
    return target.startsWith("/") ? undefined : this.refuse(400, "the path must begin with a slash");
  }

  /** An answer with only a reason. */
  refuse(status: number, text: string, more: Readonly<Record<string, string>> = {}): PageAnswer {
    const body = new TextEncoder().encode(`${text}\n`);
    return withBody(status, { ...this.#headers, ...more }, "text/plain; charset=utf-8", body);
  }

  /** An answer with contents, whose type follows from the name's ending. */
  found(
    name: string,
    bytes: Uint8Array<ArrayBuffer>,
    more: Readonly<Record<string, string>> = {},
  ): PageAnswer {
    const type = mediaTypes[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
    return withBody(200, { ...this.#headers, ...more }, type, bytes);
  }
}

function withBody(
  status: number,
  headers: Readonly<Record<string, string>>,
  type: string,
  body: Uint8Array<ArrayBuffer>,
): PageAnswer {
  return { status, headers: { ...headers, "content-type": type, "content-length": `${body.length}` }, body };
}

function isOwnHost(host: string, port: number): boolean {
  return ownNames.some((name) => {
    const given = host.toLowerCase();
    return given === `${name}:${port}` || (port === 80 && given === name);
  });
}

/** Headers of every answer. A worker's script takes its policy from them, not from the page. */
function commonHeaders(files: PageFiles): Readonly<Record<string, string>> {
  return {
    "cache-control": "no-cache",
    "content-security-policy": `${contentSecurityPolicy(files)}; frame-ancestors 'none'`,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };
}

/**
 * The policy in `index.html`, which holds wherever the files are served.
 * @throws {RangeError} if there is none.
 */
export function contentSecurityPolicy(files: PageFiles): string {
  const page = new TextDecoder().decode(files.get("index.html"));
  const [, policy] = /<meta\s+http-equiv="Content-Security-Policy"\s+content="([^"]*)"/.exec(page) ?? [];
  if (policy === undefined) throw new RangeError("index.html names no Content-Security-Policy");
  return policy.trim().replaceAll(/\s+/g, " ");
}
