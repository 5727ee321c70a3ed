import assert from "node:assert/strict";
import { ConfigurationError, GpuError } from "../../src/errors.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { type Configuration, parseConfiguration } from "../../src/train/configuration.ts";
import { requireFit } from "../../src/train/fit.ts";
import { preset } from "../../src/train/presets.ts";
import { paperAdapter, withAdapter } from "../paper_adapter.ts";

/** An adapter with lavapipe's limits, whatever adapter is installed. */
async function lavapipe(): Promise<Gpu> {
  const adapter = paperAdapter();
  const limits = { ...adapter.limits, maxBufferSize: 2 ** 31 - 1, maxStorageBufferBindingSize: 2 ** 27 };
  return await withAdapter(paperAdapter(limits), () => Gpu.request("lavapipe"));
}

function configured(name: string, options: Partial<Configuration> = {}): Configuration {
  return parseConfiguration({ ...preset(name), ...options });
}

function refusal(gpu: Gpu, configuration: Configuration): string {
  try {
    requireFit(gpu, configuration);
    return "fits";
  } catch (error) {
    assert(error instanceof GpuError || error instanceof ConfigurationError, String(error));
    return error.message;
  }
}

Deno.test("requireFit() lets runs start that fit", async () => {
  const gpu = await lavapipe();
  for (const name of ["digits", "digits-jem", "digits-softmax", "cifar10-tiny"]) {
    assert.equal(refusal(gpu, configured(name)), "fits", name);
  }
  // A replay buffer is split, and so are the steps of a chain.
  assert.equal(refusal(gpu, configured("digits", { bufferSize: 1_000_000 })), "fits");
  assert.equal(
    refusal(gpu, configured("digits", { steps: 10_000, noiseScale: 0.01, innerSteps: 1000 })),
    "fits",
  );
});

Deno.test("requireFit() names the option, the bytes, the limit and what would fit", async () => {
  const gpu = await lavapipe();
  // 128 images of 32² pixels with 320 channels of 4 bytes, in a network of width 10.
  assert.match(
    refusal(gpu, configured("cifar10")),
    /with labelledBatch 128: .* needs 167772160 bytes; .* is 134217728; labelledBatch 102 would fit$/,
  );
  // Four shards of 128 each fit no better than one, and their batches have the same size.
  assert.match(
    refusal(gpu, configured("cifar10", { labelledBatch: 512, shards: 4 })),
    /with labelledBatch 512: .* needs 167772160 bytes; .* is 134217728; labelledBatch 408 would fit$/,
  );
  assert.equal(refusal(gpu, configured("cifar10", { shards: 2 })), "fits");
  assert.match(
    refusal(gpu, configured("digits", { bufferSize: 10_000_000 })),
    /with bufferSize 10000000: its images need 2560000000 bytes.* is 2147483647; bufferSize 8388607 would fit$/,
  );
});

const large: readonly [string, Partial<Configuration>, RegExp][] = [
  ["digits", { labelledBatch: 65_535 }, /with labelledBatch 65535: .*; labelledBatch \d+ would fit$/],
  ["digits", { likelihoodBatch: 65_535 }, /with likelihoodBatch 65535: .*; likelihoodBatch \d+ would fit$/],
  [
    "cifar10-tiny",
    { labelledBatch: 65_535, likelihoodBatch: 65_535 },
    /with labelledBatch 65535 and likelihoodBatch 65535: .* would fit$/,
  ],
  ["digits", { width: 100 }, /with width 100: .*; width \d+ would fit$/],
  ["cifar10", { depth: 1000, width: 100 }, /the parameters need 641674134020 bytes in one buffer/],
  ["cifar10-tiny", { depth: 1000, width: 20 }, /with depth 1000: the parameters need \d+ bytes/],
  [
    "cifar10-tiny",
    { dataset: "images", dataFolder: "pictures", imageSize: 64, labelledBatch: 4096 },
    /with labelledBatch 4096: .*; labelledBatch \d+ would fit$/,
  ],
  ["cifar10-tiny", { bufferSize: 10_000_000 }, /bufferSize 10000000: its images need 122880000000 bytes/],
  [
    "digits",
    { dataset: "mnist", padding: 31 },
    /padding is 31; it must be below 28, the side of the images of mnist/,
  ],
  ["digits", { residentMebibytes: 0 }, /residentMebibytes is 0.*set initialisation to uniform/],
  [
    "cifar10-tiny",
    { steps: 10_000, noiseScale: 0.1, likelihoodBatch: 1000 },
    /steps is 10000.*enough for 5592 steps/,
  ],
];

for (const [name, options, expected] of large) {
  Deno.test(`requireFit() refuses ${name} with ${JSON.stringify(options)}`, async () => {
    assert.match(refusal(await lavapipe(), configured(name, options)), expected);
  });
}

Deno.test("requireFit() refuses what no computer has the memory for, whatever a device's buffers hold", async () => {
  const limits = { ...paperAdapter().limits, maxBufferSize: 2 ** 45, maxStorageBufferBindingSize: 2 ** 45 };
  const gpu = await withAdapter(
    paperAdapter({ ...limits, maxComputeWorkgroupsPerDimension: 2 ** 30 }),
    () => Gpu.request(),
  );
  assert.match(
    refusal(gpu, configured("cifar10", { labelledBatch: 8192, depth: 304 })),
    /an iteration needs about \d{13,} bytes; no device has more than 1099511627776; labelledBatch \d+ would fit$/,
  );
  // In this case a kernel has a limit of its own.
  assert.match(
    refusal(gpu, configured("cifar10", { labelledBatch: 65_535 })),
    /with labelledBatch 65535: norm: .* at most 65535 are summed by one; labelledBatch \d+ would fit$/,
  );
});
