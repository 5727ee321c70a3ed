import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { DataError } from "../../../src/errors.ts";
import { refuses } from "../../refusal.ts";
import { withFiles } from "../../temporary.ts";
import { remoteFiles } from "../../../src/data/download/remote.ts";
import { type Download, download, type DownloadProgress } from "../../../src/data/download/download.ts";

const contents = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 5);
const md5 = createHash("md5").update(contents).digest("hex");

type Handler = (request: Request, attempt: number) => Response | Promise<Response>;

/** Serves one file and returns the `Range` headers of the requests. */
async function served(handler: Handler, use: (file: Download) => Promise<void>): Promise<(string | null)[]> {
  const ranges: (string | null)[] = [];
  await withFiles({}, async (folder) => {
    const path = `${folder}/below/file.bin`;
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {}, onError: () => new Response(null, { status: 500 }) },
      async (request) => {
        assert.equal(request.headers.get("accept-encoding"), "identity");
        const attempt = ranges.push(request.headers.get("range")) - 1;
        return await handler(request, attempt);
      },
    );
    try {
      await use({ url: `http://127.0.0.1:${server.addr.port}/file.bin`, path, md5 });
    } finally {
      await server.shutdown();
    }
  });
  return ranges;
}

function startOf(request: Request): number {
  return Number(/^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
}

/** The file from a position on, as a server that supports ranges answers. */
function answer(start: number, body: BodyInit = contents.slice(start)): Response {
  const range = `bytes ${start}-${contents.length - 1}/${contents.length}`;
  if (start > 0) return new Response(body, { status: 206, headers: { "content-range": range } });
  const length = body instanceof Uint8Array ? { "content-length": String(body.length) } : [];
  return new Response(body, { headers: length });
}

const whole: Handler = (request) => answer(startOf(request));

/** A body that sends some bytes and then breaks off. */
function broken(start: number, length: number): ReadableStream<Uint8Array> {
  let sent = false;
  return new ReadableStream({
    pull(controller) {
      if (sent) controller.error(new Error("broken off"));
      else controller.enqueue(contents.slice(start, start + length));
      sent = true;
    },
  });
}

/** Sends these bytes to each connection, whatever they promise, and closes it. */
async function servedRaw(
  reply: (attempt: number) => string,
  use: (url: string) => Promise<void>,
): Promise<number> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let attempts = 0;
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(4096));
      await connection.write(new TextEncoder().encode(reply(attempts++)));
      connection.close();
    }
  })();
  try {
    await use(`http://127.0.0.1:${listener.addr.port}/file.bin`);
  } finally {
    listener.close();
    await serving;
  }
  return attempts;
}

async function present(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Asserts what a failed download left: no file under the final name, and a partial file of this length. */
async function left(path: string, partLength: number | undefined): Promise<void> {
  assert(!await present(path));
  assert.equal(await Deno.stat(`${path}.part`).then(({ size }) => size, () => undefined), partLength);
}

async function complete(path: string): Promise<void> {
  assert.deepEqual(await Deno.readFile(path), contents);
  assert(!await present(`${path}.part`));
}

async function leavePart(path: string, bytes: Uint8Array): Promise<void> {
  await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true });
  await Deno.writeFile(`${path}.part`, bytes);
}

/** Downloads without waiting between attempts. At each step, asserts that nothing incomplete has the final name. */
async function quick(file: Download): Promise<"downloaded" | "present"> {
  return await download(file, () => assert.throws(() => Deno.statSync(file.path)), undefined, 1);
}

const refused = (downloading: Promise<unknown>, message: RegExp) => refuses(downloading, DataError, message);

Deno.test("download() fetches a file, tells how far it is, and asks for nothing if it is there", async () => {
  const ranges = await served(whole, async (file) => {
    const steps: DownloadProgress[] = [];
    assert.equal(await download(file, (step) => steps.push(step)), "downloaded");
    await complete(file.path);
    assert.equal(steps.at(-1)?.received, contents.length);
    assert(steps.every(({ total, bytesPerSecond }) => total === contents.length && bytesPerSecond > 0));
    assert(steps.every(({ received }, i) => received > (steps[i - 1]?.received ?? 0)));
    assert.equal(await download(file), "present");
    await Deno.writeFile(file.path, contents.slice(1));
    assert.equal(await download(file), "downloaded", "a damaged file is replaced");
    await complete(file.path);
  });
  assert.deepEqual(ranges, [null, null]);
});

Deno.test("download() resumes the part that an earlier call left", async () => {
  const ranges = await served(whole, async (file) => {
    await leavePart(file.path, contents.slice(0, 123_456));
    const steps: DownloadProgress[] = [];
    assert.equal(await download(file, (step) => steps.push(step)), "downloaded");
    await complete(file.path);
    assert(steps[0]!.received > 123_456 && steps.every(({ total }) => total === contents.length));
  });
  assert.deepEqual(ranges, ["bytes=123456-"]);
  const none = await served(whole, async (file) => {
    await leavePart(file.path, contents);
    assert.equal(await download(file), "downloaded", "only the renaming was missing");
    await complete(file.path);
  });
  assert.deepEqual(none, []);
});

