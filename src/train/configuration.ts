/**
 * Everything that a training run depends on besides the data: one flat set of options, checked before anything starts.
 * Together with the data it determines a run's numbers bit for bit on one adapter.
 */

import type * as z from "zod";
import { ConfigurationError } from "../errors.ts";
import { closest } from "./closest.ts";
import {
  allowedValues,
  configurationSchema,
  isText,
  type OptionName,
  optionNames,
  writtenByRuns,
} from "./options.ts";

/** A complete, checked configuration. */
export type Configuration = Readonly<z.output<typeof configurationSchema>>;

/** Options that say the same thing in two ways, with the value that means "not used". */
const alternatives = [
  { keys: ["iterations", "epochs"], unused: null },
  { keys: ["decayIterations", "decayEpochs"], unused: [] },
] as const;

interface Conflict {
  readonly broken: (configuration: Configuration) => boolean;
  readonly message: (configuration: Configuration) => string;
}

/** Options that are divided among the shards. Only the likelihood uses the first two. */
const dividedOptions = ["likelihoodBatch", "bufferSize", "labelledBatch"] as const;

/** The first option that cannot be divided evenly. */
function undivided(configuration: Configuration): typeof dividedOptions[number] | undefined {
  const { shards, likelihoodWeight } = configuration;
  const used = likelihoodWeight > 0 ? dividedOptions : dividedOptions.slice(2);
  return used.find((option) => configuration[option] % shards !== 0);
}

/** Rules between options: what is not allowed, and how to say it. */
const conflicts: readonly Conflict[] = [
  {
    broken: ({ iterations, epochs }) => (iterations === null) === (epochs === null),
    message: () => "give exactly one of iterations and epochs, and null for the other",
  },
  {
    broken: ({ decayIterations, decayEpochs }) => decayIterations.length > 0 && decayEpochs.length > 0,
    message: () => "give decayIterations or decayEpochs, and [] for the other",
  },
  {
    broken: ({ likelihoodWeight, steps }) => likelihoodWeight > 0 && steps === 0,
    message: () => "steps is 0; it must be at least 1 when likelihoodWeight is above 0",
  },
  {
    broken: ({ likelihoodWeight, classificationWeight }) =>
      likelihoodWeight === 0 && classificationWeight === 0,
    message: () => "likelihoodWeight and classificationWeight are both 0; there is nothing to train",
  },
  {
    broken: ({ stepSize, innerSteps }) => stepSize === 0 && innerSteps === 0,
    message: () => "stepSize is 0; it must be above 0 when innerSteps is 0",
  },
  {
    broken: ({ dataset, padding }) => dataset === "digits" && (padding ?? 0) > 7,
    message: ({ padding }) =>
      `padding is ${padding}; it must be at most 7 for digits, which are 8 pixels wide`,
  },
  {
    broken: (configuration) => undivided(configuration) !== undefined,
    message: (configuration) => {
      const option = undivided(configuration)!;
      return `shards is ${configuration.shards}; it must divide ${option}, which is ${configuration[option]}`;
    },
  },
];

/**
 * Checks options given by name. Missing options take the published values for CIFAR-10. Where an option excludes
 * another, such as `iterations` and `epochs`, giving one switches off the default of the other.
 * @throws {ConfigurationError} naming every wrong key with its value and what is allowed, on one line.
 */
export function parseConfiguration(value: unknown): Configuration {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ConfigurationError("configuration: expected an object of options");
  }
  const options = { ...value } as Record<string, unknown>;
  for (const key of Object.keys(options)) requireKnown(key);
  for (const { keys } of alternatives) {
    const [given, ...others] = keys.filter((key) => options[key] !== undefined);
    if (given !== undefined && others.length === 0) switchOffAlternatives(options, given);
  }
  const result = configurationSchema.safeParse(options);
  if (!result.success) {
    const keys = new Set(result.error.issues.map(({ path }) => path[0] as OptionName));
    throw new ConfigurationError(
      `configuration: ${
        [...keys].map((key) => `${key} is ${show(options[key])}; it must be ${allowedValues(key)}`).join("; ")
      }`,
    );
  }
  const broken = conflicts.find((rule) => rule.broken(result.data));
  if (broken) throw new ConfigurationError(`configuration: ${broken.message(result.data)}`);
  return result.data;
}

/**
 * Options with one of them replaced, for `--set key=value`. The value of a text option is taken as it is, except for
 * `null` and a string in quotes. Any other value is read as JSON, or else as a string. Setting one of two options that
 * exclude each other, such as `iterations` and `epochs`, switches the other off.
 * @throws {ConfigurationError} if there is no `=` or no such option; the value itself is checked by
 * {@link parseConfiguration}.
 */
export function applySetting(
  options: Readonly<Record<string, unknown>>,
  setting: string,
): Record<string, unknown> {
  const [, key, text] = /^([^=]+)=(.*)$/s.exec(setting) ?? [];
  if (key === undefined || text === undefined) {
    throw new ConfigurationError(`configuration: ${show(setting)} is not of the form key=value`);
  }
  requireKnown(key);
  if (writtenByRuns.includes(key)) {
    throw new ConfigurationError(`configuration: ${key} is only written by runs`);
  }
  const changed: Record<string, unknown> = { ...options, [key]: parseValue(key, text) };
  switchOffAlternatives(changed, key);
  return changed;
}

/** Switches off the option that `chosen` excludes, unless `chosen` itself is being switched off. */
function switchOffAlternatives(options: Record<string, unknown>, chosen: string): void {
  for (const { keys, unused } of alternatives) {
    if (!keys.some((key) => key === chosen) || isUnused(options[chosen])) continue;
    for (const key of keys) if (key !== chosen) options[key] = unused;
  }
}

function requireKnown(key: string): asserts key is OptionName {
  if (optionNames.some((name) => name === key)) return;
  throw new ConfigurationError(
    `configuration: unknown option ${show(key)}; did you mean ${closest(key, optionNames)}?`,
  );
}

function isUnused(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}

function parseValue(key: OptionName, text: string): unknown {
  try {
    const value = JSON.parse(text);
    return isText(key) && value !== null && typeof value !== "string" ? text : value;
  } catch {
    return text;
  }
}

/** A value on one line, cut to a readable length, including numbers that JSON lacks. */
function show(value: unknown): string {
  const text = typeof value === "number" ? String(value) : JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
