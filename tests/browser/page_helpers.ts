/// <reference lib="dom" />
import type { Page } from "playwright-core";
import { fileURLToPath } from "node:url";
import { LoadedModel } from "../../web/worker/loaded_model.ts";
import { loadDataset } from "../../src/data/load.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { Context } from "../../src/tensor/context.ts";
import { bundlePage } from "../../web/tools/bundle.ts";
import { answer, type PageAnswer } from "../../web/tools/answer.ts";
import { type Content, violationsPath } from "./chromium.ts";

let bundled: Promise<Map<string, Uint8Array<ArrayBuffer>>> | undefined;

/** The page as `./run web` serves it. Every answer has the policy, so it binds the workers too. */
export const content: Content = async (path) => {
  const { status, headers, body } = await answerTo(path);
  const policy = `${headers["content-security-policy"]}; report-uri ${violationsPath}`;
  return new Response(body, { status, headers: { ...headers, "content-security-policy": policy } });
};

/** The page as any web server may serve it. The only policy is the one that the page itself names. */
export const plainContent: Content = async (path) => {
  const { status, headers, body } = await answerTo(path);
  return new Response(body, { status, headers: { "content-type": headers["content-type"]! } });
};

async function answerTo(target: string): Promise<PageAnswer> {
  return answer(await (bundled ??= bundlePage()), { method: "GET", target, hosts: ["localhost"] }, 80);
}

const screenshots = new URL("../../dist/screenshots/", import.meta.url);

/** Saves a picture of the page in `dist/screenshots/`. */
export async function picture(page: Page, name: string): Promise<void> {
  const path = fileURLToPath(new URL(`${name}.png`, screenshots));
  await page.screenshot({ path, fullPage: true });
}

/** What the page's workers have sent, in order; see {@link recordMessages}. */
type Recording = { recorded: { progress?: unknown; result?: unknown }[] };

/** Makes the page record what its workers send, starting at its next load. */
export async function recordMessages(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const recorded: unknown[] = [];
    const original = globalThis.Worker;
    globalThis.Worker = class extends original {
      constructor(...given: ConstructorParameters<typeof original>) {
        super(...given);
        this.addEventListener("message", ({ data }) => recorded.push(data));
      }
    };
    Object.assign(globalThis, { recorded });
  });
}

/** Returns the progress messages recorded so far and clears the record. Typed arrays become plain ones. */
export async function takeProgress<Progress>(page: Page): Promise<Progress[]> {
  return await takeMessages(page, "progress") as Progress[];
}

/** Returns the results of calls recorded so far and clears the record. Typed arrays become plain ones. */
export async function takeResults(page: Page): Promise<unknown[]> {
  return await takeMessages(page, "result");
}

async function takeMessages(page: Page, kind: "progress" | "result"): Promise<unknown[]> {
  return await page.evaluate((kind) => {
    const { recorded } = globalThis as unknown as Recording;
    const plain = (value: unknown): unknown =>
      ArrayBuffer.isView(value)
        ? [...value as Float32Array]
        : value instanceof Object && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]))
        : value;
    return recorded.splice(0).map((message) => message[kind]).filter((part) => part !== undefined).map(plain);
  }, kind);
}

/** Waits until an element's text matches. */
export async function waitForText(page: Page, selector: string, pattern: RegExp): Promise<string> {
  const found = await page.waitForFunction(([selector, source]) => {
    const text = document.querySelector(selector!)?.textContent ?? "";
    return new RegExp(source!).test(text) ? text : undefined;
  }, [selector, pattern.source]);
  return (await found.jsonValue())!;
}

/** The bytes of the bundled model. */
export async function shippedModel(): Promise<Uint8Array<ArrayBuffer>> {
  return await Deno.readFile(new URL("../../data/models/digits.safetensors", import.meta.url));
}

/** Runs the page's own code on the shipped model in Deno. */
export async function inDeno<Result>(work: (model: LoadedModel) => Promise<Result>): Promise<Result> {
  const gpu = await Gpu.request();
  try {
    const digits = () => loadDataset({ name: "digits" });
    return await work(await LoadedModel.open(new Context(gpu), "digits", await shippedModel(), digits));
  } finally {
    gpu.destroy();
  }
}

export async function dropFile(page: Page, name: string, bytes: Uint8Array, type = ""): Promise<void> {
  const transfer = await page.evaluateHandle(([name, base64, type]) => {
    const transfer = new DataTransfer();
    const content = Uint8Array.from(atob(base64!), (character) => character.charCodeAt(0));
    transfer.items.add(new File([content], name!, { type: type! }));
    return transfer;
  }, [name, bytes.toBase64(), type]);
  await page.dispatchEvent("body", "drop", { dataTransfer: transfer });
}
