// What the regions' two charts are drawn from, for any choice: the same as publish/charts/zone_bars.py and world.py make
// at build for the first one. A test compares both.
//
//   scorekit.zoneCharts.bars(payload, choice)   from the payload of another choice
//   scorekit.zoneCharts.map(payload, choice)
//   scorekit.zoneCharts.show(figure, payload, choice, isMap)   draws it, with its words and its table
//
// A choice is {impacts, title, unit, of, offMap, mapZones}; impacts are [{code, zone, value, why, caution}].
(function () {
  "use strict";
  var amounts = window.scorekit.amounts;
  var NO_DATA = "no data of its own";
  var CLASSES = 6;
  var MOST_NOTE = 240;
  var PREFIXES = {
    kgCO2eq: [[1, "kg CO₂e"], [1e-3, "g CO₂e"], [1e-6, "mg CO₂e"], [1e-9, "µg CO₂e"]],
    kgSbeq: [[1, "kg Sb eq"], [1e-3, "g Sb eq"], [1e-6, "mg Sb eq"], [1e-9, "µg Sb eq"], [1e-12, "ng Sb eq"]],
    MJ: [[1, "MJ"], [1e-3, "kJ"], [1e-6, "J"], [1e-9, "mJ"]],
    L: [[1, "L"], [1e-3, "mL"], [1e-6, "µL"], [1e-9, "nL"]],
  };

  function rising(values) {
    return values.slice().sort(function (left, right) {
      return left - right;
    });
  }

  function compare(left, right) {
    return left < right ? -1 : left > right ? 1 : 0;
  }

  function scaledUnit(unit, values) {
    var known = rising(values.filter(function (value) { return value > 0; }));
    var middle = known.length ? known[Math.floor(known.length / 2)] : 1;
    var prefixes = PREFIXES[unit];
    if (!prefixes) {
      return { unit: unit, factor: 1 };
    }
    var found = prefixes.filter(function (each) { return middle >= each[0]; })[0] || prefixes[prefixes.length - 1];
    return { unit: found[1], factor: 1 / found[0] };
  }

  function told(value, scaled) {
    return amounts.three(value * scaled.factor) + " " + scaled.unit;
  }

  function note(one) {
    if (one.value === null) {
      return one.why ? NO_DATA + ": " + one.why : NO_DATA;
    }
    return one.caution || "";
  }

  function drawnNote(one) {
    var text = note(one) || "none";
    return text.length <= MOST_NOTE ? text : text.slice(0, MOST_NOTE - 1) + "…";
  }

  function capital(text) {
    return text.slice(0, 1).toUpperCase() + text.slice(1);
  }

  function titleOf(choice) {
    return capital(choice.title) + ": " + choice.of;
  }

  // A number as Python's repr() and format code g write it.
  function exact(value) {
    var text = String(value);
    if (value !== 0 && Math.abs(value) < 1e-4) {
      var parts = value.toExponential().split("e");
      return parts[0] + "e-" + (Math.abs(parts[1]) < 10 ? "0" : "") + Math.abs(parts[1]);
    }
    return /[.e]/.test(text) ? text : text + ".0";
  }

  function csv(ordered) {
    var lines = ordered.map(function (one) { return [one.code, one.zone, one.value, note(one)]; });
    return scorekit.csv([["code", "zone", "value", "note"]].concat(lines), exact);
  }

  function changed(payload, facts, spec, rows) {
    var made = Object.assign({}, payload, facts);
    made.spec = Object.assign({}, spec, { datasets: Object.assign({}, payload.spec.datasets, { rows: rows }) });
    return made;
  }

  function byValue(impacts) {
    return impacts.slice().sort(function (left, right) {
      return (
        (left.value === null) - (right.value === null) ||
        (left.value || 0) - (right.value || 0) ||
        compare(left.zone, right.zone)
      );
    });
  }

  function byName(impacts) {
    return impacts.slice().sort(function (left, right) {
      return compare(left.zone, right.zone) || compare(left.code, right.code);
    });
  }

  function valuesOf(impacts) {
    return impacts
      .map(function (one) { return one.value; })
      .filter(function (value) { return value !== null; });
  }

  function bars(payload, choice) {
    var ordered = byValue(choice.impacts);
    var values = valuesOf(ordered);
    var scaled = scaledUnit(choice.unit, values);
    var title = titleOf(choice);
    var rows = ordered.map(function (one, place) {
      var sign = one.value !== null && one.caution ? "caution" : "";
      return {
        place: place,
        label: one.zone + " (" + one.code + ")" + (sign ? " · see note" : ""),
        zone: one.zone,
        value: (one.value || 0) * scaled.factor,
        told: one.value === null ? NO_DATA : told(one.value, scaled),
        note: drawnNote(one),
        sign: sign,
      };
    });
    var without = ordered.length - values.length;
    var words = title + ": no zone has data of its own.";
    if (values.length) {
      words = title + " in " + values.length + " zones, from " + told(values[0], scaled) + " in " + ordered[0].zone;
      words += " to " + told(values[values.length - 1], scaled) + " in " + ordered[values.length - 1].zone + ".";
    }
    var spec = JSON.parse(JSON.stringify(Object.assign({}, payload.spec, { datasets: {} })));
    spec.height = (payload.spec.height / payload.spec.datasets.rows.length) * rows.length;
    spec.layer.forEach(function (layer) {
      if (layer.mark.type === "bar") {
        layer.encoding.x.title = capital(choice.title) + " (" + scaled.unit + ")";
      }
    });
    return changed(
      payload,
      {
        title: title,
        subtitle: "By electricity mix, from zero." + (without ? " " + without + " without data of their own." : ""),
        description: words,
        csv: csv(ordered),
      },
      spec,
      rows
    );
  }

  function edgesOf(values) {
    var sorted = rising(values);
    var found = [];
    for (var part = 1; part < CLASSES && sorted.length; part += 1) {
      var edge = amounts.rounded(sorted[Math.floor((sorted.length * part) / CLASSES)], 2);
      if (found.indexOf(edge) < 0 && sorted[0] < edge && edge <= sorted[sorted.length - 1]) {
        found.push(edge);
      }
    }
    return rising(found);
  }

  function edgeText(edge) {
    return amounts.grouped(exact(edge).replace(/\.0$/, ""));
  }

  function titlesOf(edges) {
    if (!edges.length) {
      return ["all alike"];
    }
    var texts = edges.map(edgeText);
    var between = texts.slice(1).map(function (text, place) {
      return texts[place] + " to " + text;
    });
    return ["below " + texts[0]].concat(between, [texts[texts.length - 1] + " and more"]);
  }

  // Python rounds halves to the even number.
  function evenRound(value) {
    var whole = Math.floor(value);
    return value - whole === 0.5 ? whole + (whole % 2) : Math.round(value);
  }

  function spread(count) {
    if (count === 1) {
      return [CLASSES / 2];
    }
    return Array.from({ length: count }, function (unused, place) {
      return evenRound((place * (CLASSES - 1)) / (count - 1));
    });
  }

  function map(payload, choice) {
    var shown = byName(choice.impacts).filter(function (one) {
      return choice.offMap.indexOf(one.code) < 0;
    });
    var known = shown.filter(function (one) { return one.value !== null; });
    var scaled = scaledUnit(choice.unit, valuesOf(known));
    var edges = edgesOf(
      valuesOf(known).map(function (value) { return value * scaled.factor; })
    );
    var titles = titlesOf(edges);
    var title = titleOf(choice);
    var counted = known.length + " of " + choice.mapZones + " countries and territories have data of their own; the other " +
      (choice.mapZones - known.length) + " are hatched.";
    var rows = shown.map(function (one) {
      var place = edges.filter(function (edge) {
        return one.value !== null && one.value * scaled.factor >= edge;
      }).length;
      return {
        code: one.code,
        class: one.value === null ? NO_DATA : titles[place],
        zone: one.zone,
        told: one.value === null ? NO_DATA : told(one.value, scaled),
        note: drawnNote(one),
      };
    });
    var words = "Map of the world: " + title + ". No zone has data of its own.";
    if (known.length) {
      var order = byValue(known);
      var most = order.filter(function (one) { return one.value === order[order.length - 1].value; }).slice(-1)[0];
      words = "Map of the world: " + title + ", from " + told(order[0].value, scaled) + " in " + order[0].zone;
      words += " to " + told(most.value, scaled) + " in " + most.zone + ". " + counted;
    }
    var spec = JSON.parse(JSON.stringify(Object.assign({}, payload.spec, { datasets: {} })));
    spec.layer.forEach(function (layer) {
      var fill = layer.encoding.fill;
      var hatch = fill.scale.range[fill.scale.range.length - 1];
      fill.legend.title = scaled.unit;
      fill.scale.domain = titles.concat([NO_DATA]);
      fill.scale.range = spread(titles.length)
        .map(function (place) { return "theme:step" + (place + 1); })
        .concat([hatch]);
    });
    return changed(
      payload,
      {
        title: title,
        subtitle: "By electricity mix. " + counted,
        description: words,
        csv: csv(byName(choice.impacts)),
      },
      spec,
      rows
    );
  }

  // A cell that names its column, for on a phone each row is a card.
  function cell(text, label, className) {
    var made = document.createElement("td");
    made.setAttribute("role", "cell");
    made.dataset.label = label;
    made.className = className || "";
    made.append(text);
    return made;
  }

  // The chart with its words, its table and the names of its buttons.
  function show(figure, payload, choice, isMap) {
    var ordered = isMap ? byName(choice.impacts) : byValue(choice.impacts);
    var table = figure.querySelector(".chart-table");
    figure.querySelector(".chart-title").textContent = payload.title;
    figure.querySelector(".chart-subtitle").textContent = payload.subtitle;
    figure.querySelector("#" + figure.id + "-words").textContent =
      payload.description + " All figures are in the table below.";
    table.querySelector("summary").textContent =
      "Table of this chart (" + (ordered.length === 1 ? "1 row" : amounts.count(ordered.length) + " rows") + ")";
    table.querySelector(".table-frame").setAttribute("aria-label", "Table: " + payload.title);
    table.querySelector("caption").textContent = payload.title;
    table.querySelectorAll("thead th")[2].textContent = capital(choice.title) + " (" + choice.unit + ")";
    var labels = Array.prototype.map.call(table.querySelectorAll("thead th"), function (head) {
      return head.textContent;
    });
    var body = table.querySelector("tbody");
    body.replaceChildren.apply(
      body,
      ordered.map(function (one) {
        var row = document.createElement("tr");
        var value = "unknown";
        if (one.value !== null) {
          value = document.createElement("data");
          value.value = exact(one.value);
          value.textContent = amounts.three(one.value);
        }
        row.setAttribute("role", "row");
        row.append(
          cell(one.code, labels[0]), cell(one.zone, labels[1]), cell(value, labels[2], "num"), cell(note(one), labels[3])
        );
        return row;
      })
    );
    figure.querySelectorAll(".chart-tools button").forEach(function (button) {
      button.setAttribute("aria-label", button.textContent + ": download " + payload.title);
    });
    return window.scorekit.charts.set(figure, payload);
  }

  window.scorekit.zoneCharts = { bars: bars, map: map, show: show };
})();
