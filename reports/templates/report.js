"use strict";
(() => {
  let data = {};
  const tip = document.querySelector(".tip");
  const SVG = "http://www.w3.org/2000/svg";
  const REACH = 26; // pixels of the drawing within which a point is meant

  // Points of a drawing: their paths start with "M x y", in the order of data-trials.
  function pointsOf(svg) {
    return [...svg.querySelectorAll("g.points[data-trials]")].flatMap((group) => {
      const places = [...group.querySelectorAll("path")].flatMap((path) => path.getAttribute("d").split("M").slice(1));
      return group.dataset.trials.split(" ").map((trial, i) => {
        const [x, y] = places[i].match(/-?[\d.]+/g).map(Number);
        return { trial, x, y, group };
      });
    });
  }

  // The script shows its own description, so the browser's would come on top of it.
  function takeOverTitles(svg) {
    const title = svg.querySelector(":scope > title");
    svg.setAttribute("aria-label", title.textContent);
    svg.removeAttribute("aria-labelledby");
    title.remove();
    if (isTrials(svg)) svg.querySelectorAll(".points title").forEach((one) => one.remove());
  }

  const isTrials = (svg) => svg.dataset.hover === "trials";

  const isOut = (point) => point.group.classList.contains("out");

  const nameOf = (trial) => data.headings?.[trial] ?? `trial ${trial}`;

  function describe(trial) {
    const values = data.trials[trial];
    return data.names.map((name, i) => [name, values[i]]);
  }

  function showTip(svg, point) {
    const heading = document.createElement("b");
    heading.textContent = nameOf(point.trial) + (data.front.map(String).includes(point.trial) ? " · on the front" : "");
    const list = document.createElement("dl");
    for (const [name, value] of describe(point.trial)) {
      const term = document.createElement("dt"), text = document.createElement("dd");
      term.textContent = name;
      text.textContent = value;
      list.append(term, text);
    }
    tip.replaceChildren(heading, list);
    tip.hidden = false;
    const at = new DOMPoint(point.x, point.y).matrixTransform(svg.getScreenCTM());
    const width = tip.offsetWidth, room = document.documentElement.clientWidth - 12;
    const left = at.x + 18 + width > room ? at.x - 18 - width : at.x + 18;
    tip.style.left = `${Math.max(8, left) + scrollX}px`;
    tip.style.top = `${at.y + scrollY - tip.offsetHeight / 2}px`;
  }

  function ring(svg, point) {
    svg.querySelector(".cursor")?.remove();
    if (!point) return;
    const circle = document.createElementNS(SVG, "circle");
    for (const [key, value] of [["class", "cursor"], ["cx", point.x], ["cy", point.y], ["r", 9]]) circle.setAttribute(key, value);
    svg.append(circle);
  }

  function openRow(trial) {
    const row = ["front", "tradeoff-row", "fronts-row"].map((place) => document.getElementById(`${place}-${trial}`)).find(Boolean);
    if (!row) {
      if (data.page) location.assign(data.page.replace("NUMBER", trial));
      return;
    }
    const details = row.closest("details");
    if (details) details.open = true;
    document.querySelectorAll("tr.found").forEach((one) => one.classList.remove("found"));
    row.classList.add("found");
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "center" });
    choose(trial);
  }

  function choose(trial) {
    if (!document.getElementById(`view-${trial}`)) return false;
    document.querySelectorAll(".view").forEach((view) => { view.hidden = view.id !== `view-${trial}`; });
    document.getElementById("configuration").value = trial;
    return true;
  }

  function hoverable(svg) {
    const points = pointsOf(svg);
    if (!points.length) return;
    const nearest = (event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      let best = null, reach = REACH ** 2;
      for (const point of points) {
        if (isOut(point)) continue;
        const distance = (point.x - at.x) ** 2 + (point.y - at.y) ** 2;
        if (distance < reach) [best, reach] = [point, distance];
      }
      return best;
    };
    const leave = () => { tip.hidden = true; ring(svg, null); };
    svg.addEventListener("pointermove", (event) => {
      const point = nearest(event);
      if (!point) return leave();
      ring(svg, point);
      showTip(svg, point);
    });
    svg.addEventListener("pointerleave", leave);
    svg.addEventListener("click", (event) => { const point = nearest(event); if (point) openRow(point.trial); });
  }

  // Arrow keys walk along the front of a drawing, Enter opens the row, Escape leaves.
  function walkable(plot) {
    const svg = plot.querySelector("svg"), fronts = [...svg.querySelectorAll("g.points[id*='-front']")];
    if (!fronts.length) return;
    const all = pointsOf(svg).filter((point) => fronts.includes(point.group));
    let points = all;
    const readout = plot.parentElement.querySelector(".readout");
    let at = -1;
    plot.tabIndex = 0;
    plot.setAttribute("role", "application");
    plot.setAttribute("aria-label", "Trade-off figure. Arrow keys walk along the front, Enter opens the row, Escape leaves.");
    const moves = { ArrowRight: () => at + 1, ArrowLeft: () => at - 1, ArrowUp: () => at + 1, ArrowDown: () => at - 1, Home: () => 0, End: () => points.length - 1 };
    plot.addEventListener("keydown", (event) => {
      points = all.filter((point) => !isOut(point));
      if (!points.length) return;
      if (event.key in moves) {
        at = Math.min(points.length - 1, Math.max(0, moves[event.key]()));
        const words = describe(points[at].trial).map((pair) => pair.join(" ")).join(", ");
        readout.textContent = `${at + 1} of ${points.length} on the front: ${nameOf(points[at].trial)}, ${words}`;
        ring(svg, points[at]);
        event.preventDefault();
      } else if (event.key === "Enter" && at >= 0) {
        openRow(points[at].trial);
        event.preventDefault();
      } else if (event.key === "Escape") {
        plot.blur();
      }
    });
    plot.addEventListener("focus", () => { if (at < 0) readout.textContent = "Arrow keys walk along the front, Enter opens the row."; });
    plot.addEventListener("blur", () => { ring(svg, null); readout.textContent = ""; at = -1; });
  }

  // A drawing that is wider than its box is scrolled by keyboard too.
  function scrollable(plot) {
    if (plot.scrollWidth <= plot.clientWidth || plot.tabIndex >= 0) return;
    plot.tabIndex = 0;
    plot.setAttribute("role", "group");
    plot.setAttribute("aria-label", "Figure, wider than its box: arrow keys scroll");
  }

  // A family of the legend is a button: it takes its marks, and its rows of the tables below them, out and back in.
  function filterable(button) {
    const figure = button.closest("figure"), { family, label } = button.dataset;
    button.addEventListener("click", () => {
      const isOut = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!isOut));
      const marks = figure.querySelectorAll(`svg[role=img] :is(.${family}, .${family}-line)`);
      const rows = [...figure.querySelectorAll("tbody th")].filter((cell) => cell.dataset.v === label).map((cell) => cell.parentElement);
      [...marks, ...rows].forEach((one) => one.classList.toggle("out", isOut));
    });
  }

  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
    const value = (row, i) => row.cells[i].dataset.v ?? row.cells[i].textContent.trim();
    heads.forEach((head, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const known = (row) => !["", "–"].includes(value(row, i));
        const isNumber = [...body.rows].filter(known).every((row) => !Number.isNaN(Number(value(row, i))));
        const order = (a, b) => (isNumber ? value(a, i) - value(b, i) : value(a, i).localeCompare(value(b, i)));
        const rows = [...body.rows].filter(known).sort((a, b) => (down ? order(b, a) : order(a, b)));
        body.append(...rows, ...[...body.rows].filter((row) => !known(row)));
      });
    });
  }

  function choosable() {
    const select = document.getElementById("configuration");
    if (!select) return;
    document.querySelectorAll(".scripted").forEach((part) => { part.hidden = false; });
    select.addEventListener("change", () => choose(select.value));
  }

  function printable() {
    let opened = [];
    addEventListener("beforeprint", () => {
      opened = [...document.querySelectorAll("details:not([open])")];
      opened.forEach((details) => { details.open = true; });
    });
    addEventListener("afterprint", () => opened.forEach((details) => { details.open = false; }));
  }

  // Everything in these parts of the page; a page that replaces some of them asks for those again.
  function bind(roots) {
    data = JSON.parse(document.getElementById("hover").textContent);
    const each = (selector, use) => roots.forEach((root) => root.querySelectorAll(selector).forEach(use));
    each("svg[role=img]", (svg) => {
      takeOverTitles(svg);
      if (isTrials(svg)) hoverable(svg);
    });
    each(".switchable .plot, .brushable", walkable);
    each(".plot", scrollable);
    each("button[data-family]", filterable);
    each("table.sortable", sortable);
  }

  bind([document]);
  document.addEventListener("hnet:replaced", (event) => {
    tip.hidden = true;
    bind(event.detail);
  });
  choosable();
  printable();
})();
