import assert from "node:assert/strict";
import { withFiles } from "../temporary.ts";
import { type Outcome, ownErrors, run } from "./commands.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const json = (value: unknown) => utf8(JSON.stringify(value));

/** Rows of iterations that each take half a second. Every tenth is followed by a test. */
function metrics(iterations: number, { timed = true } = {}): string {
  return Array.from({ length: iterations }, (_, iteration) => {
    const seconds = timed ? { seconds: (iteration + 1) / 2 } : {};
    const row = { iteration, ...seconds, learningRate: 0.1, loss: 2 / (iteration + 1), accuracy: 0.25 };
    const test = { iteration, ...seconds, set: "test", testAccuracy: iteration / 100, testLoss: 1 };
    return [row, ...iteration % 10 === 9 ? [test] : []].map((line) => `${JSON.stringify(line)}\n`).join("");
  }).join("");
}

/** The files of a run of 40 iterations. */
function runFiles(folder: string, rows: string | undefined): Record<string, Uint8Array<ArrayBuffer>> {
  return {
    [`${folder}/config.json`]: json({ iterations: 40, dataset: "digits" }),
    [`${folder}/data.json`]: json({ name: "digits", classes: 10 }),
    ...rows !== undefined && { [`${folder}/metrics.jsonl`]: utf8(rows) },
  };
}

const evaluation = (accuracy: number) =>
  json({ iteration: 40, results: { classification: { test: { accuracy, loss: 0.5 } } } });

const files = {
  ...runFiles("whole", metrics(40)),
  "whole/summary.json": json({ iterations: 40 }),
  "whole/evaluation/results.json": evaluation(0.875),
  ...runFiles("part", metrics(23)),
  ...runFiles("damaged", `${metrics(12)}{"iteration":12,"lo\n${metrics(13).split("\n").at(-2)}\n`),
  ...runFiles(
    "lost",
    `${metrics(5)}{"iteration":5,"seconds":3,"learningRate":0.1,"loss":null,"accuracy":0}\n`,
  ),
  ...runFiles("old", metrics(20, { timed: false })),
  ...runFiles("new", undefined),
  ...runFiles("huge", ""),
  ...runFiles("hostile", `${metrics(1)}{"iteration":9007199254740991,"seconds":1e308,"loss":1e308}\n[]\n`),
  ...runFiles("early", metrics(40)),
  "early/evaluation/results.json": json({
    ...JSON.parse(new TextDecoder().decode(evaluation(0.5))),
    iteration: 30,
  }),
  "evaluated/results.json": evaluation(0.75),
};

async function compare(folder: string, args: string): Promise<Outcome> {
  const words = args.split(" ").map((word) => word in folders ? `${folder}/${word}` : word);
  return await run("compare", ...words, "--out", `${folder}/out`);
}

/** The paths of {@link files} by folder. */
const folders = Object.groupBy(Object.keys(files), (path) => path.split("/")[0]!);

/** The row of the terminal's tables that begins with a name. */
function row(output: string, name: string): string[] {
  return output.split("\n").find((line) => line.startsWith(`${name} `))?.split(/ {2,}/) ?? [];
}

const results = async (folder: string) => JSON.parse(await Deno.readTextFile(`${folder}/out/results.json`));

Deno.test("compare: runs that are evaluated and runs that are not, by iteration and by time", async (t) => {
  await withFiles(files, async (folder) => {
    await Deno.truncate(`${folder}/huge/metrics.jsonl`, 2 ** 34);
    await t.step("by iteration", async () => {
      const { status, output, errors } = await compare(folder, "whole part");
      assert.equal(status, 0, errors);
      assert.equal(errors, "");
      assert.deepEqual(row(output, "whole"), [
        "whole",
        "finished",
        "40 of 40",
        "20.0 s",
        "0.0500",
        "39.0 % after 40",
      ]);
      assert.deepEqual(row(output, "part"), [
        "part",
        "stopped",
        "23 of 40",
        "11.5 s",
        "0.0870",
        "19.0 % after 20",
      ]);
      assert.deepEqual(row(output, "test accuracy"), ["test accuracy", "87.5 %"]);
      assert.match(output, /^not evaluated: \S+\/part; \.\/run evaluate --model RUN does that$/m);
      const { training: { by, runs }, rows } = await results(folder);
      assert.equal(by, "iteration");
      assert.deepEqual(runs[1], {
        name: "part",
        state: "stopped",
        reached: 23,
        iterations: 40,
        seconds: 11.5,
        loss: 2 / 23,
        test: { accuracy: 0.19, after: 20, isHeldOut: false },
      });
      assert.deepEqual(rows[0], ["test accuracy", "87.5 %"]);
      const page = await Deno.readTextFile(`${folder}/out/report.html`);
      for (const text of ["training loss, means over 1 iteration<", ">part<", ">iterations<"]) {
        assert(page.includes(text), text);
      }
      assert(await Deno.stat(`${folder}/out/compare_training_tests.png`));
    });
    await t.step("by time, where one has none", async () => {
      const { status, errors } = await compare(folder, "old part --by time");
      assert.equal(status, 0, errors);
      assert.deepEqual(errors.trim().split("\n"), [
        "warning: no times in metrics.jsonl, and so not shown over time: old; try --by iteration",
      ]);
      const page = await Deno.readTextFile(`${folder}/out/report.html`);
      assert(page.includes(">seconds of training<"));
      assert.equal((await results(folder)).training.by, "time");
    });
    await t.step(
      "a damaged line, a run that diverged, and one that went on after its evaluation",
      async () => {
        const { status, output, errors } = await compare(
          folder,
          "damaged lost early evaluated hostile --by time",
        );
        assert.equal(status, 0, errors);
        assert.deepEqual(errors.replaceAll(folder, "AT").trim().split("\n"), [
          "warning: AT/early was evaluated at iteration 30, and has reached 40 since",
          "warning: damaged: 1 line of metrics.jsonl could not be read and is left out.",
          "warning: hostile: 1 line of metrics.jsonl could not be read and is left out.",
        ]);
        assert.equal(row(output, "damaged")[2], "13 of 40");
        assert.deepEqual(row(output, "lost"), ["lost", "diverged", "6 of 40", "3.0 s", "not finite", "–"]);
        assert.deepEqual(row(output, "test accuracy"), ["test accuracy", "50.0 %", "75.0 %"]);
      },
    );
    await t.step("one line and a status for what cannot be compared", async () => {
      const cases: [string, number, RegExp][] = [
        [
          "whole new",
          1,
          /^error: AT\/new has no metrics and has not been evaluated: there is nothing to compare; /,
        ],
        [
          "whole absent",
          1,
          /^error: absent holds no run \(no config\.json\) and has not been evaluated \(no/,
        ],
        [
          "whole huge",
          1,
          /^error: AT\/huge\/metrics\.jsonl: it has 17179869184 bytes, where at most 134217728 are/,
        ],
        ["whole", 2, /^error: compare takes at least two runs/],
        ["whole part --by epoch", 2, /^error: --by takes iteration or time/],
      ];
      for (const [args, status, message] of cases) {
        const ended = await compare(folder, args);
        const [line, ...others] = ownErrors(ended);
        assert.equal(ended.status, status, args);
        assert.match(line!.replaceAll(folder, "AT"), message);
        assert.deepEqual(others, status === 2 ? ["--help lists the options"] : []);
      }
    });
  });
});
