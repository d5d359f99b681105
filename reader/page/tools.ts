// The tools. While the pointer moves, a tool has a path that the view shows; at its end, it pushes a gesture.
import type {Gesture, Vec2} from "./api";
import {display, set} from "./display";
import {say} from "./notice";
import {push} from "./queue";
import {app, changed} from "./state";

export type ToolName = "look" | "brush" | "eraser" | "polygon" | "spline" | "fill" | "ruler";

export const tool = {
  name: "look" as ToolName,
  // The path that is being drawn, in (i, j) of slice k.
  path: [] as Vec2[],
  k: 0,
  ruler: null as {from: Vec2; to: Vec2; k: number} | null,
  // Limits: only voxels in which a map or an echo is in a range. Filling always has them.
  limited: false,
  only: "t2",
  limits: [10, 80] as Vec2,
  keep: true,
  reach: 15 // of filling, mm
};

// The points that the path had when the pointer was pressed, and whether it is pressed.
let before = 0,
  isDown = false;

// isStroke reports whether a brush draws. Meanwhile the slice, the tool and the label stay as they are.
export const isStroke = (): boolean => isDown && (tool.name === "brush" || tool.name === "eraser");

// isActive reports whether the tool takes the pointer: without a drawing, only the ruler does.
export const isActive = (): boolean => tool.name === "ruler" || (isDrawing(tool.name) && app.drawing !== null);

// forget forgets what belongs to a study, when another one is opened.
export function forget(): void {
  cancel();
  isDown = false;
  tool.ruler = null;
  if (app.study && tool.only.startsWith("echo-") && Number(tool.only.slice(5)) >= app.study.te_ms.length) {
    Object.assign(tool, {only: "t2", limits: [10, 80]});
  }
  changed("tool");
}

// isDrawing reports whether a tool changes the mask.
export const isDrawing = (name: ToolName): boolean => name !== "look" && name !== "ruler";

const beginFirst = () => (app.session?.role === "manager" ? "A manager does not draw." : "Begin a drawing first: choose a starting point at the right.");

export function choose(name: ToolName): void {
  if (isDrawing(name) && !app.drawing) {
    say("note", beginFirst());
    return;
  }
  cancel();
  tool.name = name;
  if (name !== "ruler") tool.ruler = null;
  changed("tool", "preview");
}

// labelOf returns the label that the active tool gives.
export const labelOf = (): number => (tool.name === "eraser" ? 0 : app.label);

// colour returns the colour of a label's preview; erasing is white.
export function colour(label: number): ArrayLike<number> {
  return app.session?.labels.find(l => l.value === label)?.color ?? [255, 255, 255];
}

const rounded = ([i, j]: Vec2): Vec2 => [Math.round(i * 1000) / 1000, Math.round(j * 1000) / 1000];

// Points of a path are at least this far apart, in voxels.
const leastStep = 0.2;

function add(p: Vec2): void {
  const last = tool.path[tool.path.length - 1];
  if (!last || Math.hypot(p[0] - last[0], p[1] - last[1]) >= leastStep) tool.path.push(rounded(p));
}

// down, move and up take the pointer's path in continuous indices of the slice. down returns whether the tool is
// interested.
export function down(p: Vec2): boolean {
  before = tool.path.length;
  switch (tool.name) {
    case "look":
      return false;
    case "ruler":
      tool.ruler = {from: p, to: p, k: app.k};
      break;
    case "fill":
      tool.k = app.k;
      break;
    default:
      if (!app.drawing) return false;
      if (tool.path.length > 0 && tool.k !== app.k) {
        say("note", `The ${tool.name} is in slice ${tool.k + 1}: Enter closes it, Esc cancels it.`);
        return true;
      }
      if (isArea() && tool.path.length > 2 && isNearFirst(p)) {
        close();
        return true;
      }
      if (tool.path.length === 0) tool.k = app.k;
      add(p);
  }
  isDown = true;
  changed("preview");
  return true;
}

