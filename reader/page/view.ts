// The main view: the slice of the study with its map, mask and marks.
import type {Grid, Label, MapInfo, Vec2, Vec3} from "./api";
import {paint} from "./colour";
import {display} from "./display";
import {byId, fixed, rgb} from "./dom";
import * as marks from "./marks";
import type {Order} from "./order";
import {say} from "./notice";
import {Pane} from "./pane";
import {listen} from "./pointer";
import {pending} from "./queue";
import {app, changed, on} from "./state";
import {onOpening} from "./study";
import * as tools from "./tools";
import {tool} from "./tools";
import * as voxels from "./voxels";
import {pin} from "./readout";
import {compared} from "./adjudicate";

export let pane: Pane;
export const colours = new Map<number, Label>(); // of labels

let shape: marks.Shape | null = null;
let shapeKey = "";
let toolsOf: Order | null = null; // the study that the path of a tool belongs to
let shownOrder: unknown = null;
let maskVersion = 0;
// Another pane tells where its pointer is, as a position in the patient in mm.
let guest: Vec3 | null = null;

export async function start(): Promise<void> {
  onOpening(prepare);
  pane = new Pane("Slice of the study", () => changed("view"));
  byId("panes").append(pane.root);
  listen(pane, {
    hover,
    click: (v, isMean) => pin([Math.round(v[0]), Math.round(v[1]), app.k], isMean),
    turn: n => goTo(app.k + n),
    window: dragWindow,
    start: p => {
      tools.setNearness(10 / (pane.pixelsPerMM * Math.min(pane.order?.dx ?? 1, pane.order?.dy ?? 1)));
      return tools.down(p);
    },
    path: tools.move,
    end: tools.up,
    cancel: tools.interrupt,
    finish: tools.finish,
    draws: tools.isActive
  });
  on(["session"], () => app.session?.labels.forEach(l => colours.set(l.value, l)));
  on(["mask", "study"], () => maskVersion++);
  on(["study"], () => {
    if (toolsOf === app.order) return;
    toolsOf = app.order;
    tools.forget();
  });
  on(["study", "slice", "image", "voxels", "mask", "view", "tool", "preview", "pin", "queue", "display"], draw);
  on(["hover"], now => {
    if (hasDisc() || hadDisc) draw(now); // nothing else follows the pointer
    hadDisc = hasDisc();
  });
  await pane.start();
}

// goTo shows another slice.
export function goTo(k: number): void {
  if (!app.order || tools.isStroke()) return;
  const to = Math.min(Math.max(k, 0), app.order.slices - 1);
  if (to === app.k) return;
  app.k = to;
  if (app.hover) app.hover = [app.hover[0], app.hover[1], to];
  changed("slice", "hover");
}

// goToEcho shows another echo.
export function goToEcho(n: number): void {
  if (!app.study) return;
  const to = Math.min(Math.max(n, 0), app.study.te_ms.length - 1);
  if (to === app.echo) return;
  app.echo = to;
  changed("image");
}

// show marks the position that another pane points at, and shows slice k unless it is null.
export function show(position: Vec3 | null, k: number | null): void {
  guest = position;
  if (k !== null) goTo(k);
  changed("view");
}

function hover(v: Vec2 | null): void {
  if (!app.order || !v) {
    app.hover = null;
  } else {
    const [i, j] = v.map(Math.round);
    const [nx, ny] = app.order.grid.size;
    app.hover = i >= 0 && j >= 0 && i < nx && j < ny ? [i, j, app.k] : null;
    place = v;
  }
  changed("hover");
}

let place: Vec2 = [0, 0]; // continuous, of the pointer
let hadDisc = false;

// hasDisc reports whether the disc of a brush is at the pointer.
const hasDisc = (): boolean => app.hover !== null && tools.isActive() && (tool.name === "brush" || tool.name === "eraser" || tool.name === "fill");

// dragWindow changes the width of the window by moving sideways, and its level by moving up or down.
function dragWindow(dx: number, dy: number): void {
  if (!app.study) return;
  const [low, high] = app.window;
  const full = app.study.window[1] - app.study.window[0] || 1;
  const width = Math.max((high - low) + (dx * full) / 300, full / 200);
  const level = (low + high) / 2 + (dy * full) / 300;
  app.window = [level - width / 2, level + width / 2];
  changed("image");
}

export function resetView(): void {
  if (app.study) app.window = [...app.study.window];
  pane.fit();
  changed("image");
}

// mapShown returns the map over the image, null if there is none.
export function mapShown(): MapInfo | null {
  return app.study?.maps?.find(m => m.name === display.overlay) ?? null;
}

let isOpening = false;
let prepared: Order | null = null;

// prepare makes the pane ready for a study that is being opened.
async function prepare(order: Order): Promise<void> {
  if (shownOrder !== null) pane.close();
  shownOrder = null;
  try {
    await pane.open(order);
    prepared = order;
  } catch {
    prepared = null; // draw tries again, and says why not
  }
}

