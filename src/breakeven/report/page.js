// Draws the charts, and lets the workload be moved. Numbers and texts come as JSON; colours stay those of the style
// sheet, so that theme and print need no second drawing.
const data = JSON.parse(document.getElementById("data").textContent);
const views = new Map();
const drawnAt = new Map();
const FOLLOWING = ["lifetime", "frontier"];

function coloured(value) {
  if (typeof value === "string" && value.startsWith("\ue000")) {
    const [name, alpha] = value.slice(1).split(" ");
    if (!alpha) return `var(--${name})`;
    return `color-mix(in srgb, var(--${name}) ${((100 * parseInt(alpha, 16)) / 255).toFixed(1)}%, transparent)`;
  }
  if (Array.isArray(value)) return value.map(coloured);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, coloured(each)]));
}

async function draw(place) {
  const name = place.dataset.chart, width = place.clientWidth;
  if (!width || drawnAt.get(name) === width) return;
  drawnAt.set(name, width);
  views.get(name)?.finalize();
  views.delete(name);
  try {
    const spec = coloured({ ...data.charts[name], config: data.config, width });
    spec.params.find((each) => each.name === "room").value = width;
    const drawn = await window.breakevenEmbed(place, spec, { actions: false, renderer: "svg" });
    views.set(name, drawn.view);
  } catch (error) { // the others are drawn all the same, and this one is tried again
    console.error(error);
    drawnAt.delete(name);
    place.textContent = "The chart could not be drawn; its numbers are below.";
  }
  if (data.workload && FOLLOWING.includes(name)) await follow();
}

// -- the workload ------------------------------------------------------------------------------------------------------

const queries = document.getElementById("queries");
const length = document.getElementById("length");
let moved = false;

function short(number) {
  for (const [unit, word] of [[1e12, "trillion"], [1e9, "billion"], [1e6, "million"]])
    if (number >= unit) return `${(number / unit).toPrecision(3)} ${word}`;
  return Math.round(Number(number.toPrecision(3))).toLocaleString("en");
}

async function follow() {
  const load = data.workload;
  const count = moved ? 10 ** Number(queries.value) : load.queries;
  const times = 10 ** Number(length.value);
  const stopped = load.fixed + count * times * load.query;
  const full = load.full_fixed + count * times * load.full_query;
  const long = times === 1 ? "as long" : `${Number(times.toPrecision(2))} times as long`;
  const even = load.break_even === null ? "" : ` Break-even: ${short(load.break_even / times)} queries.`;
  const change = Math.abs(1 - stopped / full) * 100;
  const share = `${change < 10 ? change.toFixed(1) : Math.round(change)} %`;
  const verdict = stopped < full ? `Stopping costs ${share} less than full training.` : `Full training would cost less: stopping costs ${share} more.`;
  const many = `${short(count)} ${short(count) === "1" ? "query" : "queries"}`;
  document.getElementById("queries-said").value = many;
  document.getElementById("length-said").value = long;
  document.getElementById("verdict-of-workload").textContent = verdict + even;
  queries.setAttribute("aria-valuetext", many);
  length.setAttribute("aria-valuetext", long);
  for (const name of FOLLOWING)
    await views.get(name)?.signal("queries", count).signal("length", times).runAsync();
}

if (data.workload) {
  queries.value = Math.log10(Math.max(1, data.workload.queries));
  length.value = 0;
  queries.addEventListener("input", () => { moved = true; });
  for (const slider of [queries, length]) slider.addEventListener("input", follow);
}

// -- the options of a plan, over a life of so many queries -------------------------------------------------------------

const served = document.getElementById("served");

function flops(number) {
  const power = number > 0 ? Math.min(8, Math.max(0, Math.floor(Math.log10(number) / 3 + 1e-12))) : 0;
  return `${Number((number / 1000 ** power).toPrecision(3))} ${["", "k", "M", "G", "T", "P", "E", "Z", "Y"][power]}FLOPs`;
}

function weigh(count) {
  const lives = data.lives.options.map(([name, once, each]) => [name, once + count * each]).sort((a, b) => a[1] - b[1]);
  const [[best, least], [next, more]] = lives;
  const many = `${short(count)} ${short(count) === "1" ? "query" : "queries"}`;
  const dearer = ((more / least - 1) * 100).toPrecision(2);
  served.setAttribute("aria-valuetext", many);
  document.getElementById("served-said").value = many;
  document.getElementById("verdict-of-workload").textContent =
    `${best} is the cheapest: ${flops(least)} in all. Then ${next}, for ${Number(dearer)} % more.`;
}

if (data.lives) {
  served.value = Math.log10(data.lives.queries);
  served.addEventListener("input", () => weigh(10 ** Number(served.value)));
  weigh(data.lives.queries);
}

// -- when to draw ------------------------------------------------------------------------------------------------------

const places = document.querySelectorAll("[data-chart]");
for (const place of places) await draw(place);
document.documentElement.dataset.drawn = "1";
let drawing = Promise.resolve();
const wider = new ResizeObserver((changes) => {  // also where a fold is opened
  for (const { target } of changes) drawing = drawing.then(() => draw(target));
});
for (const place of places) wider.observe(place);

// -- live: a newer page takes the place of this one, and is looked at where this one was -------------------------------

function folds() {
  return [...document.querySelectorAll("details")].map((fold) => {
    const heading = fold.closest("figure, section")?.querySelector("h2, h3")?.textContent;
    return [`${heading} / ${fold.querySelector("summary").textContent.replace(/: \d+ rows$/, "")}`, fold];
  });
}

function keep() {
  const open = folds().filter(([, fold]) => fold.open).map(([name]) => name);
  const sliders = queries ? [moved ? queries.value : null, length.value] : [];
  sessionStorage.setItem("looked at", JSON.stringify({ open, sliders, at: window.scrollY, focus: document.activeElement?.id }));
}

function lookAgain() {
  const before = JSON.parse(sessionStorage.getItem("looked at") ?? "null");
  sessionStorage.removeItem("looked at");
  if (before === null) return;
  for (const [name, fold] of folds()) fold.open = before.open.includes(name);
  for (const [at, value] of before.sliders.entries()) {
    const slider = [queries, length][at];
    if (!slider || value === null) continue;
    slider.value = value;
    slider.dispatchEvent(new Event("input"));
  }
  if (before.focus) document.getElementById(before.focus)?.focus({ preventScroll: true });
  window.scrollTo(0, before.at);
}

if (data.live) {
  window.history.scrollRestoration = "manual";
  lookAgain();
  setInterval(async () => {
    const answer = await fetch("version", { cache: "no-store" }).catch(() => null); // gone for now: what is shown stays
    if (!answer?.ok || (await answer.text()) === data.live) return;
    keep();
    window.location.reload();
  }, 2000);
}
