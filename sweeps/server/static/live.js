"use strict";
// Pages work without this script. It replaces the parts of a page that have changed, follows links and forms of the
// page without loading all of it again, selects by dragging over the figure, and shows times in the reader's zone.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const MIN_DRAG = 5; // pixels; less is a click
  const SAY_EVERY = 10_000, UPDATE_EVERY = 1_000; // milliseconds

  function showTimes(root) {
    root.querySelectorAll("time[datetime]").forEach((one) => {
      const moment = new Date(one.dateTime);
      one.title = `${one.dateTime} (UTC)`;
      one.textContent = moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    });
  }

  function showScripted(root) {
    root.querySelectorAll(".scripted").forEach((one) => { one.hidden = false; });
  }

  let saidAt = 0;
  function say(text) {
    if (Date.now() - saidAt < SAY_EVERY) return;
    saidAt = Date.now();
    document.getElementById("said").textContent = text;
  }

  const isEdited = (part) => part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");

  // The end of a log is shown, unless the reader has scrolled up.
  function placeInLog(root) {
    const log = root.querySelector("pre.log");
    return log && log.scrollTop + log.clientHeight < log.scrollHeight - 40 ? log.scrollTop : null;
  }

  function showLog(root, place = null) {
    const log = root.querySelector("pre.log");
    if (log) log.scrollTop = place ?? log.scrollHeight;
  }

  // Put the parts of another version of this page in place of those here that differ; one that is being edited stays,
  // unless the reader asked for the other version.
  function replaceParts(next, { parts = "[data-part]", isAsked = false } = {}) {
    const open = new Set([...document.querySelectorAll("details[open]")].map((one) => one.id || one.querySelector("summary").textContent));
    const focused = document.activeElement?.id;
    const changed = [];
    for (const part of document.querySelectorAll(parts)) {
      const other = next.getElementById(part.id);
      if (!other || (isEdited(part) && !isAsked)) continue;
      if (part.sentHTML === other.innerHTML) continue;
      part.sentHTML = other.innerHTML;
      part.className = other.className;
      const place = placeInLog(part);
      part.innerHTML = other.innerHTML;
      showLog(part, place);
      part.querySelectorAll("details").forEach((one) => {
        if (open.has(one.id || one.querySelector("summary").textContent)) one.open = true;
      });
      changed.push(part);
    }
    for (const part of changed) {
      showTimes(part);
      showScripted(part);
    }
    if (changed.length) document.dispatchEvent(new CustomEvent("hnet:replaced", { detail: changed }));
    if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus({ preventScroll: true });
    return changed.length;
  }

  // Values of forms outside the parts follow the address too.
  function replaceFields(next) {
    for (const field of document.querySelectorAll("form[data-follow] [name]")) {
      const form = field.form.getAttribute("aria-label");
      const other = [...next.querySelectorAll(`form[aria-label="${form}"] [name]`)].find((one) => one.name === field.name);
      if (other && field !== document.activeElement && field.type !== "checkbox") field.value = other.value;
    }
  }

  let asked = null;
  async function load(address, { push = false, isAsked = push, why = "" } = {}) {
    asked?.abort();
    asked = new AbortController();
    document.getElementById("main").classList.add("busy");
    try {
      const response = await fetch(address, { headers: { accept: "text/html" }, signal: asked.signal });
      const next = new DOMParser().parseFromString(await response.text(), "text/html");
      if (!response.ok || !next.querySelector("[data-part]") || next.querySelector("h1 + [role=alert]")) {
        if (push || response.status === 404) location.assign(address);
        return;
      }
      if (next.body.dataset.page !== document.body.dataset.page) { // of a study that has begun meanwhile
        location.assign(address);
        return;
      }
      if (push) history.pushState(null, "", response.url);
      document.title = next.title;
      replaceFields(next);
      const n = replaceParts(next, { isAsked });
      if (n && why) say(why);
    } catch (error) {
      if (error.name !== "AbortError" && push) location.assign(address);
    } finally {
      document.getElementById("main").classList.remove("busy");
    }
  }

  const isHere = (address) => new URL(address, location.href).pathname === location.pathname;

  function followable() {
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-follow]");
      if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || !isHere(link.href)) return;
      event.preventDefault();
      load(link.href, { push: true, why: "The page shows the new selection." });
    });
    document.addEventListener("submit", (event) => {
      if (event.target.method === "post") document.getElementById("main").classList.add("busy"); // until its answer
      const form = event.target.closest("form[data-follow]");
      if (!form || !isHere(form.action)) return;
      event.preventDefault();
      const pairs = [...new FormData(form)].filter(([, value]) => value !== "");
      load(`${form.action}${pairs.length ? "?" : ""}${new URLSearchParams(pairs)}`, { push: true, why: "The page shows the new selection." });
    });
    addEventListener("pageshow", () => document.getElementById("main").classList.remove("busy"));
    addEventListener("popstate", () => load(location.href, { isAsked: true }));
  }

  // Dragging over the figure asks the server for the condition, which is then in the address.
  function brushable(svg) {
    const [left, top, right, bottom] = svg.dataset.frame.split(" ").map(Number);
    const value = (text, share) => {
      const [kind, low, high, zero] = [text.split(" ")[0], ...text.split(" ").slice(1).map(Number)];
      if (kind === "zero-log") { // the value 0 is in the middle of a place of its own
        if (share < zero) return share < zero / 2 ? -low / 2 : low / 2;
        return low * (high / low) ** ((share - zero) / (1 - zero));
      }
      return kind === "log" ? low * (high / low) ** share : low + (high - low) * share;
    };
    // Enough digits to tell apart a thousandth of the axis, which may be short and far from 0, as of counts of weights.
    const digits = (text) => {
      const [, low, high] = text.split(" ").map(Number);
      return Math.min(10, Math.max(4, 3 + Math.ceil(Math.log10(Math.max(Math.abs(low), Math.abs(high)) / (high - low)))));
    };
    let from = null, box = null, moved = false;
    const placeOf = (event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      return { x: Math.min(right, Math.max(left, at.x)), y: Math.min(bottom, Math.max(top, at.y)) };
    };
    const end = () => { box?.remove(); from = box = null; };
    svg.addEventListener("pointerdown", (event) => {
      if (event.button || event.pointerType === "touch") return;
      from = placeOf(event);
      moved = false;
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", (event) => {
      if (!from) return;
      const to = placeOf(event);
      if (!box && Math.hypot(to.x - from.x, to.y - from.y) < MIN_DRAG) return;
      if (!box) {
        box = document.createElementNS(SVG, "rect");
        box.setAttribute("class", "brush");
        svg.append(box);
      }
      moved = true;
      for (const [key, number] of [["x", Math.min(from.x, to.x)], ["y", Math.min(from.y, to.y)], ["width", Math.abs(to.x - from.x)], ["height", Math.abs(to.y - from.y)]]) box.setAttribute(key, number);
    });
    svg.addEventListener("pointerup", (event) => {
      if (!from || !box) return end();
      const to = placeOf(event);
      const shares = {
        x0: (Math.min(from.x, to.x) - left) / (right - left), x1: (Math.max(from.x, to.x) - left) / (right - left),
        y0: (bottom - Math.max(from.y, to.y)) / (bottom - top), y1: (bottom - Math.min(from.y, to.y)) / (bottom - top),
      };
      end();
      const address = new URL(location.href);
      for (const [name, share] of Object.entries(shares)) {
        const axis = name[0] === "x" ? svg.dataset.x : svg.dataset.y, bound = value(axis, share);
        const isBelowZero = axis.startsWith("zero-log") && bound < 0; // where no value is
        const isOpen = (name.endsWith("0") && (share < 0.01 || isBelowZero)) || (name.endsWith("1") && share > 0.99);
        if (!isOpen) address.searchParams.set(name, bound.toPrecision(digits(axis)));
      }
      load(address.href, { push: true, why: "The page shows the new selection." });
    });
    svg.addEventListener("pointercancel", end);
    svg.addEventListener("click", (event) => { if (moved) event.stopImmediatePropagation(); moved = false; }, true);
    addEventListener("keydown", (event) => { if (event.key === "Escape") end(); });
  }

  function brushAll() {
    document.querySelectorAll(".brushable svg[data-frame]").forEach((svg) => {
      if (svg.isBrushed) return;
      svg.isBrushed = true;
      brushable(svg);
    });
  }

  function copyable() {
    document.addEventListener("click", async (event) => {
      const button = event.target.closest("[data-copy]");
      if (!button) return;
      const text = document.getElementById(button.dataset.copy).textContent;
      const before = button.firstChild.textContent;
      try {
        await navigator.clipboard.writeText(text);
        button.firstChild.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
        button.firstChild.textContent = "Selected";
      }
      setTimeout(() => { button.firstChild.textContent = before; }, 1500);
    });
  }

  // A hidden page holds no connection: browsers allow six to a server, over all tabs.
  function followChanges() {
    const { events, progress } = document.body.dataset;
    if (!events) return;
    let source = null, seen = null, waiting = null, updatedAt = 0;
    const update = () => {
      waiting = null;
      updatedAt = Date.now();
      load(location.href, { why: "The page was updated." });
    };
    let isAsking = false;
    // Tasks finished and the log come as a small page of their own, which disturbs no other request.
    const updateProgress = async () => {
      if (!progress || isAsking) return;
      isAsking = true;
      try {
        const response = await fetch(progress, { headers: { accept: "text/html" } });
        const next = new DOMParser().parseFromString(await response.text(), "text/html");
        if (next.body.dataset.page === "starting" && document.body.dataset.page !== "starting") return;
        if (response.ok) replaceParts(next, { parts: "[data-live]" });
      } catch {
        // The next event asks again.
      } finally {
        isAsking = false;
      }
    };
    const open = () => {
      const address = new URL(events, location.href);
      if (seen) address.searchParams.set("seen", seen);
      source = new EventSource(address);
      source.addEventListener("change", (event) => {
        seen = event.lastEventId;
        waiting ??= setTimeout(update, Math.max(0, updatedAt + UPDATE_EVERY - Date.now()));
      });
      source.addEventListener("progress", (event) => {
        seen = event.lastEventId;
        updateProgress();
      });
    };
    const close = () => { source?.close(); source = null; clearTimeout(waiting); waiting = null; };
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) close();
      else if (!source) open();
    });
    addEventListener("pagehide", close);
    addEventListener("pageshow", (event) => { if (event.persisted && !source) open(); });
    if (!document.hidden) open();
  }

  document.querySelectorAll("[data-part]").forEach((part) => { part.sentHTML = part.innerHTML; });
  showTimes(document);
  showLog(document);
  showScripted(document);
  followable();
  copyable();
  brushAll();
  document.addEventListener("hnet:replaced", brushAll);
  followChanges();
})();
