/// <reference lib="dom" />
import { Surface } from "./canvas.ts";
import { penRadius, type Point, type Stroke } from "./strokes.ts";

/** How far an arrow key moves the pen. */
const keyStep = 1 / 32;

const directions: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -keyStep, y: 0 },
  ArrowRight: { x: keyStep, y: 0 },
  ArrowUp: { x: 0, y: -keyStep },
  ArrowDown: { x: 0, y: keyStep },
};

/** Where the user draws, by mouse, pen, finger or keyboard. */
export class Pad {
  readonly #surface: Surface;
  readonly #onChange: () => void;
  readonly #strokes: Point[][] = [];
  #open: Point[] | undefined;
  /** Position of the keyboard's pen. */
  #pen: Point = { x: 0.5, y: 0.25 };

  constructor(canvas: HTMLCanvasElement, onChange: () => void) {
    this.#onChange = onChange;
    this.#surface = new Surface(canvas, () => this.#draw());
    canvas.addEventListener("pointerdown", (event) => this.#pointerDown(event));
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons === 0 || !canvas.hasPointerCapture(event.pointerId)) return;
      for (const part of event.getCoalescedEvents?.() ?? [event]) this.#extend(this.#position(part));
      this.#changed();
    });
    canvas.addEventListener("pointerup", () => this.#open = undefined);
    canvas.addEventListener("keydown", (event) => this.#key(event));
    for (const kind of ["focus", "blur"]) canvas.addEventListener(kind, () => this.#surface.redraw());
  }

  get strokes(): readonly Stroke[] {
    return this.#strokes;
  }

  clear(): void {
    this.#strokes.length = 0;
    this.#open = undefined;
    this.#changed();
  }

  #pointerDown(event: PointerEvent): void {
    this.#surface.canvas.setPointerCapture(event.pointerId);
    this.#begin(this.#position(event));
    this.#changed();
  }

  #begin(point: Point): void {
    this.#open = [point];
    this.#strokes.push(this.#open);
  }

  #extend(point: Point): void {
    if (this.#open) this.#open.push(point);
    else this.#begin(point);
  }

  #key(event: KeyboardEvent): void {
    const direction = directions[event.key];
    if (direction) {
      const within = (value: number) => Math.min(1 - penRadius, Math.max(penRadius, value));
      this.#pen = { x: within(this.#pen.x + direction.x), y: within(this.#pen.y + direction.y) };
      if (this.#open) this.#open.push(this.#pen);
    } else if (event.key === " ") {
      if (this.#open) this.#open = undefined;
      else this.#begin(this.#pen);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      return this.clear();
    } else {
      return;
    }
    event.preventDefault();
    this.#changed();
  }

  #position(event: PointerEvent): Point {
    const { left, top, width, height } = this.#surface.canvas.getBoundingClientRect();
    return { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
  }

  #changed(): void {
    this.#surface.redraw();
    this.#onChange();
  }

  #draw(): void {
    const { context, width, canvas } = this.#surface;
    context.strokeStyle = context.fillStyle = this.#surface.colour("--ink");
    context.lineWidth = 2 * penRadius * width;
    context.lineCap = context.lineJoin = "round";
    for (const stroke of this.#strokes) {
      context.beginPath();
      context.moveTo(stroke[0]!.x * width, stroke[0]!.y * width);
      for (const { x, y } of stroke) context.lineTo(x * width, y * width);
      context.stroke();
    }
    if (!canvas.matches(":focus-visible")) return;
    context.strokeStyle = this.#surface.colour("--one");
    context.lineWidth = 2;
    context.beginPath();
    context.arc(this.#pen.x * width, this.#pen.y * width, penRadius * width + 3, 0, 2 * Math.PI);
    if (this.#open) context.setLineDash([]);
    else context.setLineDash([3, 3]);
    context.stroke();
    context.setLineDash([]);
  }
}
