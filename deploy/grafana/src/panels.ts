import { PanelBuilder as BarGauge } from '@grafana/grafana-foundation-sdk/bargauge';
import {
  BigValueColorMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  HeatmapCellLayout,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  VizLegendOptionsBuilder,
  VizOrientation,
} from '@grafana/grafana-foundation-sdk/common';
import { ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  PanelBuilder as Heatmap,
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  HeatmapColorScale,
  HeatmapTooltipBuilder,
  RowsHeatmapOptionsBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';
import { PROMETHEUS, TEMPO } from './variables';

/** The texts of a panel: `description` explains how to act on it. `unit` is one of Grafana's. */
export interface Words {
  readonly title: string;
  readonly description: string;
  readonly unit: string;
}

/** The limits of warning and critical values. */
export type Limits = readonly [warning: number, critical: number];

export const FULL = 24;
export const HALF = 12;
export const THIRD = 8;

/** One number, colored by its limits, if any. */
export function stat({ title, description, unit }: Words, limits?: Limits): Stat {
  return new Stat()
    .title(title)
    .description(description)
    .datasource(PROMETHEUS)
    .unit(unit)
    .span(4)
    .height(4)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .colorMode(limits === undefined ? BigValueColorMode.None : BigValueColorMode.Value)
    .thresholds(limits === undefined ? steps() : above(limits));
}

/** Lines over time, with dashed limits. */
export function lines({ title, description, unit }: Words, limits?: Limits): TimeSeries {
  const panel = new TimeSeries()
    .title(title)
    .description(description)
    .datasource(PROMETHEUS)
    .unit(unit)
    .span(HALF)
    .height(8)
    .min(0)
    .fillOpacity(6)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull', 'max'])
        .sortBy('Last *')
        .sortDesc(true),
    );
  if (limits === undefined) return panel;
  return panel
    .thresholds(above(limits))
    .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
}

/** Stacked areas over time. */
export function areas(words: Words): TimeSeries {
  return lines(words)
    .fillOpacity(40)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
}

/** One bar per series, the longest first. */
export function bars({ title, description, unit }: Words, limits?: Limits): BarGauge {
  return new BarGauge()
    .title(title)
    .description(description)
    .datasource(PROMETHEUS)
    .unit(unit)
    .span(HALF)
    .height(9)
    .min(0)
    .orientation(VizOrientation.Horizontal)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .thresholds(limits === undefined ? steps() : above(limits));
}

/** A heatmap of latencies. Exemplars are diamonds that link to their traces. */
export function latencies({ title, description }: Omit<Words, 'unit'>): Heatmap {
  return new Heatmap()
    .title(title)
    .description(description)
    .datasource(PROMETHEUS)
    .span(FULL)
    .height(10)
    .calculate(false)
    .rowsFrame(new RowsHeatmapOptionsBuilder().layout(HeatmapCellLayout.Le))
    .color(
      new HeatmapColorOptionsBuilder()
        .mode(HeatmapColorMode.Scheme)
        .scheme('Oranges')
        .scale(HeatmapColorScale.Exponential)
        .exponent(0.5)
        .steps(64),
    )
    .yAxis(new YAxisConfigBuilder().unit('s'))
    .tooltip(new HeatmapTooltipBuilder().showColorScale(true).yHistogram(true))
    .exemplarsColor('rgba(255,0,255,0.7)')
    .hideLegend();
}

export function table({ title, description, unit }: Words): Table {
  return new Table()
    .title(title)
    .description(description)
    .datasource(PROMETHEUS)
    .unit(unit)
    .span(FULL)
    .height(10)
    .filterable(true);
}

/** Spans of Tempo, the newest first, with links to their traces. */
export function spans(title: string, description: string): Table {
  return table({ title, description, unit: 'none' }).datasource(TEMPO).span(FULL).height(9);
}

function above([warning, critical]: Limits): ThresholdsConfigBuilder {
  return steps([warning, 'orange'], [critical, 'red']);
}

function steps(...further: [value: number, color: string][]): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([{ value: null, color: 'green' }, ...further.map(([value, color]) => ({ value, color }))]);
}
