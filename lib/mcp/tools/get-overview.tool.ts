import { buildOverview } from '../../dashboard/build-overview.js';
import { moment } from '../../text/quantities.js';
import { code, operationLine, prose, titledList } from '../markdown.js';
import { tool } from '../tool.js';

/** Entries of each list. */
const LISTED = 10;

export const getOverview = tool({
  name: 'get_overview',
  title: 'Overview',
  description:
    'The state of the running application in one answer: health, the operations that lose the most time above their threshold, the most expensive findings, open regressions, leaks, alerts, and what is not measured. Call it first.',
  arguments: {},
  answer: (_values, { monitor, links, now }) => {
    const overview = buildOverview(monitor, now);
    const { service, health, drivers, overhead } = overview;
    const operations = overview.operations.slice(0, LISTED);
    const findings = overview.findings.slice(0, LISTED);
    const regressions = overview.regressions.filter(({ state }) => state === 'open').slice(0, LISTED);
    const leaks = overview.leaks.slice(0, LISTED);
    const alerts = overview.alerts.active.slice(0, LISTED);
    const unseen = drivers.filter(({ seen }) => !seen);
    const { shed } = overhead.own;
    return {
      lines: [
        `${code(service.name)}${service.version === undefined ? '' : ` ${code(service.version)}`}, counting since ${moment(service.countingSince)}. ${health.state}: ${prose(health.sentence)}`,
        ...titledList(
          'Operations by time above their threshold',
          operations.map(operationLine),
          overview.operationCount,
        ),
        ...titledList(
          'Findings',
          findings.map(
            (one) => `${one.severity} ${one.type} in ${code(one.route)}: ${prose(one.explanation, 400)}`,
          ),
          monitor.getFindings().length,
        ),
        ...titledList(
          'Open regressions',
          regressions.map(({ name, explanation }) => `${code(name)}: ${prose(explanation, 400)}`),
        ),
        ...titledList(
          'Memory leaks',
          leaks.map(({ state, explanation }) => `${state}: ${prose(explanation, 400)}`),
        ),
        ...titledList(
          'Firing alerts',
          alerts.map(
            ({ rule, subject, firedAt }) =>
              `${code(rule)}${subject === undefined ? '' : ` for ${code(subject)}`} since ${moment(firedAt)}`,
          ),
        ),
        ...titledList(
          'Not measured, so nothing is known of it',
          unseen.map(({ driver, how, advice }) => `${code(driver)}: ${prose(advice ?? how, 300)}`),
        ),
        ...titledList('Paused to save overhead, so that recent slow operations lack it', shed.map(String)),
        '',
        `Next: list_findings for what to change, get_slow_operation for why something was slow, get_code_context for a file.${links.overview === undefined ? '' : ` Page: ${links.overview}`}`,
      ],
      data: {
        service,
        health,
        operationCount: overview.operationCount,
        operations: operations.map(({ sparkline: _, ...operation }) => operation),
        findings: findings.map(({ id, type, severity, route, count, totalMs, explanation, callSite }) => ({
          id,
          type,
          severity,
          route,
          count,
          totalMs,
          explanation,
          callSite,
        })),
        regressions,
        leaks,
        alerts,
        notMeasured: unseen,
        paused: shed,
        page: links.overview,
      },
    };
  },
});
