/** Writes `docs/options.md` from the options of the configuration. */

import { parseConfiguration } from "../src/train/configuration.ts";
import { allowedValues, meaningOf, optionGroups, type OptionName } from "../src/train/options.ts";
import { formatted } from "./formatted.ts";

/** Where the document lies. */
export const optionsPath = new URL("../docs/options.md", import.meta.url);

const introduction = `
# Options

The configuration of a training run, as \`--set KEY=VALUE\` and the files of \`--config\` take it. The defaults are the published
values for CIFAR-10 (Yang, Su, Ji, CVPR 2023); a preset changes some of them, as \`./run train --help=PRESET\` shows. The tables
are made by \`./run docs\` from what checks the values, \`src/train/options.ts\`; \`./run train --help=options\` says the same.
`.trim();

/** The whole document, formatted as all files are. */
export async function optionsDocument(): Promise<string> {
  const chapters = optionGroups.map(({ title, names }) =>
    [
      `## ${title}`,
      "",
      "| option | meaning | values | default |",
      "| --- | --- | --- | --- |",
      ...names.map(row),
    ].join("\n")
  );
  return await formatted([introduction, ...chapters].join("\n\n"));
}

function row(name: OptionName): string {
  const usual = JSON.stringify(parseConfiguration({})[name]);
  const cells = [`\`${name}\``, meaningOf(name), allowedValues(name), `\`${usual}\``];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
