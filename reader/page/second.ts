// The second pane: another series, or another visit, at the same position in the patient.
import * as api from "./api";
import type {Vec2, Vec3} from "./api";
import {display} from "./display";
import {byId} from "./dom";
import * as marks from "./marks";
import {say} from "./notice";
import {Order} from "./order";
import {Pane} from "./pane";
import {listen} from "./pointer";
import {app, changed, on} from "./state";
import {messageOf} from "./study";
import * as main from "./view";
import * as voxels from "./voxels";

let pane: Pane | null = null;
let starting: Promise<void> | null = null; // until the pane has its graphics
let id = ""; // of the other series
let name = "";
let window_: Vec2 = [0, 1];
let first: Vec2 = [0, 1]; // window at first
let k = 0;
let isShown = false; // its order is that of the pane
let isFollowing = true; // the slice follows the main pane
let answered: {id: string; series: string; pane: Pane} | null = null;

export const chosen = (): string => id;

// choose shows a series beside the study, or none.
export async function choose(series: string): Promise<void> {
  id = series;
  isShown = false;
  byId("panes").classList.toggle("two", series !== "");
  if (series === "") {
    pane?.close();
    pane?.root.remove();
    main.show(null, null);
    changed("view", "display");
    return;
  }
  const study = app.id;
  try {
    const other = await api.other(study, series);
    if (app.id !== study || id !== series) return;
    if (!pane) {
      pane = new Pane("Slice of the second series", () => changed("view"));
      listen(pane, actions());
      byId("panes").append(pane.root);
      starting = pane.start();
    } else if (!pane.root.isConnected) {
      byId("panes").append(pane.root);
    }
    await starting;
    await voxels.load("other-" + series);
    if (app.id !== study || id !== series) return;
    await pane.open(new Order(other.grid));
    window_ = [...other.window];
    first = [...other.window];
    name = other.name;
    answered = {id: study, series, pane};
    isShown = true;
    isFollowing = true;
    changed("view", "display", "slice");
  } catch (e) {
    if (app.id !== study || id !== series || (e instanceof DOMException && e.name === "AbortError")) return;
    say("bad", `The second series cannot be shown: ${messageOf(e)}`);
    await choose("");
  }
}

// toggle shows the first other series, the next one, and none in turn.
export function toggle(): void {
  const others = app.study?.others ?? [];
  const at = others.findIndex(o => o.id === id);
  void choose(at + 1 < others.length ? others[at + 1].id : "");
}

function actions() {
  return {
    hover(v: Vec2 | null): void {
      link(v, null);
    },
    click(v: Vec2): void {
      link(v, v);
    },
    turn(n: number): void {
      if (!pane?.order) return;
      k = Math.min(Math.max(k + n, 0), pane.order.slices - 1);
      isFollowing = false;
      const {columns, rows} = pane.order;
      const middle = pane.order.inSeries([(columns - 1) / 2, (rows - 1) / 2]);
      const there = app.order?.at(pane.order.position([...middle, k]));
      if (there) main.goTo(Math.round(there[2]));
      changed("view");
    },
    window(dx: number, dy: number): void {
      const full = first[1] - first[0] || 1;
      const width = Math.max(window_[1] - window_[0] + (dx * full) / 300, full / 200);
      const level = (window_[0] + window_[1]) / 2 + (dy * full) / 300;
      window_ = [level - width / 2, level + width / 2];
      changed("view");
    },
    start: () => false,
    path: () => {},
    end: () => {},
    cancel: () => {},
    finish: () => {},
    draws: () => false
  };
}

// link shows a voxel of this pane in the main one: where it is, and its slice if it was clicked.
function link(v: Vec2 | null, clicked: Vec2 | null): void {
  if (!pane?.order || !app.order || !v) {
    main.show(null, null);
    return;
  }
  const position = pane.order.position([...v, k] as Vec3);
  const there = app.order.at(position);
  main.show(position, clicked && there ? Math.round(there[2]) : null);
}

// nearest returns the slice of this pane that is nearest to the voxel or the middle of the main slice.
function nearest(): number {
  const here = app.order!,
    there = pane!.order!;
  const at: Vec3 = app.pin?.voxel[2] === app.k
    ? app.pin.voxel
    : ([...here.inSeries([(here.columns - 1) / 2, (here.rows - 1) / 2]), app.k] as Vec3);
  const v = there.at(here.position(at));
  return v ? Math.min(Math.max(Math.round(v[2]), 0), there.slices - 1) : 0;
}

function draw(now: ReadonlySet<string>): void {
  if (!pane || !isShown || !app.order || !pane.order || answered?.series !== id) return;
  if (now.has("slice") || now.has("pin") || now.has("study")) {
    if (isFollowing || now.has("pin")) k = nearest();
    isFollowing = true;
  }
  const data = voxels.peek("other-" + id);
  const order = pane.order;
  const isSame = !["slice", "view", "voxels", "pin", "display"].some(t => now.has(t)); // only the pointer has moved
  if (!isSame && data instanceof Float32Array && data.length === order.voxels) {
    pane.plate.smooth = display.smooth;
    pane.plate.show(data.subarray(k * order.inSlice, (k + 1) * order.inSlice), window_);
  }
  pane.draw(drawMarks);
  pane.corner("top-left", name, `Slice ${k + 1} / ${order.slices}`);
  pane.corner("top-right", order.grid.plane, `W ${Math.round(window_[1] - window_[0])} · L ${Math.round((window_[0] + window_[1]) / 2)}`);
  pane.corner("bottom-left", main.spacing(order.grid));
}

function drawMarks(c: CanvasRenderingContext2D, p: Pane): void {
  const cross = (voxel: Vec3 | null, gap: number, colour: string) => {
    const at = voxel && p.order!.at(app.order!.position(voxel));
    if (at && Math.abs(at[2] - k) < 1) marks.drawCross(c, p.pixel([at[0], at[1]]), gap, colour);
  };
  cross(app.pin?.voxel ?? null, 6, "white");
  cross(app.hover, 6, "#4fd1ff");
  marks.drawScale(c, p);
}

export function start(): void {
  on(["slice", "view", "hover", "pin", "voxels", "display"], draw);
  on(["study"], () => {
    if (id !== "" && answered?.id !== app.id) void choose("");
  });
}
