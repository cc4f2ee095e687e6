// Lines and bars over time: from our data to the library's options.

import { hover } from "./hover.js";

/** The colour of a class such as s3 (category) or o1 (order) in a theme. */
export function colours(hue, theme) {
  const number = Number(hue.slice(1));
  if (hue[0] === "o") return theme.hedgerow.order[number - 1];
  return number ? theme.color[number - 1] : theme.hedgerow.other;
}

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const exact = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

export function figure(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "percent") return `${value.toFixed(1)}\u202f%`;
  return exact.format(value).replace("-", "−");
}

function axis(value, unit) {
  if (unit === "percent") return `${exact.format(value)}\u202f%`;
  return (Math.abs(value) < 10_000 ? exact.format(value) : compact.format(value).replace("K", "k")).replace("-", "−");
}

function alpha(colour, opacity) {
  return colour + Math.round(opacity * 255).toString(16).padStart(2, "0");
}

/** All labels where they are few and fit; else first, last and few between. */
function few(labels, width) {
  const widest = Math.max(...labels.slice(1).map((label) => label.length), 1) * 7 + 24;
  const fit = Math.max(2, Math.floor((width - 60) / widest));
  const wanted = labels.length <= Math.min(fit, 14) ? labels.length - 1 : Math.min(fit, width < 420 ? 3 : 6);
  return Math.max(1, Math.ceil((labels.length - 1) / Math.max(wanted, 1)));
}

function line(one, data, theme, faded) {
  const colour = colours(one.hue, theme);
  const area = data.form === "area";
  return {
    type: "line",
    name: one.name,
    stack: area && !one.previous && data.series.length > 1 ? "all" : undefined,
    data: one.data,
    showSymbol: one.data.length < 2,
    connectNulls: false,
    itemStyle: { color: colour },
    lineStyle: one.previous
      ? { color: colour, ...theme.hedgerow.previousLine, opacity: faded ? 0.2 : 0.7 }
      : { color: colour, width: 2, opacity: faded ? 0.28 : 1 },
    areaStyle: area && !one.previous ? { color: colour, opacity: faded ? 0.04 : theme.hedgerow.areaOpacity } : undefined,
    z: one.previous ? 2 : 3,
  };
}

/** A line whose end is not finished yet: solid up to there, dotted after. */
function lines(one, data, theme, faded) {
  const from = data.unfinished;
  if (one.previous || from === null || from === 0 || data.form === "area") return [line(one, data, theme, faded)];
  const solid = line({ ...one, data: one.data.map((v, i) => (i < from ? v : null)) }, data, theme, faded);
  const dotted = line({ ...one, data: one.data.map((v, i) => (i >= from - 1 ? v : null)) }, data, theme, faded);
  dotted.lineStyle = { ...dotted.lineStyle, ...theme.hedgerow.unfinishedLine };
  return [solid, dotted];
}

function bars(one, data, theme, faded) {
  const colour = colours(one.hue, theme);
  return [
    {
      type: "bar",
      name: one.name,
      stack: data.form === "stacked" ? (one.previous ? "previous" : "all") : undefined,
      barCategoryGap: "28%",
      itemStyle: { color: one.previous ? alpha(colour, 0.35) : colour, opacity: faded ? 0.28 : 1 },
      data: one.data.map((value, i) => ({
        value: value || null, // a bar of nothing would still draw its edge
        itemStyle:
          data.unfinished !== null && i >= data.unfinished && !one.previous
            ? { color: alpha(colour, 0.2), borderColor: colour, borderType: [3, 2], borderWidth: 1 }
            : undefined,
      })),
    },
  ];
}

function marks(data) {
  if (!data.marks.length) return undefined;
  return {
    symbol: "none",
    silent: true,
    data: data.marks.map((mark) => ({ xAxis: data.x.indexOf(mark.at), label: { formatter: mark.text, position: "end" } })),
  };
}

function weekends(data, theme) {
  if (!data.weekends.length || data.x.length > 120 || !data.form.match(/lines|area/)) return undefined;
  return { silent: true, itemStyle: theme.markArea.itemStyle, data: data.weekends.map((i) => [{ xAxis: Math.max(i - 0.5, 0) }, { xAxis: i + 0.5 }]) };
}

/** A word at the end of each line, where they are few and do not touch. */
function endLabels(data, made, theme, narrow) {
  const current = data.series.filter((one) => !one.previous);
  if (narrow || data.form !== "lines" || current.length < 2 || current.length > 4) return 0;
  const ends = current.map((one) => one.data.at(-1) ?? 0).sort((a, b) => a - b);
  const top = Math.max(...current.flatMap((one) => one.data.map((v) => v ?? 0)), 1);
  if (ends.some((value, i) => i && value - ends[i - 1] < top * 0.09)) return 0;
  for (const one of made) {
    if (one.data.at(-1) === null) continue;
    const name = one.name.length > 12 ? `${one.name.slice(0, 11)}…` : one.name;
    one.endLabel = { show: true, formatter: name, color: theme.tooltip.textStyle.color, fontWeight: 500, distance: 8, fontSize: 12 };
  }
  return Math.max(...current.map((one) => Math.min(one.name.length, 12))) * 7 + 12;
}

export function plot(data, theme, { only = null, width = 600 } = {}) {
  const narrow = width < 420;
  const shape = data.form === "bars" || data.form === "stacked" ? bars : lines;
  data.drawn = [];
  // What comes first in the legend (the newest version, the largest value) stands on top of a stack.
  const order = data.series.map((_, i) => i);
  if (data.form === "stacked" && data.series[0]?.hue[0] === "o") order.reverse();
  const series = order.flatMap((i) => {
    const made = shape(data.series[i], data, theme, only !== null && only !== i);
    for (const _ of made) data.drawn.push(i);
    return made;
  });
  const right = endLabels(data, series, theme, narrow);
  if (series[0]) {
    series[0].markLine = marks(data);
    series[0].markArea = weekends(data, theme);
  }
  const step = few(data.labels, width);
  const isBar = shape === bars;
  return {
    grid: { left: 0, right: right || (isBar ? 4 : 12), top: data.marks.length ? 24 : 10, bottom: 0, containLabel: true },
    xAxis: {
      type: "category",
      data: data.labels,
      boundaryGap: isBar,
      axisLabel: {
        interval: (i) => i % step === 0 && (i === 0 || data.labels.length - 1 - i >= step * 0.6 || i === data.labels.length - 1),
        alignMinLabel: "left",
        alignMaxLabel: "right",
        showMinLabel: true,
      },
    },
    yAxis: {
      type: data.log ? "log" : "value",
      minInterval: data.unit === "count" ? 1 : undefined,
      max: data.unit === "percent" ? (range) => Math.min(100, Math.ceil(range.max / 25) * 25 || 25) : undefined,
      interval: data.unit === "percent" ? 25 : undefined,
      splitNumber: 3,
      axisLabel: { formatter: (value) => axis(value, data.unit) },
    },
    tooltip: {
      trigger: "axis",
      className: "hover-box",
      appendTo: "body",
      borderWidth: 0,
      padding: 0,
      axisPointer: { type: isBar ? "shadow" : "line" },
      formatter: (points) => hover(data, points[0]?.dataIndex ?? 0, only),
    },
    series,
  };
}
