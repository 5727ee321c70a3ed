/** The page's server, tested by the bytes on its connections. */

import assert from "node:assert/strict";
import { taskArguments } from "../../scripts/tasks.ts";
import { answer, contentSecurityPolicy, type PageFiles } from "../../web/tools/answer.ts";
import { type PageServer, servePage } from "../../web/tools/server.ts";

const page = await Deno.readFile(new URL("../../web/index.html", import.meta.url));
const script = new TextEncoder().encode("export {};");
const files: PageFiles = new Map([["index.html", page], ["main.js", script], ["digits.csv.gz", script]]);

/** Short enough for a test, and long enough for a slow machine to answer in between. */
const limits = { headers: 1500, idle: 1000, connections: 8 };

async function withServer(use: (server: PageServer) => Promise<void>): Promise<void> {
  await using server = await servePage(files, 0, limits);
  await use(server);
}

/** What a connection received until the server closed it. */
interface Heard {
  readonly text: string;
  readonly seconds: number;
}

/**
 * Sends text, then sends `drip` (if any) every tenth of a second, and listens until the server closes the connection.
 */
async function exchange(port: number, text: string, drip?: string): Promise<Heard> {
  const start = performance.now();
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const send = async (text: string) => {
    // The server may have closed the connection before it read everything.
    await connection.write(new TextEncoder().encode(text)).catch(() => {});
  };
  const dripping = drip === undefined ? undefined : setInterval(() => void send(drip), 100);
  await send(text);
  const chunks: string[] = [];
  const buffer = new Uint8Array(65536);
  try {
    for (let length; (length = await connection.read(buffer)) !== null;) {
      chunks.push(new TextDecoder("latin1").decode(buffer.subarray(0, length)));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  } finally {
    clearInterval(dripping);
  }
  return { text: chunks.join(""), seconds: (performance.now() - start) / 1000 };
}

/** A request with `Host` and more headers. */
function request(port: number, line: string, ...headers: string[]): string {
  return [line, `Host: localhost:${port}`, ...headers, "", ""].join("\r\n");
}

const close = "Connection: close";

function statusOf({ text }: Heard): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]);
}

/** Every answer says not to guess types, and none shows internals of the program. */
function assertPlain({ text }: Heard, name: string): void {
  for (const part of text.split(/(?=HTTP\/1\.1 \d)/)) {
    assert.match(part, /^x-content-type-options: nosniff\r$/im, `${name}: ${part}`);
  }
  assert.doesNotMatch(text, /file:\/\/|\.ts\b|at \w+ \(|TypeError/, name);
}

Deno.test("the server answers GET and HEAD with the page's files and headers", async () => {
  await withServer(async ({ port }) => {
    const types = {
      "/": "text/html; charset=utf-8",
      "/index.html": "text/html; charset=utf-8",
      "/main.js": "text/javascript; charset=utf-8",
      "/main.js?x=1": "text/javascript; charset=utf-8",
      "/digits.csv.gz": "application/gzip",
    };
    for (const [path, type] of Object.entries(types)) {
      const expected = type.startsWith("text/html") ? page : script;
      const got = await exchange(port, request(port, `GET ${path} HTTP/1.1`, close));
      const [head, body] = got.text.split("\r\n\r\n", 2) as [string, string];
      assert.equal(statusOf(got), 200, path);
      assert.equal(body.length, expected.length, path);
      const headers = new Map(
        head.split("\r\n").slice(1).map((line) => line.toLowerCase().split(/: (.*)/) as [string, string]),
      );
      assert.equal(headers.get("content-type"), type);
      assert.equal(headers.get("content-length"), `${expected.length}`);
      assert.equal(
        headers.get("content-security-policy"),
        `${contentSecurityPolicy(files)}; frame-ancestors 'none'`,
      );
      assertPlain(got, path);

      const headOnly = await exchange(port, request(port, `HEAD ${path} HTTP/1.1`, close));
      assert.equal(statusOf(headOnly), 200);
      assert.match(headOnly.text, new RegExp(`content-length: ${expected.length}\r\n`, "i"));
      assert.match(headOnly.text, /\r\n\r\n$/, "HEAD has no body");
    }
    const missing = await exchange(port, request(port, "HEAD /absent HTTP/1.1", close));
    assert.equal(statusOf(missing), 404);
    assert.match(missing.text, /\r\n\r\n$/, "HEAD has no body");
  });
});

Deno.test("the server refuses every other method", async () => {
  await withServer(async ({ port }) => {
    const methods = ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "CONNECT"];
    for (const method of methods) {
      const got = await exchange(port, request(port, `${method} / HTTP/1.1`, "Content-Length: 0"));
      // Nothing is tunnelled: the connection is closed without an answer.
      if (method === "CONNECT" && got.text === "") continue;
      assert.equal(statusOf(got), 405, method);
      assert.match(got.text, /^allow: GET, HEAD\r$/im, method);
      assertPlain(got, method);
    }
    for (const line of ["get / HTTP/1.1", "GETT / HTTP/1.1", "NONSENSE / HTTP/1.1"]) {
      const got = await exchange(port, request(port, line));
      assert([400, 405].includes(statusOf(got)), `${line}: ${got.text}`);
      assertPlain(got, line);
    }
  });
});

