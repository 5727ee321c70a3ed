import { FormatError } from "../../errors.ts";
import { exists } from "./files.ts";
import { MetricsReader } from "./metrics_reader.ts";
import { judged } from "./run_state.ts";
import { RunView } from "./run_view.ts";

/** How far a run's training has come, whether or not it has ended. */
export interface TrainedRun {
  readonly name: string;
  readonly state: ReturnType<typeof judged>;
  /** Number of iterations of the whole run; null if unknown. */
  readonly iterations: number | null;
  /** Its metrics, read to the end. */
  readonly metrics: MetricsReader;
}

/** Most bytes of metrics that are read: 250,000 rows. */
const mostBytes = 2 ** 27;
/** Curves keep every point up to 131,072 iterations, and four of each bucket beyond that. */
const mostBuckets = 2 ** 15;

/**
 * Reads the run in a folder; undefined if there is none.
 * @param name name of the run
 * @throws {FormatError} if there are more metrics than any run leaves.
 */
export async function readTrainedRun(folder: string, name: string): Promise<TrainedRun | undefined> {
  if (!await exists(`${folder}/config.json`)) return undefined;
  const view = await RunView.open(folder);
  const status = await view.status();
  const { bytes } = status.metrics;
  if (bytes > mostBytes) {
    throw new FormatError(
      `${folder}/metrics.jsonl: it has ${bytes} bytes, where at most ${mostBytes} are expected`,
    );
  }
  // If the number of classes is unknown, a high cross-entropy is not a sign of divergence, but the other signs are.
  const metrics = await readMetrics(view, status.classes ?? Infinity);
  return { name, state: judged(status.state, metrics.sign), iterations: status.iterations, metrics };
}

async function readMetrics(view: RunView, classes: number): Promise<MetricsReader> {
  let reader = new MetricsReader({ classes, mostBuckets });
  const decoder = new TextDecoder();
  for (let [from, mark, more] = [0, "", true]; more;) {
    const piece = await view.metrics(from, mark);
    // Another file has replaced it meanwhile.
    if (piece.from !== from) reader = new MetricsReader({ classes, mostBuckets });
    reader.push(decoder.decode(piece.bytes));
    ({ next: from, mark, more } = piece);
  }
  return reader;
}
