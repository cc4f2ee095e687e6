// Countries coloured by value. The borders and the projection (Natural Earth I: two polynomials) are
// Natural Earth's; the colours are classes, so that the map follows the theme by itself.

import codes from "i18n-iso-countries/codes.json";
import { feature } from "topojson-client";
import atlas from "world-atlas/countries-110m.json";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, SOUTH] = [960, 440, -58];
const SCALE = WIDTH / (2 * Math.PI * 0.8707);
const ANTARCTICA = "010";

const letters = new Map(codes.map(([two, , number]) => [number, two]));
const lands = feature(atlas, atlas.objects.countries).features.filter((land) => land.id !== ANTARCTICA);
const named = typeof Intl.DisplayNames === "function" ? new Intl.DisplayNames(["en"], { type: "region" }) : null;

/** Degrees to points of the picture. */
function point([east, north]) {
  const [x, y] = [(east * Math.PI) / 180, (Math.max(north, SOUTH) * Math.PI) / 180];
  const two = y * y;
  const four = two * two;
  const right = x * (0.8707 - 0.131979 * two + four * (-0.013791 + four * (0.003971 * two - 0.001529 * four)));
  const up = y * (1.007226 + two * (0.015085 + four * (-0.044475 + 0.028874 * two - 0.005916 * four)));
  return `${(WIDTH / 2 + right * SCALE).toFixed(1)} ${(HEIGHT * 0.565 - up * SCALE).toFixed(1)}`;
}

/** A ring that crosses the date line goes on beyond it instead of all around the earth. */
function whole(ring) {
  let turn = 0;
  return ring.map(([east, north], i) => {
    const step = i ? east - ring[i - 1][0] : 0;
    if (Math.abs(step) > 180) turn -= Math.sign(step) * 360;
    return [east + turn, north];
  });
}

function outline({ type, coordinates }) {
  const areas = type === "Polygon" ? [coordinates] : coordinates;
  return areas.flatMap((rings) => rings.map((ring) => `M${whole(ring).map(point).join("L")}Z`)).join("");
}

function shape(land, place) {
  const path = document.createElementNS(SVG, "path");
  const code = letters.get(land.id);
  path.setAttribute("d", outline(land.geometry));
  path.setAttribute("class", `land h${place?.step ?? 0}`);
  const title = document.createElementNS(SVG, "title");
  title.textContent = `${(code && named?.of(code)) || land.properties.name}: ${place?.text ?? "none"}`;
  path.append(title);
  if (place?.who) reachable(path, title.textContent, place.who);
  return path;
}

/** A country with persons behind it is a button, for the mouse and for the keyboard. */
function reachable(path, label, who) {
  path.setAttribute("role", "button");
  path.setAttribute("tabindex", "0");
  path.setAttribute("aria-label", label);
  const ask = () => path.dispatchEvent(new CustomEvent("who", { bubbles: true, detail: who }));
  path.addEventListener("click", ask);
  path.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    ask();
  });
}

/** Draw every map inside `root` that is not drawn yet. */
export function draw(root) {
  for (const figure of root.querySelectorAll("[data-world]")) {
    if (figure.querySelector("svg")) continue;
    const places = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
    const byCode = new Map(places.map((place) => [place.code, place]));
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    svg.append(...lands.map((land) => shape(land, byCode.get(letters.get(land.id)))));
    figure.append(svg);
  }
}
