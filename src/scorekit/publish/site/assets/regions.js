// The regions' page: its form, its charts, its table, and the state in the address.
(function () {
  "use strict";
  var scorekit = window.scorekit;
  var amounts = scorekit.amounts;
  var form = document.getElementById("regions");
  if (!form) {
    return;
  }
  var words = scorekit.read("regions-words");
  var WH_PER_KWH = 1000;
  var MOST_BARS = 30;
  var NAMES = ["impact", "unit", "model", "mix", "zones", "sort", "down", "find", "own"];
  var first = {
    impact: words.first_impact,
    unit: "kwh",
    model: "",
    mix: words.mixes[0].name,
    zones: words.first_bars.join(","),
    sort: "",
    down: "",
    find: "",
    own: "",
  };
  var state = Object.assign({}, first);
  // Rows of the table by their zone, made once for an energy and an edition.
  var made = {};
  var madeFor = "";

  var byId = scorekit.elements.byId;
  var find = scorekit.elements.find;
  var create = scorekit.elements.create;
  var put = scorekit.elements.put;

  // What is chosen

  function kind() {
    return find(words.kinds, "name", state.impact);
  }

  function mix() {
    return find(words.mixes, "name", state.mix);
  }

  function isOfModel() {
    return state.unit === "model";
  }

  function chosenModel() {
    return isOfModel() ? find(scorekit.measured.rows() || [], "id", state.model) : null;
  }

  function kwh() {
    return chosenModel() ? chosenModel().wh / WH_PER_KWH : 1;
  }

  function ticked() {
    return state.zones.split(",");
  }

  function caution(zone, name) {
    return words.cautioned.indexOf(name) >= 0 ? zone.caution : null;
  }

  function choice(zones) {
    return {
      title: kind().title,
      unit: kind().unit,
      of: chosenModel() ? chosenModel().drawn || "1,000 queries of " + chosenModel().model : "1 kWh of electricity",
      offMap: words.off_map,
      mapZones: words.map_zones,
      impacts: zones.map(function (zone) {
        return {
          code: zone.code,
          zone: zone.name,
          value: zone[state.impact] === null ? null : zone[state.impact] * kwh(),
          why: zone.why_none[state.impact],
          caution: caution(zone, state.impact),
        };
      }),
    };
  }

  function toldOf(zone, name) {
    var model = chosenModel();
    var notes = caution(zone, name) ? ["caution: " + caution(zone, name)] : [];
    if (!model) {
      return {
        source: mix().source, edition: mix().name, hardware: words.hardware, uncertainty: words.uncertainty,
        origin: "modelled", notes: notes,
      };
    }
    return {
      source: "energy: " + model.source + "; factor: " + mix().source,
      edition: model.edition + "; mix " + mix().name,
      hardware: model.hardware,
      uncertainty: uncertainty(model),
      origin: "modelled",
      notes: ["a " + model.origin + " energy times a modelled factor"].concat(notes),
    };
  }

  function uncertainty(model) {
    var ofEnergy = model.half === null ? "unknown" : "±" + amounts.plain(amounts.rounded(model.half, 3)) + "\u00a0% at 95\u00a0% confidence";
    return "of the energy " + ofEnergy + "; of the factor " + words.uncertainty;
  }

  // What the address asks for and is not there is replaced, and said.
  function settle() {
    var lost = [];
    if (!kind()) {
      lost.push("the impact " + state.impact);
      state.impact = first.impact;
    }
    if (!mix()) {
      lost.push("the edition " + state.mix);
      state.mix = first.mix;
    }
    if (isOfModel() && !words.models) {
      lost.push("figures of models");
      state.unit = "kwh";
    }
    if (isOfModel() && !chosenModel() && scorekit.measured.rows()) {
      if (state.model) {
        lost.push("the model");
      }
      state.model = scorekit.measured.rows().length ? scorekit.measured.rows()[0].id : "";
      if (!state.model) {
        state.unit = "kwh";
      }
    }
    return lost.length ? "Not on this site, so something else is shown: " + lost.join(", ") + "." : "";
  }

  // The form

  function fillModels() {
    var all = (scorekit.measured.rows() || []).map(function (row) {
      return { key: row.id, name: row.model, group: row.task };
    });
    scorekit.elements.fillModels(all, state.model, "figures");
  }

  function fill() {
    form.querySelectorAll('input[name="impact"]').forEach(function (radio) {
      radio.checked = radio.value === state.impact;
    });
    byId("unit").value = state.unit;
    byId("mix").value = state.mix;
    byId("model-field").hidden = !isOfModel();
    fillModels();
    if (document.activeElement !== byId("find")) {
      byId("find").value = state.find;
    }
    byId("own").checked = state.own === "1";
  }

  // The charts

  function drawCharts() {
    var zones = mix().zones;
    var chosen = zones.filter(function (zone) { return ticked().indexOf(zone.code) >= 0; });
    var known = zones.filter(function (zone) { return zone[state.impact] !== null; });
    var none = "";
    if (!known.length) {
      none = "Edition " + mix().name + " has no factor of " + kind().title + ", so there is nothing to draw.";
    } else if (!chosen.length) {
      none = "No zone is ticked in the table below, so there are no bars.";
    }
    byId("regions-none").hidden = !none;
    byId("regions-none").textContent = none;
    show(words.bars_id, known.length > 0 && chosen.length > 0, scorekit.zoneCharts.bars, chosen, false);
    show(words.map_id, known.length > 0, scorekit.zoneCharts.map, zones, true);
  }

  function show(id, isShown, make, zones, isMap) {
    var figure = byId(id);
    if (!figure || !figure.matches("figure")) {
      return;
    }
    figure.hidden = !isShown;
    if (isShown) {
      scorekit.zoneCharts.show(figure, make(scorekit.charts.get(figure), choice(zones)), choice(zones), isMap);
    }
  }

  // The table

  function rowsShown() {
    var wanted = state.find.trim().toLowerCase();
    var rows = mix().zones.filter(function (zone) {
      return (
        (zone.name + " " + zone.code).toLowerCase().indexOf(wanted) >= 0 &&
        (state.own !== "1" || zone[state.impact] !== null)
      );
    });
    if (!state.sort) {
      return rows;
    }
    var sign = state.down === "1" ? -1 : 1;
    return rows.slice().sort(function (left, right) {
      if (state.sort === "name") {
        return sign * (left.name < right.name ? -1 : left.name > right.name ? 1 : 0);
      }
      var one = left[state.sort];
      var other = right[state.sort];
      // What is not known stands last in either direction.
      return one === null || other === null ? (one === null) - (other === null) : sign * (one - other);
    });
  }

  function amountText(zone, name) {
    return amounts.number(zone[name] * kwh() * words.shown[name].per_unit);
  }

  function tick(zone) {
    var label = create("label", null, "tick-label");
    var box = create("input");
    box.type = "checkbox";
    box.value = zone.code;
    label.append(box, create("span", "Bar of " + zone.name, "for-readers"));
    return label;
  }

  function tableRow(zone) {
    var row = create("tr");
    var box = create("td", null, "tick no-print");
    var head = create("th");
    head.scope = "row";
    head.append(create("bdi", zone.name), " ", create("span", zone.code, "soft small"));
    box.appendChild(tick(zone));
    row.append(box, head);
    words.kinds.forEach(function (one) {
      var cell = create("td", null, zone[one.name] === null ? "num hatched" : "num");
      if (zone[one.name] === null) {
        cell.textContent = "none";
      } else {
        cell.appendChild(scorekit.told(amountText(zone, one.name), toldOf(zone, one.name), words.origins));
      }
      row.appendChild(cell);
    });
    return row;
  }

  function offMap(zones) {
    var names = zones
      .filter(function (zone) { return words.off_map.indexOf(zone.code) >= 0; })
      .map(function (zone) { return zone.name; });
    var stand = names.length === 1 ? "1 zone is no country and stands" : names.length + " zones are no countries and stand";
    return names.length ? stand + " in this table only, not on the map: " + names.join(", ") + "." : "";
  }

  function drawTable() {
    var zones = mix().zones;
    var rows = rowsShown();
    var wanted = [state.mix, isOfModel() ? state.model : ""].join(" ");
    if (madeFor !== wanted) {
      made = {};
      madeFor = wanted;
    }
    put(
      byId("zones").tBodies[0],
      rows.map(function (zone) {
        var row = (made[zone.code] = made[zone.code] || tableRow(zone));
        row.querySelector(".tick-label input").checked = ticked().indexOf(zone.code) >= 0;
        return row;
      })
    );
    byId("zones-count").textContent =
      rows.length === zones.length
        ? amounts.count(zones.length) + " zones"
        : amounts.count(rows.length) + " of " + amounts.count(zones.length) + " zones";
    put(byId("zones-caption"), [
      "Impacts of ",
      chosenModel() ? create("bdi", "1,000 queries of " + chosenModel().model) : "one kWh",
      " by zone. Source: " + mix().source + ". Edition " + mix().name + "; uncertainty not told by the edition.",
    ]);
    byId("zones-own").textContent = words.kinds
      .map(function (one) {
        var own = zones.filter(function (zone) { return zone[one.name] !== null; }).length;
        return own + " of " + zones.length + " zones for " + one.short;
      })
      .join(", ");
    byId("zones-off").textContent = offMap(zones);
    put(
      byId("cautions"),
      zones
        .filter(function (zone) { return zone.caution; })
        .map(function (zone) { return create("li", "Caution. " + zone.name + ": " + zone.caution + "."); })
    );
    byId("zones").querySelectorAll("th[data-sort]").forEach(function (head) {
      var isSorted = head.dataset.sort === state.sort;
      head.setAttribute("aria-sort", isSorted ? (state.down === "1" ? "descending" : "ascending") : "none");
    });
  }

  function drawWords() {
    var model = chosenModel();
    byId("regions-edition").textContent = mix().name;
    byId("regions-version").textContent = mix().version;
    byId("regions-energy").hidden = !model;
    if (model) {
      put(byId("regions-energy"), [
        "1,000 queries of ",
        create("bdi", model.model),
        " (" + model.task + ") take ",
        scorekit.told(
          amounts.number(model.wh) + "\u00a0Wh",
          {
            source: model.source, edition: model.edition, hardware: model.hardware,
            uncertainty: uncertainty(model).split(";")[0], origin: model.origin, notes: [],
          },
          words.origins
        ),
        ", as scored: the data centre's overhead is not counted. Each impact is that energy times a zone's factor.",
      ]);
    }
  }

  // The state in the address

  function remember() {
    var changed = {};
    NAMES.forEach(function (name) {
      changed[name] = state[name] === first[name] || (name === "model" && !isOfModel()) ? "" : state[name];
    });
    // No zone at all is a choice too.
    if (state.zones === "") {
      changed.zones = "none";
    }
    scorekit.state.set(changed);
  }

  function fromAddress() {
    var asked = scorekit.state.get();
    NAMES.forEach(function (name) {
      state[name] = asked[name] === undefined ? first[name] : asked[name];
    });
    if (state.zones === "none") {
      state.zones = "";
    }
    return Object.keys(asked).length > 0;
  }

  // Names in it come from the address: signs that turn the direction of writing are left out.
  function hint(text) {
    byId("regions-hint").hidden = !text;
    byId("regions-hint").textContent = text.replace(/[\u202a-\u202e\u2066-\u2069]/g, "");
  }

  function withMeasured(then) {
    scorekit.measured.before(isOfModel() && words.models, words.measured_path, hint, "Figures of models", then);
  }

  function showAll(keep) {
    withMeasured(function () {
      hint(settle());
      fill();
      drawWords();
      drawTable();
      drawCharts();
      if (keep) {
        remember();
      }
    });
  }

  function sortBy(key) {
    // Figures begin with the highest, names with the first.
    var down = key === "name" ? "" : "1";
    if (state.sort !== key) {
      state.sort = key;
      state.down = down;
    } else {
      state.down = state.down === "1" ? "" : "1";
    }
    drawTable();
    remember();
  }

  function csvOf() {
    var head = ["code", "zone"].concat(words.kinds.map(function (one) { return one.name + "_" + one.unit.toLowerCase(); }));
    var of = chosenModel() ? "1,000 queries of " + chosenModel().model : "1 kWh";
    var lines = rowsShown().map(function (zone) {
      return [zone.code, zone.name].concat(
        words.kinds.map(function (one) { return zone[one.name] === null ? null : zone[one.name] * kwh(); }),
        [of, mix().name]
      );
    });
    return scorekit.csv([head.concat(["of", "mix"])].concat(lines));
  }

  form.hidden = false;
  byId("regions-find").hidden = false;
  byId("regions-bars-hint").hidden = false;
  document.querySelectorAll("#zones th.tick").forEach(function (head) { head.hidden = false; });
  byId("zones").querySelectorAll("th[data-sort]").forEach(function (head) {
    var button = create("button", null, "sort");
    button.type = "button";
    button.append.apply(button, Array.from(head.childNodes));
    head.appendChild(button);
    button.addEventListener("click", function () { sortBy(head.dataset.sort); });
  });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("change", function (event) {
    if (event.target.name) {
      state[event.target.name] = event.target.value;
      showAll(true);
    }
  });
  byId("model-filter").addEventListener("input", fillModels);
  byId("find").addEventListener("input", function (event) {
    state.find = event.target.value;
    drawTable();
    remember();
  });
  byId("own").addEventListener("change", function (event) {
    state.own = event.target.checked ? "1" : "";
    drawTable();
    remember();
  });
  byId("zones").addEventListener("change", function (event) {
    var codes = ticked().filter(function (code) { return code && code !== event.target.value; });
    if (event.target.checked && codes.length >= MOST_BARS) {
      event.target.checked = false;
      hint("At most " + MOST_BARS + " zones have bars at once; untick one first.");
      return;
    }
    hint("");
    state.zones = (event.target.checked ? codes.concat([event.target.value]) : codes).sort().join(",");
    drawCharts();
    remember();
  });
  byId("zones-csv").addEventListener("click", function () {
    scorekit.download("zones.csv", "text/csv;charset=utf-8", csvOf());
  });
  window.addEventListener("hashchange", function () {
    fromAddress();
    showAll(false);
  });
  if (fromAddress()) {
    showAll(false);
  } else {
    fill();
    drawTable();
  }
})();