Deno.test("download() resumes when the connection breaks off, as often as something comes", async () => {
  const handler: Handler = (request, attempt) => {
    const start = startOf(request);
    return attempt < 7 ? answer(start, broken(start, 30_000)) : answer(start);
  };
  const ranges = await served(handler, async (file) => {
    assert.equal(await quick({ ...file, bytes: contents.length }), "downloaded");
    await complete(file.path);
  });
  assert.deepEqual(ranges, [null, ...[1, 2, 3, 4, 5, 6, 7].map((i) => `bytes=${i * 30_000}-`)]);
  // A response that ends normally can be too short as well.
  const chunked: Handler = (request, attempt) =>
    attempt ? answer(startOf(request)) : answer(1, new Blob([contents.slice(1, 1000)]).stream());
  const shortened = await served(chunked, async (file) => {
    await leavePart(file.path, contents.slice(0, 1));
    assert.equal(await quick(file), "downloaded");
    await complete(file.path);
  });
  assert.deepEqual(shortened, ["bytes=1-", "bytes=1000-"]);
});

Deno.test("download() starts over when the server ignores the range, refuses it or answers another", async () => {
  const elsewhere = { status: 206, headers: { "content-range": "bytes 7-299999/300000" } };
  const handlers: [Handler, number][] = [
    [() => answer(0), 1],
    [(request) => startOf(request) ? new Response(null, { status: 416 }) : answer(0), 2],
    [(request) => startOf(request) ? new Response(contents.slice(7), elsewhere) : answer(0), 2],
  ];
  for (const [handler, requests] of handlers) {
    const ranges = await served(handler, async (file) => {
      await leavePart(file.path, new Uint8Array(400_000));
      assert.equal(await quick(file), "downloaded");
      await complete(file.path);
    });
    assert.deepEqual(ranges, ["bytes=400000-", null].slice(0, requests));
  }
});

Deno.test("download() gives up after five attempts that bring nothing, keeping what came", async () => {
  const stuck: Handler = (request) => {
    const start = startOf(request);
    return answer(start, broken(start, start ? 0 : 1000));
  };
  const ranges = await served(stuck, async (file) => {
    await refused(quick({ ...file, bytes: contents.length }), /file\.bin: .*run the command again to resume/);
    await left(file.path, 1000);
  });
  assert.deepEqual(ranges, [null, ...Array(5).fill("bytes=1000-")]);
  // If a server always starts over and breaks at the same place, its bytes are not progress.
  const rangeless = await served(() => answer(0, broken(0, 1000)), async (file) => {
    await refused(quick({ ...file, bytes: contents.length }), /run the command again to resume/);
    await left(file.path, 1000);
  });
  assert.equal(rangeless.length, 6);
});

Deno.test("download() does not wait for ever for a server that falls silent, before or within its answer", async () => {
  // The server can only be shut down once it has answered.
  let over = Promise.withResolvers<void>();
  const silence = () => over.promise.then(() => new Response());
  const silent: Handler = (request, attempt) => {
    if (attempt === 0) return silence();
    if (attempt > 1) return whole(request, attempt);
    const start = (controller: ReadableStreamDefaultController) =>
      controller.enqueue(contents.slice(0, 1000));
    return new Response(new ReadableStream({ start }));
  };
  const dead = await served(silence, async (file) => {
    const waiting = quick({ ...file, patience: 20 });
    await refused(waiting, /nothing came for 0\.02 seconds; gave up, run the command again/);
    over.resolve();
  });
  assert.equal(dead.length, 5);
  over = Promise.withResolvers<void>();
  const ranges = await served(silent, async (file) => {
    assert.equal(await quick({ ...file, patience: 300 }), "downloaded");
    await complete(file.path);
    over.resolve();
  });
  assert.deepEqual(ranges, [null, null, "bytes=1000-"]);
});

Deno.test("download() does not take a body shorter than its Content-Length for the file", async () => {
  await withFiles({}, async (folder) => {
    const path = `${folder}/file.bin`;
    const reply = () => "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\nshort";
    const attempts = await servedRaw(reply, async (url) => {
      await refused(quick({ url, path, md5 }), /run the command again to resume/);
      await left(path, 5);
    });
    assert.equal(attempts, 6);
    const nothing = await servedRaw(() => "", (url) => refused(quick({ url, path: `${path}2`, md5 }), /./));
    assert.equal(nothing, 5);
    await left(`${path}2`, undefined);
  });
});

Deno.test("download() refuses more bytes than the file has", async () => {
  const endless = (range?: string) => {
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(contents.slice(0, 65_536)),
    });
    return new Response(body, range ? { status: 206, headers: { "content-range": range } } : {});
  };
  const published = { bytes: contents.length };
  const ranges = await served(() => endless(), async (file) => {
    await refused(quick({ ...file, ...published }), /sends more than the file's 300000 bytes/);
    await left(file.path, undefined);
  });
  const announced = await served(() => endless("bytes 1000-299999/300000"), async (file) => {
    await leavePart(file.path, contents.slice(0, 1000));
    await refused(quick(file), /sends more than the file's 300000 bytes/);
    await left(file.path, undefined);
  });
  const longer = await served(whole, async (file) => {
    await refused(quick({ ...file, bytes: 299_999 }), /expected 299999 bytes, the server announces 300000/);
    await left(file.path, undefined);
  });
  assert.deepEqual([ranges.length, announced.length, longer.length], [1, 1, 1]);
});

