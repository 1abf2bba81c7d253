"use strict";
(async () => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const data = read("data");
  const config = read("template-config");
  const rows = (columns) => {
    const names = Object.keys(columns);
    return (columns[names[0]] || []).map((_, i) => Object.fromEntries(names.map((n) => [n, columns[n][i]])));
  };
  const fill = (node, sets) => {
    if (Array.isArray(node)) return node.map((child) => fill(child, sets));
    if (node === null || typeof node !== "object") return node;
    const filled = Object.fromEntries(Object.entries(node).map(([key, child]) => [key, fill(child, sets)]));
    if (node.name in sets && Object.keys(node).every((key) => key === "name" || key === "format")) {
      return { values: sets[node.name], ...(node.format ? { format: node.format } : {}) };
    }
    return filled;
  };
  const time = (ms) => new Date(ms).toISOString().slice(0, 16).replace("T", " ");
  const show = (value) => (value === null ? "–" : value.toLocaleString("en"));
  const table = (bins) => {
    const made = document.createElement("table");
    const line = (cells, tag) => {
      const row = made.insertRow();
      for (const cell of cells) row.appendChild(document.createElement(tag)).textContent = cell;
    };
    line(["from (UTC)", "state", "posts", "expected", "band"], "th");
    for (const b of rows(bins)) {
      line([time(b.t), b.state, show(b.posts), show(b.expected), `${show(b.low)} to ${show(b.high)}`], "td");
    }
    return made;
  };
  const draw = async (place) => {
    const sets = Object.fromEntries(
      Object.entries(data.charts[place.dataset.set]).map(([name, columns]) => [name, rows(columns)]),
    );
    sets.land = data.land;
    const kind = place.dataset.template;
    const spec = fill(read(`template-${kind}`), sets);
    if (kind === "timeline") spec.height = 44 * new Set(sets.bars.map((bar) => bar.row)).size;
    if (kind === "posts") spec.height = place.closest(".small") ? 120 : place.closest("figure ~ figure") ? 110 : 210;
    if (kind === "world") spec.height = Math.max(190, Math.min(500, Math.round(place.clientWidth * 0.46)));
    const result = await vegaEmbed(place, spec, { actions: false, ast: true, logLevel: 1, renderer: "svg", config });
    return result.view;
  };
  const choose = (view) => {
    const controls = document.querySelector(".controls");
    const pick = (id, name) => {
      const select = document.getElementById(id);
      const set = () => view.signal(name, select.value).runAsync();
      select.addEventListener("change", set);
      return set();
    };
    controls.hidden = false;
    return Promise.all([pick("map-service", "service"), pick("map-when", "when")]);
  };
  for (const details of document.querySelectorAll("details.numbers")) {
    const { set } = details.closest("figure").querySelector(".chart").dataset;
    details.addEventListener("toggle", () => details.appendChild(table(data.charts[set].bins)), { once: true });
  }
  for (const place of document.querySelectorAll(".chart")) {
    try {
      const view = await draw(place);
      if (place.dataset.template === "world") await choose(view);
    } catch (error) {
      place.textContent = "This chart could not be drawn; its numbers are in the tables.";
      console.error(error);
    }
  }
  document.documentElement.dataset.drawn = "yes";
})();
