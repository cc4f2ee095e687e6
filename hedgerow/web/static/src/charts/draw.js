// The one place that knows the chart library. Templates hand over plain data (web/charts/spec.py);
// here it becomes a picture, in the theme of the page, and a click becomes a question who that is.

import { BarChart, LineChart, SankeyChart } from "echarts/charts";
import { GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import themes from "../echarts-theme.json";
import { isDark } from "../parts/theme.js";
import { flow } from "./flow.js";
import { plot } from "./plot.js";

echarts.use([BarChart, LineChart, SankeyChart, GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent, CanvasRenderer]);
echarts.registerTheme("light", themes.light);
echarts.registerTheme("dark", themes.dark);

const drawn = new Map();

const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) drawn.get(target)?.chart.resize();
});

function spec(figure) {
  return JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
}

function picture(figure) {
  const name = isDark() ? "dark" : "light";
  const data = spec(figure);
  drawn.get(figure)?.chart.dispose();
  let canvas = figure.querySelector(".canvas");
  if (!canvas) {
    canvas = document.createElement("div");
    canvas.className = "canvas";
    figure.append(canvas);
  }
  const chart = echarts.init(canvas, name);
  const theme = themes[name];
  const width = figure.clientWidth;
  chart.setOption(figure.matches("[data-flow]") ? flow(data, theme) : plot(data, theme, { width }));
  chart.on("click", (point) => asked(figure, data, point));
  if (figure.matches("[data-plot]")) anywhere(chart, figure, data);
  drawn.set(figure, { chart, data });
  resized.observe(figure);
}

/** A click on a bar, an edge or a stop names its part of the figure. */
function asked(figure, data, point) {
  const who = data.kind === "flow" ? point.data.who : at(data, point.seriesIndex, point.dataIndex);
  if (who) figure.dispatchEvent(new CustomEvent("who", { bubbles: true, detail: who }));
}

function at(data, series, index) {
  const one = data.series[data.drawn?.[series] ?? series];
  if (!one?.who) return null;
  const day = data.x[index];
  return { ...one.who, day: /^\d+$/.test(day) ? Number(day) : day };
}

/** A line is thin: a click anywhere in the plot asks about the nearest one at that time. */
function anywhere(chart, figure, data) {
  chart.getZr().on("click", (event) => {
    if (event.target || !data.form.match(/lines|area/)) return;
    const spot = [event.offsetX, event.offsetY];
    if (!chart.containPixel("grid", spot)) return;
    const [index, height] = chart.convertFromPixel("grid", spot);
    const near = data.series
      .map((one, i) => [Math.abs((one.data[index] ?? Infinity) - height), i])
      .sort((a, b) => a[0] - b[0])[0];
    const who = near && at({ ...data, drawn: null }, near[1], index);
    if (who) figure.dispatchEvent(new CustomEvent("who", { bubbles: true, detail: who }));
  });
}

function isolate(button) {
  const figure = button.closest(".body, .answer, .tile").querySelector("[data-plot]");
  const held = drawn.get(figure);
  if (!held) return;
  const only = button.getAttribute("aria-pressed") === "true" ? null : Number(button.dataset.isolate);
  for (const other of button.parentElement.querySelectorAll("[data-isolate]")) {
    if (only === null) other.removeAttribute("aria-pressed");
    else other.setAttribute("aria-pressed", String(Number(other.dataset.isolate) === only));
  }
  held.chart.setOption(plot(held.data, themes[isDark() ? "dark" : "light"], { only, width: figure.clientWidth }), {
    replaceMerge: ["series"],
  });
}

/** Draw every chart inside `root` that is not drawn yet. */
export function draw(root) {
  for (const [figure, { chart }] of drawn) {
    if (figure.isConnected) continue;
    chart.dispose();
    resized.unobserve(figure);
    drawn.delete(figure);
  }
  for (const figure of root.querySelectorAll("[data-plot], [data-flow]")) if (!drawn.has(figure)) picture(figure);
}

/** The picture of a figure as the address of a PNG, on the ground of a card. */
export function png(figure) {
  const ground = isDark() ? "#191c1a" : "#ffffff";
  return drawn.get(figure).chart.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: ground });
}

document.addEventListener("theme-changed", () => {
  for (const figure of [...drawn.keys()]) if (figure.isConnected) picture(figure);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-isolate]");
  if (button) isolate(button);
});
document.fonts?.ready.then(() => {
  for (const { chart } of drawn.values()) chart.resize();
});
