// Models side by side: which are chosen, and a table of their figures over tasks.
//
//   scorekit.compare.show(models, remove)   models by their places in the table; remove(model) is called by a button
(function () {
  "use strict";
  var table = scorekit.table;
  if (!table) {
    return;
  }
  var make = table.make;
  var board = document.getElementById("board");
  var panel = board.querySelector(".compare");
  var bar = board.querySelector(".compare-bar");

  function chip(model, remove) {
    var button = make("button", { type: "button", "aria-label": "Remove " + table.name(model) + " from the comparison" }, ["\u00d7"]);
    button.addEventListener("click", function () { remove(model); });
    return make("li", {}, [make("bdi", {}, [table.name(model)]), button]);
  }

  function figures(rows) {
    if (!rows.length) {
      return [make("span", { class: "soft" }, ["no figure"])];
    }
    return rows.map(function (row) {
      var told = table.kindOf(row);
      return make("div", { class: "compared-figure" }, [
        table.energy(row),
        make("div", {}, [table.stars(row)]),
        make("div", { class: "small soft" }, [
          make("bdi", {}, [told.edition]), ", ", make("bdi", {}, [told.hardware || "hardware unknown"]),
          told.comparable ? null : make("span", { class: "tag" }, ["\u2260 not comparable"]),
        ]),
      ]);
    });
  }

  function comparison(models) {
    var rows = models.map(function (model) { return table.rowsOfModel(model); });
    var cohorts = [];
    rows.forEach(function (own) {
      own.forEach(function (row) {
        if (cohorts.indexOf(table.cohortOf(row)) === -1) {
          cohorts.push(table.cohortOf(row));
        }
      });
    });
    cohorts.sort(function (a, b) { return a - b; });
    var heads = models.map(function (model) {
      return make("th", { scope: "col" }, [
        make("a", { href: board.dataset.root + "models/" + table.slug(model) + ".html" }, [make("bdi", {}, [table.name(model)])]),
      ]);
    });
    var body = cohorts.map(function (cohort) {
      var of = table.cohorts[cohort];
      var cells = rows.map(function (own) {
        return make("td", {}, figures(own.filter(function (row) { return table.cohortOf(row) === cohort; })));
      });
      var title = of.title + (of.modelClass ? ", class " + of.modelClass : "");
      return make("tr", {}, [make("th", { scope: "row" }, [title])].concat(cells));
    });
    return make("div", { class: "table-frame", tabindex: "0", role: "region", "aria-label": "Comparison" }, [
      make("table", { class: "comparison" }, [
        make("caption", {}, [
          "Energy of 1,000 queries. Compare within one row only, and official figures with official ones.",
        ]),
        make("thead", {}, [make("tr", {}, [make("th", { scope: "col" }, ["Task"])].concat(heads))]),
        make("tbody", {}, body),
      ]),
    ]);
  }

  function show(models, remove) {
    panel.hidden = bar.hidden = models.length === 0;
    document.documentElement.classList.toggle("is-comparing", models.length > 0);
    bar.querySelector(".chosen").replaceChildren.apply(
      bar.querySelector(".chosen"),
      models.map(function (model) { return chip(model, remove); })
    );
    panel.querySelector(".compared").replaceChildren.apply(
      panel.querySelector(".compared"),
      models.length ? [comparison(models)] : []
    );
    if (scorekit.compareChart) {
      scorekit.compareChart(models);
    }
  }

  board.querySelector(".show-compare").addEventListener("click", function () {
    var title = document.getElementById("compare-title");
    title.focus({ preventScroll: true });
    title.scrollIntoView({ block: "start" });
  });

  window.scorekit.compare = { show: show };
})();