Deno.test("download() deletes a file with the wrong checksum", async () => {
  const wrong = contents.slice().fill(3);
  const found = createHash("md5").update(wrong).digest("hex");
  const ranges = await served(() => new Response(wrong), async (file) => {
    await refused(quick(file), new RegExp(`^${file.url}: expected MD5 ${md5}, got ${found}`));
    await left(file.path, undefined);
  });
  assert.equal(ranges.length, 1);
});

Deno.test("download() reports the server's refusals, and tries again after its own errors", async () => {
  for (const [status, requests] of [[404, 1], [500, 5]] as const) {
    const ranges = await served(() => new Response("no", { status }), async (file) => {
      await refused(quick(file), new RegExp(`^${file.url}: the server answers ${status} `));
      await left(file.path, undefined);
    });
    assert.equal(ranges.length, requests);
  }
  const recovering: Handler = (_, attempt) => attempt < 3 ? new Response(null, { status: 503 }) : answer(0);
  await served(recovering, async (file) => {
    assert.equal(await quick(file), "downloaded");
    await complete(file.path);
  });
});

Deno.test("download() says why there is no connection", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${listener.addr.port}/file.bin`;
  listener.close();
  await withFiles({}, async (folder) => {
    await refused(quick({ url, path: `${folder}/below/file.bin`, md5 }), /connection refused.*; gave up/i);
    for await (const { name } of Deno.readDir(folder)) assert.fail(`${name} is left behind`);
  });
});

Deno.test("download() refuses what is no web address, and a place that it cannot write to", async () => {
  for (const url of ["file:///etc/hostname", "data:,x", "nowhere", "http://"]) {
    await refused(download({ url, path: "never", md5 }), /not a web address/);
  }
  await withFiles({ taken: contents }, async (folder) => {
    const path = `${folder}/taken/file.bin`;
    await refused(quick({ url: "http://127.0.0.1:1/", path, md5 }), /cannot keep a download at .*taken/);
  });
});

Deno.test("download() can be interrupted, while it receives or waits, and resumed", async () => {
  const slow: Handler = (request, attempt) =>
    attempt > 0 ? whole(request, attempt) : new Response(
      new ReadableStream({ start: (controller) => controller.enqueue(contents.slice(0, 50_000)) }),
    );
  const ranges = await served(slow, async (file) => {
    const user = new AbortController();
    const report = ({ received }: DownloadProgress) => received === 50_000 && user.abort();
    await refused(download(file, report, user.signal), /interrupted; run the command again/);
    await left(file.path, 50_000);
    assert.equal(await quick(file), "downloaded");
    await complete(file.path);
  });
  assert.deepEqual(ranges, [null, "bytes=50000-"]);
  const user = new AbortController();
  const failing: Handler = () => (setTimeout(() => user.abort(), 20), new Response(null, { status: 500 }));
  const asked = await served(failing, async (file) => {
    await leavePart(file.path, contents.slice(0, 10));
    await refused(download(file, undefined, user.signal, 1e9), /interrupted; run the command again/);
    await left(file.path, 10);
  });
  assert.equal(asked.length, 1);
});

Deno.test("download() lets one call at a time have a file; those that wait find it there", async () => {
  const ranges = await served(whole, async (file) => {
    const outcomes = await Promise.all([0, 1, 2].map(() => download(file)));
    assert.deepEqual(outcomes.sort(), ["downloaded", "present", "present"]);
    assert.deepEqual(await Deno.readFile(file.path), contents);
    const names = await Array.fromAsync(Deno.readDir(file.path.replace(/\/[^/]*$/, "")), ({ name }) => name);
    assert.deepEqual(names, ["file.bin"]);
  });
  assert.equal(ranges.length, 1);
});

Deno.test("download() gives up waiting for another when the user does", async () => {
  const first = new AbortController();
  const asked = Promise.withResolvers<void>();
  const silent: Handler = () => {
    asked.resolve();
    return new Response(new ReadableStream({ pull: () => new Promise(() => {}) }));
  };
  await served(silent, async (file) => {
    const running = download(file, undefined, first.signal).catch((error) => error);
    await asked.promise;
    const second = new AbortController();
    const waiting = download(file, () => second.abort(), second.signal);
    await refuses(waiting, DataError, /interrupted; run the command again/);
    first.abort();
    assert(await running instanceof DataError);
  });
});

Deno.test("every file of a data set has a published length, so that no answer is endless", () => {
  const files = Object.values(remoteFiles).flat();
  assert.equal(files.length, 12);
  for (const { bytes } of files) assert(Number.isInteger(bytes) && bytes > 4000 && bytes < 2 ** 28);
});
