// What runs on every page. Each part looks after one thing and works on whatever htmx brings in later too.

import htmx from "htmx.org";
import { copying } from "./parts/copying.js";
import { csrf } from "./parts/csrf.js";
import { drill } from "./parts/drill.js";
import { editor } from "./parts/editor.js";
import { keys } from "./parts/keys.js";
import { palette } from "./parts/palette.js";
import { popovers } from "./parts/popovers.js";
import { suggestions } from "./parts/suggestions.js";
import { tables } from "./parts/tables.js";
import { tabs } from "./parts/tabs.js";
import { theme } from "./parts/theme.js";
import { tiles } from "./parts/tiles.js";
import { notices } from "./parts/toasts.js";

csrf();
theme();
popovers();
palette(htmx);
keys(htmx);
notices();
copying();
tabs();
tables();
tiles(htmx);
drill(htmx);
editor(htmx);
suggestions();

// Charts are large, so they are fetched only where there is one to draw.
htmx.onLoad((root) => {
  const within = "[data-plot], [data-flow]";
  if (root.matches(within) || root.querySelector(within)) {
    import("./charts/draw.js").then((charts) => charts.draw(root));
  }
  if (root.matches("[data-world]") || root.querySelector("[data-world]")) {
    import("./charts/world.js").then((map) => map.draw(root));
  }
  if (root.matches("[data-board-edit]") || root.querySelector("[data-board-edit]")) {
    import("./parts/board.js").then((board) => board.edit(root));
  }
  if (root.querySelector("[data-live]")) {
    import("./parts/live.js").then((live) => live.listen(root));
  }
});
