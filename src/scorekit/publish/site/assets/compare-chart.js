// The chart of compared models: the build's own specification, with the figures of the models that are chosen.
//
//   scorekit.compareChart(models)   models by their places in the table
(function () {
  "use strict";
  var table = scorekit.table;
  var figure = document.getElementById("compare-chart");
  if (!table || !figure || !scorekit.charts) {
    return;
  }
  var template = JSON.parse(JSON.stringify(scorekit.charts.get(figure)));
  var placeholders = template.spec.datasets.rows.map(function (row) { return row.series; });
  var UNIT = " Wh per 1,000 queries";
  var ROOM = 1.15;

  // Local figures stand in lanes of their own, beside no official one.
  function points(models) {
    var found = [];
    models.forEach(function (model, series) {
      table.rowsOfModel(model).forEach(function (row) {
        found.push({ row: row, series: series, record: table.record(row), lane: laneOf(row) });
      });
    });
    return found.sort(function (a, b) { return a.lane.order - b.lane.order || a.series - b.series; });
  }

  function laneOf(row) {
    var of = table.cohorts[table.cohortOf(row)];
    var isLocal = !table.kindOf(row).comparable;
    var title = of.title + (of.modelClass ? ", class " + of.modelClass : "");
    return { order: 2 * table.cohortOf(row) + (isLocal ? 1 : 0), title: isLocal ? title + " (local)" : title };
  }

  function label(lane, here, count) {
    var energies = here.map(function (point) { return point.record.wh_per_1000_queries; });
    var missing = count - new Set(here.map(function (point) { return point.series; })).size;
    if (missing) {
      return lane + " \u00b7 " + missing + " without a figure";
    }
    var ratio = Math.max.apply(null, energies) / Math.min.apply(null, energies);
    return energies.length > 1 ? lane + " \u00b7 " + scorekit.amounts.three(ratio) + " to 1" : lane;
  }

  function drawn(found, names) {
    var lanes = found.map(function (point) { return point.lane.order; }).filter(function (order, place, all) {
      return all.indexOf(order) === place;
    });
    return found.map(function (point, place) {
      var record = point.record;
      var here = found.filter(function (other) { return other.lane.order === point.lane.order; });
      var half = record.half_width_95_percent;
      return {
        model: names[point.series],
        task: point.lane.title,
        wh: record.wh_per_1000_queries,
        told: scorekit.amounts.three(record.wh_per_1000_queries),
        energy: scorekit.amounts.three(record.wh_per_1000_queries) + UNIT + (half === null ? "" : " \u00b1 " + scorekit.amounts.three(half) + " %"),
        star: record.stars === null ? "no star" : String(record.stars),
        origin: record.origin,
        hollow: record.origin !== "measured",
        hardware: record.hardware || "unknown",
        edition: record.edition,
        chosen: false,
        place: lanes.indexOf(point.lane.order),
        first: place === 0 || found[place - 1].lane.order !== point.lane.order,
        label: label(point.lane.title, here, names.length),
        series: names[point.series],
      };
    });
  }

  // A logarithmic axis from a 1, 2 or 5 to another, with ticks that can be read.
  function axis(values) {
    var low = step(Math.min.apply(null, values) / ROOM, Math.floor);
    var high = step(Math.max.apply(null, values) * ROOM, Math.ceil);
    var steps = high / low > 1600 ? [1] : high / low > 40 ? [1, 3] : [1, 2, 5];
    var ticks = [];
    for (var power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
      steps.forEach(function (one) { ticks.push(Number((one * Math.pow(10, power)).toPrecision(3))); });
    }
    return { xLow: low, xHigh: high, xTicks: ticks.filter(function (tick) { return tick >= low && tick <= high; }) };
  }

  function step(value, round) {
    var power = Math.pow(10, Math.floor(Math.log10(value)));
    var steps = [1, 2, 5, 10];
    var fitting = steps.filter(function (one) {
      return round === Math.floor ? one * power <= value : one * power >= value;
    });
    return Number(((round === Math.floor ? fitting[fitting.length - 1] : fitting[0]) * power).toPrecision(3));
  }

  function named(value, names) {
    if (Array.isArray(value)) {
      var isDomain = value.length === placeholders.length && value.every(function (one, place) {
        return one === placeholders[place];
      });
      return isDomain ? names : value.map(function (one) { return named(one, names); });
    }
    if (value && typeof value === "object") {
      return Object.keys(value).reduce(function (made, key) {
        made[key] = named(value[key], names);
        return made;
      }, {});
    }
    return value;
  }

  function shortened(name) {
    return Array.from(name).length > 48 ? Array.from(name).slice(0, 47).join("") + "\u2026" : name;
  }

  function csv(found) {
    var head = template.csv.split("\r\n")[0].split(",");
    return scorekit.csv([head].concat(found.map(function (point) {
      var record = Object.assign({}, point.record, {
        task: point.lane.title,
        energy_wh_per_1000_queries: point.record.wh_per_1000_queries,
      });
      return head.map(function (key) { return record[key]; });
    })));
  }

  function show(models) {
    if (!models.length) {
      return;
    }
    var names = models.map(function (model, place) {
      var name = shortened(table.name(model));
      var isTwice = models.some(function (other) { return other !== model && shortened(table.name(other)) === name; });
      return isTwice ? name + " (" + (place + 1) + ")" : name;
    });
    var found = points(models);
    var payload = JSON.parse(JSON.stringify(template));
    payload.spec = named(payload.spec, names);
    payload.spec.datasets = { rows: drawn(found, names) };
    var scale = axis(found.map(function (point) { return point.record.wh_per_1000_queries; }));
    payload.spec.params = Object.keys(scale).map(function (name) { return { name: name, value: scale[name] }; });
    payload.description = "Energy of " + names.join(", ") + " on their tasks, on a logarithmic axis.";
    payload.csv = csv(found);
    figure.querySelector("#compare-chart-words").textContent = payload.description + " All figures are in the table above.";
    scorekit.charts.set(figure, payload);
  }

  window.scorekit.compareChart = show;
})();
