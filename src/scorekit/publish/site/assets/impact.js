// The calculator's arithmetic, without a word: docs/impact.md tells the steps. Results have the shape of scorekit's own
// `Calculation`, ranges are {low, high}, energies in Wh, impacts in kgCO2eq, MJ, kgSbeq and L.
//
//   scorekit.impact.calculate(page, method, model, tokens, zone, mix)   by a method's formula
//   scorekit.impact.measured(page, row, tokens, zone, mix, pue)         by a measured energy; tokens null for a query
//   scorekit.impact.footprint(page, terms, zone, mix, options)          from energies to impacts
(function () {
  "use strict";
  var SECONDS_PER_HOUR = 3600;
  var WH_PER_KWH = 1000;
  var ENDS = ["low", "high"];

  function ends(made) {
    return { low: made("low"), high: made("high") };
  }

  function times(range, factor) {
    return ends(function (end) {
      return range[end] * (typeof factor === "number" ? factor : factor[end]);
    });
  }

  function sum(terms) {
    return terms.reduce(
      function (total, term) {
        return { low: total.low + term.energy_wh.low, high: total.high + term.energy_wh.high };
      },
      { low: 0, high: 0 }
    );
  }

  function powerOfTwo(count) {
    var power = 1;
    while (power < count) {
      power *= 2;
    }
    return power;
  }

  // What one answer takes at one end of what is known of a model.
  function work(c, model, tokens, end) {
    var active = model.active_billion[end];
    var gpus = Math.ceil((c.memory_overhead * model.total_billion[end] * c.bits_per_parameter) / 8 / c.gpu_memory_gb);
    if (c.gpu_count_is_power_of_two) {
      gpus = powerOfTwo(gpus);
    }
    var oneGpuWh = tokens * (c.gpu_wh_per_token_and_billion * active + c.gpu_wh_per_token);
    var tokenS = c.latency_s_per_token_and_billion * active + c.latency_s_per_token;
    if (model.speed.tokens_per_s !== null) {
      tokenS = 1 / model.speed.tokens_per_s;
    }
    var latencyS = tokens * tokenS + (model.speed.first_token_s || 0);
    var servers = gpus / c.gpus_per_server;
    var share = latencyS / (c.hardware_lifetime_s * c.requests_at_once);
    var making = {};
    Object.keys(c.gpu_making).forEach(function (name) {
      making[name] = share * (servers * c.server_making[name] + gpus * c.gpu_making[name]);
    });
    return {
      gpus: gpus,
      gpuWh: gpus * oneGpuWh,
      serverWh: ((latencyS / SECONDS_PER_HOUR) * c.server_power_w * servers) / c.requests_at_once,
      making: making,
    };
  }

  function impactOf(energyWh, factor, site) {
    return ends(function (end) {
      return (energyWh[end] / WH_PER_KWH) * factor + (site === null ? 0 : site[end]);
    });
  }

  function figure(kind, energyWh, zone, world, site) {
    var factor = zone[kind.name];
    var worlds = !world || factor !== null || zone.code === world.code ? null : world[kind.name];
    var used = factor !== null ? zone : worlds !== null ? world : null;
    return {
      name: kind.name,
      title: kind.title,
      unit: kind.unit,
      value: factor === null ? null : impactOf(energyWh, factor, site),
      factor_per_kwh: factor,
      why_none: factor !== null ? null : zone.why_none[kind.name] || "not known",
      with_world_factor: worlds === null ? null : impactOf(energyWh, worlds, site),
      world_factor_per_kwh: worlds,
      caution: used && (kind.name === "pe" || kind.name === "adpe") ? used.caution : null,
    };
  }

  // `options`: pue and site_water_l_per_kwh as ranges or null, energy_digits or null.
  function footprint(page, terms, zone, mix, options) {
    var itWh = sum(terms);
    var totalWh = options.pue === null ? itWh : times(itWh, options.pue);
    if (options.energy_digits !== null) {
      totalWh = ends(function (end) {
        return window.scorekit.amounts.rounded(totalWh[end], options.energy_digits);
      });
    }
    var site = options.site_water_l_per_kwh;
    var siteL =
      site === null
        ? null
        : ends(function (end) {
            return (itWh[end] / WH_PER_KWH) * site[end];
          });
    var world = mix.zones.filter(function (each) {
      return each.code === page.world;
    })[0];
    return {
      zone: zone.code,
      zone_name: zone.name,
      mix: { name: mix.name, source: mix.source, version: mix.version },
      terms: terms,
      it_wh: itWh,
      pue: options.pue,
      site_water_l_per_kwh: site,
      energy_wh: totalWh,
      energy_digits: options.energy_digits,
      figures: page.impacts.map(function (kind) {
        return figure(kind, totalWh, zone, world, kind.name === "water" ? siteL : null);
      }),
    };
  }

  function calculate(page, method, model, tokens, zone, mix) {
    var provider = method.providers.filter(function (each) {
      return each.name === model.provider;
    })[0];
    var found = {};
    ENDS.forEach(function (end) {
      found[end] = work(method.coefficients, model, tokens, end);
    });
    var terms = [
      { name: "gpu", energy_wh: { low: found.low.gpuWh, high: found.high.gpuWh }, origin: model.origin },
      { name: "server", energy_wh: { low: found.low.serverWh, high: found.high.serverWh }, origin: model.origin },
    ];
    return {
      model: model.name,
      provider: model.provider,
      method: method.name,
      method_source: method.source,
      origin: model.origin,
      amount: tokens,
      gpus: { low: found.low.gpus, high: found.high.gpus },
      not_counted: [],
      footprint: footprint(page, terms, zone, mix, {
        pue: provider.pue,
        site_water_l_per_kwh: provider.site_water_l_per_kwh,
        energy_digits: method.energy_digits,
      }),
      making: page.impacts
        .filter(function (kind) {
          return kind.name !== "water";
        })
        .map(function (kind) {
          return {
            name: kind.name,
            unit: kind.unit,
            value: { low: found.low.making[kind.name], high: found.high.making[kind.name] },
          };
        }),
    };
  }

  function measured(page, row, tokens, zone, mix, pue) {
    var scale = tokens === null ? 1 : tokens / row.tokens;
    var terms = row.terms.map(function (each) {
      return { name: each[0], energy_wh: { low: each[1] * scale, high: each[2] * scale }, origin: each[3] };
    });
    return {
      model: row.model,
      provider: null,
      method: "measured",
      method_source: row.source,
      origin: row.origin,
      amount: tokens === null ? 1 : tokens,
      gpus: null,
      not_counted: row.not_counted,
      footprint: footprint(page, terms, zone, mix, {
        pue: pue === null ? null : { low: pue, high: pue },
        site_water_l_per_kwh: null,
        energy_digits: null,
      }),
      making: [],
    };
  }

  window.scorekit.impact = {
    calculate: calculate,
    measured: measured,
    footprint: footprint,
    times: times,
  };
})();
