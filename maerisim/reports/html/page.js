"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const OPERANDS = ["inputs", "partial sums", "weights"];
const CAUSES = { collection: "no room for the product", weights: "no weight", inputs: "no input", wait: "no partial sum yet",
  forwarding: "no room at the neighbour" };
const CAUSE_LETTERS = "cwipf", OPERAND_LETTERS = "ipw";
const NETWORK_TITLE = document.title;
const $ = (id) => document.getElementById(id);

// ---- elements, numbers, words -----------------------------------------------------------------------------------------
function add(parent, element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children) element.append(child);
  if (parent) parent.append(element);
  return element;
}
const html = (name, attributes, ...children) => add(null, document.createElement(name), attributes, children);
const svg = (parent, name, attributes, ...children) =>
  add(parent, document.createElementNS(SVG, name), attributes, children);
const titled = (element, text) => { svg(element, "title", {}, text); return element; };
const whole = (value) => Math.round(value).toLocaleString("en-US");
const percent = (share) => (100 * share).toFixed(1) + "%";
function change(share) {
  if (share === 0) return "±0%";
  return Math.abs(share) < .0005 ? `<0.1% ${share > 0 ? "more" : "less"}` : (share > 0 ? "+" : "−") + percent(Math.abs(share));
}
const plural = (count, noun) => whole(count) + " " + noun + (count === 1 ? "" : "s");
function short(value) {
  const units = [[1e12, " T"], [1e9, " G"], [1e6, " M"], [1e3, " k"], [1, ""]];
  for (const [unit, name] of units) if (value >= unit) return Number((value / unit).toPrecision(3)) + name;
  if (value > 0 && data.unit === "J")
    for (const [unit, name] of [[1e-3, " m"], [1e-6, " µ"], [1e-9, " n"], [1e-12, " p"]])
      if (value >= unit) return Number((value / unit).toPrecision(3)) + name;
  return String(Number(value.toPrecision(3)));
}
const energy = (value) => data.unit === "J" ? short(value) + "J" : short(value);
function letter(number) {
  let name = "";
  for (let n = number + 1; n; n = Math.floor((n - 1) / 26)) name = String.fromCharCode(65 + (n - 1) % 26) + name;
  return name;
}
const hue = (vn) => `--hue:var(--vn${vn % 10})`;
const factsOf = (layer) => data.facts[layer.facts];

