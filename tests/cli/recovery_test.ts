import assert from "node:assert/strict";
import { parseSafetensors } from "../../src/formats/safetensors.ts";
import { ownErrors, run } from "./commands.ts";

const set = (...settings: string[]) => settings.flatMap((setting) => ["--set", setting]);

/** A run on the digits that takes seconds and diverges at once. */
const hot = [
  ...set(
    "likelihoodBatch=8",
    "labelledBatch=8",
    "bufferSize=20",
    "steps=1",
    "warmup=0",
    "decayIterations=[]",
  ),
  ...set("checkpointEvery=2", "samplesEvery=0", "evaluateEvery=0", "learningRate=5000", "recover=1"),
];

Deno.test("train: a run that diverges says what was tried; resumed with another rate and seed it ends, with its history", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/run`;
  const resume = (...args: string[]) => run("train", "--resume", "--run-dir", path, ...args);
  const readConfiguration = async () => JSON.parse(await Deno.readTextFile(`${path}/config.json`));
  try {
    const diverged = await run("train", ...hot, "--iterations", "30", "--run-dir", path);
    assert.equal(diverged.status, 1);
    assert.match(
      diverged.output,
      /^iteration \d+: .*: going back to iteration 0, with other random numbers/m,
    );
    const [line, ...others] = ownErrors(diverged);
    assert.match(
      line!,
      /^error: training diverged at iteration \d+ \(.*\); recovery failed from 0 with the rate times 0\.1/,
    );
    assert.deepEqual(others, []);
    assert.match(await Deno.readTextFile(`${path}/curves.html`), /"curves":{"loss":/);

    for (
      const [setting, reason] of [
        [
          "depth=16",
          /^error: depth cannot be changed when a run is resumed: .* that model; start a new run$/,
        ],
        ["dataLimit=500", /^error: dataLimit cannot be changed .* those images/],
        ["optimizer=adam", /^error: optimizer cannot be changed .* state/],
        ["history=[]", /history is only written by runs/],
      ] as const
    ) {
      const refused = await resume("--set", setting);
      assert.equal(refused.status, 2);
      assert.match(ownErrors(refused)[0]!, reason);
    }
    assert.deepEqual((await readConfiguration()).history, [], "what is refused leaves the run as it was");

    const healed = await resume(
      ...set("learningRate=0.01"),
      "--seed",
      "3",
      "--iterations",
      "20",
    );
    assert.equal(healed.status, 0, healed.errors);
    const { learningRate, seed, history } = await readConfiguration();
    assert.deepEqual([learningRate, seed, history.length], [0.01, 3, 1]);
    assert.equal(history[0].attempts, 1);
    assert.deepEqual(history[0].changes, {
      learningRate: [5000, 0.01],
      iterations: [30, 20],
      seed: [1, 3],
    });
    const { metadata } = parseSafetensors(await Deno.readFile(`${path}/checkpoints/00000020.safetensors`));
    assert.deepEqual(JSON.parse(metadata["configuration"]!).history, history);
    const { recoveries, testLoss } = JSON.parse(await Deno.readTextFile(`${path}/summary.json`));
    assert(recoveries.length >= 1 && Number.isFinite(testLoss));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
