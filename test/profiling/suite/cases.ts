/** A request whose guilty function is known, because it was built in. */
export interface GuiltyCase {
  readonly name: string;
  readonly path: string;
  /** The slow operation that is looked at. */
  readonly operation: string;
  /** The method of `guilty.service.ts` that takes the time, and the function that it calls for it, if any. */
  readonly guilty: string;
  readonly calls?: string;
  /** Others that burn at the same time, in pieces. */
  readonly neighbours: number;
}

const alone = (path: string, guilty: string, calls?: string): GuiltyCase => ({
  name: `${path}, alone`,
  path: `/${path}`,
  operation: `GET /${path}`,
  guilty,
  calls,
  neighbours: 0,
});
const beside = (one: GuiltyCase, neighbours: number): GuiltyCase => ({
  ...one,
  name: `${one.path.slice(1)}, beside ${neighbours}`,
  neighbours,
});

const OWN = alone('own', 'ScoringService.score');
const CRYPTO = alone('crypto', 'AuthService.hash', 'pbkdf2Sync');
const TURNS = alone('turns', 'ReportService.renderPiece');
const TIMERS = alone('timers', 'ReportService.renderRow');
const PROMISES = alone('promises', 'ReportService.renderCell');

export const GUILTY_CASES: readonly GuiltyCase[] = [
  OWN,
  alone('recursive', 'ScoringService.recursive'),
  CRYPTO,
  alone('regex', 'TextService.isMail'),
  alone('dependency', 'TextService.distance', 'leven'),
  alone('json', 'ExportService.toJson'),
  alone('sort', 'ExportService.ranked'),
  alone('zlib', 'ExportService.compressed', 'syncBufferWrapper'),
  TURNS,
  TIMERS,
  PROMISES,
  beside(OWN, 2),
  beside(CRYPTO, 2),
  beside(TURNS, 1),
  beside(TURNS, 3),
  beside(TIMERS, 1),
  beside(PROMISES, 2),
  {
    ...alone('methods', 'ReportService.drawChart'),
    name: 'chart, beside legend',
    operation: 'ReportService.chart',
  },
  {
    ...alone('methods', 'ReportService.drawLegend'),
    name: 'legend, beside chart',
    operation: 'ReportService.legend',
  },
];
