// The leaderboard's rows: read from columns, filtered, sorted, and made into the same HTML as leaderboard_rows.html.
//
//   table.count, table.cohorts, table.kinds   rows, cohorts, and what is told of many rows alike
//   table.modelName(row), table.slug(row)     of a row's model; table.modelOfSlug(slug) finds one, or -1
//   table.rowsOfModel(model)                  its rows
//   table.select(filters, key, isDescending)  rows that fit, sorted; what is not known stands last
//   table.element(row, isChosen)              a row as HTML
//   table.update(line, row, isChosen)         makes another row of one that `element` made; false where it is none
//   table.tellAll()                           adds to the rows that were made what is told of their figures
//   table.energy(row), table.stars(row)       its energy and stars as HTML
//   table.sources(then)                       reads where figures come from, then calls
//   table.record(row)                         all that is known of a row, for downloads
(function () {
  "use strict";
  var data = scorekit.data.leaderboard;
  var board = document.getElementById("board");
  if (!data || !board) {
    return;
  }
  var origins = scorekit.read("origins");
  var root = board.dataset.root;
  var names = [];
  var providers = [];
  data.models.forEach(function (group) {
    group[1].forEach(function (name) {
      names.push(name);
      providers.push(group[0]);
    });
  });
  var count = data.wh.length;
  var model = Uint32Array.from(data.model);
  var kind = Uint16Array.from(data.kind);
  var wh = Float64Array.from(data.wh);
  var half = Float64Array.from(data.half, function (value) { return value === null ? NaN : value; });
  var stars = Uint8Array.from(data.stars, Number);
  var kinds = data.kinds;
  var cohorts = data.cohorts.map(function (one) {
    return { key: one[0], name: one[1], title: one[2], modelClass: one[3], rows: one[4], isMixed: one[5] };
  });
  var cohort = new Uint16Array(count);
  cohorts.reduce(function (first, one, place) {
    cohort.fill(place, first, first + one.rows);
    return first + one.rows;
  }, 0);

  function fullName(place) {
    return providers[place] === null ? names[place] : providers[place] + "/" + names[place];
  }

  var slugs = [];
  function slug(place) {
    if (slugs[place] === undefined) {
      slugs[place] = data.slugs[place] || scorekit.modelSlug(fullName(place));
    }
    return slugs[place];
  }

  function modelOfSlug(wanted) {
    // Most slugs begin with the name, so that few digests are worked out.
    var start = wanted.replace(/-?[0-9a-f]{16}$/, "").slice(0, 8);
    for (var place = 0; place < names.length; place += 1) {
      var own = data.slugs[place];
      var like = own === undefined && fullName(place).toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-/, "");
      if ((own || like.slice(0, start.length) === start) && slug(place) === wanted) {
        return place;
      }
    }
    return -1;
  }

  // Filters: for each thing that rows share, whether it fits.
  var texts = names.map(function (_, place) { return fullName(place).toLowerCase(); });
  var TESTS = {
    task: function (value) { return { of: cohort, fits: fitting(cohorts, function (one) { return one.name === value; }) }; },
    class: function (value) {
      return { of: cohort, fits: fitting(cohorts, function (one) { return one.modelClass === value; }) };
    },
    hardware: function (value) {
      return { of: kind, fits: fitting(kinds, function (one) { return (one.hardware || "unknown") === value; }) };
    },
    origin: function (value) { return { of: kind, fits: fitting(kinds, function (one) { return one.origin === value; }) }; },
    standing: function (value) {
      return { of: kind, fits: fitting(kinds, function (one) { return one.comparable === (value === "official"); }) };
    },
    stars: function (value) {
      return { of: stars, fits: fitting([0, 1, 2, 3, 4, 5], function (one) { return String(one) === value; }) };
    },
    q: function (value) {
      var words = value.toLowerCase().split(/\s+/).filter(Boolean);
      return {
        of: model,
        fits: fitting(texts, function (text) {
          return words.every(function (word) { return text.indexOf(word) !== -1; });
        }),
      };
    },
  };

  function fitting(values, test) {
    return Uint8Array.from(values, function (value) { return test(value) ? 1 : 0; });
  }

  function select(filters, key, isDescending) {
    var ordered = order(key, isDescending);
    var tests = Object.keys(filters)
      .filter(function (key) { return filters[key] && TESTS[key]; })
      .map(function (key) { return TESTS[key](filters[key]); });
    var found = [];
    for (var place = 0; place < count; place += 1) {
      var row = ordered[place];
      var fits = true;
      for (var at = 0; fits && at < tests.length; at += 1) {
        fits = tests[at].fits[tests[at].of[row]] === 1;
      }
      if (fits) {
        found.push(row);
      }
    }
    return found;
  }

  // Sorting: a number for each row; NaN stands last, whatever the direction.
  function ranks(values) {
    var sorted = values.filter(function (value) { return value !== null; }).sort(function (a, b) {
      return a.toLowerCase() < b.toLowerCase() ? -1 : a.toLowerCase() > b.toLowerCase() ? 1 : a < b ? -1 : 1;
    });
    return Float64Array.from(values, function (value) { return value === null ? NaN : sorted.indexOf(value); });
  }

  function through(of, values) {
    return Float64Array.from(of, function (place) { return values[place]; });
  }

  var KEYS = {
    model: function () { return model; },
    task: function () { return cohort; },
    class: function () { return through(cohort, ranks(cohorts.map(function (one) { return one.modelClass; }))); },
    energy: function () { return wh; },
    uncertainty: function () { return half; },
    stars: function () { return Float64Array.from(stars, function (value) { return value || NaN; }); },
    hardware: function () { return through(kind, ranks(kinds.map(function (one) { return one.hardware; }))); },
    edition: function () {
      // What is of no edition stands after what is, and then by its name.
      var own = kinds.map(function (one) { return (one.official ? "1" : "0") + one.edition; });
      return through(kind, ranks(own));
    },
  };
  // All rows in each order that was asked for: whatever is filtered afterwards keeps it.
  var orders = {};

  function order(key, isDescending) {
    var name = (isDescending ? "-" : "") + key;
    orders[name] = orders[name] || sorted(KEYS[key](), isDescending ? -1 : 1);
    return orders[name];
  }

  function sorted(values, sign) {
    var rows = new Uint32Array(count).map(function (_, row) { return row; });
    return rows.sort(function (a, b) {
      var first = values[a];
      var second = values[b];
      if (first === second || (first !== first && second !== second)) {
        return a - b;
      }
      if (first !== first || second !== second) {
        return first !== first ? 1 : -1;
      }
      return first < second ? -sign : sign;
    });
  }

  // Rows as HTML.
  function make(tag, attributes, children) {
    var one = document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (name) {
      if (attributes[name] !== null) {
        one.setAttribute(name, attributes[name]);
      }
    });
    (children || []).forEach(function (child) {
      if (child !== null) {
        one.append(child);
      }
    });
    return one;
  }

  function span(className, text) {
    return make("span", { class: className }, [text]);
  }

  function bdi(text) {
    return make("bdi", {}, [text]);
  }

  function percent(value) {
    return "\u00b1" + Number(value.toPrecision(3)) + "\u00a0%";
  }

  function energyElement(row) {
    var told = kinds[kind[row]];
    var source = scorekit.data.leaderboardSources;
    return scorekit.told(
      energyText(row),
      {
        source: source ? source.sources[source.source[row]] : "\u2026",
        edition: told.told,
        hardware: told.hardware,
        uncertainty: isNaN(half[row]) ? null : percent(half[row]) + " at 95\u00a0% confidence",
        origin: told.origin,
        notes: told.notes,
      },
      origins
    );
  }

  // The same without what is told of it, which comes when nobody waits: it is not seen, and half of a row's elements.
  var bare = new Map();
  function bareEnergy(row) {
    var origin = kinds[kind[row]].origin;
    var sign = span("sign origin-" + origin, origins[origin].sign);
    sign.setAttribute("aria-hidden", "true");
    var button = make("button", { class: "figure-value", type: "button" }, [
      sign,
      origin === "measured" ? null : span("for-readers", origin + ", "),
      energyText(row),
    ]);
    var figure = make("span", { class: "figure" }, [button]);
    bare.set(figure, row);
    return figure;
  }

  function energyText(row) {
    return scorekit.number(wh[row]) + "\u00a0Wh";
  }

  function tellAll() {
    bare.forEach(function (row, figure) {
      if (!figure.isConnected) {
        return;
      }
      var tip = energyElement(row).lastChild;
      figure.firstChild.setAttribute("aria-describedby", tip.id);
      figure.append(tip);
    });
    bare.clear();
  }

  function starsElement(row) {
    var count = stars[row];
    var official = kinds[kind[row]].official;
    if (!count) {
      return span("no-stars", "no star");
    }
    var signs = span("signs", "\u2605".repeat(count) + "\u2606".repeat(5 - count));
    signs.setAttribute("aria-hidden", "true");
    var words = span("for-readers", count + " of 5 stars" + (official ? "" : ", local, not official"));
    var tag = make("span", { class: "tag", "aria-hidden": "true" }, ["local"]);
    return make("span", { class: official ? "stars" : "stars local" }, [signs, words, official ? null : tag]);
  }

  // Tasks without classes have none to tell.
  function classElement(of) {
    if (of.modelClass) {
      return span("class-mark " + of.modelClass.toLowerCase(), of.modelClass);
    }
    return of.isMixed ? span("soft", "unknown") : null;
  }

  function cohortOf(row) {
    return cohorts[cohort[row]];
  }

  function toldOf(row) {
    return kinds[kind[row]];
  }

  // The cells behind the model's: `tells` gives what a cell hangs on, and `holds` its elements.
  var CELLS = [
    {
      label: "Task",
      tells: function (row) { return cohortOf(row).title; },
      holds: function (row) { return [cohortOf(row).title]; },
    },
    {
      label: "Class",
      tells: function (row) { return cohortOf(row).modelClass || cohortOf(row).isMixed; },
      holds: function (row) { return [classElement(cohortOf(row))]; },
    },
    {
      label: "Energy of 1,000 queries",
      className: "num energy",
      // Only the text of most energies is another; see changeEnergy.
      tells: function (row) { return toldOf(row).origin; },
      holds: function (row) { return [bareEnergy(row)]; },
    },
    {
      label: "Uncertainty at 95\u00a0%",
      className: "num",
      tells: function (row) { return String(half[row]); },
      holds: function (row) { return [isNaN(half[row]) ? span("soft", "unknown") : percent(half[row])]; },
    },
    {
      label: "Stars",
      className: "star-cell",
      tells: function (row) {
        return [stars[row], toldOf(row).official, toldOf(row).edition, toldOf(row).borderline].join();
      },
      holds: function (row) {
        return [
          starsElement(row),
          stars[row] && toldOf(row).official ? span("for-readers", ", edition " + toldOf(row).edition) : null,
          toldOf(row).borderline ? span("tag borderline", "\u00b1 borderline") : null,
        ];
      },
    },
    {
      label: "Hardware",
      tells: function (row) { return toldOf(row).hardware; },
      holds: function (row) { return [toldOf(row).hardware ? bdi(toldOf(row).hardware) : "unknown"]; },
    },
    {
      label: "Edition",
      tells: function (row) { return [toldOf(row).comparable, toldOf(row).edition].join(); },
      holds: function (row) {
        return [bdi(toldOf(row).edition), toldOf(row).comparable ? null : span("tag", "\u2260 not comparable")];
      },
    },
  ];
  var FIRST_CELL = 2;
  var ENERGY_CELL = 4;

  function address(place) {
    return root + "models/" + slug(place) + ".html";
  }

  function element(row, isChosen) {
    var place = model[row];
    var box = make("input", { type: "checkbox", value: slug(place), "aria-label": "Compare " + fullName(place) });
    box.checked = isChosen;
    var link = make("a", { href: address(place) }, [bdi(names[place])]);
    var line = make("tr", { role: "row", "data-row": row }, [
      make("td", { role: "cell", class: "pick" }, [make("label", {}, [box])]),
      make("th", { role: "rowheader", scope: "row", class: "model" }, [
        link,
        providers[place] ? make("span", { class: "provider" }, [bdi(providers[place])]) : null,
      ]),
    ].concat(CELLS.map(function (one) {
      return make("td", { role: "cell", class: one.className || null, "data-label": one.label }, one.holds(row));
    })));
    rowOf.set(line, row);
    return line;
  }

  // Lines that `element` made, and the row that each shows. A line that becomes another keeps every cell that is alike,
  // and of the others what it can: to lay out new elements takes most of the time of an action.
  var rowOf = new WeakMap();

  function update(line, row, isChosen) {
    if (!rowOf.has(line)) {
      return false;
    }
    var before = rowOf.get(line);
    var place = model[row];
    var box = line.querySelector("input");
    box.checked = isChosen;
    if (before === row) {
      return true;
    }
    rowOf.set(line, row);
    line.setAttribute("data-row", row);
    box.value = slug(place);
    box.setAttribute("aria-label", "Compare " + fullName(place));
    changeName(line.children[1], place);
    CELLS.forEach(function (one, number) {
      if (one.tells(row) !== one.tells(before)) {
        var held = one.holds(row).filter(function (child) { return child !== null; });
        line.children[FIRST_CELL + number].replaceChildren.apply(line.children[FIRST_CELL + number], held);
      } else if (FIRST_CELL + number === ENERGY_CELL) {
        changeEnergy(line.children[ENERGY_CELL].firstChild, row);
      }
    });
    return true;
  }

  function changeName(cell, place) {
    cell.firstChild.setAttribute("href", address(place));
    cell.firstChild.firstChild.textContent = names[place];
    var provider = cell.children[1];
    if (providers[place] && provider) {
      provider.firstChild.textContent = providers[place];
    } else if (provider) {
      provider.remove();
    } else if (providers[place]) {
      cell.append(make("span", { class: "provider" }, [bdi(providers[place])]));
    }
  }

  function changeEnergy(figure, row) {
    var button = figure.firstChild;
    button.lastChild.data = energyText(row);
    button.removeAttribute("aria-describedby");
    if (figure.children[1]) {
      figure.children[1].remove();
    }
    bare.set(figure, row);
  }

  var waiting = null;
  function sources(then) {
    if (scorekit.data.leaderboardSources) {
      then();
    } else if (waiting) {
      waiting.push(then);
    } else {
      waiting = [then];
      var script = document.createElement("script");
      script.src = board.dataset.sources;
      script.onload = script.onerror = function () {
        var calls = waiting;
        waiting = null;
        calls.forEach(function (call) { call(); });
      };
      document.head.append(script);
    }
  }

  function record(row) {
    var told = kinds[kind[row]];
    var of = cohorts[cohort[row]];
    var source = scorekit.data.leaderboardSources;
    return {
      model: fullName(model[row]),
      task: of.name,
      model_class: of.modelClass,
      wh_per_1000_queries: wh[row],
      half_width_95_percent: isNaN(half[row]) ? null : half[row],
      stars: stars[row] || null,
      official_star: told.official,
      borderline: told.borderline,
      edition: told.edition,
      comparable: told.comparable,
      hardware: told.hardware,
      origin: told.origin,
      source: source ? source.sources[source.source[row]] : null,
      result_sha256: source ? source.result[row] || null : null,
    };
  }

  function rowsOfModel(place) {
    var found = [];
    for (var row = model.indexOf(place); row !== -1; row = model.indexOf(place, row + 1)) {
      found.push(row);
    }
    return found;
  }

  window.scorekit.table = {
    count: count,
    cohorts: cohorts,
    kinds: kinds,
    sortKeys: Object.keys(KEYS),
    filters: Object.keys(TESTS),
    modelOf: function (row) { return model[row]; },
    cohortOf: function (row) { return cohort[row]; },
    kindOf: toldOf,
    whOf: function (row) { return wh[row]; },
    name: fullName,
    slug: slug,
    modelOfSlug: modelOfSlug,
    rowsOfModel: rowsOfModel,
    select: select,
    element: element,
    update: update,
    tellAll: tellAll,
    energy: energyElement,
    stars: starsElement,
    sources: sources,
    record: record,
    make: make,
  };
})();