// ---- light and dark ---------------------------------------------------------------------------------------------------
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  $("theme").textContent = theme === "dark" ? "Light" : "Dark";
}
function toggleTheme() { setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"); }
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
setTheme(prefersDark.matches ? "dark" : "light");
prefersDark.addEventListener("change", (event) => setTheme(event.matches ? "dark" : "light"));
$("theme").addEventListener("click", toggleTheme);

// ---- bars: label, parts of a whole, number ----------------------------------------------------------------------------
function bar(parts, most, mark) {
  const drawn = html("span", { class: "bar" });
  for (const [size, kind, title] of parts)
    if (size > 0) drawn.append(html("i", { class: kind, title, style: `width:${100 * size / most}%` }));
  if (mark !== undefined) drawn.append(html("span", { class: "mark", style: `left:calc(${100 * mark / most}% - 1px)` }));
  return drawn;
}
function bars(rows, most, mark) {
  const box = html("div", { class: "bars", role: "list" });
  for (const [label, parts, number] of rows)
    box.append(html("span", { class: "label", title: label, role: "listitem" }, label), bar(parts, most, mark),
      html("span", { class: "number" }, number));
  return box;
}
function energyBars(energies) {
  const sorted = Object.entries(energies).sort((a, b) => b[1] - a[1]);
  const total = sorted.reduce((sum, [, value]) => sum + value, 0) || 1;
  const rows = sorted.map(([name, value]) => [
    name === "dram" ? "DRAM" : name.replace(/_/g, " "), [[value, name === "dram" ? "over" : "least", energy(value)]],
    `${energy(value)}  ${percent(value / total)}`]);
  return bars(rows, sorted.length ? sorted[0][1] || 1 : 1);
}

// ---- the network ------------------------------------------------------------------------------------------------------
function drawNetwork() {
  const order = data.layers.map((layer, place) => [place, factsOf(layer).cycles * layer.count]).sort((a, b) => b[1] - a[1]);
  const most = order.length ? order[0][1] : 1;
  for (const [place, cycles] of order) {
    const layer = data.layers[place], facts = factsOf(layer), least = Math.min(facts.bound * layer.count, cycles);
    $("bars").append(
      html("a", { class: "label", href: `#layer-${place}`, title: layer.name }, layer.name + (layer.count > 1 ? ` ×${layer.count}` : "")),
      bar([[least, "least", `${whole(least)} cycles that no mapping could save`], [cycles - least, "over", `${whole(cycles - least)} cycles above the bound`]], most),
      html("span", { class: "number" }, whole(cycles)));
  }
  drawRoof($("roof"));
  $("energy").append(energyBars(data.energy));
  const unit = data.unit === "J" ? "" : ` Unit: ${data.unit}.`;
  $("energy").append(html("p", { class: "key" }, `All layers; DRAM: the words that have to move, or that do where DRAM is modelled.${unit}`));
  sortable($("layers"));
}
function drawRoof(box) {
  const roof = data.roof, W = 560, H = 300, left = 46, right = 12, top = 14, bottom = 40;
  const points = data.layers.map((layer, place) => ({ place, layer, roof: factsOf(layer).roof }));
  if (!points.length) return;
  const ridge = roof.peak / roof.bandwidth;
  const xs = points.flatMap((point) => [point.roof[0], point.roof[1]]).concat(ridge).filter((x) => x > 0);
  const ys = points.map((point) => point.roof[2]).concat(roof.peak).filter((y) => y > 0);
  const [x0, x1] = [Math.min(...xs) / 1.6, Math.max(...xs) * 1.6], [y0, y1] = [Math.min(...ys) / 1.8, Math.max(...ys) * 1.5];
  const X = (x) => left + (W - left - right) * Math.log(x / x0) / Math.log(x1 / x0);
  const Y = (y) => H - bottom - (H - top - bottom) * Math.log(y / y0) / Math.log(y1 / y0);
  const where = roof.channel === "dram" ? "moved from or to DRAM" : "sent into the array";
  $("roof-caption").textContent = `Roofline: operations a cycle against operations per word ${where}`;
  const drawing = svg(box, "svg", { viewBox: `0 0 ${W} ${H}`, width: "100%", role: "img",
    "aria-label": `Roofline of ${points.length} layers; the table has the same in numbers` });
  for (const [low, high, at, vertical] of [[x0, x1, X, true], [y0, y1, Y, false]])
    for (const value of ticks(low, high)) {
      const place = at(value);
      svg(drawing, "line", vertical ? { class: "grid", x1: place, x2: place, y1: top, y2: H - bottom } : { class: "grid", x1: left, x2: W - right, y1: place, y2: place });
      svg(drawing, "text", vertical ? { class: "tick middle", x: place, y: H - bottom + 15 } : { class: "tick end", x: left - 6, y: place + 4 }, short(value));
    }
  svg(drawing, "text", { class: "soft middle", x: (left + W - right) / 2, y: H - 7 }, `operations per word ${where}`);
  svg(drawing, "text", { class: "soft middle", x: 12, y: (top + H - bottom) / 2, transform: `rotate(-90 12 ${(top + H - bottom) / 2})` }, "operations a cycle");
  const from = Math.max(x0, y0 / roof.bandwidth);
  svg(drawing, "path", { class: "roofline", d: `M${X(from)},${Y(from * roof.bandwidth)}L${X(Math.min(ridge, x1))},${Y(Math.min(roof.peak, x1 * roof.bandwidth))}L${X(x1)},${Y(Math.min(roof.peak, x1 * roof.bandwidth))}` });
  svg(drawing, "text", { class: "soft end", x: X(x1) - 2, y: Y(roof.peak) - 5 }, `${whole(roof.peak)} multipliers`);
  for (const { place, layer, roof: [intensity, compulsory, attained, limit, boundBy] } of points) {
    const link = svg(drawing, "a", { href: `#layer-${place}`, "aria-label": layer.name });
    svg(link, "circle", { class: "could", cx: X(compulsory), cy: Y(attained), r: 2.5 });
    svg(link, "circle", { class: "point", cx: X(intensity), cy: Y(attained), r: 5 });
    titled(link, `${layer.name}: ${attained.toFixed(1)} operations a cycle, ${percent(attained / limit)} of its roof (${boundBy}); ${short(intensity)} operations per word, ${short(compulsory)} if each word passed once`);
  }
  box.append(html("p", { class: "key" }, "A point for each layer as mapped; a ring where it would lie if each word passed once."));
}
function ticks(low, high) {
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    for (const digit of high / low > 300 ? [1] : [1, 2, 5]) {
      const value = digit * 10 ** power;
      if (value >= low && value <= high) found.push(value);
    }
  return found;
}
function sortable(table) {
  const body = table.tBodies[0], rows = [...body.rows], heads = [...table.tHead.rows[0].cells];
  const key = (row, column) => row.cells[column].dataset.key;
  heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
    const number = head.classList.contains("number") || rows.every((row) => !isNaN(key(row, column)));
    const descending = head.getAttribute("aria-sort") ? head.getAttribute("aria-sort") === "ascending" : number;
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const compare = (a, b) => number ? key(a, column) - key(b, column)
      : key(a, column).localeCompare(key(b, column), "en", { numeric: true });
    body.append(...rows.slice().sort((a, b) => (descending ? -1 : 1) * compare(a, b)));
  }));
  const filter = () => {
    const wanted = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    let seen = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !wanted.every((word) => text.includes(word));
      seen += !row.hidden;
    }
    $("shown").textContent = wanted.length ? `${seen} of ${rows.length} shown` : "";
  };
  $("filter").addEventListener("input", filter);
}

