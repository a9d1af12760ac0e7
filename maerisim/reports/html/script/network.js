// The network: bars, roofline, energy, and its table.
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
  const drawing = svg(box, "svg", { viewBox: `0 0 ${W} ${H}`, width: "100%", role: "group",
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
