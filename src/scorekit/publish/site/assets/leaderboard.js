// The leaderboard's controls. All of their state is in the address's hash, so that a link, Back and Forward restore it.
//
//   #q=llama&task=asr&class=A&stars=5&standing=official&hardware=...&origin=measured   filters
//   &sort=-energy&page=2&compare=SLUG,SLUG
(function () {
  "use strict";
  var table = scorekit.table;
  if (!table) {
    return;
  }
  var board = document.getElementById("board");
  var PAGE_ROWS = Number(board.dataset.pageRows);
  var MOST = Number(board.dataset.most);
  var body = board.querySelector("table.rows tbody");
  var heads = Array.from(board.querySelectorAll("table.rows thead th[data-key]"));
  var controls = Array.from(board.querySelectorAll("[data-filter]"));
  var sortChoice = board.querySelector("[data-sort]");
  var pager = board.querySelector(".pager");
  var pageChoice = pager.querySelector("select");
  var steps = Array.from(pager.querySelectorAll("[data-step]"));
  var status = board.querySelector(".rows-status");
  var leftOut = board.querySelector(".left-out");
  var compareStatus = board.querySelector(".compare-status");
  var more = board.querySelector(".more-filters");
  var reset = board.querySelector(".reset");

  var state = { filters: {}, sort: "task", page: 1, compare: [] };
  var rows = [];
  var SETTLE_AFTER_MS = 100;
  var settling = 0;
  var shown = null; // what the body shows, so that it is not made again for nothing

  // The address.
  function hash() {
    var parameters = new URLSearchParams();
    table.filters.forEach(function (key) {
      if (state.filters[key]) {
        parameters.set(key, state.filters[key]);
      }
    });
    if (state.sort !== "task") {
      parameters.set("sort", state.sort);
    }
    if (state.page > 1) {
      parameters.set("page", state.page);
    }
    if (state.compare.length) {
      parameters.set("compare", state.compare.map(table.slug).join(","));
    }
    return parameters.toString();
  }

  function tell(isStep) {
    var wanted = hash();
    if (wanted === window.location.hash.slice(1)) {
      return;
    }
    var address = wanted ? "#" + wanted : window.location.pathname + window.location.search;
    window.history[isStep ? "pushState" : "replaceState"](null, "", address);
  }

  // Reads the address; what this site does not have is named and left out.
  function restore() {
    var text = window.location.hash.slice(1);
    if (text && text.indexOf("=") === -1) {
      return; // A place on the page, e.g. the skip link's.
    }
    var parameters = new URLSearchParams(text);
    var unknown = [];
    state = { filters: {}, sort: "task", page: 1, compare: [] };
    controls.forEach(function (control) {
      var key = control.dataset.filter;
      var value = parameters.get(key) || "";
      control.value = value;
      if (control.value === value) {
        state.filters[key] = value;
      } else {
        control.value = "";
        unknown.push(key + " " + value);
      }
    });
    var sort = parameters.get("sort") || "task";
    if (table.sortKeys.indexOf(sort.replace(/^-/, "")) === -1) {
      unknown.push("order " + sort);
    } else {
      state.sort = sort;
    }
    state.page = Math.max(1, parseInt(parameters.get("page") || "1", 10) || 1);
    (parameters.get("compare") || "").split(",").filter(Boolean).forEach(function (slug) {
      var model = table.modelOfSlug(slug);
      if (model === -1) {
        unknown.push("model " + slug);
      } else if (state.compare.indexOf(model) === -1 && state.compare.length < MOST) {
        state.compare.push(model);
      }
    });
    if (controls.some(function (control) { return control.closest(".more") && control.value; })) {
      showMore(true);
    }
    leftOut.hidden = unknown.length === 0;
    leftOut.textContent = unknown.length
      ? "The address asks for what is not on this site, which is left out: " + unknown.join(", ") + "."
      : "";
    showCompared();
    select();
  }

  // The table.
  function select() {
    rows = table.select(state.filters, state.sort.replace(/^-/, ""), state.sort[0] === "-");
    render();
  }

  function render() {
    var pages = Math.max(1, Math.ceil(rows.length / PAGE_ROWS));
    state.page = Math.min(state.page, pages);
    var first = (state.page - 1) * PAGE_ROWS;
    var part = rows.slice(first, first + PAGE_ROWS);
    if (shown === null || part.join() !== shown.join()) {
      showRows(part);
    }
    window.clearTimeout(settling);
    settling = window.setTimeout(settle, SETTLE_AFTER_MS);
    shown = part;
    board.querySelector(".empty").hidden = rows.length > 0;
    status.textContent = words(first, part.length, pages);
    heads.forEach(showOrder);
    sortChoice.value = state.sort;
    showPager(pages);
    reset.hidden = !Object.keys(state.filters).some(function (key) { return state.filters[key]; });
  }

  function showRows(part) {
    var lines = Array.from(body.rows);
    part.forEach(function (row, place) {
      var line = lines[place];
      var isChosen = state.compare.indexOf(table.modelOf(row)) !== -1;
      if (!line) {
        body.append(table.element(row, isChosen));
      } else if (!table.update(line, row, isChosen)) {
        line.replaceWith(table.element(row, isChosen));
      }
    });
    lines.slice(part.length).forEach(function (line) { line.remove(); });
  }

  function grouped(value) {
    return value.toLocaleString("en-US");
  }

  function words(first, count, pages) {
    if (!rows.length) {
      return "No figure fits these filters, of " + grouped(table.count) + ".";
    }
    var all = grouped(rows.length) + (rows.length === 1 ? " figure" : " figures");
    if (rows.length < table.count) {
      all += " of " + grouped(table.count);
    }
    return pages === 1 ? all : all + ", rows " + grouped(first + 1) + " to " + grouped(first + count);
  }

  function showOrder(head) {
    var isSorted = state.sort.replace(/^-/, "") === head.dataset.key;
    var isDescending = state.sort[0] === "-";
    head.querySelector(".direction").textContent = isSorted ? (isDescending ? "\u25bc" : "\u25b2") : "";
    if (isSorted) {
      head.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
    } else {
      head.removeAttribute("aria-sort");
    }
  }

  function showPager(pages) {
    pager.hidden = pages === 1;
    pageChoice.length = Math.min(pageChoice.length, pages);
    offerPages(state.page);
    pageChoice.value = String(state.page);
    pager.querySelector(".pages").textContent = "of " + pages;
    steps.forEach(function (button) {
      var target = state.page + Number(button.dataset.step);
      button.setAttribute("aria-disabled", String(target < 1 || target > pages));
    });
  }

  function offerPages(count) {
    while (pageChoice.length < count) {
      pageChoice.add(new Option(String(pageChoice.length + 1)));
    }
  }

  // What nobody sees at once, done when nobody waits, or when it is asked for.
  function settle() {
    table.tellAll();
    offerPages(Math.ceil(rows.length / PAGE_ROWS));
  }

  function turnTo(page) {
    state.page = page;
    render();
    tell(true);
    var frame = board.querySelector(".rows-frame");
    if (frame.getBoundingClientRect().top < 0) {
      frame.scrollIntoView({ block: "start" });
    }
  }

  // Comparing.
  function showCompared() {
    scorekit.compare.show(state.compare, remove);
    body.querySelectorAll("tr").forEach(function (line) {
      line.querySelector("input").checked = state.compare.indexOf(table.modelOf(Number(line.dataset.row))) !== -1;
    });
  }

  function compared(what) {
    compareStatus.classList.remove("refused");
    compareStatus.textContent = what + " " + state.compare.length + " of " + MOST + " models chosen.";
    showCompared();
    tell(true);
  }

  function remove(model) {
    state.compare = state.compare.filter(function (one) { return one !== model; });
    compared("Removed.");
    var next = board.querySelector(".chosen button") || board.querySelector(".rows-frame");
    next.focus({ preventScroll: true });
  }

  body.addEventListener("change", function (event) {
    var model = table.modelOf(Number(event.target.closest("tr").dataset.row));
    if (!event.target.checked) {
      state.compare = state.compare.filter(function (one) { return one !== model; });
      compared("Removed.");
    } else if (state.compare.length >= MOST) {
      event.target.checked = false;
      compareStatus.classList.add("refused");
      compareStatus.textContent = "Not added: " + MOST + " models are the most that can be compared. Remove one first.";
    } else {
      state.compare.push(model);
      compared("Added.");
    }
  });
  board.querySelector(".clear-compare").addEventListener("click", function () {
    state.compare = [];
    compared("Removed.");
    board.querySelector(".rows-frame").focus({ preventScroll: true });
  });

  // Where figures come from is read when the first is pointed at.
  ["mouseover", "focusin"].forEach(function (kind) {
    board.addEventListener(kind, function (event) {
      if (event.target.closest(".figure")) {
        table.tellAll();
        if (!scorekit.data.leaderboardSources) {
          table.sources(fillSources);
        }
      }
    });
  });

  function fillSources() {
    var known = scorekit.data.leaderboardSources;
    table.tellAll();
    board.querySelectorAll("tr[data-row]").forEach(function (line) {
      var place = line.querySelector(".figure-tip .tip-row bdi");
      place.textContent = known ? known.sources[known.source[Number(line.dataset.row)]] : "unknown";
    });
    showCompared();
  }

  // Downloads.
  function csv(records) {
    var columns = Object.keys(records[0] || table.record(0));
    var lines = [columns].concat(records.map(function (record) {
      return columns.map(function (column) { return record[column]; });
    }));
    return scorekit.csv(lines);
  }

  board.querySelectorAll("[data-download]").forEach(function (button) {
    button.addEventListener("click", function () {
      table.sources(function () {
        var records = rows.map(table.record);
        if (button.dataset.download === "csv") {
          scorekit.download("leaderboard.csv", "text/csv;charset=utf-8", csv(records));
        } else {
          scorekit.download("leaderboard.json", "application/json", JSON.stringify(records, null, 1) + "\n");
        }
      });
    });
  });

  // Controls.
  controls.forEach(function (control) {
    var isText = control.dataset.filter === "q";
    control.addEventListener(isText ? "input" : "change", function () {
      var isStep = !isText || !state.filters.q;
      state.filters[control.dataset.filter] = control.value;
      state.page = 1;
      select();
      tell(isStep);
    });
  });
  function showMore(isWhole) {
    more.setAttribute("aria-expanded", String(isWhole));
    more.textContent = isWhole ? "Fewer filters" : "More filters";
    more.parentElement.classList.toggle("is-whole", isWhole);
  }

  more.addEventListener("click", function () {
    showMore(more.getAttribute("aria-expanded") !== "true");
  });
  reset.addEventListener("click", function () {
    controls.forEach(function (control) { control.value = ""; });
    state.filters = {};
    state.page = 1;
    select();
    tell(true);
    controls[0].focus();
  });
  heads.forEach(function (head) {
    var key = head.dataset.key;
    var button = table.make("button", { type: "button", class: "sort" }, Array.from(head.childNodes));
    button.append(table.make("span", { class: "direction", "aria-hidden": "true" }));
    head.append(button);
    button.addEventListener("click", function () {
      sortBy(state.sort === key ? "-" + key : key);
    });
  });
  sortChoice.addEventListener("change", function () { sortBy(sortChoice.value); });

  function sortBy(sort) {
    state.sort = sort;
    state.page = 1;
    select();
    tell(true);
  }

  steps.forEach(function (button) {
    button.addEventListener("click", function () {
      if (button.getAttribute("aria-disabled") !== "true") {
        turnTo(state.page + Number(button.dataset.step));
      }
    });
  });
  ["pointerdown", "focus", "keydown"].forEach(function (kind) {
    pageChoice.addEventListener(kind, settle);
  });
  pageChoice.addEventListener("change", function () { turnTo(Number(pageChoice.value)); });

  window.addEventListener("popstate", restore);
  // The page holds the first rows already.
  shown = Array.from(body.rows, function (line) { return Number(line.dataset.row); });
  restore();
})();
