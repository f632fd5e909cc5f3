// The one global that all scripts of the site share.
//
//   scorekit.data.NAME          what a data script made known
//   scorekit.read(id)           the value of <script type="application/json" id="...">
//   scorekit.state.get()        the state in the address's hash, as a plain object of texts
//   scorekit.state.set(object)  puts it there, without a step in the history; empty values are left out
//   scorekit.download(name, type, text)  gives the reader a file
//   scorekit.csv(lines, write)  lines of values as CSV, no text of them a formula; write(number) gives a number's text
//   scorekit.isDark()           whether the dark theme is on; "scorekit:theme" on document tells a change
(function () {
  "use strict";

  function read(id) {
    var element = document.getElementById(id);
    return element ? JSON.parse(element.textContent) : null;
  }

  function get() {
    var found = {};
    new URLSearchParams(window.location.hash.replace(/^#/, "")).forEach(function (value, key) {
      found[key] = value;
    });
    return found;
  }

  function set(state) {
    var parameters = new URLSearchParams();
    Object.keys(state).sort().forEach(function (key) {
      if (state[key] !== "" && state[key] !== null && state[key] !== undefined) {
        parameters.set(key, String(state[key]));
      }
    });
    var hash = parameters.toString();
    window.history.replaceState(null, "", hash ? "#" + hash : window.location.pathname + window.location.search);
  }

  function download(name, type, text) {
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: type }));
    link.download = name;
    document.body.appendChild(link);
    link.click();
    link.remove();
    window.setTimeout(function () {
      URL.revokeObjectURL(link.href);
    }, 10000);
  }

  // As scorekit/csv_cells.py: a spreadsheet takes no text for a formula, and a number, also a negative one, is none.
  function csv(lines, write) {
    function cell(value) {
      if (value === null || value === undefined) {
        return "";
      }
      if (typeof value === "number") {
        return (write || String)(value);
      }
      var text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? "'" + value : String(value);
      return /[",\r\n]|^\s|\s$/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
    }
    return lines.map(function (line) { return line.map(cell).join(",") + "\r\n"; }).join("");
  }

  function isDark() {
    var chosen = document.documentElement.getAttribute("data-theme");
    return chosen ? chosen === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
  }

  // What is told of a figure can be sent away with Escape, and comes back with the next hover or focus.
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") {
      return;
    }
    document.querySelectorAll(".figure:hover, .figure:focus-within").forEach(function (figure) {
      figure.classList.add("dismissed");
    });
  });
  ["mouseout", "focusout"].forEach(function (kind) {
    document.addEventListener(kind, function (event) {
      var figure = event.target.closest && event.target.closest(".figure.dismissed");
      if (figure && !figure.contains(event.relatedTarget)) {
        figure.classList.remove("dismissed");
      }
    });
  });

  // A table that is wider than its frame says that it can be scrolled; base.css has the words.
  var frames = new ResizeObserver(function (entries) {
    entries.forEach(function (entry) {
      entry.target.classList.toggle("is-wider", entry.target.scrollWidth > entry.target.clientWidth + 1);
    });
  });
  document.querySelectorAll(".table-frame:not(.rows-frame)").forEach(function (frame) {
    frames.observe(frame);
  });

  window.scorekit = {
    data: {},
    read: read,
    state: { get: get, set: set },
    download: download,
    csv: csv,
    isDark: isDark,
  };
})();
