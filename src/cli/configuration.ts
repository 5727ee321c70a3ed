import { resolve } from "node:path";
import { applySetting, type Configuration, parseConfiguration } from "../train/configuration.ts";
import { preset } from "../train/presets.ts";
import { readJson } from "../train/run/run_directory.ts";

/** The preset that is used by default. */
export const defaultPreset = "digits";

/** Options that name a configuration. */
export const configurationOptions = {
  preset: { type: "string" },
  config: { type: "string" },
  set: { type: "string", multiple: true },
} as const;

/** A configuration, and which of its options were given by name. */
export interface Choice {
  readonly configuration: Configuration;
  /** Names of the options in the file or the settings, not those in a preset. */
  readonly given: ReadonlySet<string>;
}

/**
 * The configuration that the options name, with some settings of the form `key=value` changed. The path of the data
 * becomes absolute, so that a run finds them wherever it is resumed or evaluated.
 * @throws {ConfigurationError} if there is no such preset, or a value is wrong.
 */
export async function chosenConfiguration(
  { preset: name, config }: { readonly preset?: string; readonly config?: string },
  settings: readonly string[],
): Promise<Choice> {
  const given = new Set(settings.map((setting) => setting.split("=")[0]!));
  let chosen: Record<string, unknown> = name !== undefined || config === undefined
    ? { ...preset(name ?? defaultPreset) }
    : {};
  if (config !== undefined) {
    const file = await readJson(config);
    chosen = { ...chosen, ...parseConfiguration(file) };
    for (const option of Object.keys(file as object)) given.add(option);
  }
  for (const setting of settings) chosen = applySetting(chosen, setting);
  const configuration = parseConfiguration(chosen);
  const { dataFolder } = configuration;
  // The history belongs to the run of the file.
  const folder = dataFolder === null ? null : resolve(dataFolder);
  return { configuration: { ...configuration, history: [], dataFolder: folder }, given };
}
