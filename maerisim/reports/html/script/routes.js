// Which page is shown, and keys.
function go(place) {
  if (place >= data.layers.length || place < -1) return;
  location.hash = place < 0 ? "" : `layer-${place}`;
}
function route(event) {
  const found = /^#layer-(\d+)$/.exec(location.hash), place = found ? Number(found[1]) : -1;
  const layer = data.layers[place];
  open = layer ? place : -1;
  $("network").hidden = open >= 0;
  $("layer").hidden = open < 0;
  $("crumb").hidden = open < 0;
  $("crumb").textContent = layer ? layer.name : "";
  document.title = layer ? `${layer.name} – ${NETWORK_TITLE}` : NETWORK_TITLE;
  if (layer) drawLayer(place);
  else if (player) { player.stop(); player = null; }
  scrollTo(0, 0);
  if (event) $("content").focus({ preventScroll: true });
}
const KEYS = {
  t: toggleTheme, "/": () => { if (open < 0) $("filter").focus(); }, Escape: () => go(-1), n: () => { if (open >= 0) go(open + 1); }, p: () => { if (open > 0) go(open - 1); },
};
const PLAYER_KEYS = {
  " ": () => player.toggle(), ArrowLeft: () => player.step(-1), ArrowRight: () => player.step(1), Home: () => player.jump(0), End: () => player.end(),
  1: () => player.choose(0), 2: () => player.choose(1), 3: () => player.choose(2), "+": () => player.zoom(1.4), "-": () => player.zoom(1 / 1.4), 0: () => player.fit(),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const kind = event.target.tagName, writing = kind === "SELECT" || (kind === "INPUT" && event.target.type !== "range");
  if (writing) { if (event.key === "Escape") event.target.blur(); return; }
  if (event.key === " " && (kind === "BUTTON" || kind === "SUMMARY" || kind === "A")) return;
  const action = KEYS[event.key] || (player && PLAYER_KEYS[event.key]);
  if (!action) return;
  event.preventDefault();
  action();
});
addEventListener("hashchange", route);
let resizing = null;
addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(() => { if (player) player.fitAgain(); }, 150); });
drawNetwork();
route();
