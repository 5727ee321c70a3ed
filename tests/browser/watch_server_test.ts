/** What the server that shows training runs answers, and what it refuses. */

import assert from "node:assert/strict";
import type { PageAnswer } from "../../web/tools/answer.ts";
import { watchPage } from "../../web/tools/watch.ts";
import { watchAnswerer } from "../../web/tools/watch_answer.ts";
import { givenRuns, runsIn } from "../../web/tools/watched_runs.ts";
import { outcome, ownErrors, run, start } from "../cli/commands.ts";
import { withFiles } from "../temporary.ts";
import { row, rows, TestRun } from "./watch_runs.ts";

type Ask = (
  target: string,
  more?: { readonly method?: string; readonly host?: string },
) => Promise<PageAnswer>;

/** Calls `test` with a folder of runs, its one run with ten rows and a picture, and a function that asks the server. */
async function withRuns(test: (folder: string, one: TestRun, ask: Ask) => Promise<void>): Promise<void> {
  await withFiles({}, async (outer) => {
    const folder = `${outer}/runs`;
    const one = await new TestRun(`${folder}/one`).begin(rows(0, 10));
    await one.picture(5, 9);
    await Deno.writeTextFile(`${outer}/secret`, "secret\n");
    const answerer = watchAnswerer(watchPage, runsIn(folder));
    await test(
      folder,
      one,
      async (target, { method = "GET", host = "localhost:8010" } = {}) =>
        await answerer({ method, target, hosts: [host] }, 8010),
    );
  });
}

const text = ({ body }: PageAnswer) => new TextDecoder().decode(body);

async function names(ask: Ask): Promise<string[]> {
  return JSON.parse(text(await ask("/runs.json"))).map(({ name }: { name: string }) => name);
}

Deno.test("the page, the list, the metrics and the pictures are served under the page's policy", async () => {
  await withRuns(async (_, one, ask) => {
    const types: Record<string, string> = {
      "/": "text/html; charset=utf-8",
      "/curves.js": "text/javascript; charset=utf-8",
      "/watch.css": "text/css; charset=utf-8",
      "/runs.json": "application/json",
      "/metrics.jsonl?run=one": "text/plain; charset=utf-8",
      "/picture.png?run=one&iteration=5": "image/png",
    };
    for (const [target, type] of Object.entries(types)) {
      const { status, headers } = await ask(target);
      assert.deepEqual([status, headers["content-type"]], [200, type], target);
      assert.match(headers["content-security-policy"]!, /^default-src 'none'; .*frame-ancestors 'none'$/);
      assert.equal(headers["x-content-type-options"], "nosniff");
    }
    assert.deepEqual(JSON.parse(text(await ask("/runs.json"))), [{
      name: "one",
      state: "running",
      about: "digits, WRN-10-1",
      iterations: 100,
      imagesPerIteration: 16,
      classes: 10,
      metrics: {
        bytes: rows(0, 10).length,
        changed: (await Deno.stat(`${one.folder}/metrics.jsonl`)).mtime!.getTime(),
      },
      pictures: [5],
    }]);
  });
});

Deno.test("nothing but the files of runs is answered", async () => {
  await withRuns(async (folder, one, ask) => {
    const nowhere = [
      "/metrics.jsonl",
      "/metrics.jsonl?run=",
      "/metrics.jsonl?run=two",
      "/metrics.jsonl?run=..",
      "/metrics.jsonl?run=.",
      "/metrics.jsonl?run=one/../one",
      "/metrics.jsonl?run=%2e%2e",
      `/metrics.jsonl?run=${encodeURIComponent(one.folder)}`,
      "/metrics.jsonl?run=one%00",
      "/metrics.jsonl?run=__proto__",
      "/picture.png?run=one",
      "/picture.png?run=one&iteration=6",
      "/picture.png?run=one&iteration=../config",
      "/picture.png?run=one&iteration=-1",
      "/picture.png?run=one&iteration=5.0",
      "/picture.png?run=one&iteration=1e0",
      "/config.json",
      "/one/config.json",
      "/../secret",
      "/%2e%2e/secret",
      "/runs.json/",
      "/runs",
    ];
    for (const target of nowhere) assert.equal((await ask(target)).status, 404, target);
    for (const from of ["x", "-1", "1.5", "9".repeat(16), ""]) {
      assert.equal((await ask(`/metrics.jsonl?run=one&from=${from}`)).status, 400, from);
    }
    assert.equal((await ask("/runs.json", { method: "POST" })).status, 405);
    assert.equal((await ask("/runs.json", { method: "PUT" })).status, 405);
    for (const host of ["evil.example", "localhost", "localhost:8011", "127.0.0.1.evil.example:8010", ""]) {
      assert.equal((await ask("/runs.json", { host })).status, 400, host);
    }
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder), ({ name }) => name), ["one"]);
  });
});

