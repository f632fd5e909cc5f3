// Draws the charts of a page, each when it comes near, and gives them away as PNG, SVG and CSV.
//
//   scorekit.charts.get(figure)           what a figure.chart is drawn from
//   scorekit.charts.set(figure, payload)  draws it from something else, of the same form
//   scorekit.charts.find(root)            takes up the charts that a script has added to the page
//
// "scorekit:chart" on the figure tells that it was drawn. Vega runs on its interpreter, and makes no function of text.
(function () {
  "use strict";
  var scorekit = (window.scorekit = window.scorekit || {});
  scorekit.data = scorekit.data || {};
  var here = document.currentScript.src;
  var RUNTIME = "chart-runtime.js";
  var FILES = { world: "chart-world.js" };
  var FONT = "chart-font.js";
  var NEAR = "400px";
  var AROUND_PX = 56;
  var PICTURE_PX = 800;
  var PIXELS = 2;
  var charts = new Map();
  var loading = {};
  var tip = null;

  // One script of the site, once.
  function load(name) {
    loading[name] =
      loading[name] ||
      new Promise(function (resolve, reject) {
        var script = document.createElement("script");
        script.src = new URL(name, here).href;
        script.onload = resolve;
        script.onerror = function () {
          delete loading[name];
          reject(new Error(name + " is missing"));
        };
        document.head.appendChild(script);
      });
    return loading[name];
  }

  function loadFor(payload) {
    var files = payload.needs.map(function (need) {
      return load(FILES[need]);
    });
    return Promise.all([load(RUNTIME)].concat(files));
  }

  function lookName() {
    if (window.matchMedia("print").matches) {
      return "light";
    }
    if (scorekit.isDark) {
      return scorekit.isDark() ? "dark" : "light";
    }
    var chosen = document.documentElement.getAttribute("data-theme");
    return chosen || (window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  }

  // Where a specification holds names of strangers, which are never taken for a colour's.
  var NAMES = ["datasets", "domain", "sort"];

  // The specification with a look's colours in the place of their names.
  function coloured(value, colours, named) {
    if (typeof value === "string") {
      return value.indexOf(named) === 0 ? colours[value.slice(named.length)] || value : value;
    }
    if (Array.isArray(value)) {
      return value.map(function (item) {
        return coloured(item, colours, named);
      });
    }
    if (value && typeof value === "object") {
      var made = {};
      Object.keys(value).forEach(function (key) {
        made[key] = NAMES.indexOf(key) >= 0 ? value[key] : coloured(value[key], colours, named);
      });
      return made;
    }
    return value;
  }

  function specOf(payload, look, width) {
    var looks = scorekit.data.chartLooks;
    var spec = coloured(payload.spec, looks.looks[look], looks.named);
    spec.datasets = Object.assign({}, spec.datasets);
    if (payload.needs.indexOf("world") >= 0) {
      scorekit.data.chartWorldNames.forEach(function (name) {
        spec.datasets[name] = scorekit.data.chartWorld;
      });
    }
    spec.width = Math.max(200, Math.floor(width));
    if (payload.lane) {
      var places = spec.datasets.rows.map(function (row) {
        return row.place;
      });
      spec.height = payload.lane * new Set(places).size;
    }
    if (payload.aspect) {
      spec.height = Math.round(spec.width * payload.aspect);
    }
    return spec;
  }

  function embed(element, spec) {
    return scorekit.vegaEmbed(element, spec, {
      mode: "vega-lite",
      renderer: "svg",
      ast: true,
      actions: false,
      defaultStyle: false,
      tooltip: tell,
      // Errors alone: layers without a mark make Vega warn of an empty extent.
      logLevel: 1,
    });
  }

  // The pattern of what has no data, in the colours of a look.
  function hatch(look) {
    var colours = scorekit.data.chartLooks.looks[look];
    var made = svgElement("pattern", {
      id: scorekit.data.chartLooks.hatch,
      width: 5,
      height: 5,
      patternUnits: "userSpaceOnUse",
      patternTransform: "rotate(45)",
    });
    made.appendChild(svgElement("rect", { width: 5, height: 5, fill: colours.background }));
    made.appendChild(svgElement("rect", { width: 1.1, height: 5, fill: colours.line }));
    return made;
  }

  function svgElement(name, attributes) {
    var made = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.keys(attributes).forEach(function (key) {
      made.setAttribute(key, attributes[key]);
    });
    return made;
  }

  function showHatch(look) {
    var holder = document.querySelector(".chart-patterns");
    if (!holder) {
      holder = svgElement("svg", { class: "chart-patterns", width: 0, height: 0, "aria-hidden": "true" });
      document.body.appendChild(holder);
    }
    holder.replaceChildren(hatch(look));
  }

  function draw(chart) {
    var turn = ++chart.turn;
    var plot = chart.plot;
    return loadFor(chart.payload)
      .then(function () {
        if (scorekit.data.chartsUndrawn) {
          throw new Error(scorekit.data.chartsUndrawn);
        }
        return document.fonts ? document.fonts.load('500 12px "Inter"').catch(function () {}) : null;
      })
      .then(function () {
        return turn === chart.turn ? drawNow(chart) : null;
      })
      .catch(function (error) {
        if (turn === chart.turn) {
          chart.status.textContent =
            scorekit.data.chartsUndrawn || "The chart cannot be drawn here; its figures are in the table.";
          chart.table.open = true;
          chart.figure.dataset.failed = "";
          if (scorekit.data.chartsUndrawn) {
            chart.figure.querySelectorAll(".chart-tools .drawn").forEach(function (button) {
              button.remove();
            });
          } else {
            console.warn("chart " + chart.figure.id + ": " + error.message);
          }
        }
      });
    // A chart that was asked for again meanwhile is drawn by the later call.
    function drawNow() {
      var look = lookName();
      var width = plot.clientWidth;
      if (!width) {
        return null;
      }
      var inside = document.createElement("div");
      showHatch(look);
      return embed(inside, specOf(chart.payload, look, width)).then(function (made) {
        if (turn !== chart.turn) {
          made.finalize();
          return;
        }
        if (chart.made) {
          chart.made.finalize();
        }
        chart.made = made;
        chart.width = width;
        chart.look = look;
        // The plot is one picture with words of its own; Vega's roles would say it twice.
        ["role", "aria-label", "aria-roledescription"].forEach(function (name) {
          inside.removeAttribute(name);
        });
        inside.querySelectorAll("svg").forEach(function (drawing) {
          drawing.setAttribute("aria-hidden", "true");
        });
        hideTip();
        plot.replaceChildren(inside);
        plot.style.minHeight = "";
        delete chart.figure.dataset.failed;
        chart.status.textContent = "";
        chart.figure.dataset.drawn = look;
        chart.figure.dispatchEvent(new CustomEvent("scorekit:chart", { bubbles: true }));
      });
    }
  }

  // What is told of the mark that is pointed at.
  function tell(handler, event, item, value) {
    if (!value || typeof value !== "object") {
      hideTip();
      return;
    }
    if (!tip) {
      tip = document.createElement("div");
      tip.className = "chart-tip";
      tip.setAttribute("role", "tooltip");
      document.body.appendChild(tip);
    }
    var list = document.createElement("dl");
    Object.keys(value).forEach(function (key) {
      if (value[key] === "" || value[key] === null) {
        return;
      }
      var title = document.createElement("dt");
      var told = document.createElement("dd");
      var name = document.createElement("bdi");
      title.textContent = key;
      name.textContent = String(value[key]);
      told.appendChild(name);
      list.append(title, told);
    });
    tip.replaceChildren(list);
    tip.hidden = false;
    var gap = 14;
    var left = Math.min(event.clientX + gap, window.innerWidth - tip.offsetWidth - 8);
    var top = event.clientY + gap;
    if (top + tip.offsetHeight > window.innerHeight - 8) {
      top = event.clientY - tip.offsetHeight - gap;
    }
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = Math.max(8, top) + "px";
  }

  function hideTip() {
    if (tip) {
      tip.hidden = true;
    }
  }

  // A picture that stands alone: with title, background, font and pattern.
  function pictureOf(chart) {
    var payload = chart.payload;
    var look = chart.look || lookName();
    return Promise.all([loadFor(payload), load(FONT)]).then(function () {
      var colours = scorekit.data.chartLooks.looks[look];
      var width = Math.max(PICTURE_PX, chart.plot.clientWidth);
      var spec = specOf(payload, look, width);
      spec.background = colours.background;
      spec.title = {
        text: wrapped(payload.title, spec.width - 2 * spec.padding, "700 16px "),
        subtitle: wrapped(payload.subtitle, spec.width - 2 * spec.padding, "500 12px "),
      };
      return embed(document.createElement("div"), spec)
        .then(function (made) {
          return made.view.toSVG().then(function (text) {
            made.finalize();
            return text;
          });
        })
        .then(function (text) {
          return alone(text, payload, look);
        });
    });
  }

  // As text: a style element in a document of the page, even one that is not shown, would break the page's policy.
  function alone(text, payload, look) {
    var opening = /<svg\b[^>]*>/.exec(text);
    var end = opening.index + opening[0].length;
    var pattern = payload.needs.indexOf("world") >= 0 ? "<defs>" + hatch(look).outerHTML + "</defs>" : "";
    var words = "<title>" + escaped(payload.title) + "</title><desc>" + escaped(payload.description) + "</desc>";
    var style = "<style>" + scorekit.data.chartFont + "</style>";
    return {
      text: text.slice(0, end) + words + style + pattern + text.slice(end),
      width: Number(/\bwidth="([0-9.]+)"/.exec(opening[0])[1]),
      height: Number(/\bheight="([0-9.]+)"/.exec(opening[0])[1]),
    };
  }

  function escaped(text) {
    return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  }

  function wrapped(text, width, font) {
    var measure = document.createElement("canvas").getContext("2d");
    measure.font = font + scorekit.data.chartLooks.font;
    var lines = [];
    var line = "";
    text.split(" ").forEach(function (word) {
      var longer = line ? line + " " + word : word;
      if (line && measure.measureText(longer).width > width - 8) {
        lines.push(line);
        line = word;
      } else {
        line = longer;
      }
    });
    lines.push(line);
    return lines.slice(0, 4);
  }

  function rastered(picture) {
    var address = URL.createObjectURL(new Blob([picture.text], { type: "image/svg+xml" }));
    var image = new Image();
    image.src = address;
    return image.decode().then(function () {
      var canvas = document.createElement("canvas");
      canvas.width = Math.round(picture.width * PIXELS);
      canvas.height = Math.round(picture.height * PIXELS);
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      URL.revokeObjectURL(address);
      return new Promise(function (resolve) {
        canvas.toBlob(resolve, "image/png");
      });
    });
  }

  function give(name, blob) {
    var link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    document.body.appendChild(link);
    link.click();
    link.remove();
    window.setTimeout(function () {
      URL.revokeObjectURL(link.href);
    }, 10000);
  }

  var MADE = {
    PNG: function (chart) {
      return pictureOf(chart).then(rastered);
    },
    SVG: function (chart) {
      return pictureOf(chart).then(function (picture) {
        return new Blob([picture.text], { type: "image/svg+xml" });
      });
    },
    CSV: function (chart) {
      return Promise.resolve(new Blob([chart.payload.csv], { type: "text/csv;charset=utf-8" }));
    },
  };

  function tools(chart) {
    var row = document.createElement("div");
    row.className = "chart-tools";
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", "Take this chart away");
    Object.keys(MADE).forEach(function (kind) {
      var button = document.createElement("button");
      button.type = "button";
      button.className = kind === "CSV" ? "" : "drawn";
      button.textContent = kind;
      button.setAttribute("aria-label", kind + ": download " + chart.payload.title);
      button.addEventListener("click", function () {
        MADE[kind](chart)
          .then(function (blob) {
            give(chart.figure.id + "." + kind.toLowerCase(), blob);
          })
          .catch(function (error) {
            chart.status.textContent = "The " + kind + " cannot be made here.";
            console.warn("chart " + chart.figure.id + ": " + error.message);
          });
      });
      row.appendChild(button);
    });
    chart.figure.insertBefore(row, chart.table);
  }

  var nearby = new IntersectionObserver(
    function (entries) {
      entries.forEach(function (entry) {
        if (entry.isIntersecting) {
          nearby.unobserve(entry.target);
          var chart = charts.get(entry.target);
          chart.seen = true;
          draw(chart);
        }
      });
    },
    { rootMargin: NEAR }
  );

  var sizes = new ResizeObserver(function (entries) {
    entries.forEach(function (entry) {
      var chart = charts.get(entry.target.closest("figure.chart"));
      window.clearTimeout(chart.waiting);
      chart.waiting = window.setTimeout(function () {
        if (chart.seen && chart.plot.clientWidth !== chart.width) {
          draw(chart);
        }
      }, 120);
    });
  });

  // What many charts have in common stands in a file of its own.
  function whole(spec) {
    if (!spec.like) {
      return spec;
    }
    var made = Object.assign({}, scorekit.data.chartSpecs[spec.like], spec);
    delete made.like;
    return made;
  }

  function find(root) {
    root.querySelectorAll("figure.chart").forEach(function (figure) {
      if (charts.has(figure)) {
        return;
      }
      var payload = JSON.parse(figure.querySelector(".chart-data").textContent);
      payload.spec = whole(payload.spec);
      var chart = {
        figure: figure,
        plot: figure.querySelector(".chart-plot"),
        status: figure.querySelector(".chart-status"),
        table: figure.querySelector(".chart-table"),
        payload: payload,
        turn: 0,
        width: 0,
        seen: false,
      };
      charts.set(figure, chart);
      keepRoom(chart);
      tools(chart);
      nearby.observe(figure);
      sizes.observe(chart.plot);
    });
  }

  // Before it is drawn: the place that it will take, as near as can be told, so that the page does not jump.
  function keepRoom(chart) {
    var rows = chart.payload.spec.datasets && chart.payload.spec.datasets.rows;
    if (chart.payload.lane && rows) {
      var lanes = new Set(rows.map(function (row) { return row.place; })).size;
      chart.plot.style.minHeight = chart.payload.lane * lanes + AROUND_PX + "px";
    }
  }

  function redraw() {
    charts.forEach(function (chart) {
      if (chart.seen && chart.look !== lookName()) {
        draw(chart);
      }
    });
  }

  scorekit.charts = {
    find: find,
    get: function (figure) {
      return charts.get(figure).payload;
    },
    set: function (figure, payload) {
      var chart = charts.get(figure);
      chart.payload = payload;
      return chart.seen ? draw(chart) : Promise.resolve();
    },
  };

  document.documentElement.classList.add("scripted");
  find(document);
  document.addEventListener("scorekit:theme", redraw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  window.matchMedia("print").addEventListener("change", redraw);
  window.addEventListener("beforeprint", function () {
    charts.forEach(function (chart) {
      if (!chart.seen) {
        chart.seen = true;
        draw(chart);
      }
    });
  });
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") {
      hideTip();
    }
  });
  window.addEventListener("scroll", hideTip, { passive: true });
})();
