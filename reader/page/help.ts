// The list of keys.
import {ask} from "./dialog";
import {el} from "./dom";

const groups: [string, [string, string][]][] = [
  ["Looking", [
    ["Wheel, ↑ ↓", "slice; Page Up and Page Down by five"],
    ["← →", "echo"],
    ["0 – 6", "map: none, T2, S0, R², SE, residual, status"],
    ["− +", "opacity of the map"],
    ["X", "map in the mask only, or everywhere"],
    ["I", "interpolate between voxels"],
    ["Right drag", "window and level"],
    ["Ctrl + wheel, pinch", "zoom"],
    ["Middle drag, Space + drag", "move"],
    ["R", "whole slice, first window"],
    ["C", "second series"],
    ["M", "ruler"]
  ]],
  ["Voxels", [
    ["Click", "decay of a voxel (with a drawing tool: Alt + click)"],
    ["Shift + click", "decay of the mean of the brush"],
    ["Esc", "remove the pin"]
  ]],
  ["Drawing", [
    ["V B E P S F", "look, brush, eraser, polygon, spline, fill"],
    ["Shift + 1 – 9", "label"],
    ["[ ]", "size of the brush, reach of filling"],
    ["T", "only voxels within the limits"],
    ["Enter, Backspace, Esc", "polygon: close, last point, cancel"],
    ["N, Shift + N", "copy the label to the next, previous slice"],
    ["G", "interpolate the label between slices"],
    ["L, U", "smooth, fill holes (with Shift: in all slices)"],
    ["Delete", "clear the label in this slice"],
    ["Ctrl + Z, Ctrl + Shift + Z", "undo, redo"],
    ["H, O", "hide the mask; outline or fill"]
  ]],
  ["Studies", [
    ["J K, Enter", "next, previous study of the worklist; open it"],
    ["/", "filter of the worklist"],
    ["W", "worklist"],
    ["Ctrl + Enter", "sign"],
    ["D", "light or dark"],
    ["?", "this list"]
  ]]
];

export function help(): void {
  ask({
    title: "Keys",
    body: [
      el("div", {class: "keys"}, ...groups.map(([title, rows]) =>
        el("section", {}, el("h3", {}, title), el("dl", {}, ...rows.flatMap(([key, text]) => [el("dt", {}, key), el("dd", {}, text)])))))
    ]
  });
}
