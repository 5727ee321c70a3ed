import fc from "fast-check";
import assert from "node:assert/strict";
import { ConfigurationError } from "../../src/errors.ts";
import { applySetting, type Configuration, parseConfiguration } from "../../src/train/configuration.ts";

/** The published CIFAR-10 run, option by option. */
const published: Configuration = {
  dataset: "cifar10",
  dataFolder: null,
  dataLimit: null,
  imageSize: 32,
  testShare: 0.1,
  validationCount: 0,
  labelsPerClass: null,
  residentMebibytes: 4096,
  depth: 28,
  width: 10,
  norm: "batch",
  dropout: 0,
  unconditional: false,
  activations: "float32",
  products: "float32",
  likelihoodWeight: 1,
  classificationWeight: 1,
  likelihoodBatch: 64,
  labelledBatch: 128,
  shards: 1,
  l2: 0,
  augmentLikelihood: false,
  inputNoise: 0,
  initialisation: "informative",
  bufferSize: 10_000,
  reinitProbability: 0.05,
  steps: 5,
  stepSize: 1,
  noiseScale: 0,
  gradientClamp: 1,
  innerSteps: 0,
  innerStepSize: 0.2,
  innerClamp: 1,
  samplerNorm: "train",
  optimizer: "sgd",
  learningRate: 0.1,
  momentum: 0.9,
  weightDecay: 5e-4,
  beta1: 0.9,
  beta2: 0.999,
  warmup: 1000,
  decayEpochs: [60, 120, 180],
  decayIterations: [],
  decayRate: 0.2,
  iterations: null,
  epochs: 200,
  rho: 2,
  ascent: "global",
  adaptive: null,
  consistentPasses: false,
  divergenceLimit: 1e5,
  seed: 1,
  padding: null,
  flip: null,
  checkpointEvery: 1000,
  checkpointMinutes: 10,
  samplesEvery: 1000,
  evaluateEvery: 390,
  keepCheckpoints: 3,
  recover: 3,
  origin: null,
  history: [],
};

