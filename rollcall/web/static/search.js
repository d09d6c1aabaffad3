// The search answers as one types. Blank fields stay out of the address, what was found is said aloud once, and the
// list that asks for itself again is only exchanged for one that says something else.
(function () {
  "use strict";

  function results() {
    return document.getElementById("results");
  }

  function isMarked(list) {
    var selection = window.getSelection();
    return selection && !selection.isCollapsed && list.contains(selection.anchorNode);
  }

  document.addEventListener("htmx:configRequest", function (event) {
    if (event.detail.elt.id !== "filters") {
      return;
    }
    var asked = event.detail.formData || event.detail.parameters;
    var blank = [];
    if (asked instanceof FormData) {
      asked.forEach(function (value, name) {
        if (value === "") {
          blank.push(name);
        }
      });
      blank.forEach(function (name) {
        asked.delete(name);
      });
    }
  });

  document.addEventListener("htmx:beforeRequest", function (event) {
    if (event.detail.elt === results() && document.hidden) {
      event.preventDefault();
    }
  });

  document.addEventListener("htmx:beforeSwap", function (event) {
    var list = results();
    if (event.detail.requestConfig.elt !== list) {
      return;
    }
    // Whoever was signed out meanwhile, or a server that restarts, answers with another page: the old list stays.
    var answer = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
    var fresh = event.detail.xhr.status === 200 && answer.getElementById("results");
    if (!fresh || fresh.innerHTML === list.innerHTML || isMarked(list)) {
      event.detail.shouldSwap = false;
    }
  });

  document.addEventListener("htmx:afterSettle", function () {
    var told = document.getElementById("told");
    var list = results();
    if (told && list && told.textContent !== list.dataset.told) {
      told.textContent = list.dataset.told || "";
    }
    document.querySelectorAll(".field-error").forEach(function (slot) {
      var field = document.getElementById(slot.id.replace(/-error$/, ""));
      if (field) {
        field.toggleAttribute("aria-invalid", slot.textContent !== "");
        if (slot.textContent !== "") {
          field.setAttribute("aria-invalid", "true");
        }
      }
    });
  });
})();