Deno.test("links that lead out of a run, and what is no file, are as if they were not there", async () => {
  await withRuns(async (folder, one, ask) => {
    await Deno.mkdir(`${folder}/../elsewhere`);
    await Deno.writeTextFile(`${folder}/../elsewhere/config.json`, "{}");
    await Deno.symlink("../elsewhere", `${folder}/linked`);
    await Deno.symlink("one", `${folder}/alias`);
    await Deno.mkdir(`${folder}/no-run`);
    await Deno.writeTextFile(`${folder}/file`, "");
    assert.deepEqual((await names(ask)).sort(), ["alias", "one"]);

    const two = await new TestRun(`${folder}/two`).begin();
    await Deno.remove(`${two.folder}/metrics.jsonl`);
    await Deno.symlink("../../secret", `${two.folder}/metrics.jsonl`);
    await Deno.symlink("../../../secret", `${two.folder}/samples/00000001.png`);
    assert.equal(text(await ask("/metrics.jsonl?run=two")), "");
    assert.equal((await ask("/picture.png?run=two&iteration=1")).status, 404);
    await Deno.remove(`${two.folder}/samples`, { recursive: true });
    await Deno.symlink("../one/samples", `${two.folder}/samples`);
    assert.equal((await ask("/picture.png?run=two&iteration=5")).status, 404);
    for (const other of [two.folder, one.folder]) await Deno.remove(`${other}/config.json`);
    await Deno.symlink("../../secret", `${two.folder}/config.json`);
    assert.deepEqual(await names(ask), []);

    const { success } = await new Deno.Command("mkfifo", { args: [`${one.folder}/config.json`] }).output();
    assert(success);
    assert.deepEqual(await names(ask), []);
  });
});

Deno.test("only new lines of the metrics travel; all of them once the file has been replaced", async () => {
  await withRuns(async (_, one, ask) => {
    const piece = async (from: string, mark: string) => {
      const answer = await ask(`/metrics.jsonl?${new URLSearchParams({ run: "one", from, mark })}`);
      const header = (name: string) => answer.headers[`metrics-${name}`]!;
      return { text: text(answer), from: header("from"), next: header("next"), mark: header("mark"), header };
    };
    const first = await piece("0", "");
    assert.equal(first.text, rows(0, 10));
    const again = await piece(first.next, first.mark);
    assert.deepEqual([again.text, again.from, again.next, again.mark], [
      "",
      first.next,
      first.next,
      first.mark,
    ]);

    await one.append(row(10) + row(11).slice(0, 9));
    const second = await piece(first.next, first.mark);
    assert.deepEqual([second.text, second.from], [row(10), first.next]);
    assert.equal(second.header("unfinished"), "9");

    // The file is changed where the mark is, then replaced by its old contents, then cut off.
    const before = await Deno.readTextFile(`${one.folder}/metrics.jsonl`);
    await Deno.writeTextFile(`${one.folder}/metrics.jsonl`, before.replaceAll("0.5", "0.6"));
    assert.equal((await piece(second.next, second.mark)).from, "0");
    await one.replace(before);
    const replaced = await piece(second.next, second.mark);
    assert.deepEqual([replaced.from, replaced.text], ["0", rows(0, 11)]);
    await Deno.truncate(`${one.folder}/metrics.jsonl`, rows(0, 3).length);
    const cut = await piece(replaced.next, replaced.mark);
    assert.deepEqual([cut.from, cut.text], ["0", rows(0, 3)]);
    await Deno.remove(`${one.folder}/metrics.jsonl`);
    assert.deepEqual((await piece(cut.next, cut.mark)).next, "0");
  });
});