function refused(options: unknown, message: RegExp): void {
  assert.throws(() => parseConfiguration(options), (error) => {
    assert.ok(error instanceof ConfigurationError, String(error));
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
}

Deno.test("parseConfiguration() fills in the published values and accepts its own result", () => {
  assert.deepEqual(parseConfiguration({}), published);
  assert.deepEqual(parseConfiguration(published), published);
  assert.deepEqual(parseConfiguration(JSON.parse(JSON.stringify(published))), published);
});

Deno.test("parseConfiguration() refuses unknown options by name and suggests the nearest", () => {
  refused({ learningrate: 0.1 }, /unknown option "learningrate"; did you mean learningRate\?/);
  refused({ stepsize: 1 }, /did you mean stepSize\?/);
  refused(JSON.parse('{"__proto__":{"rho":1}}'), /unknown option "__proto__"/);
  refused({ toString: 1 }, /unknown option "toString"/);
});

Deno.test("parseConfiguration() refuses values out of range, naming option, value and range", () => {
  const cases: [object, RegExp][] = [
    [
      { dataset: "lsun" },
      /dataset is "lsun"; it must be one of digits, mnist, fashion-mnist, cifar10, cifar100/,
    ],
    [{ dataFolder: "" }, /dataFolder is ""; it must be a path or null/],
    [{ dataLimit: 0 }, /dataLimit is 0; it must be a whole number from 1 to 1000000000 or null/],
    [{ imageSize: 65 }, /imageSize is 65; it must be a whole number from 8 to 64/],
    [{ testShare: 0 }, /testShare is 0; it must be a number above 0 and below 1/],
    [{ validationCount: -1 }, /validationCount is -1/],
    [{ labelsPerClass: 0 }, /labelsPerClass is 0; it must be a whole number from 1 to 1000000000 or null/],
    [{ residentMebibytes: 0.5 }, /residentMebibytes is 0.5/],
    [{ dropout: 1 }, /dropout is 1; it must be a number of at least 0 and below 1/],
    [{ classificationWeight: -1 }, /classificationWeight is -1/],
    [{ innerSteps: -1 }, /innerSteps is -1/],
    [{ innerStepSize: 0 }, /innerStepSize is 0; it must be a number above 0/],
    [{ innerClamp: 0 }, /innerClamp is 0; it must be a number above 0 or null/],
    [{ depth: 27 }, /depth is 27; it must be 6n \+ 4/],
    [{ depth: 4 }, /depth is 4/],
    [{ width: 0 }, /width is 0/],
    [{ norm: "group" }, /norm is "group"; it must be one of batch, none, instance, layer, act/],
    [{ unconditional: "yes" }, /unconditional is "yes"; it must be true or false/],
    [{ activations: "half" }, /activations is "half"; it must be one of float32, float16/],
    [{ products: "half" }, /products is "half"; it must be one of float32, float16/],
    [{ likelihoodWeight: -1 }, /likelihoodWeight is -1; it must be a number of at least 0/],
    [{ likelihoodBatch: 0 }, /likelihoodBatch is 0; it must be a whole number from 1 to 65535/],
    [{ labelledBatch: 1.5 }, /labelledBatch is 1.5/],
    [{ l2: NaN }, /l2 is NaN/],
    [{ augmentLikelihood: 1 }, /augmentLikelihood is 1/],
    [{ inputNoise: -0.1 }, /inputNoise is -0.1/],
    [{ initialisation: "noise" }, /initialisation is "noise"/],
    [{ bufferSize: 0 }, /bufferSize is 0/],
    [{ reinitProbability: 1.01 }, /reinitProbability is 1.01; it must be a number from 0 to 1/],
    [{ steps: -1 }, /steps is -1/],
    [{ stepSize: -1 }, /stepSize is -1; it must be a number of at least 0/],
    [{ noiseScale: Infinity }, /noiseScale is Infinity/],
    [{ gradientClamp: 0 }, /gradientClamp is 0; it must be a number above 0 or null/],
    [{ samplerNorm: "batch" }, /samplerNorm is "batch"; it must be one of train, eval/],
    [{ optimizer: "adamw" }, /optimizer is "adamw"/],
    [{ learningRate: 0 }, /learningRate is 0/],
    [{ momentum: 1 }, /momentum is 1; it must be a number of at least 0 and below 1/],
    [{ weightDecay: -1e-4 }, /weightDecay is -0.0001/],
    [{ beta1: 1 }, /beta1 is 1/],
    [{ beta2: -0.5 }, /beta2 is -0.5/],
    [{ warmup: -1 }, /warmup is -1/],
    [
      { decayEpochs: [120, 60] },
      /decayEpochs is \[120,60\]; it must be a list, each entry a number above 0 and above/,
    ],
    [{ decayEpochs: 60 }, /decayEpochs is 60/],
    [
      { decayIterations: [10.5] },
      /decayIterations is \[10.5\]; it must be a list, each entry a whole number from 1 /,
    ],
    [{ decayRate: 2 }, /decayRate is 2/],
    [{ iterations: 0 }, /iterations is 0/],
    [{ epochs: -3 }, /epochs is -3/],
    [{ rho: -0.05 }, /rho is -0.05; it must be a number of at least 0/],
    [{ adaptive: "no" }, /adaptive is "no"; it must be true or false or null/],
    [{ consistentPasses: null }, /consistentPasses is null/],
    [{ divergenceLimit: 0 }, /divergenceLimit is 0/],
    [{ seed: 2 ** 53 }, /seed is 9007199254740992; it must be a whole number from 0 to 9007199254740991/],
    [{ padding: 32 }, /padding is 32; it must be a whole number from 0 to 31 or null/],
    [{ flip: 0 }, /flip is 0/],
    [{ checkpointEvery: -1 }, /checkpointEvery is -1/],
    [{ checkpointMinutes: -1 }, /checkpointMinutes is -1; it must be a number of at least 0/],
    [{ samplesEvery: 0.5 }, /samplesEvery is 0.5/],
    [{ evaluateEvery: "1" }, /evaluateEvery is "1"/],
    [{ keepCheckpoints: 0 }, /keepCheckpoints is 0/],
    [{ shards: 0 }, /shards is 0; it must be a whole number from 1 to 512/],
    [{ ascent: "mean" }, /ascent is "mean"; it must be one of global, local/],
    [{ recover: 21 }, /recover is 21; it must be a whole number from 0 to 20/],
    [
      { origin: "model.pt" },
      /origin is "model.pt"; it must be a path and the SHA-256 of its file, as runs write/,
    ],
    [{ history: [{ iteration: 3 }] }, /history is .*; it must be a list of changes as runs write it/],
  ];
  for (const [options, message] of cases) refused(options, message);
  const tested = new Set(cases.flatMap(([options]) => Object.keys(options)));
  assert.deepEqual(Object.keys(published).filter((key) => !tested.has(key)), []);
  refused({ rho: -1, steps: -1 }, /rho is -1;.*steps is -1;|steps is -1;.*rho is -1;/);
});

Deno.test("parseConfiguration() refuses options that contradict each other", () => {
  refused({ iterations: 10, epochs: 2 }, /exactly one of iterations and epochs/);
  refused({ iterations: null, epochs: null }, /exactly one of iterations and epochs/);
  refused({ epochs: null }, /exactly one of iterations and epochs/);
  refused({ decayIterations: [10], decayEpochs: [2] }, /decayIterations or decayEpochs/);
  refused({ steps: 0 }, /steps is 0; it must be at least 1 when likelihoodWeight is above 0/);
  refused({ stepSize: 0 }, /stepSize is 0; it must be above 0 when innerSteps is 0/);
  refused({ likelihoodWeight: 0, classificationWeight: 0 }, /there is nothing to train/);
  assert.equal(parseConfiguration({ stepSize: 0, innerSteps: 5 }).stepSize, 0);
  refused({ dataset: "digits", padding: 8 }, /padding is 8; it must be at most 7 for digits/);
  assert.equal(parseConfiguration({ steps: 0, likelihoodWeight: 0 }).steps, 0);
  refused({ shards: 3 }, /shards is 3; it must divide likelihoodBatch, which is 64/);
  refused(
    { shards: 3, likelihoodBatch: 66, bufferSize: 10 },
    /shards is 3; it must divide bufferSize, which is 10/,
  );
  refused({ shards: 3, likelihoodWeight: 0 }, /shards is 3; it must divide labelledBatch, which is 128/);
  assert.equal(parseConfiguration({ shards: 3, likelihoodWeight: 0, labelledBatch: 129 }).shards, 3);
});

Deno.test("parseConfiguration() drops the default of what a given option excludes", () => {
  const inIterations = parseConfiguration({ iterations: 10, decayIterations: [5] });
  assert.deepEqual([inIterations.epochs, inIterations.decayEpochs], [null, []]);
  const inEpochs = parseConfiguration({ epochs: 0.5, decayEpochs: [0.25] });
  assert.deepEqual([inEpochs.iterations, inEpochs.decayIterations], [null, []]);
  assert.deepEqual(parseConfiguration({ iterations: undefined }).epochs, 200);
  assert.deepEqual(parseConfiguration({ decayIterations: [] }).decayEpochs, [60, 120, 180]);
  assert.deepEqual(parseConfiguration({ decayEpochs: [] }).decayEpochs, []);
});

Deno.test("parseConfiguration() refuses what is no object of options, and throws nothing else", () => {
  for (const value of [null, 3, "rho=2", []]) refused(value, /expected an object/);
  const options = fc.dictionary(
    fc.oneof(fc.constantFrom(...Object.keys(published)), fc.string()),
    fc.anything(),
  );
  fc.assert(
    fc.property(fc.oneof(options, fc.anything()), (value) => {
      try {
        parseConfiguration(value);
      } catch (error) {
        assert.ok(error instanceof ConfigurationError, String(error));
        assert.doesNotMatch(error.message, /\n/);
      }
    }),
    { numRuns: 1000, seed: 3 },
  );
});

Deno.test("applySetting() reads values as JSON, or else as strings, and leaves its argument alone", () => {
  const settings: [string, string, unknown][] = [
    ["rho=0.05", "rho", 0.05],
    ["adaptive=true", "adaptive", true],
    ["gradientClamp=null", "gradientClamp", null],
    ["decayEpochs=[1,2.5]", "decayEpochs", [1, 2.5]],
    ["dataset=digits", "dataset", "digits"],
    ["dataFolder=/data/a=b c", "dataFolder", "/data/a=b c"],
    ["dataFolder=", "dataFolder", ""],
    ["dataFolder=null", "dataFolder", null],
    ['dataFolder="a b"', "dataFolder", "a b"],
    // Folder names that look like JSON.
    ...["2024", "1e3", "true", "[1]", "{}"].map((text): [string, string, unknown] => [
      `dataFolder=${text}`,
      "dataFolder",
      text,
    ]),
    ["norm=1", "norm", "1"],
  ];
  for (const [setting, key, value] of settings) {
    assert.deepEqual(applySetting(published, setting), { ...published, [key]: value });
  }
  assert.equal(published.rho, 2);
});

Deno.test("applySetting() switches off what the option excludes", () => {
  assert.deepEqual(applySetting(published, "iterations=600"), {
    ...published,
    iterations: 600,
    epochs: null,
  });
  assert.deepEqual(applySetting(published, "decayIterations=[3]"), {
    ...published,
    decayIterations: [3],
    decayEpochs: [],
  });
  assert.deepEqual(applySetting(published, "iterations=null"), published);
});

Deno.test("applySetting() refuses unknown options and what is not key=value", () => {
  for (const setting of ["rho", "=3", ""]) {
    assert.throws(() => applySetting({}, setting), {
      name: "ConfigurationError",
      message: /not of the form/,
    });
  }
  assert.throws(() => applySetting({}, "rhos=3"), {
    name: "ConfigurationError",
    message: 'configuration: unknown option "rhos"; did you mean rho?',
  });
  for (const key of ["origin", "history"]) {
    assert.throws(() => applySetting({}, `${key}=null`), {
      message: `configuration: ${key} is only written by runs`,
    });
  }
});
