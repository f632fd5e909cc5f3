// Shows one group of models at a time, by the selects of the page: what the first one offers stands in the page, the others
// offer what there is below it. The choice is in the address's hash: #task=asr&class=A&figures=official
(function () {
  "use strict";
  var box = document.querySelector(".choices");
  if (!box) {
    return;
  }
  var groups = Array.from(document.querySelectorAll(".group"));
  var choices = {};
  box.querySelectorAll("select").forEach(function (select) {
    choices[select.dataset.choice] = select;
  });
  var ORDER = Object.keys(choices);
  var status = document.querySelector(".chosen-group");

  // The group that fits a wish best: by the first choice, then by the next.
  function best(wish) {
    var fitting = groups;
    ORDER.forEach(function (key) {
      var closer = fitting.filter(function (group) { return group.dataset[key] === wish[key]; });
      fitting = closer.length ? closer : fitting;
    });
    return fitting[0];
  }

  function values(chosen, key) {
    var before = ORDER.slice(0, ORDER.indexOf(key));
    var found = groups.filter(function (group) {
      return before.every(function (other) { return group.dataset[other] === chosen.dataset[other]; });
    });
    return found.map(function (group) { return group.dataset[key]; }).filter(function (value, place, all) {
      return all.indexOf(value) === place;
    });
  }

  function show(chosen) {
    groups.forEach(function (group) { group.hidden = group !== chosen; });
    choices[ORDER[0]].value = chosen.dataset[ORDER[0]];
    ORDER.slice(1).forEach(function (key) {
      var all = values(chosen, key);
      choices[key].replaceChildren.apply(choices[key], all.map(function (value) {
        return new Option(key === "class" ? value || "no classes" : value, value);
      }));
      choices[key].value = chosen.dataset[key];
      choices[key].closest("label").hidden = key === "class" && all.length === 1 && all[0] === "";
    });
  }

  function state(group) {
    var found = {};
    ORDER.forEach(function (key) { found[key] = group.dataset[key]; });
    return found;
  }

  function restore() {
    var text = window.location.hash.slice(1);
    var named = groups.filter(function (group) { return group.id === text; })[0];
    if (text && !named && text.indexOf("=") === -1) {
      return; // A place on the page, e.g. the skip link's.
    }
    show(named || best(scorekit.state.get()));
  }

  ORDER.forEach(function (key) {
    choices[key].addEventListener("change", function () {
      var wish = {};
      ORDER.forEach(function (other) { wish[other] = choices[other].value; });
      var chosen = best(wish);
      show(chosen);
      status.textContent = document.getElementById(chosen.id + "-title").textContent + ", " + chosen.dataset.figures;
      window.history.pushState(null, "", "#" + new URLSearchParams(state(chosen)).toString());
    });
  });

  document.querySelector(".group-links").hidden = true;
  box.hidden = false;
  window.addEventListener("popstate", restore);
  restore();
})();
