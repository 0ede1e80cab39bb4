import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { ROOT } from '../support/child-app.js';
import { readYaml } from '../support/yaml.js';

export const DEPLOY = join(ROOT, 'deploy');
export const RULE_FILES = ['recording.rules.yml', 'alerting.rules.yml'].map((file) =>
  join(DEPLOY, 'prometheus', file),
);

/** A PromQL expression and where it stands. */
export interface Expression {
  /** `overview.json: Rate`, `recording: job:…`, `alert: PerformanceErrors`. */
  readonly where: string;
  /** With the variables of the dashboard filled in. */
  readonly text: string;
  /** How its series are named: `{{label}}` in other text. */
  readonly legend?: string;
}

export interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

interface Target {
  expr?: string;
  query?: string;
  legendFormat?: string;
  exemplar?: boolean;
  datasource?: { type: string; uid: string };
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  fieldConfig?: { defaults: { unit?: string } };
  targets?: Target[];
}

export interface Dashboard {
  uid: string;
  title: string;
  panels: Panel[];
  links: { type: string; url?: string; tags: string[] }[];
  templating: { list: { name: string; type: string; query: string }[] };
  annotations?: { list?: { name: string; expr: string }[] };
}

/** The dashboards as they are checked in, by the name of their file. */
export function checkedIn(): Record<string, Dashboard> {
  const folder = join(DEPLOY, 'grafana/dashboards');
  return Object.fromEntries(
    readdirSync(folder).map((file) => [file, JSON.parse(readFileSync(join(folder, file), 'utf8'))]),
  );
}

export function rules(): Rule[] {
  return RULE_FILES.flatMap((file) =>
    readYaml<{ groups: { rules: Rule[] }[] }>(file).groups.flatMap((group) => group.rules),
  );
}

/** Every expression of every dashboard: panels, annotations, and the selectors that variables take their values from. */
export function dashboardExpressions(job: string): Expression[] {
  return Object.entries(checkedIn())
    .flatMap(([file, { panels, annotations, templating }]) => [
      ...panels.flatMap(({ title, targets = [] }) =>
        targets.flatMap(({ expr, legendFormat }) =>
          expr === undefined ? [] : [{ where: `${file}: ${title}`, text: expr, legend: legendFormat }],
        ),
      ),
      ...(annotations?.list ?? []).map(({ name, expr }) => ({ where: `${file}: ${name}`, text: expr })),
      ...templating.list.flatMap(({ name, type, query }) =>
        type === 'query' ? [{ where: `${file}: $${name}`, text: selectorOfLabelValues(query) }] : [],
      ),
    ])
    .map((expression) => ({ ...expression, text: fillIn(expression.text, job) }));
}

export function ruleExpressions(): Expression[] {
  return rules().map(({ record, alert, expr }) => ({
    where: record === undefined ? `alert: ${alert}` : `recording: ${record}`,
    text: expr,
  }));
}

/** A metric with the labels that an expression asks of it. */
export interface Selector {
  readonly text: string;
  readonly metric: string | undefined;
  readonly labels: readonly string[];
}

/** What an expression selects, and all labels that it names anywhere. @throws Error where it is no PromQL */
export function parse(text: string): { selectors: Selector[]; labels: string[] } {
  const selectors: Selector[] = [];
  const labels: string[] = [];
  parser.parse(text).iterate({
    enter({ type, from, to, node }) {
      if (type.isError) throw new Error(`no PromQL at ${from}: ${text}`);
      if (type.name === 'LabelName') labels.push(text.slice(from, to));
      if (type.name !== 'VectorSelector') return;
      const name = node.getChild('Identifier');
      const selector = text.slice(from, to);
      selectors.push({
        text: selector,
        metric: name === null ? undefined : text.slice(name.from, name.to),
        labels: [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map((match) => match[1] as string),
      });
    },
  });
  return { selectors, labels };
}

function selectorOfLabelValues(query: string): string {
  const match = /^label_values\((.+), \w+\)$/.exec(query);
  if (match?.[1] === undefined) throw new Error(`no label_values(SELECTOR, LABEL): ${query}`);
  return match[1];
}

function fillIn(text: string, job: string): string {
  return text
    .replaceAll('$service', job)
    .replaceAll('$instance', '.*')
    .replaceAll('$type', '.*')
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$__range', '1h');
}