// ---- a layer ----------------------------------------------------------------------------------------------------------
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
  if (!facts.proof.length) return html("p", {}, "The mapping was given; nothing was searched.");
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

// ---- the fabric -------------------------------------------------------------------------------------------------------
const PORT_Y = 16, DIST_Y = 34, DIST_STEP = 15, SWITCH_HEIGHT = 22, ADDER_STEP = 34, ADDER_HEIGHT = 14;
function drawFabric(stage, wide) {
  // The bare fabric at `wide` pixels a multiplier switch; what is seen of it in a cycle is classes on these elements.
  const { multipliers: M, ports, buses, adders, links } = data.fabric, leaves = M / ports, depth = Math.log2(leaves);
  const between = data.fabric.topology === "linear" ? .5 : 0;
  const x = (m) => (m + .5) * wide, switchY = DIST_Y + (depth + 1) * DIST_STEP + 8, letterY = switchY + SWITCH_HEIGHT + 22;
  const levels = Math.max(...adders.map((each) => each[1]));
  const adderX = adders.map(([column]) => (column + between) * wide), adderY = adders.map(([, level]) => letterY + 22 + (level - 1) * ADDER_STEP);
  const busY = letterY + 22 + levels * ADDER_STEP + 22, width = M * wide, height = busY + 30, margin = 4;
  const drawing = svg(stage, "svg", { width: width + 2 * margin, height, viewBox: `${-margin} 0 ${width + 2 * margin} ${height}`, role: "img",
    style: `--thick:${Math.max(1.1, Math.min(3.2, wide / 2.4))}px`,
    "aria-label": "The fabric: distribution ports above, then multiplier switches, adder switches and collection buses" });
  const dist = [], fine = wide >= 13;
  for (let level = 0; level < depth; level++) {
    dist.push([]);
    for (let node = 0; node < M >> level; node++) {
      const span = 1 << level, parent = 2 * span, at = (node + .5) * span * wide, above = (Math.floor(node / 2) + .5) * parent * wide;
      const y = DIST_Y + (depth - level) * DIST_STEP, lower = level === 0 ? switchY : y + DIST_STEP;
      dist[level].push(svg(drawing, "path", { class: "dist", d: `M${above},${y}L${at},${y + DIST_STEP}${level === 0 ? `V${lower}` : ""}` }));
    }
  }
  const stems = [], portMarks = [];
  for (let port = 0; port < ports; port++) {
    const at = (port + .5) * leaves * wide, half = Math.min(8, leaves * wide * .4);
    stems.push(svg(drawing, "path", { class: "dist", d: `M${at},${PORT_Y}V${depth ? DIST_Y + DIST_STEP : switchY}` }));
    portMarks.push(titled(svg(drawing, "path", { class: "port", d: `M${at - half},${PORT_Y - 8}H${at + half}L${at},${PORT_Y + 7}Z` }), `distribution port ${port}`));
  }
  const cells = [], arrivals = [], causes = [], hands = [], body = wide * .84;
  for (let m = 0; m < M; m++) {
    arrivals.push(svg(drawing, "rect", { class: "arrival", x: x(m) - Math.min(4, body / 2), width: Math.min(8, body), y: switchY - 7, height: 6, rx: 2 }));
    cells.push(titled(svg(drawing, "rect", { class: "switch", x: x(m) - body / 2, width: body, y: switchY, height: SWITCH_HEIGHT, rx: Math.min(5, body / 4) }), `multiplier switch ${m}`));
    if (fine) svg(drawing, "text", { class: "tiny middle soft", x: x(m), y: switchY + 15 }, m);
    causes.push(svg(drawing, "rect", { class: "cause", x: x(m) - body / 2, width: body, y: switchY + SWITCH_HEIGHT + 2, height: 6 }));
    hands.push(m ? svg(drawing, "path", { class: "hand", d: `M${x(m) - body / 2},${switchY + SWITCH_HEIGHT / 2}H${x(m - 1) + body / 2}` }) : null);
  }
  const linkMarks = links.map(([fromAdder, source, target, beside]) => {
    const [x0, y0] = fromAdder ? [adderX[source], adderY[source]] : [x(source), switchY + SWITCH_HEIGHT + 8], [x1, y1] = [adderX[target], adderY[target]];
    return svg(drawing, "path", { class: beside ? "link beside" : "link", d: `M${x0},${y0}L${x1},${y1}` });
  });
  const outs = svg(drawing, "g", {}), braces = svg(drawing, "g", {});
  const adderMarks = adders.map(([, level, name], place) => {
    const room = (data.fabric.topology === "linear" ? wide : wide * 2 ** level) * .8, size = Math.min(26, Math.max(2, room));
    const mark = titled(svg(drawing, "rect", { class: "adder", x: adderX[place] - size / 2, width: size, y: adderY[place] - ADDER_HEIGHT / 2, height: ADDER_HEIGHT, rx: 3 }), `adder switch ${name}`);
    if (size >= 20) svg(drawing, "text", { class: "tiny middle soft", x: adderX[place], y: adderY[place] + 3.5 }, name);
    return mark;
  });
  const busX = (bus) => (bus + .5) * width / buses, busHalf = Math.min(20, width / buses * .42), busMarks = [];
  for (let bus = 0; bus < buses; bus++) {
    busMarks.push(titled(svg(drawing, "rect", { class: "bus", x: busX(bus) - busHalf, width: 2 * busHalf, y: busY, height: 16, rx: 3 }), `collection bus ${bus}`));
    if (busHalf >= 9) svg(drawing, "text", { class: "tiny middle soft", x: busX(bus), y: busY + 11.5 }, bus);
  }
  drawing.append(braces);
  return { drawing, wide, width, x, dist, stems, portMarks, cells, arrivals, causes, hands, linkMarks, adderMarks, busMarks, outs, braces,
    outMarks: [], depth, leaves, adderX, adderY, busX, busY, letterY, adderTitles: adders.map((each) => each[2]) };
}
function unpacked(replay) {
  // Entries [..., first, count] one by one; links become [link, neuron, back], sums [adder, neuron].
  if (replay.unpacked) return replay;
  const each = (list) => list.flatMap((entry) => Array.from({ length: entry[entry.length - 1] }, (_, n) => [entry[entry.length - 2] + n, ...entry.slice(0, -2)]));
  for (const configuration of replay.configurations) {
    configuration.links = each(configuration.links);
    configuration.sums = each(configuration.sums);
  }
  replay.unpacked = true;
  return replay;
}
function placeNeurons(fabric, configuration) {
  // What belongs to which virtual neuron, until the fabric is configured anew.
  const owner = new Int32Array(data.fabric.multipliers).fill(-1);
  configuration.spans.forEach(([start, size], vn) => owner.fill(vn, start, start + size));
  fabric.owner = owner;
  fabric.cells.forEach((cell, m) => {
    cell.setAttribute("class", owner[m] < 0 ? "switch" : "switch owned");
    cell.setAttribute("style", owner[m] < 0 ? "" : hue(owner[m]));
  });
  fabric.linkMarks.forEach((mark) => { mark.classList.remove("used", "on"); });
  fabric.adderMarks.forEach((mark) => { mark.classList.remove("owned", "on"); });
  for (const [place, vn] of configuration.links) {
    fabric.linkMarks[place].classList.add("used");
    fabric.linkMarks[place].setAttribute("style", hue(vn));
  }
  for (const [adder, vn] of configuration.sums) {
    fabric.adderMarks[adder].classList.add("owned");
    fabric.adderMarks[adder].setAttribute("style", hue(vn));
  }
  fabric.outs.replaceChildren();
  fabric.braces.replaceChildren();
  fabric.outMarks = configuration.exits.map((adder, vn) => {
    const x0 = fabric.adderX[adder], x1 = fabric.busX(configuration.buses[vn]), y0 = fabric.adderY[adder] + 7, y1 = fabric.busY;
    return svg(fabric.outs, "path", { class: "out", style: hue(vn), d: `M${x0},${y0}C${x0},${(y0 + y1) / 2} ${x1},${(y0 + y1) / 2} ${x1},${y1}` });
  });
  configuration.spans.forEach(([start, size], vn) => {
    const y = fabric.letterY - 9, from = start * fabric.wide + 1, to = (start + size) * fabric.wide - 1;
    svg(fabric.braces, "path", { class: "brace", style: hue(vn), d: `M${from},${y}H${to}` });
    if (to - from > 7 * letter(vn).length) svg(fabric.braces, "text", { class: "tiny middle letter", x: (from + to) / 2, y: y + 10 }, letter(vn));
  });
  fabric.lit = [];
}
function runs(text, count) {
  const found = [];
  for (const [, number, mark] of text.matchAll(/(\d*)(\D)/g)) for (let n = Number(number || 1); n > 0; n--) found.push(mark);
  while (found.length < count) found.push(".");
  return found;
}
function wordsOf(replay, text) {
  const places = text === "" ? [] : text.split(" ").flatMap((run) => {
    const [first, last] = run.split("-").map(Number);
    return Array.from({ length: (last ?? first) - first + 1 }, (_, n) => first + n);
  });
  return places.map((place) => {
    const [port, operand, ...strides] = replay.words[place], switches = [];
    for (let at = 0; at < strides.length; at += 3)
      for (let n = 0; n < strides[at + 1]; n++) switches.push(strides[at] + n * strides[at + 2]);
    return { port, operand, switches };
  });
}
function light(fabric, element, ...classes) {
  element.classList.add("on", ...classes);
  fabric.lit.push([element, classes]);
}
function showCycle(fabric, replay, scene, at) {
  const M = data.fabric.multipliers, [cycle, place, ...parts] = scene.cycles[at], text = parts.map((number) => replay.texts[number]);
  const configuration = replay.configurations[place];
  if (fabric.configuration !== configuration) {
    fabric.configuration = configuration;
    placeNeurons(fabric, configuration);
  }
  for (const [element, classes] of fabric.lit) element.classList.remove("on", ...classes);
  fabric.lit = [];
  const states = runs(text[0], M), seen = { work: 0, waits: new Map(), words: [0, 0, 0], held: [] };
  states.forEach((state, m) => {
    fabric.cells[m].classList.toggle("work", state === "*");
    seen.work += state === "*";
    const cause = CAUSE_LETTERS.indexOf(state);
    if (cause >= 0) {
      light(fabric, fabric.causes[m], `why${cause}`);
      seen.waits.set(cause, (seen.waits.get(cause) || 0) + 1);
    }
  });
  runs(text[1], M).forEach((mark, m) => { if (mark !== ".") light(fabric, fabric.arrivals[m], `o${OPERAND_LETTERS.indexOf(mark)}`); });
  runs(text[2], M).forEach((mark, m) => { if (mark !== "." && fabric.hands[m]) light(fabric, fabric.hands[m]); });
  const moved = runs(text[3], configuration.sums.length), active = new Map();
  configuration.sums.forEach(([adder, vn], sum) => {
    if (moved[sum] !== "*") return;
    active.set(adder, vn);
    fabric.adderMarks[adder].setAttribute("style", hue(vn));
    light(fabric, fabric.adderMarks[adder]);
  });
  for (const [link, vn, back] of configuration.links) {
    const [, source, target] = data.fabric.links[link];
    if (active.get(back ? source : target) === vn) {
      fabric.linkMarks[link].setAttribute("style", hue(vn));
      light(fabric, fabric.linkMarks[link]);
    }
  }
  for (const word of wordsOf(replay, text[4])) {
    light(fabric, fabric.portMarks[word.port], `o${word.operand}`);
    seen.words[word.operand] += 1;
  }
  travel(fabric, replay, scene, at);
  for (const word of wordsOf(replay, text[5])) {
    light(fabric, fabric.portMarks[word.port], "held");
    fabric.portMarks[word.port].classList.remove("on");
    seen.held.push(word);
  }
  const results = text[6] === "" ? [] : text[6].split(" ");
  for (const result of results) {
    const [bus, vn] = result.replace("~", "").split(":").map(Number);
    light(fabric, fabric.outMarks[vn], ...(result.endsWith("~") ? ["partial"] : []));
    fabric.busMarks[bus].setAttribute("style", hue(vn));
    light(fabric, fabric.busMarks[bus]);
  }
  return { cycle, seen, results, states };
}
function travel(fabric, replay, scene, at) {
  // A word passes the levels below its port in `latency` cycles, a stretch of them in each.
  const latency = data.fabric.latency, levels = fabric.depth + 1;
  for (let age = 0; age < latency && age <= at; age++) {
    const from = Math.floor(levels * age / latency), to = Math.max(from + 1, Math.floor(levels * (age + 1) / latency));
    for (const word of wordsOf(replay, replay.texts[scene.cycles[at - age][6]])) {
      const kind = `o${word.operand}`;
      if (from === 0) light(fabric, fabric.stems[word.port], kind);
      for (let below = Math.max(1, from); below < Math.min(levels, to); below++) {
        const level = fabric.depth - below;
        for (const node of new Set(word.switches.map((m) => m >> level))) light(fabric, fabric.dist[level][node], kind);
      }
    }
  }
}
function describe({ cycle, seen, results }) {
  const M = data.fabric.multipliers, waits = [...seen.waits.entries()].sort((a, b) => b[1] - a[1]);
  const waiting = waits.map(([cause, count]) => `${count} ${CAUSES[data.stalls[cause]]}`).join(", ");
  const sent = seen.words.map((count, operand) => [count, operand]).filter(([count]) => count).map(([count, operand]) => `${count} ${OPERANDS[operand]}`).join(", ");
  const held = seen.held.slice(0, 4).map((word) => `port ${word.port} holds ${OPERANDS[word.operand]} for ${some(word.switches)}`).join("; ");
  const partial = results.filter((each) => each.endsWith("~")).length;
  return [
    `${seen.work} of ${M} multiplier switches at work` + (waiting ? `; waiting: ${waiting}` : ""),
    `sent: ${sent || "nothing"}` + (held ? `; ${held}${seen.held.length > 4 ? ` and ${seen.held.length - 4} more ports` : ""}` : ""),
    `collected: ${results.length ? plural(results.length - partial, "output") + (partial ? `, ${plural(partial, "partial sum")}` : "") : "nothing"}`];
}
function some(switches) {
  return (switches.length === 1 ? "switch " : "switches ") + switches.slice(0, 4).join(", ") + (switches.length > 4 ? ", …" : "");
}

// ---- playing ----------------------------------------------------------------------------------------------------------
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

// ---- which page, and keys ---------------------------------------------------------------------------------------------
function go(place) {
  if (place >= data.layers.length || place < -1) return;
  location.hash = place < 0 ? "" : `layer-${place}`;
}
function route() {
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
})();