export function move(points: Vec2[]): void {
  if (!isDown) return; // it was closed or cancelled
  if (tool.name === "ruler" && tool.ruler) tool.ruler.to = points[points.length - 1];
  else if (tool.name === "spline") tool.path.splice(-1, 1, rounded(points[points.length - 1]));
  else if (tool.name !== "fill") points.forEach(add);
  changed("preview");
}

export function up(p: Vec2): void {
  if (!isDown) return;
  isDown = false;
  if (tool.name === "ruler" && tool.ruler) {
    const {from, to} = tool.ruler;
    if (Math.hypot(from[0] - to[0], from[1] - to[1]) < 0.5) tool.ruler = null;
  } else if (tool.name === "brush" || tool.name === "eraser") {
    if (tool.path.length > 0) {
      const last = tool.path[tool.path.length - 1];
      if (last[0] !== p[0] || last[1] !== p[1]) add(p);
      send({tool: "brush", points: tool.path, radius_mm: display.radius}, tool.k);
      tool.path = [];
    }
  } else if (tool.name === "fill") fill(p);
  changed("preview");
}

export const isArea = (): boolean => tool.name === "polygon" || tool.name === "spline";

let nearness = 1; // voxels; set by the view, which knows the zoom

export function setNearness(voxels: number): void {
  nearness = voxels;
}

const isNearFirst = (p: Vec2): boolean =>
  Math.hypot(p[0] - tool.path[0][0], p[1] - tool.path[0][1]) <= nearness;

// close fills the polygon or spline.
export function close(): void {
  if (!isArea() || tool.path.length < 3) return;
  send({tool: tool.name, points: tool.path}, tool.k);
  tool.path = [];
  isDown = false;
  changed("preview");
}

// back takes back the last point of a polygon or spline.
export function back(): void {
  tool.path.pop();
  changed("preview");
}

// interrupt undoes what the pointer has done since it was pressed: a second finger has come, or the system took it.
export function interrupt(): void {
  if (!isDown) return;
  isDown = false;
  if (tool.name === "ruler") tool.ruler = null;
  tool.path.length = Math.min(before, tool.path.length);
  changed("preview");
}

// finish ends a double click.
export function finish(): void {
  if (isArea() && tool.path.length === 1) cancel(); // its first click has closed the polygon
  else close();
}

// cancel forgets the path.
export function cancel(): boolean {
  const had = tool.path.length > 0;
  tool.path = [];
  isDown = false;
  changed("preview");
  return had;
}

function fill(p: Vec2): void {
  send({tool: "fill", points: [rounded(p)], radius_mm: tool.reach, only: tool.only, limits: tool.limits}, tool.k);
}

// send pushes a gesture of the active label in a slice.
function send(g: Partial<Gesture> & {tool: string}, slice = app.k): void {
  const label = labelOf();
  const gesture: Gesture = {label, slice, ...g};
  if (tool.limited && g.only === undefined && g.points) Object.assign(gesture, {only: tool.only, limits: tool.limits});
  if (tool.keep) {
    if (label !== 0) gesture.keep = true;
    else gesture.erase = app.label;
  }
  push({kind: "stroke", gesture});
}

// command sends a step without a path.
export function command(g: Partial<Gesture> & {tool: string}, slice = app.k): void {
  if (!app.drawing) {
    say("note", beginFirst());
    return;
  }
  cancel();
  push({kind: "stroke", gesture: {label: app.label, slice, keep: tool.keep && g.tool !== "clear", ...g}});
}

// Radii of the brush and of filling, in mm.
export const radii = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50];

// radius returns the radius that the active tool has, and setRadius changes it.
export const radius = (): number => (tool.name === "fill" ? tool.reach : display.radius);

export function setRadius(mm: number): void {
  if (tool.name === "fill") tool.reach = mm;
  else set({radius: Math.min(mm, 20)});
  changed("tool");
}

// resize makes the radius larger or smaller.
export function resize(step: 1 | -1): void {
  const r = radius();
  const next = step > 0 ? radii.find(s => s > r + 1e-6) : [...radii].reverse().find(s => s < r - 1e-6);
  if (next) setRadius(next);
}
