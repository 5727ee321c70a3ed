/// <reference lib="dom" />
/**
 * The page's Content-Security-Policy in a real Chromium: nothing but the page's own code runs, and nothing gets out.
 */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { contentSecurityPolicy } from "../../web/tools/answer.ts";
import { browserTest, type Content } from "./chromium.ts";
import { content, plainContent, waitForText } from "./page_helpers.ts";

/** Waits until the page's workers have loaded the model and the digits. */
async function load(page: Page, origin: string): Promise<void> {
  await page.goto(`${origin}/`);
  await waitForText(page, "#model-line", /^digits\.safetensors: WRN-10-1/);
}

/** Tries in a page what an injected script, style or element would try. Returns what was refused and what happened. */
async function intrude(page: Page, other: string): Promise<{ refused: string[]; done: string[] }> {
  return await page.evaluate(async (other) => {
    const refused: string[] = [];
    const done: string[] = [];
    addEventListener("securitypolicyviolation", ({ effectiveDirective }) => refused.push(effectiveDirective));
    Object.assign(globalThis, { done });
    const put = <Name extends keyof HTMLElementTagNameMap>(
      name: Name,
      properties: Partial<HTMLElementTagNameMap[Name]>,
    ) => document.body.appendChild(Object.assign(document.createElement(name), properties));
    put("script", { textContent: "done.push('inline script')" });
    put("script", { src: `${other}/main.js` });
    put("script", { src: "data:text/javascript,done.push('data script')" });
    put("div", { innerHTML: `<img src="icon.svg" onload="done.push('attribute')" style="color: red">` });
    put("style", { textContent: "#app { color: red }" });
    put("img", { src: `${other}/icon.svg` });
    put("iframe", { src: `${other}/` });
    put("iframe", { srcdoc: "<script>parent.done.push('frame')</script>" });
    put("object", { data: `${other}/icon.svg` });
    put("a", { href: "javascript:done.push('address')" }).click();
    document.head.appendChild(Object.assign(document.createElement("base"), { href: `${other}/` }));
    if (document.baseURI.startsWith(other)) done.push("base");
    put("form", { action: `${other}/`, method: "post" }).submit();
    // Chromium lets a debugger's own call evaluate text. After this wait, the code counts as the page's.
    await new Promise((resolve) => setTimeout(resolve));
    const attempt = async (name: string, work: () => unknown) => {
      try {
        await work();
        done.push(name);
      } catch { /* refused */ }
    };
    await attempt("Function", () => new Function("return 1")());
    await attempt("fetch", () => fetch(`${other}/main.js`, { mode: "no-cors" }));
    await attempt("import", () => import(`${other}/main.js`));
    await attempt("blob worker", () =>
      new Promise((resolve, reject) => {
        const worker = new Worker(URL.createObjectURL(new Blob(["postMessage(1)"])));
        worker.onmessage = resolve;
        worker.onerror = reject;
      }));
    navigator.sendBeacon(`${other}/`, "x");
    await new Promise((resolve) => setTimeout(resolve, 500));
    return { refused, done };
  }, other);
}

for (
  const [name, served] of Object.entries<Content>({
    "as ./run web serves it": content,
    "on any web server": plainContent,
  })
) {
  const requests: string[] = [];
  const counted: Content = (path) => {
    requests.push(path);
    return served(path);
  };
  browserTest(
    `the page's policy, ${name}, lets nothing in or out`,
    counted,
    async (page, origin, complaints) => {
      await load(page, origin);
      assert.deepEqual(complaints, [], "the page itself keeps to it");
      requests.length = 0;
      const { refused, done } = await intrude(page, origin.replace("127.0.0.1", "localhost"));
      assert.deepEqual(done, []);
      const directives = [
        ...["base-uri", "connect-src", "form-action", "frame-src", "img-src", "object-src"],
        ...[
          "script-src",
          "script-src-attr",
          "script-src-elem",
          "style-src-attr",
          "style-src-elem",
          "worker-src",
        ],
      ];
      assert.deepEqual([...new Set(refused)].sort(), directives);
      assert.deepEqual(requests.filter((path) => path !== "/icon.svg"), [], "nothing was asked for");
      assert.match(page.url(), new RegExp(`^${origin}/$`));
      assert(complaints.length >= directives.length, "a violation fails a test that does not expect it");
      for (const complaint of complaints.splice(0)) assert.match(complaint, /Content Security Policy/);
    },
  );
}

Deno.test("the page's policy allows its own files, and nothing inline or evaluated", async () => {
  const page = await (await plainContent("/")).text();
  const policy = contentSecurityPolicy(new Map([["index.html", new TextEncoder().encode(page)]]));
  assert.match(policy, /^default-src 'none'; /);
  assert.doesNotMatch(policy, /unsafe|\*|https?:|data:|blob:/);
  assert(
    page.indexOf("Content-Security-Policy") < page.search(/<script|<link/),
    "it precedes what it governs",
  );
});
