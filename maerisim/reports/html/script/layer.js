// A layer: its figures and panels.
let player = null, open = -1;
function drawLayer(place) {
  const layer = data.layers[place], facts = factsOf(layer), all = facts.cycles * data.fabric.multipliers;
  const box = $("layer");
  if (player) player.stop();
  player = null;
  box.replaceChildren(
    html("div", { class: "tools" },
      html("button", { type: "button", click: () => go(-1), title: "Escape" }, "← all layers"),
      html("button", { type: "button", click: () => go(place - 1), disabled: place === 0, title: "p" }, "previous"),
      html("button", { type: "button", click: () => go(place + 1), disabled: place === data.layers.length - 1, title: "n" }, "next")),
    html("h1", { id: "layer-title" }, layer.name + (layer.count > 1 ? ` ×${layer.count}` : "") + " ",
      html("small", {}, `${layer.op}, ${facts.dims}`)),
    figuresOf(layer, facts, all));
  if (layer.scaled) box.append(html("p", { class: "note" }, "This layer was shrunk; all figures are of the smaller one."));
  if (facts.reason) box.append(html("p", { class: "reason" }, `Chosen: ${facts.reason}.`));
  if (layer.replay !== undefined) {
    const replay = unpacked(data.replays[layer.replay]), panel = html("figure", { id: "replay" });
    box.append(panel);
    player = makePlayer(panel, replay);
    box.append(html("figure", {}, html("figcaption", {}, "Multiplier switches over time"), timeline(replay, player)));
  }
  const columns = html("div", { class: "columns" },
    panel("Where multiplier cycles go", stallBars(facts, all)),
    panel("Estimate against simulation", accuracy(facts)),
    panel("Loop nest, outermost first", nest(facts)),
    panel("What would relieve it", relief(facts)),
    panel("How the proof went", proof(facts)),
    panel("Energy by component", energyBars(facts.energy)));
  box.append(columns, html("details", {}, html("summary", {}, "All numbers of the printed report"), ...facts.tables.flatMap(tableOf)));
}
const panel = (title, ...content) => html("section", { class: "panel" }, html("h2", {}, title), ...content);
function figuresOf(layer, facts, all) {
  const list = [
    ["cycles", whole(facts.cycles), `${(facts.cycles / facts.bound).toFixed(2)} times the bound`],
    ["multipliers used", percent(facts.operations / all), "on average over the cycles"],
    ["operations a cycle", facts.roof[2].toFixed(1), `${percent(facts.roof[2] / facts.roof[3])} of its roof (${facts.roof[4]})`],
    ["estimate", whole(facts.estimate), `${((facts.estimate / facts.cycles - 1) * 100).toFixed(2)}% off the simulation`]];
  return html("dl", { class: "figures" }, ...list.map(([label, number, about]) =>
    html("div", {}, html("dt", {}, label), html("dd", {}, number, html("small", {}, about)))));
}
function stallBars(facts, all) {
  const idle = Math.max(0, all - facts.operations - facts.stalls.reduce((a, b) => a + b, 0));
  const rows = [["at work", [[facts.operations, "work-part"]], percent(facts.operations / all)],
    ...data.stalls.map((cause, place) => [`waits: ${CAUSES[cause]}`, [[facts.stalls[place], `why why${place}`]], percent(facts.stalls[place] / all)]),
    ["nothing to do", [[idle, "idle-part"]], percent(idle / all)]];
  return bars(rows.filter(([, parts], place) => place === 0 || parts[0][0] > 0), all);
}
function accuracy(facts) {
  const most = Math.max(facts.cycles, facts.estimate, facts.bound);
  return bars([["lower bound", [[facts.bound, "same"]], whole(facts.bound)],
    ["estimated", [[facts.estimate, "over"]], whole(facts.estimate)],
    ["simulated", [[facts.cycles, "least"]], whole(facts.cycles)]], most);
}
function nest(facts) {
  const lines = facts.loops.map(([dimension, tiles, size, last], depth) => "  ".repeat(depth) + `for ${dimension}: ${plural(tiles, "tile")}` +
    (size > 1 ? ` of ${size}` : "") + (last !== size ? `, the last of ${last}` : ""));
  if (facts.sparse) lines.push("each set of filters has loops of its own");
  const spatial = facts.tile.map(([dimension, size]) => dimension + size).join(" ") || "one multiplication";
  lines.push("  ".repeat(facts.loops.length) + `on the fabric at once: ${spatial}`);
  return html("pre", { class: "nest" }, lines.join("\n"));
}
function relief(facts) {
  const most = Math.max(facts.cycles, ...facts.reliefs.map((each) => each[2]));
  const rows = facts.reliefs.map(([resource, more, cycles, remapped]) => [
    `${resource}: ${more}${remapped ? ", mapped anew" : ""}`, [[cycles, cycles < facts.cycles ? "work-part" : "same", `${whole(cycles)} cycles`]],
    change(cycles / facts.cycles - 1)]);
  const box = html("div", {}, bars(rows, most, facts.cycles));
  box.append(html("p", { class: "key" }, "Cycles with more of each, all simulated; the line is the layer as it is."));
  return box;
}
function proof(facts) {
  if (!facts.proof.length)
    return html("p", {}, facts.given ? "The mapping was given; nothing was searched." : "The search for a mapping of such a layer proves nothing; what it looked at is said above.");
  return html("table", { class: "proof" }, html("tbody", {}, ...facts.proof.map((cells) =>
    html("tr", {}, ...cells.map((cell) => html("td", {}, cell))))));
}
function tableOf(page) {
  const headed = page.columns.some(([heading]) => heading);
  const cells = (row, kind) => html("tr", {}, ...row.map((cell, place) => html(kind, { class: page.columns[place][1] ? "number" : null }, cell)));
  return [html("h3", {}, page.title),
    html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": page.title }, html("table", {},
      ...(headed ? [html("thead", {}, cells(page.columns.map(([heading]) => heading), "th"))] : []),
      html("tbody", {}, ...page.rows.map((row) => cells(row, "td"))))),
    ...page.notes.map((note) => html("p", { class: "note" }, note))];
}
function timeline(replay, player) {
  const W = 1200, H = 150, top = 18, bottom = 22, M = data.fabric.multipliers;
  const box = html("div", {}), drawing = svg(box, "svg", { viewBox: `0 0 ${W} ${H}`, width: "100%", class: "timeline", role: "img",
    "aria-label": "Share of the multiplier switches at work and waiting, over the cycles of the run" });
  const X = (cycle) => W * cycle / replay.cycles, height = H - top - bottom;
  for (const [first, end, work, ...stalls] of replay.segments) {
    const all = (end - first) * M, words = [`cycles ${whole(first)} to ${whole(end - 1)}: at work ${percent(work / all)}`];
    let y = H - bottom;
    const stack = (amount, kind) => {
      const size = height * amount / all;
      y -= size;
      if (size > 0) svg(drawing, "rect", { class: kind, x: X(first), width: Math.max(.5, X(end) - X(first) + .3), y, height: size });
    };
    stack(work, "work-part");
    stalls.forEach((amount, cause) => {
      stack(amount, `why why${cause}`);
      if (amount) words.push(`${CAUSES[data.stalls[cause]]} ${percent(amount / all)}`);
    });
    stack(Math.max(0, all - work - stalls.reduce((a, b) => a + b, 0)), "idle-part");
    titled(svg(drawing, "rect", { class: "hit", x: X(first), width: X(end) - X(first), y: top, height }), words.join("; "));
  }
  if (replay.followed < replay.cycles)
    svg(drawing, "text", { class: "soft", x: X(replay.followed) + 6, y: top + height / 2 }, "not followed beyond here");
  replay.scenes.forEach((scene, place) => {
    const first = scene.cycles[0][0], last = scene.cycles[scene.cycles.length - 1][0], x = Math.min(W - 5, X(first));
    titled(svg(drawing, "rect", { class: "window", x: Math.max(1, x - 1), width: Math.max(3, X(last + 1) - X(first)), y: top - 3, height: height + 6,
      click: () => player.choose(place) }), `${scene.name}: cycles ${whole(first)} to ${whole(last)}`);
    svg(drawing, "text", { class: place === 0 ? "tick" : X(last) > W - 100 ? "tick end" : "tick middle", x: X(last) > W - 100 ? W - 2 : Math.max(2, x), y: 10 }, scene.name);
  });
  const cursor = svg(drawing, "line", { class: "cursor", y1: top - 3, y2: H - bottom + 3 });
  player.onCycle = (cycle) => { cursor.setAttribute("x1", X(cycle + .5)); cursor.setAttribute("x2", X(cycle + .5)); };
  svg(drawing, "text", { class: "tick", x: 0, y: H - 6 }, "cycle 0");
  svg(drawing, "text", { class: "tick end", x: W, y: H - 6 }, whole(replay.cycles));
  box.append(html("ul", { class: "legend" }, html("li", {}, html("span", { class: "swatch work-part" }), "at work"),
    ...data.stalls.map((cause, place) => html("li", {}, html("span", { class: `swatch why why${place}` }), `waits: ${CAUSES[cause]}`)),
    html("li", {}, html("span", { class: "swatch idle-part" }), "nothing to do")));
  player.show();
  return box;
}
