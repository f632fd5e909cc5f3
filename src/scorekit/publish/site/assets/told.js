// A figure with what is told of it, as publish/site/figures.py writes it at build.
//
//   scorekit.told(text, told, origins)   an element; `origins` has the sign and meaning of each origin by its word
//   scorekit.origin(word, origins)       the same for how an energy came about
(function () {
  "use strict";
  var made = 0;

  function element(tag, className, text) {
    var one = document.createElement(tag);
    if (className) {
      one.className = className;
    }
    if (text !== undefined) {
      one.textContent = text;
    }
    return one;
  }

  function row(term, value, isName) {
    var line = element("span", "tip-row");
    var held = element("span");
    held.appendChild(isName ? element("bdi", "", value) : document.createTextNode(value));
    line.append(element("span", "tip-term", term), " ", held);
    return line;
  }

  function told(text, facts, origins) {
    var figure = element("span", "figure");
    var button = element("button", "figure-value");
    var tip = element("span", "figure-tip");
    made += 1;
    tip.id = "told-" + made;
    tip.setAttribute("role", "tooltip");
    button.type = "button";
    button.setAttribute("aria-describedby", tip.id);
    tip.appendChild(row("Source", facts.source, true));
    if (facts.edition !== null) {
      tip.appendChild(row("Edition", facts.edition, true));
    }
    tip.appendChild(row("Hardware", facts.hardware || "unknown", Boolean(facts.hardware)));
    tip.appendChild(row("Uncertainty", facts.uncertainty || "unknown"));
    if (facts.origin !== null) {
      tip.appendChild(row("Origin", facts.origin + ": " + origins[facts.origin].meaning));
      var sign = element("span", "sign origin-" + facts.origin, origins[facts.origin].sign);
      sign.setAttribute("aria-hidden", "true");
      button.appendChild(sign);
      if (facts.origin !== "measured") {
        button.appendChild(element("span", "for-readers", facts.origin + ", "));
      }
    }
    facts.notes.forEach(function (note) {
      tip.appendChild(row("Note", note));
    });
    button.append(text);
    figure.append(button, tip);
    return figure;
  }

  function origin(word, origins) {
    var one = element("span", "origin origin-" + word);
    var sign = element("span", "", origins[word].sign);
    sign.setAttribute("aria-hidden", "true");
    one.title = origins[word].meaning;
    one.append(sign, " " + word);
    return one;
  }

  window.scorekit.told = told;
  window.scorekit.origin = origin;
})();
