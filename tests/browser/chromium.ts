/**
 * Pages in a real Chromium with WebGPU. This needs no GPU, because Chromium's software adapter (SwiftShader) computes.
 * If no Chromium is installed, the tests are skipped and say so.
 */

import assert from "node:assert/strict";
import { chromium as playwright, type Page } from "playwright-core";

/** The path of the installed Chromium, or undefined. */
const executable = await installed("chromium", "chromium-browser", "google-chrome");

/** WebGPU without a GPU, and no network traffic except the page's. */
const flags = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Answers the requests of a page; `path` begins with a slash. */
export type Content = (path: string) => Response | Promise<Response>;

/**
 * What a test does with a page. `origin` is where its content is served, without a trailing slash. `complaints` holds
 * the page's errors and warnings. A test that provokes some removes them.
 */
export type PageTest = (page: Page, origin: string, complaints: string[]) => Promise<void>;

/** A policy's `report-uri` may point here. What Chromium then reports as refused fails the test, in workers too. */
export const violationsPath = "/policy-violations";

/**
 * Registers a test that opens a page in Chromium. The page is empty until the test navigates. The test fails if the
 * page throws, or writes an error or a warning to its console. Chromium reports there what WebGPU refuses.
 */
export function browserTest(name: string, content: Content, test: PageTest): void {
  const title = executable ? name : `${name} (skipped: no Chromium is installed)`;
  Deno.test({ name: title, ignore: !executable, fn: () => withPage(content, test) });
}

/** Runs `test` on an empty page, which may navigate to what `content` serves. See {@link browserTest}. */
export async function withPage(content: Content, test: PageTest): Promise<void> {
  const complaints: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname);
    if (path === violationsPath) {
      complaints.push(`Content Security Policy: ${await request.text()}`);
      return new Response(null, { status: 204 });
    }
    return path === "/favicon.ico" ? new Response(null, { status: 204 }) : await content(path);
  });
  const browser = await playwright.launch({ executablePath: executable!, args: flags });
  try {
    const page = await browser.newPage();
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.setDefaultTimeout(5 * 60_000);
    await test(page, `http://127.0.0.1:${server.addr.port}`, complaints);
    assert.deepEqual(complaints, [], "the page's console");
  } finally {
    await browser.close();
    await server.shutdown();
  }
}

const mediaTypes: Readonly<Record<string, string>> = {
  css: "text/css",
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  json: "application/json",
  png: "image/png",
  svg: "image/svg+xml",
};

/** The files of a folder, as any web server would serve them. A path that ends in a slash is its `index.html`. */
export function folder(root: URL): Content {
  return async (path) => {
    const name = path.endsWith("/") ? `${path}index.html` : path;
    const type = mediaTypes[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
    try {
      const bytes = await Deno.readFile(new URL(`.${name}`, root));
      return new Response(bytes, { headers: { "content-type": type } });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new Response("not found", { status: 404 });
      throw error;
    }
  };
}

/** The path of the first of these programs that is installed. */
async function installed(...programs: string[]): Promise<string | undefined> {
  const script = programs.map((program) => `command -v ${program}`).join(" || ");
  try {
    const { success, stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
