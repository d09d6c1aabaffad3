// A file that is being made asks how far it is. Whoever was signed out meanwhile, or whose file is gone, is shown that
// page whole; what a server answers that restarts is passed over.
(function () {
  "use strict";

  document.addEventListener("htmx:beforeSwap", function (event) {
    if (event.detail.requestConfig.elt.id !== "export") {
      return;
    }
    var answer = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
    if (answer.querySelector("body > #export")) {
      return;
    }
    event.detail.shouldSwap = false;
    if (event.detail.xhr.status < 500) {
      window.location.reload();
    }
  });
})();
