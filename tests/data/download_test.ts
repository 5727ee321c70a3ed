import { createHash } from "node:crypto";
import assert from "node:assert/strict";
import { download, type DownloadProgress } from "../../src/data/download.ts";
import { DataError } from "../../src/errors.ts";

const contents = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 5);
const md5 = createHash("md5").update(contents).digest("hex");

type Handler = (request: Request, attempt: number) => Response | Promise<Response>;

/** Serves one address, and offers a folder to download into. */
async function served(
  handler: Handler,
  use: (file: { url: string; path: string; md5: string }, folder: string) => Promise<void>,
): Promise<Request[]> {
  const requests: Request[] = [];
  const serve = (request: Request) => handler(request, requests.push(request) - 1);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, onError: () => new Response() },
    serve,
  );
  const folder = await Deno.makeTempDir();
  try {
    const { port } = server.addr;
    await use({ url: `http://127.0.0.1:${port}/file.bin`, path: `${folder}/below/file.bin`, md5 }, folder);
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
  return requests;
}

/** Answers as a server that knows ranges. */
const whole: Handler = (request) => {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
  const rest = contents.slice(start);
  const range = `bytes ${start}-${contents.length - 1}/${contents.length}`;
  return start > 0
    ? new Response(rest, { status: 206, headers: { "content-range": range } })
    : new Response(rest, { headers: { "content-length": String(rest.length) } });
};

/** A body that breaks off after so many bytes. */
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

const quick = { patience: 1 };

async function present(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function refuses(attempt: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(attempt, (error) => {
    assert.ok(error instanceof DataError, String(error));
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
}

Deno.test("download() fetches a file, tells how far it is, and leaves one that is there alone", async () => {
  const requests = await served(whole, async (file) => {
    const progress: DownloadProgress[] = [];
    assert.equal(await download(file, { progress: (step) => progress.push(step) }), "downloaded");
    assert.deepEqual(await Deno.readFile(file.path), contents);
    assert(!await present(`${file.path}.part`));
    assert.deepEqual([progress.at(-1)!.received, progress.at(-1)!.total], [contents.length, contents.length]);
    assert(progress.every(({ bytesPerSecond }) => bytesPerSecond > 0));
    assert.equal(await download(file), "present");
    await Deno.writeFile(file.path, contents.slice(1));
    assert.equal(await download(file), "downloaded", "a damaged file is replaced");
    assert.deepEqual(await Deno.readFile(file.path), contents);
  });
  assert.equal(requests.length, 2);
});

Deno.test("download() resumes what an earlier call left", async () => {
  const requests = await served(whole, async (file, folder) => {
    await Deno.mkdir(`${folder}/below`);
    await Deno.writeFile(`${file.path}.part`, contents.slice(0, 123_456));
    assert.equal(await download(file), "downloaded");
    assert.deepEqual(await Deno.readFile(file.path), contents);
  });
  assert.deepEqual(requests.map((request) => request.headers.get("range")), ["bytes=123456-"]);
});

Deno.test("download() resumes when the connection breaks, as often as something comes", async () => {
  const handler: Handler = (request, attempt) => {
    if (attempt >= 7) return whole(request, attempt);
    const start = 30_000 * attempt;
    const range = `bytes ${start}-${contents.length - 1}/${contents.length}`;
    const body = broken(start, 30_000);
    return start === 0
      ? new Response(body)
      : new Response(body, { status: 206, headers: { "content-range": range } });
  };
  const requests = await served(handler, async (file) => {
    assert.equal(await download({ ...file, bytes: contents.length }, quick), "downloaded");
    assert.deepEqual(await Deno.readFile(file.path), contents);
  });
  assert.equal(requests.length, 8);
});

Deno.test("download() starts over when the server knows no ranges, or not this one", async () => {
  for (const handler of [() => new Response(contents), rangeNotSatisfiable]) {
    await served(handler, async (file, folder) => {
      await Deno.mkdir(`${folder}/below`);
      await Deno.writeFile(`${file.path}.part`, new Uint8Array(400_000));
      assert.equal(await download(file, quick), "downloaded");
      assert.deepEqual(await Deno.readFile(file.path), contents);
    });
  }
  function rangeNotSatisfiable(request: Request): Response {
    return request.headers.has("range") ? new Response(null, { status: 416 }) : new Response(contents);
  }
});

Deno.test("download() gives up on a server that ends too early, keeping what came", async () => {
  const handler: Handler = (request, attempt) =>
    attempt === 0 ? new Response(contents.slice(0, 1000)) : new Response(null, {
      status: 206,
      headers: { "content-range": `bytes ${/\d+/.exec(request.headers.get("range")!)![0]}-299999/300000` },
    });
  const requests = await served(handler, async (file) => {
    const sized = { ...file, bytes: contents.length };
    await refuses(
      download(sized, quick),
      /ended after 1000 of 300000 bytes; run the command again to resume/,
    );
    assert(!await present(file.path));
    assert.equal((await Deno.stat(`${file.path}.part`)).size, 1000);
  });
  assert.equal(requests.length, 6);
});

Deno.test("download() refuses more than the file's length, wrong places and wrong bytes", async () => {
  const endless = () =>
    new Response(
      new ReadableStream({ pull: (controller) => controller.enqueue(contents.slice(0, 65_536)) }),
    );
  await served(endless, async (file) => {
    await refuses(
      download({ ...file, bytes: 200_000 }, quick),
      /sends more than the 200000 bytes of the file/,
    );
    assert(!await present(file.path));
  });
  const elsewhere = () =>
    new Response(contents, { status: 206, headers: { "content-range": "bytes 7-299999/300000" } });
  await served(elsewhere, async (file) => {
    await refuses(download(file, quick), /resumes at another place/);
    assert(!await present(file.path));
  });
  await served(() => new Response(contents.slice().fill(3)), async (file) => {
    await refuses(
      download(file, quick),
      /has MD5 [0-9a-f]{32}, not the published [0-9a-f]{32}; it was deleted/,
    );
    assert(!await present(file.path) && !await present(`${file.path}.part`));
  });
});

Deno.test("download() reports what the server answers, and tries again after its own errors", async () => {
  const requests = await served(() => new Response(null, { status: 404 }), async (file) => {
    await refuses(download(file, quick), /file\.bin: the server answers 404 Not Found/);
  });
  assert.equal(requests.length, 1);
  const recovering: Handler = (request, attempt) =>
    attempt < 3 ? new Response(null, { status: 503 }) : whole(request, attempt);
  await served(recovering, async (file) => assert.equal(await download(file, quick), "downloaded"));
  await refuses(download({ url: "file:///etc/passwd", path: "x", md5 }), /no web address/);
});

Deno.test("download() can be interrupted and resumed", async () => {
  let finish = () => {};
  const slow: Handler = (request, attempt) => {
    if (attempt > 0) return whole(request, attempt);
    const finished = new Promise<void>((resolve) => finish = resolve);
    return new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(contents.slice(0, 50_000)),
        pull: () => finished,
      }),
    );
  };
  await served(slow, async (file) => {
    const controller = new AbortController();
    const attempt = download(file, {
      signal: controller.signal,
      progress: () => controller.abort(),
      ...quick,
    });
    await refuses(attempt, /interrupted; run the command again to resume/);
    finish();
    assert(!await present(file.path) && await present(`${file.path}.part`));
    assert.equal(await download(file, quick), "downloaded");
    assert.deepEqual(await Deno.readFile(file.path), contents);
  });
});
