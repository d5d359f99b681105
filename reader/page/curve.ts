// The decay of a voxel: measured echoes, fitted curves, and residuals below them on the same axis of time.
import uPlot from "uplot";
import type {Num, Study, Voxel} from "./api";
import {isDark} from "./display";

// Colours of the methods, in their order.
const light = ["#1f5fd0", "#c2410c", "#0f7b53", "#8b3fa0"];
const dark = ["#79a9ff", "#ff9a62", "#5fd3a0", "#d59bf0"];

export const colourOfFit = (n: number): string => (isDark() ? dark : light)[n % light.length];

let plots: uPlot[] = [];
let look = ""; // what the plots were made for
const heights = [120, 64];

// showCurve draws the decay of a voxel into two elements.
export function showCurve(above: HTMLElement, below: HTMLElement, voxel: Voxel | null, study: Study | null): void {
  // The first method is drawn last, over the others.
  const fits = (voxel?.fits ?? []).map((f, n) => ({...f, n})).filter(f => !f.problem && f.curve && f.curve_te_ms).reverse();
  const width = Math.max(above.clientWidth, 160);
  const want = JSON.stringify([fits.map(f => f.n), isDark(), width, study?.te_ms]);
  if (want !== look || plots.length === 0) {
    plots.forEach(p => p.destroy());
    plots = make(above, below, width, fits.map(f => ({stroke: colourOfFit(f.n), isFirst: f.n === 0})), study?.te_ms ?? []);
    look = want;
  }
  if (!voxel || !study) {
    plots[0].setData([[0], [null], [null], ...fits.map(() => [null])]);
    plots[1].setData([[0], ...fits.map(() => [null])]);
    return;
  }
  const times = [...new Set([...study.te_ms, ...fits.flatMap(f => numbers(f.curve_te_ms))])].sort((a, b) => a - b);
  const column = (te: readonly Num[], values: readonly Num[]) => {
    const at = new Map(te.map((t, n) => [t, values[n]]));
    return times.map(t => at.get(t) ?? null);
  };
  const measured = (isFitted: boolean) => voxel.signal.map((s, n) => (study.fitted[n] === isFitted ? s : null));
  plots[0].setData([
    times,
    ...fits.map(f => column(f.curve_te_ms!, f.curve!)),
    column(study.te_ms, measured(true)),
    column(study.te_ms, measured(false))
  ]);
  plots[1].setData([study.te_ms, ...fits.map(f => study.te_ms.map((_, n) => f.residuals?.[n] ?? null))]);
}

const numbers = (list: Num[] | null): number[] => (list ?? []).filter((x): x is number => x !== null);

function make(above: HTMLElement, below: HTMLElement, width: number, lines: {stroke: string; isFirst: boolean}[], te: number[]): uPlot[] {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--soft").trim(),
    grid = style.getPropertyValue("--line").trim(),
    strong = style.getPropertyValue("--ink").trim(),
    paper = style.getPropertyValue("--panel").trim();
  const last = Math.max(...te, 1);
  const axis = {
    stroke: ink,
    font: "11px system-ui, sans-serif",
    grid: {stroke: grid, width: 1},
    ticks: {show: false}
  };
  const common = {
    width,
    cursor: {show: false},
    legend: {show: false},
    scales: {x: {time: false, range: [0, last * 1.04]}, y: {range: rangeOfY}}
  };
  const short = (_: unknown, values: number[]) => values.map(brief);
  const points = (fill: string) => ({
    paths: () => null,
    stroke: strong,
    points: {show: true, size: 7, width: 1.5, stroke: strong, fill}
  });
  const decay = new uPlot(
    {
      ...common,
      height: heights[0],
      padding: [8, 4, 0, 0],
      axes: [
        {...axis, size: 18, gap: 2, values: (_: unknown, v: number[]) => v.map(() => "")},
        {...axis, size: 44, gap: 4, space: 32, values: short}
      ],
      series: [
        {},
        ...lines.map(l => ({stroke: l.stroke, width: l.isFirst ? 2 : 1.5, spanGaps: true, points: {show: false}, dash: l.isFirst ? undefined : [5, 3]})),
        points(strong),
        points(paper)
      ]
    },
    [[0], ...lines.map(() => [null]), [null], [null]],
    above
  );
  const rest = new uPlot(
    {
      ...common,
      height: heights[1],
      padding: [2, 4, 0, 0],
      scales: {...common.scales, y: {range: rangeAroundZero}},
      axes: [
        {...axis, size: 20, gap: 2},
        {...axis, size: 44, gap: 4, splits: aroundZero, values: short}
      ],
      series: [{}, ...lines.map(l => ({paths: () => null, stroke: l.stroke, points: {show: true, size: 5, width: 0, fill: l.stroke}}))],
      hooks: {drawAxes: [(u: uPlot) => zeroLine(u, ink)]}
    },
    [[0], ...lines.map(() => [null])],
    below
  );
  return [decay, rest];
}

// brief prints a number on an axis in at most five characters or so.
function brief(x: number): string {
  const size = Math.abs(x);
  if (size >= 1e5) return x.toExponential(0).replace("-", "−").replace("e+", "e");
  return String(Number(x.toPrecision(4))).replace("-", "−");
}

function rangeOfY(u: uPlot): [number, number] {
  const all = u.data.slice(1).flatMap(numbers);
  const high = Math.max(...all, 0),
    low = Math.min(...all, 0);
  return high === low ? [0, 1] : [low, high + 0.06 * (high - low)];
}

// aroundZero returns a round number that is in the range of residuals, its negative and 0.
function aroundZero(_: uPlot, __: number, ___: number, high: number): number[] {
  const size = 10 ** Math.floor(Math.log10(high));
  const round = [5, 2, 1].map(n => n * size).find(x => x <= high) ?? size;
  return [-round, 0, round];
}

function rangeAroundZero(u: uPlot): [number, number] {
  const most = Math.max(...u.data.slice(1).flatMap(numbers).map(Math.abs), 0) || 1;
  return [-1.25 * most, 1.25 * most];
}

function zeroLine(u: uPlot, colour: string): void {
  const y = Math.round(u.valToPos(0, "y", true)) + 0.5;
  u.ctx.save();
  u.ctx.strokeStyle = colour;
  u.ctx.beginPath();
  u.ctx.moveTo(u.bbox.left, y);
  u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
  u.ctx.stroke();
  u.ctx.restore();
}
