// Looks again at the page of a submission while its state changes by itself, and shows the new one when there is one.
(function () {
  "use strict";
  var FIRST_MS = 2000;
  var LONGEST_MS = 30000;
  var wait = FIRST_MS;

  function stateOf(page) {
    return page.getElementById("state");
  }

  function say(text) {
    var place = document.getElementById("watching");
    if (place) {
      place.textContent = text;
    }
  }

  function show(fresh) {
    var main = document.getElementById("content");
    var inside = main.contains(document.activeElement);
    main.replaceChildren.apply(main, Array.prototype.slice.call(fresh.getElementById("content").childNodes));
    document.title = fresh.title;
    say("The state has changed.");
    if (inside) {
      main.focus();
    }
  }

  function look() {
    if (document.hidden) {
      later();
      return;
    }
    fetch(window.location.href, { credentials: "same-origin", redirect: "error", cache: "no-store" })
      .then(function (answer) {
        return answer.ok ? answer.text() : Promise.reject(answer.status);
      })
      .then(function (text) {
        var fresh = new DOMParser().parseFromString(text, "text/html");
        var state = stateOf(fresh);
        if (state && state.getAttribute("data-state") !== stateOf(document).getAttribute("data-state")) {
          wait = FIRST_MS;
          show(fresh);
        }
        if (state && stateOf(document).hasAttribute("data-looks-again")) {
          later();
        }
      })
      .catch(later);
  }

  function later() {
    window.setTimeout(look, wait);
    wait = Math.min(LONGEST_MS, wait * 1.3);
  }

  if (stateOf(document) && typeof document.body.replaceChildren === "function") {
    say("This page looks again by itself.");
    later();
  }
})();
