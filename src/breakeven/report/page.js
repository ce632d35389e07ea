// Draws the charts in the colours of the theme, and lets the workload be moved. Numbers and texts come as JSON.
const data = JSON.parse(document.getElementById("data").textContent);
const wantsDark = window.matchMedia("(prefers-color-scheme: dark)");
const views = new Map();

function coloured(value, dark) {
  if (typeof value === "string" && value.startsWith("\ue000")) {
    const [name, alpha = ""] = value.slice(1).split(" ");
    return data.palette[name][dark ? 1 : 0] + alpha;
  }
  if (Array.isArray(value)) return value.map((each) => coloured(each, dark));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, coloured(each, dark)]));
}

async function draw(place, dark) {
  const name = place.dataset.chart;
  views.get(name)?.finalize();
  const spec = coloured({ ...data.charts[name], config: data.config }, dark);
  const drawn = await window.breakevenEmbed(place, spec, { actions: false, renderer: "svg" });
  views.set(name, drawn.view);
}

async function drawAll(dark) {
  for (const place of document.querySelectorAll("[data-chart]")) await draw(place, dark);
  if (data.workload) await follow();
  document.documentElement.dataset.drawn = String(Number(document.documentElement.dataset.drawn ?? 0) + 1);
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
  document.getElementById("queries-said").value = `${short(count)} queries`;
  document.getElementById("length-said").value = long;
  document.getElementById("verdict-of-workload").textContent = verdict + even;
  queries.setAttribute("aria-valuetext", `${short(count)} queries`);
  length.setAttribute("aria-valuetext", long);
  for (const name of ["lifetime", "frontier"])
    await views.get(name)?.signal("queries", count).signal("length", times).runAsync();
}

if (data.workload) {
  queries.value = Math.log10(Math.max(1, data.workload.queries));
  length.value = 0;
  queries.addEventListener("input", () => { moved = true; });
  for (const slider of [queries, length]) slider.addEventListener("input", follow);
}

// -- when to draw ------------------------------------------------------------------------------------------------------

await drawAll(wantsDark.matches);
wantsDark.addEventListener("change", () => drawAll(wantsDark.matches));
window.addEventListener("beforeprint", () => drawAll(false));
window.addEventListener("afterprint", () => drawAll(wantsDark.matches));
for (const folded of document.querySelectorAll("details"))
  folded.addEventListener("toggle", () => window.dispatchEvent(new Event("resize")));

// -- live: a newer page takes the place of this one, and is looked at where this one was -------------------------------

function folds() {
  return [...document.querySelectorAll("details")].map((fold) => {
    const heading = fold.closest("figure, section")?.querySelector("h2, h3")?.textContent;
    return [`${heading} / ${fold.querySelector("summary").textContent.replace(/: \d+ rows$/, "")}`, fold];
  });
}

function keep() {
  const open = folds().filter(([, fold]) => fold.open).map(([name]) => name);
  const sliders = moved || length?.value !== "0" ? [queries?.value, length?.value] : [];
  sessionStorage.setItem("looked at", JSON.stringify({ open, sliders, at: window.scrollY, focus: document.activeElement?.id }));
}

function lookAgain() {
  const before = JSON.parse(sessionStorage.getItem("looked at") ?? "null");
  sessionStorage.removeItem("looked at");
  if (before === null) return;
  for (const [name, fold] of folds()) fold.open = before.open.includes(name);
  if (queries && before.sliders.length) {
    [queries.value, length.value] = before.sliders;
    for (const slider of [queries, length]) slider.dispatchEvent(new Event("input"));
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
