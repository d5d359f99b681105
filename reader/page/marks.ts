// What is drawn over a slice: the mask, paths, crosses, the ruler and the scale.
import type {Label, Vec2} from "./api";
import {rgb} from "./dom";
import type {Order} from "./order";
import type {Pane} from "./pane";

// Shape is the mask of one slice, ready to be drawn at any zoom.
export interface Shape {
  outlines: Map<number, Path2D>; // by label, in columns and rows, voxel borders at whole numbers
  fill: HTMLCanvasElement; // one pixel per voxel
}

// shapeOf makes the shape of slice k of a mask, null if the slice is empty.
export function shapeOf(order: Order, labels: Uint16Array, k: number, colours: Map<number, Label>): Shape | null {
  const {columns, rows, inSlice} = order;
  // The slice as shown, with an empty voxel around it.
  const stride = columns + 2;
  const slice = new Uint16Array(stride * (rows + 2));
  const steps = order.steps();
  let isEmpty = true;
  for (let y = 0; y < rows; y++) {
    let from = k * inSlice + steps.first + y * steps.row,
      to = (y + 1) * stride + 1;
    for (let x = 0; x < columns; x++, from += steps.column, to++) {
      const label = labels[from];
      if (label === 0) continue;
      slice[to] = label;
      isEmpty = false;
    }
  }
  if (isEmpty) return null;
  const image = new ImageData(columns, rows);
  const words = new Uint32Array(image.data.buffer);
  const wordOf = new Map<number, number>();
  for (const [label, l] of colours) wordOf.set(label, ((255 << 24) | (l.color[2] << 16) | (l.color[1] << 8) | l.color[0]) >>> 0);
  for (let y = 0, n = 0; y < rows; y++)
    for (let x = 0; x < columns; x++, n++) {
      const label = slice[(y + 1) * stride + x + 1];
      if (label !== 0) words[n] = wordOf.get(label) ?? 0xffffffff;
    }
  const outlines = new Map<number, Path2D>();
  borders(slice, stride, [rows, columns], (label, line, from, to) => {
    const p = pathOf(outlines, label);
    p.moveTo(from, line);
    p.lineTo(to, line);
  });
  borders(slice, 1, [columns, rows], (label, line, from, to) => {
    const p = pathOf(outlines, label);
    p.moveTo(line, from);
    p.lineTo(line, to);
  }, stride);
  const fill = document.createElement("canvas");
  [fill.width, fill.height] = [columns, rows];
  fill.getContext("2d")?.putImageData(image, 0, 0);
  return {outlines, fill};
}

function pathOf(outlines: Map<number, Path2D>, label: number): Path2D {
  let p = outlines.get(label);
  if (!p) outlines.set(label, (p = new Path2D()));
  return p;
}

// borders calls a function with each border of a label that lies between two lines of voxels, from end to end. A line is a
// row or a column; across is the distance of neighbours in different lines, and along that of neighbours in one.
function borders(slice: Uint16Array, across: number, [lines, length]: [number, number],
  found: (label: number, line: number, from: number, to: number) => void, along = 1): void {
  for (let line = 0; line < lines; line++) {
    for (const side of [-1, 1]) {
      let from = -1,
        label = 0,
        v = (line + 1) * across + along;
      for (let n = 0; n <= length; n++, v += along) {
        const here = n === length ? 0 : slice[v];
        const border = here !== 0 && here !== slice[v + side * across] ? here : 0;
        if (border === label) continue;
        if (label !== 0) found(label, side > 0 ? line + 1 : line, from, n);
        [from, label] = [n, border];
      }
    }
  }
}

// drawFill draws the voxels of a shape.
export function drawFill(c: CanvasRenderingContext2D, pane: Pane, shape: Shape, opacity: number): void {
  const [left, top] = pane.pixelShown([-0.5, -0.5]),
    [right, bottom] = pane.pixelShown([shape.fill.width - 0.5, shape.fill.height - 0.5]);
  c.save();
  c.imageSmoothingEnabled = false;
  c.globalAlpha = opacity;
  c.drawImage(shape.fill, left, top, right - left, bottom - top);
  c.restore();
}

