// What the calculator and the regions have in common: elements of the page, and the choice of a model.
//
//   scorekit.elements.byId(id)                    an element of the page
//   scorekit.elements.find(list, key, value)      the first of a list that has a value
//   scorekit.elements.create(tag, text, className)
//   scorekit.elements.put(element, children)      in the place of what it held
//   scorekit.elements.fillModels(all, chosen, what)   the choice of a model, with what the search leaves; all are
//                                                 [{key, name, group}], and `what` they are stands in the count
(function () {
  "use strict";
  var amounts = window.scorekit.amounts;
  var MOST_OPTIONS = 500;

  function byId(id) {
    return document.getElementById(id);
  }

  function find(list, key, value) {
    return list.filter(function (each) { return each[key] === value; })[0];
  }

  function create(tag, text, className) {
    var element = document.createElement(tag);
    if (text !== undefined && text !== null) {
      element.textContent = text;
    }
    if (className) {
      element.className = className;
    }
    return element;
  }

  function put(element, children) {
    element.replaceChildren.apply(element, children);
  }

  function fillModels(all, chosen, what) {
    var wanted = byId("model-filter").value.trim().toLowerCase();
    var matching = all.filter(function (each) {
      return each.key === chosen || (each.group + "/" + each.name).toLowerCase().indexOf(wanted) >= 0;
    });
    var groups = new Map();
    matching
      .filter(function (each, place) { return place < MOST_OPTIONS || each.key === chosen; })
      .forEach(function (each) {
        if (!groups.has(each.group)) {
          groups.set(each.group, create("optgroup"));
          groups.get(each.group).label = each.group;
        }
        var option = create("option", each.name);
        option.dir = "auto";
        option.value = each.key;
        option.selected = each.key === chosen;
        groups.get(each.group).appendChild(option);
      });
    put(byId("model"), Array.from(groups.values()));
    var told = wanted ? amounts.count(matching.length) + " of " + amounts.count(all.length) + " " + what : "";
    if (matching.length > MOST_OPTIONS) {
      told = "the first " + MOST_OPTIONS + " of " + amounts.count(matching.length) + " " + what + "; type to find others";
    }
    byId("model-count").textContent = told;
  }

  window.scorekit.elements = { byId: byId, find: find, create: create, put: put, fillModels: fillModels };
})();
