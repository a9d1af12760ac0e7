// Elements, numbers, words, bars; light and dark.
const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
const OPERANDS = ["inputs", "partial sums", "weights"];
const CAUSES = { collection: "no room for the product", weights: "no weight", inputs: "no input", wait: "no partial sum yet",
  forwarding: "no room at the neighbour" };
const CAUSE_LETTERS = "cwipf", OPERAND_LETTERS = "ipw";
const NETWORK_TITLE = document.title;
const $ = (id) => document.getElementById(id);

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