Deno.test("a large file of metrics travels in pieces that end with lines", async () => {
  await withRuns(async (_, one, ask) => {
    const all = rows(0, 12_000);
    assert(all.length > 2 ** 21);
    await one.replace(all);
    let [from, mark, got, pieces] = ["0", "", "", 0];
    for (let more = "true"; more === "true"; pieces++) {
      const answer = await ask(`/metrics.jsonl?${new URLSearchParams({ run: "one", from, mark })}`);
      assert.match(text(answer), /\n$/);
      got += text(answer);
      [from, mark, more] = ["next", "mark", "more"].map((name) => answer.headers[`metrics-${name}`]!) as [
        string,
        string,
        string,
      ];
    }
    assert(got === all && pieces === 3, `${pieces} pieces`);
  });
});

Deno.test("a run is finished by its summary, stopped without its process, and running as long as that lives", async () => {
  await withRuns(async (_, one, ask) => {
    const state = async () => JSON.parse(text(await ask("/runs.json")))[0].state;
    assert.equal(await state(), "running");
    // There has long been no sign of life, so the lock decides. Nobody holds it here.
    const longAgo = new Date(Date.now() - 3600_000);
    for (const name of ["lock", "metrics.jsonl"]) await Deno.utime(`${one.folder}/${name}`, longAgo, longAgo);
    assert.equal(await state(), "stopped");
    await Deno.utime(`${one.folder}/lock`, new Date(), new Date());
    assert.equal(await state(), "running");
    await one.release();
    assert.equal(await state(), "stopped");
    await one.release({ iterations: 50 });
    assert.equal(await state(), "stopped", "an older summary is of a shorter run");
    await one.release({ iterations: 100 });
    assert.equal(await state(), "finished");
  });
});

Deno.test("a process that holds the lock is left alone, however quiet", async () => {
  await withRuns(async (_, one, ask) => {
    using lock = await Deno.open(`${one.folder}/lock`, { read: true, write: true });
    assert(await lock.tryLock(true));
    const longAgo = new Date(Date.now() - 3600_000);
    for (const name of ["lock", "metrics.jsonl"]) await Deno.utime(`${one.folder}/${name}`, longAgo, longAgo);
    assert.equal(JSON.parse(text(await ask("/runs.json")))[0].state, "running");
  });
});

Deno.test("runs that are named are watched alone, each once, under different names", async () => {
  await withRuns(async (folder, one) => {
    const other = await new TestRun(`${folder}/other/one`).begin();
    await Deno.symlink(one.folder, `${folder}/link`);
    const runs = await (await givenRuns([one.folder, `${folder}/link`, other.folder]))();
    assert.deepEqual([...runs.keys()], ["one", await Deno.realPath(other.folder)]);
    await assert.rejects(givenRuns([folder]), {
      name: "CheckpointError",
      message: `${folder} holds no run to watch (no config.json)`,
    });
  });
});

Deno.test("watch serves with the permissions of its task, and refuses what it cannot show in a line", async () => {
  await withRuns(async (folder, one) => {
    const process = start("watch", one.folder, "--port", "0");
    const address = await firstLine(process);
    assert.match(address, /^http:\/\/localhost:\d+\/$/);
    const { port } = new URL(address);
    const list = await (await fetch(`http://127.0.0.1:${port}/runs.json`)).json();
    assert.deepEqual(list.map(({ name }: { name: string }) => name), ["one"]);
    const taken = await run("watch", one.folder, "--port", port);
    assert.deepEqual([taken.status, ownErrors(taken)], [
      1,
      [`error: port ${port} is in use; choose another with --port`],
    ]);
    process.kill();
    await outcome(process);
    const none = await run("watch", `${folder}/none`);
    assert.deepEqual([none.status, ownErrors(none)], [
      1,
      [`error: ${folder}/none holds no run to watch (no config.json)`],
    ]);
    const wrong = await run("watch", "--port", "x");
    assert.equal(wrong.status, 2);
  });
});

/** The first line that a process prints. Its output stays open for the rest. */
async function firstLine(process: Deno.ChildProcess): Promise<string> {
  const own = process.stdout.getReader();
  const { value } = await own.read();
  own.releaseLock();
  return new TextDecoder().decode(value).trim();
}
