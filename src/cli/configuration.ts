import { resolve } from "node:path";
import { applySetting, type Configuration, parseConfiguration } from "../train/configuration.ts";
import { preset } from "../train/presets.ts";
import { readJson } from "../train/run/run_directory.ts";

/** The preset that is taken where nothing else is named. */
export const defaultPreset = "digits";

/** Options that name a configuration. */
export const configurationOptions = {
  preset: { type: "string" },
  config: { type: "string" },
  set: { type: "string", multiple: true },
} as const;

/**
 * The configuration that the options name, with some settings of the form `key=value` changed. The path of the data is
 * absolute, so that a run finds them from wherever it is resumed or evaluated.
 * @throws {ConfigurationError} if there is no such preset, or a value is wrong.
 */
export async function chosenConfiguration(
  { preset: name, config }: { readonly preset?: string; readonly config?: string },
  settings: readonly string[],
): Promise<Configuration> {
  let chosen: Record<string, unknown> = name !== undefined || config === undefined
    ? { ...preset(name ?? defaultPreset) }
    : {};
  if (config !== undefined) {
    const file = await readJson(config);
    chosen = { ...chosen, ...parseConfiguration(file) };
  }
  for (const setting of settings) chosen = applySetting(chosen, setting);
  const configuration = parseConfiguration(chosen);
  const { dataFolder } = configuration;
  // The history is that of the run whose file it may be.
  return { ...configuration, history: [], dataFolder: dataFolder === null ? null : resolve(dataFolder) };
}
