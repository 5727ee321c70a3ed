/// <reference lib="dom" />
import { DrawView } from "./draw_view.ts";
import { element } from "./elements.ts";
import { PageModel } from "./model.ts";
import { ModelBar } from "./model_bar.ts";
import { SampleView } from "./sample_view.ts";
import { startTabs } from "./tabs.ts";
import { Tour } from "./tour.ts";
import { TrainView } from "./train_view.ts";

/** Why there is no WebGPU; undefined if there is. */
async function obstacle(): Promise<string | undefined> {
  if (!isSecureContext) return "Browsers offer it only to pages from https:// and from this computer itself.";
  if (!navigator.gpu) return "This browser does not offer it.";
  if (await navigator.gpu.requestAdapter()) return undefined;
  return "This browser has it, but found no graphics adapter that it trusts.";
}

/** Replaces everything else by the explanation. */
function explain(reason: string): void {
  element("help-reason", HTMLElement).textContent =
    `All computing on this page happens on your own graphics card, through WebGPU. ${reason} What helps:`;
  element("help", HTMLElement).hidden = false;
  element("app", HTMLElement).hidden = true;
  element("tabs", HTMLElement).hidden = true;
  element("tour-start", HTMLButtonElement).hidden = true;
  document.querySelector("footer")!.hidden = true;
}

async function start(): Promise<void> {
  startTabs("tabs");
  const reason = await obstacle();
  if (reason) return explain(reason);
  const model = new PageModel();
  const draw = new DrawView(model);
  const bar = new ModelBar(model, (file) => {
    const taken = draw.take(file);
    if (taken) element("tab-draw", HTMLButtonElement).click();
    return taken;
  });
  for (const view of [bar, new SampleView(model), draw, new Tour()]) model.add(view);
  new TrainView(async (name, bytes) => {
    await bar.open({ name, read: () => new Blob([bytes]) });
    element("tab-sample", HTMLButtonElement).click();
  });
  await bar.start();
}

await start();
