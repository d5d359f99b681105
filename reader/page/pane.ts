// A pane: one slice with its marks, zoom and pan. Its canvas of marks lies on NiiVue's and has the same pixels.
import type {Vec2} from "./api";
import {el, fitCanvas} from "./dom";
import {banner} from "./notice";
import type {Order} from "./order";
import {Plate} from "./plate";

// Largest and smallest zoom, relative to the slice that fills the pane.
const zoomLimits: Vec2 = [0.5, 40];

export class Pane {
  readonly root: HTMLElement;
  readonly marks: HTMLCanvasElement;
  readonly plate: Plate;
  order: Order | null = null;
  k = 0;
  // zoom is in CSS pixels per mm; centre is the place in the middle of the pane, in mm from the middle of the slice.
  private zoom = 1;
  private centre: Vec2 = [0, 0];
  private isFitted = true;
  private width = 0;
  private height = 0;
  private isReady = false;
  private readonly letters: HTMLElement[];
  private readonly corners: Record<string, HTMLElement> = {};

  constructor(
    name: string,
    private readonly onChange: () => void
  ) {
    const image = el("canvas", {class: "image", "aria-hidden": "true", onwebglcontextlost: () =>
      banner("graphics", "bad", "The graphics of this tab have failed. Reload the page: nothing that is saved is lost.")});
    this.marks = el("canvas", {class: "marks", tabindex: "0", role: "img", "aria-label": name});
    this.letters = ["left", "right", "top", "bottom"].map(side => el("span", {class: "letter " + side}));
    const corners = ["top-left", "top-right", "bottom-left", "bottom-right"].map(
      place => (this.corners[place] = el("div", {class: "corner " + place}))
    );
    this.root = el("div", {class: "pane"}, image, this.marks, ...this.letters, ...corners);
    this.plate = new Plate(image);
    new ResizeObserver(() => this.onChange()).observe(this.root);
  }

  // start makes the graphics of a pane that is in the page.
  async start(): Promise<void> {
    this.measure();
    await this.plate.attach();
    this.isReady = true;
  }

  // open prepares for the slices of a series.
  async open(order: Order): Promise<void> {
    this.order = order;
    await this.plate.open(order);
    const letters = order.letters();
    this.letters.forEach((e, n) => (e.textContent = letters[n]));
    this.fit();
  }

  close(): void {
    this.order = null;
    for (const e of this.letters) e.textContent = "";
    for (const e of Object.values(this.corners)) e.replaceChildren();
    this.marks.getContext("2d", {willReadFrequently: true})?.clearRect(0, 0, this.marks.width, this.marks.height);
  }

  corner(place: "top-left" | "top-right" | "bottom-left" | "bottom-right", ...lines: string[]): void {
    const text = lines.filter(l => l !== "").join("\n");
    const e = this.corners[place];
    if (e.textContent !== text) e.textContent = text;
  }

  // fit shows the whole slice in the middle.
  fit(): void {
    this.isFitted = true;
    this.onChange();
  }

  private measure(): number {
    this.width = this.root.clientWidth;
    this.height = this.root.clientHeight;
    fitCanvas(this.plate.canvas, this.width, this.height);
    const ratio = fitCanvas(this.marks, this.width, this.height);
    if (this.order && this.isFitted) {
      this.zoom = this.whole();
      this.centre = [0, 0];
    }
    return ratio;
  }

  // whole returns the zoom at which the slice fills the pane.
  private whole(): number {
    if (!this.order) return 1;
    const {columns, rows, dx, dy} = this.order;
    return Math.max(0.01, Math.min((this.width - 8) / (columns * dx), (this.height - 8) / (rows * dy)));
  }

  // draw draws the slice, and the marks by the function that is given.
  draw(marks: (c: CanvasRenderingContext2D, p: Pane) => void): void {
    const ratio = this.measure();
    const c = this.marks.getContext("2d", {willReadFrequently: true}); // drawn by the processor, which is quicker for lines
    if (!c || !this.order || !this.isReady) return;
    this.plate.draw(this.zoom * ratio, this.centre);
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, this.width, this.height);
    marks(c, this);
  }

  // isWhole reports whether the whole slice is shown.
  get isWhole(): boolean {
    return this.isFitted;
  }

  get size(): Vec2 {
    return [this.width, this.height];
  }

  // pixelsPerMM returns the number of CSS pixels per mm.
  get pixelsPerMM(): number {
    return this.zoom;
  }

  // pixel returns where a continuous place (i, j) of the series is in the pane, in CSS pixels.
  pixel(voxel: Vec2): Vec2 {
    return this.order ? this.pixelShown(this.order.shown(voxel)) : [0, 0];
  }

  // pixelShown is pixel for a column and row as shown.
  pixelShown(place: Vec2): Vec2 {
    if (!this.order) return [0, 0];
    const [x, y] = this.order.mm(place);
    return [this.width / 2 + (x - this.centre[0]) * this.zoom, this.height / 2 + (y - this.centre[1]) * this.zoom];
  }

  // shownAt returns the column and row at a place of the window.
  shownAt(clientX: number, clientY: number): Vec2 {
    if (!this.order) return [0, 0];
    const box = this.marks.getBoundingClientRect();
    return this.order.fromMM([
      (clientX - box.left - this.width / 2) / this.zoom + this.centre[0],
      (clientY - box.top - this.height / 2) / this.zoom + this.centre[1]
    ]);
  }

  // voxelAt returns the continuous (i, j) at a place of the window.
  voxelAt(clientX: number, clientY: number): Vec2 {
    return this.order ? this.order.inSeries(this.shownAt(clientX, clientY)) : [0, 0];
  }

  // client returns where (i, j) is in the window.
  client(voxel: Vec2): Vec2 {
    const box = this.marks.getBoundingClientRect();
    const [x, y] = this.pixel(voxel);
    return [box.left + x, box.top + y];
  }

  pan(dx: number, dy: number): void {
    this.isFitted = false;
    this.centre = [this.centre[0] - dx / this.zoom, this.centre[1] - dy / this.zoom];
    this.keepInside();
    this.onChange();
  }

  // magnify zooms by a factor, so that a place of the window stays where it is.
  magnify(factor: number, clientX: number, clientY: number): void {
    const box = this.marks.getBoundingClientRect();
    const x = clientX - box.left - this.width / 2,
      y = clientY - box.top - this.height / 2;
    const whole = this.whole();
    const zoom = Math.min(Math.max(this.zoom * factor, zoomLimits[0] * whole), zoomLimits[1] * whole);
    this.centre = [this.centre[0] + x / this.zoom - x / zoom, this.centre[1] + y / this.zoom - y / zoom];
    this.zoom = zoom;
    this.isFitted = false;
    this.keepInside();
    this.onChange();
  }

  // reveal moves a place into the middle if it is not in the pane.
  reveal(voxel: Vec2): void {
    const [x, y] = this.pixel(voxel);
    if (x >= 0 && y >= 0 && x <= this.width && y <= this.height) return;
    if (this.order) this.centre = this.order.mm(this.order.shown(voxel));
    this.isFitted = false;
    this.onChange();
  }

  private keepInside(): void {
    if (!this.order) return;
    const {columns, rows, dx, dy} = this.order;
    const limit = [(columns * dx) / 2, (rows * dy) / 2];
    this.centre = this.centre.map((x, n) => Math.min(Math.max(x, -limit[n]), limit[n])) as Vec2;
  }
}
