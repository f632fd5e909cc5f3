// The theme: light, dark, or what the system says. Kept in this browser, where it may keep anything.
(function () {
  "use strict";
  var KEY = "scorekit-theme";
  var THEMES = ["automatic", "light", "dark"];
  var root = document.documentElement;

  function kept() {
    try {
      var value = window.localStorage.getItem(KEY);
      return THEMES.indexOf(value) > 0 ? value : "automatic";
    } catch (error) {
      return "automatic";
    }
  }

  function apply(theme) {
    if (theme === "automatic") {
      root.removeAttribute("data-theme");
    } else {
      root.setAttribute("data-theme", theme);
    }
  }

  var theme = kept();
  apply(theme);

  document.addEventListener("DOMContentLoaded", function () {
    var button = document.querySelector(".theme-toggle");
    if (!button) {
      return;
    }
    function tell() {
      button.textContent = "Theme: " + theme;
    }
    button.hidden = false;
    tell();
    button.addEventListener("click", function () {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
      try {
        window.localStorage.setItem(KEY, theme);
      } catch (error) {
        // Not kept, then.
      }
      apply(theme);
      tell();
      document.dispatchEvent(new CustomEvent("scorekit:theme"));
    });
  });
})();
