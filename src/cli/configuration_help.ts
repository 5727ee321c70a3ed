/** The text of `--help=SUBJECT` about the configuration: all of its options, one of them, or a preset. */

import { closest } from "../train/closest.ts";
import { parseConfiguration } from "../train/configuration.ts";
import { allowedValues, meaningOf, optionGroups, type OptionName, optionNames } from "../train/options.ts";
import { preset, presetNames, presetSource } from "../train/presets.ts";
import { UsageError } from "./command.ts";
import { wrap } from "./format.ts";

/** The part of a command's help that names the subjects. */
export const subjectHelp = `
  --help=options      show all options of the configuration, with their defaults and the values that are allowed
  --help=OPTION       show one of them
  --help=PRESET       show what a preset changes of them
`.slice(1, -1);

const width = 80;
/** Where the texts start: two spaces after the longest name. */
const column = Math.max(...optionNames.map((name) => name.length)) + 4;

const introduction = `
Options of the configuration, for --set KEY=VALUE and for files of --config.

The defaults are the published values for CIFAR-10. A preset changes some of
them, as --help=PRESET shows. --set takes text as it is, a list as [1,2.5].
`.trim();

/**
 * @param subject `options`, an option's name or a preset's
 * @throws {UsageError} if it is none of these.
 */
export function configurationHelp(subject: string): string {
  if (subject === "options") return allOptions();
  const option = optionNames.find((name) => name === subject);
  if (option) return entry(option);
  if (presetNames().includes(subject)) return presetHelp(subject);
  const likely = closest(subject, ["options", ...optionNames, ...presetNames()]);
  throw new UsageError(
    `--help knows options, each option of the configuration and each preset, but no "${subject}"; did you mean ${likely}?`,
  );
}

function allOptions(): string {
  const groups = optionGroups.map(({ title, names }) => `${title}:\n\n${names.map(entry).join("\n")}`);
  return [introduction, ...groups].join("\n\n");
}

function entry(name: OptionName): string {
  const indent = " ".repeat(column);
  const usual = valueText(parseConfiguration({})[name]);
  const lines = [meaningOf(name), `(${allowedValues(name)}; default: ${usual})`].map((text) =>
    wrap(text, width, indent)
  ).join("\n");
  return `  ${name}${lines.slice(name.length + 2)}`;
}

function presetHelp(name: string): string {
  const [values, usual] = [preset(name), parseConfiguration({})].map((configuration) =>
    Object.fromEntries(optionNames.map((option) => [option, valueText(configuration[option])]))
  );
  const changed = optionNames.filter((option) => values![option] !== usual![option]);
  const title = wrap(`Preset ${name}: ${presetSource(name)}.`, width);
  if (changed.length === 0) return `${title}\n\nEvery option has its default.`;
  const settings = changed.map((option) => `${option}=${values![option]}`);
  const longest = Math.max(...settings.map((setting) => setting.length));
  const lines = settings.map((setting, i) =>
    `  ${setting.padEnd(longest)}  (default: ${usual![changed[i]!]})`
  );
  return [title, "", "What it changes:", "", ...lines].join("\n");
}

/** A value as `--set` takes it. */
function valueText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
