// The box that follows the pointer: the date, every series sorted by value, the share, the total.
// It is made of elements with classes: the content policy forbids styles written into HTML.

import { figure } from "./plot.js";

const SHOWN = 12;

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function entry(one, value, share, unit, label) {
  const row = element("li", one.hue);
  row.append(element("i", one.previous ? "dot sq prevdot" : "dot sq"));
  const name = element("span", one.previous ? "dim" : "", label);
  row.append(name, element(one.previous ? "span" : "b", "", figure(value, unit)), element("span", "dim", share));
  return row;
}

export function hover(data, index, only) {
  const box = element("div", "hover");
  const late = data.unfinished !== null && index >= data.unfinished ? ` · ${data.unfinished_text}` : "";
  box.append(element("p", "cap", `${data.labels[index]}${late}`));
  const shown = data.series
    .map((one, i) => ({ one, i, value: one.data[index] }))
    .filter(({ i, value }) => value !== null && value !== undefined && (only === null || only === i))
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  const total = shown.reduce((sum, { one, value }) => sum + (one.previous ? 0 : value), 0);
  const list = element("ul");
  for (const { one, value } of shown.slice(0, SHOWN)) {
    const many = data.series.filter((other) => !other.previous).length > 1;
    const share = !one.previous && many && total > 0 && data.unit === "count" ? `${((value / total) * 100).toFixed(0)}\u202f%` : "";
    const label = one.previous ? `${one.name}, ${data.previous_labels[index] ?? "previous"}` : one.name;
    list.append(entry(one, value, share, data.unit, label));
  }
  box.append(list);
  const foot = element("footer");
  const more = shown.length > SHOWN ? `${shown.length - SHOWN} more · ` : "";
  foot.append(element("span", "", data.unit === "count" ? `${more}Total ${figure(total, data.unit)}` : more));
  if (data.series.some((one) => one.who)) foot.append(element("span", "", "Click: persons"));
  box.append(foot);
  return box;
}
