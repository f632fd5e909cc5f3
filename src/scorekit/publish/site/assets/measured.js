// Measured energies of the site, read when they are first asked for; publish/site/measured_energies.py writes them.
//
//   scorekit.measured.rows()                   one object a figure; null before they are loaded
//   scorekit.measured.before(isWanted, path, hint, what, then)   calls at once, or where they are wanted when they are
//                                              there; tells by hint(text) that `what` is being loaded, or cannot be
(function () {
  "use strict";
  var rows = null;
  var waiting = null;

  // What many figures have in common stands in the file once.
  function read() {
    var data = window.scorekit.data.measured;
    if (!rows && data) {
      rows = data.rows.map(function (row) {
        return Object.assign({}, data.shared[row.shared], row);
      });
    }
    return rows;
  }

  function load(path, then, fail) {
    if (read()) {
      then();
      return;
    }
    if (waiting) {
      waiting.push([then, fail]);
      return;
    }
    waiting = [[then, fail]];
    var script = document.createElement("script");
    script.src = path;
    ["load", "error"].forEach(function (kind) {
      script.addEventListener(kind, function () {
        var asked = waiting;
        waiting = null;
        asked.forEach(function (pair) {
          pair[kind === "load" ? 0 : 1]();
        });
      });
    });
    document.head.appendChild(script);
  }

  function before(isWanted, path, hint, what, then) {
    if (!isWanted || read()) {
      then();
      return;
    }
    hint("Loading: " + what.slice(0, 1).toLowerCase() + what.slice(1) + " …");
    load(path, then, function () {
      hint(what + " could not be loaded.");
    });
  }

  window.scorekit.measured = { before: before, rows: read };
})();
