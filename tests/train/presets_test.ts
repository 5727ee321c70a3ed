import assert from "node:assert/strict";
import { parseConfiguration } from "../../src/train/configuration.ts";
import { preset, presetNames, presetSource } from "../../src/train/presets.ts";

Deno.test("presetNames() lists the presets, each valid and with its source", () => {
  assert.deepEqual(presetNames(), [
    "digits",
    "cifar10",
    "cifar100",
    "cifar10-tiny",
    "digits-softmax",
    "digits-jem",
    "digits-jempp",
  ]);
  for (const name of presetNames()) {
    assert.deepEqual(parseConfiguration(preset(name)), preset(name), name);
    assert.match(presetSource(name), /SADA-JEM|JEM|Baseline/, name);
  }
});

Deno.test("preset() gives the published settings for CIFAR", () => {
  assert.deepEqual(preset("cifar10"), parseConfiguration({}));
  assert.deepEqual(preset("cifar100"), { ...preset("cifar10"), dataset: "cifar100" });
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
});

Deno.test("preset() and presetSource() list the names if there is none of the name", () => {
  for (const name of ["digit", "__proto__", "toString"]) {
    for (const find of [preset, presetSource]) {
      assert.throws(() => find(name), {
        name: "ConfigurationError",
        message: /^no preset ".*"; there are digits, cifar10, cifar100, cifar10-tiny, digits-softmax/,
      });
    }
  }
});
