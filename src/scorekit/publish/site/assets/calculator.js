// The calculator's page: its form, the state in the address, and the result on the page.
(function () {
  "use strict";
  var scorekit = window.scorekit;
  var amounts = scorekit.amounts;
  var form = document.getElementById("calculator");
  if (!form) {
    return;
  }
  var page = scorekit.data.impact;
  var words = scorekit.read("calculator-words");
  var MEASURED = "measured";
  var QUERY = "query";
  var OWN = "own";
  var MOST_TOKENS = 1000000;
  var MOST_COUNT = 1000000000;
  var MOST_PUE = 100;
  var lost = [];
  // What was asked for by the address, until there is a choice of the same name to make.
  var state = Object.assign({ count: "1", tokens: "1000", pue: "" }, words.case);

  var byId = scorekit.elements.byId;
  var find = scorekit.elements.find;
  var create = scorekit.elements.create;

  // What there is to choose

  function isMeasured() {
    return state.method === MEASURED;
  }

  function method() {
    return find(page.methods, "name", state.method);
  }

  function mix() {
    return find(page.mixes, "name", isMeasured() ? page.methods[0].mix : method().mix);
  }

  // Every model of the method: its key in the address, its name, and the group that it stands in.
  function models() {
    if (isMeasured()) {
      return (scorekit.measured.rows() || []).map(function (row) {
        return { key: row.id, name: row.model, group: row.task, row: row };
      });
    }
    return method().models.map(function (model) {
      return { key: model.provider + "/" + model.name, name: model.name, group: model.provider, model: model };
    });
  }

  function chosenModel() {
    return find(models(), "key", state.model);
  }

  function orderedZones() {
    var zones = mix().zones;
    var first = words.zones_first
      .map(function (code) {
        return find(zones, "code", code);
      })
      .filter(Boolean);
    var others = zones.filter(function (zone) {
      return first.indexOf(zone) < 0;
    });
    others.sort(function (left, right) {
      return left.name < right.name ? -1 : left.name > right.name ? 1 : 0;
    });
    return first.concat(others);
  }

  function firstOf(wanted, keys) {
    return (
      wanted.filter(function (each) {
        return keys.indexOf(each) >= 0;
      })[0] || keys[0]
    );
  }

  // Whatever is not there is replaced, and said.
  function settle() {
    if (!isMeasured() && !method()) {
      lost.push("the method " + state.method);
      state.method = words.case.method;
    }
    if (isMeasured() && !words.measured) {
      lost.push("measured energy");
      state.method = words.case.method;
    }
    var all = models();
    var keys = all.map(function (each) {
      return each.key;
    });
    if (keys.indexOf(state.model) < 0) {
      var name = String(state.model).split("/").slice(-1)[0];
      var same = find(all, "name", state.model) || find(all, "name", name);
      if (!same && keys.length) {
        lost.push("the model " + name);
      }
      state.model = same ? same.key : firstOf(words.wanted_models, keys);
    }
    var codes = mix().zones.map(function (zone) {
      return zone.code;
    });
    if (codes.indexOf(state.zone) < 0) {
      lost.push("the zone " + state.zone);
      state.zone = firstOf(words.wanted_zones, codes);
    }
    var row = isMeasured() && chosenModel() ? chosenModel().row : null;
    if (state.text === QUERY ? !row : row && row.tokens === null) {
      state.text = row ? QUERY : words.case.text;
    }
    if (state.text !== QUERY && state.text !== OWN && !find(page.texts, "name", state.text)) {
      lost.push("the text " + state.text);
      state.text = words.case.text;
    }
  }

  // The form

  function fillModels() {
    scorekit.elements.fillModels(models(), state.model, "models");
  }

  function fillTexts() {
    var select = byId("text");
    var row = isMeasured() && chosenModel() ? chosenModel().row : null;
    var query = select.querySelector('option[value="' + QUERY + '"]');
    if (row && !query) {
      query = create("option", "a query like those measured");
      query.value = QUERY;
      select.appendChild(query);
    }
    if (!row && query) {
      query.remove();
    }
    Array.from(select.options).forEach(function (option) {
      option.disabled = Boolean(row) && row.tokens === null && option.value !== QUERY;
    });
    select.value = state.text;
    byId("count-label").textContent = state.text === QUERY ? "How many queries" : "How many texts";
  }

  function fillZones() {
    byId("zone").replaceChildren.apply(
      byId("zone"),
      orderedZones().map(function (zone) {
        var option = create("option", zone.name);
        option.value = zone.code;
        option.selected = zone.code === state.zone;
        return option;
      })
    );
  }

  function fill() {
    form.querySelectorAll('input[name="method"]').forEach(function (radio) {
      radio.checked = radio.value === state.method;
    });
    fillModels();
    fillTexts();
    fillZones();
    byId("tokens-field").hidden = state.text !== OWN;
    byId("pue-field").hidden = !isMeasured();
    ["tokens", "count", "pue"].forEach(function (name) {
      if (document.activeElement !== byId(name)) {
        byId(name).value = state[name];
      }
    });
  }

  // Numbers that were typed

  function whole(text, most) {
    var value = Number(text);
    return /^\d+$/.test(String(text).trim()) && value >= 1 && value <= most ? value : null;
  }

  function fault() {
    if (whole(state.count, MOST_COUNT) === null) {
      return "How many: expected a whole number from 1 to " + amounts.count(MOST_COUNT) + ".";
    }
    if (state.text === OWN && whole(state.tokens, MOST_TOKENS) === null) {
      return "Output tokens: expected a whole number from 1 to " + amounts.count(MOST_TOKENS) + ".";
    }
    var pue = Number(state.pue);
    if (isMeasured() && state.pue !== "" && !(pue >= 1 && pue <= MOST_PUE)) {
      return "PUE: expected a number from 1 to " + MOST_PUE + ", or nothing where it is not known.";
    }
    return null;
  }

  // The result

  function toldTokens(tokens) {
    return amounts.count(tokens) + " output token" + (tokens === 1 ? "" : "s");
  }

  function result() {
    var chosen = chosenModel();
    var text = find(page.texts, "name", state.text);
    var count = whole(state.count, MOST_COUNT);
    var tokens = text ? text.tokens : state.text === OWN ? whole(state.tokens, MOST_TOKENS) : null;
    var what =
      tokens === null
        ? "a query like those measured (" + chosen.group + ")"
        : (text ? text.title : "an answer") + " (" + toldTokens(tokens) + ")";
    var zone = find(mix().zones, "code", state.zone);
    if (isMeasured()) {
      var pue = state.pue === "" ? null : Number(state.pue);
      var own = scorekit.impact.measured(page, chosen.row, tokens, zone, mix(), pue);
      return scorekit.calculationView.measured(page, words, own, chosen.row, count, what, tokens !== null);
    }
    var found = scorekit.impact.calculate(page, method(), chosen.model, tokens, zone, mix());
    return scorekit.calculationView.modelled(page, words, found, method(), chosen.model, count, what);
  }

  // What the other methods on the site make of the same answer.
  function others() {
    var text = find(page.texts, "name", state.text);
    var tokens = text ? text.tokens : whole(state.tokens, MOST_TOKENS);
    if (isMeasured() || state.text === QUERY) {
      return [];
    }
    return page.methods
      .map(function (each) {
        var same = each.models.filter(function (model) {
          return model.provider + "/" + model.name === state.model;
        })[0];
        if (each.name === state.method || !same) {
          return null;
        }
        var ofMethod = find(page.mixes, "name", each.mix);
        var found = scorekit.impact.calculate(page, each, same, tokens, ofMethod.zones[0], ofMethod);
        var wh = scorekit.impact.times(found.footprint.energy_wh, whole(state.count, MOST_COUNT));
        return { title: each.title, text: amounts.amount(wh, "Wh", each.energy_digits || undefined) };
      })
      .filter(Boolean);
  }

  // On a phone each row is a card of labelled values; roles keep it a table for screen readers.
  function withRole(element, role) {
    element.setAttribute("role", role);
    return element;
  }

  function tableRow(head, cells) {
    var row = withRole(create("tr"), "row");
    var name = withRole(create("th", head), "rowheader");
    name.scope = "row";
    row.appendChild(name);
    cells.forEach(function (cell) {
      var made = withRole(create("td", null, cell.number ? "num" : ""), "cell");
      made.dataset.label = cell.label;
      made.append(cell.content);
      row.appendChild(made);
    });
    return row;
  }

  function impactRows(impact) {
    var amount =
      impact.text === null
        ? create("span", "no own data", "no-data")
        : scorekit.told(impact.text, impact.told, words.origins);
    var rows = [
      tableRow(impact.title, [
        { label: "Amount", content: amount, number: true },
        { label: "Factor", content: impact.factor || "none", number: true },
      ]),
    ];
    var remark = "";
    if (impact.text === null) {
      remark = impact.why_none + ".";
      if (impact.with_world) {
        remark += " With the world's factor it would be " + impact.with_world + ", which is no figure of this zone.";
      }
    }
    if (impact.caution) {
      remark += " Caution: " + impact.caution + ".";
    }
    if (remark) {
      var line = withRole(create("tr", null, "remark"), "row");
      var cell = withRole(create("td", remark.trim(), "long"), "cell");
      cell.colSpan = 3;
      line.appendChild(cell);
      rows.push(line);
    }
    return rows;
  }

  function put(id, children) {
    var element = byId(id);
    element.replaceChildren.apply(element, children);
  }

  function comparison(one) {
    var item = create("li", one.text + " ");
    var source = create("span", "Source: ", "soft small");
    if (one.link) {
      var link = create("a", one.source);
      link.href = one.link;
      link.rel = "noreferrer";
      source.appendChild(link);
    } else {
      source.append(one.source);
    }
    item.appendChild(source);
    return item;
  }

  function draw(view) {
    put("result-energy", [scorekit.told(view.energy.text, view.energy.told, words.origins)]);
    put("result-of", [
      create("bdi", view.model),
      ", " + view.of + ", electricity of " + view.zone + ", method: " + view.method + ".",
    ]);
    put("result-because", [scorekit.origin(view.origin, words.origins), ": " + view.because + "."]);
    put("result-impacts", [].concat.apply([], view.impacts.map(impactRows)));
    put(
      "result-terms",
      view.terms.map(function (term) {
        return tableRow(term.title, [
          { label: "Energy", content: term.text, number: true },
          { label: "How it is known", content: scorekit.origin(term.origin, words.origins) },
        ]);
      })
    );
    byId("result-sum").textContent = view.sum;
    byId("result-pue").textContent = view.pue;
    byId("result-total").textContent = view.energy.text;
    put("result-total-origin", [scorekit.origin(view.origin, words.origins)]);
    byId("result-making-part").hidden = view.making.length === 0;
    put(
      "result-making",
      view.making.map(function (made) {
        return tableRow(made.title, [{ label: "Amount", content: made.text, number: true }]);
      })
    );
    var same = others().map(function (one) {
      return create("li", one.title + ": " + one.text);
    });
    put("result-others", same.length ? same : [create("li", "No other edition on this site knows this model.")]);
    put("result-comparisons", view.comparisons.map(comparison));
    put(
      "result-notes",
      view.notes.map(function (note) {
        return create("li", note);
      })
    );
    byId("result-method-source").textContent = view.energy.told.source;
    byId("result-mix-source").textContent = view.impacts[0].told.source;
  }

  // Names in it come from the address: signs that turn the direction of writing are left out.
  function hint(text) {
    byId("result-hint").hidden = !text;
    byId("result-hint").textContent = text.replace(/[\u202a-\u202e\u2066-\u2069]/g, "");
  }

  // The state in the address

  function remember() {
    scorekit.state.set({
      method: state.method,
      model: state.model,
      text: state.text,
      tokens: state.text === OWN ? state.tokens : "",
      count: state.count === "1" ? "" : state.count,
      zone: state.zone,
      pue: isMeasured() ? state.pue : "",
    });
  }

  function fromAddress() {
    var asked = scorekit.state.get();
    ["method", "model", "text", "tokens", "count", "zone", "pue"].forEach(function (name) {
      if (asked[name] !== undefined) {
        state[name] = asked[name];
      }
    });
    return Object.keys(asked).length > 0;
  }

  function withMeasured(then) {
    scorekit.measured.before(isMeasured() && words.measured, words.measured_path, hint, "What was measured", then);
  }

  function show(keep) {
    withMeasured(function () {
      lost = [];
      settle();
      fill();
      var wrong = fault();
      byId("calculator-fault").hidden = !wrong;
      byId("calculator-fault").textContent = wrong || "";
      if (wrong) {
        hint("Below stands the last result that could be worked out.");
        return;
      }
      hint(lost.length ? "Not there in this edition, so something else is shown: " + lost.join(", ") + "." : "");
      draw(result());
      byId("copied").textContent = "";
      byId("link-field").hidden = true;
      if (keep) {
        remember();
      }
    });
  }

  function copy() {
    remember();
    function told() {
      byId("copied").textContent = "Link copied.";
    }
    function byHand() {
      byId("link-field").hidden = false;
      byId("link").value = window.location.href;
      byId("link").focus();
      byId("link").select();
      byId("copied").textContent = "Copy the link below.";
    }
    if (navigator.clipboard && navigator.clipboard.writeText) {
      navigator.clipboard.writeText(window.location.href).then(told, byHand);
    } else {
      byHand();
    }
  }

  form.hidden = false;
  form.addEventListener("submit", function (event) {
    event.preventDefault();
  });
  form.addEventListener("change", function (event) {
    var name = event.target.name;
    if (name) {
      state[name] = event.target.value;
      show(true);
    }
  });
  form.addEventListener("input", function (event) {
    if (event.target.id === "model-filter") {
      fillModels();
    } else if (event.target.type === "number") {
      state[event.target.name] = event.target.value;
      show(true);
    }
  });
  byId("copy-link").addEventListener("click", copy);
  window.addEventListener("hashchange", function () {
    fromAddress();
    show(false);
  });
  if (fromAddress()) {
    show(false);
  } else {
    fill();
    draw(result());
  }
})();