// drawShape draws a mask: its outlines, and its voxels with an opacity that may be 0.
export function drawShape(c: CanvasRenderingContext2D, pane: Pane, shape: Shape, colours: Map<number, Label>,
  opacity: number, active: number): void {
  const [left, top] = pane.pixelShown([-0.5, -0.5]),
    [right, bottom] = pane.pixelShown([shape.fill.width - 0.5, shape.fill.height - 0.5]);
  if (opacity > 0) drawFill(c, pane, shape, opacity);
  c.save();
  const matrix = new DOMMatrix([
    (right - left) / shape.fill.width, 0, 0, (bottom - top) / shape.fill.height, left, top
  ]);
  c.lineCap = "square";
  for (const isActive of [false, true]) {
    for (const [label, path] of shape.outlines) {
      if ((label === active) !== isActive) continue;
      const p = new Path2D();
      p.addPath(path, matrix);
      c.lineWidth = 2.5;
      c.strokeStyle = "rgb(0 0 0 / .4)";
      c.stroke(p);
      c.lineWidth = isActive ? 1.5 : 1;
      c.strokeStyle = rgb(colours.get(label)?.color ?? [255, 255, 255]);
      c.stroke(p);
    }
  }
  c.restore();
}

// drawOutline draws the outlines of a shape in one colour, dashed or not.
export function drawOutline(c: CanvasRenderingContext2D, pane: Pane, shape: Shape, colour: string, dash: number[]): void {
  const [left, top] = pane.pixelShown([-0.5, -0.5]),
    [right, bottom] = pane.pixelShown([shape.fill.width - 0.5, shape.fill.height - 0.5]);
  const matrix = new DOMMatrix([
    (right - left) / shape.fill.width, 0, 0, (bottom - top) / shape.fill.height, left, top
  ]);
  c.save();
  c.lineWidth = 2;
  c.strokeStyle = colour;
  c.setLineDash(dash);
  for (const path of shape.outlines.values()) {
    const p = new Path2D();
    p.addPath(path, matrix);
    c.stroke(p);
  }
  c.restore();
}

// drawStroke draws the path of a brush with its true width.
export function drawStroke(c: CanvasRenderingContext2D, pane: Pane, points: Vec2[], radius: number, colour: string): void {
  if (points.length === 0) return;
  const pixels = points.map(p => pane.pixel(p));
  c.save();
  c.lineWidth = Math.max(2 * radius * pane.pixelsPerMM, 1);
  c.lineCap = c.lineJoin = "round";
  c.strokeStyle = c.fillStyle = colour;
  c.beginPath();
  if (pixels.length === 1) {
    c.arc(pixels[0][0], pixels[0][1], c.lineWidth / 2, 0, 2 * Math.PI);
    c.fill();
  } else {
    c.moveTo(...pixels[0]);
    for (const p of pixels.slice(1)) c.lineTo(...p);
    c.stroke();
  }
  c.restore();
}

// drawArea draws a polygon, or the spline through its points. Of an open one, the points are shown.
export function drawArea(c: CanvasRenderingContext2D, pane: Pane, points: Vec2[], isSpline: boolean, isOpen: boolean,
  label: ArrayLike<number>): void {
  if (points.length === 0) return;
  const pixels = points.map(p => pane.pixel(p));
  c.save();
  c.beginPath();
  const line = isSpline && pixels.length > 2 ? curveThrough(pixels) : pixels; // pixels are square in mm
  c.moveTo(...line[0]);
  for (const p of line.slice(1)) c.lineTo(...p);
  c.closePath();
  c.fillStyle = rgb(label, 0.3);
  c.fill();
  c.lineJoin = "round";
  c.lineWidth = 1.5;
  c.strokeStyle = rgb(label);
  c.stroke();
  if (isOpen) {
    pixels.forEach(([x, y], n) => {
      c.beginPath();
      c.arc(x, y, n === 0 ? 4.5 : 3, 0, 2 * Math.PI);
      c.fillStyle = n === 0 ? "white" : rgb(label);
      c.fill();
      c.stroke();
    });
  }
  c.restore();
}

// curveThrough returns points of the closed centripetal Catmull-Rom spline through points, 16 from each to the next: the
// curve that the tool spline fills, see package tools.
function curveThrough(points: Vec2[]): Vec2[] {
  const out: Vec2[] = [];
  const n = points.length;
  const knot = points.map((p, m) => Math.sqrt(Math.hypot(p[0] - points[(m + 1) % n][0], p[1] - points[(m + 1) % n][1])) || 1e-6);
  for (let m = 0; m < n; m++) {
    const [a, b, c, d] = [-1, 0, 1, 2].map(step => points[(m + step + n) % n]);
    const [before, here, after] = [-1, 0, 1].map(step => knot[(m + step + n) % n]);
    for (let s = 0; s < 16; s++) {
      const t = s / 16;
      out.push([0, 1].map(x => {
        const d0 = b[x] - a[x],
          d1 = c[x] - b[x],
          d2 = d[x] - c[x];
        const first = d1 + here * (d0 / before - (d0 + d1) / (before + here));
        const last = d1 + here * (d2 / after - (d1 + d2) / (here + after));
        return b[x] + t * (first + t * (3 * d1 - 2 * first - last + t * (first + last - 2 * d1)));
      }) as Vec2);
    }
  }
  return out;
}

