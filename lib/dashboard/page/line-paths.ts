type Point = readonly [x: number, y: number];

/** The SVG paths of a line, and of the area below it. */
export interface LinePaths {
  readonly line: string;
  readonly area: string;
}

/**
 * The paths of values with gaps where there is none.
 * @param x,y the place of a value
 * @param bottom the end of the area
 */
export function linePaths(
  values: readonly (number | null | undefined)[],
  x: (index: number) => number,
  y: (value: number) => number,
  bottom: number,
): LinePaths {
  const pieces: Point[][] = [];
  let piece: Point[] | undefined;
  values.forEach((value, index) => {
    if (value === null || value === undefined) {
      piece = undefined;
      return;
    }
    if (piece === undefined) {
      piece = [];
      pieces.push(piece);
    }
    piece.push([x(index), y(value)]);
  });
  const text = (points: readonly Point[]): string =>
    points.map((point) => point.map((one) => one.toFixed(1)).join(' ')).join('L');
  return {
    line: pieces.map((points) => `M${text(points)}`).join(''),
    area: pieces
      .filter(({ length }) => length > 1)
      .map((points) => {
        const [[from] = [0], [to] = [0]] = [points[0], points.at(-1)];
        return `M${text([[from, bottom], ...points, [to, bottom]])}Z`;
      })
      .join(''),
  };
}
