/** Calls across a worker's boundary, with progress and cancellation. */

/** Each call's input, its progress reports, and its result. */
export type Calls = Record<string, { input: unknown; progress: unknown; result: unknown }>;

type Question = { id: number; name: string; input: unknown } | { id: number; cancel: true };

type Answer =
  | { id: number; progress: unknown }
  | { id: number; result: unknown }
  | { id: number; error: { name: string; message: string } };

/** Answers one kind of call. When the signal aborts it should end early, with what it has. */
export type Handler<Call extends Calls[string]> = (
  input: Call["input"],
  report: (progress: Call["progress"]) => void,
  signal: AbortSignal,
) => Call["result"] | Promise<Call["result"]>;

/** Either end of a channel. */
interface Endpoint {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

/** Answers the calls that arrive at an endpoint. */
export function answerCalls<Answered extends Calls>(
  endpoint: Endpoint,
  handlers: { readonly [Name in keyof Answered]: Handler<Answered[Name]> },
): void {
  const running = new Map<number, AbortController>();
  endpoint.addEventListener("message", ({ data }: MessageEvent<Question>) => {
    if ("cancel" in data) return running.get(data.id)?.abort();
    const { id, name, input } = data;
    const controller = new AbortController();
    running.set(id, controller);
    const answer = (message: Answer) => endpoint.postMessage(message);
    void Promise.resolve()
      .then(() => handlers[name]!(input, (progress) => answer({ id, progress }), controller.signal))
      .then((result) => answer({ id, result }))
      .catch((error) => answer({ id, error: { name: error.name, message: error.message } }))
      .finally(() => running.delete(id));
  });
}

/** Options of a call. */
export interface CallOptions<Progress> {
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
  progress(progress: unknown): void;
}

/** The caller's side of {@link answerCalls}. */
export class Remote<Answered extends Calls> {
  readonly #endpoint: Endpoint;
  readonly #pending = new Map<number, Pending>();
  #calls = 0;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    endpoint.addEventListener("message", ({ data }: MessageEvent<Answer>) => this.#receive(data));
  }

  /** Calls; the promise rejects with the error that the other side threw. */
  call<Name extends keyof Answered & string>(
    name: Name,
    input: Answered[Name]["input"],
    { onProgress, signal }: CallOptions<Answered[Name]["progress"]> = {},
  ): Promise<Answered[Name]["result"]> {
    const id = this.#calls++;
    const done = Promise.withResolvers<unknown>();
    this.#pending.set(id, { ...done, progress: (progress) => onProgress?.(progress) });
    this.#endpoint.postMessage({ id, name, input });
    signal?.addEventListener("abort", () => this.#endpoint.postMessage({ id, cancel: true }));
    return done.promise;
  }

  #receive(answer: Answer): void {
    const pending = this.#pending.get(answer.id);
    if (!pending) return;
    if ("progress" in answer) return pending.progress(answer.progress);
    this.#pending.delete(answer.id);
    if ("result" in answer) return pending.resolve(answer.result);
    const { name, message } = answer.error;
    pending.reject(Object.assign(new Error(message), { name }));
  }
}
