// Arranging a dashboard by hand: drag a tile to another place, drag its corner for its size.
// The server is told the order and the sizes; buttons on each tile do the same without a mouse.

import { headers } from "./csrf.js";
import { toast } from "./toasts.js";

const ROW_PX = 56;

async function tell(board) {
  const tiles = [...board.querySelectorAll("[data-tile]")].map((t) => [t.dataset.tile, t.dataset.w, t.dataset.h].map(Number));
  const reply = await fetch(board.dataset.boardEdit, {
    method: "POST",
    headers: { ...headers(), "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ tiles: JSON.stringify(tiles) }),
  });
  toast(reply.ok ? "Arranged" : "Not kept: the server refused it.", { bad: !reply.ok });
}

function size(tile, w, h) {
  const width = Math.min(Math.max(w, 2), 12);
  const height = Math.min(Math.max(h, 1), 12);
  tile.classList.remove(`w${tile.dataset.w}`, `high${tile.dataset.h}`);
  Object.assign(tile.dataset, { w: width, h: height });
  tile.classList.add(`w${width}`, `high${height}`);
}

function resizing(board, tile, down) {
  const start = { x: down.clientX, y: down.clientY, w: Number(tile.dataset.w), h: Number(tile.dataset.h) };
  const column = board.clientWidth / 12;
  const move = (event) => size(tile, start.w + Math.round((event.clientX - start.x) / column), start.h + Math.round((event.clientY - start.y) / ROW_PX));
  const up = () => {
    removeEventListener("pointermove", move);
    tell(board);
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", up, { once: true });
}

function dragging(board, tile) {
  tile.classList.add("dragged");
  const move = (event) => {
    const under = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-tile]");
    if (!under || under === tile || under.parentElement !== board) return;
    const box = under.getBoundingClientRect();
    const after = event.clientX > box.left + box.width / 2;
    board.insertBefore(tile, after ? under.nextSibling : under);
  };
  const up = () => {
    tile.classList.remove("dragged");
    removeEventListener("pointermove", move);
    tell(board);
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", up, { once: true });
}

export function edit(root) {
  const board = root.matches("[data-board-edit]") ? root : root.querySelector("[data-board-edit]");
  board.addEventListener("pointerdown", (event) => {
    const tile = event.target.closest("[data-tile]");
    if (!tile || event.target.closest("button, a, form")) return;
    event.preventDefault();
    if (event.target.closest("[data-resize]")) resizing(board, tile, event);
    else dragging(board, tile);
  });
}
