/// <reference lib="dom" />

/** The element with an id, which must be of the given class. */
export function element<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`index.html has no ${kind.name} of the id ${id}`);
}

/** A new element with attributes and content. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]>,
  ...content: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...content);
  return made;
}

/** Calls `take` with each file that is chosen in an input, even with the same one again. */
export function onFile(id: string, take: (file: File) => void): void {
  const input = element(id, HTMLInputElement);
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    if (file) take(file);
    input.value = "";
  });
}

/** A slider that shows its value beside its name. */
export class Slider {
  readonly #input: HTMLInputElement;
  readonly #output: HTMLOutputElement;

  /**
   * @param id id of the input; that of its output ends in `-value`
   * @param onChange called when the user moves it
   */
  constructor(id: string, readonly digits: number, onChange: () => void = () => {}) {
    this.#input = element(id, HTMLInputElement);
    this.#output = element(`${id}-value`, HTMLOutputElement);
    this.#input.addEventListener("input", () => {
      this.#show();
      onChange();
    });
    this.#show();
  }

  get value(): number {
    return this.#input.valueAsNumber;
  }

  set value(value: number) {
    this.#input.valueAsNumber = value;
    this.#show();
  }

  #show(): void {
    this.#output.textContent = this.value.toFixed(this.digits);
  }
}

/** A number field that only ever yields a number within its bounds. */
export class NumberField {
  readonly #input: HTMLInputElement;

  constructor(id: string) {
    this.#input = element(id, HTMLInputElement);
    this.#input.addEventListener("change", () => this.#input.value = String(this.value));
  }

  get value(): number {
    const { valueAsNumber, defaultValue, min, max, step } = this.#input;
    const given = Number.isFinite(valueAsNumber) ? valueAsNumber : Number(defaultValue);
    const whole = step === "1" ? Math.round(given) : given;
    const highest = max === "" ? Number.MAX_SAFE_INTEGER : Number(max);
    return Math.min(highest, Math.max(min === "" ? -Infinity : Number(min), whole));
  }
}

/** A choice of one option: buttons in a row, or a list if there are too many for one. */
export class Choice<Value> {
  readonly #fieldset: HTMLFieldSetElement;
  #options: readonly (readonly [label: string, value: Value])[] = [];

  constructor(id: string, readonly onChange: () => void = () => {}) {
    this.#fieldset = element(id, HTMLFieldSetElement);
    this.#fieldset.addEventListener("change", () => this.onChange());
  }

  /** Replaces the options. The first one is chosen. */
  set(options: readonly (readonly [label: string, value: Value])[]): void {
    this.#options = options;
    const legend = this.#fieldset.querySelector("legend")!;
    const mostButtons = 12;
    this.#fieldset.replaceChildren(
      legend,
      ...(options.length > mostButtons ? [this.#list()] : this.#buttons()),
    );
  }

  get value(): Value {
    const chosen = this.#fieldset.querySelector<HTMLInputElement>("select, input:checked")!;
    return this.#options[Number(chosen.value)]![1];
  }

  #buttons(): HTMLElement[] {
    return this.#options.map(([label], i) => {
      const input = make("input", {
        type: "radio",
        name: this.#fieldset.id,
        value: String(i),
        checked: i === 0,
      });
      return make("label", {}, input, make("span", {}, label));
    });
  }

  #list(): HTMLElement {
    const name = this.#fieldset.querySelector("legend")!.textContent ?? "";
    const options = this.#options.map(([label], i) => make("option", { value: String(i) }, label));
    return make("select", { ariaLabel: name }, ...options);
  }
}

/** A line that says what is going on, or what went wrong. */
export class StatusLine {
  readonly #line: HTMLElement;

  constructor(id: string) {
    this.#line = element(id, HTMLElement);
  }

  show(text: string): void {
    this.#line.textContent = text;
    this.#line.classList.remove("failed");
  }

  fail(error: unknown): void {
    this.#line.textContent = error instanceof Error ? error.message : String(error);
    this.#line.classList.add("failed");
  }
}
