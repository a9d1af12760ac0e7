// The fabric, and what is seen of it in a cycle.
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
  // Entries [..., first, count] one by one; links become [link, neuron, back], sums [adder, neuron]. Words [how many, port up,
  // switches up, port, operand, switches] one by one as well.
  if (replay.unpacked) return replay;
  const each = (list) => list.flatMap((entry) => Array.from({ length: entry[entry.length - 1] }, (_, n) => [entry[entry.length - 2] + n, ...entry.slice(0, -2)]));
  for (const configuration of replay.configurations) {
    configuration.links = each(configuration.links);
    configuration.sums = each(configuration.sums);
  }
  replay.words = replay.words.flatMap(([count, up, further, port, operand, ...strides]) => Array.from({ length: count }, (_, n) =>
    [port + n * up, operand, ...strides.map((number, at) => (at % 3 ? number : number + n * further))]));
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