function draw(now: ReadonlySet<string>): void {
  const {order, study, session} = app;
  if (!order || !study || !session) {
    if (shownOrder !== null) pane.close();
    shownOrder = null;
    return;
  }
  if (prepared === order) shownOrder = order;
  prepared = null;
  if (shownOrder !== order) {
    if (isOpening) return;
    isOpening = true;
    pane.open(order).then(
      () => {
        shownOrder = order;
        isOpening = false;
        changed("slice", "image", "view");
      },
      (e: Error) => {
        isOpening = false;
        say("bad", e.message);
      }
    );
    return;
  }
  if (["study", "slice", "image", "voxels", "display"].some(t => now.has(t)) || (now.has("mask") && display.inMask)) setVoxels();
  updateShape();
  pane.k = app.k;
  pane.draw(drawMarks);
  corners();
}

// setVoxels gives the plate the slice and the colours of the map.
function setVoxels(): void {
  const order = app.order!,
    first = app.k * order.inSlice,
    count = order.inSlice;
  const echo = voxels.peek(`echo-${app.echo}`) ?? voxels.ready("echo-0");
  pane.plate.smooth = display.smooth;
  if (!(echo instanceof Float32Array)) return;
  const map = mapShown();
  const data = map && voxels.peek(`map-${map.name}`);
  const colour = map && data
    ? paint(map, data, {first, count, opacity: display.opacity}, app.session!.ramp, display.inMask ? app.labels : null)
    : null;
  pane.plate.show(echo.subarray(first, first + count), app.window);
  pane.plate.cover(colour);
}

function updateShape(): void {
  const key = `${app.id} ${app.k} ${maskVersion}`;
  if (key === shapeKey) return;
  shapeKey = key;
  shape = marks.shapeOf(app.order!, app.labels, app.k, colours);
}

function drawMarks(c: CanvasRenderingContext2D, p: Pane): void {
  const hasMap = mapShown() !== null;
  if (shape && display.mask !== "hidden") {
    marks.drawShape(c, p, shape, colours, display.mask === "fill" ? (hasMap ? 0.3 : 0.4) : 0, app.label);
  }
  for (const m of compared(app.k)) {
    if (m.dash) marks.drawOutline(c, p, m.shape, m.colour, m.dash);
    else marks.drawFill(c, p, m.shape, 0.6);
  }
  for (const g of pending()) if (g.slice === app.k) preview(c, p, g.tool, g.points ?? [], g.radius_mm ?? 0, g.label, false);
  if (tool.path.length > 0 && tool.k === app.k) {
    preview(c, p, tool.name === "eraser" ? "brush" : tool.name, tool.path, display.radius, tools.labelOf(), true);
  }
  if (tool.ruler && tool.ruler.k === app.k) marks.drawRuler(c, p, tool.ruler.from, tool.ruler.to);
  const half = (Math.min(p.order!.dx, p.order!.dy) * p.pixelsPerMM) / 2;
  if (app.pin && app.pin.voxel[2] === app.k) {
    const at = p.pixel([app.pin.voxel[0], app.pin.voxel[1]]);
    if (app.pin.radius > 0) marks.drawCircle(c, at, app.pin.radius * p.pixelsPerMM, "white");
    marks.drawCross(c, at, Math.max(app.pin.radius * p.pixelsPerMM, half) + 3, "white");
  }
  const other = guest && app.order!.at(guest);
  if (other) marks.drawCross(c, p.pixel([other[0], other[1]]), 6, "#4fd1ff");
  if (hasDisc()) {
    marks.drawCircle(c, p.pixel(place), tools.radius() * p.pixelsPerMM, rgb(tools.colour(tools.labelOf())));
  }
  marks.drawScale(c, p);
}

function preview(c: CanvasRenderingContext2D, p: Pane, name: string, points: Vec2[], radius: number, label: number,
  isOpen: boolean): void {
  const colour = tools.colour(label);
  if (name === "brush") marks.drawStroke(c, p, points, radius, rgb(colour, 0.55));
  else if (name === "polygon" || name === "spline") marks.drawArea(c, p, points, name === "spline", isOpen, colour);
  else if (name === "fill" && points.length > 0) marks.drawCircle(c, p.pixel(points[0]), 6, rgb(colour));
}

// spacing returns the size of voxels as a text.
export function spacing(grid: Grid): string {
  return grid.spacing_mm.map(mm => String(Number(mm.toPrecision(3)))).join(" × ") + " mm";
}

function corners(): void {
  const order = app.order!,
    study = app.study!;
  const [low, high] = app.window;
  const at = `Slice ${app.k + 1} / ${order.slices}`;
  const isLoading = !voxels.ready(`echo-${app.echo}`);
  const te = `Echo ${app.echo + 1} / ${study.te_ms.length} · TE ${fixed(study.te_ms[app.echo], 1)} ms`;
  pane.corner("top-left", at, isLoading ? te + " …" : te);
  pane.corner("top-right", order.grid.plane, `W ${Math.round(high - low)} · L ${Math.round((low + high) / 2)}`);
  pane.corner("bottom-left", spacing(order.grid));
}

// reveal shows the slice of a voxel and moves the voxel into the view.
export function reveal([i, j, k]: Vec3): void {
  goTo(Math.round(k));
  pane.reveal([i, j]);
}
