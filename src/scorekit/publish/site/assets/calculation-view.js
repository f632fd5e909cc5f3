// A calculation in words and figures: the same as publish/site/calculation_view.py makes at build, letter by letter.
//
//   scorekit.calculationView.modelled(page, words, found, method, count, what)
//   scorekit.calculationView.measured(page, words, found, row, count, what, byTokens)
//
// `words` is what the page's <script id="calculator-words"> holds.
(function () {
  "use strict";
  var amounts = window.scorekit.amounts;
  var times = window.scorekit.impact.times;
  var DIGITS = 4;
  var SECONDS_PER_HOUR = 3600;

  function isExact(range) {
    return range.low === range.high;
  }

  function view(page, words, found, methodTitle, hardware, count, what, because, notes, uncertainty, edition) {
    var here = found.footprint;
    var energy = times(here.energy_wh, count);
    var told = {
      source: found.method_source,
      edition: edition,
      hardware: hardware,
      uncertainty: isExact(here.energy_wh) ? words.no_uncertainty : uncertainty,
      origin: found.origin,
      notes: [],
    };

    function shown(name, value) {
      return amounts.amount(times(value, page.shown[name].per_unit), page.shown[name].unit);
    }

    function impact(figure) {
      var unit = page.shown[figure.name];
      var factor = figure.factor_per_kwh;
      return {
        name: figure.name,
        title: figure.title,
        text: figure.value === null ? null : shown(figure.name, times(figure.value, count)),
        factor: factor === null ? null : amounts.plain(factor * unit.per_unit) + " " + unit.unit + " per kWh",
        why_none: figure.why_none,
        with_world:
          figure.with_world_factor === null ? null : shown(figure.name, times(figure.with_world_factor, count)),
        caution: figure.caution,
        told: Object.assign({}, told, {
          source: "mix " + here.mix.name + ": " + here.mix.source,
          edition: here.mix.name,
          origin: "modelled",
          notes: figure.caution === null ? [] : ["caution: " + figure.caution],
        }),
      };
    }

    return {
      energy: { text: amounts.amount(energy, "Wh", here.energy_digits || DIGITS), told: told },
      model: found.model,
      of: count === 1 ? what : amounts.count(count) + " × " + what,
      zone: here.zone_name + " (" + here.zone + ")",
      method: methodTitle,
      origin: found.origin,
      because: because,
      terms: here.terms.map(function (term) {
        return {
          title: words.terms[term.name],
          text: amounts.amount(times(term.energy_wh, count), "Wh"),
          origin: term.origin,
        };
      }),
      sum: amounts.amount(times(here.it_wh, count), "Wh"),
      pue: here.pue === null ? "not counted" : "× " + amounts.plainRange(here.pue),
      impacts: here.figures.map(impact),
      making: found.making.map(function (each) {
        var kind = page.impacts.filter(function (one) {
          return one.name === each.name;
        })[0];
        return { title: kind.title, text: shown(each.name, times(each.value, count)) };
      }),
      notes: notes.concat(commonNotes(words, found)),
      comparisons: comparisons(words, energy),
    };
  }

  function commonNotes(words, found) {
    var here = found.footprint;
    var notes = [];
    if (found.not_counted.length) {
      notes.push(
        "not counted: " +
          found.not_counted
            .map(function (name) {
              return words.terms[name];
            })
            .join(", ")
      );
    }
    if (here.pue === null) {
      notes.push("the data centre's overhead is not counted, for its PUE is not known");
    }
    var water = here.figures.filter(function (figure) {
      return figure.name === "water";
    })[0];
    if (water && water.value !== null) {
      notes.push(
        here.site_water_l_per_kwh === null
          ? "water that cools the data centre is not counted"
          : "water that cools the data centre is counted: " +
              amounts.plainRange(here.site_water_l_per_kwh) +
              " L per kWh of its computers"
      );
    }
    if (found.making.length) {
      notes.push("making the hardware is told apart and is in none of the impacts of the electricity");
    }
    return notes;
  }

  function comparisons(words, energy) {
    var lamp = times(energy, 1);
    lamp.low = (energy.low / words.lamp_w) * SECONDS_PER_HOUR;
    lamp.high = (energy.high / words.lamp_w) * SECONDS_PER_HOUR;
    return [
      {
        text: "A lamp of 10 W takes as much in " + amounts.duration(lamp) + ".",
        source: "worked out: energy over power",
        link: null,
      },
    ].concat(
      words.yardsticks.map(function (other) {
        var ratio = { low: energy.low / other.wh, high: energy.high / other.wh };
        return {
          text: other.who + "; this is " + amounts.rough(ratio, "") + " times that.",
          source: other.source,
          link: other.link,
        };
      })
    );
  }

  function modelled(page, words, found, method, model, count, what) {
    var gpus = amounts.plainRange(found.gpus);
    var notes = [
      amounts.plainRange(model.active_billion) +
        " billion active and " +
        amounts.plainRange(model.total_billion) +
        " billion parameters in all, on " +
        gpus +
        " GPU(s)",
    ];
    if (model.warnings.indexOf("model-arch-multimodal") >= 0) {
      notes.push("the model also takes other input than text, for which the method was not made");
    }
    if (method.energy_digits !== null) {
      notes.push(
        "the energy is rounded to " +
          method.energy_digits +
          " digits, as the study's table shows it, before impacts are worked out"
      );
    }
    var hardware = gpus + " GPU(s) of " + amounts.plain(method.coefficients.gpu_memory_gb) + " GB, as the method takes it";
    return view(
      page, words, found, method.title, hardware, count, what, words.because[found.origin], notes, words.uncertainty_modelled,
      method.name
    );
  }

  function measured(page, words, found, row, count, what, byTokens) {
    return view(
      page, words, found, words.measured_title, row.hardware, count, what, row.because,
      byTokens ? row.by_tokens_notes : row.notes, words.uncertainty_measured, row.edition
    );
  }

  window.scorekit.calculationView = { modelled: modelled, measured: measured };
})();