Deno.test("no path leads out of the page's files, and no folder is listed", async () => {
  await withServer(async ({ port }) => {
    const paths = [
      "/../deno.json",
      "/../../../../etc/passwd",
      "//etc/passwd",
      "/%2e%2e/deno.json",
      "/%2e%2e%2fdeno.json",
      "/..%5cdeno.json",
      "/..\\deno.json",
      "/....//deno.json",
      "/%252e%252e/deno.json",
      "/%c0%ae%c0%ae/deno.json",
      "/main.js%00.html",
      "/main.js/",
      "/main.js/..",
      "/./main.js",
      "/%",
      "/%zz",
      "/__proto__",
      "/constructor",
      "/.git/config",
      "/web/",
      "/.",
      "/C:/Windows/win.ini",
      "/file:///etc/passwd",
    ];
    for (const path of paths) {
      const got = await exchange(port, request(port, `GET ${path} HTTP/1.1`, close));
      assert.equal(statusOf(got), 404, path);
      assert.match(got.text, /\r\n\r\nnot found\n$/, path);
      assertPlain(got, path);
    }
    for (
      const target of [
        "http://localhost/main.js",
        "http://other.example/",
        "*",
        "main.js",
        "file:///etc/passwd",
      ]
    ) {
      const got = await exchange(port, request(port, `GET ${target} HTTP/1.1`, close));
      assert.equal(statusOf(got), 400, `${target}: ${got.text}`);
      assertPlain(got, target);
    }
  });
});

