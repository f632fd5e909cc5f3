// Tells of a file that is too large before it is sent; the portal itself checks it again.
(function () {
  "use strict";
  function check(input) {
    var most = Number(input.getAttribute("data-most-bytes"));
    var file = input.files && input.files[0];
    var told = "";
    if (file && file.size > most) {
      told = "This file has " + file.size.toLocaleString("en") + " bytes, at most " + most.toLocaleString("en") + " are taken.";
    } else if (file && file.size === 0) {
      told = "This file is empty.";
    }
    input.setCustomValidity(told);
    if (told) {
      input.reportValidity();
    }
  }

  Array.prototype.forEach.call(document.querySelectorAll("input[type=file][data-most-bytes]"), function (input) {
    input.addEventListener("change", function () {
      check(input);
    });
  });
})();
