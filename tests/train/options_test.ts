/** The options of a configuration: their descriptions match what the check does. */

import assert from "node:assert/strict";
import { configurationHelp } from "../../src/cli/configuration_help.ts";
import { UsageError } from "../../src/cli/command.ts";
import { optionsDocument, optionsPath } from "../../scripts/options_document.ts";
import { applySetting, parseConfiguration } from "../../src/train/configuration.ts";
import {
  allowedValues,
  meaningOf,
  optionGroups,
  type OptionName,
  optionNames,
  writtenByRuns,
} from "../../src/train/options.ts";
import { preset, presetNames } from "../../src/train/presets.ts";

/** Other options that a rule needs when one option has an extreme value. */
const companions: Readonly<Record<string, object>> = {
  "steps=0": { likelihoodWeight: 0 },
  "stepSize=0": { innerSteps: 1 },
  "shards=512": { likelihoodBatch: 512, labelledBatch: 512, bufferSize: 512 },
  "epochs=null": { iterations: 1 },
};

function accepts(name: OptionName, value: unknown): boolean {
  const given = { [name]: value, ...companions[`${name}=${value}`] };
  try {
    assert.deepEqual(parseConfiguration(given)[name], value);
    return true;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    assert.match(String(error), RegExp(`configuration: ${name} is .*; it must be `));
    return false;
  }
}

/** Values that a description allows, and values that it does not. */
function examples(text: string): { allowed: unknown[]; others: unknown[] } {
  const number = String.raw`(-?[\d.]+)`;
  const kinds: [RegExp, (...parts: string[]) => { allowed: unknown[]; others: unknown[] }][] = [
    [/^(.*) or null$/, (inner) => {
      const { allowed, others } = examples(inner!);
      return { allowed: [...allowed, null], others: others.filter((value) => value !== null) };
    }],
    [/^a list, each entry (.*) and above the one before$/, (entry) => {
      const { allowed, others } = examples(entry!);
      const [least] = allowed as number[];
      return {
        allowed: [[], [least], [least, least! + 1]],
        others: [least, [least, least], [least! + 1, least], ...others.map((value) => [value])],
      };
    }],
    [/^one of (.*)$/, (names) => ({ allowed: names!.split(", "), others: ["other", 1] })],
    [/^true or false$/, () => ({ allowed: [true, false], others: ["true", 0, 1] })],
    [/^a path$/, () => ({ allowed: ["a b", "/c"], others: ["", 1] })],
    [RegExp(`^6n \\+ 4 from ${number} to ${number}, such as (.*)$`), (low, high, some) => {
      const listed = some!.split(/, | or /).map(Number);
      return {
        allowed: [low, high, ...listed].map(Number),
        others: [Number(low) - 6, Number(high) + 6, listed[0]! + 1],
      };
    }],
    [RegExp(`^a whole number from ${number} to ${number}$`), (low, high) => ({
      allowed: [Number(low), Number(high)],
      others: [Number(low) - 1, Number(high) + 1, Number(low) + 0.5],
    })],
    [RegExp(`^a number from ${number} to ${number}$`), (low, high) => ({
      allowed: [Number(low), Number(high), 0.5],
      others: [Number(low) - 1e-9, Number(high) + 1e-9],
    })],
    [RegExp(`^a number (of at least|above) ${number}(?: and below ${number})?$`), (from, low, below) => {
      const least = Number(low);
      const [inside, outside] = from === "above" ? [least + 1e-9, least] : [least, least - 1e-9];
      return below === undefined
        ? { allowed: [inside, 1e300], others: [outside, Infinity, NaN] }
        : { allowed: [inside, Number(below) - 1e-9], others: [outside, Number(below), NaN] };
    }],
  ];
  for (const [pattern, make] of kinds) {
    const found = pattern.exec(text);
    if (found) {
      const { allowed, others } = make(...found.slice(1));
      return { allowed, others: [...others, null, {}].filter((value) => !allowed.includes(value)) };
    }
  }
  assert.fail(`no examples for "${text}"`);
}

const settable = optionNames.filter((name) => !writtenByRuns.includes(name));

Deno.test("every value that an option says is allowed is accepted, and others are refused", () => {
  for (const name of settable) {
    const { allowed, others } = examples(allowedValues(name));
    for (const value of allowed) assert(accepts(name, value), `${name}=${JSON.stringify(value)}`);
    for (const value of others) assert(!accepts(name, value), `${name}=${JSON.stringify(value)}`);
  }
});

Deno.test("every option is in one group and says in sentences what it means", () => {
  assert.deepEqual(optionGroups.flatMap(({ names }) => names), optionNames);
  for (const name of optionNames) assert.match(meaningOf(name), /^\S[^\n]*\.$/, name);
  for (const name of writtenByRuns) {
    assert.throws(() => applySetting({}, `${name}=[]`), /only written by runs/);
  }
});

const flat = (text: string) => text.replaceAll(/\s+/g, " ");

Deno.test("--help=options has every option with its meaning, values and default, in 80 columns", () => {
  const help = configurationHelp("options");
  const usual: Readonly<Record<string, unknown>> = parseConfiguration({});
  assert.deepEqual([...help.matchAll(/^ {2}(\w+) /gm)].map(([, name]) => name), optionNames);
  for (const name of optionNames) {
    const value = usual[name];
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const whole = `${name} ${meaningOf(name)} (${allowedValues(name)}; default: ${text})`;
    assert(flat(help).includes(flat(whole)), name);
    assert.equal(flat(configurationHelp(name)).trim(), flat(whole));
    // The default shown can be set.
    if (settable.includes(name)) assert.deepEqual(applySetting({}, `${name}=${text}`)[name], value);
  }
  for (const line of help.split("\n")) assert(line.length <= 80 && line === line.trimEnd(), line);
});

Deno.test("--help=PRESET has the settings that make the preset of the defaults", () => {
  for (const name of presetNames()) {
    const help = configurationHelp(name);
    let options: Record<string, unknown> = {};
    for (const [, setting] of help.matchAll(/^ {2}(\S+=\S+) +\(default: /gm)) {
      options = applySetting(options, setting!);
    }
    assert.deepEqual(parseConfiguration(options), preset(name), name);
    for (const line of help.split("\n")) assert(line.length <= 80, line);
  }
});

Deno.test("--help of anything else is refused with the nearest subject", () => {
  const refused = { option: "options", Rho: "rho", "cifar-10": "cifar10" };
  for (const [subject, likely] of Object.entries(refused)) {
    assert.throws(
      () => configurationHelp(subject),
      (error) => error instanceof UsageError && error.message.endsWith(`did you mean ${likely}?`),
    );
  }
});

Deno.test("docs/options.md is up to date", async () => {
  const written = await Deno.readTextFile(optionsPath);
  assert(written === await optionsDocument(), "docs/options.md differs from the sources: ./run docs");
});