Deno.test("a Host that is not this computer's is answered with 400", async () => {
  await withServer(async ({ port }) => {
    const get = async (...headers: string[]) => {
      const got = await exchange(port, ["GET / HTTP/1.1", ...headers, close, "", ""].join("\r\n"));
      if (statusOf(got) !== 200) assertPlain(got, headers.join());
      return statusOf(got);
    };
    for (const own of [`localhost:${port}`, `LOCALHOST:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) {
      assert.equal(await get(`Host: ${own}`), 200, own);
    }
    const others = [
      "rebound.example",
      `rebound.example:${port}`,
      `localhost.rebound.example:${port}`,
      `localhost:${port}.rebound.example`,
      `rebound.example#localhost:${port}`,
      `user@localhost:${port}`,
      `localhost:${port}/`,
      `localhost:${port},rebound.example`,
      "localhost",
      `localhost:${port + 1}`,
      `localhost:0${port}`,
      `0.0.0.0:${port}`,
      "a b[",
      "[",
      "http://localhost",
      "%00",
      "",
    ];
    for (const other of others) assert.equal(await get(`Host: ${other}`), 400, other);
    assert.equal(await get(), 400, "none");
    assert.equal(await get(`Host: localhost:${port}`, "Host: rebound.example"), 400, "two");
    assert.equal(await get("Host: rebound.example", `Host: localhost:${port}`), 400, "two");
    const old = await exchange(port, "GET / HTTP/1.0\r\n\r\n");
    assert.equal(statusOf(old), 400, "HTTP/1.0 without one");
  });
});

Deno.test("what is no request is answered in a line, and the server goes on", async () => {
  await withServer(async ({ port }) => {
    const texts = [
      "NONSENSE\r\n\r\n",
      "GET /\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      request(port, "GET /\x00 HTTP/1.1"),
      request(port, "GET / HTTP/1.1", "no colon"),
      request(port, "GET / HTTP/1.1", "Bad Name: x"),
      request(port, "GET / HTTP/1.1", "X: a\x00b"),
      request(port, "GET / HTTP/1.1", `X: ${"a".repeat(20_000)}`),
      request(port, `GET /${"a".repeat(20_000)} HTTP/1.1`),
      request(port, "GET / HTTP/1.1", "Content-Length: -1"),
      request(port, "GET / HTTP/1.1", "Content-Length: 1", "Content-Length: 2"),
      request(port, "GET / HTTP/1.1", "Content-Length: 1", "Transfer-Encoding: chunked"),
      request(port, "GET / HTTP/1.1", "Transfer-Encoding: chunked") + "zz\r\n",
    ];
    for (const text of texts) {
      const got = await exchange(port, text);
      const name = JSON.stringify(text.slice(0, 80));
      assert(got.text === "" || got.text.startsWith("HTTP/1.1 "), `${name}: ${got.text}`);
      if (got.text !== "") assertPlain(got, name);
      assert(got.seconds < 5, name);
      const after = await exchange(port, request(port, "GET / HTTP/1.1", close));
      assert.equal(statusOf(after), 200, `after ${name}`);
    }
    const refused = new Map([
      ["NONSENSE\r\n\r\n", 400],
      [request(port, "GET / HTTP/1.1", `X: ${"a".repeat(20_000)}`), 431],
    ]);
    for (const [text, status] of refused) assert.equal(statusOf(await exchange(port, text)), status);
  });
});

Deno.test("a body is not waited for, and an upgrade not made", async () => {
  await withServer(async ({ port }) => {
    const large = request(port, "GET / HTTP/1.1", "Content-Length: 1000000000") + "abc";
    const got = await exchange(port, large);
    assert.equal(statusOf(got), 200);
    assert(got.seconds < 5);
    const upgrade = await exchange(
      port,
      request(
        port,
        "GET / HTTP/1.1",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
      ),
    );
    assert.notEqual(statusOf(upgrade), 101);
    const expecting = request(port, "POST / HTTP/1.1", "Content-Length: 3", "Expect: 100-continue");
    assert.match((await exchange(port, expecting)).text, /HTTP\/1\.1 405 /);
  });
});

Deno.test("connections that say nothing, half of a request, or no more are closed", async () => {
  await withServer(async ({ port }) => {
    const half = `GET / HTTP/1.1\r\nHost: localhost:${port}\r\n`;
    const whole = `${half}\r\n`;
    const [silent, halted, dripping, waiting] = await Promise.all([
      exchange(port, ""),
      exchange(port, half),
      exchange(port, half, "X: y\r\n"),
      exchange(port, whole),
    ]);
    const latest = 2 * (limits.headers + limits.idle) / 1000 + 3;
    for (const [name, heard] of Object.entries({ silent, halted, dripping, waiting })) {
      assert(heard.seconds < latest, `${name}: closed after ${heard.seconds} s`);
      assert(heard.seconds > 0.5 * limits.idle / 1000, `${name}: closed after ${heard.seconds} s`);
    }
    assert.equal(silent.text, "");
    assert.equal(statusOf(waiting), 200);
    assert.equal(statusOf(dripping), 408);
    assertPlain(dripping, "dripping");
    assertPlain(waiting, "waiting");

    // Silent connections up to the limit keep others out only until they are closed.
    const crowd = Array.from({ length: 3 * limits.connections }, () => exchange(port, ""));
    for (const { text } of await Promise.all(crowd)) assert.equal(text, "");
    assert.equal(statusOf(await exchange(port, request(port, "GET / HTTP/1.1", close))), 200);
  });
});

Deno.test("only this computer reaches the server, and two do not share a port", async () => {
  await withServer(async ({ port }) => {
    await assert.rejects(servePage(files, port), {
      name: "ServerError",
      message: `port ${port} is in use; choose another with --port`,
    });
  });
});

Deno.test("answer() takes the default port's Host without a port, and needs a policy", () => {
  const get = (host: string, port: number) =>
    answer(files, { method: "GET", target: "/", hosts: [host] }, port).status;
  assert.equal(get("localhost", 80), 200);
  assert.equal(get("localhost", 8000), 400);
  assert.throws(() => contentSecurityPolicy(new Map([["index.html", script]])), RangeError);
});

/** Starts `./run web` with more arguments and piped output. */
function start(...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [...taskArguments("web"), ...args],
    cwd: new URL("../../", import.meta.url),
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test("./run web refuses a port in one line", async () => {
  const usage = [
    ["70000", '--port takes a whole number up to 65535, not "70000"'],
    ["65536", '--port takes a whole number up to 65535, not "65536"'],
    ["abc", '--port takes a whole number up to 65535, not "abc"'],
    ["-1", '--port takes a whole number up to 65535, not "-1"'],
    ["80.5", '--port takes a whole number up to 65535, not "80.5"'],
    ["", "--port is empty; give it a path or a value"],
  ];
  for (const [port, message] of usage) {
    const { code, stdout, stderr } = await start(`--port=${port}`).output();
    const text = new TextDecoder().decode(stderr);
    assert.equal(text, `error: ${message}\n--help lists the options\n`, port);
    assert.deepEqual([code, stdout.length], [2, 0], port);
  }
});

Deno.test("./run web serves the page until it is stopped; a second one says that the port is taken", async () => {
  const process = start("--port", "0");
  const decoder = new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>;
  const lines = process.stdout.pipeThrough(decoder).getReader();
  try {
    const { value } = await lines.read();
    const [, port] = /^http:\/\/localhost:(\d+)\/\n$/.exec(value ?? "") ?? [];
    assert(port !== undefined, value);
    const number = Number(port);
    for (const path of ["/", "/main.js", "/model_worker.js", "/style.css", "/digits.safetensors"]) {
      const got = await exchange(number, request(number, `GET ${path} HTTP/1.1`, close));
      assert.equal(statusOf(got), 200, path);
      assertPlain({ ...got, text: got.text.split("\r\n\r\n", 1)[0]! + "\r\n" }, path);
    }
    const second = await start("--port", port).output();
    assert.deepEqual(
      [second.code, new TextDecoder().decode(second.stderr)],
      [1, `error: port ${port} is in use; choose another with --port\n`],
    );
  } finally {
    process.kill();
    await Promise.all([process.status, lines.cancel(), process.stderr.cancel()]);
  }
});
