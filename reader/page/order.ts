// The orders of voxels. There are three:
//
//   - the series: voxel (i, j, k) has the index v = i + Nx·(j + Ny·k); the server knows no other;
//   - what is shown: column x and row y of a slice as a reader sees it, transposed and mirrored as Grid.show says;
//   - NiiVue: a volume of one slice as shown, whose bitmap begins with the lowest row.
//
// No other module converts between them. Indices are continuous where they may be: a voxel's centre has whole numbers.
import type {Grid, Vec2, Vec3} from "./api";

export class Order {
  // Columns and rows as shown, and their spacing in mm.
  readonly columns: number;
  readonly rows: number;
  readonly dx: number;
  readonly dy: number;
  readonly slices: number;
  // inSlice is the number of voxels of a slice, and voxels that of the series.
  readonly inSlice: number;
  readonly voxels: number;
  private readonly inverse: number[][] | null;

  constructor(readonly grid: Grid) {
    const [nx, ny, nz] = grid.size;
    const [sx, sy] = grid.spacing_mm;
    const turned = grid.show.transpose;
    this.columns = turned ? ny : nx;
    this.rows = turned ? nx : ny;
    this.dx = turned ? sy : sx;
    this.dy = turned ? sx : sy;
    this.slices = nz;
    this.inSlice = nx * ny;
    this.voxels = nx * ny * nz;
    this.inverse = inverse(grid.affine);
  }

  index(i: number, j: number, k: number): number {
    const [nx, ny] = this.grid.size;
    return i + nx * (j + ny * k);
  }

  // indices returns (i, j, k) of a voxel.
  indices(v: number): Vec3 {
    const [nx, ny] = this.grid.size;
    return [v % nx, Math.floor(v / nx) % ny, Math.floor(v / (nx * ny))];
  }

  // shown returns the column and row at which (i, j) is shown.
  shown([i, j]: Vec2): Vec2 {
    const {transpose, flip_x, flip_y} = this.grid.show;
    const [x, y] = transpose ? [j, i] : [i, j];
    return [flip_x ? this.columns - 1 - x : x, flip_y ? this.rows - 1 - y : y];
  }

  // inSeries is the inverse of shown.
  inSeries([x, y]: Vec2): Vec2 {
    const {transpose, flip_x, flip_y} = this.grid.show;
    const column = flip_x ? this.columns - 1 - x : x;
    const row = flip_y ? this.rows - 1 - y : y;
    return transpose ? [row, column] : [column, row];
  }

  // steps returns by how much the index of a voxel grows from one column, and from one row, to the next, and the index
  // in the slice of the voxel at the top left.
  steps(): {first: number; column: number; row: number} {
    const at = (x: number, y: number) => {
      const [i, j] = this.inSeries([x, y]);
      return this.index(i, j, 0);
    };
    const first = at(0, 0);
    return {first, column: at(1, 0) - first, row: at(0, 1) - first};
  }

  // voxelAt returns the voxel of a slice at a continuous place as shown, −1 outside the slice.
  voxelAt([x, y]: Vec2, k: number): number {
    const column = Math.round(x),
      row = Math.round(y);
    if (column < 0 || row < 0 || column >= this.columns || row >= this.rows || k < 0 || k >= this.slices) return -1;
    const [i, j] = this.inSeries([column, row]);
    return this.index(i, j, k);
  }

  // position returns where (i, j, k) is in the patient, in mm, LPS.
  position([i, j, k]: Vec3): Vec3 {
    return this.grid.affine.map(r => r[0] * i + r[1] * j + r[2] * k + r[3]) as Vec3;
  }

  // at is the inverse of position. It returns null if the grid has none.
  at(position: Vec3): Vec3 | null {
    if (!this.inverse) return null;
    const p = position.map((x, n) => x - this.grid.affine[n][3]);
    return this.inverse.map(r => r[0] * p[0] + r[1] * p[1] + r[2] * p[2]) as Vec3;
  }

  // letters returns the patient's directions at the left, right, top and bottom of a slice as shown.
  letters(): [string, string, string, string] {
    const {transpose, flip_x, flip_y} = this.grid.show;
    let [left, right, top, bottom] = this.grid.letters;
    if (transpose) [left, right, top, bottom] = [top, bottom, left, right];
    if (flip_x) [left, right] = [right, left];
    if (flip_y) [top, bottom] = [bottom, top];
    return [left, right, top, bottom];
  }

