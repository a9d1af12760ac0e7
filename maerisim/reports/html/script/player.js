// Playing a replay.
const LEAST_WIDTH = 7, MOST_WIDTH = 64;
function makePlayer(panel, replay) {
  const M = data.fabric.multipliers, self = { onCycle: () => {} };
  let scene = 0, at = 0, timer = null, fabric = null;
  const button = (text, title, click) => html("button", { type: "button", title, click }, text);
  const tabs = replay.scenes.map((each, place) => button(each.name, `Key ${place + 1}: cycles ${whole(each.cycles[0][0])} on`, () => self.choose(place)));
  const play = button("▶ play", "Space", () => self.toggle());
  const speed = html("select", { "aria-label": "Cycles a second" }, ...[1, 2, 4, 8, 16].map((rate) => html("option", { value: rate, selected: rate === 4 }, `${rate} cycles a second`)));
  speed.addEventListener("change", () => { if (timer) { self.stop(); self.toggle(); } });
  const where = html("output", {}), now = html("div", { id: "now", "aria-live": "polite" }), stage = html("div", { class: "stage", tabindex: 0, role: "region", "aria-label": "The fabric; scrolls sideways" });
  const slider = html("input", { type: "range", id: "slider", min: 0, step: 1, "aria-label": "Cycle" });
  slider.addEventListener("input", () => { at = Number(slider.value); self.show(); });
  const overview = svg(null, "svg", { class: "overview", viewBox: `0 0 ${M} 10`, preserveAspectRatio: "none", "aria-hidden": true });
  const strip = Array.from({ length: M }, (_, m) => svg(overview, "rect", { x: m, width: 1, y: 0, height: 10 }));
  const view = svg(overview, "rect", { class: "view", y: 0, height: 10 });
  overview.addEventListener("click", (event) => {
    const box = overview.getBoundingClientRect();
    stage.scrollLeft = (event.clientX - box.left) / box.width * stage.scrollWidth - stage.clientWidth / 2;
  });
  const showView = () => {
    view.setAttribute("x", M * stage.scrollLeft / stage.scrollWidth);
    view.setAttribute("width", M * Math.min(1, stage.clientWidth / stage.scrollWidth));
  };
  stage.addEventListener("scroll", showView);
  const only = replay.blocks > 1 ? ` One of ${whole(replay.blocks)} blocks like this is shown.` : "";
  const cut = replay.followed < replay.cycles ? ` The run was followed for its first ${whole(replay.followed)} of ${whole(replay.cycles)} cycles.` : "";
  panel.append(
    html("figcaption", {}, `Replay on ${M} multiplier switches `, html("small", { class: "soft" }, `(${data.fabric.words}).${only}${cut}`)),
    html("div", { class: "tools" },
      html("span", { class: "group", role: "group", "aria-label": "Window" }, ...tabs),
      html("span", { class: "group" }, play, button("◀", "Left arrow: a cycle back", () => self.step(-1)), button("▶", "Right arrow: a cycle on", () => self.step(1)), speed),
      html("span", { class: "group", role: "group", "aria-label": "Zoom" }, button("−", "Minus", () => self.zoom(1 / 1.4)), button("all", "0: the whole fabric", () => self.fit()), button("+", "Plus", () => self.zoom(1.4))),
      where),
    slider, now, overview, stage,
    html("ul", { class: "legend" },
      ...OPERANDS.map((name, operand) => html("li", {}, html("span", { class: `swatch o${operand}` }), name)),
      html("li", {}, html("span", { class: "swatch", style: "background:var(--vn0)" }), "at work for virtual neuron A, …"),
      html("li", {}, html("span", { class: "swatch idle-part" }), "idle"),
      ...data.stalls.map((cause, place) => html("li", {}, html("span", { class: `swatch why why${place}` }), `below a switch: ${CAUSES[cause]}`)),
      html("li", {}, html("span", { class: "swatch outline" }), "port in dashes: its word finds no room")));
  const build = (wide) => {
    stage.replaceChildren();
    fabric = drawFabric(stage, wide);
    overview.toggleAttribute("hidden", fabric.width <= stage.clientWidth + 2);
  };
  const room = () => Math.max(300, stage.clientWidth - 12);
  self.fit = () => { build(Math.min(MOST_WIDTH, room() / M)); self.show(); };
  self.zoom = (factor) => {
    const middle = (stage.scrollLeft + stage.clientWidth / 2) / stage.scrollWidth;
    build(Math.min(MOST_WIDTH, Math.max(room() / M, fabric.wide * factor)));
    stage.scrollLeft = middle * stage.scrollWidth - stage.clientWidth / 2;
    self.show();
  };
  self.fitAgain = () => { fabric = null; self.show(); };
  self.show = () => {
    if (!fabric) build(Math.min(MOST_WIDTH, Math.max(LEAST_WIDTH, room() / M)));
    const chosen = replay.scenes[scene], shown = showCycle(fabric, replay, chosen, at);
    tabs.forEach((tab, place) => tab.setAttribute("aria-pressed", place === scene));
    slider.max = chosen.cycles.length - 1;
    slider.value = at;
    slider.setAttribute("aria-valuetext", `cycle ${whole(shown.cycle)}`);
    where.textContent = `cycle ${whole(shown.cycle)} of ${whole(replay.cycles)}`;
    now.setAttribute("aria-live", timer ? "off" : "polite");
    now.replaceChildren(...describe(shown).map((line) => html("div", {}, line)));
    shown.states.forEach((state, m) => {
      const cause = CAUSE_LETTERS.indexOf(state), owner = fabric.owner[m];
      strip[m].setAttribute("class", cause >= 0 ? `why why${cause}` : "");
      strip[m].setAttribute("style", state === "*" ? `fill:var(--vn${owner % 10})` : cause >= 0 ? "" : "fill:var(--idle)");
    });
    showView();
    self.onCycle(shown.cycle);
  };
  self.choose = (place) => { if (place < replay.scenes.length) { scene = place; at = 0; self.show(); } };
  self.step = (by) => self.jump(at + by);
  self.jump = (to) => { at = Math.max(0, Math.min(replay.scenes[scene].cycles.length - 1, to)); self.show(); };
  self.end = () => self.jump(Infinity);
  self.stop = () => { clearInterval(timer); timer = null; play.textContent = "▶ play"; };
  self.toggle = () => {
    if (timer) { self.stop(); self.show(); return; }
    if (at === replay.scenes[scene].cycles.length - 1) at = 0;
    play.textContent = "❚❚ pause";
    timer = setInterval(() => {
      if (at < replay.scenes[scene].cycles.length - 1) self.step(1);
      else { self.stop(); self.show(); }
    }, 1000 / Number(speed.value));
  };
  return self;
}
