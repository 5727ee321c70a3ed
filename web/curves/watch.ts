/// <reference lib="dom" />
/** The page that watches trainings. It asks the server again and again, and shows the news. */

import { element } from "../page/elements.ts";
import { FollowedRun } from "./followed_run.ts";
import type { ListedRun } from "./listed_run.ts";
import { Pictures } from "./pictures.ts";
import { RunList } from "./run_list.ts";
import { colours, CurvesView } from "./view.ts";

/** Milliseconds between two drawings while a long file is read. */
const drawInterval = 500;
/** Number of runs that are shown at first, the newest ones. */
const shownAtFirst = 4;

/** Watches the server's list for as long as the page is open. The page's body says how often. */
export async function watchRuns(): Promise<void> {
  const page = new WatchPage();
  const interval = Number(document.body.dataset["interval"]);
  for (;;) {
    await page.askUnlessHidden();
    await new Promise((resolve) => setTimeout(resolve, interval));
  }
}

class WatchPage {
  readonly #status = element("status", HTMLElement);
  readonly #none = element("none", HTMLElement);
  readonly #view = new CurvesView(element("curves", HTMLElement));
  readonly #pictures = new Pictures(element("pictures", HTMLElement));
  readonly #list = new RunList(element("runs", HTMLElement), (run, isShown) => this.#choose(run, isShown));
  /** By name, newest first. */
  #runs = new Map<string, FollowedRun>();
  #isFirst = true;
  #drawn = 0;

  /** Asks the server once, unless nobody sees the page. */
  async askUnlessHidden(): Promise<void> {
    if (document.hidden) return;
    try {
      await this.#ask();
      this.#status.textContent = "";
    } catch {
      this.#status.textContent = "The server does not answer; asking again.";
    }
  }

  async #ask(): Promise<void> {
    const response = await fetch("runs.json");
    if (!response.ok) throw new Error(await response.text());
    this.#take(await response.json() as readonly ListedRun[]);
    let isNew = false;
    for (const run of this.#shown()) {
      if (await run.follow(() => this.#drawNowAndThen())) isNew = true;
    }
    this.#draw(isNew);
  }

  /** Takes the list. A new run is shown while there are colours left. */
  #take(listed: readonly ListedRun[]): void {
    const runs = new Map<string, FollowedRun>();
    for (const one of listed) {
      const before = this.#runs.get(one.name);
      before?.update(one);
      runs.set(one.name, before ?? new FollowedRun(one));
    }
    const appeared = [...runs.values()].filter(({ name }) => !this.#runs.has(name));
    this.#runs = runs;
    const room = this.#isFirst ? shownAtFirst : colours - this.#shown().length;
    for (const run of appeared.slice(0, Math.max(0, room))) this.#give(run);
    this.#isFirst = false;
    this.#none.hidden = runs.size > 0;
  }

  #shown(): FollowedRun[] {
    return [...this.#runs.values()].filter(({ slot }) => slot !== undefined);
  }

  /** Gives a run the first free colour. */
  #give(run: FollowedRun): void {
    const taken = new Set(this.#shown().map(({ slot }) => slot));
    let slot = 0;
    while (taken.has(slot)) slot++;
    run.slot = slot;
  }

  #choose(run: FollowedRun, isShown: boolean): void {
    if (isShown) this.#give(run);
    else {
      run.slot = undefined;
      run.forget();
    }
    this.#draw(true);
    if (isShown) void this.askUnlessHidden();
  }

  #drawNowAndThen(): void {
    if (performance.now() - this.#drawn > drawInterval) this.#draw(true);
  }

  /** @param withCurves whether they have changed */
  #draw(withCurves: boolean): void {
    const shown = this.#shown();
    if (withCurves) this.#view.show(shown.filter(({ reader }) => reader.rows > 0));
    this.#list.update([...this.#runs.values()]);
    this.#pictures.update(shown);
    this.#drawn = performance.now();
  }
}
