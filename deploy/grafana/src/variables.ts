import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';
import {
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';

/** The data sources are variables of the dashboard, as their names differ between installations. */
export const PROMETHEUS: DataSourceRef = { type: 'prometheus', uid: `\${prometheus}` };
export const TEMPO: DataSourceRef = { type: 'tempo', uid: `\${tempo}` };

export function prometheusVariable(): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder('prometheus').label('Metrics').type('prometheus');
}

export function tempoVariable(): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder('tempo').label('Traces').type('tempo');
}

export function pyroscopeVariable(): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder('pyroscope').label('Profiles').type('grafana-pyroscope-datasource');
}

/** A service is a `job`, whose name both the scrape and the Collector set to the service name. */
export function serviceVariable(): QueryVariableBuilder {
  return new QueryVariableBuilder('service')
    .label('Service')
    .datasource(PROMETHEUS)
    .query('label_values(job_operation:performance_operation_duration_seconds_count:rate5m, job)')
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
}

export function instanceVariable(): QueryVariableBuilder {
  return new QueryVariableBuilder('instance')
    .label('Instance')
    .datasource(PROMETHEUS)
    .query('label_values(target_info{job="$service"}, instance)')
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*');
}

/** The operation types of the service: `http`, `database`, custom types. */
export function operationTypeVariable(): QueryVariableBuilder {
  return new QueryVariableBuilder('type')
    .label('Type')
    .datasource(PROMETHEUS)
    .query(
      'label_values(job_operation:performance_operation_duration_seconds_count:rate5m{job="$service"}, performance_operation_type)',
    )
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*');
}
