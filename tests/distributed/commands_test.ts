/** `sample` and `evaluate` on several ranks. The results are the same, and are written and printed once. */

import assert from "node:assert/strict";
import { parseNpz } from "../../src/formats/npz.ts";
import { type Outcome, outcome, ownErrors } from "../cli/commands.ts";
import { withFiles } from "../temporary.ts";

const program = new URL("command_ranks.ts", import.meta.url);

async function runOnRanks(ranks: number, ...args: string[]): Promise<Outcome> {
  const permissions = ["--allow-read", "--allow-write", "--allow-env=INIT_CWD"];
  return await outcome(
    new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--no-check",
        "--lock=all.lock",
        ...permissions,
        program.href,
        `${ranks}`,
        ...args,
      ],
      cwd: new URL("../../", import.meta.url),
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn(),
  );
}

/** Lines that a command prints, without those about its shaders, and with the folder's name replaced by `folder`. */
function lines({ output }: Outcome, folder: string): string[] {
  return output.trim().split("\n").filter((line) => !line.startsWith("compiling"))
    .map((line) => line.replaceAll(folder, "folder"));
}

/** The files of a folder, by name. */
async function contents(folder: string): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  for (const name of names) files.set(name, await Deno.readFile(`${folder}/${name}`));
  return files;
}

Deno.test("sample: files and lines do not depend on the number of ranks, nor images on --count", async (t) => {
  await withFiles({}, async (folder) => {
    const draw = async (name: string, ranks: number, ...args: string[]) => {
      const to = `${folder}/${name}`;
      await Deno.mkdir(to);
      const files = ["--out", `${to}/a.png`, "--export", `${to}/a.npz`];
      const result = await runOnRanks(ranks, "sample", "--seed", "3", ...files, ...args);
      assert.equal(result.status, 0, result.errors);
      return { printed: lines(result, to), files: await contents(to) };
    };
    const images = async ({ files }: Awaited<ReturnType<typeof draw>>) =>
      (await parseNpz(files.get("a.npz")!)).get("images")!.data as Float32Array;

    await t.step("ranks", async () => {
      const chains = ["--count", "430", "--class", "4", "--steps", "1", "--animate"];
      const whole = await draw("1", 1, ...chains, `${folder}/1/b.png`);
      assert.match(whole.printed.at(-1)!, /^wrote .*a\.png, .*b\.png \(the first 400 images\), .*a\.npz$/);
      for (const ranks of [2, 3]) {
        assert.deepEqual(await draw(`${ranks}`, ranks, ...chains, `${folder}/${ranks}/b.png`), whole);
      }
    });
    for (const start of ["noise", "buffer"]) {
      await t.step(start, async () => {
        const counts = ["230", "130"];
        const [more, fewer] = [
          await images(await draw(`${start}-1`, 1, "--init", start, "--steps", "2", "--count", counts[0]!)),
          await images(await draw(`${start}-2`, 2, "--init", start, "--steps", "2", "--count", counts[1]!)),
        ];
        assert.deepEqual(fewer, more.subarray(0, fewer.length));
        assert.notDeepEqual(more.subarray(0, 64), more.subarray(100 * 64, 101 * 64));
      });
    }
  });
});

Deno.test("sample: refuses what cannot be drawn or exported, before anything is drawn", async () => {
  for (
    const [ranks, count, args, message] of [
      [
        1,
        "8000000",
        ["--export", "a.npz"],
        /^error: --count takes at most 1000000; for 8000000 run the command several times/,
      ],
      [2, "1000001", [], /--count takes at most 1000000; for 1000001 run/],
    ] as const
  ) {
    const result = await runOnRanks(ranks, "sample", "--count", count, "--init", "noise", ...args);
    assert.notEqual(result.status, 0);
    assert(ownErrors(result).some((line) => message.test(line)), result.errors);
    assert.equal(result.output, "");
  }
});

Deno.test("evaluate: two ranks have the results, plots and pictures of one", async () => {
  await withFiles({}, async (folder) => {
    const few = ["--attack-images", "66", "--attack-steps", "1", "--fresh", "110"];
    const only = ["--only", "classification,outOfDistribution,robustness,generation"];
    const evaluated = [];
    for (const ranks of [1, 2]) {
      const to = `${folder}/${ranks}`;
      const result = await runOnRanks(
        ranks,
        "evaluate",
        ...few,
        ...only,
        "--out",
        `${to}`,
        "--export",
        `${to}.npz`,
      );
      assert.equal(result.status, 0, result.errors);
      const files = await contents(to);
      const { seconds, ...results } = JSON.parse(new TextDecoder().decode(files.get("results.json")));
      assert(seconds > 0);
      // These two contain times.
      for (const name of ["results.json", "report.html"]) assert(files.delete(name));
      // The process numbers the parts of a plot's text, and the ranks here share the process. The plot's picture is the
      // same.
      for (const name of [...files.keys()].filter((name) => name.endsWith(".svg"))) files.delete(name);
      const printed = lines(result, to).map((line) => line.replace(/in \d+:\d+$/, "in time"));
      evaluated.push({ results, files, printed, exported: await Deno.readFile(`${to}.npz`) });
    }
    assert.equal(evaluated[0]!.printed.filter((line) => /^wrote /.test(line)).length, 1);
    assert.equal(evaluated[0]!.results.results.robustness.images, 66);
    assert.deepEqual(evaluated[1], evaluated[0]);
  });
});
