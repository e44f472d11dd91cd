"use strict";
// Makes pictures easier to look at. Everything can be read without it.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const make = (name, attributes = {}, text = "") => {
    const element = document.createElementNS(SVG, name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text) element.textContent = text;
    return element;
  };
  const button = (text, label, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  };

  // What a message has to say, beside the pointer.
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  let hot = null;
  const cool = () => {
    if (hot) hot.classList.remove("hot");
    hot = null;
    tip.hidden = true;
  };
  const story = (group) => {
    const title = group.querySelector(":scope > title");
    if (title) {
      group.dataset.story = title.textContent;
      title.remove();
      group.setAttribute("aria-label", group.dataset.story);
    }
    return group.dataset.story;
  };
  document.addEventListener("pointermove", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const group = target && target.closest(".diagram g, .overview g");
    if (!group || !story(group)) return cool();
    if (hot !== group) {
      cool();
      hot = group;
      group.classList.add("hot");
      tip.textContent = group.dataset.story;
      tip.hidden = false;
    }
    const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
    tip.style.left = `${Math.max(8, Math.min(event.clientX + 14, room))}px`;
    tip.style.top = `${event.clientY + 18}px`;
  });
  document.addEventListener("pointerleave", cool);

  // Zoom and pan.
  const tools = (figure) => {
    const view = figure.querySelector(".view");
    const picture = view.querySelector("svg");
    const whole = picture.viewBox.baseVal;
    let scale = 1;
    const zoom = (to) => {
      const middle = (view.scrollTop + view.clientHeight / 2) / scale;
      scale = Math.min(4, Math.max(0.1, to));
      picture.setAttribute("width", whole.width * scale);
      picture.setAttribute("height", whole.height * scale);
      view.scrollTop = middle * scale - view.clientHeight / 2;
    };
    const fit = () => zoom(Math.min(1, view.clientWidth / whole.width));
    const bar = document.createElement("div");
    bar.className = "tools";
    bar.append(
      button("−", "smaller", () => zoom(scale / 1.25)),
      button("+", "larger", () => zoom(scale * 1.25)),
      button("fit", "as wide as the page", fit),
    );
    figure.prepend(bar);
    view.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "+" || event.key === "=") zoom(scale * 1.25);
      else if (event.key === "-") zoom(scale / 1.25);
      else if (event.key === "0") fit();
      else return;
      event.preventDefault();
    });
    view.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(event.deltaY < 0 ? scale * 1.1 : scale / 1.1);
    }, { passive: false });
    let held = null;
    view.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" || event.button !== 0) return;
      held = { x: event.clientX + view.scrollLeft, y: event.clientY + view.scrollTop };
      view.setPointerCapture(event.pointerId);
    });
    view.addEventListener("pointermove", (event) => {
      if (!held) return;
      view.scrollLeft = held.x - event.clientX;
      view.scrollTop = held.y - event.clientY;
    });
    for (const end of ["pointerup", "pointercancel"]) view.addEventListener(end, () => { held = null; });
  };
  document.querySelectorAll(".picture").forEach(tools);

  // A run that is too large to be drawn at once: its data, and any part of it.
  const KINDS = ["asks", "applies", "reads", "fails", "waits", "stops", "starts", "request", "ok", "told", "not done", "propagation", "has it", "catch up", "missed"];
  const [ASKS, APPLIES, READS, FAILS, WAITS, , STARTS, REQUEST, , TOLD, , PROPAGATION, , , MISSED] = KINDS.keys();
  const ROW = 46, ROWS = 200, GUTTER = 96;
  const money = (minor) => (minor % 100 === 0 ? String(minor / 100) : (minor / 100).toFixed(2));
  const change = (minor) => (minor === 0 ? "query" : minor < 0 ? `withdraw ${money(-minor)}` : `deposit ${money(minor)}`);
  const time = (us) => (us < 1e6 ? `${us / 1e3} ms` : `${Math.round(us / 1e3) / 1e3} s`);
  const unsign = (number) => (number % 2 === 0 ? number / 2 : -(number + 1) / 2);

  const unpack = async (element) => {
    const text = atob(element.textContent.trim());
    const packed = Uint8Array.from(text, (sign) => sign.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    let at = 0;
    const next = () => {
      let value = 0, factor = 1;
      for (;;) {
        const byte = bytes[at++];
        value += (byte & 0x7f) * factor;
        if (byte < 0x80) return value;
        factor *= 128;
      }
    };
    const columns = (names) => {
      const length = next(), table = { length };
      for (const name of names) table[name] = new Float64Array(length);
      return table;
    };
    const moments = new Float64Array(next());
    for (let i = 0, now = 0; i < moments.length; i++) moments[i] = now += next();
    const marks = columns(["kind", "moment", "lane", "amount"]);
    for (let i = 0, last = 0; i < marks.length; i++) {
      marks.kind[i] = bytes[at++];
      marks.moment[i] = last += unsign(next());
      marks.lane[i] = next();
      marks.amount[i] = unsign(next());
    }
    const arrows = columns(["kind", "from", "lane", "to", "end", "lost", "amount"]);
    for (let i = 0, last = 0; i < arrows.length; i++) {
      arrows.kind[i] = bytes[at++];
      arrows.from[i] = last += unsign(next());
      arrows.lane[i] = next();
      arrows.to[i] = next();
      const far = next();
      arrows.lost[i] = far % 2;
      arrows.end[i] = far < 2 ? Infinity : last + Math.floor(far / 2) - 1;
      arrows.amount[i] = arrows.kind[i] === MISSED ? next() : unsign(next());
    }
    return { lanes: element.dataset.lanes.split("|"), moments, marks, arrows };
  };

  const draw = ({ lanes, moments, marks, arrows }, first) => {
    const last = Math.min(first + ROWS, moments.length);
    const shown = [], seen = new Set();
    for (let i = 0; i < arrows.length; i++) {
      // What only passes by is not drawn: it may be nearly all.
      const begins = arrows.from[i] >= first && arrows.from[i] < last;
      if (!begins && !(arrows.end[i] >= first && arrows.end[i] < last)) continue;
      shown.push(i);
      seen.add(arrows.lane[i]).add(arrows.to[i]);
    }
    const points = [];
    for (let i = 0; i < marks.length; i++) {
      if (marks.moment[i] < first || marks.moment[i] >= last) continue;
      points.push(i);
      seen.add(marks.lane[i]);
    }
    const order = [...seen].sort((a, b) => a - b);
    const step = Math.max(132, Math.min(190, 860 / Math.max(1, order.length)));
    const x = new Map(order.map((lane, place) => [lane, GUTTER + 60 + place * step]));
    const top = 42, y = (moment) => top + 40 + (Math.min(Math.max(moment, first - 1), last) - first) * ROW;
    const width = GUTTER + 60 + (order.length - 1) * step + 240, height = y(last) + 16;
    const svg = make("svg", { class: "diagram", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `from ${time(moments[first])} to ${time(moments[last - 1])}` });
    for (const lane of order) {
      const at = x.get(lane), kind = lanes[lane].startsWith("customer") ? " cust" : "";
      svg.append(
        make("path", { d: `M${at} ${top}V${height}`, class: `lane${kind}` }),
        make("rect", { x: at - 56, y: top - 32, width: 112, height: 30, rx: 8, class: `head${kind}` }),
        make("text", { x: at, y: top - 12, class: `name${kind}` }, lanes[lane]),
      );
    }
    for (let moment = first; moment < last; moment++) {
      if (moment > first && moments[moment] === moments[moment - 1]) continue;
      svg.append(make("text", { x: GUTTER - 8, y: y(moment) + 4, class: "time" }, time(moments[moment])));
    }
    for (const i of shown) {
      const kind = arrows.kind[i], rightwards = x.get(arrows.to[i]) > x.get(arrows.lane[i]) ? 1 : -1;
      const from = [x.get(arrows.lane[i]) + 9 * rightwards, y(arrows.from[i])];
      const to = [x.get(arrows.to[i]) - (arrows.lost[i] ? step / 3 : 11) * rightwards, y(arrows.end[i])];
      const what = kind === REQUEST || kind === PROPAGATION ? change(arrows.amount[i]) : kind === TOLD ? money(arrows.amount[i]) : kind === MISSED ? `${arrows.amount[i]} writes` : KINDS[kind];
      const group = make("g");
      const end = arrows.end[i] === Infinity ? "still on its way" : `${arrows.lost[i] ? "lost" : "there"} at ${time(moments[arrows.end[i]])}`;
      group.append(
        make("title", {}, `${what}: from ${lanes[arrows.lane[i]]} to ${lanes[arrows.to[i]]}, sent at ${time(moments[arrows.from[i]])}, ${end}`),
        make("path", { d: `M${from.join(" ")}L${to.join(" ")}`, class: arrows.lost[i] ? "m open" : "m" }),
      );
      if (arrows.lost[i]) group.append(make("path", { d: `M${to[0] - 6} ${to[1] - 6}l12 12m-12 0l12 -12`, class: "cross" }));
      if (kind !== PROPAGATION && from[1] === to[1]) {
        group.append(make("text", { x: Math.min(from[0], to[0]) + 8, y: from[1] - 7, class: "label" }, what));
      }
      svg.append(group);
    }
    for (const i of points) {
      const kind = marks.kind[i], at = x.get(marks.lane[i]), down = y(marks.moment[i]);
      const kindOf = kind === READS || kind === FAILS ? "ring" : kind === ASKS ? "dot cust" : "dot";
      if (kind !== WAITS) svg.append(make("circle", { cx: at, cy: down, r: 7, class: kindOf }));
      const told = kind === ASKS ? "" : kind === APPLIES ? money(marks.amount[i]) : kind === READS ? `reads ${money(marks.amount[i])}` : kind === STARTS ? `starts with ${money(marks.amount[i])}` : KINDS[kind];
      if (!told) continue;
      svg.append(
        make("rect", { x: at + 13, y: down - 12, width: told.length * 8 + 14, height: 24, rx: 12, class: "pill" }),
        make("text", { x: at + 20, y: down + 5, class: "value" }, told),
      );
    }
    return svg;
  };

  document.querySelectorAll(".overview").forEach((overview) => {
    const section = overview.closest("section"), place = section.querySelector(".slice");
    const bars = [...overview.querySelectorAll(".bar")];
    let data = null, first = 0;
    const show = async (to) => {
      data = data || unpack(section.querySelector(".data"));
      const run = await data;
      first = Math.max(0, Math.min(to, run.moments.length - 1));
      const figure = document.createElement("figure"), view = document.createElement("div");
      figure.className = "picture";
      view.className = "view";
      view.tabIndex = 0;
      view.setAttribute("role", "region");
      view.setAttribute("aria-label", "picture");
      view.append(draw(run, first));
      figure.append(view);
      tools(figure);
      figure.querySelector(".tools").append(
        button("◀", "earlier", () => show(first - ROWS)),
        button("▶", "later", () => show(first + ROWS)),
      );
      place.replaceChildren(figure);
      place.hidden = false;
      const here = bars.findLast((bar) => Number(bar.dataset.first) <= first);
      for (const bar of bars) bar.classList.toggle("here", bar === here);
    };
    for (const bar of bars) {
      bar.setAttribute("tabindex", "0");
      bar.setAttribute("role", "button");
      bar.setAttribute("aria-label", story(bar));
      bar.addEventListener("click", () => show(Number(bar.dataset.first)));
      bar.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        show(Number(bar.dataset.first));
      });
    }
    // Nothing is unpacked before somebody looks.
    new IntersectionObserver((entries, observer) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      show(0);
    }).observe(overview);
  });
})();
