/// <reference lib="dom" />
import { element } from "./elements.ts";

/**
 * Tabs that follow the ARIA authoring practices: arrow keys, Home and End move between them. The address names the open
 * one.
 */
export function startTabs(id: string): void {
  const list = element(id, HTMLElement);
  const tabs = [...list.querySelectorAll<HTMLButtonElement>("[role=tab]")];
  const open = (chosen: HTMLButtonElement) => {
    for (const tab of tabs) {
      tab.ariaSelected = String(tab === chosen);
      tab.tabIndex = tab === chosen ? 0 : -1;
      element(panelOf(tab), HTMLElement).hidden = tab !== chosen;
    }
    history.replaceState(null, "", `#${panelOf(chosen)}`);
  };
  list.addEventListener("click", ({ target }) => {
    const tab = tabs.find((candidate) => candidate === target);
    if (tab) open(tab);
  });
  list.addEventListener("keydown", (event) => {
    const current = tabs.findIndex((tab) => tab === event.target);
    const places: Record<string, number> = {
      ArrowRight: current + 1,
      ArrowLeft: current - 1 + tabs.length,
      Home: 0,
      End: tabs.length - 1,
    };
    const place = places[event.key];
    if (current < 0 || place === undefined) return;
    event.preventDefault();
    const tab = tabs[place % tabs.length]!;
    open(tab);
    tab.focus();
  });
  const named = tabs.find((tab) => `#${panelOf(tab)}` === location.hash);
  if (named) open(named);
}

function panelOf(tab: HTMLElement): string {
  return tab.getAttribute("aria-controls")!;
}
