// Paths as streams between stops.

function short(text, length) {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

function box(title, text) {
  const made = document.createElement("div");
  made.className = "hover";
  const head = document.createElement("p");
  head.className = "cap";
  head.textContent = title;
  const body = document.createElement("b");
  body.textContent = text;
  made.append(head, body);
  return made;
}

export function flow(data, theme) {
  const names = new Map(data.nodes.map((node) => [node.key, node]));
  return {
    tooltip: {
      trigger: "item",
      className: "hover-box",
      appendTo: "body",
      borderWidth: 0,
      padding: 0,
      formatter: ({ dataType, data: one }) =>
        dataType === "edge"
          ? box(`${names.get(one.source).name} → ${names.get(one.target).name}`, `${one.text} times · click: persons`)
          : box(names.get(one.name).name, `${names.get(one.name).text} times`),
    },
    series: [
      {
        type: "sankey",
        left: 0,
        right: 120,
        top: 8,
        bottom: 8,
        nodeAlign: "left",
        draggable: false,
        label: { formatter: ({ name }) => short(names.get(name).name, 24), color: theme.tooltip.textStyle.color },
        data: data.nodes.map((node) => ({ name: node.key, depth: node.depth, itemStyle: { color: theme.color[0] } })),
        links: data.edges.map((edge) => ({ ...edge })),
        lineStyle: { color: theme.color[0], opacity: 0.18, curveness: 0.5 },
      },
    ],
  };
}