// drawCross draws a cross around a voxel, with a gap so that the voxel is seen.
export function drawCross(c: CanvasRenderingContext2D, [x, y]: Vec2, gap: number, colour: string): void {
  c.save();
  for (const [width, stroke] of [[3, "rgb(0 0 0 / .6)"], [1.25, colour]] as [number, string][]) {
    c.lineWidth = width;
    c.strokeStyle = stroke;
    c.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      c.moveTo(x + dx * gap, y + dy * gap);
      c.lineTo(x + dx * (gap + 9), y + dy * (gap + 9));
    }
    c.stroke();
  }
  c.restore();
}

// drawCircle draws the outline of a brush.
export function drawCircle(c: CanvasRenderingContext2D, [x, y]: Vec2, radius: number, colour: string): void {
  c.save();
  for (const [width, stroke] of [[3, "rgb(0 0 0 / .5)"], [1.25, colour]] as [number, string][]) {
    c.lineWidth = width;
    c.strokeStyle = stroke;
    c.beginPath();
    c.arc(x, y, Math.max(radius, 1.5), 0, 2 * Math.PI);
    c.stroke();
  }
  c.restore();
}

// text draws a text on a dark ground.
function text(c: CanvasRenderingContext2D, s: string, x: number, y: number): void {
  c.font = "12px system-ui, sans-serif";
  const width = c.measureText(s).width;
  c.fillStyle = "rgb(0 0 0 / .65)";
  c.fillRect(x - width / 2 - 4, y - 9, width + 8, 18);
  c.fillStyle = "white";
  c.textAlign = "center";
  c.textBaseline = "middle";
  c.fillText(s, x, y);
}

// drawRuler draws a line with its length in mm.
export function drawRuler(c: CanvasRenderingContext2D, pane: Pane, from: Vec2, to: Vec2): void {
  if (!pane.order) return;
  const [a, b] = [pane.pixel(from), pane.pixel(to)];
  const [p, q] = [from, to].map(v => pane.order!.mm(pane.order!.shown(v)));
  const length = Math.hypot(p[0] - q[0], p[1] - q[1]);
  c.save();
  for (const [width, stroke] of [[3.5, "rgb(0 0 0 / .6)"], [1.5, "#ffd34d"]] as [number, string][]) {
    c.lineWidth = width;
    c.strokeStyle = stroke;
    c.beginPath();
    c.moveTo(...a);
    c.lineTo(...b);
    const angle = Math.atan2(b[1] - a[1], b[0] - a[0]);
    const [dx, dy] = [-Math.sin(angle) * 5, Math.cos(angle) * 5];
    for (const [x, y] of [a, b]) {
      c.moveTo(x - dx, y - dy);
      c.lineTo(x + dx, y + dy);
    }
    c.stroke();
  }
  text(c, `${length.toFixed(1)} mm`, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2 - 14);
  c.restore();
}

// drawScale draws a bar of a round length at the bottom.
export function drawScale(c: CanvasRenderingContext2D, pane: Pane): void {
  const [width, height] = pane.size;
  const room = Math.min(width / 4, 160) / pane.pixelsPerMM;
  const length = [1, 2, 5, 10, 20, 50, 100, 200].filter(l => l <= room).pop();
  if (!length) return;
  const pixels = length * pane.pixelsPerMM,
    x = width / 2 - pixels / 2,
    y = height - 12;
  c.save();
  for (const [w, stroke] of [[3.5, "rgb(0 0 0 / .6)"], [1.5, "rgb(255 255 255 / .85)"]] as [number, string][]) {
    c.lineWidth = w;
    c.strokeStyle = stroke;
    c.beginPath();
    c.moveTo(x, y - 4);
    c.lineTo(x, y);
    c.lineTo(x + pixels, y);
    c.lineTo(x + pixels, y - 4);
    c.stroke();
  }
  c.font = "11px system-ui, sans-serif";
  c.textAlign = "center";
  c.textBaseline = "bottom";
  c.lineWidth = 3;
  c.strokeStyle = "rgb(0 0 0 / .6)";
  c.strokeText(`${length} mm`, width / 2, y - 4);
  c.fillStyle = "rgb(255 255 255 / .85)";
  c.fillText(`${length} mm`, width / 2, y - 4);
  c.restore();
}
