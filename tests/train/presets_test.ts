import assert from "node:assert/strict";
import { parseConfiguration } from "../../src/train/configuration.ts";
import { preset, presetNames, presetSource } from "../../src/train/presets.ts";

/** Names of the files in a folder and its sub-folders. */
function namesIn(folder: URL): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? namesIn(new URL(`${name}/`, folder)) : [name]
  );
}

Deno.test("presetNames() lists the presets, each valid and with its source", () => {
  const rows = ["", "-k10", "-k20", "-softmax", "-jem", "-jempp"];
  assert.deepEqual(presetNames(), [
    "digits",
    "digits-softmax",
    "digits-from-softmax",
    "digits-jem",
    "digits-jempp",
    "mnist",
    "cifar10-tiny",
    "cifar10-small",
    ...["cifar10", "cifar100", "svhn"].flatMap((dataset) => rows.map((row) => dataset + row)),
  ]);
  const files = namesIn(new URL("../../src/train/presets/", import.meta.url));
  assert.deepEqual(files.sort(), presetNames().map((name) => `${name}.json`).sort());
  for (const name of presetNames()) {
    assert.deepEqual(parseConfiguration(preset(name)), preset(name), name);
    assert.match(presetSource(name), /SADA-JEM|JEM|Baseline/, name);
  }
});

Deno.test("preset() gives the published settings for CIFAR", () => {
  assert.deepEqual(preset("cifar10"), parseConfiguration({}));
  assert.deepEqual(preset("cifar100"), { ...preset("cifar10"), dataset: "cifar100" });
});

Deno.test("preset() gives the rows of the paper's comparison for each data set", () => {
  for (const dataset of ["cifar10", "cifar100", "svhn"]) {
    const row = (name: string) => preset(dataset + name);
    assert.deepEqual(["", "-k10", "-k20"].map((name) => row(name).steps), [5, 10, 20]);
    assert(
      presetNames().filter((name) => name.split("-")[0] === dataset).every((name) =>
        preset(name).dataset === dataset && (preset(name).depth === 28 || /-(tiny|small)$/.test(name))
      ),
    );
    assert.deepEqual([row("-softmax").likelihoodWeight, row("-softmax").rho, row("-softmax").epochs], [
      0,
      0,
      200,
    ]);
    assert.deepEqual([row("-jem").optimizer, row("-jem").steps, row("-jem").decayEpochs], ["adam", 20, [
      160,
      180,
    ]]);
    assert.deepEqual([row("-jempp").epochs, row("-jempp").validationCount], [150, 5000]);
  }
});

Deno.test("preset() gives the baselines what sets them apart from SADA-JEM", () => {
  assert.equal(preset("digits").rho, 2);
  assert.equal(preset("digits").augmentLikelihood, false);
  const { likelihoodWeight, rho } = preset("digits-softmax");
  assert.deepEqual([likelihoodWeight, rho], [0, 0]);
  const jem = preset("digits-jem");
  assert.deepEqual(
    [
      jem.rho,
      jem.augmentLikelihood,
      jem.initialisation,
      jem.norm,
      jem.optimizer,
      jem.steps,
      jem.gradientClamp,
    ],
    [0, true, "uniform", "none", "adam", 20, null],
  );
  const jempp = preset("digits-jempp");
  assert.deepEqual([jempp.rho, jempp.augmentLikelihood, jempp.initialisation], [0, true, "informative"]);
  assert.deepEqual([jempp.steps, jempp.innerSteps, jempp.innerStepSize], [5, 5, 0.2]);
});

Deno.test("preset() and presetSource() list the names if there is none of the name", () => {
  for (const name of ["digit", "__proto__", "toString"]) {
    for (const find of [preset, presetSource]) {
      assert.throws(() => find(name), {
        name: "ConfigurationError",
        message:
          /^no preset ".*"; there are digits, digits-softmax, digits-from-softmax, digits-jem, digits-jempp, mnist, cifar10-tiny, cifar10/,
      });
    }
  }
});