  // world returns the rows of the affine of a volume that consists of one slice as shown. NiiVue's axial view of it, in
  // which x grows to the right and y upwards, is the slice as shown; its centre is at the origin.
  world(): number[][] {
    return [
      [this.dx, 0, 0, (-(this.columns - 1) / 2) * this.dx],
      [0, -this.dy, 0, ((this.rows - 1) / 2) * this.dy],
      [0, 0, 1, 0]
    ];
  }

  // toBitmap copies the voxels of a slice, given in the order of the series, to NiiVue's bitmap of the volume of world: its
  // first row is the lowest one.
  toBitmap(slice: Uint32Array, bitmap: Uint32Array): void {
    const {first, column, row} = this.steps();
    for (let y = 0, to = 0; y < this.rows; y++) {
      let from = first + (this.rows - 1 - y) * row;
      for (let x = 0; x < this.columns; x++, from += column) bitmap[to++] = slice[from];
    }
  }

  // mm returns the place of a continuous column and row in mm from the centre of the slice as shown, x to the right and
  // y downwards.
  mm([x, y]: Vec2): Vec2 {
    return [(x - (this.columns - 1) / 2) * this.dx, (y - (this.rows - 1) / 2) * this.dy];
  }

  // fromMM is the inverse of mm.
  fromMM([x, y]: Vec2): Vec2 {
    return [x / this.dx + (this.columns - 1) / 2, y / this.dy + (this.rows - 1) / 2];
  }

  // fraction returns the place of a voxel in NiiVue's volume of one slice.
  fraction([i, j]: Vec2): Vec3 {
    const [x, y] = this.shown([i, j]);
    return [(x + 0.5) / this.columns, (this.rows - y - 0.5) / this.rows, 0.5];
  }

  // check returns what is wrong with these conversions, "" if all is well. permRAS and dimsRAS are the order that NiiVue has
  // found for the volume of world: x as it is, y mirrored.
  check(permRAS: ArrayLike<number>, dimsRAS: ArrayLike<number>): string {
    const [nx, ny] = this.grid.size;
    const want = [1, -2, 3, this.columns, this.rows, 1].join(),
      got = [...Array.from(permRAS).slice(0, 3), ...Array.from(dimsRAS).slice(1, 4)].join();
    if (got !== want) return `NiiVue has the order ${got}, want ${want}`;
    const slice = Uint32Array.from({length: this.inSlice}, (_, v) => v),
      bitmap = new Uint32Array(this.inSlice);
    this.toBitmap(slice, bitmap);
    for (const [i, j] of [[0, 0], [nx - 1, 0], [0, ny - 1], [nx - 1, ny - 1]] as Vec2[]) {
      const [x, y] = this.fraction([i, j]);
      const place = Math.floor(x * this.columns) + this.columns * Math.floor(y * this.rows);
      if (bitmap[place] !== this.index(i, j, 0)) return `voxel (${i}, ${j}) is not where it is shown`;
      const [back, down] = this.inSeries(this.shown([i, j]));
      if (back !== i || down !== j) return `voxel (${i}, ${j}) becomes (${back}, ${down})`;
    }
    return "";
  }
}

// inverse returns the inverse of the 3 × 3 part of an affine, null if there is none.
function inverse(affine: number[][]): number[][] | null {
  const [a, b, c] = affine;
  const minor = (p: number[], q: number[], m: number, n: number) => p[m] * q[n] - p[n] * q[m];
  const determinant = a[0] * minor(b, c, 1, 2) - a[1] * minor(b, c, 0, 2) + a[2] * minor(b, c, 0, 1);
  if (!Number.isFinite(1 / determinant)) return null;
  return [
    [minor(b, c, 1, 2), -minor(a, c, 1, 2), minor(a, b, 1, 2)],
    [-minor(b, c, 0, 2), minor(a, c, 0, 2), -minor(a, b, 0, 2)],
    [minor(b, c, 0, 1), -minor(a, c, 0, 1), minor(a, b, 0, 1)]
  ].map(r => r.map(x => x / determinant));
}
