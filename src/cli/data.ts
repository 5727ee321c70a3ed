import { parseArgs } from "node:util";
import { type DatasetName, datasetNames } from "../data/dataset.ts";
import { download } from "../data/download/download.ts";
import { defaultFolder } from "../data/load.ts";
import { remoteFiles } from "../data/download/remote.ts";
import { type Command, execute, exitStatus, print, UsageError } from "./command.ts";
import { duration } from "./format.ts";
import { type LinePart, LiveLine } from "./live_line.ts";
import { writeOnly } from "./permissions.ts";

const names = Object.keys(remoteFiles) as DatasetName[];

const help = `
Download data sets from their official addresses, verified by their published checksums.

Usage: ./run data NAME... [options]

  NAME                ${names.join(", ")}
  --to DIR            the folder for one data set (default: data/NAME in the project, where training looks for it)
  --debug             show the stack trace of an error
  --help              show this text

A broken download is resumed, also by running the command again. The digits come with the project.

Examples:
  ./run data cifar10
  ./run data cifar100 svhn
  ./run data mnist --to /data/mnist
`;

const options = { to: { type: "string" }, debug: { type: "boolean" } } as const;

const data: Command = {
  help,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      options,
      strict: true,
      allowPositionals: true,
    });
    const wanted = positionals.map(datasetName);
    if (wanted.length === 0) throw new UsageError(`name a data set: ${names.join(", ")}`);
    if (values.to !== undefined && wanted.length > 1) {
      throw new UsageError("--to takes one data set at a time");
    }
    const folders = wanted.map((name) => values.to ?? defaultFolder(name));
    await writeOnly({ folders });
    for (const [i, name] of wanted.entries()) await fetchDataset(name, folders[i]!);
    return exitStatus.success;
  },
};

function datasetName(text: string): DatasetName {
  const name = names.find((name) => name === text);
  if (name) return name;
  if (datasetNames.some((other) => other === text)) throw new UsageError(`${text} needs no download`);
  throw new UsageError(`there is no data set "${text}" to download; there are ${names.join(", ")}`);
}

async function fetchDataset(name: DatasetName, folder: string): Promise<void> {
  const line = new LiveLine();
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  Deno.addSignalListener("SIGINT", interrupt);
  for (const { url, name: file, md5, bytes } of remoteFiles[name] ?? []) {
    const path = `${folder}/${file}`;
    const outcome = await download(
      { url, path, md5, bytes },
      ({ received, total, bytesPerSecond }) => line.update(bar(file, received, total, bytesPerSecond)),
      interruption.signal,
    );
    line.clear();
    print(outcome === "present" ? `${path} is there already` : `${path}: downloaded and verified`);
  }
  Deno.removeSignalListener("SIGINT", interrupt);
}

/** A progress bar with size, speed and time left. */
function bar(file: string, received: number, total: number | undefined, bytesPerSecond: number): LinePart[] {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  const name = { rank: 1, text: file };
  const speed = { rank: 3, text: `${megabytes(bytesPerSecond)} MB/s` };
  if (total === undefined) return [name, { rank: 0, text: `${megabytes(received)} MB` }, speed];
  const width = 24;
  const done = Math.round(width * received / total);
  return [
    name,
    { rank: 4, text: `[${"#".repeat(done)}${"-".repeat(width - done)}]` },
    { rank: 0, text: `${megabytes(received)} of ${megabytes(total)} MB` },
    speed,
    { rank: 2, text: `${duration((total - received) / bytesPerSecond)} left` },
  ];
}

if (import.meta.main) await execute(data);
