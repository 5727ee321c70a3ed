/** Named configurations. Each is a file in `presets/` that says where its values come from. */

import { ConfigurationError } from "../errors.ts";
import { type Configuration, parseConfiguration } from "./configuration.ts";
import digits from "./presets/digits/digits.json" with { type: "json" };
import digitsSoftmax from "./presets/digits/digits-softmax.json" with { type: "json" };
import digitsFromSoftmax from "./presets/digits/digits-from-softmax.json" with { type: "json" };
import digitsJem from "./presets/digits/digits-jem.json" with { type: "json" };
import digitsJempp from "./presets/digits/digits-jempp.json" with { type: "json" };
import mnist from "./presets/mnist/mnist.json" with { type: "json" };
import cifar10Tiny from "./presets/cifar10/cifar10-tiny.json" with { type: "json" };
import cifar10Small from "./presets/cifar10/cifar10-small.json" with { type: "json" };
import cifar10 from "./presets/cifar10/cifar10.json" with { type: "json" };
import cifar10K10 from "./presets/cifar10/cifar10-k10.json" with { type: "json" };
import cifar10K20 from "./presets/cifar10/cifar10-k20.json" with { type: "json" };
import cifar10Softmax from "./presets/cifar10/cifar10-softmax.json" with { type: "json" };
import cifar10Jem from "./presets/cifar10/cifar10-jem.json" with { type: "json" };
import cifar10Jempp from "./presets/cifar10/cifar10-jempp.json" with { type: "json" };
import cifar100 from "./presets/cifar100/cifar100.json" with { type: "json" };
import cifar100K10 from "./presets/cifar100/cifar100-k10.json" with { type: "json" };
import cifar100K20 from "./presets/cifar100/cifar100-k20.json" with { type: "json" };
import cifar100Softmax from "./presets/cifar100/cifar100-softmax.json" with { type: "json" };
import cifar100Jem from "./presets/cifar100/cifar100-jem.json" with { type: "json" };
import cifar100Jempp from "./presets/cifar100/cifar100-jempp.json" with { type: "json" };
import svhn from "./presets/svhn/svhn.json" with { type: "json" };
import svhnK10 from "./presets/svhn/svhn-k10.json" with { type: "json" };
import svhnK20 from "./presets/svhn/svhn-k20.json" with { type: "json" };
import svhnSoftmax from "./presets/svhn/svhn-softmax.json" with { type: "json" };
import svhnJem from "./presets/svhn/svhn-jem.json" with { type: "json" };
import svhnJempp from "./presets/svhn/svhn-jempp.json" with { type: "json" };

/** The contents of a preset's file. */
interface Preset {
  /** Where the values come from, in one line. */
  readonly source: string;
  /** The preset that this one modifies; the published CIFAR-10 values if there is none. */
  readonly extends?: string;
  /** The options that differ. */
  readonly options: Readonly<Record<string, unknown>>;
}

const presets: Readonly<Record<string, Preset>> = {
  digits,
  "digits-softmax": digitsSoftmax,
  "digits-from-softmax": digitsFromSoftmax,
  "digits-jem": digitsJem,
  "digits-jempp": digitsJempp,
  mnist,
  "cifar10-tiny": cifar10Tiny,
  "cifar10-small": cifar10Small,
  cifar10,
  "cifar10-k10": cifar10K10,
  "cifar10-k20": cifar10K20,
  "cifar10-softmax": cifar10Softmax,
  "cifar10-jem": cifar10Jem,
  "cifar10-jempp": cifar10Jempp,
  cifar100,
  "cifar100-k10": cifar100K10,
  "cifar100-k20": cifar100K20,
  "cifar100-softmax": cifar100Softmax,
  "cifar100-jem": cifar100Jem,
  "cifar100-jempp": cifar100Jempp,
  svhn,
  "svhn-k10": svhnK10,
  "svhn-k20": svhnK20,
  "svhn-softmax": svhnSoftmax,
  "svhn-jem": svhnJem,
  "svhn-jempp": svhnJempp,
};

/** Names of the presets. */
export function presetNames(): string[] {
  return Object.keys(presets);
}

/**
 * A preset's complete configuration.
 * @throws {ConfigurationError} listing the names if there is no such preset.
 */
export function preset(name: string): Configuration {
  return parseConfiguration(optionsOf(find(name)));
}

/**
 * Where a preset's values come from, in one line.
 * @throws {ConfigurationError} listing the names if there is no such preset.
 */
export function presetSource(name: string): string {
  return find(name).source;
}

function optionsOf({ extends: base, options }: Preset): Record<string, unknown> {
  return { ...(base === undefined ? {} : optionsOf(find(base))), ...options };
}

function find(name: string): Preset {
  const found = Object.hasOwn(presets, name) ? presets[name] : undefined;
  if (!found) {
    throw new ConfigurationError(`no preset ${JSON.stringify(name)}; there are ${presetNames().join(", ")}`);
  }
  return found;
}
